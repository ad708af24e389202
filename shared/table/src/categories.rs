//! Categories of products: few, and read all at once.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};

use almacen_domain::Millis;
use almacen_domain::catalogue::Category;

use crate::attr::{n, required_text, s};
use crate::calls::{build, made};
use crate::{TableError, keys};

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
    /// [`TableError`].
    pub async fn all(&self) -> Result<Vec<Category>, TableError> {
        let mut all = Vec::new();
        let mut start = None;
        for _ in 0..PAGES_MAX {
            let request = self.client.scan().table_name(&self.table).consistent_read(true);
            let page =
                request.set_exclusive_start_key(start).send().await.map_err(TableError::from_sdk("read categories"))?;
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

    /// Makes a category; `false` where one of its id is there.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn create(&self, category: &Category, now: Millis) -> Result<bool, TableError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(keys::ID, s(&category.id))
            .item("name", s(&category.name))
            .item("created_at", n(now))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await;
        made(result, "write category")
    }
}

/// That a category is there, as a part of a transaction.
pub(crate) fn exists(table: &str, id: &str) -> Result<TransactWriteItem, TableError> {
    let check = ConditionCheck::builder()
        .table_name(table)
        .key(keys::ID, s(id))
        .condition_expression("attribute_exists(id)")
        .build()
        .map_err(build("build check of category"))?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}
