//! Reads a JSON object field by field, so that every bad field is named and no unknown one passes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use almacen_domain::kernel::money::{AmountError, Currency, Decimal, Money};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::error::{ApiError, Detail, Text};
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
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Body(Some(read))) => Ok(Self::of(read)),
            Ok(Body(None)) => {
                Err(ApiError::invalid_field("body", Text::fixed("Debe ser un objeto JSON.", "Must be a JSON object.")))
            }
            // The parser's own words may repeat the body; its place is enough.
            Err(error) => Err(ApiError::invalid_field(
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

    fn of(read: Read) -> Self {
        let mut fields = Self { left: read.entries, numbers: read.numbers, problems: Vec::new() };
        for name in read.twice {
            fields.problem(&name, Text::fixed("Está dos veces.", "Is there twice."));
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

    /// A whole number in `range`, if the field is there. `2.0` and `1E+2` are whole numbers too.
    pub fn integer(&mut self, name: &str, range: &RangeInclusive<i64>) -> Option<i64> {
        let number = self.number(name)?.and_then(|number| number.scaled(0));
        match number {
            Ok(number) if range.contains(&number) => Some(number),
            Ok(_) | Err(_) => {
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

    /// An amount of money, if the field is there: a JSON number, read from its digits.
    pub fn amount(&mut self, name: &str, currency: Currency) -> Option<Money> {
        let read = self.number(name)?.and_then(|number| number.money(currency));
        read.map_err(|error| self.problem(name, amount_refused(error, Some(currency)))).ok()
    }

    /// A number that may be an amount of a currency that is not known yet, if the field is there.
    pub fn amount_of_any(&mut self, name: &str) -> Option<Decimal> {
        let read = self.number(name)?.and_then(|number| number.thousandths().map(|_| number));
        read.map_err(|error| self.problem(name, amount_refused(error, None))).ok()
    }

    /// A number as it is written, if the field is there.
    fn number(&mut self, name: &str) -> Option<Result<Decimal, AmountError>> {
        let value = self.left.remove(name)?;
        Some(match (&value, self.numbers.get(name)) {
            (Value::Number(_), Some(number)) => Decimal::parse(number),
            _ => Err(AmountError::NotAnAmount),
        })
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
    pub fn finish(mut self) -> Result<(), ApiError> {
        let unknown = Text::fixed("No se conoce este campo.", "This field is not known.");
        self.problems.extend(self.left.keys().map(|name| Detail::new(name, unknown.clone())));
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.problems)) }
    }
}

/// What an object holds; `None` for what is no object.
struct Body(Option<Read>);

#[derive(Default)]
struct Read {
    entries: Map<String, Value>,
    /// Numbers with the text they are written as.
    numbers: BTreeMap<String, String>,
    /// Names that are there twice, with the way to them.
    twice: Vec<String>,
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Ok(Self(None));
        }
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        inner.deserialize_map(Entries).map(|read| Self(Some(read))).map_err(serde::de::Error::custom)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let mut read = Read::default();
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            let exact = Exact { path: &name, twice: &mut read.twice };
            let value = exact.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
            let value = if raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
                read.numbers.insert(name.clone(), raw.get().to_owned());
                // A number beyond a float's range, such as 1e400, is valid JSON: it is its field that is refused, by its text.
                value.unwrap_or_else(|_| Value::from(f64::MAX))
            } else {
                value.map_err(serde::de::Error::custom)?
            };
            if read.entries.insert(name.clone(), value).is_some() {
                read.twice.push(name);
            }
        }
        Ok(read)
    }
}

/// A value as it is written. What serde_json makes of a [`Value`] by itself is not: of two entries of one name it keeps the
/// last, and an object with a certain private name in it is taken for the JSON in that entry's text.
struct Exact<'a> {
    path: &'a str,
    twice: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Exact<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Exact<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, values.len());
            let Some(value) = list.next_element_seed(Exact { path: &path, twice: self.twice })? else {
                return Ok(Value::Array(values));
            };
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = format!("{}.{name}", self.path);
            let value = map.next_value_seed(Exact { path: &path, twice: self.twice })?;
            if entries.insert(name, value).is_some() {
                self.twice.push(path);
            }
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;

    fn amount(body: &str) -> Result<Option<i64>, String> {
        amount_in(body, Currency::USD)
    }

    fn amount_in(body: &str, currency: Currency) -> Result<Option<i64>, String> {
        let told = |refusal: ApiError| refusal.body(Language::English, "r");
        let mut fields = Fields::parse(body.as_bytes()).map_err(told)?;
        let amount = fields.amount("precio", currency).map(|money| money.minor);
        fields.finish().map_err(told)?;
        Ok(amount)
    }

    #[test]
    fn amounts_are_read_from_their_digits() {
        assert_eq!(amount(r#"{"precio":99.99}"#), Ok(Some(9999)));
        assert_eq!(amount("{}"), Ok(None));
        assert_eq!(amount(r#"{"precio":1E+2}"#), Ok(Some(10_000)));
        assert_eq!(amount(r#"{"precio":1.5e1}"#), Ok(Some(1_500)));
        let pesos = Currency::parse("CLP").unwrap();
        assert_eq!(amount_in(r#"{"precio":19990}"#, pesos), Ok(Some(19_990)));
        assert!(amount_in(r#"{"precio":19.9}"#, pesos).unwrap_err().contains("Must have no decimals (CLP)."));
        for (body, told) in [
            (r#"{"precio":19.999}"#, "Has more than 2 decimals (USD)."),
            (r#"{"precio":19.990000000000000001}"#, "Has more than 2 decimals (USD)."),
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
    fn whole_numbers_may_be_written_with_a_point_or_an_exponent() {
        let read = |number: &str| {
            let mut fields = Fields::parse(format!(r#"{{"n":{number}}}"#).as_bytes()).unwrap();
            let number = fields.integer_or_null("n", &(-100..=100));
            fields.finish().map(|()| number.unwrap()).map_err(|refusal| refusal.body(Language::English, "r"))
        };
        for (text, number) in
            [("2", 2), ("2.0", 2), ("-2.00", -2), ("1E+2", 100), ("0.5e1", 5), ("-0", 0), ("0e400", 0)]
        {
            assert_eq!(read(text), Ok(Some(number)), "{text}");
        }
        assert_eq!(read("null"), Ok(None));
        for text in [
            "2.5",
            "101",
            "1E+3",
            "1e300",
            "1e400",
            "-1e999999999999",
            "1e-999999999999",
            "1e-1",
            "2.0000000000000000001",
            "\"2\"",
            "true",
            "[2]",
        ] {
            assert!(read(text).unwrap_err().contains("Must be a whole number from -100 to 100."), "{text}");
        }
    }

    fn read(body: &str) -> Result<Option<Value>, String> {
        let told = |refusal: ApiError| refusal.body(Language::English, "r");
        let mut fields = Fields::parse(body.as_bytes()).map_err(told)?;
        let value = fields.take("a");
        fields.finish().map_err(told)?;
        Ok(value)
    }

    #[test]
    fn values_are_what_is_written() {
        for value in ["null", "true", "-7", "18446744073709551615", "1.5", r#""ñ\n""#, r#"[1,["x",{}],{"b":[null]}]"#]
        {
            let expected: Value = serde_json::from_str(value).unwrap();
            assert_eq!(read(&format!(r#"{{"a":{value}}}"#)), Ok(Some(expected)), "{value}");
        }
        for private in ["RawValue", "Number"] {
            let name = format!("$serde_json::private::{private}");
            let expected: Map<String, Value> = [(name.clone(), Value::String("7".to_owned()))].into_iter().collect();
            assert_eq!(read(&format!(r#"{{"a":{{"{name}":"7"}}}}"#)), Ok(Some(Value::Object(expected))));
        }
    }

    #[test]
    fn names_that_are_there_twice_are_named_wherever_they_are() {
        for (body, field) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":{"b":1,"b":2}}"#, "a.b"),
            (r#"{"a":[0,{"b":{"c":1,"\u0063":2}}]}"#, "a[1].b.c"),
        ] {
            let error = read(body).unwrap_err();
            assert!(
                error.contains(&format!(r#"{{"campo":"{field}","mensaje":"Is there twice."}}"#)),
                "{body}: {error}"
            );
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
