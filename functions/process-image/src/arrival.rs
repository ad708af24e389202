//! From an S3 event to the pictures that arrived.

use almacen_domain::{Millis, image};
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use percent_encoding::percent_decode_str;

/// An upload, as its event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The product that it is a picture of.
    pub product: String,
    /// Bytes.
    pub size: u64,
    /// When it was uploaded.
    pub at: Millis,
}

/// The message is no S3 event, so it can never succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is no S3 event")]
pub struct Malformed;

/// The pictures that a message tells of. Other messages, such as the test that S3 sends when notifications are set up,
/// other kinds of event and other objects give none.
///
/// # Errors
/// [`Malformed`].
pub fn parse(body: &str) -> Result<Vec<Uploaded>, Malformed> {
    let value: serde_json::Value = serde_json::from_str(body).map_err(|_| Malformed)?;
    if value.get("Event").and_then(serde_json::Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    let event: S3Event = serde_json::from_value(value).map_err(|_| Malformed)?;
    Ok(event.records.iter().filter_map(uploaded).collect())
}

fn uploaded(record: &S3EventRecord) -> Option<Uploaded> {
    let name = record.event_name.as_deref().unwrap_or_default();
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated") {
        return None;
    }
    let bucket = record.s3.bucket.name.clone()?;
    // S3 writes keys into events as form data: `+` is a space, everything else is percent-encoded UTF-8.
    let encoded = record.s3.object.key.as_deref()?.replace('+', " ");
    let key = percent_decode_str(&encoded).decode_utf8_lossy().into_owned();
    let Some(product) = image::product_of(&key).map(str::to_owned) else {
        tracing::warn!(bucket, "an object that is no product's picture; left alone");
        return None;
    };
    let size = record.s3.object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    Some(Uploaded { bucket, key, product, size, at: record.event_time.timestamp_millis() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::event::sqs::SqsEvent;

    /// What the one message of a sample event tells of.
    fn told(event: &str) -> Result<Vec<Uploaded>, Malformed> {
        let mut event: SqsEvent = serde_json::from_str(event).unwrap();
        parse(&event.records.remove(0).body.unwrap_or_default())
    }

    #[test]
    fn what_the_sample_events_tell_of() {
        let expected = Uploaded {
            bucket: "almacen-dev-originals-123456789012-eu-west-1".to_owned(),
            key: "products/prod_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d/img_0b4d8a1c2e3f4a5b6c7d8e9f0a1b2c3d".to_owned(),
            product: "prod_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d".to_owned(),
            size: 2_481_733,
            at: 1_705_834_800_123,
        };
        assert_eq!(told(include_str!("../../../events/process-image/put.json")), Ok(vec![expected.clone()]));
        let too_large = Uploaded { size: image::UPLOAD_BYTES_MAX + 1, ..expected };
        assert_eq!(told(include_str!("../../../events/process-image/too-large.json")), Ok(vec![too_large]));
        for event in [
            include_str!("../../../events/process-image/not-ours.json"),
            include_str!("../../../events/process-image/deleted.json"),
            include_str!("../../../events/process-image/test-event.json"),
        ] {
            assert_eq!(told(event), Ok(Vec::new()));
        }
        assert_eq!(told(include_str!("../../../events/process-image/not-an-event.json")), Err(Malformed));
        assert_eq!(parse("no JSON"), Err(Malformed));
    }
}
