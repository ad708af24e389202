//! S3 event notifications, as they arrive in the bodies of SQS messages ("Event message structure", S3 user guide).

use almacen_domain::Millis;
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use percent_encoding::percent_decode_str;

/// An object that was created, as its event describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedObject {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Version, where the bucket keeps them.
    pub version: Option<String>,
    /// Bytes, where the event says.
    pub size: Option<u64>,
    /// S3's order among the events of one key, as S3 writes it; S3 always sends one.
    pub sequencer: Option<String>,
    /// When it was created.
    pub at: Millis,
}

/// The message is no S3 event, so it can never be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is no S3 event")]
pub struct NotAnS3Event;

/// The objects whose creation a message describes. Events of other kinds, and the test that S3 sends when notifications are set
/// up, give none.
///
/// # Errors
/// [`NotAnS3Event`].
pub fn created_objects(body: &str) -> Result<Vec<CreatedObject>, NotAnS3Event> {
    let value: serde_json::Value = serde_json::from_str(body).map_err(|_| NotAnS3Event)?;
    if value.get("Event").and_then(serde_json::Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    let event: S3Event = serde_json::from_value(value).map_err(|_| NotAnS3Event)?;
    event.records.iter().filter(|record| is_created(record)).map(|record| object(record).ok_or(NotAnS3Event)).collect()
}

fn is_created(record: &S3EventRecord) -> bool {
    record.event_name.as_deref().is_some_and(|name| name.trim_start_matches("s3:").starts_with("ObjectCreated"))
}

fn object(record: &S3EventRecord) -> Option<CreatedObject> {
    let object = &record.s3.object;
    // Keys are form-encoded: `+` is a space, everything else is percent-encoded UTF-8.
    let encoded = object.key.as_deref()?.replace('+', " ");
    Some(CreatedObject {
        bucket: record.s3.bucket.name.clone()?,
        key: percent_decode_str(&encoded).decode_utf8_lossy().into_owned(),
        version: object.version_id.clone().filter(|version| !version.is_empty() && version != "null"),
        size: object.size.and_then(|size| u64::try_from(size).ok()),
        sequencer: object.sequencer.clone().filter(|sequencer| !sequencer.is_empty()),
        at: record.event_time.timestamp_millis(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1",
        "eventTime":"2024-01-21T11:00:00.123Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"},
        "requestParameters":{"sourceIPAddress":"203.0.113.7"},"responseElements":{},
        "s3":{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{"name":"b","ownerIdentity":{},"arn":"a"},
        "object":{"key":"stores/San+Sebasti%C3%A1n/a%2Bb.csv","size":7,"eTag":"e","versionId":"v1","sequencer":"0A1B"}}}]}"#;

    #[test]
    fn an_object_as_s3_describes_it() {
        let expected = CreatedObject {
            bucket: "b".to_owned(),
            key: "stores/San Sebastián/a+b.csv".to_owned(),
            version: Some("v1".to_owned()),
            size: Some(7),
            sequencer: Some("0A1B".to_owned()),
            at: 1_705_834_800_123,
        };
        assert_eq!(created_objects(EVENT), Ok(vec![expected.clone()]));
        assert_eq!(created_objects(&EVENT.replace("ObjectCreated", "s3:ObjectCreated")), Ok(vec![expected.clone()]));
        let plain = EVENT.replace(r#""versionId":"v1""#, r#""versionId":"null""#).replace("0A1B", "");
        assert_eq!(created_objects(&plain), Ok(vec![CreatedObject { version: None, sequencer: None, ..expected }]));
    }

    #[test]
    fn other_events_describe_nothing_and_other_texts_are_refused() {
        assert_eq!(created_objects(&EVENT.replace("ObjectCreated:Put", "ObjectRemoved:Delete")), Ok(Vec::new()));
        assert_eq!(created_objects(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#), Ok(Vec::new()));
        for text in ["", "no JSON", "{}", "[]", r#"{"Records":7}"#, &EVENT.replace(r#""name":"b","#, "")] {
            assert_eq!(created_objects(text), Err(NotAnS3Event), "{text}");
        }
    }
}
