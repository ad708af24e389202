//! Reads a JSON object field by field, so that every bad field is named and no unknown one passes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use almacen_domain::money::parse_decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Detail, Refusal, Text};
use crate::money::amount_refused;

/// A request body while it is being read. Take each field once, then [`Fields::finish`].
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    /// Numbers as they are written.
    numbers: BTreeMap<String, String>,
    problems: Vec<Detail>,
}

impl Fields {
    /// Reads the body as one JSON object.
    ///
    /// # Errors
    /// 400 where it is no JSON, or no object.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Body(Some(entries))) => Ok(Self::of(entries)),
            Ok(Body(None)) => {
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
        Self { left: Map::new(), numbers: BTreeMap::new(), problems: Vec::new() }
    }

    fn of(entries: Vec<(String, Value, Option<String>)>) -> Self {
        let mut fields = Self::empty();
        for (name, value, number) in entries {
            fields.numbers.extend(number.map(|number| (name.clone(), number)));
            if fields.left.insert(name.clone(), value).is_some() {
                fields.problem(&name, Text::fixed("Está dos veces.", "Is there twice."));
            }
        }
        fields
    }

    /// Adds a text. `false` where a field of this name is there already.
    pub(crate) fn put_text(&mut self, name: String, text: String) -> bool {
        self.left.insert(name, Value::String(text)).is_none()
    }

    /// Names a field that is missing.
    pub fn require(&mut self, name: &str) {
        if !self.left.contains_key(name) {
            self.problem(name, Text::fixed("Falta.", "Is missing."));
        }
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

    /// An amount of money in cents, if the field is there: a JSON number, read from its digits.
    pub fn amount(&mut self, name: &str) -> Option<i64> {
        let value = self.left.remove(name)?;
        let read = match (&value, self.numbers.get(name)) {
            (Value::Number(_), Some(number)) => parse_decimal(number),
            _ => parse_decimal(""),
        };
        read.map_err(|error| self.problem(name, amount_refused(error))).ok()
    }

    /// A value of any kind, to be read by other means.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
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

    /// The same, with the words already found.
    pub fn reject(&mut self, detail: Detail) {
        self.problems.push(detail);
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

/// The entries of an object in order, numbers with the text they are written as; `None` for what is no object.
struct Body(Option<Vec<(String, Value, Option<String>)>>);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Ok(Self(None));
        }
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        inner.deserialize_map(Entries).map(|entries| Self(Some(entries))).map_err(serde::de::Error::custom)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Value, Option<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            let value: Value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
            let number = value.is_number().then(|| raw.get().to_owned());
            entries.push((name, value, number));
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;

    fn amount(body: &str) -> Result<Option<i64>, String> {
        let told = |refusal: Refusal| refusal.body(Language::English, "r");
        let mut fields = Fields::parse(body.as_bytes()).map_err(told)?;
        let amount = fields.amount("precio");
        fields.finish().map_err(told)?;
        Ok(amount)
    }

    #[test]
    fn amounts_are_read_from_their_digits() {
        assert_eq!(amount(r#"{"precio":99.99}"#), Ok(Some(9999)));
        assert_eq!(amount("{}"), Ok(None));
        for (body, told) in [
            (r#"{"precio":19.999}"#, "more than two decimals"),
            (r#"{"precio":19.990000000000000001}"#, "more than two decimals"),
            (r#"{"precio":1e2}"#, "Must be an amount"),
            (r#"{"precio":"99.99"}"#, "Must be an amount"),
            (r#"{"precio":null}"#, "Must be an amount"),
            (r#"{"precio":-1}"#, "Must be between"),
            (r#"{"precio":1,"precio":2}"#, "Is there twice."),
        ] {
            let error = amount(body).unwrap_err();
            assert!(error.contains(told), "{body}: {error}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "[]", "1", "null", "\"x\"", "{", r#"{"a":}"#, r#"{"a":1}x"#, "\u{feff}{}", &"[".repeat(10_000)]
        {
            assert!(amount(body).is_err(), "{body}");
        }
    }
}
