//! Categories of products: few, and read all at once.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ConditionCheck;
use aws_sdk_dynamodb::types::builders::ConditionCheckBuilder;

use almacen_domain::Millis;
use almacen_domain::catalogue::Category;

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{n, required_text, s};
use almacen_dynamo::calls::condition_held;

/// Pages of the table that one answer takes at most: a page is 1 MB, some ten thousand categories.
const PAGES_MAX: usize = 2;

/// The Categories table.
#[derive(Debug, Clone)]
pub struct Categories {
    client: Client,
    table: String,
}

impl Categories {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Every category, in no order.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn all(&self) -> Result<Vec<Category>, DynamoError> {
        let mut all = Vec::new();
        let mut start = None;
        for _ in 0..PAGES_MAX {
            let request = self.client.scan().table_name(&self.table).consistent_read(true);
            let page = request
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(DynamoError::from_sdk("read categories"))?;
            for item in page.items() {
                all.push(Category { id: required_text(item, keys::ID)?, name: required_text(item, "name")? });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// Makes a category; `false` where one of its id is there. One that this very call has made counts as made: the SDK
    /// repeats a call whose answer was lost.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn create(&self, category: &Category, now: Millis) -> Result<bool, DynamoError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(keys::ID, s(&category.id))
            .item("name", s(&category.name))
            .item("created_at", n(now))
            .condition_expression("attribute_not_exists(id) OR (#name = :name AND created_at = :now)")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", s(&category.name))
            .expression_attribute_values(":now", n(now))
            .send()
            .await;
        condition_held(result, "write category")
    }
}

/// That a category is there, as a part of a transaction.
pub(crate) fn exists(table: &str, id: &str) -> ConditionCheckBuilder {
    ConditionCheck::builder().table_name(table).key(keys::ID, s(id)).condition_expression("attribute_exists(id)")
}
