//! Reads a request's path and query, and collects every problem, not only the first.
//!
//! Unknown parameters are ignored: links are shared with all sorts of things appended. A blank parameter is absent:
//! forms send them so.

use std::ops::RangeInclusive;

use almacen_contract::cursor;
use almacen_contract::error::{ApiError, Detail, Text};
use almacen_domain::kernel::name::NameError;

use crate::http::HttpRequest;

/// Which page of a list is wanted, by the key after which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Elements of the page, at most.
    pub limit: usize,
    /// Key of the last element of the page before; `None` for the first page.
    pub after: Option<K>,
}

/// Reads path and query of one request. [`Query::finish`] ends it.
#[derive(Debug)]
pub struct Query<'a> {
    request: &'a HttpRequest,
    problems: Vec<Detail>,
}

impl<'a> Query<'a> {
    /// Of this request.
    #[must_use]
    pub fn of(request: &'a HttpRequest) -> Self {
        Self { request, problems: Vec::new() }
    }

    /// A parameter of the query; `None` where it is absent or blank.
    #[must_use]
    pub fn text(&self, parameter: &str) -> Option<&'a str> {
        self.request.query(parameter).filter(|text| !text.trim().is_empty())
    }

    /// A parameter of the query with at most `max` characters.
    pub fn short_text(&mut self, parameter: &str, max: usize) -> Option<&'a str> {
        let text = self.text(parameter)?;
        if text.chars().nth(max).is_some() {
            self.problem(parameter, Text::name(NameError::TooLong { max }));
        }
        Some(text)
    }

    /// A parameter of the path, by the rule of its type; `None` where a problem was named.
    pub fn path<T>(&mut self, parameter: &str, parse: impl Fn(&str) -> Result<T, NameError>) -> Option<T> {
        let parsed = parse(&self.request.path_parameter(parameter));
        parsed.map_err(|error| self.problems.push(Detail::name(parameter, error))).ok()
    }

    /// `true` or `false`; absent is `false`.
    pub fn flag(&mut self, parameter: &str) -> bool {
        match self.text(parameter) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.problem(parameter, Text::fixed("Debe ser true o false.", "Must be true or false."));
                false
            }
        }
    }

    /// A whole number in this range.
    pub fn whole(&mut self, parameter: &str, range: RangeInclusive<usize>, default: usize) -> usize {
        self.text(parameter).map_or(default, |text| self.whole_of(parameter, text, range, default))
    }

    fn whole_of(&mut self, parameter: &str, text: &str, range: RangeInclusive<usize>, default: usize) -> usize {
        // `parse` would take a plus sign, which a query writes for a space.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && range.contains(number)).unwrap_or_else(|| {
            let (from, to) = (range.start(), range.end());
            self.problem(
                parameter,
                Text::made(
                    format!("Debe ser un número entero de {from} a {to}."),
                    format!("Must be a whole number from {from} to {to}."),
                ),
            );
            default
        })
    }

    /// The parameters `limit` and `cursor`. A cursor of `list` and `scope` is made into its key by `key`, which checks it: a
    /// cursor is the caller's to change.
    pub fn page<const N: usize, K>(
        &mut self,
        limit_max: usize,
        (list, scope): (&str, &str),
        key: impl Fn([String; N]) -> Option<K>,
    ) -> PageRequest<K> {
        let after = self.text("cursor").and_then(|text| {
            let after = cursor::decode(list, scope, text).and_then(key);
            if after.is_none() {
                let text = Text::fixed("No es un cursor de esta lista.", "This is not a cursor of this list.");
                self.problem("cursor", text);
            }
            after
        });
        // A blank `limit` has always been refused; the parameters of the shop's lists, which forms send, are not.
        let limit = self
            .request
            .query("limit")
            .map_or(limit_max, |text| self.whole_of("limit", text, 1..=limit_max, limit_max));
        PageRequest { limit, after }
    }

    /// Names a problem.
    pub fn problem(&mut self, field: &str, text: Text) {
        self.problems.push(Detail::new(field, text));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 400 naming every problem.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::kernel::name::StoreId;
    use serde_json::{Value, json};

    fn request(query: Value) -> HttpRequest {
        let event = json!({"path": "/items/%20", "pathParameters": {"store": "%20"}, "queryStringParameters": query});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn what_is_absent_or_blank_has_its_default() {
        for query in [Value::Null, json!({"cursor": "", "low": "", "q": " ", "n": "", "utm_source": "mail"})] {
            let request = request(query);
            let mut query = Query::of(&request);
            let page = query.page(7, ("list", ""), |[key]: [String; 1]| Some(key));
            assert_eq!(page, PageRequest { limit: 7, after: None });
            assert_eq!((query.flag("low"), query.whole("n", 1..=9, 4), query.short_text("q", 3)), (false, 4, None));
            assert_eq!(query.finish(), Ok(()));
        }
    }

    #[test]
    fn every_problem_is_named() {
        let request = request(json!({"limit": "+5", "cursor": "x", "low": "yes", "q": "four"}));
        let mut query = Query::of(&request);
        query.page(7, ("list", ""), |[key]: [String; 1]| Some(key));
        query.flag("low");
        query.short_text("q", 3);
        assert_eq!(query.path("store", StoreId::parse), None);
        assert_eq!(
            query.finish().unwrap_err().body(Language::English, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"cursor","mensaje":"This is not a cursor of this list."},{"campo":"limit","mensaje":"Must be a whole number from 1 to 7."},{"campo":"low","mensaje":"Must be true or false."},{"campo":"q","mensaje":"Has more than 3 characters."},{"campo":"store","mensaje":"Must not be blank."}],"solicitudId":"r"}}"#
        );
    }

    #[test]
    fn a_cursor_goes_on_after_its_key() {
        let request = request(json!({"limit": "2", "cursor": cursor::encode("list", "Berlin", &["Café"])}));
        let mut query = Query::of(&request);
        let page = query.page(7, ("list", "Berlin"), |[key]: [String; 1]| Some(key));
        assert_eq!(page, PageRequest { limit: 2, after: Some("Café".to_owned()) });
        let refuse = |[_]: [String; 1]| None::<String>;
        assert_eq!(query.page(7, ("list", "Berlin"), refuse).after, None);
        assert!(query.finish().is_err());
    }
}
