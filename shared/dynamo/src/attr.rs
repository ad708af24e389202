//! Attribute values, in and out. An attribute that is there with another type or out of range is an error, never absent.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::DynamoError;

/// An item as DynamoDB gives it.
pub type Item = HashMap<String, AttributeValue>;

/// An item to be written: its attributes in the order of the code that writes them, so that their names need no copies.
pub type Attributes = Vec<(&'static str, AttributeValue)>;

/// An item of these attributes.
#[must_use]
pub fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A string.
#[must_use]
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
#[must_use]
pub fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A boolean.
#[must_use]
pub fn b(truth: bool) -> AttributeValue {
    AttributeValue::Bool(truth)
}

fn malformed(attribute: &'static str) -> DynamoError {
    DynamoError::Malformed { attribute }
}

/// A string that may be absent.
///
/// # Errors
/// [`DynamoError::Malformed`] for an attribute of another type.
pub fn text(item: &Item, name: &'static str) -> Result<Option<String>, DynamoError> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(name)),
    }
}

/// A string that must be there.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is absent or of another type.
pub fn required_text(item: &Item, name: &'static str) -> Result<String, DynamoError> {
    text(item, name)?.ok_or(malformed(name))
}

/// Is the attribute this string?
#[must_use]
pub fn is_text(item: &Item, name: &str, expected: &str) -> bool {
    matches!(item.get(name), Some(AttributeValue::S(text)) if text == expected)
}

/// A whole number that may be absent.
///
/// # Errors
/// [`DynamoError::Malformed`] for another type, a fraction, or a number beyond 64 bits.
pub fn number(item: &Item, name: &'static str) -> Result<Option<i64>, DynamoError> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| malformed(name)),
        Some(_) => Err(malformed(name)),
    }
}

/// A whole number that must be there.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is absent, or as [`number`].
pub fn required_number(item: &Item, name: &'static str) -> Result<i64, DynamoError> {
    number(item, name)?.ok_or(malformed(name))
}

/// The largest integer that every JSON reader holds exactly (RFC 7493, 2.2).
const NATURAL_MAX: i64 = (1 << 53) - 1;

/// A count, a version, a time or a price, from 0 to 2⁵³ − 1; 0 where it is absent.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is present and not a natural number.
pub fn natural(item: &Item, name: &'static str) -> Result<i64, DynamoError> {
    let number = number(item, name)?.unwrap_or(0);
    if (0..=NATURAL_MAX).contains(&number) { Ok(number) } else { Err(malformed(name)) }
}

/// The same, where it must be there.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is absent or not a natural number.
pub fn required_natural(item: &Item, name: &'static str) -> Result<i64, DynamoError> {
    if item.contains_key(name) { natural(item, name) } else { Err(malformed(name)) }
}

/// A number of this type that may be absent.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is present and not in the type's range.
pub fn count<T: TryFrom<i64>>(item: &Item, name: &'static str) -> Result<Option<T>, DynamoError> {
    number(item, name)?.map(|number| T::try_from(number).map_err(|_| malformed(name))).transpose()
}

/// A number of this type that must be there.
///
/// # Errors
/// [`DynamoError::Malformed`] where it is absent or not in the type's range.
pub fn required_count<T: TryFrom<i64>>(item: &Item, name: &'static str) -> Result<T, DynamoError> {
    count(item, name)?.ok_or(malformed(name))
}

/// A boolean; absent is `false`.
///
/// # Errors
/// [`DynamoError::Malformed`] for an attribute of another type.
pub fn truth(item: &Item, name: &'static str) -> Result<bool, DynamoError> {
    match item.get(name) {
        None => Ok(false),
        Some(AttributeValue::Bool(truth)) => Ok(*truth),
        Some(_) => Err(malformed(name)),
    }
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

    #[test]
    fn malformed_is_not_absent() {
        let record = item([("text", s("a")), ("number", n(300)), ("truth", b(true))]);
        assert_eq!(text(&record, "text").unwrap().as_deref(), Some("a"));
        assert_eq!((number(&record, "number").unwrap(), truth(&record, "truth").unwrap()), (Some(300), true));
        assert_eq!(
            (count::<u64>(&record, "number").unwrap(), required_count::<u32>(&record, "number").ok()),
            (Some(300), Some(300))
        );
        assert!(is_text(&record, "text", "a") && !is_text(&record, "text", "b") && !is_text(&record, "number", "300"));

        assert!(
            text(&record, "number").is_err() && number(&record, "text").is_err() && truth(&record, "text").is_err()
        );
        assert!(count::<u8>(&record, "number").is_err() && required_count::<u8>(&record, "number").is_err());

        let absent = "absent";
        assert_eq!((text(&record, absent).unwrap(), number(&record, absent).unwrap()), (None, None));
        assert!(!truth(&record, absent).unwrap() && count::<u8>(&record, absent).unwrap().is_none());
        assert!(required_text(&record, absent).is_err() && required_number(&record, absent).is_err());
        assert!(required_count::<u8>(&record, absent).is_err());
    }
}
