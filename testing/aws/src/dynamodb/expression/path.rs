//! Document paths: `a.b[0]`.

use std::collections::BTreeMap;
use std::fmt;

use crate::dynamodb::value::{Item, Value};

/// A step into a map or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

/// An attribute, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) attribute: String,
    pub(crate) steps: Vec<Step>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ", {name}")?,
                Step::Element(at) => write!(f, ", [{at}]")?,
            }
        }
        f.write_str("]")
    }
}

impl Path {
    pub(crate) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        let mut value = item.get(&self.attribute)?;
        for step in &self.steps {
            value = step.get(value)?;
        }
        Some(value)
    }

    /// What the path's last step leads from; `None` for an attribute of the item itself, or where there is no such thing.
    pub(crate) fn parent<'a>(&self, item: &'a mut Item) -> Option<&'a mut Value> {
        let (_, steps) = self.steps.split_last()?;
        let mut value = item.get_mut(&self.attribute)?;
        for step in steps {
            value = match (step, value) {
                (Step::Member(name), Value::M(map)) => map.get_mut(name)?,
                (Step::Element(at), Value::L(list)) => list.get_mut(*at)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Does one of them lead through the other?
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.steps.iter().zip(&other.steps).all(|(one, two)| one == two)
    }
}

impl Step {
    fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match (self, value) {
            (Self::Member(name), Value::M(map)) => map.get(name),
            (Self::Element(at), Value::L(list)) => list.get(*at),
            _ => None,
        }
    }
}

/// What several paths take from a value.
#[derive(Default)]
struct Taken {
    whole: bool,
    members: BTreeMap<String, Taken>,
    elements: BTreeMap<usize, Taken>,
}

impl Taken {
    fn of(&self, value: &Value) -> Option<Value> {
        if self.whole {
            return Some(value.clone());
        }
        if let Value::M(map) = value {
            let taken: Item = self.members_of(map);
            return (!taken.is_empty()).then_some(Value::M(taken));
        }
        if let Value::L(list) = value {
            let of = |(at, taken): (&usize, &Self)| list.get(*at).and_then(|value| taken.of(value));
            let taken: Vec<Value> = self.elements.iter().filter_map(of).collect();
            return (!taken.is_empty()).then_some(Value::L(taken));
        }
        None
    }

    fn members_of(&self, map: &Item) -> Item {
        let of = |(name, taken): (&String, &Self)| Some((name.clone(), taken.of(map.get(name)?)?));
        self.members.iter().filter_map(of).collect()
    }
}

/// The parts of an item that the paths lead to.
pub(crate) fn project(item: &Item, paths: &[Path]) -> Item {
    let mut all = Taken::default();
    for path in paths {
        let mut taken = all.members.entry(path.attribute.clone()).or_default();
        for step in &path.steps {
            taken = match step {
                Step::Member(name) => taken.members.entry(name.clone()).or_default(),
                Step::Element(at) => taken.elements.entry(*at).or_default(),
            };
        }
        taken.whole = true;
    }
    all.members_of(item)
}
