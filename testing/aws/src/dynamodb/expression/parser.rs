//! The grammar of expressions
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>).

use std::sync::OnceLock;

use super::condition::{Comparison, Condition, Operand};
use super::path::{Path, Step};
use super::update::{Term, Update};
use super::{Invalid, Names};
use crate::dynamodb::value::Value;

/// The longest expression, in bytes.
const BYTES_MAX: usize = 4096;
/// The most operands of `IN`.
const IN_MAX: usize = 100;
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
const RESERVED: &str = include_str!("../reserved-words.txt");
/// The types that have an order.
const ORDERED: [&str; 3] = ["S", "N", "B"];
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"];

pub(crate) struct Parser<'p, 'a> {
    tokens: Vec<&'p str>,
    at: usize,
    names: &'p Names<'a>,
    /// The positions of the parentheses that were closed last.
    group: Option<(usize, usize)>,
}

fn reserved(word: &str) -> bool {
    static WORDS: OnceLock<Vec<&str>> = OnceLock::new();
    WORDS.get_or_init(|| RESERVED.lines().collect()).binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#' | b':')
}

fn tokens(text: &str) -> Result<Vec<&str>, Invalid> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(byte) = bytes.get(start) {
        let next = bytes.get(start + 1).copied().unwrap_or(0);
        let length = match (byte, next) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {
                start += 1;
                continue;
            }
            (b'<', b'>' | b'=') | (b'>', b'=') => 2,
            (b'<' | b'>' | b'=' | b'(' | b')' | b',' | b'+' | b'-' | b'.' | b'[' | b']', _) => 1,
            (byte, _) if is_word(*byte) => {
                bytes.get(start..).unwrap_or_default().iter().take_while(|byte| is_word(**byte)).count()
            }
            _ => return Err(format!("Syntax error; token: {:?}", text.get(start..).unwrap_or_default())),
        };
        tokens.push(text.get(start..start + length).unwrap_or_default());
        start += length;
    }
    Ok(tokens)
}

impl<'p, 'a> Parser<'p, 'a> {
    pub(super) fn new(text: &'p str, names: &'p Names<'a>) -> Result<Self, Invalid> {
        if text.len() > BYTES_MAX {
            return Err("Expression size has exceeded the maximum allowed size".to_owned());
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Err("The expression can not be empty;".to_owned());
        }
        Ok(Self { tokens, at: 0, names, group: None })
    }

    fn peek(&self) -> &'p str {
        self.tokens.get(self.at).copied().unwrap_or("")
    }

    fn next(&mut self) -> &'p str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(word);
        self.at += usize::from(found);
        found
    }

    fn wrong<T>(&self) -> Result<T, Invalid> {
        let near: Vec<&str> =
            self.tokens.get(self.at.saturating_sub(1)..).unwrap_or_default().iter().take(3).copied().collect();
        let token = if self.peek().is_empty() { "<EOF>" } else { self.peek() };
        Err(format!("Syntax error; token: {token:?}, near: {:?}", near.join(" ")))
    }

    fn need(&mut self, token: &str) -> Result<(), Invalid> {
        if self.take(token) { Ok(()) } else { self.wrong() }
    }

    fn end<T>(&self, parsed: T) -> Result<T, Invalid> {
        if self.at == self.tokens.len() { Ok(parsed) } else { self.wrong() }
    }

    pub(super) fn whole_condition(&mut self) -> Result<Condition, Invalid> {
        let condition = self.or()?;
        self.end(condition)
    }

    fn or(&mut self) -> Result<Condition, Invalid> {
        let mut left = self.and()?;
        while self.take("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Condition, Invalid> {
        let mut left = self.not()?;
        while self.take("AND") {
            left = Condition::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Condition, Invalid> {
        if self.take("NOT") {
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        let start = self.at;
        if self.take("(") {
            let inner = self.or()?;
            self.need(")")?;
            if self.group == Some((start + 1, self.at - 1)) {
                return Err("The expression has redundant parentheses;".to_owned());
            }
            self.group = Some((start, self.at));
            return Ok(inner);
        }
        self.predicate()
    }

    fn name(&mut self) -> Result<String, Invalid> {
        let token = self.peek();
        let named = match token.as_bytes() {
            [b'#', _, ..] => self.names.name(token)?.to_owned(),
            [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] if !token.contains(['#', ':']) => {
                if reserved(token) {
                    return Err(format!("Attribute name is a reserved keyword; reserved keyword: {token}"));
                }
                token.to_owned()
            }
            _ => return self.wrong(),
        };
        self.at += 1;
        Ok(named)
    }

    fn path(&mut self) -> Result<Path, Invalid> {
        let attribute = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.take(".") {
                steps.push(Step::Member(self.name()?));
            } else if self.take("[") {
                let Ok(at) = self.peek().parse() else { return self.wrong() };
                self.at += 1;
                self.need("]")?;
                steps.push(Step::Element(at));
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn value(&mut self) -> Result<Value, Invalid> {
        let token = self.peek();
        if !token.starts_with(':') {
            return self.wrong();
        }
        self.at += 1;
        self.names.value(token).cloned()
    }

    /// The name of a function that is called here.
    fn function(&self) -> Option<&'p str> {
        let name = self.peek();
        (self.tokens.get(self.at + 1) == Some(&"(") && !name.starts_with([':', '#', '('])).then_some(name)
    }

    fn called<T>(&mut self, arguments: impl FnOnce(&mut Self) -> Result<T, Invalid>) -> Result<T, Invalid> {
        self.at += 1;
        self.need("(")?;
        let read = arguments(self)?;
        self.need(")")?;
        Ok(read)
    }

    fn comma(&mut self) -> Result<(), Invalid> {
        self.need(",")
    }

    fn predicate(&mut self) -> Result<Condition, Invalid> {
        match self.function() {
            Some("attribute_exists") => return Ok(Condition::Exists(self.called(Self::path)?)),
            Some("attribute_not_exists") => return Ok(Condition::NotExists(self.called(Self::path)?)),
            Some("attribute_type") => {
                return self.called(|parser| {
                    let path = parser.path()?;
                    parser.comma()?;
                    let value = parser.value()?;
                    match value.as_text() {
                        Some(kind) if TYPES.contains(&kind) => Ok(Condition::HasType(path, kind.to_owned())),
                        _ => Err(format!("Invalid attribute type name found; type: {value:?}")),
                    }
                });
            }
            Some("begins_with") => {
                return self.called(|parser| {
                    let value = parser.operand()?;
                    parser.comma()?;
                    let prefix = parser.operand()?;
                    only(&prefix, "begins_with", &["S", "B"])?;
                    distinct("begins_with", value.attribute(), &prefix)?;
                    Ok(Condition::BeginsWith(value, prefix))
                });
            }
            Some("contains") => {
                return self.called(|parser| {
                    let path = parser.path()?;
                    parser.comma()?;
                    let part = parser.operand()?;
                    distinct("contains", Some(&path), &part)?;
                    Ok(Condition::Contains(path, part))
                });
            }
            Some("size") | None => {}
            // `IN (` and the like are no functions here: a predicate does not begin with them.
            Some(other) => return Err(format!("Invalid function name; function: {other}")),
        }
        let left = self.operand()?;
        if self.take("BETWEEN") {
            let low = self.operand()?;
            self.need("AND")?;
            let high = self.operand()?;
            only(&low, "BETWEEN", &ORDERED)?;
            only(&high, "BETWEEN", &ORDERED)?;
            ordered(&low, &high)?;
            return Ok(Condition::Between(left, low, high));
        }
        if self.take("IN") {
            self.need("(")?;
            let mut list = vec![self.operand()?];
            while self.take(",") {
                list.push(self.operand()?);
            }
            self.need(")")?;
            if list.len() > IN_MAX {
                return Err(format!("Too many operands for IN: {}", list.len()));
            }
            return Ok(Condition::In(left, list));
        }
        let token = self.peek();
        let comparison = match token {
            "=" => Comparison::Equal,
            "<>" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return self.wrong(),
        };
        self.at += 1;
        let right = self.operand()?;
        if !matches!(comparison, Comparison::Equal | Comparison::Unequal) {
            only(&left, token, &ORDERED)?;
            only(&right, token, &ORDERED)?;
        }
        distinct(token, left.attribute(), &right)?;
        Ok(Condition::Compare(left, comparison, right))
    }

    fn operand(&mut self) -> Result<Operand, Invalid> {
        if self.peek().starts_with(':') {
            return Ok(Operand::Constant(self.value()?));
        }
        if self.function() == Some("size") {
            return Ok(Operand::Size(self.called(Self::path)?));
        }
        Ok(Operand::Path(self.path()?))
    }

    pub(super) fn projection(&mut self) -> Result<Vec<Path>, Invalid> {
        let mut paths = vec![self.path()?];
        while self.take(",") {
            paths.push(self.path()?);
        }
        apart(&paths)?;
        self.end(paths)
    }

    pub(super) fn update(&mut self) -> Result<Update, Invalid> {
        let mut update = Update::default();
        let mut seen: Vec<String> = Vec::new();
        while self.at < self.tokens.len() {
            let clause = self.next().to_ascii_uppercase();
            if seen.contains(&clause) {
                return Err(format!("The \"{clause}\" section can only be used once in an update expression;"));
            }
            loop {
                match clause.as_str() {
                    "SET" => {
                        let path = self.path()?;
                        self.need("=")?;
                        update.set.push((path, self.sum()?));
                    }
                    "REMOVE" => update.remove.push(self.path()?),
                    "ADD" => {
                        let path = self.path()?;
                        let value = self.value()?;
                        if !["N", "SS", "NS", "BS"].contains(&value.kind()) {
                            return Err(operand_type("ADD", &value));
                        }
                        update.add.push((path, value));
                    }
                    "DELETE" => {
                        let path = self.path()?;
                        let value = self.value()?;
                        if !["SS", "NS", "BS"].contains(&value.kind()) {
                            return Err(operand_type("DELETE", &value));
                        }
                        update.delete.push((path, value));
                    }
                    _ => {
                        self.at -= 1;
                        return self.wrong();
                    }
                }
                if !self.take(",") {
                    break;
                }
            }
            seen.push(clause);
        }
        apart(&update.paths())?;
        Ok(update)
    }

    fn sum(&mut self) -> Result<Term, Invalid> {
        let left = self.term()?;
        let sign = self.peek();
        if !matches!(sign, "+" | "-") {
            return Ok(left);
        }
        self.at += 1;
        let right = self.term()?;
        constants(&[&left, &right], sign, "N")?;
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(if sign == "+" { Term::Plus(left, right) } else { Term::Minus(left, right) })
    }

    fn list_append(&mut self) -> Result<Term, Invalid> {
        self.called(|parser| {
            let left = parser.term()?;
            parser.comma()?;
            let right = parser.term()?;
            constants(&[&left, &right], "list_append", "L")?;
            Ok(Term::Append(Box::new(left), Box::new(right)))
        })
    }

    fn term(&mut self) -> Result<Term, Invalid> {
        if self.peek().starts_with(':') {
            return Ok(Term::Constant(self.value()?));
        }
        match self.function() {
            Some("if_not_exists") => self.called(|parser| {
                let path = parser.path()?;
                parser.comma()?;
                Ok(Term::IfNotExists(path, Box::new(parser.term()?)))
            }),
            Some("list_append") => self.list_append(),
            Some(other) => Err(format!("Invalid function name; function: {other}")),
            None => Ok(Term::Path(self.path()?)),
        }
    }
}

fn operand_type(operator: &str, value: &Value) -> Invalid {
    let kind = value.kind();
    format!("Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}")
}

/// A constant of another type than this is refused at once, whatever the item has.
fn constants(terms: &[&Term], operator: &str, kind: &str) -> Result<(), Invalid> {
    for term in terms {
        let constant = if let Term::Constant(value) = term {
            Some(value)
        } else if let Term::IfNotExists(_, other) = term
            && let Term::Constant(value) = &**other
        {
            Some(value)
        } else {
            None
        };
        if let Some(value) = constant.filter(|value| value.kind() != kind) {
            return Err(operand_type(operator, value));
        }
    }
    Ok(())
}

/// A constant of another type than these is refused at once.
fn only(operand: &Operand, operator: &str, kinds: &[&str]) -> Result<(), Invalid> {
    match operand {
        Operand::Constant(value) if !kinds.contains(&value.kind()) => Err(operand_type(operator, value)),
        Operand::Constant(_) | Operand::Path(_) | Operand::Size(_) => Ok(()),
    }
}

/// An attribute is not compared with itself.
fn distinct(operator: &str, first: Option<&Path>, other: &Operand) -> Result<(), Invalid> {
    match first {
        Some(first) if other.attribute() == Some(first) => Err(format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, \
             first operand: {first}"
        )),
        _ => Ok(()),
    }
}

fn ordered(low: &Operand, high: &Operand) -> Result<(), Invalid> {
    let (Operand::Constant(low), Operand::Constant(high)) = (low, high) else { return Ok(()) };
    let reversed = match (low, high) {
        (Value::S(low), Value::S(high)) => low > high,
        (Value::N(low), Value::N(high)) => low > high,
        (Value::B(low), Value::B(high)) => low > high,
        _ => return Err("The BETWEEN operator requires same data type for lower and upper bounds".to_owned()),
    };
    if reversed {
        return Err("The BETWEEN operator requires upper bound to be greater than or equal to lower bound".to_owned());
    }
    Ok(())
}

/// No path may lead through another one.
fn apart(paths: &[Path]) -> Result<(), Invalid> {
    for (at, one) in paths.iter().enumerate() {
        if let Some(two) = paths.iter().skip(at + 1).find(|two| one.overlaps(two)) {
            return Err(format!(
                "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
            ));
        }
    }
    Ok(())
}
