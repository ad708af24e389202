//! S3 in memory: versions, ranges, metadata and multipart uploads.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;

use crate::http::{Body, Request, Response};

#[derive(Debug, Clone)]
struct Object {
    version: String,
    body: Arc<Vec<u8>>,
    metadata: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<String, Vec<Object>>,
    uploads: HashMap<String, HashMap<u32, Vec<u8>>>,
}

/// All buckets; a bucket is there as soon as something is in it.
#[derive(Debug, Default)]
pub(crate) struct S3 {
    state: Mutex<State>,
    ids: AtomicU64,
}

impl S3 {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets all objects.
    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Forgets the objects of a bucket.
    pub(crate) fn empty(&self, bucket: &str) {
        let prefix = format!("{bucket}/");
        self.lock().objects.retain(|path, _| !path.starts_with(&prefix));
    }

    /// Puts an object; answers its version.
    pub(crate) fn put(&self, bucket: &str, key: &str, body: Arc<Vec<u8>>) -> String {
        self.store(format!("{bucket}/{key}"), body, Vec::new())
    }

    fn store(&self, path: String, body: Arc<Vec<u8>>, metadata: Vec<(String, String)>) -> String {
        let version = format!("v{:08}", self.id());
        let object = Object { version: version.clone(), body, metadata };
        self.lock().objects.entry(path).or_default().push(object);
        version
    }

    /// Answers one request, path style: `/bucket/key`.
    pub(crate) fn answer(&self, request: Request) -> Response {
        let path = percent_decode_str(request.path().trim_start_matches('/')).decode_utf8_lossy().into_owned();
        let query: HashMap<String, String> = request
            .query()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned()))
            .collect();
        let upload = query.get("uploadId").map(String::as_str);
        match request.method() {
            "GET" => self.read(&path, &query, request.header("range"), false),
            "HEAD" => self.read(&path, &query, request.header("range"), true),
            "PUT" => match (upload, query.get("partNumber").and_then(|number| number.parse().ok())) {
                (Some(upload), Some(number)) => self.put_part(upload, number, plain_body(request)),
                _ => {
                    let metadata = request
                        .headers()
                        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-amz-meta-"))
                        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                        .collect();
                    let version = self.store(path, Arc::new(plain_body(request)), metadata);
                    Response::new(200, "application/xml", "").with("etag", "\"0\"").with("x-amz-version-id", version)
                }
            },
            "POST" if query.contains_key("uploads") => {
                let id = format!("u{:08}", self.id());
                self.lock().uploads.insert(id.clone(), HashMap::new());
                let xml =
                    format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
                Response::new(200, "application/xml", xml)
            }
            "POST" => match upload {
                Some(upload) => self.complete(path, upload),
                None => fail(400, "InvalidRequest"),
            },
            "DELETE" => {
                match upload {
                    Some(upload) => drop(self.lock().uploads.remove(upload)),
                    None => drop(self.lock().objects.remove(&path)),
                }
                Response::new(204, "application/xml", "")
            }
            _ => fail(405, "MethodNotAllowed"),
        }
    }

    fn read(&self, path: &str, query: &HashMap<String, String>, range: &str, head: bool) -> Response {
        let object = {
            let state = self.lock();
            let versions = state.objects.get(path).map(Vec::as_slice).unwrap_or(&[]);
            match query.get("versionId") {
                Some(version) => versions.iter().find(|object| object.version == *version).cloned(),
                None => versions.last().cloned(),
            }
        };
        let Some(object) = object else { return fail(404, "NoSuchKey") };
        let length = object.body.len();
        let (status, span) = match parse_range(range, length) {
            None => (200, 0..length),
            Some(Ok(span)) => (206, span),
            Some(Err(())) => return fail(416, "InvalidRange"),
        };
        let mut response = Response::new(status, "text/csv", "")
            .with("etag", format!("\"{}\"", object.version))
            .with("x-amz-version-id", object.version)
            .with("last-modified", "Sun, 21 Jan 2024 11:00:00 GMT")
            .with("accept-ranges", "bytes");
        if status == 206 {
            response =
                response.with("content-range", format!("bytes {}-{}/{length}", span.start, span.end.saturating_sub(1)));
        }
        for (name, value) in object.metadata {
            response = response.with(&name, value);
        }
        if head {
            response.head_length = Some(span.len());
        } else {
            response.body = Body::Part(object.body, span);
        }
        response
    }

    fn put_part(&self, upload: &str, number: u32, body: Vec<u8>) -> Response {
        match self.lock().uploads.get_mut(upload) {
            Some(parts) => {
                parts.insert(number, body);
                Response::new(200, "application/xml", "").with("etag", format!("\"{number}\""))
            }
            None => fail(404, "NoSuchUpload"),
        }
    }

    fn complete(&self, path: String, upload: &str) -> Response {
        let Some(parts) = self.lock().uploads.remove(upload) else { return fail(404, "NoSuchUpload") };
        let mut parts: Vec<(u32, Vec<u8>)> = parts.into_iter().collect();
        parts.sort_by_key(|(number, _)| *number);
        let body = parts.into_iter().flat_map(|(_, body)| body).collect();
        let version = self.store(path, Arc::new(body), Vec::new());
        let xml = "<CompleteMultipartUploadResult><ETag>\"0\"</ETag></CompleteMultipartUploadResult>";
        Response::new(200, "application/xml", xml).with("x-amz-version-id", version)
    }
}

fn fail(status: u16, code: &str) -> Response {
    Response::new(status, "application/xml", format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

/// The body without the framing that the SDKs put around it for a trailing checksum.
fn plain_body(request: Request) -> Vec<u8> {
    if request.header("x-amz-decoded-content-length").is_empty() {
        return request.body;
    }
    let mut rest = request.body.as_slice();
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let line = rest.get(..end).unwrap_or(&[]);
        let size = line.split(|byte| *byte == b';').next().unwrap_or(&[]);
        let size = std::str::from_utf8(size).ok().and_then(|size| usize::from_str_radix(size, 16).ok()).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size).unwrap_or(&[]));
        rest = rest.get(end + 4 + size..).unwrap_or(&[]);
    }
    body
}

fn parse_range(header: &str, length: usize) -> Option<Result<Range<usize>, ()>> {
    let (from, to) = header.strip_prefix("bytes=")?.split_once('-')?;
    let span = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => from..to.saturating_add(1).min(length),
        (Ok(from), Err(_)) => from..length,
        (Err(_), Ok(last)) => length.saturating_sub(last)..length,
        (Err(_), Err(_)) => return None,
    };
    Some(if span.start < length && span.start < span.end { Ok(span) } else { Err(()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse_range("", 10), None);
        assert_eq!(parse_range("bytes=2-4", 10), Some(Ok(2..5)));
        assert_eq!(parse_range("bytes=2-40", 10), Some(Ok(2..10)));
        assert_eq!(parse_range("bytes=8-", 10), Some(Ok(8..10)));
        assert_eq!(parse_range("bytes=-3", 10), Some(Ok(7..10)));
        assert_eq!(parse_range("bytes=10-", 10), Some(Err(())));
    }
}
