//! Links that let a browser send or fetch one object for a few minutes, without credentials of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};

use almacen_domain::image;

use crate::error::{FilesError, failed};

/// How long a link is good for.
pub const LINK_LASTS: Duration = Duration::from_secs(15 * 60);

/// A link, and the headers that have to be sent with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The address. Whoever has it can use it: it goes to the caller, never into a log.
    pub url: String,
    /// Signed headers; often none.
    pub headers: BTreeMap<String, String>,
}

/// A link that a file can be PUT to.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub async fn put(client: &Client, bucket: &str, key: &str) -> Result<Link, FilesError> {
    let request = client.put_object().bucket(bucket).key(key).presigned(lasting()?).await;
    Ok(link(&request.map_err(failed("sign upload link"))?))
}

/// A link that a picture of a product can be PUT to, from any page or script: no header has to go with it.
///
/// S3 bounds neither size nor kind of what is PUT, so `process-image` does: it reads no byte of an upload that is too large,
/// and keeps the pixels of a real picture only. What was put is private in either case.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub async fn put_image(client: &Client, bucket: &str, product: &str, upload: &str) -> Result<Link, FilesError> {
    put(client, bucket, &image::original_key(product, upload)).await
}

/// A link that an object can be fetched from. With `save_as`, a browser stores it under that name instead of showing it.
///
/// # Errors
/// [`FilesError`]; nothing is called, so only for want of credentials or a region.
pub async fn get(client: &Client, bucket: &str, key: &str, save_as: Option<&str>) -> Result<Link, FilesError> {
    let request = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .set_response_content_disposition(save_as.map(attachment))
        .presigned(lasting()?)
        .await;
    Ok(link(&request.map_err(failed("sign download link"))?))
}

fn lasting() -> Result<PresigningConfig, FilesError> {
    PresigningConfig::expires_in(LINK_LASTS)
        .map_err(|error| FilesError::Failed { doing: "sign link", source: Box::new(error) })
}

fn link(request: &PresignedRequest) -> Link {
    // The SDK adds Lambda's own trace id, which is not signed and nobody's business.
    let sent = request.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("x-amzn-trace-id"));
    let headers = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Link { url: request.uri().to_owned(), headers }
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
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};

    fn client() -> Client {
        Client::from_conf(
            aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-west-1"))
                .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
                .endpoint_url("http://127.0.0.1:4566")
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .build(),
        )
    }

    #[tokio::test]
    async fn an_upload_link_needs_no_headers_and_lasts_a_quarter_of_an_hour() {
        let link = put(&client(), "uploads", "imports/imp_1/stores/São Paulo/a+b.csv").await.unwrap();
        assert!(
            link.url.starts_with("http://127.0.0.1:4566/uploads/imports/imp_1/stores/S%C3%A3o%20Paulo/a%2Bb.csv?"),
            "{}",
            link.url
        );
        assert!(
            link.url.contains("X-Amz-Expires=900") && link.url.contains("X-Amz-SignedHeaders=host"),
            "{}",
            link.url
        );
        assert_eq!(link.headers, BTreeMap::new());
    }

    #[tokio::test]
    async fn a_picture_can_be_put_without_headers() {
        let link = put_image(&client(), "originals", "prod_1", "img_2").await.unwrap();
        assert!(link.url.starts_with("http://127.0.0.1:4566/originals/products/prod_1/img_2?"), "{}", link.url);
        assert_eq!(link.headers, BTreeMap::new());
    }

    #[tokio::test]
    async fn a_download_link_names_the_file() {
        let link = get(&client(), "reports", "imp_1/rejected.csv", Some("té.csv")).await.unwrap();
        assert!(link.url.contains("response-content-disposition=attachment"), "{}", link.url);
        assert_eq!(
            attachment("té \"x\".csv"),
            "attachment; filename=\"t_ _x_.csv\"; filename*=UTF-8''t%C3%A9%20%22x%22.csv"
        );
        let shown = get(&client(), "reports", "imp_1/report.json", None).await.unwrap();
        assert!(!shown.url.contains("disposition"), "{}", shown.url);
    }
}
