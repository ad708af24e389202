//! The API as its callers see it.

use std::sync::Mutex;

use serde_json::Value;

use crate::document::{Sent, hold_against};
use crate::stack::{Answer, segment, stack};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    Nobody,
    /// With a token that is none.
    Stranger,
    Cliente,
    Operador,
    Admin,
}

/// A token that looks like one.
const STRANGE: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

impl As {
    fn role(self) -> Option<&'static str> {
        match self {
            Self::Nobody | Self::Stranger => None,
            Self::Cliente => Some("cliente"),
            Self::Operador => Some("operador"),
            Self::Admin => Some("admin"),
        }
    }

    pub(crate) fn token(self) -> Option<String> {
        static TOKENS: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());
        let Some(role) = self.role() else { return (self == Self::Stranger).then(|| STRANGE.to_owned()) };
        // A test that failed in here must not fail all others.
        let mut tokens = TOKENS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, token)) = tokens.iter().find(|(known, _)| *known == role) {
            return Some(token.clone());
        }
        let (username, password) = stack().user(role);
        let form = format!("username={}&password={}", segment(&username), segment(&password));
        let answer = plain("POST", "/token", &[("content-type", "application/x-www-form-urlencoded")], form.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        tokens.push((role, token.clone()));
        Some(token)
    }

    pub(crate) fn call(self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = headers.to_vec();
        let authorization = self.token().map(|token| format!("Bearer {token}"));
        if let Some(value) = &authorization {
            all.push(("authorization", value));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        plain(method, path, &all, body.as_bytes())
    }

    pub(crate) fn get(self, path: &str) -> Answer {
        self.call("GET", path, &[], "")
    }

    /// GET that must succeed.
    pub(crate) fn read(self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    pub(crate) fn patch(self, store: &str, item: &str, body: &str) -> Answer {
        self.call("PATCH", &line_path(store, item), &[], body)
    }

    /// PATCH that must succeed.
    pub(crate) fn change(self, store: &str, item: &str, body: &str) -> Value {
        let answer = self.patch(store, item, body);
        assert_eq!(answer.status, 200, "PATCH {store}/{item} {body}: {}", answer.text());
        answer.json()
    }
}

/// A call without any token. What every answer must have is checked here, for all of them.
fn plain(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let url = format!("{}{path}", stack().output("ApiUrl"));
    let answer = stack().http(method, &url, headers, body);
    // The gateway answers a preflight by itself, under a header of its own.
    let id = answer.header(if method == "OPTIONS" { "x-amzn-requestid" } else { "x-request-id" });
    assert!(
        !id.is_empty(),
        "{method} {path}: no x-request-id: {} {:?} {}",
        answer.status,
        answer.headers,
        answer.text()
    );
    gives_nothing_away(method, path, &answer);
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map_or("", |(_, kind)| kind);
    hold_against(method, path, Sent { kind, body }, &answer);
    answer
}

fn gives_nothing_away(method: &str, path: &str, answer: &Answer) {
    // The links that imports show name their bucket, as presigned links must; and the page, where its files are.
    let links = path.starts_with("/imports") || path == "/docs" || (method == "POST" && path == "/productos");
    if answer.status < 300 && links {
        return;
    }
    // On one machine the pictures' address names their bucket.
    let text = answer.text().replace(stack().output("ImagesUrl"), "");
    let name = stack().name();
    for word in ["arn:", "Traceback", "panicked", ".rs:", "dynamodb", "DynamoDB", "errorMessage", "-Table", name] {
        assert!(!text.contains(word), "{method} {path} gives {word} away: {text}");
    }
}

/// `/items/{store}/{item}`.
pub(crate) fn line_path(store: &str, item: &str) -> String {
    format!("/items/{}/{}", segment(store), segment(item))
}

/// The body of an error with its request id, which no test can know, replaced by `ID`. The id must be the header's.
pub(crate) fn error_text(answer: &Answer) -> String {
    let id = answer.json()["error"]["solicitudId"].as_str().unwrap_or_default().to_owned();
    assert_eq!(id, answer.header("x-request-id"), "the id in the body is the header's: {}", answer.text());
    answer.text().replace(&id, "ID")
}
