//! Requests, and what goes wrong in reading them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::expression::Names;
use super::expression::condition::Condition;
use super::expression::path::Path;
use super::value::{Item, Value};
use crate::ServiceError;

/// A request about one table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Request {
    pub(super) table_name: String,
    pub(super) key: Option<Item>,
    pub(super) item: Option<Item>,
    pub(super) index_name: Option<String>,
    pub(super) condition_expression: Option<String>,
    pub(super) update_expression: Option<String>,
    pub(super) key_condition_expression: Option<String>,
    pub(super) filter_expression: Option<String>,
    pub(super) projection_expression: Option<String>,
    pub(super) expression_attribute_names: BTreeMap<String, String>,
    pub(super) expression_attribute_values: BTreeMap<String, Value>,
    pub(super) consistent_read: bool,
    pub(super) limit: Option<i64>,
    pub(super) scan_index_forward: Option<bool>,
    pub(super) exclusive_start_key: Option<Item>,
    pub(super) select: Option<String>,
    pub(super) segment: Option<u64>,
    pub(super) total_segments: Option<u64>,
    pub(super) return_values: Option<String>,
    pub(super) return_values_on_condition_check_failure: Option<String>,
    pub(super) return_consumed_capacity: Option<String>,
}

/// Reads a request. What is no JSON, or has a member of another type, is a SerializationException; a value that is none is
/// a ValidationException.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        // The reader adds where it was.
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        let is_type = message.starts_with("invalid type") || !error.is_data();
        ServiceError::new(if is_type { "SerializationException" } else { "ValidationException" }, message)
    })
}

pub(super) fn invalid(message: String) -> ServiceError {
    ServiceError::validation(message)
}

/// A member that takes one of these values.
fn check_one_of(member: &str, value: Option<&str>, known: &[&str]) -> Result<(), ServiceError> {
    match value {
        Some(value) if !known.contains(&value) => Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum \
             value set: [{}]",
            known.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// Checks a request's `ReturnConsumedCapacity`.
pub(super) fn check_capacity(wanted: Option<&str>) -> Result<(), ServiceError> {
    check_one_of("returnConsumedCapacity", wanted, &["INDEXES", "TOTAL", "NONE"])
}

impl Request {
    /// Reads a request whose members have values that they may have.
    pub(super) fn read(body: &[u8]) -> Result<Self, ServiceError> {
        let request: Self = read(body)?;
        request.check()?;
        Ok(request)
    }

    pub(super) fn check(&self) -> Result<(), ServiceError> {
        if self.table_name.is_empty() {
            return Err(super::read::missing("tableName"));
        }
        check_capacity(self.return_consumed_capacity.as_deref())?;
        let refused = self.return_values_on_condition_check_failure.as_deref();
        check_one_of("returnValuesOnConditionCheckFailure", refused, &["ALL_OLD", "NONE"])?;
        let selects = ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];
        check_one_of("select", self.select.as_deref(), &selects)
    }

    pub(super) fn names(&self) -> Names<'_> {
        Names::new(&self.expression_attribute_names, &self.expression_attribute_values)
    }

    pub(super) fn condition(&self, names: &Names<'_>) -> Result<Option<Condition>, ServiceError> {
        let text = self.condition_expression.as_deref();
        text.map(|text| names.condition("ConditionExpression", text)).transpose().map_err(invalid)
    }

    pub(super) fn projection(&self, names: &Names<'_>) -> Result<Option<Vec<Path>>, ServiceError> {
        let text = self.projection_expression.as_deref();
        text.map(|text| names.projection(text)).transpose().map_err(invalid)
    }

    /// A refused condition's item is wanted.
    pub(super) fn wants_refused(&self) -> bool {
        self.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD")
    }

    pub(super) fn capacity(&self, units: f64) -> Option<Capacity> {
        capacity(self.return_consumed_capacity.as_deref(), &self.table_name, units)
    }
}

/// `ConsumedCapacity`, as far as the total goes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Capacity {
    table_name: String,
    capacity_units: f64,
}

pub(super) fn capacity(wanted: Option<&str>, table: &str, units: f64) -> Option<Capacity> {
    let wanted = matches!(wanted, Some("TOTAL" | "INDEXES"));
    wanted.then(|| Capacity { table_name: table.to_owned(), capacity_units: units })
}
