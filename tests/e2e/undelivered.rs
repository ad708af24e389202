//! What nobody could handle: nothing, but for what a test put there on purpose.

use serde_json::json;

use crate::redriven;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::now_ms;

/// What [`crate::hostile`] sends on purpose.
pub(crate) const ON_PURPOSE: &str = "no event at all (from the end-to-end tests)";
/// Tests of this run began at most so long ago.
const RUN_MS: i64 = 20 * 60_000;

#[test]
fn nothing_lies_among_the_dead_letters() {
    for queue in ["UploadsDeadLettersUrl", "RangesDeadLettersUrl", "WatchStockFailuresUrl", "RelayFailuresUrl"] {
        let url = stack().output(queue);
        // Looked at without being hidden from anybody else.
        let receive = json!({
            "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "MessageSystemAttributeNames": ["All"],
        });
        let answer = stack().sqs("ReceiveMessage", &receive);
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let sent: i64 = message["Attributes"]["SentTimestamp"].as_str().unwrap().parse().unwrap();
            let body = message["Body"].as_str().unwrap();
            let on_purpose = body == ON_PURPOSE || body.contains(redriven::ON_PURPOSE);
            assert!(sent < now_ms() - RUN_MS || on_purpose, "{queue}: {message}");
        }
    }
}

#[test]
fn no_event_stays_unpublished() {
    // Events of other tests are under way all the time; none may stay there.
    let written_before = now_ms();
    eventually(PATIENCE, "every event to be published", || {
        for partition in (0..16).map(|shard| format!("{shard:02}")).chain(["1".to_owned()]) {
            let query = json!({
                "TableName": stack().output("OutboxTable"),
                "IndexName": "pending",
                "KeyConditionExpression": "pending = :partition AND created_at < :before",
                "ExpressionAttributeValues": {
                    ":partition": {"S": partition}, ":before": {"N": written_before.to_string()},
                },
            });
            let pending = stack().dynamodb("Query", &query);
            if pending["Count"] != 0 {
                return Err(pending.to_string());
            }
        }
        Ok(())
    });
}
