//! Every answer that any test gets, held against docs/openapi.yaml.
//!
//! An answer must have a status that the document knows for its route, the headers that it promises, and a body of its
//! schema, which allows no field that is not written there. A body that was accepted must have been of the schema of
//! requests. So each test of this package is a test of the document as well.

use std::collections::HashMap;
use std::fs;
use std::sync::{Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::stack::{Answer, root};

/// The methods that an OpenAPI path may have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One route of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `GET`.
    pub(crate) method: String,
    /// `/items/{store}`.
    pub(crate) path: String,
    /// What the document says of it.
    pub(crate) about: Value,
    /// The least role, `None` where no token is needed.
    pub(crate) role: Option<String>,
}

/// docs/openapi.yaml, read.
#[derive(Debug)]
pub(crate) struct Document {
    whole: Value,
    pub(crate) operations: Vec<Operation>,
}

/// The document.
pub(crate) fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::read(&fs::read_to_string(root().join("docs/openapi.yaml")).unwrap()))
}

impl Document {
    fn read(text: &str) -> Self {
        let mut yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).expect("docs/openapi.yaml is YAML");
        yaml.apply_merge().unwrap();
        let whole: Value = serde_json::to_value(yaml).unwrap();
        let mut operations = Vec::new();
        for (path, item) in whole["paths"].as_object().unwrap() {
            for method in METHODS {
                let Some(about) = item.get(method) else { continue };
                let security = about.get("security").unwrap_or(&whole["security"]).as_array().unwrap();
                // Scopes of the scheme `bearer` are roles; none means any.
                let bearer = security.iter().find_map(|one| one.get("bearer"));
                let role = bearer.map(|roles| roles[0].as_str().unwrap_or("cliente").to_owned());
                assert!(role.is_some() || security.is_empty(), "{method} {path}: a security that is not understood");
                operations.push(Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    about: about.clone(),
                    role,
                });
            }
        }
        Self { whole, operations }
    }

    /// What a `$ref` leads to.
    fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(target) => self.whole.pointer(target.trim_start_matches('#')).unwrap_or_else(|| panic!("no {target}")),
            None => value,
        }
    }

    /// The operation that a call of this method and path means: names before parameters, as the gateway has it.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let segments: Vec<&str> = path.split(['?', '#']).next().unwrap_or_default().split('/').collect();
        let fits = |operation: &&Operation| {
            let pattern: Vec<&str> = operation.path.split('/').collect();
            operation.method == method
                && pattern.len() == segments.len()
                && pattern
                    .iter()
                    .zip(&segments)
                    .all(|(one, got)| one == got || (one.starts_with('{') && !got.is_empty()))
        };
        self.operations.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Is `value` of this schema of the document?
    pub(crate) fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        static MADE: Mutex<Option<HashMap<String, &'static Validator>>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = *made.get_or_insert_default().entry(schema.to_string()).or_insert_with(|| {
            // Beside the components, so that references among them are found.
            let whole = json!({"allOf": [schema], "components": self.whole["components"]});
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            let validator = options.build(&whole).unwrap_or_else(|error| panic!("{schema}: {error}"));
            Box::leak(Box::new(validator))
        });
        drop(made);
        let problems: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    /// What is wrong with an answer, if anything.
    fn check(&self, method: &str, path: &str, sent: Sent<'_>, answer: &Answer) -> Result<(), String> {
        let Some(operation) = self.operation(method, path) else {
            // No route of ours: the gateway's own words, or a preflight.
            let error = json!({"$ref": "#/components/schemas/Error"});
            return if answer.status < 400 { Ok(()) } else { self.validate(&error, &body_of(answer)?) };
        };
        let status = answer.status.to_string();
        let response = operation.about["responses"].get(&status).map(|response| self.follow(response));
        let response = response.ok_or_else(|| format!("status {status} is not documented"))?;
        for (name, header) in response["headers"].as_object().unwrap_or(&Map::new()) {
            let (header, got) = (self.follow(header), answer.header(name));
            if !got.is_empty() {
                self.validate(&header["schema"], &json!(got)).map_err(|problem| format!("header {name}: {problem}"))?;
            } else if header["required"] == true {
                return Err(format!("there is no header {name}"));
            }
        }
        let kind = answer.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
        match response["content"].as_object() {
            None if answer.bytes.is_empty() => {}
            None => return Err("there should be no body".to_owned()),
            Some(content) => {
                let media = content.get(&kind).ok_or_else(|| format!("type {kind:?} is not documented"))?;
                let body = if kind == "application/json" { body_of(answer)? } else { json!(answer.text()) };
                self.validate(&media["schema"], &body)?;
            }
        }
        if answer.status < 300 { self.accepted(operation, sent) } else { Ok(()) }
    }

    /// What was accepted must be what the document lets a caller send.
    fn accepted(&self, operation: &Operation, Sent { kind, body }: Sent<'_>) -> Result<(), String> {
        let Some(content) = operation.about["requestBody"]["content"].as_object() else {
            return if body.is_empty() { Ok(()) } else { Err("a body was accepted that is not documented".to_owned()) };
        };
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let media = content.get(&kind).ok_or_else(|| format!("{kind:?} was accepted and is not documented"))?;
        if kind != "application/json" {
            return Ok(()); // forms are checked by Schemathesis
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| format!("no JSON was accepted: {error}"))?;
        self.validate(&media["schema"], &body).map_err(|problem| format!("accepted, but not documented: {problem}"))
    }
}

/// What a call sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// The content type.
    pub(crate) kind: &'a str,
    pub(crate) body: &'a [u8],
}

fn body_of(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.bytes).map_err(|error| format!("no JSON: {error}"))
}

/// Fails the test whose call was answered in a way that the document does not know.
pub(crate) fn hold_against(method: &str, path: &str, sent: Sent<'_>, answer: &Answer) {
    if let Err(problem) = document().check(method, path, sent, answer) {
        panic!("{method} {path}: not as docs/openapi.yaml has it:\n{problem}\n{} {}", answer.status, answer.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderMap;

    fn answer(status: u16, kind: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-request-id", "r"), ("content-type", kind)] {
            headers.insert(name, value.parse().unwrap());
        }
        Answer { status, headers, bytes: body.as_bytes().to_vec() }
    }

    fn told(method: &str, path: &str, sent: &str, answer: &Answer) -> String {
        let sent = Sent { kind: "application/json", body: sent.as_bytes() };
        document().check(method, path, sent, answer).err().unwrap_or_default()
    }

    #[test]
    fn what_is_not_documented_is_noticed() {
        let json = "application/json; charset=utf-8";
        let stores = |body: &str| told("GET", "/stores?limit=3", "", &answer(200, json, body));
        assert_eq!(stores(r#"{"stores":[{"store":"Berlin","lines":4,"low":1}]}"#), "");
        for (body, part) in [
            (r#"{"stores":[{"store":"Berlin","lines":4,"low":1,"owner":"x"}]}"#, "owner"),
            (r#"{"stores":[{"store":"Berlin","lines":4}]}"#, "low"),
            (r#"{"stores":[{"store":"","lines":4,"low":1}]}"#, "/stores/0/store"),
            (r#"{"stores":[],"next":null}"#, "/next"),
            ("", "no JSON"),
        ] {
            assert!(stores(body).contains(part), "{body}: {}", stores(body));
        }
        assert!(told("GET", "/stores", "", &answer(418, json, "{}")).contains("418 is not documented"));
        assert!(told("GET", "/stores", "", &answer(200, "text/plain", "{}")).contains("text/plain"));
        let line = r#"{"store":"Berlin","item":"Té","count":8,"available":8,"reserved":0,"threshold":5,"low":false,"updatedAt":"2024-01-21T11:00:00Z"}"#;
        assert!(told("GET", "/items/Berlin/T%C3%A9", "", &answer(200, json, line)).contains("no header etag"));
        let mut tagged = answer(200, json, line);
        tagged.headers.insert("etag", "\"1\"".parse().unwrap());
        assert_eq!(told("PATCH", "/items/Berlin/T%C3%A9", r#"{"adjust":-3}"#, &tagged), "");
        assert!(told("PATCH", "/items/Berlin/T%C3%A9", r#"{"adjust":-3,"by":"x"}"#, &tagged).contains("by"));
        assert!(told("PATCH", "/items/Berlin/T%C3%A9", "", &tagged).contains("no JSON was accepted"));
        assert!(told("GET", "/nothing", "", &answer(404, json, r#"{"message":"no"}"#)).contains("message"));
    }

    #[test]
    fn names_come_before_parameters() {
        let path = |method, path| document().operation(method, path).map(|operation| operation.path.as_str());
        assert_eq!(path("GET", "/items/a%2Fb/c?x=1"), Some("/items/{store}/{item}"));
        assert_eq!(path("DELETE", "/items/a"), None);
        assert_eq!(path("GET", "/items/"), None);
    }
}
