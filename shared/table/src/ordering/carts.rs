//! Carts: one record for each customer, written whole, on condition of the version that was read.
//!
//! A record whose `expires_at` has passed is an empty cart, whether DynamoDB has deleted it or not. Its version goes on
//! until then, and begins again after the deletion.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put};

use almacen_domain::Millis;
use almacen_domain::kernel::money::{Currency, Money};
use almacen_domain::ordering::cart::{Cart, KEPT_MS, Line};
use almacen_domain::ordering::coupon::Code;

use crate::keys;
use crate::outbox;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, item, n, number, required_number, required_text, s, text};
use almacen_dynamo::transaction::Transaction;
use almacen_dynamo::version::{VersionCondition, Versioned as _};

/// The Carts table, with the Outbox that tells of it.
#[derive(Debug, Clone)]
pub struct Carts {
    client: Client,
    table: String,
    outbox: String,
}

impl Carts {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, table: String, outbox: String) -> Self {
        Self { client, table, outbox }
    }

    /// A customer's cart; an empty one where there is none, or its time is over.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get(&self, user: &str, now: Millis) -> Result<Cart, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::USER, s(user))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read cart"))?;
        answer.item().map_or_else(|| Ok(Cart::default()), |item| decode(item, now))
    }

    /// Stores a cart in the place of `seen`, with the event that tells of it. `false`: somebody else has changed the cart
    /// since, so nothing was written; read it again and decide again.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn save(
        &self,
        user: &str,
        seen: i64,
        cart: &Cart,
        event: &OutboxEvent,
        now: Millis,
    ) -> Result<bool, DynamoError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(encode(user, cart, now)))
            .only_if(VersionCondition::seen("version", seen));
        let mut transaction = Transaction::new("save cart");
        transaction.add((), put)?;
        transaction.add((), outbox::put(&self.outbox, event, now))?;
        Ok(transaction.commit(&self.client).await?.is_written())
    }
}

fn encode(user: &str, cart: &Cart, now: Millis) -> Item {
    let lines = cart.lines.iter().map(|line| {
        let attributes: HashMap<String, AttributeValue> = item([
            ("name", s(&line.name)),
            ("quantity", n(line.quantity)),
            // Minor units of the currency; the name is from when every currency had cents.
            ("price_cents", n(line.price.minor)),
            ("currency", s(line.price.currency.as_str())),
            ("added_at", n(line.added_at)),
        ]);
        (line.product.clone(), AttributeValue::M(attributes))
    });
    let mut item: Item = item([
        (keys::USER, s(user)),
        ("lines", AttributeValue::M(lines.collect())),
        ("version", n(cart.version)),
        ("updated_at", n(cart.updated_at.unwrap_or(now))),
        ("expires_at", n((cart.updated_at.unwrap_or(now) + KEPT_MS) / 1000)),
    ]);
    if let Some(code) = &cart.coupon {
        item.insert("coupon".to_owned(), s(code.as_str()));
    }
    item
}

fn decode(item: &Item, now: Millis) -> Result<Cart, DynamoError> {
    let version = required_number(item, "version")?;
    if required_number(item, "expires_at")? <= now / 1000 {
        return Ok(Cart { version, ..Cart::default() });
    }
    let Some(AttributeValue::M(stored)) = item.get("lines") else {
        return Err(DynamoError::Malformed { attribute: "lines" });
    };
    let mut lines: Vec<Line> = stored.iter().map(|(product, value)| line(product, value)).collect::<Result<_, _>>()?;
    // A map has no order of its own.
    lines.sort_by(|a, b| (a.added_at, &a.product).cmp(&(b.added_at, &b.product)));
    Ok(Cart {
        lines,
        coupon: text(item, "coupon")?
            .map(|code| Code::parse(&code).ok_or(DynamoError::Malformed { attribute: "coupon" }))
            .transpose()?,
        version,
        updated_at: number(item, "updated_at")?,
    })
}

fn line(product: &str, value: &AttributeValue) -> Result<Line, DynamoError> {
    let AttributeValue::M(item) = value else { return Err(DynamoError::Malformed { attribute: "lines" }) };
    let currency = Currency::parse(&required_text(item, "currency")?);
    let currency = currency.ok_or(DynamoError::Malformed { attribute: "currency" })?;
    Ok(Line {
        product: product.to_owned(),
        name: required_text(item, "name")?,
        quantity: required_number(item, "quantity")?,
        price: Money::new(required_number(item, "price_cents")?, currency),
        added_at: required_number(item, "added_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_dynamo::attr::is_text;

    const NOW: Millis = 1_705_834_800_000;

    fn cart() -> Cart {
        let line = |product: &str, added_at| Line {
            product: product.to_owned(),
            name: "Café".to_owned(),
            quantity: 2,
            price: Money::new(9999, Currency::USD),
            added_at,
        };
        Cart {
            // Not in order of their ids, and two of the same moment.
            lines: vec![line("prod_c", 1), line("prod_a", 2), line("prod_b", 2)],
            coupon: Code::parse("VERANO10"),
            version: 3,
            updated_at: Some(NOW),
        }
    }

    #[test]
    fn a_cart_survives_the_table() {
        let item = encode("u1", &cart(), NOW);
        assert_eq!(decode(&item, NOW).unwrap(), cart());
        assert_eq!(number(&item, "expires_at").unwrap(), Some(1_708_426_800)); // 2024-02-20T11:00:00Z
        assert!(is_text(&item, keys::USER, "u1"));
        let empty = Cart { version: 4, updated_at: Some(NOW), ..Cart::default() };
        assert_eq!(decode(&encode("u1", &empty, NOW), NOW).unwrap(), empty);
    }

    #[test]
    fn a_cart_whose_time_is_over_is_empty_and_its_version_goes_on() {
        let item = encode("u1", &cart(), NOW);
        assert_eq!(decode(&item, NOW + KEPT_MS - 1).unwrap(), cart());
        assert_eq!(decode(&item, NOW + KEPT_MS).unwrap(), Cart { version: 3, ..Cart::default() });
    }

    #[test]
    fn what_is_no_cart_is_refused() {
        assert!(decode(&Item::new(), NOW).is_err());
        let mut item = encode("u1", &cart(), NOW);
        item.insert("lines".to_owned(), s("none"));
        assert!(matches!(decode(&item, NOW), Err(DynamoError::Malformed { attribute: "lines" })));
    }
}
