//! Random values and expressions for DynamoDB.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Attributes and the type that their values mostly have.
const ATTRIBUTES: [(&str, &str); 12] = [
    ("n", "N"),
    ("m", "N"),
    ("words", "SS"),
    ("numbers", "NS"),
    ("blobs", "BS"),
    ("note", "S"),
    ("label", "S"),
    ("list_of", "L"),
    ("map_of", "M"),
    ("bin", "B"),
    ("flag", "BOOL"),
    ("nothing", "NULL"),
];
/// Attributes whose names are reserved words.
const RESERVED: [&str; 4] = ["status", "name", "count", "data"];
/// Keys whose names are reserved words.
const RESERVED_KEYS: [&str; 3] = ["rank", "at", "raw"];
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"];
const TEXTS: [&str; 10] = ["", "a", "ab", "abc", "b", "ñandú", "z", "A", "10", "9"];
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "10",
    "9",
    "0.1",
    "0.2",
    "2.50",
    "-3.75",
    "007",
    "1e2",
    "1E-2",
    "12345678901234567890123456789012345678",
    "0.12345678901234567890123456789012345678",
    "99999999999999999999999999999999999999",
    "9007199254740993",
    "1e38",
    "-1e-38",
    "1E125",
    "1E-130",
];
const BYTES: [&str; 4] = ["AAE=", "AA==", "/w==", "AAEC"];

pub(super) fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

pub(super) fn one<'a, T: ?Sized>(rng: &mut Rng, all: &[&'a T]) -> &'a T {
    all[rng.usize(0..all.len())]
}

/// A number: mostly a small one.
pub(super) fn number(rng: &mut Rng) -> String {
    match rng.u32(0..10) {
        0..6 => rng.i32(-5..20).to_string(),
        6..8 => format!("{}.{}", rng.i32(-9..99), rng.u32(0..100)),
        _ => (*one(rng, &NUMBERS)).to_owned(),
    }
}

/// Different elements of a set.
fn some<'a>(rng: &mut Rng, all: &[&'a str]) -> Vec<&'a str> {
    let mut chosen: Vec<&str> = all.to_vec();
    rng.shuffle(&mut chosen);
    chosen.truncate(1 + rng.usize(0..3));
    chosen
}

/// A value of a type.
pub(super) fn of_type(rng: &mut Rng, kind: &str, depth: u32) -> Value {
    match kind {
        "S" => json!({"S": one(rng, &TEXTS)}),
        "N" => json!({"N": number(rng)}),
        "B" => json!({"B": one(rng, &BYTES)}),
        "BOOL" => json!({"BOOL": rng.bool()}),
        "NULL" => json!({"NULL": true}),
        "L" => {
            let length = rng.usize(0..4);
            json!({"L": (0..length).map(|_| any(rng, depth + 1)).collect::<Vec<Value>>()})
        }
        "M" => {
            let names = some(rng, &["k", "l", "n", "deep"]);
            let members = names.into_iter().map(|name| (name.to_owned(), any(rng, depth + 1)));
            json!({"M": members.collect::<Map<String, Value>>()})
        }
        "SS" => json!({"SS": some(rng, &["a", "b", "c", "ñ", "d"])}),
        "NS" => json!({"NS": some(rng, &["1", "2", "2.5", "-3", "1e2", "40"])}),
        _ => json!({"BS": some(rng, &BYTES)}),
    }
}

/// A value of any type.
pub(super) fn any(rng: &mut Rng, depth: u32) -> Value {
    // Documents within documents, but not without end.
    let types = if depth < 3 { &TYPES[..] } else { &TYPES[..5] };
    let kind = one(rng, types);
    of_type(rng, kind, depth)
}

/// An attribute's name and its usual type.
fn attribute(rng: &mut Rng) -> (&'static str, &'static str) {
    if chance(rng, 12) { (one(rng, &RESERVED), "S") } else { ATTRIBUTES[rng.usize(0..ATTRIBUTES.len())] }
}

/// A value for an attribute: mostly of its usual type.
fn value_for(rng: &mut Rng, kind: &str) -> Value {
    if chance(rng, 8) { any(rng, 0) } else { of_type(rng, kind, 0) }
}

/// Attributes of an item beside its keys.
pub(super) fn attributes(rng: &mut Rng) -> Map<String, Value> {
    let count = rng.usize(0..7);
    (0..count)
        .map(|_| {
            let (name, kind) = attribute(rng);
            (name.to_owned(), value_for(rng, kind))
        })
        .collect()
}

/// The names and values that a request's expressions use.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    pub(super) names: Map<String, Value>,
    pub(super) values: Map<String, Value>,
}

impl Placeholders {
    /// An attribute's name: with a placeholder where it is a reserved word, mostly, and sometimes where not.
    pub(super) fn name(&mut self, rng: &mut Rng, name: &str) -> String {
        let bare = if RESERVED.contains(&name) || RESERVED_KEYS.contains(&name) { 2 } else { 80 };
        if chance(rng, bare) {
            return name.to_owned();
        }
        let known = self.names.iter().find(|(_, known)| *known == name).map(|(placeholder, _)| placeholder.clone());
        known.unwrap_or_else(|| {
            let placeholder = format!("#n{}", self.names.len());
            self.names.insert(placeholder.clone(), json!(name));
            placeholder
        })
    }

    pub(super) fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// A path to an attribute, or into one.
    fn path(&mut self, rng: &mut Rng) -> (String, &'static str) {
        let (attribute, kind) = attribute(rng);
        let name = self.name(rng, attribute);
        match kind {
            "L" if chance(rng, 50) => (format!("{name}[{}]", rng.u32(0..5)), one(rng, &TYPES)),
            "M" if chance(rng, 50) => {
                let member = one(rng, &["k", "l", "n", "deep"]);
                let member = self.name(rng, member);
                (format!("{name}.{member}"), one(rng, &TYPES))
            }
            _ if chance(rng, 3) => (format!("{name}.k[0]"), kind),
            _ => (name, kind),
        }
    }

    fn constant(&mut self, rng: &mut Rng, kind: &str) -> String {
        let value = value_for(rng, kind);
        self.value(value)
    }

    fn operand(&mut self, rng: &mut Rng, kind: &str) -> String {
        if chance(rng, 85) { self.constant(rng, kind) } else { self.path(rng).0 }
    }

    fn predicate(&mut self, rng: &mut Rng) -> String {
        let (path, kind) = self.path(rng);
        match rng.u32(0..12) {
            0 | 1 => format!("attribute_exists({path})"),
            2 | 3 => format!("attribute_not_exists({path})"),
            4 => {
                let wanted = one(rng, &TYPES);
                let wanted = self.value(json!({"S": wanted}));
                format!("attribute_type({path}, {wanted})")
            }
            5 => {
                let prefix = self.constant(rng, if kind == "B" { "B" } else { "S" });
                format!("begins_with({path}, {prefix})")
            }
            6 => {
                let part = match kind {
                    "SS" => "S",
                    "NS" => "N",
                    "BS" => "B",
                    "L" => "N",
                    other => other,
                };
                let part = self.operand(rng, part);
                format!("contains({path}, {part})")
            }
            7 => {
                let size = self.value(json!({"N": rng.u32(0..4).to_string()}));
                let comparison = one(rng, &["=", "<", ">=", "<>"]);
                format!("size({path}) {comparison} {size}")
            }
            8 => {
                let kind = one(rng, &["N", "S"]);
                let (low, high) = (self.constant(rng, kind), self.constant(rng, kind));
                format!("{path} BETWEEN {low} AND {high}")
            }
            9 => {
                let list: Vec<String> = (0..1 + rng.usize(0..3)).map(|_| self.operand(rng, kind)).collect();
                format!("{path} IN ({})", list.join(", "))
            }
            _ => {
                let comparison = one(rng, &["=", "<>", "<", "<=", ">", ">="]);
                let ordered = matches!(comparison, "=" | "<>") || matches!(kind, "S" | "N" | "B");
                let other = self.operand(rng, if ordered { kind } else { "N" });
                if chance(rng, 15) {
                    format!("{other} {comparison} {path}")
                } else {
                    format!("{path} {comparison} {other}")
                }
            }
        }
    }

    /// A condition or a filter.
    pub(super) fn condition(&mut self, rng: &mut Rng, depth: u32) -> String {
        if depth > 2 || chance(rng, 60) {
            return self.predicate(rng);
        }
        let left = self.condition(rng, depth + 1);
        match rng.u32(0..5) {
            0 => format!("NOT {left}"),
            1 => format!("NOT ({left})"),
            2 => {
                let right = self.condition(rng, depth + 1);
                format!("({left}) OR {right}")
            }
            3 => {
                let right = self.condition(rng, depth + 1);
                format!("{left} OR {right}")
            }
            _ => {
                let right = self.condition(rng, depth + 1);
                format!("{left} and ({right})")
            }
        }
    }

    fn set(&mut self, rng: &mut Rng) -> String {
        let (mut path, kind) = self.path(rng);
        if chance(rng, 8) {
            // Behind the end of any list.
            path = format!("{}[9]", self.name(rng, "list_of"));
        }
        let term = match rng.u32(0..8) {
            0 | 1 => {
                let sign = one(rng, &["+", "-"]);
                let by = self.constant(rng, "N");
                format!("{path} {sign} {by}")
            }
            2 => {
                let by = self.constant(rng, "N");
                let start = self.constant(rng, "N");
                format!("if_not_exists({path}, {start}) + {by}")
            }
            3 => {
                let start = self.constant(rng, kind);
                let (other, _) = self.path(rng);
                format!("if_not_exists({other}, {start})")
            }
            4 => {
                let (list, tail) = (self.name(rng, "list_of"), self.constant(rng, "L"));
                if rng.bool() { format!("list_append({list}, {tail})") } else { format!("list_append({tail}, {list})") }
            }
            5 => self.path(rng).0,
            _ => self.constant(rng, kind),
        };
        format!("{path} = {term}")
    }

    fn clause(&mut self, rng: &mut Rng, kind: u32) -> String {
        let count = 1 + rng.usize(0..2);
        let mut each = |make: &mut dyn FnMut(&mut Self, &mut Rng) -> String| -> String {
            let all: Vec<String> = (0..count).map(|_| make(self, rng)).collect();
            all.join(", ")
        };
        match kind {
            0 => format!("SET {}", each(&mut |this, rng| this.set(rng))),
            1 => format!("REMOVE {}", each(&mut |this, rng| this.path(rng).0)),
            2 => format!(
                "ADD {}",
                each(&mut |this, rng| {
                    let (attribute, kind) =
                        ATTRIBUTES[if chance(rng, 90) { rng.usize(0..5) } else { rng.usize(0..ATTRIBUTES.len()) }];
                    let (path, value) = (this.name(rng, attribute), this.constant(rng, kind));
                    format!("{path} {value}")
                })
            ),
            _ => format!(
                "DELETE {}",
                each(&mut |this, rng| {
                    let (attribute, kind) =
                        ATTRIBUTES[if chance(rng, 90) { rng.usize(2..5) } else { rng.usize(0..ATTRIBUTES.len()) }];
                    let (path, value) = (this.name(rng, attribute), this.constant(rng, kind));
                    format!("{path} {value}")
                })
            ),
        }
    }

    /// An update: mostly of one or two clauses.
    pub(super) fn update(&mut self, rng: &mut Rng) -> String {
        let first = if chance(rng, 55) { 0 } else { rng.u32(0..4) };
        let mut clauses = vec![self.clause(rng, first)];
        if chance(rng, 30) {
            let mut second = rng.u32(0..4);
            // The same clause twice is refused.
            if second == first && chance(rng, 85) {
                second = (second + 1) % 4;
            }
            clauses.push(self.clause(rng, second));
        }
        clauses.join(" ")
    }

    /// A projection.
    pub(super) fn projection(&mut self, rng: &mut Rng, with: &[&str]) -> String {
        let mut paths: Vec<String> = with.iter().map(|name| self.name(rng, name)).collect();
        for _ in 0..1 + rng.usize(0..3) {
            paths.push(self.path(rng).0);
        }
        paths.join(", ")
    }
}
