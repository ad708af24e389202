//! Batches of a DynamoDB stream. Each record is read by itself, so that an unreadable one does not hold up the others.

use serde::Deserialize;
use serde_json::Value;

/// A batch, in order for each key.
#[derive(Debug, Deserialize)]
pub struct StreamEvent {
    /// Its records.
    #[serde(rename = "Records")]
    pub records: Vec<Value>,
}

/// The part of a record that cannot be read, now or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// It was made.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted, or expired.
    Remove,
}

/// What a record says happened.
///
/// # Errors
/// [`Unreadable`].
pub fn event_name(record: &Value) -> Result<EventName, Unreadable> {
    match record.get("eventName").and_then(Value::as_str) {
        Some("INSERT") => Ok(EventName::Insert),
        Some("MODIFY") => Ok(EventName::Modify),
        Some("REMOVE") => Ok(EventName::Remove),
        _ => Err(Unreadable("eventName")),
    }
}

/// Attributes of an item, as a stream writes them.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a>(&'a Value);

impl<'a> Image<'a> {
    /// The key of the item.
    #[must_use]
    pub fn keys(record: &'a Value) -> Option<Self> {
        record.get("dynamodb")?.get("Keys").map(Self)
    }

    /// The item as it was before.
    #[must_use]
    pub fn old(record: &'a Value) -> Option<Self> {
        record.get("dynamodb")?.get("OldImage").map(Self)
    }

    /// The item as it is after the change.
    ///
    /// # Errors
    /// [`Unreadable`] where the record has none.
    pub fn new(record: &'a Value) -> Result<Self, Unreadable> {
        let image = record.get("dynamodb").and_then(|images| images.get("NewImage"));
        image.map(Self).ok_or(Unreadable("NewImage"))
    }

    /// A string; `None` where it is absent.
    ///
    /// # Errors
    /// [`Unreadable`] for another type.
    pub fn text(&self, name: &'static str) -> Result<Option<&'a str>, Unreadable> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.get("S").and_then(Value::as_str).map(Some).ok_or(Unreadable(name))
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn required_text(&self, name: &'static str) -> Result<&'a str, Unreadable> {
        self.text(name)?.ok_or(Unreadable(name))
    }

    /// A whole number; `None` where it is absent.
    ///
    /// # Errors
    /// [`Unreadable`] for another type, a fraction or a number beyond 64 bits.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>, Unreadable> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let digits = value.get("N").and_then(Value::as_str);
        digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(Unreadable(name))
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn required_integer(&self, name: &'static str) -> Result<i64, Unreadable> {
        self.integer(name)?.ok_or(Unreadable(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_and_its_images() {
        let record = json!({"eventName": "MODIFY", "dynamodb": {"Keys": {"id": {"S": "a"}},
            "OldImage": {"count": {"N": "1"}}, "NewImage": {"count": {"N": "2"}, "name": {"S": "b"}, "odd": {"N": "1.5"}}}});
        assert_eq!(event_name(&record), Ok(EventName::Modify));
        assert_eq!(Image::keys(&record).unwrap().required_text("id"), Ok("a"));
        assert_eq!(Image::old(&record).unwrap().integer("count"), Ok(Some(1)));
        let new = Image::new(&record).unwrap();
        assert_eq!((new.required_integer("count"), new.text("name")), (Ok(2), Ok(Some("b"))));
        assert_eq!((new.integer("absent"), new.text("absent")), (Ok(None), Ok(None)));
        for name in ["odd", "name"] {
            assert_eq!(new.integer(name), Err(Unreadable(name)));
        }
        assert_eq!(
            (new.text("count"), new.required_text("absent")),
            (Err(Unreadable("count")), Err(Unreadable("absent")))
        );
    }

    #[test]
    fn what_is_no_record() {
        for record in [json!({}), json!(7), json!({"eventName": "insert"}), json!({"dynamodb": 7})] {
            assert_eq!(event_name(&record), Err(Unreadable("eventName")));
            assert_eq!(Image::new(&record).unwrap_err(), Unreadable("NewImage"));
            assert!(Image::old(&record).is_none() && Image::keys(&record).is_none());
        }
    }
}
