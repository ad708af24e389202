//! Conditions: of writes, and of what a query or a scan answers.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::path::Path;
use crate::dynamodb::value::{Item, Value};
use crate::number::Number;

/// Something with a value in a condition.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Constant(Value),
    Path(Path),
    Size(Path),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A condition.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    HasType(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Path, Operand),
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Value>> {
        match self {
            Self::Constant(value) => Some(Cow::Borrowed(value)),
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Size(path) => size(path.get(item)?).map(|size| Cow::Owned(Value::N(size))),
        }
    }

    /// The attribute whose value it is.
    pub(super) fn attribute(&self) -> Option<&Path> {
        if let Self::Path(path) = self { Some(path) } else { None }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Constant(_) => None,
            Self::Path(path) | Self::Size(path) => Some(path),
        }
    }
}

/// `size(…)`: the length of a string, the bytes of a binary value, the number of elements of a list, map or set. Of other
/// types there is none, and nothing holds for it.
fn size(value: &Value) -> Option<Number> {
    let size = match value {
        Value::S(text) => text.chars().count(),
        Value::B(bytes) => bytes.len(),
        Value::L(list) => list.len(),
        Value::M(map) => map.len(),
        Value::Ss(set) => set.len(),
        Value::Ns(set) => set.len(),
        Value::Bs(set) => set.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    i64::try_from(size).ok().map(Number::from)
}

/// The order of two values of one type that has an order.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::S(left), Value::S(right)) => Some(left.cmp(right)),
        (Value::N(left), Value::N(right)) => Some(left.cmp(right)),
        (Value::B(left), Value::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::S(text), Value::S(part)) => text.contains(part.as_str()),
        (Value::B(bytes), Value::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part.as_slice())
        }
        (Value::Ss(set), Value::S(part)) => set.contains(part),
        (Value::Ns(set), Value::N(part)) => set.contains(part),
        (Value::Bs(set), Value::B(part)) => set.contains(part),
        (Value::L(list), part) => list.contains(part),
        _ => false,
    }
}

impl Condition {
    /// Does it hold for this item? With something that is not there, only `<>` and `attribute_not_exists` do.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(left, comparison, right) => {
                let (Some(left), Some(right)) = (left.value(item), right.value(item)) else {
                    return *comparison == Comparison::Unequal;
                };
                match comparison {
                    Comparison::Equal => left == right,
                    Comparison::Unequal => left != right,
                    Comparison::Less => order(&left, &right).is_some_and(Ordering::is_lt),
                    Comparison::LessOrEqual => order(&left, &right).is_some_and(Ordering::is_le),
                    Comparison::Greater => order(&left, &right).is_some_and(Ordering::is_gt),
                    Comparison::GreaterOrEqual => order(&left, &right).is_some_and(Ordering::is_ge),
                }
            }
            Self::Between(value, low, high) => match (value.value(item), low.value(item), high.value(item)) {
                (Some(value), Some(low), Some(high)) => {
                    order(&low, &value).is_some_and(Ordering::is_le)
                        && order(&value, &high).is_some_and(Ordering::is_le)
                }
                _ => false,
            },
            Self::In(value, list) => match value.value(item) {
                Some(value) => list.iter().any(|other| other.value(item).is_some_and(|other| other == value)),
                None => false,
            },
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::HasType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(value, prefix) => {
                let (Some(value), Some(prefix)) = (value.value(item), prefix.value(item)) else { return false };
                match (value.as_ref(), prefix.as_ref()) {
                    (Value::S(text), Value::S(prefix)) => text.starts_with(prefix.as_str()),
                    (Value::B(bytes), Value::B(prefix)) => bytes.starts_with(prefix),
                    _ => false,
                }
            }
            Self::Contains(path, part) => match (path.get(item), part.value(item)) {
                (Some(value), Some(part)) => contains(value, &part),
                _ => false,
            },
        }
    }

    /// The paths that it names.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.paths().into_iter().chain(right.paths()).collect(),
            Self::Not(inner) => inner.paths(),
            Self::Compare(left, _, right) | Self::BeginsWith(left, right) => {
                left.path().into_iter().chain(right.path()).collect()
            }
            Self::Between(value, low, high) => [value, low, high].into_iter().filter_map(Operand::path).collect(),
            Self::In(value, list) => value.path().into_iter().chain(list.iter().filter_map(Operand::path)).collect(),
            Self::Exists(path) | Self::NotExists(path) | Self::HasType(path, _) => vec![path],
            Self::Contains(path, part) => [path].into_iter().chain(part.path()).collect(),
        }
    }
}
