//! Products' index `catalogue`: every product as lists need it, and the marks of deleted ones, in the order of their last
//! change.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Entry, ProductChange};

use crate::catalogue::products::{KIND, left_out, price};
use crate::keys;
use almacen_dynamo::attr::{Item, n, natural, number, required_natural, required_text, s, text};
use almacen_dynamo::{DynamoError, read_units};

/// The index.
#[derive(Debug)]
pub struct CatalogueIndex {
    client: Client,
    table: String,
}

/// As much of it as one call reads.
#[derive(Debug)]
pub struct Stretch {
    /// What was found, in the order that was asked for. Left out, with an error in the log, is what cannot be read.
    pub changes: Vec<ProductChange>,
    /// Where reading goes on; `None` at the end.
    pub next: Option<Start>,
    /// Read units that it took.
    pub units: f64,
}

/// A place in the index.
#[derive(Debug)]
pub struct Start(Item);

impl CatalogueIndex {
    /// Over the Products table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What has changed at this time or later, from a place on, the oldest first; as much as one call gives.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn changed(&self, since: Millis, start: Option<Start>) -> Result<Stretch, DynamoError> {
        let query = self
            .query()
            .key_condition_expression("kind = :kind AND changed_at >= :since")
            .expression_attribute_values(":since", n(since))
            .set_exclusive_start_key(start.map(|start| start.0));
        stretch(query).await
    }

    /// The last `limit` changes, the newest first.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn newest(&self, limit: i32) -> Result<Stretch, DynamoError> {
        stretch(self.query().key_condition_expression("kind = :kind").scan_index_forward(false).limit(limit)).await
    }

    fn query(&self) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).index_name(keys::CATALOGUE_INDEX);
        query.expression_attribute_values(":kind", s(KIND))
    }
}

async fn stretch(query: QueryFluentBuilder) -> Result<Stretch, DynamoError> {
    let answer = query.send().await.map_err(DynamoError::from_sdk("query the catalogue"))?;
    let readable = |item| decode(item).map_err(|error| left_out(item, &error)).ok();
    Ok(Stretch {
        changes: answer.items().iter().filter_map(readable).collect(),
        units: read_units::of_query(answer.items()),
        next: answer.last_evaluated_key.map(Start),
    })
}

fn decode(item: &Item) -> Result<ProductChange, DynamoError> {
    let entry = match number(item, "deleted_at")? {
        Some(_) => None,
        None => Some(Entry {
            words: text(item, "words")?.unwrap_or_default(),
            price_thousandths: price(item)?.thousandths(),
            category: required_text(item, "category")?,
            rating_sum: natural(item, "rating_sum")?,
            rating_count: natural(item, "rating_count")?,
            created_at: required_natural(item, "created_at")?,
        }),
    };
    Ok(ProductChange { id: required_text(item, keys::ID)?, changed_at: required_natural(item, "changed_at")?, entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_dynamo::attr::item;

    #[test]
    fn a_deleted_product_needs_no_more_than_its_mark() {
        let item = item([("id", s("prod_1")), ("changed_at", n(7)), ("deleted_at", n(7))]);
        assert_eq!(decode(&item).unwrap(), ProductChange { id: "prod_1".to_owned(), changed_at: 7, entry: None });
    }
}
