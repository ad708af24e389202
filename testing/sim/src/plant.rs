//! Faults that are planted, to see that the simulation finds them: what a mistake in a function would have sent to AWS, or
//! one in how its triggers are set up. Nothing here is in a function.

use almacen_testing_aws::http::Request;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// A planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A review is written although its customer has written one: the condition on that is gone.
    SecondReviewCounts,
    /// A function's partial answer is taken for a whole one: failed messages are deleted.
    FailedMessagesAcknowledged,
    /// An event is put into the Outbox after the transaction of its change, and not in it.
    EventOutsideTransaction,
    /// An import gives its store back as soon as it has it.
    LeaseGivenBackEarly,
    /// A cart is written without looking at its version.
    VersionForgotten,
}

/// All of them.
pub const PLANTS: [Plant; 5] = [
    Plant::SecondReviewCounts,
    Plant::FailedMessagesAcknowledged,
    Plant::EventOutsideTransaction,
    Plant::LeaseGivenBackEarly,
    Plant::VersionForgotten,
];

const TARGET: &str = "x-amz-target";

impl Plant {
    /// Changes a request as the mistake would have; what it makes afterwards, if anything.
    pub(crate) fn rewrite(self, request: &mut Request) -> Option<Request> {
        let operation = request.header(TARGET).strip_prefix("DynamoDB_20120810.")?.to_owned();
        let mut body: Value = serde_json::from_slice(&request.body).ok()?;
        let after = match self {
            Self::SecondReviewCounts if operation == "TransactWriteItems" => {
                writes(&mut body).filter(|write| is_of(write, "Reviews")).for_each(drop_condition);
                None
            }
            Self::VersionForgotten if operation == "TransactWriteItems" => {
                writes(&mut body).filter(|write| is_of(write, "Carts")).for_each(drop_condition);
                None
            }
            Self::LeaseGivenBackEarly if operation == "UpdateItem" && is_of(body.as_object()?, "Stores") => {
                let values = body.get_mut("ExpressionAttributeValues").and_then(Value::as_object_mut)?;
                if let (Some(now), true) = (values.get(":now").cloned(), values.contains_key(":until")) {
                    // As if it had ended the moment before.
                    let ended = now["N"].as_str()?.parse::<i64>().ok()? - 1;
                    values.insert(":until".to_owned(), json!({"N": ended.to_string()}));
                }
                None
            }
            Self::EventOutsideTransaction if operation == "TransactWriteItems" => {
                let put = take_event(&mut body)?;
                let mut after = Request { body: Bytes::from(put.to_string()), ..request.clone() };
                after.headers.insert(TARGET.to_owned(), "DynamoDB_20120810.PutItem".to_owned());
                Some(after)
            }
            Self::SecondReviewCounts
            | Self::VersionForgotten
            | Self::LeaseGivenBackEarly
            | Self::EventOutsideTransaction
            | Self::FailedMessagesAcknowledged => return None,
        };
        request.body = Bytes::from(body.to_string());
        after
    }
}

/// The parameters of each write of a transaction.
fn writes(body: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let items = body.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(|item| item.as_object_mut()?.values_mut().next()?.as_object_mut())
}

/// Is it about this table? Its name has the logical id in it.
fn is_of(write: &Map<String, Value>, table: &str) -> bool {
    write.get("TableName").and_then(Value::as_str).is_some_and(|name| name.contains(&format!("{table}Table")))
}

/// Without its condition, and without the values that only the condition uses.
fn drop_condition(write: &mut Map<String, Value>) {
    write.remove("ConditionExpression");
    let update = write.get("UpdateExpression").and_then(Value::as_str).unwrap_or_default().to_owned();
    for used in ["ExpressionAttributeValues", "ExpressionAttributeNames"] {
        let Some(entries) = write.get_mut(used).and_then(Value::as_object_mut) else { continue };
        entries.retain(|name, _| update.contains(name.as_str()));
        if entries.is_empty() {
            write.remove(used);
        }
    }
}

/// Takes the put of the event out of a transaction; nothing, where it would leave none.
fn take_event(body: &mut Value) -> Option<Value> {
    let items = body.get_mut("TransactItems")?.as_array_mut()?;
    let is_event = |item: &Value| item.get("Put").and_then(Value::as_object).is_some_and(|put| is_of(put, "Outbox"));
    let at = items.iter().position(is_event)?;
    if items.len() < 2 {
        return None;
    }
    let mut item = items.remove(at);
    Some(item["Put"].take())
}
