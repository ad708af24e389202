//! TransactWriteItems: all or nothing, once for each token
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Request, check_capacity, read};
use super::schema::Key;
use super::table::{Stored, TIDIED_FROM};
use super::value::item_size;
use super::write::{Kind, Outcome, Prepared, REFUSED, expressions, key_of};
use super::{Call, State};
use crate::{Millis, ServiceError, canonical};

/// The most writes of one.
const WRITES_MAX: usize = 100;
/// The most bytes of its items together.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a token is remembered.
const TOKEN_KEPT: Millis = 10 * 60 * 1000;
/// The longest token.
const TOKEN_CHARS_MAX: usize = 36;
/// A transactional write is made twice: prepared, then committed.
const FACTOR: u64 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Transaction {
    transact_items: Vec<BTreeMap<String, Request>>,
    client_request_token: Option<String>,
    return_consumed_capacity: Option<String>,
}

struct Write {
    table: String,
    key: Key,
    new: Option<Option<Stored>>,
}

pub(super) fn write(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    let transaction: Transaction = read(body)?;
    let now = call.now;
    if transaction.transact_items.is_empty() || transaction.transact_items.len() > WRITES_MAX {
        return Err(ServiceError::validation(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length \
             less than or equal to 100 and greater than or equal to 1",
        ));
    }
    check_capacity(transaction.return_consumed_capacity.as_deref())?;
    let entries = entries(&transaction)?;
    check(state, &entries)?;
    let asked = {
        let request: Value = read(body)?;
        canonical::text(request.get("TransactItems").unwrap_or(&Value::Null))
    };
    if state.tokens.len() > TIDIED_FROM + 2 * state.tokens_left {
        state.tokens.retain(|_, (_, until)| *until > now);
        state.tokens_left = state.tokens.len();
    }
    if let Some(token) = &transaction.client_request_token {
        if token.is_empty() || token.chars().count() > TOKEN_CHARS_MAX {
            return Err(ServiceError::validation("ClientRequestToken must have between 1 and 36 characters"));
        }
        match state.tokens.get(token).filter(|(_, until)| *until > now) {
            Some((same, _)) if *same == asked => return Ok(b"{}".to_vec()),
            Some(_) => {
                let told = "Request rejected because it attempted to use a token for a different payload";
                return Err(ServiceError::new("IdempotentParameterMismatchException", told));
            }
            None => {}
        }
    }
    let (writes, reasons) = prepare(state, &entries, now)?;
    if reasons.iter().any(|reason| reason.get("Code") != Some(&json!("None"))) {
        return Err(cancelled(reasons));
    }
    let until = now + state.common.settings.transaction_takes;
    for Write { table, key, new } in writes {
        let (table, common) = state.with_common(&table)?;
        table.hold(&key, now, until);
        match new {
            Some(new) => table.write(&key, new, now, FACTOR, common),
            None => {
                let old = table.get(&key).cloned();
                table.charge_refused(old.as_ref(), FACTOR);
            }
        }
    }
    if let Some(token) = transaction.client_request_token {
        state.tokens.insert(token, (asked, now + TOKEN_KEPT));
    }
    Ok(b"{}".to_vec())
}

/// What no table is needed for, or only its key: a request that is wrong so is refused as a whole, whatever its token.
fn check(state: &mut State, entries: &[(Kind, &Request)]) -> Result<(), ServiceError> {
    let mut keys = BTreeSet::new();
    for (_, request) in entries {
        request.check()?;
        expressions(request)?;
        let table = state.table(&request.table_name)?;
        let key = request.item.as_ref().or(request.key.as_ref()).and_then(|item| table.schema.key_of(item));
        if key.is_some_and(|key| !keys.insert((&request.table_name, key))) {
            return Err(ServiceError::validation("Transaction request cannot include multiple operations on one item"));
        }
    }
    Ok(())
}

/// Holds every write against its table; for each, in order, what it does and why it may not.
fn prepare(
    state: &mut State,
    entries: &[(Kind, &Request)],
    now: Millis,
) -> Result<(Vec<Write>, Vec<Value>), ServiceError> {
    // An item that cannot be stored cancels the transaction before any condition is looked at.
    let mut stored = Vec::new();
    for (kind, request) in entries {
        let key = key_of(state.table(&request.table_name)?, *kind, request);
        stored.push(key.err().map_or(json!({"Code": "None"}), |error| validation(&error)));
    }
    if stored.iter().any(|reason| reason.get("Message").is_some()) {
        return Ok((Vec::new(), stored));
    }
    let limit = state.common.settings.partition_units;
    let (mut writes, mut reasons) = (Vec::new(), Vec::new());
    let mut requested = BTreeSet::new();
    let mut bytes = 0;
    for &(kind, request) in entries {
        let table = state.table(&request.table_name)?;
        if requested.insert(request.table_name.as_str()) {
            table.usage.write_requests += 1;
        }
        let prepared = Prepared::of(table, kind, request)?;
        let old = prepared.old;
        let is_held = table.is_held(&prepared.key, now);
        let new = match prepared.outcome {
            Outcome::Write(new) => Some(new),
            Outcome::Nothing => None,
            Outcome::Refused => {
                table.charge_refused(old.as_ref(), FACTOR);
                let mut reason = json!({"Code": "ConditionalCheckFailed", "Message": REFUSED});
                if let Some(old) = old.filter(|_| request.wants_refused())
                    && let Some(reason) = reason.as_object_mut()
                {
                    reason.insert("Item".to_owned(), json!(*old));
                }
                reasons.push(if is_held { conflict() } else { reason });
                continue;
            }
            Outcome::Inapplicable(error) => {
                reasons.push(validation(&error));
                continue;
            }
        };
        let size = |item: &Stored| item_size(item);
        bytes += new.as_ref().map_or(old.as_ref(), |new| new.as_ref().or(old.as_ref())).map_or(0, size);
        if is_held {
            reasons.push(conflict());
            continue;
        }
        if let Some(new) = &new
            && !table.admits(&prepared.key, new.as_ref(), FACTOR, now, limit)
        {
            reasons.push(json!({"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity of your table or index."}));
            continue;
        }
        reasons.push(json!({"Code": "None"}));
        writes.push(Write { table: request.table_name.clone(), key: prepared.key, new });
    }
    if bytes > BYTES_MAX {
        return Err(ServiceError::validation("Transaction size has exceeded the maximum allowed size"));
    }
    Ok((writes, reasons))
}

/// The writes with their kinds.
fn entries(transaction: &Transaction) -> Result<Vec<(Kind, &Request)>, ServiceError> {
    if transaction.transact_items.iter().any(|entry| entry.len() != 1) {
        return Err(ServiceError::validation("TransactItems can only contain one of Check, Put, Update or Delete"));
    }
    let kind = |name: &str| match name {
        "Put" => Ok(Kind::Put),
        "Update" => Ok(Kind::Update),
        "Delete" => Ok(Kind::Delete),
        "ConditionCheck" => Ok(Kind::Check),
        other => Err(ServiceError::validation(format!("no such write: {other}"))),
    };
    transaction.transact_items.iter().flatten().map(|(name, request)| Ok((kind(name)?, request))).collect()
}

fn validation(error: &ServiceError) -> Value {
    json!({"Code": "ValidationError", "Message": error.message})
}

fn conflict() -> Value {
    json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"})
}

/// What a cancelled transaction answers: a reason for each of its writes, in order.
pub(crate) fn cancelled(reasons: Vec<Value>) -> ServiceError {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason.get("Code").and_then(Value::as_str)).collect();
    let told =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    ServiceError::new("TransactionCanceledException", told).with("CancellationReasons", json!(reasons))
}
