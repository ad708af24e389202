//! What a request asks for, read and checked whole: route, role, path, query and body. Nothing here talks to anybody.

use almacen_contract::error::{ApiError, Code};
use almacen_contract::{cursor, tasks};
use almacen_domain::Millis;
use almacen_domain::identity::role::Role;
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::stock::task::Content;
use almacen_lambda_kit::http::HttpRequest;
use almacen_lambda_kit::query::{PageRequest, Query};

/// The most that a page may hold, and what it holds where nothing is said.
pub const LIMIT_MAX: usize = 100;
/// The name of the list in its cursors.
const LIST: &str = "tasks";

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `GET /tasks`.
    List(PageRequest<(Millis, String)>),
    /// `POST /tasks`.
    Add {
        /// What it says.
        content: Content,
        /// Which user.
        by: String,
    },
    /// `GET /tasks/{id}`.
    One(String),
    /// `PUT /tasks/{id}`.
    Replace {
        /// Which one.
        id: String,
        /// What it says from now on.
        content: Content,
        /// `If-Match`.
        expected: Precondition,
        /// Which user.
        by: String,
    },
    /// `DELETE /tasks/{id}`.
    Delete {
        /// Which one.
        id: String,
        /// `If-Match`.
        expected: Precondition,
        /// Which user.
        by: String,
    },
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 or 403 without the right, 404 for a route that is none.
    pub fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        let route = (request.method(), request.resource());
        if !matches!(route, ("GET" | "POST", "/tasks") | ("GET" | "PUT" | "DELETE", "/tasks/{id}")) {
            return Err(ApiError::new(Code::NotFound));
        }
        let by = request.caller_at_least(Role::Operator)?.user_id;
        match route {
            ("GET", "/tasks") => page(request).map(Self::List),
            ("POST", "/tasks") => Ok(Self::Add { content: tasks::content(&request.json()?)?, by }),
            ("PUT", _) => {
                let content = request.json().and_then(|body| tasks::content(&body));
                let ((id, expected), content) = ApiError::both(one(request), content)?;
                Ok(Self::Replace { id, content, expected, by })
            }
            ("DELETE", _) => one(request).map(|(id, expected)| Self::Delete { id, expected, by }),
            _ => id(request).map(Self::One),
        }
    }
}

/// Which to-do, and in which version.
fn one(request: &HttpRequest) -> Result<(String, Precondition), ApiError> {
    ApiError::both(id(request), request.if_match())
}

fn id(request: &HttpRequest) -> Result<String, ApiError> {
    tasks::task_id(&request.path_parameter("id")).map(str::to_owned)
}

fn page(request: &HttpRequest) -> Result<PageRequest<(Millis, String)>, ApiError> {
    let mut query = Query::of(request);
    let page = query.page(LIMIT_MAX, (LIST, ""), |[at, id]: [String; 2]| {
        Some((at.parse().ok()?, tasks::task_id(&id).ok()?.to_owned()))
    });
    query.finish().map(|()| page)
}

/// The cursor after a to-do.
#[must_use]
pub fn after_task((created_at, id): &(Millis, String)) -> String {
    cursor::encode(LIST, "", &[&created_at.to_string(), id])
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use serde_json::{Value, json};

    macro_rules! event {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../../../events/tasks-api/", $name, ".json"))).unwrap()
        };
    }

    const ID: &str = "task_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d";
    const USER: &str = "7d8ca528-4931-4254-9273-ea5ee853f271";

    fn read(event: Value) -> Result<Request, ApiError> {
        Request::read(&serde_json::from_value(event).unwrap())
    }

    fn told(event: Value) -> String {
        read(event).unwrap_err().body(Language::English, "r")
    }

    fn status(event: Value) -> Option<u16> {
        read(event).err().map(|refusal| refusal.code().status())
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        let content = |title: &str, description: &str, completed| Content {
            title: title.to_owned(),
            description: description.to_owned(),
            completed,
        };
        let (id, by) = (ID.to_owned(), USER.to_owned());
        assert_eq!(read(event!("list")).unwrap(), Request::List(PageRequest { limit: 20, after: None }));
        assert_eq!(
            read(event!("add")).unwrap(),
            Request::Add {
                content: content("Contar el almacén", "Pasillos 3 y 4.\nAntes del viernes.", false),
                by: by.clone()
            }
        );
        assert_eq!(read(event!("get")).unwrap(), Request::One(id.clone()));
        assert_eq!(
            read(event!("replace")).unwrap(),
            Request::Replace {
                id: id.clone(),
                content: content("Contar el almacén", "", true),
                expected: Precondition::OneOf(vec![1]),
                by: by.clone()
            }
        );
        assert_eq!(read(event!("delete")).unwrap(), Request::Delete { id, expected: Precondition::Any, by });
    }

    #[test]
    fn operators_only() {
        for event in [event!("list"), event!("add"), event!("get"), event!("replace"), event!("delete")] {
            for (role, expected) in [("admin", None), ("operador", None), ("cliente", Some(403)), ("root", Some(401))] {
                let mut event = event.clone();
                event["requestContext"]["authorizer"]["rol"] = json!(role);
                assert_eq!(status(event.clone()), expected, "{role} {event}");
            }
            let mut nobody = event.clone();
            nobody["requestContext"]["authorizer"] = Value::Null;
            assert_eq!(status(nobody), Some(401), "{event}");
        }
    }

    #[test]
    fn everything_wrong_with_the_list_is_named_at_once() {
        let with = |query: Value| {
            let mut event = event!("list");
            event["queryStringParameters"] = query;
            event
        };
        assert_eq!(
            told(with(json!({"cursor": "x", "limit": "0", "utm_source": "mail"}))),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"cursor","mensaje":"This is not a cursor of this list."},{"campo":"limit","mensaje":"Must be a whole number from 1 to 100."}],"solicitudId":"r"}}"#
        );
        for limit in ["101", "-1", "1.5", "x", "", " 5", "99999999999999999999"] {
            assert!(told(with(json!({"limit": limit}))).contains("\"limit\""), "{limit}");
        }
        assert_eq!(read(with(Value::Null)).unwrap(), Request::List(PageRequest { limit: 100, after: None }));
        let after = (1_705_834_800_123, ID.to_owned());
        assert_eq!(
            read(with(json!({"cursor": after_task(&after), "limit": "1"}))).unwrap(),
            Request::List(PageRequest { limit: 1, after: Some(after) })
        );
        let of_another = cursor::encode("imports", "", &["1705834800123", "imp_1"]);
        assert_eq!(status(with(json!({"cursor": of_another}))), Some(400));
        let no_time = cursor::encode(LIST, "", &["noon", ID]);
        assert_eq!(status(with(json!({"cursor": no_time}))), Some(400));
    }

    #[test]
    fn bad_ids_bodies_and_headers() {
        for event in [event!("get"), event!("replace"), event!("delete")] {
            for id in ["", "x", "restock%23Berlin", "task_..%2Fx", &"9".repeat(5_000)] {
                let mut event = event.clone();
                event["pathParameters"]["id"] = json!(id);
                assert!(told(event).contains(r#""campo":"id""#), "{id}");
            }
        }
        let replace_with = |body: Value, content_type: &str, if_match: Option<&str>| {
            let mut event = event!("replace");
            event["body"] = body;
            event["headers"] = json!({"content-type": content_type, "if-match": if_match});
            status(event)
        };
        let good = json!("{\"title\":\"a\"}");
        assert_eq!(replace_with(good.clone(), "application/json", None), None);
        assert_eq!(replace_with(good.clone(), "application/json", Some("1")), Some(400));
        assert_eq!(replace_with(good, "text/plain", None), Some(415));
        assert_eq!(replace_with(Value::Null, "application/json", None), Some(400));
        assert_eq!(replace_with(json!(" ".repeat(140_000)), "application/json", None), Some(413));
    }

    #[test]
    fn other_routes_are_none() {
        for (method, resource) in [("PATCH", "/tasks/{id}"), ("DELETE", "/tasks"), ("GET", "/other")] {
            let mut event = event!("get");
            event["httpMethod"] = json!(method);
            event["resource"] = json!(resource);
            assert_eq!(status(event), Some(404), "{method} {resource}");
        }
    }
}
