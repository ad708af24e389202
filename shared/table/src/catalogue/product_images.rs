//! The pictures of a product: shown with the product's version moved on and its event, all in one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Update};

use almacen_domain::Millis;
use almacen_domain::catalogue::Product;
use almacen_domain::catalogue::image::{Problem, Shown};

use crate::catalogue::products::{KIND, decode, is_live};
use crate::keys;
use crate::outbox;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, n, natural, number, s, text};
use almacen_dynamo::calls::condition_held;
use almacen_dynamo::transaction::Transaction;
use almacen_dynamo::version::{VersionCondition, Versioned as _};

/// When each of the product's pictures was uploaded, by its key: what puts them in order.
const TIMES: &str = "image_times";
/// Why the newest upload became no picture ([`Problem::as_str`]), until one does.
const PROBLEM: &str = "image_problem";
/// When that upload was made.
const PROBLEM_AT: &str = "image_problem_at";

/// A product with what its pictures need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictured {
    /// The product.
    pub product: Product,
    /// Its pictures, newest first, as they are shown.
    pub images: Vec<Shown>,
    /// When the upload was made that became no picture, where the newest did not.
    problem_at: Option<Millis>,
    changed_at: Millis,
}

/// Why a product's newest upload became no picture: a stable name such as `NOT_AN_IMAGE`; `None` where there is nothing
/// to tell.
#[must_use]
pub fn problem(item: &Item) -> Option<String> {
    text(item, PROBLEM).ok().flatten()
}

/// The Products table as far as pictures go, with the Outbox that changes with it.
#[derive(Debug, Clone)]
pub struct ProductImages {
    client: Client,
    products: String,
    outbox: String,
}

impl ProductImages {
    /// Over these tables: Products, Outbox.
    #[must_use]
    pub fn new(client: Client, products: String, outbox: String) -> Self {
        Self { client, products, outbox }
    }

    /// A product as it is now; `None` for one that is not there or was deleted.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get(&self, id: &str) -> Result<Option<Pictured>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.products)
            .key(keys::ID, s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read product"))?;
        answer.item().filter(|item| is_live(item)).map(pictured).transpose()
    }

    /// Shows `images` instead of those of `seen`, with the event that tells of it. `after` is the product as it will be.
    /// `Ok(false)` when the product is no longer what was seen: changed, or deleted. Read it again then.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn show(
        &self,
        seen: &Pictured,
        after: &Product,
        images: &[Shown],
        event: &OutboxEvent,
    ) -> Result<bool, DynamoError> {
        let times: HashMap<String, AttributeValue> =
            images.iter().filter_map(|image| Some((image.key.clone(), n(image.uploaded_at?)))).collect();
        let newest = images.iter().filter_map(|image| image.uploaded_at).max();
        let mut expression = format!(
            "SET images = :images, {TIMES} = :times, version = :next, updated_at = :now, changed_at = :changed"
        );
        if seen.problem_at <= newest {
            expression.push_str(&format!(" REMOVE {PROBLEM}, {PROBLEM_AT}"));
        }
        let update = Update::builder()
            .table_name(&self.products)
            .key(keys::ID, s(&seen.product.id))
            .update_expression(expression)
            // A review moves `changed_at` and leaves the version; lists read in its order.
            .only_if(VersionCondition::seen("version", seen.product.version).and(
                "kind = :product AND attribute_not_exists(deleted_at) \
                 AND (attribute_not_exists(changed_at) OR changed_at < :changed)",
            ))
            .expression_attribute_values(":images", AttributeValue::L(images.iter().map(|i| s(&i.key)).collect()))
            .expression_attribute_values(":times", AttributeValue::M(times))
            .expression_attribute_values(":next", n(after.version))
            .expression_attribute_values(":now", n(after.updated_at))
            .expression_attribute_values(":changed", n(after.updated_at.max(seen.changed_at + 1)))
            .expression_attribute_values(":product", s(KIND));
        let mut transaction = Transaction::new("show pictures");
        transaction.add((), update)?;
        transaction.add((), outbox::put(&self.outbox, event, after.updated_at))?;
        Ok(transaction.commit(&self.client).await?.is_written())
    }

    /// Notes why an upload of this moment became no picture, where nothing newer is known. The product itself stays as it
    /// is, version and all. A product that was deleted meanwhile stays deleted.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn note(&self, id: &str, problem: Problem, uploaded_at: Millis) -> Result<(), DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.products)
            .key(keys::ID, s(id))
            .update_expression(format!("SET {PROBLEM} = :problem, {PROBLEM_AT} = :at"))
            .condition_expression(format!(
                "kind = :product AND attribute_not_exists(deleted_at) \
                 AND (attribute_not_exists({PROBLEM_AT}) OR {PROBLEM_AT} < :at)"
            ))
            .expression_attribute_values(":problem", s(problem.as_str()))
            .expression_attribute_values(":at", n(uploaded_at))
            .expression_attribute_values(":product", s(KIND))
            .send()
            .await;
        condition_held(result, "note problem of picture").map(drop)
    }
}

fn pictured(item: &Item) -> Result<Pictured, DynamoError> {
    let product = decode(item)?;
    let none = HashMap::new();
    let times = match item.get(TIMES) {
        Some(AttributeValue::M(times)) => times,
        _ => &none,
    };
    let shown = |key: &String| -> Result<Shown, DynamoError> {
        let uploaded_at = match times.get(key) {
            None => None,
            Some(AttributeValue::N(digits)) => {
                Some(digits.parse().map_err(|_| DynamoError::Malformed { attribute: TIMES })?)
            }
            Some(_) => return Err(DynamoError::Malformed { attribute: TIMES }),
        };
        Ok(Shown { key: key.clone(), uploaded_at })
    };
    let images = product.images.iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Pictured { images, problem_at: number(item, PROBLEM_AT)?, changed_at: natural(item, "changed_at")?, product })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::kernel::money::{Currency, Money};

    #[test]
    fn pictures_without_a_time_are_of_long_ago() {
        let product = Product {
            id: "prod_1".to_owned(),
            name: "Café".to_owned(),
            description: String::new(),
            price: Money::new(1, Currency::USD),
            category: "bebidas".to_owned(),
            sku: None,
            tags: Vec::new(),
            specifications: std::collections::BTreeMap::new(),
            images: vec!["p/prod_1/b".to_owned(), "p/prod_1/a".to_owned()],
            stock: 0,
            rating_sum: 0,
            rating_count: 0,
            version: 3,
            created_at: 1,
            updated_at: 2,
        };
        let mut item = crate::catalogue::products::encode(&product);
        item.insert(TIMES.to_owned(), AttributeValue::M([("p/prod_1/b".to_owned(), n(7))].into()));
        item.insert("changed_at".to_owned(), n(9));
        let pictured = pictured(&item).unwrap();
        let shown = |key: &str, uploaded_at| Shown { key: key.to_owned(), uploaded_at };
        assert_eq!(pictured.images, [shown("p/prod_1/b", Some(7)), shown("p/prod_1/a", None)]);
        assert_eq!((pictured.changed_at, pictured.problem_at, problem(&item)), (9, None, None));
    }
}
