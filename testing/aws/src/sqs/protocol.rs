//! SQS's JSON protocol.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{BYTES_MAX, Outgoing, RECEIVED_MAX, Received, State, invalid};
use crate::{Millis, ServiceError};

/// Entries of one batch.
const ENTRIES_MAX: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Call {
    queue_url: String,
    #[serde(flatten)]
    entry: Entry,
    entries: Option<Vec<Entry>>,
    max_number_of_messages: Option<usize>,
    message_attribute_names: Option<Vec<String>>,
    message_system_attribute_names: Option<Vec<String>>,
    attribute_names: Option<Vec<String>>,
}

/// One message, or the call itself where it is about one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: Option<String>,
    message_body: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Value>,
    delay_seconds: Option<u64>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<u64>,
}

impl Entry {
    fn outgoing(&self) -> Outgoing {
        Outgoing {
            body: self.message_body.clone().unwrap_or_default(),
            attributes: self.message_attributes.clone(),
            delay: self.delay_seconds.map(|seconds| seconds * 1000),
            group: self.message_group_id.clone(),
            deduplication: self.message_deduplication_id.clone(),
        }
    }

    fn receipt(&self) -> &str {
        self.receipt_handle.as_deref().unwrap_or_default()
    }
}

pub(super) fn answer(
    state: &mut State,
    operation: &str,
    body: &[u8],
    now: Millis,
    partly: bool,
) -> Result<Vec<u8>, ServiceError> {
    let malformed = |error: serde_json::Error| ServiceError::new("InvalidParameterValue", error.to_string());
    let call: Call = serde_json::from_slice(body).map_err(malformed)?;
    let queue = call.queue_url.rsplit('/').next().unwrap_or_default().to_owned();
    state.queue(&queue)?;
    let answer = match operation {
        "SendMessage" => sent(state, &queue, &call.entry, now)?,
        "SendMessageBatch" => {
            let entries = call.entries.as_deref().unwrap_or_default();
            let bytes: usize = entries.iter().map(|entry| entry.outgoing().bytes()).sum();
            if bytes > BYTES_MAX {
                let told = "Batch requests cannot be longer than 1048576 bytes.";
                return Err(ServiceError::new("BatchRequestTooLong", told));
            }
            batch(entries, partly, |entry| sent(state, &queue, entry, now))?
        }
        "ReceiveMessage" => received(state, &queue, &call, now)?,
        "DeleteMessage" => {
            state.delete(&queue, call.entry.receipt())?;
            json!({})
        }
        "DeleteMessageBatch" => batch(call.entries.as_deref().unwrap_or_default(), partly, |entry| {
            state.delete(&queue, entry.receipt()).map(|()| json!({}))
        })?,
        "ChangeMessageVisibility" => {
            let visibility = call.entry.visibility_timeout.unwrap_or(0) * 1000;
            state.change_visibility(&queue, call.entry.receipt(), visibility, now)?;
            json!({})
        }
        "GetQueueAttributes" => attributes(state, &queue, call.attribute_names.as_deref().unwrap_or_default(), now)?,
        other => return Err(ServiceError::unknown_operation(other)),
    };
    Ok(answer.to_string().into_bytes())
}

fn sent(state: &mut State, queue: &str, entry: &Entry, now: Millis) -> Result<Value, ServiceError> {
    let (id, sequence) = state.send(queue, entry.outgoing(), now)?;
    let mut answer = json!({"MessageId": id});
    if queue.ends_with(".fifo")
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("SequenceNumber".to_owned(), json!(format!("{sequence:020}")));
    }
    Ok(answer)
}

/// Each entry by itself: what succeeded and what failed.
fn batch(
    entries: &[Entry],
    partly: bool,
    mut each: impl FnMut(&Entry) -> Result<Value, ServiceError>,
) -> Result<Value, ServiceError> {
    if entries.is_empty() {
        return Err(ServiceError::new("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries.len() > ENTRIES_MAX {
        let told = "Maximum number of entries per request are 10.";
        return Err(ServiceError::new("TooManyEntriesInBatchRequest", told));
    }
    let ids: BTreeSet<&Option<String>> = entries.iter().map(|entry| &entry.id).collect();
    if ids.len() < entries.len() {
        return Err(ServiceError::new("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id."));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (position, entry) in entries.iter().enumerate() {
        let done = if partly && position % 2 == 1 {
            Err(ServiceError::with_status(500, "InternalError", "We encountered an internal error. Please try again."))
        } else {
            each(entry)
        };
        match done {
            Ok(mut answer) => {
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("Id".to_owned(), json!(entry.id));
                }
                successful.push(answer);
            }
            Err(error) => failed.push(json!({
                "Id": entry.id, "Code": error.code, "Message": error.message, "SenderFault": error.status < 500,
            })),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn received(state: &mut State, queue: &str, call: &Call, now: Millis) -> Result<Value, ServiceError> {
    let max = call.max_number_of_messages.unwrap_or(1);
    if !(1..=RECEIVED_MAX).contains(&max) {
        let told =
            format!("Value {max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10.");
        return Err(invalid(told));
    }
    let visibility = call.entry.visibility_timeout.map(|seconds| seconds * 1000);
    let wanted = call.message_system_attribute_names.as_ref().or(call.attribute_names.as_ref());
    let is_wanted =
        |name: &str| wanted.is_some_and(|names| names.iter().any(|wanted| wanted == name || wanted == "All"));
    let wants_attribute = |name: &str| {
        let names = call.message_attribute_names.as_deref().unwrap_or_default();
        names.iter().any(|wanted| wanted == name || wanted == "All" || wanted == ".*")
    };
    let shown = |delivery: &Received| {
        let message = &delivery.message;
        let system: Map<String, Value> =
            delivery.system_attributes().into_iter().filter(|(name, _)| is_wanted(name)).collect();
        let own: Map<String, Value> = message
            .attributes
            .iter()
            .filter(|(name, _)| wants_attribute(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut shown = json!({"MessageId": message.id, "ReceiptHandle": delivery.receipt, "Body": message.body});
        if let Some(shown) = shown.as_object_mut() {
            if !system.is_empty() {
                shown.insert("Attributes".to_owned(), Value::Object(system));
            }
            if !own.is_empty() {
                shown.insert("MessageAttributes".to_owned(), Value::Object(own));
            }
        }
        shown
    };
    let messages: Vec<Value> = state.receive(queue, max, visibility, now)?.iter().map(shown).collect();
    Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
}

impl Received {
    fn system_attributes(&self) -> Vec<(String, Value)> {
        let message = &self.message;
        let mut all = vec![
            ("SenderId", "AIDAALMACEN".to_owned()),
            ("SentTimestamp", message.sent.to_string()),
            ("ApproximateReceiveCount", message.receive_count.to_string()),
            ("ApproximateFirstReceiveTimestamp", message.first_received.unwrap_or(message.sent).to_string()),
        ];
        if let Some(group) = &message.group {
            all.push(("MessageGroupId", group.clone()));
        }
        if let Some(id) = &message.deduplication {
            all.push(("MessageDeduplicationId", id.clone()));
            all.push(("SequenceNumber", format!("{:020}", self.sequence)));
        }
        all.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    /// As Lambda hands it to a function ("Using Lambda with Amazon SQS", example event).
    #[must_use]
    pub fn event(&self, region: &str, queue_arn: &str) -> Value {
        let lower = |value: &Value| {
            let part = |name: &str| value.get(name).cloned();
            json!({"stringValue": part("StringValue"), "binaryValue": part("BinaryValue"), "dataType": part("DataType"),
                "stringListValues": [], "binaryListValues": []})
        };
        let own: Map<String, Value> =
            self.message.attributes.iter().map(|(name, value)| (name.clone(), lower(value))).collect();
        json!({
            "messageId": self.message.id,
            "receiptHandle": self.receipt,
            "body": self.message.body,
            "attributes": Map::from_iter(self.system_attributes()),
            "messageAttributes": own,
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        })
    }
}

fn attributes(state: &mut State, queue: &str, wanted: &[String], now: Millis) -> Result<Value, ServiceError> {
    let queue = state.queue(queue)?;
    queue.expire(now);
    let visible = queue.messages.values().filter(|message| message.visible_at <= now).count();
    let in_flight =
        queue.messages.values().filter(|message| message.visible_at > now && message.receive_count > 0).count();
    let settings = &queue.settings;
    let all = [
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", (queue.messages.len() - visible - in_flight).to_string()),
        ("VisibilityTimeout", (settings.visibility / 1000).to_string()),
        ("MessageRetentionPeriod", (settings.retention / 1000).to_string()),
        ("DelaySeconds", (settings.delay / 1000).to_string()),
    ];
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name || wanted == "All");
    let shown: Map<String, Value> = all
        .into_iter()
        .filter(|(name, _)| is_wanted(name))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Ok(if shown.is_empty() { json!({}) } else { json!({"Attributes": shown}) })
}
