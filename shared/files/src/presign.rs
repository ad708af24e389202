//! Links that let a browser send or fetch one object for a few minutes, without credentials of its own.

use std::error::Error;
use std::time::Duration;

use almacen_clock::now;

use almacen_domain::catalogue::image;

use crate::Files;
use crate::error::FilesError;
use crate::signed::Object;

/// How long a link is good for.
pub const LINK_LASTS: Duration = Duration::from_secs(15 * 60);

/// A link that a file can be PUT to, without any header. Whoever has it can use it: it goes to the caller, never into a log.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn put(files: &Files, bucket: &str, key: &str) -> Result<String, FilesError> {
    Object::at(files.aws(), bucket, key).and_then(|object| to_put(&object)).map_err(failed)
}

/// A link that a picture of a product can be PUT to, from any page or script: no header has to go with it.
///
/// S3 bounds neither size nor kind of what is PUT, so `process-image` does: it reads no byte of an upload that is too large,
/// and keeps the pixels of a real picture only. What was put is private in either case.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn put_image(files: &Files, bucket: &str, product: &str, upload: &str) -> Result<String, FilesError> {
    put(files, bucket, &image::original_key(product, upload))
}

/// A link that an object can be fetched from. With `save_as`, a browser stores it under that name instead of showing it.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub fn get(files: &Files, bucket: &str, key: &str, save_as: Option<&str>) -> Result<String, FilesError> {
    Object::at(files.aws(), bucket, key).and_then(|object| to_get(&object, save_as)).map_err(failed)
}

fn failed(source: Box<dyn Error + Send + Sync>) -> FilesError {
    FilesError::Failed { doing: "sign link", source }
}

fn to_put(object: &Object) -> Result<String, Box<dyn Error + Send + Sync>> {
    object.link("PUT", &[], now(), LINK_LASTS)
}

fn to_get(object: &Object, save_as: Option<&str>) -> Result<String, Box<dyn Error + Send + Sync>> {
    let disposition = save_as.map(attachment);
    let query = disposition.as_deref().map(|how| ("response-content-disposition", how));
    object.link("GET", query.as_slice(), now(), LINK_LASTS)
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

    fn object() -> Object {
        Object::example("https://uploads.s3.eu-central-1.amazonaws.com/a%20b.csv", "eu-central-1", None)
    }

    /// What a link asks for, without its place.
    fn asked(link: &str) -> Vec<(&str, &str)> {
        let (place, query) = link.split_once('?').unwrap();
        assert_eq!(place, "https://uploads.s3.eu-central-1.amazonaws.com/a%20b.csv");
        query.split('&').map(|part| part.split_once('=').unwrap()).collect()
    }

    #[test]
    fn links_need_no_headers_and_last_a_quarter_of_an_hour() {
        for link in [to_put(&object()).unwrap(), to_get(&object(), None).unwrap()] {
            let asked = asked(&link);
            assert!(asked.contains(&("X-Amz-Expires", "900")), "{link}");
            assert!(asked.contains(&("X-Amz-SignedHeaders", "host")), "{link}");
            assert!(asked.iter().all(|(name, _)| name.starts_with("X-Amz-")), "{link}");
        }
    }

    #[test]
    fn a_download_is_saved_under_the_name_that_is_asked_for() {
        let link = to_get(&object(), Some("a.csv")).unwrap();
        let disposition = "attachment%3B%20filename%3D%22a.csv%22%3B%20filename%2A%3DUTF-8%27%27a.csv";
        assert!(asked(&link).contains(&("response-content-disposition", disposition)), "{link}");
    }

    #[test]
    fn a_download_is_named_for_old_readers_and_for_new_ones() {
        assert_eq!(
            attachment("té \"x\".csv"),
            "attachment; filename=\"t_ _x_.csv\"; filename*=UTF-8''t%C3%A9%20%22x%22.csv"
        );
    }
}
