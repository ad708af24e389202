//! Requests and answers of functions behind the REST API (API Gateway's proxy integration).
//!
//! A function is given a [`HttpRequest`] and answers a [`Reply`] or a [`RequestError`]; this module makes either into what the
//! gateway expects, with the headers that every answer carries, and logs what failed, once. The event is read with a few types of our own, because
//! that is all a function looks at: the gateway's whole event has some sixty fields.
//!
//! A request's way: its route stands under `paths` of the template's `Api`; the gateway answers preflights itself. It asks
//! `authorize` first, unless the route is open, and counts the request on the usage plan that `authorize` names. The
//! function takes user and role from the authorizer's context, parses path, query and body into domain types naming
//! every bad field, makes one call, and converts once. A failure becomes an answer in `almacen_contract::error`.
//!
//! Invariant: user and role come from the authorizer's context alone; no header or field of a request is evidence of
//! them.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use almacen_contract::error::{ApiError, Code, Language, RequestError, Text, Unserialisable};
use almacen_domain::identity::role::Role;
use almacen_domain::kernel::precondition::Precondition;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::Context;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::log::error_chain;
use crate::start::{Deadline, Failure, Function};

/// The largest request body read, in bytes: a product with every text as long as it may be, at four bytes a letter, has 88
/// KiB.
pub const BODY_BYTES_MAX: usize = 128 * 1024;
/// Entity tags read from one header; the rest is ignored.
const TAGS_MAX: usize = 16;
/// The gateway gives up after 29 s; an answer has to be under way before that.
const ANSWER_WITHIN: Duration = Duration::from_secs(26);
/// And before Lambda ends the invocation.
const BEFORE_DEADLINE: Duration = Duration::from_millis(500);

/// What a page on another origin may read. What it may send, the gateway says by itself: `Cors` in the template.
const EXPOSED_HEADERS: &str = "etag,location,retry-after,x-request-id";

/// A request as the gateway hands it over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    http_method: String,
    #[serde(default)]
    headers: Option<HashMap<String, Option<String>>>,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, Option<String>>>,
    #[serde(default)]
    path_parameters: Option<HashMap<String, Option<String>>>,
    #[serde(default)]
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    api_id: String,
    #[serde(default)]
    domain_name: String,
    /// With the stage, or with what stands in its place below a domain of one's own.
    #[serde(default)]
    path: String,
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

/// What the function `authorize` said about the caller. Nothing else in a request is evidence of who it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorizer {
    #[serde(default)]
    usuario_id: Option<String>,
    #[serde(default)]
    rol: Option<String>,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user's id, which never changes.
    pub user_id: String,
    /// The highest role.
    pub role: Role,
}

impl HttpRequest {
    /// `GET`, `POST` …
    #[must_use]
    pub fn method(&self) -> &str {
        &self.http_method
    }

    /// The route as the template spells it, such as `/items/{store}`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The gateway's id of this request; it goes back to the caller and into the log.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.request_context.request_id
    }

    /// Where the API stands, as its callers write it, without a slash at the end. `root` is what stands before the stage:
    /// `https://{domainName}` on AWS, where that is the domain that was called; `{apiId}` is filled in as well. Only the
    /// gateway's own words go into it, never a header of the caller's. For routes without parameters.
    #[must_use]
    pub fn api_url(&self, root: &str) -> String {
        let context = &self.request_context;
        let root = root.replace("{domainName}", &context.domain_name).replace("{apiId}", &context.api_id);
        let base = context.path.strip_suffix(self.resource.as_str()).unwrap_or_default();
        format!("{root}{base}")
    }

    /// The language to answer in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.header("accept-language").map(Language::preferred).unwrap_or_default()
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.as_ref()?;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_deref())
    }

    /// A query parameter. The gateway has already decoded it.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get(name)?.as_deref()
    }

    /// A path parameter, decoded.
    ///
    /// AWS hands the path and its parameters over as the client sent them, `caf%C3%A9%2F1` (aws-sam-cli #771, #3524).
    /// MiniStack 1.5.33 decodes the path first, `café/1`, and cuts it into parameters after that; so a template has to
    /// take a name that may contain a slash as the rest of the path, `{item+}`, which on AWS means the same.
    /// The two are told apart by what cannot stand in an encoded path: then it was decoded, and a percent sign in it
    /// is a percent sign. What is left is a name such as `a%20b` on the local stack alone, which is read as `a b`.
    /// A plus sign is a plus sign: only query strings write a space so.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> String {
        let raw = self.path_parameters.as_ref().and_then(|all| all.get(name)?.as_deref()).unwrap_or_default();
        if !is_encoded(&self.path) || !is_encoded(raw) {
            return raw.to_owned();
        }
        percent_decode_str(raw).decode_utf8().map_or_else(|_| raw.to_owned(), |decoded| decoded.into_owned())
    }

    /// Who is calling.
    ///
    /// # Errors
    /// 401 where the authorizer said nothing, which on a route without one is always.
    pub fn caller(&self) -> Result<Caller, ApiError> {
        let authorizer = self.request_context.authorizer.as_ref();
        let user_id = authorizer.and_then(|a| a.usuario_id.clone()).filter(|id| !id.is_empty());
        let role = authorizer.and_then(|a| a.rol.as_deref()).and_then(Role::parse);
        match (user_id, role) {
            (Some(user_id), Some(role)) => Ok(Caller { user_id, role }),
            _ => Err(ApiError::new(Code::Unauthorized)),
        }
    }

    /// Who is calling, if the role suffices.
    ///
    /// # Errors
    /// 401 as [`HttpRequest::caller`]; 403 below `least`.
    pub fn caller_at_least(&self, least: Role) -> Result<Caller, ApiError> {
        let caller = self.caller()?;
        if caller.role >= least { Ok(caller) } else { Err(ApiError::new(Code::Forbidden)) }
    }

    /// The body, which must be JSON.
    ///
    /// # Errors
    /// 413, 415, or 400 where the gateway's base64 is broken.
    pub fn json(&self) -> Result<Vec<u8>, ApiError> {
        self.body(&["application/json"]).map(|(_, body)| body)
    }

    /// The body, which must be of one of these types, and of which.
    ///
    /// # Errors
    /// 413, 415, or 400 where the gateway's base64 is broken.
    pub fn body<'a>(&self, types: &[&'a str]) -> Result<(&'a str, Vec<u8>), ApiError> {
        let header = self.header("content-type").unwrap_or_default();
        let mut parts = header.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let found = types.iter().find(|one| essence.eq_ignore_ascii_case(one));
        let foreign_charset = parts.any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            name.eq_ignore_ascii_case("charset") && !value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
        let Some(found) = found.filter(|_| !foreign_charset) else {
            let accepted = types.join(", ");
            return Err(ApiError::new(Code::UnsupportedType).saying(Text::made(
                format!("El tipo de contenido debe ser {accepted} (UTF-8)."),
                format!("The content type must be {accepted} (UTF-8)."),
            )));
        };
        let text = self.body.as_deref().unwrap_or_default();
        let too_large = || {
            ApiError::new(Code::TooLarge).saying(Text::made(
                format!("El cuerpo pasa de {BODY_BYTES_MAX} bytes."),
                format!("The body is larger than {BODY_BYTES_MAX} bytes."),
            ))
        };
        if !self.is_base64_encoded {
            return if text.len() > BODY_BYTES_MAX { Err(too_large()) } else { Ok((*found, text.as_bytes().to_vec())) };
        }
        if text.len() > BODY_BYTES_MAX.div_ceil(3) * 4 {
            return Err(too_large());
        }
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| ApiError::invalid_field("body", Text::fixed("No es base64 válido.", "Not valid base64.")))?;
        if bytes.len() > BODY_BYTES_MAX { Err(too_large()) } else { Ok((*found, bytes)) }
    }

    /// Which versions `If-Match` is content with (RFC 9110, 13.1.1: a weak tag never matches strongly, and `*` matches
    /// whatever exists).
    ///
    /// # Errors
    /// 400 where the header is no list of entity tags.
    pub fn if_match(&self) -> Result<Precondition, ApiError> {
        let Some(header) = self.header("if-match") else { return Ok(Precondition::Any) };
        match tags(header) {
            Some(Tags::Any) => Ok(Precondition::Any),
            Some(Tags::List(list)) => Ok(Precondition::OneOf(
                list.into_iter().filter(|tag| !tag.weak).filter_map(|tag| tag.version).collect(),
            )),
            None => Err(ApiError::invalid_field(
                "If-Match",
                Text::fixed(r#"Debe ser * o etiquetas como "3"."#, r#"Must be * or tags such as "3"."#),
            )),
        }
    }

    /// Does the caller have `version` already (`If-None-Match`, compared weakly)? A header that cannot be read is
    /// ignored: the whole answer is never wrong.
    #[must_use]
    pub fn has_already(&self, version: i64) -> bool {
        match self.header("if-none-match").and_then(tags) {
            Some(Tags::Any) => true,
            Some(Tags::List(list)) => list.iter().any(|tag| tag.version == Some(version)),
            None => false,
        }
    }
}

/// A version as a strong entity tag.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

enum Tags {
    Any,
    List(Vec<Tag>),
}

struct Tag {
    weak: bool,
    /// `None` for a tag that we never gave out: it matches nothing.
    version: Option<i64>,
}

fn tags(header: &str) -> Option<Tags> {
    if header.trim() == "*" {
        return Some(Tags::Any);
    }
    let mut list = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() && list.len() < TAGS_MAX {
        let (weak, tagged) = match rest.strip_prefix("W/") {
            Some(tagged) => (true, tagged),
            None => (false, rest),
        };
        let (opaque, after) = tagged.strip_prefix('"')?.split_once('"')?;
        // Only the very text we gave out: "03" and "+3" are not "3".
        let version = opaque.parse::<i64>().ok().filter(|version| version.to_string() == opaque);
        list.push(Tag { weak, version });
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    if list.is_empty() { None } else { Some(Tags::List(list)) }
}

/// Could this stand in a URL's path as it is: only the characters of RFC 3986's `pchar` and `/`, and every percent
/// sign before two hexadecimal digits?
fn is_encoded(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        | b':' | b'@' | b'/' => true,
        other => other.is_ascii_alphanumeric(),
    })
}

/// An answer that is no error.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    /// With a JSON body.
    ///
    /// # Errors
    /// 500 where it cannot be serialised, which our own bodies always can.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self, RequestError> {
        let body = serde_json::to_string(body).map_err(Unserialisable)?;
        Ok(Self { status, headers: vec![("content-type", "application/json; charset=utf-8".to_owned())], body })
    }

    /// With a text of another type.
    #[must_use]
    pub fn text(status: u16, content_type: &'static str, body: String) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body }
    }

    /// Without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// With a header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer as the gateway expects it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers, by name in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// The body; empty where there is none.
    pub body: String,
    /// Always `false`: bodies are text.
    pub is_base64_encoded: bool,
}

/// A function behind the REST API. It is a [`Function`] of the gateway's events.
pub trait HttpFunction {
    /// How it answers.
    fn http(&self) -> &Http;

    /// Answers one request.
    ///
    /// # Errors
    /// What the caller sees, and the cause.
    fn answer(&self, request: HttpRequest) -> impl Future<Output = Result<Reply, RequestError>>;
}

impl<F: HttpFunction> Function for F {
    type Event = HttpRequest;
    type Answer = Answer;

    async fn handle(&self, request: HttpRequest, context: Context) -> Result<Answer, Failure> {
        Ok(self.http().answer(request, Deadline::of(&context), |request| self.answer(request)).await)
    }
}

/// How a function answers HTTP.
#[derive(Debug, Clone)]
pub struct Http {
    allowed_origin: String,
}

impl Http {
    /// `allowed_origin`: the one origin whose pages may use the API, or `*`.
    #[must_use]
    pub fn new(allowed_origin: String) -> Self {
        Self { allowed_origin }
    }

    /// Answers one request through `handle`, and with 503 where that takes longer than the gateway waits.
    pub async fn answer<H, F>(&self, request: HttpRequest, deadline: Deadline, handle: H) -> Answer
    where
        H: FnOnce(HttpRequest) -> F,
        F: Future<Output = Result<Reply, RequestError>>,
    {
        let (id, language) = (request.id().to_owned(), request.language());
        let (method, resource) = (request.method().to_owned(), request.resource().to_owned());
        let limit = deadline.left().saturating_sub(BEFORE_DEADLINE).min(ANSWER_WITHIN);
        // Boxed: an SDK's future is nested so deeply that the compiler gives up on laying out what contains it.
        let work = Box::pin(handle(request));
        let result = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            tracing::error!(api_request_id = id, "no answer in time");
            Err(RequestError::late(!matches!(method.as_str(), "GET" | "HEAD")))
        });
        let result = result.map_err(|error| {
            let (answer, cause) = error.into_parts();
            if let Some(cause) = cause {
                tracing::error!(api_request_id = id, error = error_chain(&*cause), "request failed");
            }
            answer
        });
        let answer = self.finish(&id, language, result);
        tracing::info!(api_request_id = id, method, resource, status = answer.status_code, "answered");
        answer
    }

    /// Adds what every answer carries.
    fn finish(&self, id: &str, language: Language, result: Result<Reply, ApiError>) -> Answer {
        let Reply { status, headers, body } = result.unwrap_or_else(|refusal| {
            let reply = Reply {
                status: refusal.code().status(),
                headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
                body: refusal.body(language, id),
            };
            match refusal.retry_after() {
                Some(seconds) => reply.with("retry-after", seconds.to_string()),
                None => reply,
            }
        });
        let mut headers: BTreeMap<&'static str, String> = headers.into_iter().collect();
        headers.insert("x-request-id", id.to_owned());
        // Only an answer that is the same for everybody says otherwise.
        headers.entry("cache-control").or_insert_with(|| "no-store".to_owned());
        headers.insert("x-content-type-options", "nosniff".to_owned());
        headers.insert("access-control-allow-origin", self.allowed_origin.clone());
        headers.insert("access-control-expose-headers", EXPOSED_HEADERS.to_owned());
        if self.allowed_origin != "*" {
            headers.insert("vary", "Origin".to_owned());
        }
        Answer { status_code: status, headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(value: serde_json::Value) -> HttpRequest {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_gateways_nulls_are_read() {
        let request = request(json!({
            "resource": "/items", "path": "/items", "httpMethod": "GET", "headers": null, "multiValueHeaders": null,
            "queryStringParameters": null, "pathParameters": null, "body": null, "isBase64Encoded": false,
            "requestContext": {"requestId": "r", "authorizer": null}
        }));
        assert_eq!((request.method(), request.resource(), request.id()), ("GET", "/items", "r"));
        assert_eq!((request.header("x"), request.query("x"), request.path_parameter("x")), (None, None, String::new()));
        assert_eq!(request.caller().unwrap_err().code(), Code::Unauthorized);
    }

    #[test]
    fn only_the_authorizer_says_who_is_calling() {
        let check = |authorizer: serde_json::Value, least, expected: Result<&str, Code>| {
            let request = request(json!({
                "headers": {"usuarioId": "evil", "rol": "admin"},
                "requestContext": {"authorizer": authorizer}
            }));
            let got = request.caller_at_least(least).map(|caller| caller.user_id).map_err(|refusal| refusal.code());
            assert_eq!(got, expected.map(str::to_owned), "{authorizer}");
        };
        check(json!({"usuarioId": "u1", "rol": "operador", "principalId": "u1"}), Role::Operator, Ok("u1"));
        check(json!({"usuarioId": "u1", "rol": "admin"}), Role::Operator, Ok("u1"));
        check(json!({"usuarioId": "u1", "rol": "cliente"}), Role::Operator, Err(Code::Forbidden));
        check(json!({"usuarioId": "u1", "rol": "cliente"}), Role::Customer, Ok("u1"));
        check(json!({"usuarioId": "u1", "rol": "ADMIN"}), Role::Customer, Err(Code::Unauthorized));
        check(json!({"usuarioId": "", "rol": "admin"}), Role::Customer, Err(Code::Unauthorized));
        check(json!({"rol": "admin"}), Role::Customer, Err(Code::Unauthorized));
        check(json!({"usuarioId": "u1"}), Role::Customer, Err(Code::Unauthorized));
    }

    #[test]
    fn path_parameters_encoded_or_decoded() {
        let check = |raw: &str, expected: &str| {
            let request = request(json!({"path": format!("/items/Berlin/{raw}"), "pathParameters": {"item": raw}}));
            assert_eq!(request.path_parameter("item"), expected, "{raw}");
        };
        // as AWS gives them
        check("Coffee%20beans", "Coffee beans");
        check("caf%C3%A9%2F1", "café/1");
        check("100%25", "100%");
        check("50%25%20off", "50% off");
        check("a%2520b", "a%20b");
        check("a+b", "a+b");
        check("a%2Bb", "a+b");
        // as the local stack gives them
        check("Coffee beans", "Coffee beans");
        check("café/1", "café/1");
        check("100%", "100%");
        check("50% off", "50% off");
        check("é%20", "é%20");
        check("%zz", "%zz");
        // neither
        check("%FF", "%FF");
        let one_decoded =
            json!({"path": "/items/São Paulo/a%20b", "pathParameters": {"store": "São Paulo", "item": "a%20b"}});
        assert_eq!(request(one_decoded).path_parameter("item"), "a%20b");
    }

    #[test]
    fn bodies_are_bounded_and_of_the_right_type() {
        let check = |content_type: &str, body: &str, base64: bool, expected: Result<&str, u16>| {
            let request =
                request(json!({"headers": {"Content-Type": content_type}, "body": body, "isBase64Encoded": base64}));
            let got = request.json().map_err(|refusal| refusal.code().status());
            assert_eq!(got, expected.map(|text| text.as_bytes().to_vec()), "{content_type}");
        };
        check("application/json", "{}", false, Ok("{}"));
        check("Application/JSON; charset=\"UTF-8\"", "{}", false, Ok("{}"));
        check("application/json", "e30=", true, Ok("{}"));
        check("application/json", "e30", true, Err(400));
        check("application/json", "\u{fffd}!", true, Err(400));
        check("application/json; charset=latin1", "{}", false, Err(415));
        check("text/plain", "{}", false, Err(415));
        check("", "{}", false, Err(415));
        check("application/json", &" ".repeat(BODY_BYTES_MAX), false, Ok(&" ".repeat(BODY_BYTES_MAX)));
        check("application/json", &" ".repeat(BODY_BYTES_MAX + 1), false, Err(413));
        check("application/json", &STANDARD.encode(" ".repeat(BODY_BYTES_MAX + 1)), true, Err(413));
    }

    #[test]
    fn preconditions() {
        let check = |header: &str, expected: Option<Precondition>| {
            let request = request(json!({"headers": {"If-Match": header}}));
            assert_eq!(request.if_match().ok(), expected, "{header}");
        };
        let one_of = |versions: &[i64]| Some(Precondition::OneOf(versions.to_vec()));
        check("*", Some(Precondition::Any));
        check("\"3\"", one_of(&[3]));
        check("\"3\", \"5\"", one_of(&[3, 5]));
        check("W/\"3\", \"5\"", one_of(&[5]));
        check("W/\"3\"", one_of(&[]));
        check("\"a,b\",\"7\"", one_of(&[7]));
        check("\"03\"", one_of(&[]));
        check("\"+3\"", one_of(&[]));
        check("\"\"", one_of(&[]));
        check("3", None);
        check("\"3", None);
        check("\"3\" \"4\"", None);
        check("", None);
        assert_eq!(request(json!({})).if_match().ok(), Some(Precondition::Any));

        let has = |header: &str| request(json!({"headers": {"if-none-match": header}})).has_already(3);
        assert!(has("\"3\"") && has("W/\"3\"") && has("*") && has("\"1\", \"3\""));
        assert!(!has("\"4\"") && !has("3") && !has(""));
        assert_eq!(etag(3), "\"3\"");
    }

    #[tokio::test]
    async fn every_answer_carries_the_same_headers() {
        let http = Http::new("https://shop.example".to_owned());
        let deadline = Deadline::after(Duration::from_secs(5));
        let get = || {
            request(
                json!({"httpMethod": "GET", "requestContext": {"requestId": "r1"}, "headers": {"Accept-Language": "en"}}),
            )
        };
        let answer =
            http.answer(get(), deadline, async |_| Ok(Reply::json(200, &json!({"a": 1}))?.with("etag", etag(3)))).await;
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"statusCode":200,"headers":{"access-control-allow-origin":"https://shop.example","access-control-expose-headers":"etag,location,retry-after,x-request-id","cache-control":"no-store","content-type":"application/json; charset=utf-8","etag":"\"3\"","vary":"Origin","x-content-type-options":"nosniff","x-request-id":"r1"},"body":"{\"a\":1}","isBase64Encoded":false}"#
        );
        let answer = http.answer(get(), deadline, async |_| Err(ApiError::new(Code::Unavailable).into())).await;
        assert_eq!((answer.status_code, answer.headers["retry-after"].as_str()), (503, "2"));
        assert_eq!(answer.headers["x-request-id"], "r1");
        assert!(answer.body.contains("try again"));
    }

    #[tokio::test]
    async fn a_text_may_be_kept() {
        let http = Http::new("*".to_owned());
        let answer = http
            .answer(request(json!({"httpMethod": "GET"})), Deadline::after(Duration::from_secs(5)), async |_| {
                Ok(Reply::text(200, "text/html; charset=utf-8", "<p>".to_owned())
                    .with("cache-control", "public, max-age=300".to_owned()))
            })
            .await;
        assert_eq!(answer.body, "<p>");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    }

    #[test]
    fn where_the_api_stands() {
        let check = |context: serde_json::Value, root: &str, expected: &str| {
            let request = request(json!({"resource": "/openapi.json", "requestContext": context,
                "headers": {"Host": "evil.example"}}));
            assert_eq!(request.api_url(root), expected);
        };
        let on_aws = "https://{domainName}";
        let gateway = "a1b2.execute-api.eu-west-1.amazonaws.com";
        check(
            json!({"domainName": gateway, "apiId": "a1b2", "path": "/v1/openapi.json"}),
            on_aws,
            "https://a1b2.execute-api.eu-west-1.amazonaws.com/v1",
        );
        check(json!({"domainName": "api.shop.example", "path": "/openapi.json"}), on_aws, "https://api.shop.example");
        check(
            json!({"domainName": "a1b2.execute-api.localhost", "apiId": "a1b2", "path": "/v1/openapi.json"}),
            "http://localhost:4566/_aws/execute-api/{apiId}",
            "http://localhost:4566/_aws/execute-api/a1b2/v1",
        );
    }

    #[tokio::test]
    async fn a_late_answer_is_503() {
        let http = Http::new("*".to_owned());
        let request = request(json!({"httpMethod": "GET"}));
        let deadline = Deadline::after(BEFORE_DEADLINE + Duration::from_millis(20));
        let answer = http.answer(request, deadline, async |_| std::future::pending().await).await;
        assert_eq!(answer.status_code, 503);
    }
}
