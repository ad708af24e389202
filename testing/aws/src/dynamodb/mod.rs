//! DynamoDB: tables with indexes, streams, conditions and transactions, over its JSON protocol.
//!
//! Not here: local secondary indexes, provisioned capacity, global tables, PartiQL but for `INSERT`, the legacy parameters
//! (`Expected`, `AttributeUpdates` …). A request that has a parameter that is not known is refused.

mod batch;
mod expression;
mod read;
mod request;
pub mod schema;
pub mod stream;
mod table;
mod transaction;
pub mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::{Millis, ServiceError};
use schema::{Key, TableSchema};
use stream::StreamRecord;
use table::{Common, Table};
pub(crate) use transaction::cancelled;
use value::{Item, KeyValue};

/// A stream keeps its records for a day.
const STREAM_KEPT: Millis = 24 * 3600 * 1000;
/// Items whose time ended more than five years ago stay ("Using time to live", developer guide).
const EXPIRED_AT_MOST: i128 = 5 * 365 * 24 * 3600;

/// How far a deployment is from an ideal one. All zero and unlimited unless said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The longest an index is behind its table. Each write draws its own lag.
    pub index_lag: Millis,
    /// The longest that eventually consistent reads are behind.
    pub read_lag: Millis,
    /// Write units a second of a partition key, of tables and indexes; AWS has 1,000. `None` for no limit.
    pub partition_units: Option<u64>,
    /// How long a transaction holds its items. Other writes of them conflict with it for so long.
    pub transaction_takes: Millis,
}

/// What was asked of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Items written, changed or deleted.
    pub writes: u64,
    /// Write request units of the table: one for each started kilobyte of each item, twice in a transaction.
    pub write_units: u64,
    /// Write request units of its indexes.
    pub index_write_units: u64,
    /// Requests that read.
    pub reads: u64,
    /// Read request units: half a unit for each started four kilobytes, a whole one where consistent.
    pub read_units: f64,
    /// Requests that wrote.
    pub write_requests: u64,
}

/// All tables.
#[derive(Debug)]
pub struct DynamoDb {
    state: Mutex<State>,
}

#[derive(Debug, Clone)]
struct State {
    tables: BTreeMap<String, Table>,
    common: Common,
    /// Tokens of transactions that were carried out: what they asked for, and how long it is remembered.
    tokens: BTreeMap<String, (String, Millis)>,
    /// How many there were when they were last tidied up.
    tokens_left: usize,
}

/// One call: when it is made, and whether a batch is to be carried out in part only.
#[derive(Debug, Clone, Copy)]
struct Call {
    now: Millis,
    partly: bool,
}

fn no_such_table() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", "Requested resource not found")
}

impl State {
    fn table(&mut self, name: &str) -> Result<&mut Table, ServiceError> {
        self.tables.get_mut(name).ok_or_else(no_such_table)
    }

    /// A table together with what all share.
    fn with_common(&mut self, name: &str) -> Result<(&mut Table, &mut Common), ServiceError> {
        let table = self.tables.get_mut(name).ok_or_else(no_such_table)?;
        Ok((table, &mut self.common))
    }
}

fn answer<T: Serialize>(answer: &T) -> Result<Vec<u8>, ServiceError> {
    let broken = |error: serde_json::Error| ServiceError::with_status(500, "InternalServerError", error.to_string());
    serde_json::to_vec(answer).map_err(broken)
}

/// A copy is of its own: what happens to one does not happen to the other.
impl Clone for DynamoDb {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl DynamoDb {
    /// With these tables, all empty.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = TableSchema>, settings: Settings, seed: u64) -> Self {
        let tables = tables.into_iter().map(|schema| (schema.name.clone(), Table::new(schema))).collect();
        let common = Common { rng: fastrand::Rng::with_seed(seed), settings, sequence: 0 };
        Self { state: Mutex::new(State { tables, common, tokens: BTreeMap::new(), tokens_left: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one call.
    ///
    /// # Errors
    /// As DynamoDB refuses it.
    pub fn call(&self, operation: &str, body: &[u8], now: Millis) -> Result<Vec<u8>, ServiceError> {
        self.answer(operation, body, Call { now, partly: false })
    }

    /// Answers one call; a batch is carried out in part, every other item of it, and says so.
    ///
    /// # Errors
    /// As DynamoDB refuses it.
    pub fn call_partly(&self, operation: &str, body: &[u8], now: Millis) -> Result<Vec<u8>, ServiceError> {
        self.answer(operation, body, Call { now, partly: true })
    }

    fn answer(&self, operation: &str, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
        let mut state = self.lock();
        let state = &mut *state;
        match operation {
            "GetItem" => read::get_item(state, body, call),
            "Query" => read::query(state, body, call),
            "Scan" => read::scan(state, body, call),
            "PutItem" => write::one(state, write::Kind::Put, body, call),
            "UpdateItem" => write::one(state, write::Kind::Update, body, call),
            "DeleteItem" => write::one(state, write::Kind::Delete, body, call),
            "BatchGetItem" => batch::get(state, body, call),
            "BatchWriteItem" => batch::write(state, body, call),
            "BatchExecuteStatement" => batch::execute(state, body, call),
            "TransactWriteItems" => transaction::write(state, body, call),
            "DescribeTable" => read::describe(state, body),
            other => Err(ServiceError::unknown_operation(other)),
        }
    }

    /// Changes the settings from now on.
    pub fn set(&self, settings: Settings) {
        self.lock().common.settings = settings;
    }

    /// The names of all tables.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        self.lock().tables.keys().cloned().collect()
    }

    /// What a table is made of.
    #[must_use]
    pub fn schema(&self, table: &str) -> Option<TableSchema> {
        self.lock().tables.get(table).map(|table| (*table.schema).clone())
    }

    /// Every item of a table, ordered by its key.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Arc<Item>> {
        let state = self.lock();
        let Some(table) = state.tables.get(table) else { return Vec::new() };
        let mut all: Vec<(&KeyValue, &Option<KeyValue>, &Arc<Item>)> = table
            .partitions
            .iter()
            .flat_map(|(partition, items)| items.iter().map(|(sort, item)| (&partition.value, sort, item)))
            .collect();
        all.sort_by(|one, two| (one.0, one.1).cmp(&(two.0, two.1)));
        all.into_iter().map(|(_, _, item)| Arc::clone(item)).collect()
    }

    /// How many items a table holds.
    #[must_use]
    pub fn count(&self, table: &str) -> usize {
        self.lock().tables.get(table).map_or(0, |table| table.partitions.values().map(BTreeMap::len).sum())
    }

    /// The item under a key, as a consistent read sees it.
    #[must_use]
    pub fn item(&self, table: &str, key: &Item) -> Option<Arc<Item>> {
        let state = self.lock();
        let table = state.tables.get(table)?;
        table.get(&table.schema.key_of(key)?).cloned()
    }

    /// The items that an index shows now, in its order.
    #[must_use]
    pub fn index_items(&self, table: &str, index: &str, now: Millis) -> Vec<Arc<Item>> {
        let mut state = self.lock();
        let found = state.tables.get_mut(table).and_then(|table| {
            let (at, _) = table.schema.index(index)?;
            table.indexes.get_mut(at)
        });
        found.map_or(Vec::new(), |index| {
            index.all(now).values().flat_map(|items| items.values().map(Arc::clone)).collect()
        })
    }

    /// Stores an item as a write would, with its stream record, but without charging for it.
    ///
    /// # Errors
    /// For an item that DynamoDB would not take.
    pub fn seed(&self, table: &str, item: Item, now: Millis) -> Result<(), ServiceError> {
        let mut state = self.lock();
        let (table, common) = state.with_common(table)?;
        let key = table.schema.check_item(&item)?;
        let old = table.get(&key).cloned();
        table.set(&key, old, Some(Arc::new(item)), now, common, false);
        Ok(())
    }

    /// Empties a table and its stream without a trace.
    pub fn clear(&self, table: &str) {
        if let Ok(table) = self.lock().table(table) {
            table.clear();
        }
    }

    /// What was asked of a table since this was last called.
    #[must_use]
    pub fn take_usage(&self, table: &str) -> Usage {
        let mut state = self.lock();
        let Ok(table) = state.table(table) else { return Usage::default() };
        let mut usage = std::mem::take(&mut table.usage);
        usage.index_write_units = table.indexes.iter_mut().map(|index| std::mem::take(&mut index.units)).sum();
        usage
    }

    /// Deletes the items whose time has ended; how many. DynamoDB does so within some days, in no order.
    pub fn ttl_sweep(&self, now: Millis) -> usize {
        let mut state = self.lock();
        let State { tables, common, .. } = &mut *state;
        let mut swept = 0;
        for table in tables.values_mut() {
            let Some(attribute) = table.schema.time_to_live.clone() else { continue };
            let seconds = i128::from(now / 1000);
            let ended = |item: &Item| {
                let at =
                    item.get(&attribute).and_then(value::Value::as_number).and_then(crate::number::Number::to_i128);
                at.is_some_and(|at| at < seconds && at > seconds - EXPIRED_AT_MOST)
            };
            let items = table.partitions.values().flat_map(BTreeMap::values);
            let gone: Vec<Key> =
                items.filter(|item| ended(item)).filter_map(|item| table.schema.key_of(item)).collect();
            for key in gone {
                table.expire(&key, now, common);
                swept += 1;
            }
        }
        swept
    }

    /// Records of a table's stream behind a sequence number, oldest first, at most `max`. 0 is before the first.
    #[must_use]
    pub fn stream_records(&self, table: &str, after: u64, max: usize) -> Vec<StreamRecord> {
        let state = self.lock();
        let Some(table) = state.tables.get(table) else { return Vec::new() };
        let start = table.records.partition_point(|record| record.sequence <= after);
        table.records.range(start..).take(max).cloned().collect()
    }

    /// Forgets records that are older than a day, as streams do; how many.
    pub fn stream_trim(&self, now: Millis) -> usize {
        let mut trimmed = 0;
        for table in self.lock().tables.values_mut() {
            while table.records.front().is_some_and(|record| record.at + STREAM_KEPT < now) {
                table.records.pop_front();
                trimmed += 1;
            }
        }
        trimmed
    }
}

#[cfg(test)]
mod tests;
