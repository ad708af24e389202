//! The demonstration shop: categories, products with their pictures, and coupons, all through the public API but the
//! coupons, for which it has no route.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::api::{self, Session};
use crate::sam::{self, Place};
use crate::{checkout, run, stack, ui};

/// Where they stand.
pub(crate) const FOLDER: &str = "samples/shop";
/// How long pictures and stock may take until the catalogue shows them.
const PATIENCE: Duration = Duration::from_secs(120);

/// Puts them into the shop of the local stack. What is there already stays as it is.
///
/// # Errors
/// If the API or the stack refuses.
pub(crate) fn fill(place: Place, outputs: &Map<String, Value>) -> Result<()> {
    let step = ui::Step::new("shop");
    let mut session = stack::sign_in(outputs, "admin")?;
    for name in list("categories.json")? {
        accepted("POST /categorias", session.post("/categorias", &json!({"nombre": name}))?)?;
    }
    let all = list("products.json")?;
    let mut made = Vec::new();
    for (position, entry) in all.iter().enumerate() {
        step.doing(&format!("product {} of {}", position + 1, all.len()));
        let product = entry.get("product").context("samples/shop/products.json: an entry has no product")?;
        let Some(answer) = accepted("POST /productos", session.post("/productos", product)?)? else { continue };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let image = entry.get("image").and_then(Value::as_str);
        if let (Some(id), Some(link), Some(image)) = (text("id"), text("urlCargaImagen"), image) {
            let path = checkout::root().join(FOLDER).join("images").join(image);
            let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let headers = [("content-type".to_owned(), "image/png".to_owned())];
            api::send_file("PUT", &link, &headers, content.len() as u64, &mut content.as_slice())?;
            made.push(id);
        }
    }
    step.doing("coupons");
    let coupons =
        std::fs::read(checkout::root().join(FOLDER).join("coupons.json")).context("cannot read coupons.json")?;
    sam::helper(place, "coupons.py", &[checkout::text(outputs, "CouponsTable")?], &coupons)?;
    step.doing("waiting until the catalogue shows it");
    for id in &made {
        wait_for_picture(&mut session, id)?;
    }
    step.done(if made.is_empty() { "the shop has its products" } else { "shop filled with products and coupons" });
    Ok(())
}

fn wait_for_picture(session: &mut Session, id: &str) -> Result<()> {
    let mut result = Ok(());
    let shown = run::wait_until(PATIENCE, || match session.get(&format!("/productos/{id}")) {
        Ok((200, product)) => product.get("urlImagen").is_some_and(Value::is_string),
        Ok((status, body)) => {
            result = Err(anyhow::anyhow!(
                "GET /productos/{id} answered {}. See: cargo xtask logs products-api",
                api::refusal(status, &body)
            ));
            true
        }
        Err(error) => {
            result = Err(error);
            true
        }
    });
    if !shown {
        bail!(
            "the picture of {id} was uploaded but is not shown after {} s. See: cargo xtask logs process-image",
            PATIENCE.as_secs()
        );
    }
    result
}

/// The answer's body where something was made; none where it was there before.
fn accepted(what: &str, (status, body): api::Answer) -> Result<Option<Value>> {
    match status {
        200..300 => Ok(Some(body)),
        409 => Ok(None),
        _ => bail!("{what} answered {}. See: cargo xtask logs products-api", api::refusal(status, &body)),
    }
}

fn list(name: &str) -> Result<Vec<Value>> {
    let path = checkout::root().join(FOLDER).join(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON list", path.display()))
}
