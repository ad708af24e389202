//! DynamoDB in memory: the operations, conditions and page limits that the functions rely on, without its latency.
//!
//! Not here: capacity limits, streams, TTL, nested paths, binary attributes.

use std::cmp::Ordering::Equal;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::Fault;
use super::expression::{self, Attributes, Comparison, Condition, KeyRange, Names};
use super::item::{Item, Members, key_text};

/// DynamoDB ends a page at one megabyte.
const PAGE_BYTES: usize = 1024 * 1024;

/// A secondary index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its partition key.
    pub(crate) hash: &'static str,
    /// Its sort key.
    pub(crate) range: &'static str,
    /// What it holds beside the keys.
    pub(crate) projection: Projection,
}

/// What an index holds beside the keys of table and index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Projection {
    /// Nothing.
    Keys,
    /// Everything.
    All,
    /// These attributes.
    Also(&'static [&'static str]),
}

/// A table's name and keys. `range` is empty for a table without a sort key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its partition key.
    pub(crate) hash: &'static str,
    /// Its sort key, or empty.
    pub(crate) range: &'static str,
    /// Its indexes.
    pub(crate) indexes: &'static [Index],
}

type Partition = BTreeMap<String, Item>;

#[derive(Debug)]
struct Table {
    schema: Schema,
    partitions: BTreeMap<String, Partition>,
    /// Its indexes, in the order of the schema, each made by the first query after a write.
    indexes: Vec<OnceLock<Vec<Indexed>>>,
    usage: Usage,
}

/// An item as an index holds it.
#[derive(Debug)]
struct Indexed {
    hash: String,
    place: Place,
    item: Item,
}

/// What an index is ordered by: its sort key, then the item's own key.
type Place = (f64, String, String, String);

/// What was asked of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// Items written, changed or deleted.
    pub(crate) writes: u64,
    /// Write request units: one a started kilobyte of each item, twice in a transaction.
    pub(crate) write_units: u64,
    /// Requests that read.
    pub(crate) reads: u64,
    /// Read request units: half a unit a started four kilobytes, a whole one where consistent.
    pub(crate) read_units: f64,
    /// Requests that wrote.
    pub(crate) write_requests: u64,
}

impl Table {
    fn get(&self, partition: &str, sort: &str) -> Option<&Item> {
        self.partitions.get(partition)?.get(sort)
    }

    fn key(&self, key: &RawValue) -> Result<(String, String)> {
        let members = Members::of(key.get())?;
        let wanted = 1 + usize::from(!self.schema.range.is_empty());
        if members.0.len() != wanted {
            bail!("the key does not match the schema of {}", self.schema.name);
        }
        let partition = key_text(members.get(self.schema.hash).context("no partition key")?)?;
        let sort = if self.schema.range.is_empty() {
            String::new()
        } else {
            key_text(members.get(self.schema.range).context("no sort key")?)?
        };
        Ok((partition, sort))
    }

    fn read(&self, item: &str) -> Result<(String, String, Item)> {
        Item::read(item, self.schema.hash, self.schema.range)
    }

    fn put(&mut self, partition: String, sort: String, item: Item, factor: u64) {
        self.usage.writes += 1;
        self.usage.write_units += factor * (item.size() as u64).div_ceil(1024).max(1);
        self.set(partition, sort, item);
    }

    /// Stores an item without counting it. The indexes of a table that stays as it was stay too: a case that puts its items
    /// back must not cost the next one the time to make them.
    fn set(&mut self, partition: String, sort: String, item: Item) {
        if self.get(&partition, &sort).is_none_or(|known| known.json() != item.json()) {
            self.indexes.fill_with(OnceLock::new);
        }
        self.partitions.entry(partition).or_default().insert(sort, item);
    }

    fn empty(&mut self) {
        self.indexes.fill_with(OnceLock::new);
        self.partitions = BTreeMap::new();
    }

    fn delete(&mut self, partition: &str, sort: &str, factor: u64) {
        self.usage.writes += 1;
        self.usage.write_units += factor;
        self.indexes.fill_with(OnceLock::new);
        if let Some(items) = self.partitions.get_mut(partition) {
            items.remove(sort);
            if items.is_empty() {
                self.partitions.remove(partition);
            }
        }
    }

    /// The items of one partition of an index, as far as a bound from below can tell.
    fn indexed(&self, at: usize, index: &Index, range: &KeyRange) -> Result<&[Indexed]> {
        let all = self.indexes.get(at).context("no such index")?.get_or_init(|| {
            let items = self.partitions.values().flat_map(BTreeMap::values);
            // An item without the index's keys is not in it.
            let mut all: Vec<Indexed> = items.filter_map(|item| self.projected(item, index).ok()).collect();
            all.sort_by(|a, b| a.hash.cmp(&b.hash).then_with(|| a.place.partial_cmp(&b.place).unwrap_or(Equal)));
            all
        });
        let hash = range.hash.as_ref().and_then(expression::text).context("a partition key must be of type S")?;
        let (from, to) = (
            all.partition_point(|found| found.hash.as_str() < hash),
            all.partition_point(|found| found.hash.as_str() <= hash),
        );
        let items = all.get(from..to).unwrap_or_default();
        // Those that come too early need not be looked at one by one.
        let first = match &range.rest {
            Some(rest @ Condition::Compare(_, Comparison::Greater | Comparison::GreaterOrEqual, _)) => items
                .partition_point(|found| {
                    found.item.kept_attributes().is_ok_and(|item| !rest.holds(item).unwrap_or(true))
                }),
            _ => 0,
        };
        Ok(items.get(first..).unwrap_or_default())
    }

    fn projected(&self, item: &Item, index: &Index) -> Result<Indexed> {
        let schema = self.schema;
        let mut attributes = item.attributes()?;
        let place = place(&attributes, index, schema)?;
        let keys = [index.hash, index.range, schema.hash, schema.range];
        match index.projection {
            Projection::All => {}
            Projection::Keys => attributes.retain(|name, _| keys.contains(&name.as_str())),
            Projection::Also(more) => {
                attributes.retain(|name, _| keys.contains(&name.as_str()) || more.contains(&name.as_str()));
            }
        }
        let hash = attributes.get(index.hash).and_then(expression::text).context("no partition key of the index")?;
        Ok(Indexed { hash: hash.to_owned(), place, item: Item::of(&attributes, schema.hash, schema.range)?.2 })
    }

    fn charge_read(&mut self, bytes: usize, consistent: bool) {
        let units = bytes.div_ceil(4096).max(1) as f64;
        self.usage.reads += 1;
        self.usage.read_units += if consistent { units } else { units / 2.0 };
    }
}

/// All tables.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    tables: RwLock<HashMap<String, Table>>,
    tokens: RwLock<HashSet<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Call<'a> {
    #[serde(borrow)]
    table_name: Option<&'a str>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    index_name: Option<String>,
    condition_expression: Option<String>,
    update_expression: Option<String>,
    key_condition_expression: Option<String>,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: BTreeMap<String, String>,
    expression_attribute_values: Map<String, Value>,
    consistent_read: bool,
    limit: Option<usize>,
    scan_index_forward: bool,
    exclusive_start_key: Option<BTreeMap<String, Value>>,
    select: Option<String>,
    return_values: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            table_name: None,
            key: None,
            item: None,
            index_name: None,
            condition_expression: None,
            update_expression: None,
            key_condition_expression: None,
            filter_expression: None,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: Map::new(),
            consistent_read: false,
            limit: None,
            scan_index_forward: true,
            exclusive_start_key: None,
            select: None,
            return_values: None,
            return_values_on_condition_check_failure: None,
        }
    }
}

impl<'a> Call<'a> {
    fn names(&self) -> Names {
        Names { names: self.expression_attribute_names.clone(), values: self.expression_attribute_values.clone() }
    }

    fn table(&self) -> Result<&'a str> {
        self.table_name.context("no TableName")
    }

    fn condition(&self) -> Result<Option<Condition>> {
        self.condition_expression.as_deref().map(|text| expression::condition(text, &self.names())).transpose()
    }

    fn holds(&self, held: Option<&Item>) -> Result<bool> {
        let Some(condition) = self.condition()? else { return Ok(true) };
        let attributes = held.map(Item::attributes).transpose()?.unwrap_or_default();
        condition.holds(&attributes)
    }

    fn projection(&self) -> Result<Option<Vec<String>>> {
        self.projection_expression.as_deref().map(|text| expression::projection(text, &self.names())).transpose()
    }
}

/// What one write of a transaction does.
enum Write {
    Put(String, String, Item),
    Delete(String, String),
    Check,
}

impl DynamoDb {
    /// With these tables, all empty.
    pub(crate) fn new(schemas: &[Schema]) -> Self {
        let tables = schemas
            .iter()
            .map(|schema| {
                let indexes = schema.indexes.iter().map(|_| OnceLock::new()).collect();
                let table = Table { schema: *schema, partitions: BTreeMap::new(), indexes, usage: Usage::default() };
                (schema.name.to_owned(), table)
            })
            .collect();
        Self { tables: RwLock::new(tables), tokens: RwLock::default() }
    }

    fn reading(&self) -> RwLockReadGuard<'_, HashMap<String, Table>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, HashMap<String, Table>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties all tables and forgets what was asked of them.
    pub(crate) fn clear(&self) {
        for table in self.writing().values_mut() {
            table.empty();
            table.usage = Usage::default();
        }
    }

    /// What was asked of a table since it was last asked here.
    pub(crate) fn take_usage(&self, table: &str) -> Usage {
        self.writing().get_mut(table).map(|table| std::mem::take(&mut table.usage)).unwrap_or_default()
    }

    /// How many items a table holds.
    pub(crate) fn count(&self, table: &str) -> usize {
        self.reading().get(table).map_or(0, |table| table.partitions.values().map(BTreeMap::len).sum())
    }

    /// Every item of a table.
    pub(crate) fn items(&self, table: &str) -> Result<Vec<Attributes>> {
        let tables = self.reading();
        let table = tables.get(table).context("no such table")?;
        table.partitions.values().flat_map(BTreeMap::values).map(Item::attributes).collect()
    }

    /// Stores an item without counting it.
    pub(crate) fn seed(&self, table: &str, item: &Value) -> Result<()> {
        let mut tables = self.writing();
        let table = tables.get_mut(table).with_context(|| format!("no table {table}"))?;
        let (partition, sort, item) = table.read(&item.to_string())?;
        table.set(partition, sort, item);
        Ok(())
    }

    /// Empties one table without counting it.
    pub(crate) fn empty(&self, table: &str) {
        if let Some(table) = self.writing().get_mut(table) {
            table.empty();
        }
    }

    /// Answers one call.
    pub(crate) fn call(&self, operation: &str, body: &[u8]) -> Result<String, Fault> {
        let body = std::str::from_utf8(body).map_err(|_| Fault::validation("not UTF-8"))?;
        let read = || serde_json::from_str::<Call<'_>>(body).context("malformed request");
        Ok(match operation {
            "GetItem" => self.get_item(&read()?)?,
            "PutItem" | "DeleteItem" | "UpdateItem" => self.write_item(operation, &read()?)?,
            "Query" => self.query(&read()?)?,
            "Scan" => self.scan(&read()?)?,
            "BatchWriteItem" => self.batch_write(body)?,
            "BatchExecuteStatement" => self.batch_insert(body)?,
            "BatchGetItem" => self.batch_get(body)?,
            "TransactWriteItems" => self.transact_write(body)?,
            other => return Err(Fault::unknown(other)),
        })
    }

    fn get_item(&self, call: &Call<'_>) -> Result<String, Fault> {
        let mut tables = self.writing();
        let table = tables.get_mut(call.table()?).context("no such table")?;
        let (partition, sort) = table.key(call.key.context("no Key")?)?;
        let size = table.get(&partition, &sort).map_or(0, Item::size);
        table.charge_read(size, call.consistent_read);
        let Some(item) = table.get(&partition, &sort) else { return Ok("{}".to_owned()) };
        let mut out = String::from("{\"Item\":");
        match call.projection()? {
            Some(names) => item.project(&names, &mut out)?,
            None => out.push_str(item.json()),
        }
        out.push('}');
        Ok(out)
    }

    fn prepare(table: &Table, kind: &str, call: &Call<'_>) -> Result<(Write, bool, Option<Item>)> {
        let schema = table.schema;
        match kind {
            "Put" => {
                let (partition, sort, item) = table.read(call.item.context("no Item")?.get())?;
                let held = table.get(&partition, &sort).cloned();
                let holds = call.holds(held.as_ref())?;
                Ok((Write::Put(partition, sort, item), holds, held))
            }
            "Update" => {
                let key = call.key.context("no Key")?;
                let (partition, sort) = table.key(key)?;
                let held = table.get(&partition, &sort).cloned();
                if !call.holds(held.as_ref())? {
                    return Ok((Write::Check, false, held));
                }
                let mut attributes = match &held {
                    Some(item) => item.attributes()?,
                    None => serde_json::from_str(key.get())?,
                };
                if let Some(text) = &call.update_expression {
                    expression::apply(&expression::update(text, &call.names())?, &mut attributes)?;
                }
                let (partition, sort, item) = Item::of(&attributes, schema.hash, schema.range)?;
                Ok((Write::Put(partition, sort, item), true, held))
            }
            "Delete" | "ConditionCheck" => {
                let (partition, sort) = table.key(call.key.context("no Key")?)?;
                let held = table.get(&partition, &sort).cloned();
                let holds = call.holds(held.as_ref())?;
                let write = if kind == "Delete" { Write::Delete(partition, sort) } else { Write::Check };
                Ok((write, holds, held))
            }
            other => bail!("no such write: {other}"),
        }
    }

    fn write_item(&self, operation: &str, call: &Call<'_>) -> Result<String, Fault> {
        let mut tables = self.writing();
        let table = tables.get_mut(call.table()?).context("no such table")?;
        table.usage.write_requests += 1;
        let (write, holds, held) = Self::prepare(table, operation.trim_end_matches("Item"), call)?;
        if !holds {
            let old =
                if call.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD") { held } else { None };
            return Err(Fault::ConditionFailed(old.map(|item| item.json().to_owned())));
        }
        let old = held.as_ref().map(Item::json).unwrap_or("{}").to_owned();
        let mut new = String::from("{}");
        match write {
            Write::Put(partition, sort, item) => {
                new = item.json().to_owned();
                table.put(partition, sort, item, 1);
            }
            Write::Delete(partition, sort) => table.delete(&partition, &sort, 1),
            Write::Check => {}
        }
        Ok(match call.return_values.as_deref() {
            Some("ALL_OLD") if held.is_none() => "{}".to_owned(),
            Some("ALL_OLD") => format!("{{\"Attributes\":{old}}}"),
            Some("ALL_NEW") => format!("{{\"Attributes\":{new}}}"),
            Some(which @ ("UPDATED_NEW" | "UPDATED_OLD")) => {
                let text = call.update_expression.as_deref().unwrap_or("");
                let touched = expression::update(text, &call.names())?.attributes();
                let whole = if which == "UPDATED_NEW" { &new } else { &old };
                let mut attributes: Attributes = serde_json::from_str(whole).context("stored item")?;
                attributes.retain(|name, _| touched.contains(name));
                json!({ "Attributes": attributes }).to_string()
            }
            _ => "{}".to_owned(),
        })
    }

    fn batch_write(&self, body: &str) -> Result<String, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Batch<'a> {
            #[serde(borrow)]
            request_items: Members<'a>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<'a> {
            #[serde(borrow)]
            put_request: Option<PutRequest<'a>>,
            #[serde(borrow)]
            delete_request: Option<DeleteRequest<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct PutRequest<'a> {
            #[serde(borrow)]
            item: &'a RawValue,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct DeleteRequest<'a> {
            #[serde(borrow)]
            key: &'a RawValue,
        }
        let batch: Batch<'_> = serde_json::from_str(body).context("malformed request")?;
        let mut total = 0;
        for (name, entries) in &batch.request_items.0 {
            let entries: Vec<Entry<'_>> = serde_json::from_str(entries.get()).context("malformed request")?;
            total += entries.len();
            // Reading is done before the lock is taken, so that connections hinder each other little.
            let schema = self.reading().get(name.as_ref()).context("no such table")?.schema;
            let mut writes = Vec::with_capacity(entries.len());
            let mut keys = HashSet::with_capacity(entries.len());
            for entry in &entries {
                let write = match (&entry.put_request, &entry.delete_request) {
                    (Some(put), None) => {
                        let (partition, sort, item) = Item::read(put.item.get(), schema.hash, schema.range)?;
                        Write::Put(partition, sort, item)
                    }
                    (None, Some(delete)) => {
                        let (partition, sort) =
                            self.reading().get(name.as_ref()).context("no such table")?.key(delete.key)?;
                        Write::Delete(partition, sort)
                    }
                    _ => return Err(Fault::validation("neither put nor delete")),
                };
                if let Write::Put(partition, sort, _) | Write::Delete(partition, sort) = &write
                    && !keys.insert((partition.clone(), sort.clone()))
                {
                    return Err(Fault::validation("Provided list of item keys contains duplicates"));
                }
                writes.push(write);
            }
            let mut tables = self.writing();
            let table = tables.get_mut(name.as_ref()).context("no such table")?;
            table.usage.write_requests += 1;
            for write in writes {
                match write {
                    Write::Put(partition, sort, item) => table.put(partition, sort, item, 1),
                    Write::Delete(partition, sort) => table.delete(&partition, &sort, 1),
                    Write::Check => {}
                }
            }
        }
        if total == 0 || total > 25 {
            return Err(Fault::validation("between 1 and 25 items in a batch"));
        }
        Ok("{\"UnprocessedItems\":{}}".to_owned())
    }

    /// Statements of the one kind that is used: `INSERT INTO "table" VALUE {'name': ?, …}`.
    /// Items are put together as text, as [`Self::batch_write`] takes them, so that inserts cost the stand-in what puts do.
    fn batch_insert(&self, body: &str) -> Result<String, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Batch<'a> {
            #[serde(borrow)]
            statements: Vec<Insert<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Insert<'a> {
            statement: String,
            #[serde(borrow)]
            parameters: Vec<&'a RawValue>,
        }
        let batch: Batch<'_> = serde_json::from_str(body).context("malformed request")?;
        if batch.statements.is_empty() || batch.statements.len() > 25 {
            return Err(Fault::validation("between 1 and 25 statements in a batch"));
        }
        let mut out = String::from("{\"Responses\":[");
        let mut tables = self.writing();
        let mut json = String::new();
        for (at, insert) in batch.statements.iter().enumerate() {
            let text = insert.statement.strip_prefix("INSERT INTO \"").context("no INSERT")?;
            let (name, names) = text.split_once("\" VALUE {").context("no VALUE")?;
            json.clear();
            json.push('{');
            let mut count = 0;
            for (name, value) in names.split('\'').skip(1).step_by(2).zip(&insert.parameters) {
                let comma = if count == 0 { "" } else { "," };
                let _ = write!(json, "{comma}\"{name}\":{}", value.get());
                count += 1;
            }
            json.push('}');
            if names.matches(": ?").count() != insert.parameters.len() || count != insert.parameters.len() {
                return Err(Fault::validation("not a parameter for each attribute"));
            }
            let table = tables.get_mut(name).context("no such table")?;
            let (partition, sort, item) = table.read(&json)?;
            let comma = if at == 0 { "" } else { "," };
            let error = if table.get(&partition, &sort).is_some() {
                "\"Error\":{\"Code\":\"DuplicateItem\",\"Message\":\"it exists\"},"
            } else {
                table.put(partition, sort, item, 1);
                ""
            };
            let _ = write!(out, "{comma}{{{error}\"TableName\":\"{name}\"}}");
        }
        out.push_str("]}");
        Ok(out)
    }

    fn batch_get(&self, body: &str) -> Result<String, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Batch<'a> {
            #[serde(borrow)]
            request_items: Members<'a>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[derive(Default)]
        struct Wanted<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
            consistent_read: bool,
            projection_expression: Option<String>,
            expression_attribute_names: BTreeMap<String, String>,
        }
        let batch: Batch<'_> = serde_json::from_str(body).context("malformed request")?;
        let mut out = String::from("{\"Responses\":{");
        let mut tables = self.writing();
        for (at, (name, wanted)) in batch.request_items.0.iter().enumerate() {
            let wanted: Wanted<'_> = serde_json::from_str(wanted.get()).context("malformed request")?;
            if wanted.keys.len() > 100 {
                return Err(Fault::validation("more than 100 keys"));
            }
            let names = Names { names: wanted.expression_attribute_names, values: Map::new() };
            let projection =
                wanted.projection_expression.map(|text| expression::projection(&text, &names)).transpose()?;
            let table = tables.get_mut(name.as_ref()).context("no such table")?;
            let comma = if at > 0 { "," } else { "" };
            out.push_str(comma);
            out.push_str(&json!(name).to_string());
            out.push_str(":[");
            let mut first = true;
            for key in wanted.keys {
                let (partition, sort) = table.key(key)?;
                let size = table.get(&partition, &sort).map_or(0, Item::size);
                table.charge_read(size, wanted.consistent_read);
                table.usage.reads -= 1;
                let Some(item) = table.get(&partition, &sort) else { continue };
                if !first {
                    out.push(',');
                }
                first = false;
                match &projection {
                    Some(names) => item.project(names, &mut out)?,
                    None => out.push_str(item.json()),
                }
            }
            table.usage.reads += 1;
            out.push(']');
        }
        out.push_str("},\"UnprocessedKeys\":{}}");
        Ok(out)
    }

    fn transact_write(&self, body: &str) -> Result<String, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Transaction<'a> {
            #[serde(borrow)]
            transact_items: Vec<BTreeMap<&'a str, Call<'a>>>,
            client_request_token: Option<String>,
        }
        let transaction: Transaction<'_> = serde_json::from_str(body).context("malformed request")?;
        if transaction.transact_items.is_empty() || transaction.transact_items.len() > 100 {
            return Err(Fault::validation("between 1 and 100 items in a transaction"));
        }
        let mut tables = self.writing();
        if let Some(token) = &transaction.client_request_token
            && self.tokens.read().unwrap_or_else(PoisonError::into_inner).contains(token)
        {
            return Ok("{}".to_owned());
        }
        let mut writes = Vec::with_capacity(transaction.transact_items.len());
        let mut reasons = Vec::with_capacity(transaction.transact_items.len());
        let mut failed = false;
        for entry in &transaction.transact_items {
            let (kind, call) = entry.iter().next().context("empty transaction item")?;
            let name = call.table()?;
            let table = tables.get(name).context("no such table")?;
            let (write, holds, held) = Self::prepare(table, kind, call)?;
            let mut reason = String::from(if holds {
                "{\"Code\":\"None\""
            } else {
                "{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The conditional request failed\""
            });
            if !holds
                && call.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD")
                && let Some(held) = held
            {
                reason.push_str(",\"Item\":");
                reason.push_str(held.json());
            }
            reason.push('}');
            failed |= !holds;
            reasons.push(reason);
            writes.push((name, write));
        }
        if failed {
            return Err(Fault::Cancelled(reasons));
        }
        for (name, write) in writes {
            let table = tables.get_mut(name).context("no such table")?;
            match write {
                Write::Put(partition, sort, item) => table.put(partition, sort, item, 2),
                Write::Delete(partition, sort) => table.delete(&partition, &sort, 2),
                Write::Check => {}
            }
        }
        if let Some(token) = transaction.client_request_token {
            self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(token);
        }
        Ok("{}".to_owned())
    }

    fn query(&self, call: &Call<'_>) -> Result<String, Fault> {
        let text = call.key_condition_expression.as_deref().context("no KeyConditionExpression")?;
        let condition = expression::condition(text, &call.names())?;
        let name = call.table()?;
        let tables = self.reading();
        let table = tables.get(name).context("no such table")?;
        let schema = table.schema;
        let mut page = Page::new(call, schema)?;
        if let Some(index) = &call.index_name {
            let at = schema.indexes.iter().position(|known| known.name == index).context("no such index")?;
            let index = schema.indexes.get(at).context("no such index")?;
            page.index = Some(*index);
            let range = KeyRange::of(condition, index.hash)?;
            let mut items = table.indexed(at, index, &range)?.iter();
            let start = call.exclusive_start_key.as_ref().map(|start| place(start, index, schema)).transpose()?;
            while let Some(found) = if call.scan_index_forward { items.next() } else { items.next_back() } {
                let behind = start.as_ref().is_some_and(|start| {
                    if call.scan_index_forward { found.place <= *start } else { found.place >= *start }
                });
                let wanted = || range.rest.as_ref().map_or(Ok(true), |rest| rest.holds(found.item.kept_attributes()?));
                if !behind && wanted()? && !page.take(&found.item)? {
                    break;
                }
            }
        } else {
            let range = KeyRange::of(condition, schema.hash)?;
            let hash = range.hash.as_ref().and_then(expression::text).context("a partition key must be of type S")?;
            if let Some(partition) = table.partitions.get(hash) {
                let mut low = range.low.clone().map_or(Bound::Unbounded, Bound::Included);
                let mut high = range.high.clone().map_or(Bound::Unbounded, Bound::Included);
                if let Some(start) = &call.exclusive_start_key {
                    let start = start.get(schema.range).and_then(expression::text).context("bad ExclusiveStartKey")?;
                    if call.scan_index_forward {
                        low = Bound::Excluded(start.to_owned());
                    } else {
                        high = Bound::Excluded(start.to_owned());
                    }
                }
                if !is_empty(&low, &high) {
                    let mut items = partition.range((low, high));
                    while let Some((_, item)) = if call.scan_index_forward { items.next() } else { items.next_back() } {
                        if let Some(rest) = &range.rest
                            && is_open(rest)
                            && !rest.holds(&item.attributes()?)?
                        {
                            continue;
                        }
                        if !page.take(item)? {
                            break;
                        }
                    }
                }
            }
        }
        let (answer, bytes) = page.finish()?;
        drop(tables);
        self.charge(name, bytes, call.consistent_read);
        Ok(answer)
    }

    fn scan(&self, call: &Call<'_>) -> Result<String, Fault> {
        let name = call.table()?;
        let tables = self.reading();
        let table = tables.get(name).context("no such table")?;
        let schema = table.schema;
        let mut page = Page::new(call, schema)?;
        let start = match &call.exclusive_start_key {
            None => None,
            Some(key) => {
                let part = |name: &str| key.get(name).and_then(expression::text).map(str::to_owned);
                let hash = part(schema.hash).context("bad ExclusiveStartKey")?;
                Some((hash, part(schema.range).unwrap_or_default()))
            }
        };
        let from = start.as_ref().map_or(Bound::Unbounded, |(hash, _)| Bound::Included(hash.clone()));
        'all: for (hash, partition) in table.partitions.range((from, Bound::Unbounded)) {
            let after = match &start {
                Some((start, sort)) if start == hash => Bound::Excluded(sort.clone()),
                _ => Bound::Unbounded,
            };
            for item in partition.range((after, Bound::Unbounded)).map(|(_, item)| item) {
                if !page.take(item)? {
                    break 'all;
                }
            }
        }
        let (answer, bytes) = page.finish()?;
        drop(tables);
        self.charge(name, bytes, call.consistent_read);
        Ok(answer)
    }

    fn charge(&self, table: &str, bytes: usize, consistent: bool) {
        if let Some(table) = self.writing().get_mut(table) {
            table.charge_read(bytes, consistent);
        }
    }
}

/// Do the bounds on the sort key say less than the condition?
fn is_open(condition: &Condition) -> bool {
    match condition {
        Condition::Between(..) | Condition::BeginsWith(..) => false,
        Condition::Compare(_, comparison, _) => {
            matches!(comparison, Comparison::Less | Comparison::Greater)
        }
        Condition::And(..)
        | Condition::Or(..)
        | Condition::Not(..)
        | Condition::In(..)
        | Condition::Exists(..)
        | Condition::NotExists(..)
        | Condition::Contains(..) => true,
    }
}

fn is_empty(low: &Bound<String>, high: &Bound<String>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high))
        | (Bound::Excluded(low), Bound::Included(high)) => low >= high,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

/// Where an item stands in an index.
fn place(attributes: &Attributes, index: &Index, schema: Schema) -> Result<Place> {
    let part = |name: &str| attributes.get(name).and_then(expression::text).unwrap_or("").to_owned();
    let sort = attributes.get(index.range).context("no sort key of the index")?;
    Ok((expression::number(sort).unwrap_or(0.0), part(index.range), part(schema.hash), part(schema.range)))
}

/// A page of an answer while it is filled.
struct Page {
    schema: Schema,
    index: Option<Index>,
    limit: usize,
    filter: Option<Condition>,
    projection: Option<Vec<String>>,
    count_only: bool,
    out: String,
    count: usize,
    scanned: usize,
    bytes: usize,
    last: Option<String>,
    more: bool,
}

impl Page {
    fn new(call: &Call<'_>, schema: Schema) -> Result<Self> {
        let filter =
            call.filter_expression.as_deref().map(|text| expression::condition(text, &call.names())).transpose()?;
        Ok(Self {
            schema,
            index: None,
            limit: call.limit.unwrap_or(usize::MAX),
            filter,
            projection: call.projection()?,
            count_only: call.select.as_deref() == Some("COUNT"),
            out: String::from("{\"Items\":["),
            count: 0,
            scanned: 0,
            bytes: 0,
            last: None,
            more: false,
        })
    }

    /// Takes an item; `false` when the page is full.
    fn take(&mut self, item: &Item) -> Result<bool> {
        self.scanned += 1;
        self.bytes += item.size();
        let wanted = match &self.filter {
            Some(filter) => filter.holds(&item.attributes()?)?,
            None => true,
        };
        if wanted {
            if !self.count_only {
                if self.count > 0 {
                    self.out.push(',');
                }
                match &self.projection {
                    Some(names) => item.project(names, &mut self.out)?,
                    None => self.out.push_str(item.json()),
                }
            }
            self.count += 1;
        }
        if self.scanned >= self.limit || self.bytes >= PAGE_BYTES {
            let mut names = vec![self.schema.hash.to_owned()];
            if !self.schema.range.is_empty() {
                names.push(self.schema.range.to_owned());
            }
            if let Some(index) = self.index {
                names.extend([index.hash.to_owned(), index.range.to_owned()]);
            }
            let mut key = String::new();
            item.project(&names, &mut key)?;
            self.last = Some(key);
            self.more = true;
        }
        Ok(!self.more)
    }

    fn finish(mut self) -> Result<(String, usize)> {
        if self.count_only {
            self.out = String::from("{");
        } else {
            self.out.push_str("],");
        }
        write!(self.out, "\"Count\":{},\"ScannedCount\":{}", self.count, self.scanned)?;
        if let Some(last) = self.last {
            write!(self.out, ",\"LastEvaluatedKey\":{last}")?;
        }
        self.out.push('}');
        Ok((self.out, self.bytes))
    }
}
