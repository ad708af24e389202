//! From an S3 event to the pictures that arrived.

use almacen_domain::Millis;
use almacen_domain::catalogue::image;
use almacen_lambda_kit::s3::{CreatedObject, NotAnS3Event, created_objects};

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

/// The pictures that a message tells of. Objects that are no product's are left alone.
///
/// # Errors
/// [`NotAnS3Event`].
pub fn parse(body: &str) -> Result<Vec<Uploaded>, NotAnS3Event> {
    Ok(created_objects(body)?.into_iter().filter_map(uploaded).collect())
}

fn uploaded(object: CreatedObject) -> Option<Uploaded> {
    let CreatedObject { bucket, key, size, at, .. } = object;
    let Some(product) = image::product_of(&key).map(str::to_owned) else {
        tracing::warn!(bucket, "an object that is no product's picture; left alone");
        return None;
    };
    Some(Uploaded { bucket, key, product, size: size.unwrap_or(0), at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::event::sqs::SqsEvent;

    /// What the one message of a sample event tells of.
    fn told(event: &str) -> Result<Vec<Uploaded>, NotAnS3Event> {
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
        assert_eq!(told(include_str!("../../../events/process-image/not-an-event.json")), Err(NotAnS3Event));
        assert_eq!(parse("no JSON"), Err(NotAnS3Event));
    }
}
