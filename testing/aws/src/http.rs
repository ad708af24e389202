//! Requests and answers of the services that are no JSON over POST.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::ServiceError;

/// A request as the connector took it apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// The host, without a port.
    pub host: String,
    /// The path as it was sent, percent-encoded.
    pub path: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// Of a method and a URL.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let host = host.split(':').next().unwrap_or(host);
        let path = if path.is_empty() { "/" } else { path };
        Self {
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: pairs(query),
            ..Self::default()
        }
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The pairs of a query or of a form, decoded.
#[must_use]
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// With a body of this type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body: body.into() }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }

    /// A refusal as S3 words it.
    #[must_use]
    pub fn s3_error(error: &ServiceError) -> Self {
        let (code, message) = (&error.code, escape(&error.message));
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R</RequestId></Error>"
        );
        Self::new(error.status, "application/xml", xml)
    }

    /// A refusal as services with the query protocol word it.
    #[must_use]
    pub fn query_error(error: &ServiceError) -> Self {
        let (code, message) = (&error.code, escape(&error.message));
        let kind = if error.status < 500 { "Sender" } else { "Receiver" };
        let xml = format!(
            "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>R</RequestId></ErrorResponse>"
        );
        Self::new(error.status, "text/xml", xml)
    }
}

/// Text as XML holds it.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
