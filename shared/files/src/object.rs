//! Reading objects: a stretch at a time, so that memory does not grow with the file.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::Files;
use crate::error::{FilesError, failed};

/// How often a stream that broke off is taken up again where it stopped.
const RESUMES_MAX: u32 = 5;

/// Which version of which object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Version; `None` for the current one.
    pub version: Option<String>,
}

/// What S3 says of an object without giving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// The uploader's own `x-amz-meta-mode`.
    pub mode: Option<String>,
    /// The uploader's own `x-amz-meta-dry-run`.
    pub dry_run: Option<String>,
}

/// Asks for an object's size and the metadata that imports know.
///
/// # Errors
/// [`FilesError::Missing`] where it is gone.
pub async fn head(files: &Files, at: &Location) -> Result<Head, FilesError> {
    let answer = files
        .client()
        .head_object()
        .bucket(&at.bucket)
        .key(&at.key)
        .set_version_id(at.version.clone())
        .send()
        .await
        .map_err(failed("ask for object"))?;
    let metadata = |name: &str| answer.metadata().and_then(|all| all.get(name)).cloned();
    Ok(Head {
        size: answer.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        mode: metadata("mode"),
        dry_run: metadata("dry-run"),
    })
}

/// A stretch of an object, as it arrives. A connection that breaks off is taken up again at the byte where it stopped.
#[derive(Debug)]
pub struct Stretch {
    files: Files,
    at: Location,
    next: u64,
    end: u64,
    body: Option<ByteStream>,
    /// Bytes of `body` that stand before `next`.
    skip: u64,
    resumes: u32,
}

impl Stretch {
    /// The bytes from `start` up to `end` (not included).
    #[must_use]
    pub fn new(files: Files, at: Location, start: u64, end: u64) -> Self {
        Self { files, at, next: start, end, body: None, skip: 0, resumes: 0 }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`FilesError`], when taking it up again has failed too often.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FilesError> {
        loop {
            if self.next >= self.end {
                return Ok(None);
            }
            let body = match &mut self.body {
                Some(body) => body,
                None => {
                    let answer = self
                        .files
                        .client()
                        .get_object()
                        .bucket(&self.at.bucket)
                        .key(&self.at.key)
                        .set_version_id(self.at.version.clone())
                        .range(format!("bytes={}-{}", self.next, self.end - 1))
                        .send()
                        .await
                        .map_err(failed("read object"))?;
                    // A server may leave a range aside and send everything (RFC 9110, 14.2); the local stack does so where
                    // a version is named.
                    self.skip = if answer.content_range.is_some() { 0 } else { self.next };
                    self.body.insert(answer.body)
                }
            };
            match body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    let before = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                    self.skip -= before as u64;
                    let bytes = bytes.slice(before..);
                    if bytes.is_empty() {
                        continue;
                    }
                    let wanted = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
                    let bytes = if bytes.len() > wanted { bytes.slice(..wanted) } else { bytes };
                    self.next += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                broken => {
                    self.body = None;
                    self.resumes += 1;
                    let source: Box<dyn std::error::Error + Send + Sync> = match broken {
                        Some(Err(error)) => Box::new(error),
                        _ => "it ended too early".into(),
                    };
                    if self.resumes > RESUMES_MAX {
                        return Err(FilesError::Failed { doing: "read object", source });
                    }
                    tracing::warn!(error = %source, at = self.next, "object stream broke off; taking it up again");
                }
            }
        }
    }
}

/// A whole small object, at most `max` bytes.
///
/// # Errors
/// [`FilesError::Missing`], [`FilesError::TooLarge`], or a failed call.
pub async fn read(files: &Files, bucket: &str, key: &str, max: usize) -> Result<Vec<u8>, FilesError> {
    let answer = files.client().get_object().bucket(bucket).key(key).send().await.map_err(failed("read object"))?;
    let size = answer.content_length().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    let mut body = answer.body;
    let mut all = Vec::with_capacity(size.min(max));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| FilesError::Failed { doing: "read object", source: Box::new(error) })?;
        if all.len() + chunk.len() > max {
            return Err(FilesError::TooLarge);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
