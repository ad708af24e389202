//! S3: objects with versions, ranges, metadata, tags, multipart uploads, and notifications of queues, over its REST protocol
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>).
//!
//! Not here: lists, copies, access lists, lifecycle rules, encryption, checksums.

mod request;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::calendar::{http_date, iso};
use crate::http::Response;
use crate::{Millis, ServiceError};

pub use request::{Operation, S3Request};

/// Every part of a multipart upload but the last has at least so many bytes ("Multipart upload limits").
const PART_BYTES_MIN: usize = 5 * 1024 * 1024;
/// How keys are written in events: as in forms.
const IN_EVENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// A queue that hears of new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Such as `s3:ObjectCreated:*`.
    pub event: String,
    /// The queue's name.
    pub queue: String,
    /// What keys begin with.
    pub prefix: String,
    /// What keys end with.
    pub suffix: String,
}

/// How a bucket is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketSettings {
    /// Its name.
    pub name: String,
    /// Are old versions kept?
    pub versioned: bool,
    /// Who hears of new objects.
    pub notifications: Vec<Notification>,
}

/// How far notifications are from ideal ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The longest a notification takes. Each draws its own time, so they come out of order.
    pub notification_lag: Millis,
    /// Of a hundred notifications, how many come twice.
    pub duplicates_percent: u8,
}

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its version; `null` in a bucket without versions.
    pub version: String,
    /// Its bytes.
    pub body: Bytes,
    /// Its entity tag, with quotes. Not the MD5 that S3 mostly uses, which nobody may rely on.
    pub etag: String,
    /// When it was put.
    pub put: Millis,
    /// Headers that are kept: content type, caching, `x-amz-meta-…`.
    pub headers: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Is it but a mark that the object was deleted?
    pub is_delete_marker: bool,
}

/// A message that a queue is to get, some time from now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The queue's name.
    pub queue: String,
    /// The message's body.
    pub body: String,
    /// How long it takes.
    pub delay: Millis,
}

#[derive(Debug, Clone)]
struct Bucket {
    settings: BucketSettings,
    /// Versions of each key, oldest first.
    objects: BTreeMap<String, Vec<Object>>,
}

#[derive(Debug, Clone)]
struct Upload {
    bucket: String,
    key: String,
    headers: BTreeMap<String, String>,
    parts: BTreeMap<u32, Bytes>,
}

#[derive(Debug, Clone)]
struct State {
    buckets: BTreeMap<String, Bucket>,
    uploads: BTreeMap<String, Upload>,
    settings: Settings,
    rng: fastrand::Rng,
    region: String,
    /// Numbers versions, uploads and events.
    last: u64,
}

/// All buckets.
#[derive(Debug)]
pub struct S3 {
    state: Mutex<State>,
}

fn no_such_key() -> ServiceError {
    ServiceError::with_status(404, "NoSuchKey", "The specified key does not exist.")
}

fn no_such_upload() -> ServiceError {
    ServiceError::with_status(404, "NoSuchUpload", "The specified upload does not exist.")
}

fn denied() -> ServiceError {
    ServiceError::with_status(403, "AccessDenied", "Access Denied")
}

fn etag(body: &[u8]) -> String {
    format!("\"{:032x}\"", twox_hash::XxHash3_128::oneshot(body))
}

impl Bucket {
    fn current(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)?.last().filter(|object| !object.is_delete_marker)
    }

    fn find(&self, key: &str, version: Option<&str>) -> Result<&Object, ServiceError> {
        let Some(version) = version else { return self.current(key).ok_or_else(no_such_key) };
        let versions = self.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        let told = "The specified version does not exist.";
        let found = versions.iter().find(|object| object.version == version);
        let found = found.ok_or_else(|| ServiceError::with_status(404, "NoSuchVersion", told))?;
        if found.is_delete_marker {
            let told = "The specified method is not allowed against this resource.";
            return Err(ServiceError::with_status(405, "MethodNotAllowed", told));
        }
        Ok(found)
    }
}

impl State {
    fn bucket(&mut self, name: &str) -> Result<&mut Bucket, ServiceError> {
        let told = "The specified bucket does not exist";
        self.buckets.get_mut(name).ok_or_else(|| ServiceError::with_status(404, "NoSuchBucket", told))
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Stores a version; what is to be told of it.
    fn store(
        &mut self,
        bucket: &str,
        key: &str,
        mut object: Object,
        how: &str,
        now: Millis,
    ) -> Result<(String, Vec<Event>), ServiceError> {
        let number = self.number();
        let found = self.bucket(bucket)?;
        object.version = if found.settings.versioned { format!("v{number:016x}") } else { "null".to_owned() };
        let versions = found.objects.entry(key.to_owned()).or_default();
        if !found.settings.versioned {
            versions.clear();
        }
        let version = object.version.clone();
        versions.push(object.clone());
        let settings = found.settings.clone();
        let events = self.events(&settings, key, &object, how, number, now);
        Ok((version, events))
    }

    fn events(
        &mut self,
        bucket: &BucketSettings,
        key: &str,
        object: &Object,
        how: &str,
        number: u64,
        now: Millis,
    ) -> Vec<Event> {
        let name = format!("s3:{how}");
        let is_told = |told: &&Notification| {
            let is_event = told.event.strip_suffix('*').map_or(told.event == name, |start| name.starts_with(start));
            is_event && key.starts_with(&told.prefix) && key.ends_with(&told.suffix)
        };
        let mut described = json!({
            "key": utf8_percent_encode(key, IN_EVENT).to_string().replace("%20", "+"),
            "size": object.body.len(),
            "eTag": object.etag.trim_matches('"'),
            // Compared as text, the longer padded on the right ("Event message structure").
            "sequencer": format!("{:018X}", 0x0066_0000_0000_0000 + number),
        });
        if bucket.versioned {
            described["versionId"] = json!(object.version);
        }
        let body = json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": iso(now),
            "eventName": how,
            "userIdentity": {"principalId": "AWS:ALMACEN"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": format!("{number:016X}")},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "almacen",
                "bucket": {
                    "name": bucket.name,
                    "ownerIdentity": {"principalId": "ALMACEN"},
                    "arn": format!("arn:aws:s3:::{}", bucket.name),
                },
                "object": described,
            },
        }]})
        .to_string();
        let mut events = Vec::new();
        for told in bucket.notifications.iter().filter(is_told) {
            let copies = 1 + usize::from(self.rng.u8(0..100) < self.settings.duplicates_percent);
            for _ in 0..copies {
                let delay = self.rng.u64(0..=self.settings.notification_lag);
                events.push(Event { queue: told.queue.clone(), body: body.clone(), delay });
            }
        }
        events
    }
}

fn object(body: Bytes, etag: String, headers: BTreeMap<String, String>, now: Millis) -> Object {
    let (version, tags) = (String::new(), BTreeMap::new());
    Object { version, body, etag, put: now, headers, tags, is_delete_marker: false }
}

/// A copy is of its own: what happens to one does not happen to the other.
impl Clone for S3 {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl S3 {
    /// With these buckets, all empty.
    #[must_use]
    pub fn new(buckets: impl IntoIterator<Item = BucketSettings>, region: &str, settings: Settings, seed: u64) -> Self {
        let bucket = |settings: BucketSettings| (settings.name.clone(), Bucket { settings, objects: BTreeMap::new() });
        let buckets = buckets.into_iter().map(bucket).collect();
        let rng = fastrand::Rng::with_seed(seed);
        let (uploads, region) = (BTreeMap::new(), region.to_owned());
        Self { state: Mutex::new(State { buckets, uploads, settings, rng, region, last: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the settings from now on.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// The names of all buckets.
    #[must_use]
    pub fn buckets(&self) -> Vec<String> {
        self.lock().buckets.keys().cloned().collect()
    }

    /// The current version of an object.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.lock().buckets.get(bucket)?.current(key).cloned()
    }

    /// The keys of a bucket that have a current version.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let state = self.lock();
        let Some(bucket) = state.buckets.get(bucket) else { return Vec::new() };
        bucket.objects.keys().filter(|key| bucket.current(key).is_some()).cloned().collect()
    }

    /// Puts an object as somebody outside would; its version, and what is to be told of it.
    ///
    /// # Errors
    /// Where there is no such bucket.
    pub fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: BTreeMap<String, String>,
        now: Millis,
    ) -> Result<(String, Vec<Event>), ServiceError> {
        let object = object(body.clone(), etag(&body), headers, now);
        self.lock().store(bucket, key, object, "ObjectCreated:Put", now)
    }

    /// Deletes all versions of an object, as a lifecycle rule does in the end.
    pub fn remove(&self, bucket: &str, key: &str) {
        if let Ok(bucket) = self.lock().bucket(bucket) {
            bucket.objects.remove(key);
        }
    }

    /// Answers one request, and says what is to be told of it. Of an object that is not there, somebody who may not list the
    /// bucket hears 403 and not 404 ("GetObject", Permissions).
    #[must_use]
    pub fn answer(&self, request: &S3Request, may_list: bool, now: Millis) -> (Response, Vec<Event>) {
        let answered = self.try_answer(request, now);
        let answered = answered.map_err(|error| match error.code.as_str() {
            "NoSuchKey" if !may_list => denied(),
            _ => error,
        });
        answered.unwrap_or_else(|error| {
            let is_head = matches!(request.operation, Operation::HeadObject | Operation::HeadBucket);
            let mut response = Response::s3_error(&error);
            if is_head {
                response.body = Bytes::new();
            }
            (response, Vec::new())
        })
    }

    fn try_answer(&self, request: &S3Request, now: Millis) -> Result<(Response, Vec<Event>), ServiceError> {
        let mut state = self.lock();
        let empty = |status| Response::new(status, "application/xml", "");
        let (bucket, key) = (request.bucket.as_str(), request.key.as_str());
        state.bucket(bucket)?;
        match request.operation {
            Operation::HeadBucket => Ok((empty(200), Vec::new())),
            Operation::GetObject | Operation::HeadObject => {
                let object = state.bucket(bucket)?.find(key, request.version.as_deref())?;
                Ok((read(request, object)?, Vec::new()))
            }
            Operation::PutObject => {
                let current = state.bucket(bucket)?.current(key);
                check_precondition(request, current)?;
                let object = object(request.body.clone(), etag(&request.body), request.kept_headers(), now);
                let tag = object.etag.clone();
                let (version, events) = state.store(bucket, key, object, "ObjectCreated:Put", now)?;
                Ok((empty(200).with("etag", tag).with("x-amz-version-id", version), events))
            }
            Operation::DeleteObject => {
                let number = state.number();
                let found = state.bucket(bucket)?;
                let mut response = empty(204);
                if found.settings.versioned {
                    let marker = Object {
                        version: format!("v{number:016x}"),
                        is_delete_marker: true,
                        ..object(Bytes::new(), String::new(), BTreeMap::new(), now)
                    };
                    let version = marker.version.clone();
                    response = response.with("x-amz-delete-marker", "true").with("x-amz-version-id", version);
                    found.objects.entry(key.to_owned()).or_default().push(marker);
                } else {
                    found.objects.remove(key);
                }
                Ok((response, Vec::new()))
            }
            Operation::PutObjectTagging => {
                let tags = request.tags()?;
                let versions = state.bucket(bucket)?.objects.get_mut(key).ok_or_else(no_such_key)?;
                let object = versions.last_mut().filter(|object| !object.is_delete_marker).ok_or_else(no_such_key)?;
                object.tags = tags;
                let version = object.version.clone();
                Ok((empty(200).with("x-amz-version-id", version), Vec::new()))
            }
            Operation::CreateMultipartUpload => {
                let id = format!("upload-{:016x}", state.number());
                let (bucket, key, headers) = (bucket.to_owned(), key.to_owned(), request.kept_headers());
                let xml = format!(
                    "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                );
                state.uploads.insert(id, Upload { bucket, key, headers, parts: BTreeMap::new() });
                Ok((Response::new(200, "application/xml", xml), Vec::new()))
            }
            Operation::UploadPart => {
                let upload = state.uploads.get_mut(&request.upload).ok_or_else(no_such_upload)?;
                upload.parts.insert(request.part, request.body.clone());
                Ok((empty(200).with("etag", etag(&request.body)), Vec::new()))
            }
            Operation::CompleteMultipartUpload => complete(&mut state, request, now),
            Operation::AbortMultipartUpload => {
                state.uploads.remove(&request.upload).ok_or_else(no_such_upload)?;
                Ok((empty(204), Vec::new()))
            }
        }
    }
}

fn complete(state: &mut State, request: &S3Request, now: Millis) -> Result<(Response, Vec<Event>), ServiceError> {
    let upload = state.uploads.get(&request.upload).ok_or_else(no_such_upload)?;
    if upload.bucket != request.bucket || upload.key != request.key {
        return Err(no_such_upload());
    }
    let listed = request.parts();
    if listed.is_empty() || !listed.is_sorted_by(|one, two| one.0 < two.0) {
        let told = "The list of parts was not in ascending order.";
        return Err(ServiceError::new("InvalidPartOrder", told));
    }
    let (mut body, mut tags) = (BytesMut::new(), String::new());
    for (at, (number, tag)) in listed.iter().enumerate() {
        let part = upload.parts.get(number).filter(|part| etag(part) == *tag);
        let told = "One or more of the specified parts could not be found.";
        let part = part.ok_or_else(|| ServiceError::new("InvalidPart", told))?;
        if part.len() < PART_BYTES_MIN && at + 1 < listed.len() {
            let told = "Your proposed upload is smaller than the minimum allowed object size.";
            return Err(ServiceError::new("EntityTooSmall", told));
        }
        body.extend_from_slice(part);
        tags.push_str(tag);
    }
    let headers = upload.headers.clone();
    let tag = format!("\"{}-{}\"", etag(tags.as_bytes()).trim_matches('"'), listed.len());
    state.uploads.remove(&request.upload);
    let object = object(body.freeze(), tag.clone(), headers, now);
    let how = "ObjectCreated:CompleteMultipartUpload";
    let (version, events) = state.store(&request.bucket, &request.key, object, how, now)?;
    let tag = crate::http::escape(&tag);
    let xml = format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
    Ok((Response::new(200, "application/xml", xml).with("x-amz-version-id", version), events))
}

/// `If-None-Match: *` and `If-Match` of a PutObject ("Conditional requests", user guide).
fn check_precondition(request: &S3Request, current: Option<&Object>) -> Result<(), ServiceError> {
    let failed = || {
        let told = "At least one of the pre-conditions you specified did not hold";
        ServiceError::with_status(412, "PreconditionFailed", told)
    };
    if request.if_none_match == "*" && current.is_some() {
        return Err(failed());
    }
    match (request.if_match.as_str(), current) {
        ("", _) => Ok(()),
        (_, None) => Err(no_such_key()),
        (wanted, Some(current)) if wanted.trim_matches('"') == current.etag.trim_matches('"') => Ok(()),
        (_, Some(_)) => Err(failed()),
    }
}

fn read(request: &S3Request, object: &Object) -> Result<Response, ServiceError> {
    let length = object.body.len();
    let (status, span) = match range(&request.range, length) {
        None => (200, 0..length),
        Some(Ok(span)) => (206, span),
        Some(Err(())) => {
            let told = "The requested range is not satisfiable";
            return Err(ServiceError::with_status(416, "InvalidRange", told));
        }
    };
    let kind = object.headers.get("content-type").map_or("binary/octet-stream", String::as_str);
    let mut response = Response::new(status, kind, Bytes::new())
        .with("etag", object.etag.clone())
        .with("last-modified", http_date(object.put))
        .with("accept-ranges", "bytes")
        .with("content-length", span.len().to_string());
    if object.version != "null" {
        response = response.with("x-amz-version-id", object.version.clone());
    }
    if status == 206 {
        let last = span.end.saturating_sub(1);
        response = response.with("content-range", format!("bytes {}-{last}/{length}", span.start));
    }
    for (name, value) in object.headers.iter().filter(|(name, _)| *name != "content-type") {
        response = response.with(name, value.clone());
    }
    if let Some(how) = &request.response_disposition {
        response = response.with("content-disposition", how.clone());
    }
    if request.operation == Operation::GetObject {
        response.body = object.body.slice(span);
    }
    Ok(response)
}

fn range(header: &str, length: usize) -> Option<Result<Range<usize>, ()>> {
    let (from, to) = header.strip_prefix("bytes=")?.split_once('-')?;
    let span = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => from..to.saturating_add(1).min(length),
        (Ok(from), Err(_)) => from..length,
        (Err(_), Ok(last)) => length.saturating_sub(last)..length,
        (Err(_), Err(_)) => return None,
    };
    Some(if span.start < span.end { Ok(span) } else { Err(()) })
}

/// What a message tells of an object: for audits and tests.
#[must_use]
pub fn told_key(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    value.pointer("/Records/0/s3/object/key").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests;
