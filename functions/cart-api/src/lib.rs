//! The caller's cart and its coupon over HTTP: reads what is asked, decides over the cart, the catalogue and the coupon as
//! they are now, and stores the cart only over the version that it decided on.

use std::time::Duration;

use almacen_contract::cart::{CartBody, CartData, ChangedBody, refused};
use almacen_contract::error::{Language, Refusal};
use almacen_contract::event::{Envelope, Origin, name};
use almacen_domain::Millis;
use almacen_domain::cart::{Cart, Catalogue, Change, shown};
use almacen_domain::coupon::{Code, Standing};
use almacen_domain::pricing::Rules;
use almacen_lambda_kit::config::{ConfigError, Env};
use almacen_lambda_kit::http::{Http, Reply, Request};
use almacen_lambda_kit::log::chain;
use almacen_lambda_kit::start::now_ms;
use almacen_table::TableError;
use almacen_table::carts::Carts;
use almacen_table::coupons::Coupons;
use almacen_table::outbox::Event;
use almacen_table::products::Products;

pub mod ask;
mod problem;

use ask::Ask;

/// Tries of one change while others change the same cart. Of several at once one always succeeds, and the pauses grow until
/// there is room for all.
const TRIES: u32 = 16;
/// The longest pause after the first try that came too late, and after any.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// Table of carts.
    pub carts: String,
    /// Table of products.
    pub products: String,
    /// Table of coupons.
    pub coupons: String,
    /// Table of events.
    pub outbox: String,
    /// How this shop taxes and ships.
    pub rules: Rules,
    /// Below which address images stand.
    pub images_url: String,
    /// How HTTP is answered.
    pub http: Http,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// Names everything that is missing or wrong.
    pub fn read(mut env: Env) -> Result<Self, ConfigError> {
        let config = Self {
            carts: env.required("CARTS_TABLE"),
            products: env.required("PRODUCTS_TABLE"),
            coupons: env.required("COUPONS_TABLE"),
            outbox: env.required("OUTBOX_TABLE"),
            rules: Rules {
                tax_basis_points: env.number("TAX_BASIS_POINTS"),
                shipping_cents: env.number("SHIPPING_CENTS"),
                free_shipping_from_cents: env.number("FREE_SHIPPING_FROM_CENTS"),
            },
            images_url: env.required("IMAGES_URL"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        };
        env.check()?;
        Ok(config)
    }
}

/// The function and what it talks to.
#[derive(Debug)]
pub struct Api {
    /// Carts.
    pub carts: Carts,
    /// The catalogue.
    pub products: Products,
    /// Coupons.
    pub coupons: Coupons,
    /// How this shop taxes and ships.
    pub rules: Rules,
    /// Below which address images stand.
    pub images_url: String,
}

/// A cart and all that is needed to show it.
#[derive(Debug)]
struct Known {
    cart: Cart,
    catalogue: Catalogue,
    coupon: Option<Standing>,
}

impl Api {
    /// Answers one request.
    ///
    /// # Errors
    /// The refusal that the caller is told.
    pub async fn handle(&self, request: Request) -> Result<Reply, Refusal> {
        let (user, ask) = Ask::read(&request)?;
        let language = request.language();
        let change = match ask {
            Ask::Show => {
                let cart = self.carts.get(&user, now_ms()).await.map_err(problem::table)?;
                let known = self.known(cart, None, &user).await?;
                return Reply::json(200, &self.body(&user, known, language));
            }
            Ask::Change(change) => change,
        };
        let known = self.change(&user, &change, request.id()).await?;
        match change {
            Change::Add { .. } | Change::Apply(_) => {
                let body = self.body(&user, known, language);
                Reply::json(200, &ChangedBody::of(body, &change, language))
            }
            Change::Set { .. } => Reply::json(200, &self.body(&user, known, language)),
            Change::Remove { .. } | Change::RemoveCoupon => Ok(Reply::empty(204)),
        }
    }

    fn body(&self, user: &str, known: Known, language: Language) -> CartBody {
        let Known { cart, catalogue, coupon } = known;
        let shown = shown(&cart, &catalogue, coupon.as_ref(), &self.rules, now_ms());
        CartBody::of(user, shown, &self.images_url, language)
    }

    /// Makes a change, once, to the cart as it is when it is stored: whoever else changes it at the same moment makes this
    /// one be decided again.
    async fn change(&self, user: &str, change: &Change, request: &str) -> Result<Known, Refusal> {
        for attempt in 0..TRIES {
            let now = now_ms();
            let cart = self.carts.get(user, now).await.map_err(problem::table)?;
            let known = self.known(cart, Some(change), user).await?;
            let next = known.cart.changed(change, &known.catalogue, known.coupon.as_ref(), now).map_err(refused)?;
            let Some(next) = next else { return Ok(known) };
            let event = updated(user, &next, request, now);
            if self.carts.save(user, known.cart.version, &next, &event, now).await.map_err(problem::save)? {
                tracing::info!(by = user, version = next.version, lines = next.lines.len(), attempt, "cart changed");
                return Ok(Known { cart: next, ..known });
            }
            tokio::time::sleep(pause(attempt, fastrand::f64())).await;
        }
        Err(problem::contended())
    }

    /// Asks the catalogue and the coupons for what a cart names, and for what a change of it names, at the same time.
    async fn known(&self, cart: Cart, change: Option<&Change>, user: &str) -> Result<Known, Refusal> {
        let code = match change {
            // Neither is decided nor answered by what anything costs.
            Some(Change::Remove { .. } | Change::RemoveCoupon) => {
                return Ok(Known { cart, catalogue: Catalogue::new(), coupon: None });
            }
            Some(Change::Apply(code)) => Some(code),
            Some(Change::Add { .. } | Change::Set { .. }) | None => cart.coupon.as_ref(),
        };
        let mut ids: Vec<&str> = cart.lines.iter().map(|line| line.product.as_str()).collect();
        // DynamoDB refuses to read the same key twice in one call.
        ids.extend(change.and_then(Change::product).filter(|product| !ids.contains(product)));
        let (catalogue, coupon) = tokio::try_join!(self.catalogue(&ids), self.coupon(code, user))?;
        Ok(Known { cart, catalogue, coupon })
    }

    async fn catalogue(&self, ids: &[&str]) -> Result<Catalogue, Refusal> {
        self.products.these(ids).await.map_err(problem::table)
    }

    /// What is known of a coupon. One that breaks the rules of its record counts as none, so that nobody's cart is lost to it.
    async fn coupon(&self, code: Option<&Code>, user: &str) -> Result<Option<Standing>, Refusal> {
        let Some(code) = code else { return Ok(None) };
        match self.coupons.standing(code, user).await {
            Ok(standing) => Ok(standing),
            Err(error @ TableError::Corrupt { .. }) => {
                tracing::error!(coupon = code.as_str(), error = chain(&error), "coupon cannot be read");
                Ok(None)
            }
            Err(error @ (TableError::Unavailable { .. } | TableError::Refused { .. })) => Err(problem::table(error)),
        }
    }
}

/// What is told of a change. A request makes one version of a cart, so the two tell it from every other change.
fn updated(user: &str, cart: &Cart, request: &str, now: Millis) -> Event {
    let version = cart.version.to_string();
    let origin = Origin { at: now, correlation: request, cause: request, aggregate: user };
    let event = Envelope::wrap(name::CART_UPDATED, &[user, request, &version], origin, CartData::of(user, cart));
    Event { body: event.body(), id: event.id, name: event.evento }
}

/// How long to wait after a try that came too late: anything up to a bound that doubles, so that those who collided do not
/// meet again.
fn pause(attempt: u32, chance: f64) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE).mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_is_named_at_once() {
        let told =
            Config::read(Env::of([("TAX_BASIS_POINTS", "-1"), ("SHIPPING_CENTS", "x")])).unwrap_err().to_string();
        assert_eq!(
            told,
            "environment: CARTS_TABLE is missing; PRODUCTS_TABLE is missing; COUPONS_TABLE is missing; \
             OUTBOX_TABLE is missing; TAX_BASIS_POINTS is not a number in range; SHIPPING_CENTS is not a number in range; \
             FREE_SHIPPING_FROM_CENTS is missing; IMAGES_URL is missing; ALLOWED_ORIGIN is missing"
        );
    }

    #[test]
    fn pauses_grow_to_a_bound_and_all_tries_fit_into_an_answer() {
        assert_eq!(pause(0, 1.0), FIRST_PAUSE);
        assert_eq!(pause(2, 0.5), FIRST_PAUSE * 2);
        assert_eq!(pause(31, 1.0), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX, 1.0), LONGEST_PAUSE);
        // On average, that is half of each.
        let all: Duration = (0..TRIES).map(|attempt| pause(attempt, 0.5)).sum();
        assert!(all < Duration::from_secs(6), "{all:?}");
    }

    #[test]
    fn the_same_change_has_the_same_event_and_another_has_another() {
        let cart = |version| Cart { version, updated_at: Some(1), ..Cart::default() };
        let event = updated("u1", &cart(3), "req-1", 1_705_834_800_000);
        assert_eq!(
            event.body,
            format!(
                r#"{{"id":"{}","evento":"CarritoActualizado","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"req-1","causaId":"req-1","agregadoId":"u1","datos":{{"usuarioId":"u1","items":[],"versionCarrito":3}}}}"#,
                event.id
            )
        );
        assert_eq!(event.id, updated("u1", &cart(3), "req-1", 7).id);
        assert_ne!(event.id, updated("u1", &cart(4), "req-1", 7).id);
        assert_ne!(event.id, updated("u1", &cart(3), "req-2", 7).id);
    }
}
