//! Attribute values, in and out.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::TableError;

/// An item as DynamoDB gives it.
pub type Item = HashMap<String, AttributeValue>;

/// A text.
#[must_use]
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
#[must_use]
pub fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A truth value.
#[must_use]
pub fn b(truth: bool) -> AttributeValue {
    AttributeValue::Bool(truth)
}

/// A text that may be missing.
#[must_use]
pub fn text(item: &Item, name: &str) -> Option<String> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

/// A text that must be there.
///
/// # Errors
/// [`TableError::Corrupt`] where it is not.
pub fn required_text(item: &Item, name: &'static str) -> Result<String, TableError> {
    text(item, name).ok_or(TableError::Corrupt { attribute: name })
}

/// A number that may be missing.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<i64> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        _ => None,
    }
}

/// A number that must be there.
///
/// # Errors
/// [`TableError::Corrupt`] where it is not.
pub fn required_number(item: &Item, name: &'static str) -> Result<i64, TableError> {
    number(item, name).ok_or(TableError::Corrupt { attribute: name })
}

/// A count that must be there: no number below zero.
///
/// # Errors
/// [`TableError::Corrupt`] where it is not.
pub fn required_count(item: &Item, name: &'static str) -> Result<u64, TableError> {
    u64::try_from(required_number(item, name)?).map_err(|_| TableError::Corrupt { attribute: name })
}

/// A truth value; missing is `false`.
#[must_use]
pub fn truth(item: &Item, name: &str) -> bool {
    matches!(item.get(name), Some(AttributeValue::Bool(true)))
}
