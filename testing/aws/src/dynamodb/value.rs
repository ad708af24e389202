//! Attribute values and items.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::number::Number;

/// An item: its attributes by name.
pub type Item = BTreeMap<String, Value>;

/// Levels of lists and maps within each other ("Service, account, and table quotas", developer guide).
const DEPTH_MAX: usize = 32;
/// What a list or a map takes beside what is in it.
const DOCUMENT_BYTES: usize = 3;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// A truth value.
    Bool(bool),
    /// Null.
    Null,
    /// A list.
    L(Vec<Value>),
    /// A map.
    M(Item),
    /// A set of strings.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of bytes.
    Bs(BTreeSet<Vec<u8>>),
}

impl Value {
    /// The name of its type, as requests write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// The string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    /// The number.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        if let Self::N(number) = self { Some(*number) } else { None }
    }

    /// Its bytes in an item ("DynamoDB item sizes and formats", developer guide).
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::L(list) => DOCUMENT_BYTES + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::M(map) => {
                DOCUMENT_BYTES + map.iter().map(|(name, value)| 1 + name.len() + value.size()).sum::<usize>()
            }
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(|number| number.size()).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
        }
    }

    /// Lists and maps within each other, itself included.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::L(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::M(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            Self::S(_)
            | Self::N(_)
            | Self::B(_)
            | Self::Bool(_)
            | Self::Null
            | Self::Ss(_)
            | Self::Ns(_)
            | Self::Bs(_) => 0,
        }
    }

    /// Is it nested too deep to be stored?
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.depth() > DEPTH_MAX
    }
}

/// An item's bytes.
#[must_use]
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let kind = self.kind();
        match self {
            Self::S(text) => map.serialize_entry(kind, text)?,
            Self::N(number) => map.serialize_entry(kind, &number.to_string())?,
            Self::B(bytes) => map.serialize_entry(kind, &STANDARD.encode(bytes))?,
            Self::Bool(truth) => map.serialize_entry(kind, truth)?,
            Self::Null => map.serialize_entry(kind, &true)?,
            Self::L(list) => map.serialize_entry(kind, list)?,
            Self::M(item) => map.serialize_entry(kind, item)?,
            Self::Ss(set) => map.serialize_entry(kind, set)?,
            Self::Ns(set) => {
                map.serialize_entry(kind, &set.iter().map(Number::to_string).collect::<Vec<String>>())?;
            }
            Self::Bs(set) => {
                map.serialize_entry(kind, &set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<String>>())?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
        let kind: String = map.next_key()?.ok_or_else(|| de::Error::custom(empty))?;
        let value = match kind.as_str() {
            "S" => Value::S(map.next_value()?),
            "N" => Value::N(number(&map.next_value::<String>()?)?),
            "B" => Value::B(bytes(&map.next_value::<String>()?)?),
            "BOOL" => Value::Bool(map.next_value()?),
            "NULL" => match map.next_value()? {
                true => Value::Null,
                false => return Err(invalid("Null attribute value types must have the value of true")),
            },
            "L" => Value::L(map.next_value()?),
            "M" => Value::M(map.next_value()?),
            "SS" => Value::Ss(set(map.next_value::<Vec<String>>()?)?),
            "NS" => {
                let texts: Vec<String> = map.next_value()?;
                Value::Ns(set(texts.iter().map(|text| number(text)).collect::<Result<Vec<Number>, A::Error>>()?)?)
            }
            "BS" => {
                let texts: Vec<String> = map.next_value()?;
                Value::Bs(set(texts.iter().map(|text| bytes(text)).collect::<Result<Vec<Vec<u8>>, A::Error>>()?)?)
            }
            _ => return Err(de::Error::custom(empty)),
        };
        if map.next_key::<String>()?.is_some() {
            let several = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
                           supported datatypes";
            return Err(de::Error::custom(several));
        }
        Ok(value)
    }
}

fn invalid<E: de::Error>(what: impl fmt::Display) -> E {
    E::custom(format_args!("One or more parameter values were invalid: {what}"))
}

fn number<E: de::Error>(text: &str) -> Result<Number, E> {
    text.parse().map_err(E::custom)
}

fn bytes<E: de::Error>(text: &str) -> Result<Vec<u8>, E> {
    STANDARD.decode(text).map_err(E::custom)
}

/// A set has at least one element, and none twice.
fn set<T: Ord, E: de::Error>(list: Vec<T>) -> Result<BTreeSet<T>, E> {
    let count = list.len();
    let set: BTreeSet<T> = list.into_iter().collect();
    if set.is_empty() {
        return Err(invalid("An string set  may not be empty"));
    }
    if set.len() < count { Err(invalid("Input collection contains duplicates.")) } else { Ok(set) }
}

/// A key attribute's value. Strings and bytes are ordered by their bytes, numbers by their value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
}

impl KeyValue {
    /// A value as a key; `None` for a type that no key has.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        if let Value::S(text) = value {
            Some(Self::S(text.clone()))
        } else if let Value::N(number) = value {
            Some(Self::N(*number))
        } else if let Value::B(bytes) = value {
            Some(Self::B(bytes.clone()))
        } else {
            None
        }
    }

    /// As an attribute value.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::S(text) => Value::S(text.clone()),
            Self::N(number) => Value::N(*number),
            Self::B(bytes) => Value::B(bytes.clone()),
        }
    }

    /// Its bytes, and whether it is empty: numbers never are.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
        }
    }

    /// The text as the table spreads its partitions, and as `dynamodb:LeadingKeys` compares it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::S(text) => text.clone(),
            Self::N(number) => number.to_string(),
            Self::B(bytes) => STANDARD.encode(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_are_read() {
        for text in [
            r#"{"S":"ñ"}"#,
            r#"{"N":"-1.5"}"#,
            r#"{"B":"AAE="}"#,
            r#"{"BOOL":false}"#,
            r#"{"NULL":true}"#,
            r#"{"L":[{"S":""},{"L":[]}]}"#,
            r#"{"M":{"a":{"N":"1"},"b":{"M":{}}}}"#,
            r#"{"SS":["a","b"]}"#,
            r#"{"NS":["1","2.5"]}"#,
            r#"{"BS":["AA==","AQ=="]}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
        for text in [
            "{}",
            r#"{"S":1}"#,
            r#"{"X":"a"}"#,
            r#"{"S":"a","N":"1"}"#,
            r#"{"N":"x"}"#,
            r#"{"SS":[]}"#,
            r#"{"SS":["a","a"]}"#,
            r#"{"NS":["1","1.0"]}"#,
            r#"{"NULL":false}"#,
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_documentation() {
        let size = |text: &str| item_size(&serde_json::from_str(text).unwrap());
        assert_eq!(size(r#"{"ab":{"N":"12345"}}"#), 2 + 4);
        assert_eq!(size(r#"{"a":{"L":[{"S":"ab"},{"BOOL":true}]}}"#), 1 + 3 + 1 + 2 + 1 + 1);
        assert_eq!(size(r#"{"a":{"M":{"k":{"S":"ñ"}}}}"#), 1 + 3 + 1 + 1 + 2);
    }
}
