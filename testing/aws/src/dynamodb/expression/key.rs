//! Key conditions: one partition, and bounds on the sort key.

use std::ops::Bound;

use super::Invalid;
use super::condition::{Comparison, Condition, Operand};
use crate::dynamodb::value::{KeyValue, Value};

const UNSUPPORTED: &str = "Query key condition not supported";

/// What a key condition asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) partition: KeyValue,
    pub(crate) low: Bound<KeyValue>,
    pub(crate) high: Bound<KeyValue>,
}

impl KeyRange {
    /// Takes a key condition apart: `hash` and `range` are the names of the keys.
    pub(crate) fn of(condition: &Condition, hash: &str, range: Option<&str>) -> Result<Self, Invalid> {
        let mut terms = Vec::new();
        conjuncts(condition, &mut terms);
        let mut partition = None;
        let mut bounds = None;
        for term in terms {
            let name = named(term).ok_or(UNSUPPORTED)?;
            if name == hash && partition.is_none() {
                let Condition::Compare(Operand::Path(_), Comparison::Equal, operand) = term else {
                    return Err(UNSUPPORTED.to_owned());
                };
                partition = Some(constant(operand)?);
            } else if Some(name) == range && bounds.is_none() {
                bounds = Some(bounds_of(term)?);
            } else {
                return Err(UNSUPPORTED.to_owned());
            }
        }
        let missing = || format!("Query condition missed key schema element: {hash}");
        let (low, high) = bounds.unwrap_or((Bound::Unbounded, Bound::Unbounded));
        Ok(Self { partition: partition.ok_or_else(missing)?, low, high })
    }

    /// Is a sort key within the bounds?
    pub(crate) fn contains(&self, sort: &KeyValue) -> bool {
        use std::ops::RangeBounds as _;
        (self.low.as_ref(), self.high.as_ref()).contains(sort)
    }
}

fn conjuncts<'a>(condition: &'a Condition, into: &mut Vec<&'a Condition>) {
    if let Condition::And(left, right) = condition {
        conjuncts(left, into);
        conjuncts(right, into);
    } else {
        into.push(condition);
    }
}

/// The attribute that a term is about.
fn named(term: &Condition) -> Option<&str> {
    if let Condition::Compare(Operand::Path(path), ..)
    | Condition::Between(Operand::Path(path), ..)
    | Condition::BeginsWith(Operand::Path(path), _) = term
    {
        path.steps.is_empty().then_some(path.attribute.as_str())
    } else {
        None
    }
}

fn constant(operand: &Operand) -> Result<KeyValue, Invalid> {
    let Operand::Constant(value) = operand else { return Err(UNSUPPORTED.to_owned()) };
    let key = KeyValue::of(value)
        .ok_or("One or more parameter values were invalid: Condition parameter type does not match schema type")?;
    if key.size() == 0 {
        return Err("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.".to_owned());
    }
    Ok(key)
}

fn bounds_of(term: &Condition) -> Result<(Bound<KeyValue>, Bound<KeyValue>), Invalid> {
    if let Condition::Between(_, low, high) = term {
        return Ok((Bound::Included(constant(low)?), Bound::Included(constant(high)?)));
    }
    if let Condition::BeginsWith(_, prefix) = term {
        let low = constant(prefix)?;
        let high = behind(&low.value());
        return Ok((Bound::Included(low), high));
    }
    let Condition::Compare(_, comparison, operand) = term else { return Err(UNSUPPORTED.to_owned()) };
    let value = constant(operand)?;
    Ok(match comparison {
        Comparison::Equal => (Bound::Included(value.clone()), Bound::Included(value)),
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(value)),
        Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(value)),
        Comparison::Greater => (Bound::Excluded(value), Bound::Unbounded),
        Comparison::GreaterOrEqual => (Bound::Included(value), Bound::Unbounded),
        Comparison::Unequal => return Err(UNSUPPORTED.to_owned()),
    })
}

/// The first key behind all that begin with this.
fn behind(prefix: &Value) -> Bound<KeyValue> {
    if let Value::S(text) = prefix {
        let mut rest: Vec<char> = text.chars().collect();
        while let Some(last) = rest.pop() {
            // What follows the last character before the surrogates is the first one after them.
            let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
            if let Some(next) = next {
                rest.push(next);
                return Bound::Excluded(KeyValue::S(rest.into_iter().collect()));
            }
        }
    } else if let Value::B(bytes) = prefix {
        let mut rest = bytes.clone();
        while let Some(last) = rest.pop() {
            if let Some(next) = last.checked_add(1) {
                rest.push(next);
                return Bound::Excluded(KeyValue::B(rest));
            }
        }
    }
    Bound::Unbounded
}
