//! Writing objects: small ones at once, large ones part by part.

use std::collections::HashMap;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Tag, Tagging};

use crate::Files;
use crate::error::{FilesError, failed};

/// Bytes of a part of a large upload. S3 wants at least 5 MiB and takes 10,000 parts: 80 GB.
pub const UPLOAD_PART_BYTES: usize = 8 * 1024 * 1024;

/// Writes a whole object; writing it again replaces it.
///
/// # Errors
/// [`FilesError`].
pub async fn put(files: &Files, bucket: &str, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), FilesError> {
    write(files, bucket, key, content_type, None, HashMap::new(), body).await
}

/// Writes a whole object with metadata of its own, which [`crate::fetch::metadata`] tells; writing it again replaces both.
///
/// # Errors
/// [`FilesError`].
pub async fn put_with_metadata(
    files: &Files,
    bucket: &str,
    key: &str,
    content_type: &str,
    metadata: HashMap<String, String>,
    body: Vec<u8>,
) -> Result<(), FilesError> {
    write(files, bucket, key, content_type, None, metadata, body).await
}

/// What is under a name that says what it is never changes: browsers and caches keep it a year without asking again.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Writes a whole object whose key follows from its content; writing it again changes nothing.
///
/// # Errors
/// [`FilesError`].
pub async fn put_for_ever(
    files: &Files,
    bucket: &str,
    key: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<(), FilesError> {
    write(files, bucket, key, content_type, Some(FOR_EVER), HashMap::new(), body).await
}

async fn write(
    files: &Files,
    bucket: &str,
    key: &str,
    content_type: &str,
    cached: Option<&str>,
    metadata: HashMap<String, String>,
    body: Vec<u8>,
) -> Result<(), FilesError> {
    files
        .client()
        .put_object()
        .bucket(bucket)
        .key(key)
        .content_type(content_type)
        .set_cache_control(cached.map(str::to_owned))
        .set_metadata((!metadata.is_empty()).then_some(metadata))
        .body(body.into())
        .send()
        .await
        .map_err(failed("write object"))?;
    Ok(())
}

/// Lets the bucket's lifecycle rule for objects with this tag take the object away, some weeks from now.
///
/// # Errors
/// [`FilesError`].
pub async fn tag(files: &Files, bucket: &str, key: &str, name: &str, value: &str) -> Result<(), FilesError> {
    let tag = Tag::builder().key(name).value(value).build().map_err(incomplete)?;
    let tagging = Tagging::builder().tag_set(tag).build().map_err(incomplete)?;
    files
        .client()
        .put_object_tagging()
        .bucket(bucket)
        .key(key)
        .tagging(tagging)
        .send()
        .await
        .map_err(failed("tag object"))?;
    Ok(())
}

/// A request lacks a field that it needs: never in practice.
fn incomplete(source: BuildError) -> FilesError {
    FilesError::Failed { doing: "build request", source: Box::new(source) }
}

/// A large object on its way to S3. Dropped without [`Upload::complete`], it never becomes visible, and the bucket's
/// lifecycle rule removes what was sent.
#[derive(Debug)]
pub struct Upload {
    files: Files,
    bucket: String,
    key: String,
    id: String,
    buffer: Vec<u8>,
    parts: Vec<CompletedPart>,
    size: u64,
}

impl Upload {
    /// Begins one.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn begin(files: &Files, bucket: &str, key: &str, content_type: &str) -> Result<Self, FilesError> {
        let answer = files
            .client()
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .content_type(content_type)
            .send()
            .await
            .map_err(failed("begin upload"))?;
        Ok(Self {
            files: files.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            id: answer.upload_id.unwrap_or_default(),
            buffer: Vec::with_capacity(UPLOAD_PART_BYTES),
            parts: Vec::new(),
            size: 0,
        })
    }

    /// Adds bytes; sends them when a part is full.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<(), FilesError> {
        while !bytes.is_empty() {
            let room = UPLOAD_PART_BYTES - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == UPLOAD_PART_BYTES {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), FilesError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let body = std::mem::replace(&mut self.buffer, Vec::with_capacity(UPLOAD_PART_BYTES));
        self.size += body.len() as u64;
        let answer = self
            .files
            .client()
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .body(body.into())
            .send()
            .await
            .map_err(failed("upload part"))?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build());
        Ok(())
    }

    /// Makes the object visible, and answers its size.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn complete(mut self) -> Result<u64, FilesError> {
        if !self.buffer.is_empty() || self.parts.is_empty() {
            self.send().await?;
        }
        self.files
            .client()
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build())
            .send()
            .await
            .map_err(failed("complete upload"))?;
        Ok(self.size)
    }
}
