//! People who look after the catalogue.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::{As, Request};
use crate::shop::{Known, Shop};

const ONE: &str = "/productos/{id}";

/// A product to be made. Prices are whole cents.
pub(crate) fn new_product(name: &str, sku: &str, cents: i64, stock: Option<i64>) -> Value {
    let mut body = json!({
        "nombre": name, "descripcion": "Suelto.", "precio": price(cents), "moneda": "EUR", "categoriaId": "te", "sku": sku,
    });
    if let Some(stock) = stock {
        body["stock"] = json!(stock);
    }
    body
}

fn price(cents: i64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    serde_json::from_str(&text).unwrap_or_default()
}

/// Changes the prices of products that stay.
pub(crate) async fn pricer(
    shop: &Shop<'_>,
    name: &str,
    products: &[String],
    prices: &RefCell<BTreeMap<String, Known<i64>>>,
) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let id = &products[rng.usize(..products.len())];
        let Some(reply) = shop.insist(&Request::new(As::Nobody, "GET", ONE, &[id])).await else { continue };
        if !shop.expect("GET a product", &reply, &[200]) {
            continue;
        }
        let tag = reply.headers["etag"].as_str().unwrap_or_default().to_owned();
        let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
        let seen = (reply.body["precio"].as_f64().unwrap_or_default() * 100.0).round();
        let cents = rng.i64(100..2_000);
        let Some(mut known) = prices.borrow().get(id).cloned() else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "a price of some cents")]
        if !known.seen(seen as i64) {
            shop.wrong(format!("{id} costs {seen} cents, which it cannot"));
        }
        let body = new_product(&text("nombre"), &text("sku"), cents, None);
        let put = Request::new(As::Admin, "PUT", ONE, &[id]).body(&body).header("if-match", &tag);
        match shop.insist(&put).await {
            // Somebody reviewed it, or an earlier try of this request came through.
            Some(reply) if reply.status == 412 => known.perhaps(|_| cents),
            Some(reply) if shop.expect("PUT a product", &reply, &[200]) => known.changed(|_| cents),
            Some(_) => {}
            None => known.perhaps(|_| cents),
        }
        prices.borrow_mut().insert(id.clone(), known);
    }
}

/// Makes products, and takes some back. By sku: is it there?
pub(crate) async fn lister(shop: &Shop<'_>, name: &str, listed: &RefCell<BTreeMap<String, Known<bool>>>) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let sku = format!("Novedad {}", shop.number());
        let body = new_product(&sku, &sku, 499, rng.bool().then(|| rng.i64(0..20)));
        let mut known = Known::is(false);
        let mut id = None;
        match shop.insist(&Request::new(As::Admin, "POST", "/productos", &[]).body(&body)).await {
            // The sku is taken: by an earlier try of this request.
            Some(reply) if shop.expect("POST /productos", &reply, &[201, 409]) => {
                known.changed(|_| true);
                id = reply.body["id"].as_str().map(str::to_owned);
            }
            Some(_) => {}
            None => known.perhaps(|_| true),
        }
        if let (Some(id), true) = (id, rng.bool()) {
            sleep(Duration::from_secs(rng.u64(..60))).await;
            match shop.insist(&Request::new(As::Admin, "DELETE", ONE, &[&id])).await {
                Some(reply) if shop.expect("DELETE a product", &reply, &[204, 404]) => known.changed(|_| false),
                Some(_) => {}
                None => known.perhaps(|_| false),
            }
        }
        listed.borrow_mut().insert(sku, known);
    }
}
