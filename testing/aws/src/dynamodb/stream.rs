//! A table's stream: what changed, in order
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::schema::{StreamView, TableSchema};
use super::value::{Item, item_size};
use crate::Millis;

/// A change of an item.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) old: Option<Arc<Item>>,
    pub(super) new: Option<Arc<Item>>,
    /// Did DynamoDB make it because the item had expired?
    pub(super) by_service: bool,
}

/// A record of a table's stream. Its images are those that the stream's view type lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// Its order among all records of all tables.
    pub sequence: u64,
    /// When the change was made.
    pub at: Millis,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event: &'static str,
    /// The item's key.
    pub keys: Item,
    /// The item after the change.
    pub new: Option<Arc<Item>>,
    /// The item before the change.
    pub old: Option<Arc<Item>>,
    /// Was it deleted because it had expired?
    pub expired: bool,
    view: StreamView,
    size: usize,
}

impl StreamRecord {
    pub(super) fn new(table: &TableSchema, view: StreamView, sequence: u64, at: Millis, change: Change) -> Self {
        let Change { old, new, by_service } = change;
        let event = match (&old, &new) {
            (None, _) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
        };
        let names: Vec<&str> = table.keys().map(|key| key.name.as_str()).collect();
        let item = new.as_deref().or(old.as_deref());
        let keys: Item = item
            .into_iter()
            .flatten()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let (new, old) = (new.filter(|_| view.has_new()), old.filter(|_| view.has_old()));
        let bytes = |image: &Option<Arc<Item>>| image.as_deref().map_or(0, item_size);
        let size = item_size(&keys) + bytes(&new) + bytes(&old);
        Self { sequence, at, event, keys, new, old, expired: by_service, view, size }
    }

    /// As Lambda hands it to a function ("Using Lambda with DynamoDB", example event).
    #[must_use]
    pub fn event(&self, region: &str, stream_arn: &str) -> Value {
        let mut data = Map::new();
        // Seconds; the parts of a second are cut off.
        data.insert("ApproximateCreationDateTime".to_owned(), json!(self.at / 1000));
        data.insert("Keys".to_owned(), json!(self.keys));
        if let Some(new) = &self.new {
            data.insert("NewImage".to_owned(), json!(**new));
        }
        if let Some(old) = &self.old {
            data.insert("OldImage".to_owned(), json!(**old));
        }
        data.insert("SequenceNumber".to_owned(), json!(self.sequence_number()));
        data.insert("SizeBytes".to_owned(), json!(self.size));
        data.insert("StreamViewType".to_owned(), json!(self.view.name()));
        let mut record = json!({
            "eventID": format!("{:032x}", self.sequence),
            "eventName": self.event,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": region,
            "dynamodb": data,
            "eventSourceARN": stream_arn,
        });
        if self.expired
            && let Some(record) = record.as_object_mut()
        {
            let who = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
            record.insert("userIdentity".to_owned(), who);
        }
        record
    }

    /// The sequence number as AWS writes it: digits only, longer than 64 bits hold.
    #[must_use]
    pub fn sequence_number(&self) -> String {
        format!("1{:020}", self.sequence)
    }
}
