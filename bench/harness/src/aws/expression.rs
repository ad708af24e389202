//! DynamoDB's expressions: conditions, key conditions, filters, updates and projections, over top-level attributes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

/// An item with its attributes as DynamoDB writes them: `{"S": "…"}`, `{"N": "…"}` …
pub(crate) type Attributes = BTreeMap<String, Value>;

/// What stands behind the `#names` and `:values` of an expression.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    /// `#name` → attribute.
    pub(crate) names: BTreeMap<String, String>,
    /// `:value` → typed value.
    pub(crate) values: Map<String, Value>,
}

impl Names {
    fn attribute(&self, token: &str) -> Result<String> {
        match token.strip_prefix('#') {
            None => Ok(token.to_owned()),
            Some(_) => self.names.get(token).cloned().with_context(|| format!("name {token} is not defined")),
        }
    }

    fn value(&self, token: &str) -> Result<Value> {
        self.values.get(token).cloned().with_context(|| format!("value {token} is not defined"))
    }
}

/// Something with a value: a constant, an attribute, or what is made of them.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Constant(Value),
    Attribute(String),
    Size(String),
    Sum(Box<Operand>, Box<Operand>),
    Difference(Box<Operand>, Box<Operand>),
    IfNotExists(String, Box<Operand>),
    Append(Box<Operand>, Box<Operand>),
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
    Exists(String),
    NotExists(String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An update: what to set, to remove, and to add.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    set: Vec<(String, Operand)>,
    remove: Vec<String>,
    add: Vec<(String, Operand)>,
}

impl Update {
    /// The attributes that this names, for the `UPDATED_…` return values.
    pub(crate) fn attributes(&self) -> BTreeSet<String> {
        let set = self.set.iter().chain(&self.add).map(|(name, _)| name);
        set.chain(&self.remove).cloned().collect()
    }
}

struct Parser<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    names: &'a Names,
}

fn tokens(text: &str) -> Result<Vec<&str>> {
    let mut tokens = Vec::new();
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#' | b':' | b'.' | b'[' | b']');
    let mut start = 0;
    while let Some(byte) = bytes.get(start) {
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                start += 1;
                continue;
            }
            b'<' if matches!(bytes.get(start + 1), Some(b'>' | b'=')) => 2,
            b'>' if bytes.get(start + 1) == Some(&b'=') => 2,
            b'<' | b'>' | b'=' | b'(' | b')' | b',' | b'+' | b'-' => 1,
            byte if is_word(byte) => bytes.get(start..).unwrap_or(&[]).iter().take_while(|byte| is_word(byte)).count(),
            _ => bail!("unexpected character in expression {text:?}"),
        };
        let token = text.get(start..start + length).context("expression is cut")?;
        if token.contains(['.', '[']) {
            bail!("the stand-in knows no nested paths: {token}");
        }
        tokens.push(token);
        start += length;
    }
    Ok(tokens)
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, names: &'a Names) -> Result<Self> {
        Ok(Self { tokens: tokens(text)?, at: 0, names })
    }

    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or("")
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(word);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, token: &str) -> Result<()> {
        if self.word(token) { Ok(()) } else { bail!("expected {token:?}, found {:?}", self.peek()) }
    }

    fn end(&self) -> Result<()> {
        if self.at == self.tokens.len() { Ok(()) } else { bail!("unexpected {:?}", self.peek()) }
    }

    fn or(&mut self) -> Result<Condition> {
        let mut left = self.and()?;
        while self.word("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Condition> {
        let mut left = self.not()?;
        while self.word("AND") {
            left = Condition::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Condition> {
        if self.word("NOT") {
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        if self.word("(") {
            let inner = self.or()?;
            self.need(")")?;
            return Ok(inner);
        }
        self.predicate()
    }

    fn path(&mut self) -> Result<String> {
        let token = self.next();
        self.names.attribute(token)
    }

    fn predicate(&mut self) -> Result<Condition> {
        let function = self.peek();
        for (name, make) in [
            ("attribute_exists", Condition::Exists as fn(String) -> Condition),
            ("attribute_not_exists", Condition::NotExists as fn(String) -> Condition),
        ] {
            if function.eq_ignore_ascii_case(name) {
                self.next();
                self.need("(")?;
                let path = self.path()?;
                self.need(")")?;
                return Ok(make(path));
            }
        }
        for (name, make) in [
            ("begins_with", Condition::BeginsWith as fn(Operand, Operand) -> Condition),
            ("contains", Condition::Contains as fn(Operand, Operand) -> Condition),
        ] {
            if function.eq_ignore_ascii_case(name) {
                self.next();
                self.need("(")?;
                let left = self.operand()?;
                self.need(",")?;
                let right = self.operand()?;
                self.need(")")?;
                return Ok(make(left, right));
            }
        }
        let left = self.operand()?;
        if self.word("BETWEEN") {
            let low = self.operand()?;
            self.need("AND")?;
            return Ok(Condition::Between(left, low, self.operand()?));
        }
        if self.word("IN") {
            self.need("(")?;
            let mut list = vec![self.operand()?];
            while self.word(",") {
                list.push(self.operand()?);
            }
            self.need(")")?;
            return Ok(Condition::In(left, list));
        }
        let comparison = match self.next() {
            "=" => Comparison::Equal,
            "<>" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            other => bail!("unexpected {other:?} in condition"),
        };
        Ok(Condition::Compare(left, comparison, self.operand()?))
    }

    fn operand(&mut self) -> Result<Operand> {
        let token = self.next();
        if token.starts_with(':') {
            return Ok(Operand::Constant(self.names.value(token)?));
        }
        if self.peek() == "(" {
            self.next();
            let operand = match token {
                "size" => Operand::Size(self.path()?),
                "if_not_exists" => {
                    let path = self.path()?;
                    self.need(",")?;
                    Operand::IfNotExists(path, Box::new(self.sum()?))
                }
                "list_append" => {
                    let left = self.operand()?;
                    self.need(",")?;
                    Operand::Append(Box::new(left), Box::new(self.operand()?))
                }
                _ => bail!("unknown function {token:?}"),
            };
            self.need(")")?;
            return Ok(operand);
        }
        Ok(Operand::Attribute(self.names.attribute(token)?))
    }

    fn sum(&mut self) -> Result<Operand> {
        let left = self.operand()?;
        if self.word("+") {
            return Ok(Operand::Sum(Box::new(left), Box::new(self.operand()?)));
        }
        if self.word("-") {
            return Ok(Operand::Difference(Box::new(left), Box::new(self.operand()?)));
        }
        Ok(left)
    }
}

/// Reads a condition, filter or key condition.
pub(crate) fn condition(text: &str, names: &Names) -> Result<Condition> {
    let mut parser = Parser::new(text, names)?;
    let condition = parser.or()?;
    parser.end()?;
    Ok(condition)
}

/// Reads an update.
pub(crate) fn update(text: &str, names: &Names) -> Result<Update> {
    let mut parser = Parser::new(text, names)?;
    let mut update = Update::default();
    while parser.at < parser.tokens.len() {
        let clause = parser.next().to_ascii_uppercase();
        loop {
            let path = parser.path()?;
            match clause.as_str() {
                "SET" => {
                    parser.need("=")?;
                    update.set.push((path, parser.sum()?));
                }
                "REMOVE" => update.remove.push(path),
                "ADD" => update.add.push((path, parser.operand()?)),
                other => bail!("the stand-in knows no clause {other:?}"),
            }
            if !parser.word(",") {
                break;
            }
        }
    }
    Ok(update)
}

/// Reads a projection into attribute names.
pub(crate) fn projection(text: &str, names: &Names) -> Result<Vec<String>> {
    let mut parser = Parser::new(text, names)?;
    let mut list = vec![parser.path()?];
    while parser.word(",") {
        list.push(parser.path()?);
    }
    parser.end()?;
    Ok(list)
}

fn typed<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    value.as_object().and_then(|object| object.get(kind))
}

/// A number as DynamoDB writes one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    typed(value, "N")?.as_str()?.parse().ok()
}

fn integer(value: &Value) -> Option<i128> {
    typed(value, "N")?.as_str()?.parse().ok()
}

/// A text.
pub(crate) fn text(value: &Value) -> Option<&str> {
    typed(value, "S")?.as_str()
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (text(left), text(right)) {
        return Some(left.cmp(right));
    }
    if let (Some(left), Some(right)) = (integer(left), integer(right)) {
        return Some(left.cmp(&right));
    }
    number(left)?.partial_cmp(&number(right)?)
}

fn arithmetic(left: &Value, right: &Value, sign: i128) -> Result<Value> {
    let (Some(left), Some(right)) = (integer(left), integer(right)) else {
        bail!("the stand-in adds whole numbers only")
    };
    Ok(json!({ "N": (left + sign * right).to_string() }))
}

impl Operand {
    fn value(&self, item: &Attributes) -> Result<Option<Value>> {
        let both = |left: &Self, right: &Self| -> Result<(Value, Value)> {
            let missing = "an operand of the update does not exist";
            Ok((left.value(item)?.context(missing)?, right.value(item)?.context(missing)?))
        };
        Ok(match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Attribute(name) => item.get(name).cloned(),
            Self::Size(name) => item.get(name).map(|value| {
                let length = text(value)
                    .map_or_else(|| typed(value, "L").and_then(Value::as_array).map_or(0, Vec::len), str::len);
                json!({ "N": length.to_string() })
            }),
            Self::Sum(left, right) => {
                let (left, right) = both(left, right)?;
                Some(arithmetic(&left, &right, 1)?)
            }
            Self::Difference(left, right) => {
                let (left, right) = both(left, right)?;
                Some(arithmetic(&left, &right, -1)?)
            }
            Self::IfNotExists(name, other) => match item.get(name) {
                Some(value) => Some(value.clone()),
                None => other.value(item)?,
            },
            Self::Append(left, right) => {
                let (left, right) = both(left, right)?;
                let mut list = typed(&left, "L").and_then(Value::as_array).cloned().unwrap_or_default();
                list.extend(typed(&right, "L").and_then(Value::as_array).cloned().unwrap_or_default());
                Some(json!({ "L": list }))
            }
        })
    }
}

impl Condition {
    /// Does it hold for this item? A comparison with something that is not there does not.
    pub(crate) fn holds(&self, item: &Attributes) -> Result<bool> {
        Ok(match self {
            Self::And(left, right) => left.holds(item)? && right.holds(item)?,
            Self::Or(left, right) => left.holds(item)? || right.holds(item)?,
            Self::Not(inner) => !inner.holds(item)?,
            Self::Compare(left, comparison, right) => {
                let (Some(left), Some(right)) = (left.value(item)?, right.value(item)?) else {
                    // `<>` alone holds where one side is missing.
                    return Ok(*comparison == Comparison::Unequal);
                };
                let order = order(&left, &right);
                match comparison {
                    Comparison::Equal => left == right || order == Some(Ordering::Equal),
                    Comparison::Unequal => !(left == right || order == Some(Ordering::Equal)),
                    Comparison::Less => order == Some(Ordering::Less),
                    Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
                    Comparison::Greater => order == Some(Ordering::Greater),
                    Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
                }
            }
            Self::Between(value, low, high) => match (value.value(item)?, low.value(item)?, high.value(item)?) {
                (Some(value), Some(low), Some(high)) => {
                    order(&low, &value).is_some_and(Ordering::is_le)
                        && order(&value, &high).is_some_and(Ordering::is_le)
                }
                _ => false,
            },
            Self::In(value, list) => {
                let Some(value) = value.value(item)? else { return Ok(false) };
                for other in list {
                    if other
                        .value(item)?
                        .is_some_and(|other| order(&value, &other) == Some(Ordering::Equal) || value == other)
                    {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Exists(name) => item.contains_key(name),
            Self::NotExists(name) => !item.contains_key(name),
            Self::BeginsWith(value, prefix) => match (value.value(item)?, prefix.value(item)?) {
                (Some(value), Some(prefix)) => {
                    text(&value).zip(text(&prefix)).is_some_and(|(value, prefix)| value.starts_with(prefix))
                }
                _ => false,
            },
            Self::Contains(value, part) => match (value.value(item)?, part.value(item)?) {
                (Some(value), Some(part)) => {
                    text(&value).zip(text(&part)).is_some_and(|(value, part)| value.contains(part))
                        || ["L", "SS"].iter().filter_map(|kind| typed(&value, kind)?.as_array()).any(|list| {
                            list.iter().any(|entry| {
                                *entry == part || entry.as_str().is_some_and(|entry| Some(entry) == text(&part))
                            })
                        })
                }
                _ => false,
            },
        })
    }
}

/// What a key condition asks for: one partition, and bounds on the sort key.
#[derive(Debug, Default)]
pub(crate) struct KeyRange {
    /// The partition's value.
    pub(crate) hash: Option<Value>,
    /// Everything that is asked of the sort key.
    pub(crate) rest: Option<Condition>,
    /// The least sort key, where the condition gives one.
    pub(crate) low: Option<String>,
    /// The greatest sort key, where the condition gives one.
    pub(crate) high: Option<String>,
}

impl KeyRange {
    /// Takes a key condition apart.
    pub(crate) fn of(condition: Condition, hash: &str) -> Result<Self> {
        let mut range = Self::default();
        range.take(condition, hash)?;
        if range.hash.is_none() {
            bail!("the key condition names no value for {hash}");
        }
        Ok(range)
    }

    fn take(&mut self, condition: Condition, hash: &str) -> Result<()> {
        let constant = |operand: &Operand| operand.value(&Attributes::new()).ok().flatten();
        let as_text = |operand: &Operand| constant(operand).as_ref().and_then(text).map(str::to_owned);
        let (low, high) = match &condition {
            Condition::And(left, right) => {
                self.take(left.as_ref().clone(), hash)?;
                return self.take(right.as_ref().clone(), hash);
            }
            Condition::Compare(Operand::Attribute(name), Comparison::Equal, operand) if name == hash => {
                self.hash = constant(operand);
                return Ok(());
            }
            Condition::Compare(_, Comparison::Equal, operand) => (as_text(operand), as_text(operand)),
            Condition::Compare(_, Comparison::Greater | Comparison::GreaterOrEqual, operand) => {
                (as_text(operand), None)
            }
            Condition::Compare(_, Comparison::Less | Comparison::LessOrEqual, operand) => (None, as_text(operand)),
            Condition::Between(_, low, high) => (as_text(low), as_text(high)),
            Condition::BeginsWith(_, prefix) => (as_text(prefix), as_text(prefix).map(|prefix| prefix + "\u{10ffff}")),
            Condition::Compare(..)
            | Condition::Or(..)
            | Condition::Not(..)
            | Condition::In(..)
            | Condition::Exists(..)
            | Condition::NotExists(..)
            | Condition::Contains(..) => bail!("no key condition"),
        };
        (self.low, self.high, self.rest) = (low, high, Some(condition));
        Ok(())
    }
}

/// Applies an update; every operand sees the item as it was.
pub(crate) fn apply(update: &Update, item: &mut Attributes) -> Result<()> {
    let before = item.clone();
    for (name, operand) in &update.set {
        let value = operand.value(&before)?.with_context(|| format!("nothing to set {name} to"))?;
        item.insert(name.clone(), value);
    }
    for (name, operand) in &update.add {
        let added = operand.value(&before)?.with_context(|| format!("nothing to add to {name}"))?;
        let value = match before.get(name) {
            None => added,
            Some(held) if integer(held).is_some() => arithmetic(held, &added, 1)?,
            Some(held) => {
                let mut list =
                    typed(held, "SS").and_then(Value::as_array).cloned().context("ADD to neither number nor set")?;
                for entry in typed(&added, "SS").and_then(Value::as_array).into_iter().flatten() {
                    if !list.contains(entry) {
                        list.push(entry.clone());
                    }
                }
                json!({ "SS": list })
            }
        };
        item.insert(name.clone(), value);
    }
    for name in &update.remove {
        item.remove(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use almacen_domain::stock::Stamp;
    use almacen_table::stock::stamps;
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names {
            names: [("#source".to_owned(), "source".to_owned())].into(),
            values: json!({":n": {"N": "7"}, ":k": {"S": "k"}, ":zero": {"N": "0"}}).as_object().unwrap().clone(),
        }
    }

    fn item(json: Value) -> Attributes {
        json.as_object().unwrap().clone().into_iter().collect()
    }

    #[track_caller]
    fn check(expression: &str, held: Value, expected: bool) {
        let condition = condition(expression, &names()).unwrap();
        assert_eq!(condition.holds(&item(held)).unwrap(), expected, "{expression}");
    }

    #[test]
    fn conditions() {
        let line = json!({"sku": {"S": "a"}, "count": {"N": "10"}, "source": {"S": "k"}});
        check("attribute_exists(sku) AND count > :n", line.clone(), true);
        check("attribute_not_exists(sku) OR count BETWEEN :zero AND :n", line.clone(), false);
        check("NOT (#source <> :k) and count >= :n", line.clone(), true);
        check("missing < :n", line.clone(), false);
        check("missing <> :n", line.clone(), true);
        check("begins_with(#source, :k)", line.clone(), true);
        check("count IN (:zero, :n)", line, false);
        assert!(condition("a.b = :n", &names()).is_err());
        assert!(condition("a = :unknown", &names()).is_err());
        assert!(condition("a = :n )", &names()).is_err());
    }

    #[test]
    fn updates() {
        let mut line = item(json!({"count": {"N": "10"}, "gone": {"S": "x"}}));
        let text =
            "SET count = count - :n, made = if_not_exists(made, :zero) + :n, #source = :k REMOVE gone ADD hits :n";
        apply(&update(text, &names()).unwrap(), &mut line).unwrap();
        let expected = json!({"count": {"N": "3"}, "made": {"N": "7"}, "source": {"S": "k"}, "hits": {"N": "7"}});
        assert_eq!(line, item(expected));
    }

    #[test]
    fn key_conditions() {
        let condition = condition("#source = :k AND sku BETWEEN :k AND :k", &names()).unwrap();
        let range = KeyRange::of(condition, "source").unwrap();
        assert_eq!((range.low.as_deref(), range.high.as_deref()), (Some("k"), Some("k")));
        assert_eq!(range.hash, Some(json!({"S": "k"})));
    }

    /// A stamp as a line holds it, and what it means: without an order, with one, or from before orders were padded right.
    fn stored() -> impl Strategy<Value = (Value, Stamp)> {
        (0i64..4, "[ab]", prop_oneof![Just(String::new()), "[0-9A-F]{2}"], any::<bool>()).prop_map(
            |(at, source, order, left_padded)| {
                let mut line = json!({"sku": {"S": "a"}, "source": {"S": source}, "counted_at": {"N": at.to_string()}});
                if left_padded {
                    // An older release has written over what a newer one had written.
                    line[stamps::LEFT_PADDED] = json!({"S": "FF"});
                }
                if !left_padded || at > 1 {
                    line[stamps::ORDER] = json!({"S": order});
                }
                let sequencer = if left_padded { String::new() } else { order };
                (line, Stamp { at, source, sequencer })
            },
        )
    }

    proptest! {
        #[test]
        fn the_condition_on_a_line_is_the_rule_of_the_domain(
            (line, held) in stored(),
            (at, source, sequencer) in (0i64..4, "[ab]", prop_oneof![Just(String::new()), "[0-9A-F]{2}"]),
        ) {
            let new = Stamp { at, source, sequencer };
            let values = json!({
                ":at": {"N": new.at.to_string()}, ":source": {"S": new.source}, ":s3_order": {"S": new.sequencer}, ":none": {"S": ""},
            });
            let names = Names { values: values.as_object().unwrap().clone(), ..names() };
            let holds = condition(stamps::is_older_than(&new), &names).unwrap().holds(&item(line)).unwrap();
            prop_assert_eq!(holds, new.is_newer_than(&held));
        }
    }
}
