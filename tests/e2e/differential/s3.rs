//! S3: the same requests on both sides.

use std::collections::BTreeMap;

use almacen_testing_aws::http::Request;
use almacen_testing_aws::s3::{BucketSettings, S3, S3Request, Settings};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::exchange::{Answer, Exchange};
use super::expressions::{chance, one};
use super::report::{Report, Verdict};
use crate::stack::{self, segment, stack};

/// Requests of the usual run.
const OPERATIONS: usize = 1_200;
const NOW: u64 = 1_705_834_800_000;
/// Headers of answers that are compared.
const COMPARED: [&str; 5] = ["content-type", "content-range", "content-length", "cache-control", "content-disposition"];
const KEYS: [&str; 5] = ["a", "b c", "d/e+f", "ñ", "g.csv"];

/// What one side has named: entity tags and versions by the number of their first mention.
#[derive(Default)]
struct Known {
    tags: BTreeMap<String, usize>,
    /// Versions of a versioned bucket's objects, in the order of their making.
    versions: Vec<String>,
}

impl Known {
    fn tag(&mut self, tag: &str) -> usize {
        let next = self.tags.len();
        *self.tags.entry(tag.trim_matches('"').to_owned()).or_insert(next)
    }

    fn version(&mut self, version: &str) -> usize {
        let at = self.versions.iter().position(|known| known == version).unwrap_or(self.versions.len());
        if at == self.versions.len() {
            self.versions.push(version.to_owned());
        }
        at
    }

    fn tag_of(&self, number: usize) -> String {
        let found = self.tags.iter().find(|(_, known)| **known == number);
        found.map_or_else(|| "\"none\"".to_owned(), |(tag, _)| format!("\"{tag}\""))
    }
}

/// A request: a tag and a version are numbers, since each side has names of its own.
struct Call {
    operation: &'static str,
    method: &'static str,
    bucket: usize,
    key: &'static str,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    tag: Option<(&'static str, usize)>,
    version: Option<usize>,
    body: Vec<u8>,
}

struct Buckets {
    ours: S3,
    names: Vec<String>,
    mine: Known,
    local: Known,
}

impl Buckets {
    fn new(run: &str) -> Self {
        let bucket = |kind: &str, versioned| BucketSettings {
            name: format!("differential-{kind}-{run}"),
            versioned,
            notifications: Vec::new(),
        };
        let all = vec![bucket("versioned", true), bucket("plain", false)];
        let names: Vec<String> = all.iter().map(|bucket| bucket.name.clone()).collect();
        for bucket in &all {
            let made = local("PUT", &format!("/{}", bucket.name), &[], b"");
            assert_eq!(made.status, 200, "{}", made.text());
            if bucket.versioned {
                let xml = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
                let set = local("PUT", &format!("/{}?versioning", bucket.name), &[], xml);
                assert_eq!(set.status, 200, "{}", set.text());
            }
        }
        let ours = S3::new(all, "us-east-1", Settings::default(), 1);
        Self { ours, names, mine: Known::default(), local: Known::default() }
    }

    fn parts(&self, call: &Call, known: &Known) -> (String, Vec<(String, String)>) {
        let none = format!("{}-none", self.names[0]);
        let bucket = self.names.get(call.bucket).unwrap_or(&none);
        let key: Vec<String> = call.key.split('/').map(segment).collect();
        let mut query = call.query.clone();
        if let Some(version) = call.version {
            // An id of the right form that no object has.
            let absent = "00000000000000000000000000000000";
            query.push(("versionId", known.versions.get(version).map_or(absent, String::as_str).to_owned()));
        }
        let query: Vec<String> = query
            .iter()
            .map(
                |(name, value)| {
                    if value.is_empty() { (*name).to_owned() } else { format!("{name}={}", segment(value)) }
                },
            )
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("/{bucket}/{}{mark}{}", key.join("/"), query.join("&"));
        let mut headers: Vec<(String, String)> =
            call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if let Some((name, tag)) = call.tag {
            headers.push((name.to_owned(), known.tag_of(tag)));
        }
        (path, headers)
    }

    fn ours(&mut self, call: &Call) -> Answer {
        let (path, headers) = self.parts(call, &self.mine);
        let mut request = Request::new(call.method, &format!("https://s3.us-east-1.amazonaws.com{path}"));
        request.headers = headers.into_iter().collect();
        request.body = call.body.clone().into();
        let asked = S3Request::read(&request).expect("a request that is built");
        let (response, _) = self.ours.answer(&asked, true, NOW);
        answer(&mut self.mine, call, response.status, &response.body, |name| response.header(name).to_owned())
    }

    fn theirs(&mut self, call: &Call) -> Answer {
        let (path, headers) = self.parts(call, &self.local);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let response = local(call.method, &path, &headers, &call.body);
        answer(&mut self.local, call, response.status, &response.bytes, |name| response.header(name).to_owned())
    }

    fn exchange(&mut self, call: &Call) -> Exchange {
        let (ours, theirs) = (self.ours(call), self.theirs(call));
        let (path, headers) = self.parts(call, &self.mine);
        let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, json!(value))).collect();
        let request = json!({
            "request": format!("{} {path}", call.method), "headers": headers,
            "bucket": self.names.get(call.bucket), "body": String::from_utf8_lossy(&call.body),
        });
        Exchange { service: "s3", operation: call.operation.to_owned(), request, ours, theirs }
    }

    /// Deletes all objects with all versions on both sides.
    fn make_equal(&mut self) {
        for (at, name) in self.names.iter().enumerate() {
            for key in KEYS {
                self.ours.remove(name, key);
                let path: Vec<String> = key.split('/').map(segment).collect();
                let path = format!("/{name}/{}", path.join("/"));
                local("DELETE", &path, &[], b"");
                if at == 0 {
                    empty_versions(name);
                }
            }
        }
        self.mine = Known::default();
        self.local = Known::default();
    }
}

/// Deletes every version of every object of a bucket of the local stack.
fn empty_versions(bucket: &str) {
    let list = local("GET", &format!("/{bucket}?versions"), &[], b"").text();
    let element = |text: &str, name: &str| {
        let inner = text.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split("</").next());
        inner.unwrap_or_default().to_owned()
    };
    let entries = list.split("<Version>").skip(1).flat_map(|part| part.split("<DeleteMarker>"));
    let markers = list.split("<DeleteMarker>").skip(1);
    for entry in entries.chain(markers) {
        let (key, version) = (element(entry, "Key"), element(entry, "VersionId"));
        let path: Vec<String> = key.split('/').map(segment).collect();
        local("DELETE", &format!("/{bucket}/{}?versionId={version}", path.join("/")), &[], b"");
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        empty_versions(&self.names[0]);
        self.make_equal();
        for name in &self.names {
            local("DELETE", &format!("/{name}"), &[], b"");
        }
    }
}

fn local(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> stack::Answer {
    let scope = stack::Stack::scope("s3");
    let mut all = vec![("authorization", scope.as_str())];
    all.extend(headers);
    stack().http(method, &format!("{}{path}", stack().output("Endpoint")), &all, body)
}

fn answer(known: &mut Known, call: &Call, status: u16, body: &[u8], header: impl Fn(&str) -> String) -> Answer {
    let text = String::from_utf8_lossy(body).into_owned();
    if status >= 300 {
        let element = |name: &str| {
            text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split("</").next()).unwrap_or_default()
        };
        let (code, message) = (element("Code").to_owned(), element("Message").to_owned());
        return Answer { status, code, message, body: Value::Null };
    }
    let mut shown = Map::new();
    let is_read = matches!(call.operation, "GetObject" | "HeadObject");
    for name in COMPARED.into_iter().filter(|_| is_read) {
        let value = header(name);
        if !value.is_empty() {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    let meta = header("x-amz-meta-mode");
    if is_read && !meta.is_empty() {
        shown.insert("x-amz-meta-mode".to_owned(), json!(meta));
    }
    let tag = header("etag");
    if !tag.is_empty() {
        shown.insert("etag".to_owned(), json!(known.tag(&tag)));
    }
    let version = header("x-amz-version-id");
    // Of a bucket without versions this may be `null` or nothing.
    if call.bucket == 0 && !version.is_empty() {
        shown.insert("version".to_owned(), json!(known.version(&version)));
    }
    if call.operation == "GetObject" {
        shown.insert("body".to_owned(), json!(text));
    }
    Answer { status, body: Value::Object(shown), ..Answer::default() }
}

fn next(rng: &mut Rng, buckets: &Buckets) -> Call {
    // One bucket more than there are: it does not exist.
    let bucket = if chance(rng, 2) { 2 } else { rng.usize(0..2) };
    let (tags, versions) = (buckets.mine.tags.len(), buckets.mine.versions.len());
    let mut call = Call {
        operation: "GetObject",
        method: "GET",
        bucket,
        key: one(rng, &KEYS),
        query: Vec::new(),
        headers: Vec::new(),
        tag: None,
        version: None,
        body: Vec::new(),
    };
    match rng.u32(0..20) {
        0..9 => {
            (call.operation, call.method) = ("PutObject", "PUT");
            call.body = one(rng, &["", "abc", "0123456789", "ñ\n", "x"]).as_bytes().to_vec();
            let more = [("content-type", "text/csv"), ("cache-control", "max-age=60"), ("x-amz-meta-mode", "adjust")];
            let wanted = |(name, _): &&(&str, &str)| chance(rng, if *name == "content-type" { 90 } else { 30 });
            call.headers = more.iter().filter(wanted).map(|(name, value)| (*name, (*value).to_owned())).collect();
            match rng.u32(0..10) {
                0 | 1 => call.headers.push(("if-none-match", "*".to_owned())),
                2 | 3 => call.tag = Some(("if-match", rng.usize(0..=tags))),
                _ => {}
            }
        }
        9 => (call.operation, call.method) = ("DeleteObject", "DELETE"),
        10 => {
            (call.operation, call.method) = ("PutObjectTagging", "PUT");
            call.query.push(("tagging", String::new()));
            let count = if chance(rng, 5) { 11 } else { rng.usize(0..3) };
            let tag = |at: usize| format!("<Tag><Key>k{at}</Key><Value>v{at}</Value></Tag>");
            let set: String = (0..count).map(tag).collect();
            call.body = format!("<Tagging><TagSet>{set}</TagSet></Tagging>").into_bytes();
        }
        _ => {
            if chance(rng, 25) {
                (call.operation, call.method) = ("HeadObject", "HEAD");
            }
            if chance(rng, 40) {
                let ranges = [
                    "bytes=0-0",
                    "bytes=2-5",
                    "bytes=5-",
                    "bytes=-3",
                    "bytes=3-100",
                    "bytes=100-",
                    "bytes=-0",
                    "lines=1-2",
                ];
                call.headers.push(("range", one(rng, &ranges).to_owned()));
            }
            if bucket == 0 && chance(rng, 30) {
                call.version = Some(rng.usize(0..=versions));
            }
            if chance(rng, 10) {
                call.query.push(("response-content-disposition", "attachment".to_owned()));
            }
        }
    }
    call
}

#[test]
fn s3_answers_as_the_local_stack_does() {
    let run = format!("{:012x}", fastrand::u64(..1 << 48));
    let mut buckets = Buckets::new(&run);
    let mut report = Report::new("s3_answers_as_the_local_stack_does", "s3", OPERATIONS);
    let mut rng = Rng::with_seed(report.seed());
    for _ in 0..report.operations() {
        let call = next(&mut rng, &buckets);
        report.begin();
        let exchange = buckets.exchange(&call);
        if report.compare(&exchange) == Verdict::Different {
            buckets.make_equal();
        }
    }
    report.finish();
}
