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

/// The largest whole number that every reader of JSON has exactly (RFC 7493, 2.2). What is counted here stays far below it,
/// and can be added to and multiplied without a thought.
const NATURAL_MAX: i64 = (1 << 53) - 1;

/// A count, a version, a time or a price, 0 where it is missing.
///
/// # Errors
/// [`TableError::Corrupt`] where it is there and is none.
pub fn natural(item: &Item, name: &'static str) -> Result<i64, TableError> {
    if item.contains_key(name) { required_natural(item, name) } else { Ok(0) }
}

/// A count, a version, a time or a price that must be there.
///
/// # Errors
/// [`TableError::Corrupt`] where it is not.
pub fn required_natural(item: &Item, name: &'static str) -> Result<i64, TableError> {
    let natural = number(item, name).filter(|number| (0..=NATURAL_MAX).contains(number));
    natural.ok_or(TableError::Corrupt { attribute: name })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naturals_are_what_can_be_counted_with() {
        let digits = |digits: &str| Item::from([("it".to_owned(), AttributeValue::N(digits.to_owned()))]);
        for (item, natural_is, required_is) in [
            (Item::new(), Some(0), None),
            (digits("0"), Some(0), Some(0)),
            (digits("9007199254740991"), Some(NATURAL_MAX), Some(NATURAL_MAX)),
            (digits("9007199254740992"), None, None),
            (digits("9223372036854775808"), None, None),
            (digits("-1"), None, None),
            (digits("1.5"), None, None),
            (digits("1E2"), None, None),
            (Item::from([("it".to_owned(), s("1"))]), None, None),
        ] {
            assert_eq!((natural(&item, "it").ok(), required_natural(&item, "it").ok()), (natural_is, required_is));
        }
    }
}
