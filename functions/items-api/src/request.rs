//! What a request asks for, read and checked whole: route, role, path, query and body. Nothing here talks to anybody.

use almacen_contract::error::{ApiError, Code};
use almacen_contract::imports::NewImport;
use almacen_contract::{cursor, imports, items};
use almacen_domain::Millis;
use almacen_domain::identity::role::Role;
use almacen_domain::kernel::name::{NameError, Sku, StoreId};
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::kernel::search::{NEEDLE_CHARS_MAX, Needle};
use almacen_domain::stock::patch::Patch;
use almacen_lambda_kit::http::HttpRequest;
use almacen_lambda_kit::query::{PageRequest, Query};

/// The most that a page may hold, and what it holds where nothing is said.
pub const LIMIT_MAX: usize = 100;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `GET /items`.
    AllLines(PageRequest<(String, String)>),
    /// `GET /items/{store}`.
    StoreLines {
        /// Which store.
        store: StoreId,
        /// Only lines whose item contains this.
        needle: Option<Needle>,
        /// Only low ones.
        low: bool,
        /// Which page.
        page: PageRequest<String>,
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
        expected: Precondition,
        /// Which user.
        by: String,
    },
    /// `GET /stores`.
    Stores(PageRequest<String>),
    /// `POST /imports`.
    NewImport {
        /// What is announced.
        new: NewImport,
        /// Which user.
        by: String,
    },
    /// `GET /imports`.
    Imports(PageRequest<(Millis, String)>),
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

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 or 403 without the right, 404 for a route that is none.
    pub fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        match (request.method(), request.resource()) {
            ("GET", "/items") => {
                request.caller()?;
                let mut query = Query::of(request);
                let page = query.page(LIMIT_MAX, (list::LINES, ""), line_key);
                query.finish().map(|()| Self::AllLines(page))
            }
            ("GET", "/items/{store}") => {
                request.caller()?;
                let mut query = Query::of(request);
                let store = query.path("store", StoreId::parse);
                let low = query.flag("low");
                let needle = query.short_text("q", NEEDLE_CHARS_MAX).and_then(Needle::new);
                let name = store.as_ref().map(StoreId::as_str).unwrap_or_default();
                let page =
                    query.page(LIMIT_MAX, (lines_list(low), name), |[sku]: [String; 1]| checked(sku, Sku::parse));
                query.finish()?;
                // A store that could not be read is among the problems, so it has ended above.
                let store = store.ok_or_else(|| ApiError::new(Code::NotFound))?;
                Ok(Self::StoreLines { store, needle, low, page })
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
                let key = |[store]: [String; 1]| checked(store, StoreId::parse);
                let page = query.page(LIMIT_MAX, (list::STORES, ""), key);
                query.finish().map(|()| Self::Stores(page))
            }
            ("POST", "/imports") => {
                let caller = request.caller_at_least(Role::Operator)?;
                Ok(Self::NewImport { new: imports::new_import(&request.json()?)?, by: caller.user_id })
            }
            ("GET", "/imports") => {
                request.caller_at_least(Role::Operator)?;
                let mut query = Query::of(request);
                let page = query.page(LIMIT_MAX, (list::IMPORTS, ""), |[at, id]: [String; 2]| {
                    Some((at.parse().ok()?, imports::import_id(&id).ok()?.to_owned()))
                });
                query.finish().map(|()| Self::Imports(page))
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

fn line(request: &HttpRequest) -> Result<(StoreId, Sku), ApiError> {
    let mut query = Query::of(request);
    let (store, sku) = (query.path("store", StoreId::parse), query.path("item", Sku::parse));
    query.finish()?;
    // What could not be read is among the problems, so it has ended above.
    store.zip(sku).ok_or_else(|| ApiError::new(Code::NotFound))
}

/// A name out of a cursor, if it is one.
fn checked<T>(name: String, parse: impl Fn(&str) -> Result<T, NameError>) -> Option<String> {
    parse(&name).is_ok().then_some(name)
}

fn line_key([store, sku]: [String; 2]) -> Option<(String, String)> {
    Some((checked(store, StoreId::parse)?, checked(sku, Sku::parse)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::stock::import::Mode;
    use almacen_domain::stock::patch::{CountChange, ThresholdChange};
    use serde_json::{Value, json};

    macro_rules! event {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../../../events/items-api/", $name, ".json"))).unwrap()
        };
    }

    fn read(event: Value) -> Result<Request, ApiError> {
        Request::read(&serde_json::from_value(event).unwrap())
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
        assert_eq!(read(event!("list")).unwrap(), Request::AllLines(PageRequest { limit: 100, after: None }));
        assert_eq!(
            read(event!("store-search")).unwrap(),
            Request::StoreLines {
                store: store("São Paulo"),
                needle: Needle::new("café"),
                low: true,
                page: PageRequest { limit: 20, after: None }
            }
        );
        assert_eq!(read(event!("line")).unwrap(), Request::Line(store("Berlin"), Sku::parse("Café 1/2 kg").unwrap()));
        assert_eq!(
            read(event!("patch")).unwrap(),
            Request::PatchLine {
                store: store("Berlin"),
                sku: Sku::parse("Coffee beans").unwrap(),
                patch: Patch {
                    count: Some(CountChange::Adjust(-3)),
                    threshold: Some(ThresholdChange::Own(5)),
                    reason: Some("broken".to_owned())
                },
                expected: Precondition::OneOf(vec![7]),
                by: "7d8ca528-4931-4254-9273-ea5ee853f271".to_owned(),
            }
        );
        assert_eq!(read(event!("stores")).unwrap(), Request::Stores(PageRequest { limit: 100, after: None }));
        assert_eq!(
            read(event!("new-import")).unwrap(),
            Request::NewImport {
                new: NewImport { file_name: "stores/Berlin/stock.csv".to_owned(), mode: Mode::Adjust, dry_run: true },
                by: "7d8ca528-4931-4254-9273-ea5ee853f271".to_owned(),
            }
        );
        assert_eq!(read(event!("imports")).unwrap(), Request::Imports(PageRequest { limit: 10, after: None }));
        assert_eq!(read(event!("import")).unwrap(), Request::Import("imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d".to_owned()));
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
        let Ok(Request::StoreLines { page, .. }) = berlin("false") else { panic!("not read") };
        assert_eq!(page.after.as_deref(), Some("Té"));
        assert!(berlin("true").is_err());

        let line = after_line(&("Berlin".to_owned(), "Té".to_owned()));
        assert!(matches!(
            with(event!("list"), line.clone()),
            Ok(Request::AllLines(PageRequest { after: Some(_), .. }))
        ));
        assert!(with(event!("stores"), line).is_err());
        assert!(matches!(
            with(event!("stores"), after_store("Berlin")),
            Ok(Request::Stores(PageRequest { after: Some(_), .. }))
        ));
        let import = after_import(&(1_705_834_800_123, "imp_1".to_owned()));
        assert!(matches!(
            with(event!("imports"), import),
            Ok(Request::Imports(PageRequest { after: Some((1_705_834_800_123, _)), .. }))
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
