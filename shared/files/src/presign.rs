//! Links that let a browser send or fetch one object for a few minutes, without credentials of its own.

use std::error::Error;
use std::time::{Duration, SystemTime};

use almacen_domain::image;

use crate::error::FilesError;
use crate::signed::Object;

/// How long a link is good for.
pub const LINK_LASTS: Duration = Duration::from_secs(15 * 60);

/// A link that a file can be PUT to, without any header. Whoever has it can use it: it goes to the caller, never into a log.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn put(bucket: &str, key: &str) -> Result<String, FilesError> {
    link("PUT", bucket, key, &[])
}

/// A link that a picture of a product can be PUT to, from any page or script: no header has to go with it.
///
/// S3 bounds neither size nor kind of what is PUT, so `process-image` does: it reads no byte of an upload that is too large,
/// and keeps the pixels of a real picture only. What was put is private in either case.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn put_image(bucket: &str, product: &str, upload: &str) -> Result<String, FilesError> {
    put(bucket, &image::original_key(product, upload))
}

/// A link that an object can be fetched from. With `save_as`, a browser stores it under that name instead of showing it.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn get(bucket: &str, key: &str, save_as: Option<&str>) -> Result<String, FilesError> {
    let disposition = save_as.map(attachment);
    let query = disposition.as_deref().map(|how| ("response-content-disposition", how));
    link("GET", bucket, key, query.as_slice())
}

fn link(method: &str, bucket: &str, key: &str, query: &[(&str, &str)]) -> Result<String, FilesError> {
    let failed = |source: Box<dyn Error + Send + Sync>| FilesError::Failed { doing: "sign link", source };
    let object = Object::at(bucket, key).map_err(failed)?;
    object.link(method, query, SystemTime::now(), LINK_LASTS).map_err(failed)
}

/// `Content-Disposition` (RFC 6266): a plain name for old readers, the real one encoded.
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_named_for_old_readers_and_for_new_ones() {
        assert_eq!(
            attachment("té \"x\".csv"),
            "attachment; filename=\"t_ _x_.csv\"; filename*=UTF-8''t%C3%A9%20%22x%22.csv"
        );
    }
}
