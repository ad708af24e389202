//! The caller's cart and its coupon over HTTP.
//!
//! A cart is one record for each user: products, quantities, and the price and name each line was added with, which
//! serve only to say what has changed since. A request reads the cart with its products and its coupon.
//! `almacen_domain::ordering::cart` decides and shows: both are plain functions of the cart, the catalogue and the
//! coupon. `almacen_domain::ordering::pricing` adds up; orders are to use the same functions.
//!
//! Invariant: no device loses another's lines. A cart is written whole, with its CarritoActualizado, on condition of
//! the version that was read (`almacen_table::ordering::carts`). A request whose condition fails reads and decides
//! again, after a pause that grows, for 20 s at most.
//!
//! A cart only names a coupon. Its use is counted when an order is placed:
//! `almacen_table::ordering::coupons::Coupons::redeem`, which nothing calls yet but its tests.

use std::collections::HashMap;
use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_clock::{Instant, now_ms, random};
use almacen_contract::cart::{CartBody, CartData, ChangedBody, refused};
use almacen_contract::error::{Language, RequestError, Unserialisable};
use almacen_contract::event::{Envelope, Origin, name};
use almacen_domain::Millis;
use almacen_domain::catalogue::Product;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_domain::ordering::cart::{Cart, CartChange, Catalogue, shown};
use almacen_domain::ordering::coupon::{Code, CouponUsage};
use almacen_domain::ordering::pricing::Rules;
use almacen_domain::ordering::shipping::Shipping;
use almacen_dynamo::DynamoError;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply};
use almacen_lambda_kit::log::error_chain;
use almacen_table::catalogue::products::Products;
use almacen_table::ordering::carts::Carts;
use almacen_table::ordering::coupons::Coupons;

pub mod request;

use request::Request;

/// So long is a change tried while others change the same cart, which leaves the last try time to end before the gateway
/// gives up. Of several at once one always succeeds, and the pauses grow until there is room for all.
const KEEP_TRYING: Duration = Duration::from_secs(20);
/// The longest pause after the first try that came too late is as long as the try took, and no less than this.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest pause after any.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What shipping costs by currency. Both variables may be empty.
fn shipping(env: &mut Env) -> Shipping {
    let rates = env.optional("SHIPPING_RATES").unwrap_or_default();
    let free_from = env.optional("FREE_SHIPPING_FROM").unwrap_or_default();
    Shipping::parse(&rates, &free_from).unwrap_or_else(|error| {
        for (name, entries) in [("SHIPPING_RATES", error.rates), ("FREE_SHIPPING_FROM", error.free_from)] {
            for entry in entries {
                env.problem(format!("{name}: {entry}"));
            }
        }
        Shipping::default()
    })
}

/// The function and what it talks to.
#[derive(Debug)]
pub struct CartApi {
    carts: Carts,
    products: Products,
    coupons: Coupons,
    /// How this shop taxes and ships.
    rules: Rules,
    /// Below which address images stand.
    images_url: String,
    http: Http,
}

impl CartApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        let tables = almacen_dynamo::client(aws);
        Self {
            carts: Carts::new(tables.clone(), env.required("CARTS_TABLE"), env.required("OUTBOX_TABLE")),
            products: Products::new(tables.clone(), env.required("PRODUCTS_TABLE")),
            coupons: Coupons::new(tables, env.required("COUPONS_TABLE")),
            rules: Rules { tax_basis_points: env.number("TAX_BASIS_POINTS"), shipping: shipping(env) },
            images_url: env.required("IMAGES_URL"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }
}

/// What is known beside a cart. It is asked for once, however often a change is tried.
#[derive(Debug, Default)]
struct CartContext {
    catalogue: Catalogue,
    /// The coupon that was looked at last, if any was, and what it is worth.
    coupon: Option<(Code, Option<CouponUsage>)>,
}

impl CartContext {
    fn coupon(&self, code: Option<&Code>) -> Option<&CouponUsage> {
        let (known, standing) = self.coupon.as_ref()?;
        standing.as_ref().filter(|_| Some(known) == code)
    }
}

impl HttpFunction for CartApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        let (user, ask) = Request::read(&request)?;
        let language = request.language();
        let change = match ask {
            Request::Show => {
                let cart = self.carts.get(&user, now_ms()).await?;
                return Reply::json(200, &self.body(&user, cart, CartContext::default(), language).await?);
            }
            Request::Change(change) => change,
        };
        let (cart, known) = self.change(&user, &change, request.id()).await?;
        match change {
            CartChange::Add { .. } | CartChange::Apply(_) => {
                let body = self.body(&user, cart, known, language).await.map_err(RequestError::after_the_change)?;
                Reply::json(200, &ChangedBody::of(body, &change, language))
            }
            CartChange::Set { .. } => Reply::json(
                200,
                &self.body(&user, cart, known, language).await.map_err(RequestError::after_the_change)?,
            ),
            CartChange::Remove { .. } | CartChange::RemoveCoupon => Ok(Reply::empty(204)),
        }
    }
}

impl CartApi {
    async fn body(
        &self,
        user: &str,
        cart: Cart,
        mut known: CartContext,
        language: Language,
    ) -> Result<CartBody, RequestError> {
        let products = cart.unknown(&known.catalogue);
        self.ask(&mut known, products, cart.coupon.as_ref(), user).await?;
        let coupon = known.coupon(cart.coupon.as_ref());
        let shown = shown(&cart, &known.catalogue, coupon, &self.rules, now_ms());
        Ok(CartBody::of(user, shown, &self.images_url, language))
    }

    /// Makes a change, once, to the cart as it is when it is stored: whoever else changes it at the same moment makes this
    /// one be decided again. The less is asked between reading and storing, the fewer come too late.
    async fn change(
        &self,
        user: &str,
        change: &CartChange,
        request: &str,
    ) -> Result<(Cart, CartContext), RequestError> {
        let mut known = CartContext::default();
        let begun = Instant::now();
        for attempt in 0_u32.. {
            let (now, tried) = (now_ms(), Instant::now());
            let cart = self.carts.get(user, now).await?;
            let code = match change {
                CartChange::Apply(code) => Some(code),
                CartChange::Add { .. } | CartChange::Set { .. } => cart.coupon.as_ref(),
                CartChange::Remove { .. } | CartChange::RemoveCoupon => None,
            };
            let shipping = &self.rules.shipping;
            let products = cart.undecided(change, &known.catalogue, shipping);
            self.ask(&mut known, products, code, user).await?;
            let next = cart.changed(change, &known.catalogue, known.coupon(code), shipping, now).map_err(refused)?;
            let Some(next) = next else { return Ok((cart, known)) };
            let event = updated(user, &next, request, now)?;
            if self.carts.save(user, cart.version, &next, &event, now).await? {
                tracing::info!(by = user, version = next.version, lines = next.lines.len(), attempt, "cart changed");
                return Ok((next, known));
            }
            let pause = pause(attempt, tried.elapsed(), random::unit());
            if begun.elapsed() + pause > KEEP_TRYING {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Err(DynamoError::contended("change cart").into())
    }

    /// Asks about these products and this coupon at the same time, as far as that is not known.
    async fn ask(
        &self,
        known: &mut CartContext,
        products: Vec<String>,
        code: Option<&Code>,
        user: &str,
    ) -> Result<(), RequestError> {
        let code = code.filter(|code| known.coupon.as_ref().is_none_or(|(asked, _)| asked != *code));
        let (found, coupon) = tokio::try_join!(self.products_of(&products), self.coupon(code, user))?;
        known.catalogue.learn(&products, found);
        if let Some(code) = code {
            known.coupon = Some((code.clone(), coupon));
        }
        Ok(())
    }

    async fn products_of(&self, ids: &[String]) -> Result<HashMap<String, Product>, RequestError> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        Ok(self.products.get_many(&ids).await?)
    }

    /// What is known of a coupon. One that breaks the rules of its record counts as none, so that nobody's cart is lost to it.
    async fn coupon(&self, code: Option<&Code>, user: &str) -> Result<Option<CouponUsage>, RequestError> {
        let Some(code) = code else { return Ok(None) };
        match self.coupons.standing(code, user).await {
            Ok(standing) => Ok(standing),
            Err(error @ DynamoError::Malformed { .. }) => {
                tracing::error!(coupon = code.as_str(), error = error_chain(&error), "coupon cannot be read");
                Ok(None)
            }
            Err(error @ (DynamoError::Unavailable { .. } | DynamoError::Refused { .. })) => Err(error.into()),
        }
    }
}

/// What is told of a change. A request makes one version of a cart, so the two tell it from every other change.
fn updated(user: &str, cart: &Cart, request: &str, now: Millis) -> Result<OutboxEvent, Unserialisable> {
    let version = cart.version.to_string();
    let origin = Origin { at: now, correlation: request, cause: request, aggregate: user };
    let event = Envelope::wrap(name::CART_UPDATED, &[user, request, &version], origin, CartData::of(user, cart));
    event.into_outbox()
}

/// How long to wait after a try that came too late: anything up to a bound that doubles from what the try took, so that those
/// who collided do not meet again, however slow the day.
fn pause(attempt: u32, took: Duration, chance: f64) -> Duration {
    took.max(FIRST_PAUSE).saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE).mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::kernel::money::Currency;

    #[test]
    fn shipping_by_currency_and_free_where_nothing_is_said() {
        let with = |rates, free_from| {
            let mut env = Env::of([("SHIPPING_RATES", rates), ("FREE_SHIPPING_FROM", free_from)]);
            let shipping = shipping(&mut env);
            env.check().map(|()| shipping).map_err(|error| error.to_string())
        };
        assert_eq!(with("", ""), Ok(Shipping::default()));
        let shipping = with("USD:4.99,CLP:3990", "CLP:50000").unwrap();
        let cost = |code, goods| {
            let currency = Currency::parse(code).unwrap();
            shipping.serves(currency).then(|| shipping.cost(currency, goods))
        };
        assert_eq!(
            [cost("USD", 1), cost("CLP", 49_999), cost("CLP", 50_000), cost("EUR", 1)],
            [Some(499), Some(3_990), Some(0), None]
        );
        assert_eq!(
            with("USD:4.99", "CLP:50000"),
            Err("environment: FREE_SHIPPING_FROM: \"CLP:50000\": is of a currency without a rate".to_owned())
        );
        let wrong = with("CLP:39.90,x,USD:4.99", "EUR:0.001").unwrap_err();
        assert_eq!(
            wrong,
            "environment: SHIPPING_RATES: \"CLP:39.90\": has more decimals than CLP (0); \
             SHIPPING_RATES: \"x\": is not like USD:4.99; \
             FREE_SHIPPING_FROM: \"EUR:0.001\": has more decimals than EUR (2)"
        );
    }

    #[test]
    fn pauses_grow_from_what_a_try_took_to_a_bound() {
        let quick = Duration::ZERO;
        assert_eq!(pause(0, quick, 1.0), FIRST_PAUSE);
        assert_eq!(pause(2, quick, 0.5), FIRST_PAUSE * 2);
        assert_eq!(pause(1, FIRST_PAUSE * 3, 1.0), FIRST_PAUSE * 6);
        assert_eq!(pause(31, quick, 1.0), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX, Duration::MAX, 1.0), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX, Duration::MAX, 0.0), Duration::ZERO);
    }

    #[test]
    fn the_same_change_has_the_same_event_and_another_has_another() {
        let cart = |version| Cart { version, updated_at: Some(1), ..Cart::default() };
        let event = updated("u1", &cart(3), "req-1", 1_705_834_800_000).unwrap();
        assert_eq!(
            event.body,
            format!(
                r#"{{"id":"{}","evento":"CarritoActualizado","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"req-1","causaId":"req-1","agregadoId":"u1","datos":{{"usuarioId":"u1","items":[],"versionCarrito":3}}}}"#,
                event.id
            )
        );
        assert_eq!(event.id, updated("u1", &cart(3), "req-1", 7).unwrap().id);
        assert_ne!(event.id, updated("u1", &cart(4), "req-1", 7).unwrap().id);
        assert_ne!(event.id, updated("u1", &cart(3), "req-2", 7).unwrap().id);
    }
}
