//! PutItem, UpdateItem and DeleteItem, and the same writes within a transaction.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::expression::condition::Condition;
use super::expression::path::{self, Path};
use super::expression::update::Update;
use super::read::missing;
use super::request::{Capacity, Request, invalid};
use super::schema::Key;
use super::table::{Stored, Table};
use super::value::Item;
use super::{Call, State, answer};
use crate::ServiceError;

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Update,
    Delete,
    Check,
}

/// A write that was read and held against the table.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) key: Key,
    pub(super) old: Option<Stored>,
    pub(super) outcome: Outcome,
    /// What an update changes.
    touched: Vec<Path>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Outcome {
    /// This becomes the item; nothing, where it is deleted.
    Write(Option<Stored>),
    /// A check held; nothing is written.
    Nothing,
    /// The condition does not hold.
    Refused,
    /// The update cannot be applied to the item as it is.
    Inapplicable(ServiceError),
}

pub(super) const REFUSED: &str = "The conditional request failed";

impl Prepared {
    pub(super) fn of(table: &Table, kind: Kind, request: &Request) -> Result<Self, ServiceError> {
        let (condition, update) = expressions(request)?;
        let key = key_of(table, kind, request)?;
        let schema = &table.schema;
        let touched = update.as_ref().map(|update| update.paths()).unwrap_or_default();
        if let Some(path) = touched.iter().find(|path| schema.keys().any(|key| key.name == path.attribute)) {
            return Err(ServiceError::validation(format!(
                "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
                path.attribute
            )));
        }
        let old = table.get(&key).cloned();
        let nothing = Item::new();
        let holds = condition.is_none_or(|condition| condition.holds(old.as_deref().unwrap_or(&nothing)));
        let outcome = if !holds {
            Outcome::Refused
        } else {
            match kind {
                Kind::Put => Outcome::Write(request.item.clone().map(Arc::new)),
                Kind::Delete => Outcome::Write(None),
                Kind::Check => Outcome::Nothing,
                // An update that only removes attributes makes no item where there is none.
                Kind::Update if old.is_none() && update.as_ref().is_some_and(Update::only_removes) => {
                    Outcome::Write(None)
                }
                Kind::Update => {
                    let mut item = old.as_deref().or(request.key.as_ref()).cloned().unwrap_or_default();
                    let applied = update.map_or(Ok(()), |update| update.apply(&mut item)).map_err(invalid);
                    match applied.and_then(|()| schema.check_item(&item)) {
                        Ok(_) => Outcome::Write(Some(Arc::new(item))),
                        Err(error) => Outcome::Inapplicable(error),
                    }
                }
            }
        };
        Ok(Self { key, old, outcome, touched })
    }
}

/// A write's condition and update.
pub(super) fn expressions(request: &Request) -> Result<(Option<Condition>, Option<Update>), ServiceError> {
    let names = request.names();
    let condition = request.condition(&names)?;
    let update = request.update_expression.as_deref();
    let update = update.map(|text| names.update(text)).transpose().map_err(invalid)?;
    names.check_used().map_err(invalid)?;
    Ok((condition, update))
}

/// The key of what a write is about. The item of a put is checked whole.
pub(super) fn key_of(table: &Table, kind: Kind, request: &Request) -> Result<Key, ServiceError> {
    match kind {
        Kind::Put => table.schema.check_item(request.item.as_ref().ok_or_else(|| missing("item"))?),
        Kind::Update | Kind::Delete | Kind::Check => {
            table.schema.request_key(request.key.as_ref().ok_or_else(|| missing("key"))?)
        }
    }
}

pub(super) fn throttled() -> ServiceError {
    ServiceError::new(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning \
         level with the UpdateTable API.",
    )
}

pub(super) fn conflict() -> ServiceError {
    ServiceError::new("TransactionConflictException", "Transaction is ongoing for the item")
}

pub(super) fn one(state: &mut State, kind: Kind, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        attributes: Option<&'a Item>,
        #[serde(skip_serializing_if = "Option::is_none")]
        consumed_capacity: Option<Capacity>,
    }
    let request = Request::read(body)?;
    let wanted = request.return_values.as_deref().unwrap_or("NONE");
    let known: &[&str] = match kind {
        Kind::Update => &["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
        Kind::Put | Kind::Delete | Kind::Check => &["NONE", "ALL_OLD"],
    };
    if !known.contains(&wanted) {
        return Err(ServiceError::validation(format!("Return values set to invalid value: {wanted}")));
    }
    let (table, common) = state.with_common(&request.table_name)?;
    let prepared = Prepared::of(table, kind, &request)?;
    table.usage.write_requests += 1;
    if table.is_held(&prepared.key, call.now) {
        return Err(conflict());
    }
    let old = prepared.old;
    let new = match prepared.outcome {
        Outcome::Write(new) => new,
        Outcome::Nothing => old.clone(),
        Outcome::Inapplicable(error) => return Err(error),
        Outcome::Refused => {
            table.charge_refused(old.as_ref(), 1);
            let error = ServiceError::new("ConditionalCheckFailedException", REFUSED);
            return Err(match old.filter(|_| request.wants_refused()) {
                Some(old) => error.with("Item", json!(*old)),
                None => error,
            });
        }
    };
    let limit = common.settings.partition_units;
    if !table.admits(&prepared.key, new.as_ref(), 1, call.now, limit) {
        return Err(throttled());
    }
    let units = Table::units(old.as_ref(), new.as_ref()) + table.index_units(old.as_ref(), new.as_ref());
    table.write(&prepared.key, new.clone(), call.now, 1, common);
    let part = |item: Option<Stored>| item.map(|item| path::project(&item, &prepared.touched));
    let attributes = match wanted {
        "ALL_OLD" => old.as_deref().cloned(),
        "ALL_NEW" => new.as_deref().cloned(),
        "UPDATED_OLD" => part(old).filter(|part| !part.is_empty()),
        "UPDATED_NEW" => part(new).filter(|part| !part.is_empty()),
        _ => None,
    };
    answer(&Answer { attributes: attributes.as_ref(), consumed_capacity: request.capacity(units as f64) })
}
