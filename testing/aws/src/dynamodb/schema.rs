//! What a table is made of.

use super::value::{Item, KeyValue, Value, item_size};
use crate::ServiceError;

/// The longest partition key, in bytes ("Constraints", developer guide).
const HASH_BYTES_MAX: usize = 2048;
/// The longest sort key.
const RANGE_BYTES_MAX: usize = 1024;
/// The largest item, names and values.
const ITEM_BYTES_MAX: usize = 400 * 1024;

/// A key attribute's name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

impl KeyAttribute {
    /// With this name and type.
    #[must_use]
    pub fn new(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned() }
    }
}

/// What an index holds beside the keys of table and index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Nothing.
    KeysOnly,
    /// These attributes.
    Include(Vec<String>),
    /// Everything.
    All,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSchema {
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub hash: KeyAttribute,
    /// Its sort key.
    pub range: Option<KeyAttribute>,
    /// What it holds.
    pub projection: Projection,
}

/// What a stream's records hold of an item (`StreamViewType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamView {
    /// Its key.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    /// By AWS's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "KEYS_ONLY" => Self::KeysOnly,
            "NEW_IMAGE" => Self::NewImage,
            "OLD_IMAGE" => Self::OldImage,
            "NEW_AND_OLD_IMAGES" => Self::NewAndOldImages,
            _ => return None,
        })
    }

    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    pub(super) fn has_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }

    pub(super) fn has_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub hash: KeyAttribute,
    /// Its sort key.
    pub range: Option<KeyAttribute>,
    /// Its indexes.
    pub indexes: Vec<IndexSchema>,
    /// Whether it has a stream.
    pub stream: Option<StreamView>,
    /// The attribute with the second after which an item may go.
    pub time_to_live: Option<String>,
}

/// Where an item is. Tables are spread by a hash of the partition key, so a scan meets partitions in no order that means
/// anything, as on AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub(super) partition: Partition,
    pub(super) sort: Option<KeyValue>,
}

/// A partition key with its hash in front.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) spread: u64,
    pub(super) value: KeyValue,
}

impl Key {
    /// Not after any key.
    pub(super) fn first() -> Self {
        Self { partition: Partition { spread: 0, value: KeyValue::S(String::new()) }, sort: None }
    }

    /// Not before any key, but for one whose hash has all bits set.
    pub(super) fn last() -> Self {
        Self { partition: Partition { spread: u64::MAX, value: KeyValue::B(vec![u8::MAX]) }, sort: None }
    }
}

impl Partition {
    pub(super) fn of(value: KeyValue) -> Self {
        Self { spread: twox_hash::XxHash3_64::oneshot(value.text().as_bytes()), value }
    }
}

impl TableSchema {
    /// The table's own key attributes.
    pub fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        [&self.hash].into_iter().chain(&self.range)
    }

    /// An index by its name.
    pub(super) fn index(&self, name: &str) -> Option<(usize, &IndexSchema)> {
        self.indexes.iter().enumerate().find(|(_, index)| index.name == name)
    }

    /// The key of an item, or of a request's `Key`, which has nothing else.
    pub(super) fn key_of(&self, item: &Item) -> Option<Key> {
        let part = |attribute: &KeyAttribute| {
            item.get(&attribute.name).filter(|value| value.kind() == attribute.kind).and_then(KeyValue::of)
        };
        let sort = match &self.range {
            Some(range) => Some(part(range)?),
            None => None,
        };
        Some(Key { partition: Partition::of(part(&self.hash)?), sort })
    }

    /// A request's `Key`.
    pub(super) fn request_key(&self, key: &Item) -> Result<Key, ServiceError> {
        let mismatch = || ServiceError::validation("The provided key element does not match the schema");
        if key.len() != self.keys().count() {
            return Err(mismatch());
        }
        let found = self.key_of(key).ok_or_else(mismatch)?;
        self.check_sizes(&found)?;
        Ok(found)
    }

    /// An index's key and the table's own, as `ExclusiveStartKey` has them.
    pub(super) fn start_key(&self, index: Option<&IndexSchema>, key: &Item) -> Result<Key, ServiceError> {
        let keys = index.into_iter().flat_map(IndexSchema::keys).chain(self.keys());
        let names: std::collections::BTreeSet<&str> = keys.map(|attribute| attribute.name.as_str()).collect();
        let invalid = || ServiceError::validation("The provided starting key is invalid");
        if !names.iter().copied().eq(key.keys().map(String::as_str)) {
            return Err(invalid());
        }
        self.key_of(key).ok_or_else(invalid)
    }

    fn check_sizes(&self, key: &Key) -> Result<(), ServiceError> {
        let parts = [(&self.hash, Some(&key.partition.value), HASH_BYTES_MAX, "hash")];
        let range = self.range.iter().map(|range| (range, key.sort.as_ref(), RANGE_BYTES_MAX, "range"));
        for (attribute, value, max, kind) in parts.into_iter().chain(range) {
            let size = value.map_or(1, KeyValue::size);
            if size == 0 {
                return Err(empty_key(attribute, ""));
            }
            if size > max {
                return Err(ServiceError::validation(format!(
                    "One or more parameter values were invalid: Aggregated size of all {kind} keys has exceeded the size \
                     limit of {max} bytes"
                )));
            }
        }
        Ok(())
    }

    /// Whether an item may be stored, and its key.
    pub(super) fn check_item(&self, item: &Item) -> Result<Key, ServiceError> {
        let invalid =
            |what: String| ServiceError::validation(format!("One or more parameter values were invalid: {what}"));
        for attribute in self.keys() {
            let Some(value) = item.get(&attribute.name) else {
                return Err(invalid(format!("Missing the key {} in the item", attribute.name)));
            };
            if value.kind() != attribute.kind {
                let (name, expected, actual) = (&attribute.name, &attribute.kind, value.kind());
                return Err(invalid(format!("Type mismatch for key {name} expected: {expected} actual: {actual}")));
            }
        }
        let key = self.key_of(item).ok_or_else(|| invalid("Missing the key".to_owned()))?;
        self.check_sizes(&key)?;
        for index in &self.indexes {
            for attribute in index.keys() {
                let Some(value) = item.get(&attribute.name) else { continue };
                if value.kind() != attribute.kind {
                    return Err(invalid(format!(
                        "Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}",
                        attribute.name,
                        attribute.kind,
                        value.kind(),
                        index.name
                    )));
                }
                if KeyValue::of(value).is_some_and(|value| value.size() == 0) {
                    return Err(empty_key(
                        attribute,
                        &format!(", IndexName: {}, IndexKey: {}", index.name, attribute.name),
                    ));
                }
            }
        }
        if item.values().any(Value::is_too_deep) {
            return Err(ServiceError::validation("Nesting Levels have exceeded supported limits"));
        }
        if item_size(item) > ITEM_BYTES_MAX {
            return Err(ServiceError::validation("Item size has exceeded the maximum allowed size"));
        }
        Ok(key)
    }
}

fn empty_key(attribute: &KeyAttribute, more: &str) -> ServiceError {
    ServiceError::validation(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string \
         value. Key: {}{more}",
        attribute.name
    ))
}

impl IndexSchema {
    /// The index's own key attributes.
    pub fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        [&self.hash].into_iter().chain(&self.range)
    }

    /// Does it hold this attribute?
    pub(super) fn holds(&self, table: &TableSchema, name: &str) -> bool {
        let is_key = || self.keys().chain(table.keys()).any(|attribute| attribute.name == name);
        match &self.projection {
            Projection::All => true,
            Projection::KeysOnly => is_key(),
            Projection::Include(names) => is_key() || names.iter().any(|included| included == name),
        }
    }
}
