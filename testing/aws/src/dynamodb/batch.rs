//! BatchGetItem, BatchWriteItem, and BatchExecuteStatement with inserts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::expression::Names;
use super::expression::path;
use super::request::{check_capacity, invalid, read};
use super::value::{Item, Value, item_size};
use super::write::{REFUSED, conflict, throttled};
use super::{Call, State, answer};
use crate::ServiceError;

/// The most writes of a BatchWriteItem, and statements of a BatchExecuteStatement.
const WRITES_MAX: usize = 25;
/// The most keys of a BatchGetItem.
const KEYS_MAX: usize = 100;
/// The most that a BatchGetItem answers with.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Is the entry at this position left undone?
fn left_out(call: Call, position: usize) -> bool {
    call.partly && position % 2 == 1
}

fn twice() -> ServiceError {
    ServiceError::validation("Provided list of item keys contains duplicates")
}

fn too_many(what: &str) -> ServiceError {
    ServiceError::validation(format!("Too many or no items requested for the {what} call"))
}

pub(super) fn get(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Batch {
        request_items: BTreeMap<String, Wanted>,
        return_consumed_capacity: Option<String>,
    }
    #[derive(Clone, Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Wanted {
        keys: Vec<Item>,
        #[serde(default)]
        consistent_read: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        projection_expression: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        expression_attribute_names: BTreeMap<String, String>,
    }
    let batch: Batch = read(body)?;
    check_capacity(batch.return_consumed_capacity.as_deref())?;
    let count: usize = batch.request_items.values().map(|wanted| wanted.keys.len()).sum();
    if count == 0 || count > KEYS_MAX {
        return Err(too_many("BatchGetItem"));
    }
    let (mut responses, mut unprocessed) = (BTreeMap::new(), BTreeMap::new());
    let (mut bytes, mut position) = (0, 0);
    for (name, wanted) in batch.request_items {
        let values = BTreeMap::new();
        let names = Names::new(&wanted.expression_attribute_names, &values);
        let projection = wanted.projection_expression.as_deref().map(|text| names.projection(text)).transpose();
        let projection = projection.map_err(invalid)?;
        names.check_used().map_err(invalid)?;
        let table = state.table(&name)?;
        table.usage.reads += 1;
        let (mut seen, mut found, mut left) = (BTreeSet::new(), Vec::new(), Vec::new());
        for item in &wanted.keys {
            let key = table.schema.request_key(item)?;
            if !seen.insert(key.clone()) {
                return Err(twice());
            }
            position += 1;
            let held = if wanted.consistent_read { table.get(&key) } else { table.seen(&key, call.now) }.cloned();
            let size = held.as_deref().map_or(0, item_size);
            if left_out(call, position - 1) || bytes + size > BYTES_MAX {
                left.push(item.clone());
                continue;
            }
            bytes += size;
            table.charge_read(size, wanted.consistent_read);
            found.extend(held.map(|held| match &projection {
                Some(paths) => Arc::new(path::project(&held, paths)),
                None => held,
            }));
        }
        // "DynamoDB does not return items in any particular order."
        let shown: Vec<Json> = found.iter().rev().map(|item| json!(**item)).collect();
        responses.insert(name.clone(), shown);
        if !left.is_empty() {
            unprocessed.insert(name, Wanted { keys: left, ..wanted.clone() });
        }
    }
    answer(&json!({"Responses": responses, "UnprocessedKeys": unprocessed}))
}

pub(super) fn write(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Batch {
        request_items: BTreeMap<String, Vec<Entry>>,
        return_consumed_capacity: Option<String>,
    }
    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase")]
    enum Entry {
        PutRequest {
            #[serde(rename = "Item")]
            item: Item,
        },
        DeleteRequest {
            #[serde(rename = "Key")]
            key: Item,
        },
    }
    let batch: Batch = read(body)?;
    check_capacity(batch.return_consumed_capacity.as_deref())?;
    let count: usize = batch.request_items.values().map(Vec::len).sum();
    if count == 0 || count > WRITES_MAX {
        return Err(too_many("BatchWriteItem"));
    }
    // Everything is checked before anything is written.
    let mut writes = Vec::new();
    for (name, entries) in batch.request_items {
        let table = state.table(&name)?;
        let mut seen = BTreeSet::new();
        for entry in entries {
            let key = match &entry {
                Entry::PutRequest { item } => table.schema.check_item(item)?,
                Entry::DeleteRequest { key } => table.schema.request_key(key)?,
            };
            if !seen.insert(key.clone()) {
                return Err(twice());
            }
            writes.push((name.clone(), key, entry));
        }
    }
    let mut unprocessed: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut requested = BTreeSet::new();
    for (position, (name, key, entry)) in writes.into_iter().enumerate() {
        let (table, common) = state.with_common(&name)?;
        if requested.insert(name.clone()) {
            table.usage.write_requests += 1;
        }
        let new = match &entry {
            Entry::PutRequest { item } => Some(Arc::new(item.clone())),
            Entry::DeleteRequest { .. } => None,
        };
        let limit = common.settings.partition_units;
        if left_out(call, position)
            || table.is_held(&key, call.now)
            || !table.admits(&key, new.as_ref(), 1, call.now, limit)
        {
            unprocessed.entry(name).or_default().push(entry);
            continue;
        }
        table.write(&key, new, call.now, 1, common);
    }
    let left: usize = unprocessed.values().map(Vec::len).sum();
    if left == count && !call.partly {
        return Err(throttled());
    }
    answer(&json!({"UnprocessedItems": unprocessed}))
}

/// Statements of the one kind that is used: `INSERT INTO "table" VALUE {'name': ?, …}`.
pub(super) fn execute(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Batch {
        statements: Vec<Statement>,
        return_consumed_capacity: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Statement {
        statement: String,
        #[serde(default)]
        parameters: Vec<Value>,
        #[serde(default)]
        return_values_on_condition_check_failure: Option<String>,
    }
    let batch: Batch = read(body)?;
    check_capacity(batch.return_consumed_capacity.as_deref())?;
    if batch.statements.is_empty() || batch.statements.len() > WRITES_MAX {
        return Err(too_many("BatchExecuteStatement"));
    }
    let mut responses = Vec::with_capacity(batch.statements.len());
    let mut requested = BTreeSet::new();
    for (position, statement) in batch.statements.into_iter().enumerate() {
        let wants_refused = statement.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD");
        let (name, item) = insert(&statement.statement, statement.parameters)?;
        let failed =
            |code: &str, message: &str| json!({"Error": {"Code": code, "Message": message}, "TableName": name});
        let Ok((table, common)) = state.with_common(&name) else {
            responses.push(failed("ResourceNotFound", "Requested resource not found"));
            continue;
        };
        if requested.insert(name.clone()) {
            table.usage.write_requests += 1;
        }
        let key = match table.schema.check_item(&item) {
            Ok(key) => key,
            Err(error) => {
                responses.push(failed("ValidationError", &error.message));
                continue;
            }
        };
        if left_out(call, position) {
            responses.push(failed("ThrottlingError", &throttled().message));
            continue;
        }
        if table.is_held(&key, call.now) {
            responses.push(failed("TransactionConflict", &conflict().message));
            continue;
        }
        if let Some(held) = table.get(&key).cloned() {
            table.charge_refused(Some(&held), 1);
            let mut told = failed("DuplicateItem", "Duplicate primary key exists in table");
            if wants_refused && let Some(error) = told.get_mut("Error").and_then(Json::as_object_mut) {
                error.insert("Item".to_owned(), json!(*held));
            }
            responses.push(told);
            continue;
        }
        let new = Arc::new(item);
        let limit = common.settings.partition_units;
        if !table.admits(&key, Some(&new), 1, call.now, limit) {
            responses.push(failed("ThrottlingError", &throttled().message));
            continue;
        }
        table.write(&key, Some(new), call.now, 1, common);
        responses.push(json!({"TableName": name}));
    }
    answer(&json!({"Responses": responses}))
}

/// The table and the item of an insert.
fn insert(statement: &str, parameters: Vec<Value>) -> Result<(String, Item), ServiceError> {
    let wrong = || ServiceError::validation(format!("Statement wasn't well formed, can't be processed: {statement}"));
    let rest = strip_word(statement, "INSERT").and_then(|rest| strip_word(rest, "INTO")).ok_or_else(wrong)?;
    let (table, rest) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).ok_or_else(wrong)?;
    let rest = strip_word(rest, "VALUE").ok_or_else(wrong)?;
    let mut rest = rest.strip_prefix('{').ok_or_else(wrong)?.trim_start();
    let mut parameters = parameters.into_iter();
    let mut item = Item::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).ok_or_else(wrong)?;
        let after = after.trim_start().strip_prefix(':').ok_or_else(wrong)?.trim_start();
        let value = if let Some(after) = after.strip_prefix('?') {
            rest = after.trim_start();
            let few = || ServiceError::validation("Number of parameters in request and statement don't match.");
            parameters.next().ok_or_else(few)?
        } else {
            let (text, after) = after.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).ok_or_else(wrong)?;
            rest = after.trim_start();
            Value::S(text.to_owned())
        };
        if item.insert(name.to_owned(), value).is_some() {
            return Err(ServiceError::validation(format!("{REFUSED}: {name} twice")));
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return Err(wrong()),
        }
    }
    if rest.trim_start_matches('}').trim().is_empty() && parameters.next().is_none() {
        return Ok((table.to_owned(), item));
    }
    Err(ServiceError::validation("Number of parameters in request and statement don't match."))
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then(|| rest.trim_start())
}
