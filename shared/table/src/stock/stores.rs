//! Stores: their number of lines, and the lease of the import that may write to them.
//!
//! The lease keeps imports of one store apart. An import writes its claim ([`crate::stock::claims`]), takes the lease,
//! and then reads the claims of others; so of two imports, the older one sees the claim of the newer one, or is done
//! before the newer one reads the store. The lease excludes imports only; other writers rely on the condition that
//! every write to a line has.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use almacen_domain::Millis;

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, count, is_text, n, s};
use almacen_dynamo::calls::condition_held;

/// What came of asking for a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It is ours until the time asked for.
    Held {
        /// How many lines the store has, as far as counted.
        lines: u64,
    },
    /// Another import has it.
    Busy,
}

/// The Stores table.
#[derive(Debug, Clone)]
pub struct Stores {
    client: Client,
    table: String,
}

impl Stores {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The table's name, for transactions that span tables.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Takes or prolongs the lease on `store` for `import`, never shortening it.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn acquire(&self, store: &str, import: &str, until: Millis, now: Millis) -> Result<Lease, DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .update_expression("SET lease_owner = :me, lease_until = :until")
            .condition_expression(
                "attribute_not_exists(lease_owner) OR lease_until < :now OR (lease_owner = :me AND lease_until < :until)",
            )
            .expression_attribute_values(":me", s(import))
            .expression_attribute_values(":until", n(until))
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item = match result {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let item = failed.item().cloned().unwrap_or_default();
                    // Ours already, and for longer: another part of the same import took it.
                    if !is_text(&item, "lease_owner", import) {
                        return Ok(Lease::Busy);
                    }
                    item
                }
                _ => return Err(DynamoError::from_sdk("acquire store")(error)),
            },
        };
        Ok(Lease::Held { lines: line_count(&item)? })
    }

    /// Gives the lease back early. Not holding it (any more) is no error: it would have expired.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn release(&self, store: &str, import: &str) -> Result<(), DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .update_expression("REMOVE lease_owner, lease_until")
            .condition_expression("lease_owner = :me")
            .expression_attribute_values(":me", s(import))
            .send()
            .await;
        condition_held(result, "release store").map(drop)
    }

    /// How many lines the store had when last counted; the guess that decides between reading it whole and reading the
    /// lines of a small file one by one.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn lines(&self, store: &str) -> Result<u64, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .projection_expression("#lines")
            .expression_attribute_names("#lines", "lines")
            .send()
            .await
            .map_err(DynamoError::from_sdk("read store"))?;
        answer.item().map_or(Ok(0), line_count)
    }
}

fn line_count(item: &Item) -> Result<u64, DynamoError> {
    Ok(count(item, "lines")?.unwrap_or(0))
}
