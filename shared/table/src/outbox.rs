//! The Outbox: events, each written in the transaction of its change, and marked once it is published.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use almacen_domain::Millis;
use almacen_domain::kernel::event::OutboxEvent;

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{self, n, s};
use almacen_dynamo::calls::{BATCH_GET_MAX, condition_held, consistent, get_many};

/// Partitions of the index of pending events that are asked at once.
const SHARDS_AT_ONCE: usize = 8;

/// The write of an event, to be put into the transaction that makes it true.
///
/// On condition that it is not there: a transaction that is repeated fails on it, and so does nothing twice.
#[must_use]
pub fn put(table: &str, event: &OutboxEvent, now: Millis) -> PutBuilder {
    Put::builder()
        .table_name(table)
        .item(keys::ID, s(&event.id))
        .item("event", s(&event.name))
        .item("body", s(&event.body))
        .item("created_at", n(now))
        .item("pending", s(keys::pending_shard(&event.id)))
        .item("expires_at", n(now / 1000 + keys::OUTBOX_KEPT_SECONDS))
        .condition_expression("attribute_not_exists(id)")
}

/// The side of the Outbox that publishes.
#[derive(Debug, Clone)]
pub struct Outbox {
    client: Client,
    table: String,
}

/// Events that are still to be published.
#[derive(Debug, Default)]
pub struct Unpublished {
    /// Those that can be.
    pub events: Vec<OutboxEvent>,
    /// Ids of those whose record cannot be read.
    pub unreadable: Vec<String>,
}

impl Outbox {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Events that were written before `before` and are not published, oldest first, at most `limit`.
    ///
    /// Each partition of the index is asked for its oldest `limit`, so the oldest `limit` of all are among them.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn pending(&self, before: Millis, limit: usize) -> Result<Vec<String>, DynamoError> {
        let asked = keys::pending_shards().map(|shard| self.pending_in(shard, before, limit));
        let found: Vec<Vec<(Millis, String)>> =
            stream::iter(asked).buffer_unordered(SHARDS_AT_ONCE).try_collect().await?;
        Ok(oldest(found, limit))
    }

    async fn pending_in(
        &self,
        shard: String,
        before: Millis,
        limit: usize,
    ) -> Result<Vec<(Millis, String)>, DynamoError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::PENDING_INDEX)
            .key_condition_expression("pending = :shard AND created_at < :before")
            .expression_attribute_values(":shard", s(shard))
            .expression_attribute_values(":before", n(before))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(DynamoError::from_sdk("query pending events"))?;
        // One whose time cannot be read comes first, and must not hold up the others.
        let event =
            |item| Ok((attr::required_number(item, "created_at").unwrap_or(0), attr::required_text(item, keys::ID)?));
        page.items().iter().map(event).collect()
    }

    /// Those of `ids` that are still to be published, with their content. What was published or has expired is left out.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn unpublished(&self, ids: &[String]) -> Result<Unpublished, DynamoError> {
        let mut unpublished = Unpublished::default();
        for chunk in ids.chunks(BATCH_GET_MAX) {
            let wanted = chunk.iter().map(|id| [(keys::ID.to_owned(), s(id))].into()).collect();
            for item in get_many(&self.client, &self.table, "read events", wanted, consistent()).await? {
                if item.contains_key("pending") {
                    match decode(&item) {
                        Ok(event) => unpublished.events.push(event),
                        Err(_) => unpublished.unreadable.push(attr::required_text(&item, keys::ID)?),
                    }
                }
            }
        }
        Ok(unpublished)
    }

    /// Notes that an event was published. Repeating it changes nothing; an expired event stays gone.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn mark_published(&self, id: &str, now: Millis) -> Result<(), DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .update_expression("REMOVE pending SET published_at = if_not_exists(published_at, :now)")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
            .send()
            .await;
        condition_held(result, "mark event published").map(drop)
    }
}

fn decode(item: &attr::Item) -> Result<OutboxEvent, DynamoError> {
    Ok(OutboxEvent {
        id: attr::required_text(item, keys::ID)?,
        name: attr::required_text(item, "event")?,
        body: attr::required_text(item, "body")?,
    })
}

/// The ids of the oldest events of all partitions, oldest first, at most `limit`.
fn oldest(partitions: Vec<Vec<(Millis, String)>>, limit: usize) -> Vec<String> {
    let mut all: Vec<(Millis, String)> = partitions.into_iter().flatten().collect();
    all.sort_unstable();
    all.truncate(limit);
    all.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_all_partitions_come_first() {
        let event = |at: Millis, id: &str| (at, id.to_owned());
        let partitions = vec![vec![event(3, "c"), event(9, "f")], vec![], vec![event(1, "a"), event(4, "d")]];
        assert_eq!(oldest(partitions.clone(), 3), ["a", "c", "d"]);
        assert_eq!(oldest(partitions, 9), ["a", "c", "d", "f"]);
    }

    #[test]
    fn an_event_waits_in_the_partition_of_its_id() {
        let event = OutboxEvent { id: "evt_1".to_owned(), name: "Prueba".to_owned(), body: "{}".to_owned() };
        let put = put("Outbox", &event, 7).build().unwrap();
        assert!(attr::is_text(put.item(), "pending", &keys::pending_shard("evt_1")));
    }
}
