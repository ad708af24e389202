//! Updates: what they set, remove, add and delete
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>).

use std::collections::BTreeSet;

use super::Invalid;
use super::path::{Path, Step};
use crate::dynamodb::value::{Item, Value};
use crate::number::Number;

const NO_SUCH_PATH: &str = "The document path provided in the update expression is invalid for update";
const WRONG_TYPE: &str = "An operand in the update expression has an incorrect data type";
const ABSENT: &str = "The provided expression refers to an attribute that does not exist in the item";

/// Something with a value in `SET`.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    Constant(Value),
    Path(Path),
    Plus(Box<Term>, Box<Term>),
    Minus(Box<Term>, Box<Term>),
    IfNotExists(Path, Box<Term>),
    Append(Box<Term>, Box<Term>),
}

/// An update.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    pub(crate) set: Vec<(Path, Term)>,
    pub(crate) remove: Vec<Path>,
    pub(crate) add: Vec<(Path, Value)>,
    pub(crate) delete: Vec<(Path, Value)>,
}

impl Term {
    fn value(&self, item: &Item) -> Result<Value, Invalid> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| ABSENT.to_owned()),
            Self::Plus(left, right) => arithmetic(&left.value(item)?, &right.value(item)?, Number::plus),
            Self::Minus(left, right) => arithmetic(&left.value(item)?, &right.value(item)?, Number::minus),
            Self::IfNotExists(path, other) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => other.value(item),
            },
            Self::Append(left, right) => match (left.value(item)?, right.value(item)?) {
                (Value::L(mut left), Value::L(right)) => {
                    left.extend(right);
                    Ok(Value::L(left))
                }
                _ => Err(WRONG_TYPE.to_owned()),
            },
        }
    }
}

fn arithmetic(
    left: &Value,
    right: &Value,
    apply: impl FnOnce(Number, Number) -> Result<Number, crate::number::NumberError>,
) -> Result<Value, Invalid> {
    match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => apply(left, right).map(Value::N).map_err(|error| error.to_string()),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}

fn added(held: Option<&Value>, by: &Value) -> Result<Value, Invalid> {
    fn union<T: Ord + Clone>(held: &BTreeSet<T>, by: &BTreeSet<T>) -> BTreeSet<T> {
        held.union(by).cloned().collect()
    }
    match (held, by) {
        (None, by) => Ok(by.clone()),
        (Some(held @ Value::N(_)), Value::N(_)) => arithmetic(held, by, Number::plus),
        (Some(Value::Ss(held)), Value::Ss(by)) => Ok(Value::Ss(union(held, by))),
        (Some(Value::Ns(held)), Value::Ns(by)) => Ok(Value::Ns(union(held, by))),
        (Some(Value::Bs(held)), Value::Bs(by)) => Ok(Value::Bs(union(held, by))),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}

/// What is left of a set; nothing, where it becomes empty.
fn without(held: &Value, gone: &Value) -> Result<Option<Value>, Invalid> {
    fn difference<T: Ord + Clone>(held: &BTreeSet<T>, gone: &BTreeSet<T>) -> Option<BTreeSet<T>> {
        let left: BTreeSet<T> = held.difference(gone).cloned().collect();
        (!left.is_empty()).then_some(left)
    }
    match (held, gone) {
        (Value::Ss(held), Value::Ss(gone)) => Ok(difference(held, gone).map(Value::Ss)),
        (Value::Ns(held), Value::Ns(gone)) => Ok(difference(held, gone).map(Value::Ns)),
        (Value::Bs(held), Value::Bs(gone)) => Ok(difference(held, gone).map(Value::Bs)),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}

impl Update {
    /// The paths that it changes.
    pub(crate) fn paths(&self) -> Vec<Path> {
        let set = self.set.iter().map(|(path, _)| path);
        let other = self.add.iter().chain(&self.delete).map(|(path, _)| path);
        set.chain(&self.remove).chain(other).cloned().collect()
    }

    /// Does it remove attributes, and nothing else?
    pub(crate) fn only_removes(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.delete.is_empty()
    }

    /// Changes an item. Every operand sees the item as it was.
    pub(crate) fn apply(&self, item: &mut Item) -> Result<(), Invalid> {
        let mut changes: Vec<(&Path, Option<Value>)> = Vec::new();
        for (path, term) in &self.set {
            changes.push((path, Some(term.value(item)?)));
        }
        for (path, by) in &self.add {
            changes.push((path, Some(added(path.get(item), by)?)));
        }
        for (path, gone) in &self.delete {
            if let Some(held) = path.get(item) {
                changes.push((path, without(held, gone)?));
            }
        }
        let mut removed: Vec<&Path> = self.remove.iter().collect();
        // The last elements of a list first, so that the places of the others stay.
        removed.sort_by_key(|path| match path.steps.last() {
            Some(Step::Element(at)) => usize::MAX - at,
            Some(Step::Member(_)) | None => 0,
        });
        changes.extend(removed.into_iter().map(|path| (path, None)));
        for (path, value) in changes {
            write(item, path, value)?;
        }
        Ok(())
    }
}

fn write(item: &mut Item, path: &Path, value: Option<Value>) -> Result<(), Invalid> {
    let Some(last) = path.steps.last() else {
        match value {
            Some(value) => drop(item.insert(path.attribute.clone(), value)),
            None => drop(item.remove(&path.attribute)),
        }
        return Ok(());
    };
    match (last, path.parent(item), value) {
        (Step::Member(name), Some(Value::M(map)), Some(value)) => drop(map.insert(name.clone(), value)),
        (Step::Member(name), Some(Value::M(map)), None) => drop(map.remove(name)),
        (Step::Element(at), Some(Value::L(list)), Some(value)) => match list.get_mut(*at) {
            Some(held) => *held = value,
            None => list.push(value),
        },
        (Step::Element(at), Some(Value::L(list)), None) => {
            if *at < list.len() {
                list.remove(*at);
            }
        }
        _ => return Err(NO_SUCH_PATH.to_owned()),
    }
    Ok(())
}
