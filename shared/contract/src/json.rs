//! Reads a JSON object field by field, so that every bad field is named and no unknown one passes.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::error::{Detail, Refusal, Text};

/// A request body while it is being read. Take each field once, then [`Fields::finish`].
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    problems: Vec<Detail>,
}

impl Fields {
    /// Reads the body as one JSON object.
    ///
    /// # Errors
    /// 400 where it is no JSON, or no object.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(left)) => Ok(Self { left, problems: Vec::new() }),
            Ok(_) => {
                Err(Refusal::invalid_field("body", Text::fixed("Debe ser un objeto JSON.", "Must be a JSON object.")))
            }
            // The parser's own words may repeat the body; its place is enough.
            Err(error) => Err(Refusal::invalid_field(
                "body",
                Text::made(
                    format!("No es JSON válido (línea {}, columna {}).", error.line(), error.column()),
                    format!("Not valid JSON (line {}, column {}).", error.line(), error.column()),
                ),
            )),
        }
    }

    /// No field yet.
    pub(crate) fn empty() -> Self {
        Self { left: Map::new(), problems: Vec::new() }
    }

    /// Adds a text. `false` where a field of this name is there already.
    pub(crate) fn put_text(&mut self, name: String, text: String) -> bool {
        self.left.insert(name, Value::String(text)).is_none()
    }

    /// A whole number in `range`, if the field is there.
    pub fn integer(&mut self, name: &str, range: &RangeInclusive<i64>) -> Option<i64> {
        let value = self.left.remove(name)?;
        match value.as_i64() {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let (from, to) = (range.start(), range.end());
                self.problem(
                    name,
                    Text::made(
                        format!("Debe ser un número entero de {from} a {to}."),
                        format!("Must be a whole number from {from} to {to}."),
                    ),
                );
                None
            }
        }
    }

    /// The same, where `null` means something too: `Some(None)`.
    pub fn integer_or_null(&mut self, name: &str, range: &RangeInclusive<i64>) -> Option<Option<i64>> {
        if self.left.get(name).is_some_and(Value::is_null) {
            self.left.remove(name);
            return Some(None);
        }
        self.integer(name, range).map(Some)
    }

    /// A text of at most `max` characters, if the field is there.
    pub fn text(&mut self, name: &str, max: usize) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) if text.chars().count() <= max => Some(text),
            Value::String(_) => {
                self.problem(
                    name,
                    Text::made(format!("Tiene más de {max} caracteres."), format!("Has more than {max} characters.")),
                );
                None
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.problem(name, Text::fixed("Debe ser un texto.", "Must be a text."));
                None
            }
        }
    }

    /// The same for a field that must be there and not be blank.
    pub fn required_text(&mut self, name: &str, max: usize) -> Option<String> {
        if !self.left.contains_key(name) {
            self.problem(name, Text::fixed("Falta.", "Is missing."));
            return None;
        }
        let text = self.text(name, max)?;
        if text.trim().is_empty() {
            self.problem(name, Text::fixed("No puede quedar vacío.", "Must not be blank."));
            return None;
        }
        Some(text)
    }

    /// `true` or `false`, if the field is there.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.left.remove(name)?;
        if value.as_bool().is_none() {
            self.problem(name, Text::fixed("Debe ser true o false.", "Must be true or false."));
        }
        value.as_bool()
    }

    /// One of a few words, if the field is there.
    pub fn word<T>(&mut self, name: &str, words: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.left.remove(name)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.problem(name, Text::made(format!("Debe ser {words}."), format!("Must be {words}.")));
        }
        parsed
    }

    /// Names a bad field.
    pub fn problem(&mut self, field: &str, text: Text) {
        self.problems.push(Detail::new(field, text));
    }

    /// Is nothing wrong so far?
    #[must_use]
    pub fn fine(&self) -> bool {
        self.problems.is_empty()
    }

    /// Ends the reading; what is left over is unknown.
    ///
    /// # Errors
    /// 400 naming every bad or unknown field.
    pub fn finish(mut self) -> Result<(), Refusal> {
        let unknown = Text::fixed("No se conoce este campo.", "This field is not known.");
        self.problems.extend(self.left.keys().map(|name| Detail::new(name, unknown.clone())));
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.problems)) }
    }
}
