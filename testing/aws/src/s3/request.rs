//! What a request asks of S3.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::ServiceError;
use crate::http::Request;

/// The operations that are built here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Is there such a bucket?
    HeadBucket,
    /// An object, or a range of one.
    GetObject,
    /// What is known of an object.
    HeadObject,
    /// A whole object.
    PutObject,
    /// An object goes.
    DeleteObject,
    /// An object's tags.
    PutObjectTagging,
    /// A large object begins.
    CreateMultipartUpload,
    /// A part of one.
    UploadPart,
    /// It becomes visible.
    CompleteMultipartUpload,
    /// It never does.
    AbortMultipartUpload,
}

impl Operation {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HeadBucket => "HeadBucket",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
        }
    }
}

/// A request to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Request {
    /// What is asked.
    pub operation: Operation,
    /// Of which bucket.
    pub bucket: String,
    /// Of which object.
    pub key: String,
    /// Of which version.
    pub version: Option<String>,
    pub(super) upload: String,
    pub(super) part: u32,
    pub(super) range: String,
    pub(super) if_match: String,
    pub(super) if_none_match: String,
    pub(super) response_disposition: Option<String>,
    headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

/// The most tags of an object.
const TAGS_MAX: usize = 10;
/// Headers that an object keeps.
const KEPT: [&str; 4] = ["content-type", "cache-control", "content-disposition", "content-encoding"];

impl S3Request {
    /// Reads a request in either style: the bucket in the host's name or in the path.
    ///
    /// # Errors
    /// For an operation that is not built here.
    pub fn read(request: &Request) -> Result<Self, ServiceError> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = match request.host.split_once(".s3.") {
            Some((bucket, _)) => (bucket.to_owned(), decode(path)),
            None => match path.split_once('/') {
                Some((bucket, key)) => (bucket.to_owned(), decode(key)),
                None => (path.to_owned(), String::new()),
            },
        };
        let query = |name: &str| request.query.get(name).cloned();
        let upload = query("uploadId");
        let asks = |name: &str| request.query.contains_key(name);
        let operation = match (request.method.as_str(), key.is_empty(), upload.is_some()) {
            ("HEAD", true, _) => Operation::HeadBucket,
            ("HEAD", false, _) => Operation::HeadObject,
            ("GET", false, false) if !asks("tagging") => Operation::GetObject,
            ("PUT", false, true) => Operation::UploadPart,
            ("PUT", false, false) if asks("tagging") => Operation::PutObjectTagging,
            ("PUT", false, false) if request.header("x-amz-copy-source").is_empty() => Operation::PutObject,
            ("POST", false, false) if asks("uploads") => Operation::CreateMultipartUpload,
            ("POST", false, true) => Operation::CompleteMultipartUpload,
            ("DELETE", false, true) => Operation::AbortMultipartUpload,
            ("DELETE", false, false) => Operation::DeleteObject,
            (method, ..) => {
                let told = format!("almacen-testing-aws has no S3 {method} {}", request.path);
                return Err(ServiceError::with_status(501, "NotImplemented", told));
            }
        };
        Ok(Self {
            operation,
            bucket,
            key,
            version: query("versionId"),
            upload: upload.unwrap_or_default(),
            part: query("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0),
            range: request.header("range").to_owned(),
            if_match: request.header("if-match").to_owned(),
            if_none_match: request.header("if-none-match").to_owned(),
            response_disposition: query("response-content-disposition"),
            headers: request.headers.clone(),
            body: plain(request),
        })
    }

    pub(super) fn kept_headers(&self) -> BTreeMap<String, String> {
        let is_kept = |name: &str| KEPT.contains(&name) || name.starts_with("x-amz-meta-");
        let kept = self.headers.iter().filter(|(name, _)| is_kept(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Numbers and entity tags of the parts that an upload is completed with.
    pub(super) fn parts(&self) -> Vec<(u32, String)> {
        let text = String::from_utf8_lossy(&self.body);
        let parts = text.split("<Part>").skip(1);
        let read = |part: &str| {
            let tag = element(part, "ETag")?.replace("&quot;", "\"");
            Some((element(part, "PartNumber")?.parse().ok()?, format!("\"{}\"", tag.trim_matches('"'))))
        };
        parts.filter_map(read).collect()
    }

    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, ServiceError> {
        let text = String::from_utf8_lossy(&self.body);
        let read = |tag: &str| Some((element(tag, "Key")?.to_owned(), element(tag, "Value")?.to_owned()));
        let tags: Option<BTreeMap<String, String>> = text.split("<Tag>").skip(1).map(read).collect();
        let told = "The XML you provided was not well-formed or did not validate against our published schema";
        let tags = tags.ok_or_else(|| ServiceError::new("MalformedXML", told))?;
        if tags.len() > TAGS_MAX {
            return Err(ServiceError::new("BadRequest", "Object tags cannot be greater than 10"));
        }
        Ok(tags)
    }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

/// The body without the framing that the SDKs put around it for a trailing checksum.
fn plain(request: &Request) -> Bytes {
    if request.header("x-amz-decoded-content-length").is_empty() {
        return request.body.clone();
    }
    let mut rest: &[u8] = &request.body;
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let line = rest.get(..end).unwrap_or_default();
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(size).ok().and_then(|size| usize::from_str_radix(size, 16).ok()).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size).unwrap_or_default());
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    body.into()
}
