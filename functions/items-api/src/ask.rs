//! What a request asks for, read and checked whole: route, role, path, query and body. Nothing here talks to anybody.

use almacen_contract::error::{ApiError, Code, Detail, Text};
use almacen_contract::imports::NewImport;
use almacen_contract::{cursor, imports, items};
use almacen_domain::Millis;
use almacen_domain::name::{Sku, StoreId};
use almacen_domain::patch::{Expected, Patch};
use almacen_domain::role::Role;
use almacen_domain::search::{NEEDLE_CHARS_MAX, Needle};
use almacen_lambda_kit::http::Request;

/// The most that a page may hold, and what it holds where nothing is said.
pub const LIMIT_MAX: usize = 100;

/// How much of a list is wanted, and after what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<K> {
    /// Things on the page.
    pub limit: usize,
    /// The last thing of the page before.
    pub after: Option<K>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `GET /items`.
    AllLines(Slice<(String, String)>),
    /// `GET /items/{store}`.
    StoreLines {
        /// Which store.
        store: StoreId,
        /// Only lines whose item contains this.
        needle: Option<Needle>,
        /// Only low ones.
        low: bool,
        /// Which page.
        slice: Slice<String>,
    },
    /// `GET /items/{store}/{item}`.
    Line(StoreId, Sku),
    /// `PATCH /items/{store}/{item}`.
    PatchLine {
        /// Which store.
        store: StoreId,
        /// Which item.
        sku: Sku,
        /// What changes.
        patch: Patch,
        /// `If-Match`.
        expected: Expected,
        /// Which user.
        by: String,
    },
    /// `GET /stores`.
    Stores(Slice<String>),
    /// `POST /imports`.
    NewImport {
        /// What is announced.
        new: NewImport,
        /// Which user.
        by: String,
    },
    /// `GET /imports`.
    Imports(Slice<(Millis, String)>),
    /// `GET /imports/{id}`.
    Import(String),
}

/// The lists that have cursors of their own.
mod list {
    pub(super) const LINES: &str = "lines";
    pub(super) const STORE_LINES: &str = "store";
    pub(super) const LOW_LINES: &str = "low";
    pub(super) const STORES: &str = "stores";
    pub(super) const IMPORTS: &str = "imports";
}

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 or 403 without the right, 404 for a route that is none.
    pub fn read(request: &Request) -> Result<Self, ApiError> {
        match (request.method(), request.resource()) {
            ("GET", "/items") => {
                request.caller()?;
                let mut query = Query::of(request);
                let after = query.after(list::LINES, "", |[store, sku]: [String; 2]| Some((store, sku)));
                query.slice(after).map(Self::AllLines)
            }
            ("GET", "/items/{store}") => {
                request.caller()?;
                let mut query = Query::of(request);
                let store = query.named("store", StoreId::parse);
                let low = query.flag("low");
                let needle = query.needle("q");
                let name = store.as_ref().map(StoreId::as_str).unwrap_or_default();
                let after = query.after(lines_list(low), name, |[sku]: [String; 1]| Some(sku));
                let slice = query.slice(after)?;
                // A store that could not be read is among the problems, so it has ended above.
                let store = store.ok_or_else(|| ApiError::new(Code::NotFound))?;
                Ok(Self::StoreLines { store, needle, low, slice })
            }
            ("GET", "/items/{store}/{item}" | "/items/{store}/{item+}") => {
                request.caller()?;
                let (store, sku) = line(request)?;
                Ok(Self::Line(store, sku))
            }
            ("PATCH", "/items/{store}/{item}" | "/items/{store}/{item+}") => {
                let caller = request.caller_at_least(Role::Operator)?;
                let patch = request.json().and_then(|body| items::patch(&body));
                let (line, (expected, patch)) =
                    ApiError::both(line(request), ApiError::both(request.if_match(), patch))?;
                let (store, sku) = line;
                Ok(Self::PatchLine { store, sku, patch, expected, by: caller.user_id })
            }
            ("GET", "/stores") => {
                request.caller()?;
                let mut query = Query::of(request);
                let after = query.after(list::STORES, "", |[store]: [String; 1]| Some(store));
                query.slice(after).map(Self::Stores)
            }
            ("POST", "/imports") => {
                let caller = request.caller_at_least(Role::Operator)?;
                Ok(Self::NewImport { new: imports::new_import(&request.json()?)?, by: caller.user_id })
            }
            ("GET", "/imports") => {
                request.caller_at_least(Role::Operator)?;
                let mut query = Query::of(request);
                let after = query.after(list::IMPORTS, "", |[at, id]: [String; 2]| Some((at.parse().ok()?, id)));
                query.slice(after).map(Self::Imports)
            }
            ("GET", "/imports/{id}") => {
                request.caller_at_least(Role::Operator)?;
                imports::import_id(&request.path_parameter("id")).map(|id| Self::Import(id.to_owned()))
            }
            _ => Err(ApiError::new(Code::NotFound)),
        }
    }
}

fn lines_list(low: bool) -> &'static str {
    if low { list::LOW_LINES } else { list::STORE_LINES }
}

/// The cursor after a line of every store's.
#[must_use]
pub fn after_line((store, sku): &(String, String)) -> String {
    cursor::encode(list::LINES, "", &[store, sku])
}

/// The cursor after a line of one store's.
#[must_use]
pub fn after_store_line(store: &StoreId, low: bool, sku: &str) -> String {
    cursor::encode(lines_list(low), store.as_str(), &[sku])
}

/// The cursor after a store.
#[must_use]
pub fn after_store(store: &str) -> String {
    cursor::encode(list::STORES, "", &[store])
}

/// The cursor after an import.
#[must_use]
pub fn after_import((created_at, id): &(Millis, String)) -> String {
    cursor::encode(list::IMPORTS, "", &[&created_at.to_string(), id])
}

fn line(request: &Request) -> Result<(StoreId, Sku), ApiError> {
    let mut query = Query::of(request);
    let (store, sku) = (query.named("store", StoreId::parse), query.named("item", Sku::parse));
    match (store, sku) {
        (Some(store), Some(sku)) => Ok((store, sku)),
        _ => Err(ApiError::invalid(query.problems)),
    }
}

/// A request's path and query while they are being read. Parameters that no list knows are passed over: addresses are
/// handed about with all sorts of things appended.
struct Query<'a> {
    request: &'a Request,
    problems: Vec<Detail>,
}

impl<'a> Query<'a> {
    fn of(request: &'a Request) -> Self {
        Self { request, problems: Vec::new() }
    }

    fn named<T>(
        &mut self,
        parameter: &str,
        parse: impl Fn(&str) -> Result<T, almacen_domain::name::NameError>,
    ) -> Option<T> {
        parse(&self.request.path_parameter(parameter))
            .map_err(|error| self.problems.push(Detail::name(parameter, error)))
            .ok()
    }

    fn flag(&mut self, parameter: &str) -> bool {
        match self.request.query(parameter) {
            None | Some("false" | "") => false,
            Some("true") => true,
            Some(_) => {
                self.problem(parameter, Text::fixed("Debe ser true o false.", "Must be true or false."));
                false
            }
        }
    }

    fn needle(&mut self, parameter: &str) -> Option<Needle> {
        let text = self.request.query(parameter).filter(|text| !text.trim().is_empty())?;
        let needle = Needle::new(text);
        if needle.is_none() {
            self.problem(
                parameter,
                Text::made(
                    format!("Tiene más de {NEEDLE_CHARS_MAX} caracteres."),
                    format!("Has more than {NEEDLE_CHARS_MAX} characters."),
                ),
            );
        }
        needle
    }

    fn after<const N: usize, K>(
        &mut self,
        list: &str,
        scope: &str,
        key: impl Fn([String; N]) -> Option<K>,
    ) -> Option<K> {
        let text = self.request.query("cursor").filter(|text| !text.is_empty())?;
        let after = cursor::decode(list, scope, text).ok().and_then(key);
        if after.is_none() {
            self.problem("cursor", Text::fixed("No es un cursor de esta lista.", "This is not a cursor of this list."));
        }
        after
    }

    fn slice<K>(mut self, after: Option<K>) -> Result<Slice<K>, ApiError> {
        let limit = match self.request.query("limit") {
            None => LIMIT_MAX,
            Some(text) => text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).unwrap_or_else(|| {
                self.problem(
                    "limit",
                    Text::made(
                        format!("Debe ser un número entero de 1 a {LIMIT_MAX}."),
                        format!("Must be a whole number from 1 to {LIMIT_MAX}."),
                    ),
                );
                LIMIT_MAX
            }),
        };
        if self.problems.is_empty() { Ok(Slice { limit, after }) } else { Err(ApiError::invalid(self.problems)) }
    }

    fn problem(&mut self, field: &str, text: Text) {
        self.problems.push(Detail::new(field, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::import::Mode;
    use almacen_domain::patch::{CountChange, ThresholdChange};
    use serde_json::{Value, json};

    macro_rules! event {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../../../events/items-api/", $name, ".json"))).unwrap()
        };
    }

    fn read(event: Value) -> Result<Ask, ApiError> {
        Ask::read(&serde_json::from_value(event).unwrap())
    }

    fn told(event: Value) -> String {
        read(event).unwrap_err().body(Language::English, "r")
    }

    fn store(name: &str) -> StoreId {
        StoreId::parse(name).unwrap()
    }

    fn as_role(mut event: Value, role: &str) -> Value {
        event["requestContext"]["authorizer"]["rol"] = json!(role);
        event
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        assert_eq!(read(event!("list")).unwrap(), Ask::AllLines(Slice { limit: 100, after: None }));
        assert_eq!(
            read(event!("store-search")).unwrap(),
            Ask::StoreLines {
                store: store("São Paulo"),
                needle: Needle::new("café"),
                low: true,
                slice: Slice { limit: 20, after: None }
            }
        );
        assert_eq!(read(event!("line")).unwrap(), Ask::Line(store("Berlin"), Sku::parse("Café 1/2 kg").unwrap()));
        assert_eq!(
            read(event!("patch")).unwrap(),
            Ask::PatchLine {
                store: store("Berlin"),
                sku: Sku::parse("Coffee beans").unwrap(),
                patch: Patch {
                    count: Some(CountChange::Adjust(-3)),
                    threshold: Some(ThresholdChange::Own(5)),
                    reason: Some("broken".to_owned())
                },
                expected: Expected::OneOf(vec![7]),
                by: "7d8ca528-4931-4254-9273-ea5ee853f271".to_owned(),
            }
        );
        assert_eq!(read(event!("stores")).unwrap(), Ask::Stores(Slice { limit: 100, after: None }));
        assert_eq!(
            read(event!("new-import")).unwrap(),
            Ask::NewImport {
                new: NewImport { file_name: "stores/Berlin/stock.csv".to_owned(), mode: Mode::Adjust, dry_run: true },
                by: "7d8ca528-4931-4254-9273-ea5ee853f271".to_owned(),
            }
        );
        assert_eq!(read(event!("imports")).unwrap(), Ask::Imports(Slice { limit: 10, after: None }));
        assert_eq!(read(event!("import")).unwrap(), Ask::Import("imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d".to_owned()));
    }

    #[test]
    fn who_may() {
        for (event, write) in [
            (event!("list"), false),
            (event!("store-search"), false),
            (event!("line"), false),
            (event!("stores"), false),
            (event!("patch"), true),
            (event!("new-import"), true),
            (event!("imports"), true),
            (event!("import"), true),
        ] {
            let status = |event| read(event).err().map(|refusal| refusal.code().status());
            assert_eq!(status(as_role(event.clone(), "admin")), None, "{event}");
            assert_eq!(status(as_role(event.clone(), "operador")), None, "{event}");
            assert_eq!(status(as_role(event.clone(), "cliente")), if write { Some(403) } else { None }, "{event}");
            let mut nobody = event.clone();
            nobody["requestContext"]["authorizer"] = Value::Null;
            assert_eq!(status(nobody), Some(401), "{event}");
        }
    }

    #[test]
    fn everything_wrong_with_a_list_is_named_at_once() {
        let mut event = event!("store-search");
        event["pathParameters"]["store"] = json!("%20");
        event["queryStringParameters"] =
            json!({"limit": "0", "cursor": "x", "low": "maybe", "q": "x".repeat(101), "utm_source": "mail"});
        assert_eq!(
            told(event),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"store","mensaje":"Must not be blank."},{"campo":"low","mensaje":"Must be true or false."},{"campo":"q","mensaje":"Has more than 100 characters."},{"campo":"cursor","mensaje":"This is not a cursor of this list."},{"campo":"limit","mensaje":"Must be a whole number from 1 to 100."}],"solicitudId":"r"}}"#
        );
        for limit in ["101", "-1", "1.5", "x", "", " 5", "99999999999999999999"] {
            let mut event = event!("list");
            event["queryStringParameters"] = json!({"limit": limit});
            assert!(told(event).contains("\"limit\""), "{limit}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_list_only() {
        let with = |mut event: Value, cursor: String| {
            event["queryStringParameters"] = json!({"cursor": cursor});
            read(event)
        };
        let berlin = |low: &str| {
            let mut event = event!("store-search");
            event["path"] = json!("/items/Berlin");
            event["pathParameters"]["store"] = json!("Berlin");
            event["queryStringParameters"] =
                json!({"low": low, "cursor": after_store_line(&store("Berlin"), false, "Té")});
            read(event)
        };
        let Ok(Ask::StoreLines { slice, .. }) = berlin("false") else { panic!("not read") };
        assert_eq!(slice.after.as_deref(), Some("Té"));
        assert!(berlin("true").is_err());

        let line = after_line(&("Berlin".to_owned(), "Té".to_owned()));
        assert!(matches!(with(event!("list"), line.clone()), Ok(Ask::AllLines(Slice { after: Some(_), .. }))));
        assert!(with(event!("stores"), line).is_err());
        assert!(matches!(with(event!("stores"), after_store("Berlin")), Ok(Ask::Stores(Slice { after: Some(_), .. }))));
        let import = after_import(&(1_705_834_800_123, "imp_1".to_owned()));
        assert!(matches!(
            with(event!("imports"), import),
            Ok(Ask::Imports(Slice { after: Some((1_705_834_800_123, _)), .. }))
        ));
        let no_time = cursor::encode("imports", "", &["yesterday", "imp_1"]);
        assert!(with(event!("imports"), no_time).is_err());
    }

    #[test]
    fn routes_names_and_bodies_that_are_none() {
        let status = |event| read(event).unwrap_err().code().status();
        let mut unknown = event!("list");
        unknown["resource"] = json!("/nothing");
        assert_eq!(status(unknown), 404);
        let mut method = event!("list");
        method["httpMethod"] = json!("DELETE");
        assert_eq!(status(method), 404);
        let mut name = event!("line");
        name["pathParameters"] = json!({"store": "%00", "item": "x".repeat(201)});
        assert_eq!(
            told(name),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"store","mensaje":"Contains characters that cannot be seen."},{"campo":"item","mensaje":"Has more than 200 characters."}],"solicitudId":"r"}}"#
        );
        let mut id = event!("import");
        id["pathParameters"]["id"] = json!("imp_..%2Fx");
        assert_eq!(status(id), 400);
        let patch_with = |body: Value, content_type: &str, if_match: Option<&str>| {
            let mut event = event!("patch");
            event["body"] = body;
            event["headers"] = json!({"content-type": content_type, "if-match": if_match});
            status(event)
        };
        assert_eq!(patch_with(json!("{"), "application/json", None), 400);
        assert_eq!(patch_with(Value::Null, "application/json", None), 400);
        assert_eq!(patch_with(json!("{\"count\":1}"), "text/csv", None), 415);
        assert_eq!(patch_with(json!(" ".repeat(140_000)), "application/json", None), 413);
        assert_eq!(patch_with(json!("{\"count\":1}"), "application/json", Some("7")), 400);
    }
}
