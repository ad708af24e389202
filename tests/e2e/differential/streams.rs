//! Streams of DynamoDB: the same writes leave the same records behind.

use serde_json::{Value, json};

use super::dynamodb::Tables;
use super::exchange::{Answer, Exchange, sort_sets};
use super::report::Report;
use super::requests::{self, Generator};
use crate::stack::stack;

/// Writes of the usual run.
const WRITES: usize = 400;
/// Records of one call of the local stack.
const PAGE: usize = 1000;

/// A record as far as both sides have it: what happened to what.
fn record(event: &str, keys: Value, new: Option<Value>, old: Option<Value>) -> Value {
    let mut record = json!({"event": event, "keys": keys, "new": new, "old": old});
    sort_sets(&mut record);
    record
}

fn ours(tables: &Tables, table: &str) -> Vec<Value> {
    let all = tables.ours.stream_records(table, 0, usize::MAX);
    all.into_iter()
        .map(|one| {
            let image = |item: Option<std::sync::Arc<_>>| item.map(|item| json!(*item));
            record(one.event, json!(one.keys), image(one.new), image(one.old))
        })
        .collect()
}

fn call(operation: &str, body: &Value) -> Value {
    let target = format!("DynamoDBStreams_20120810.{operation}");
    let answer = stack().try_target("dynamodb", &target, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    answer.json()
}

fn theirs(table: &str) -> Vec<Value> {
    let about = stack().dynamodb("DescribeTable", &json!({"TableName": table}));
    let stream = about["Table"]["LatestStreamArn"].clone();
    let shards = call("DescribeStream", &json!({"StreamArn": stream}));
    let mut records = Vec::new();
    for shard in shards["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
        let asked = json!({"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
        let mut next = call("GetShardIterator", &asked)["ShardIterator"].clone();
        while next.is_string() {
            let page = call("GetRecords", &json!({"ShardIterator": next, "Limit": PAGE}));
            let found = page["Records"].as_array().cloned().unwrap_or_default();
            if found.is_empty() {
                break;
            }
            records.extend(found.iter().map(|one| {
                let data = &one["dynamodb"];
                let event = one["eventName"].as_str().unwrap_or_default();
                record(event, data["Keys"].clone(), data.get("NewImage").cloned(), data.get("OldImage").cloned())
            }));
            next = page["NextShardIterator"].clone();
        }
    }
    records
}

#[test]
fn streams_have_the_records_of_the_local_stack() {
    let run = format!("{:012x}", fastrand::u64(..1 << 48));
    let tables = Tables::new(requests::tables(&run));
    let mut report = Report::new("streams_have_the_records_of_the_local_stack", "streams", WRITES);
    let mut generator = Generator::new(report.seed(), &run);
    let mut written = 0;
    while written < report.operations() {
        // Only writes on which both sides agree: what they leave behind is compared.
        let operation = generator.plain_write();
        let exchange = tables.exchange(operation.name, &operation.request);
        assert_eq!(exchange.ours, exchange.theirs, "{}", exchange.show());
        written += 1;
    }
    for schema in &tables.schemas {
        let (ours, theirs) = (ours(&tables, &schema.name), theirs(&schema.name));
        assert_eq!(ours.len(), theirs.len(), "{}: numbers of records", schema.name);
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            report.begin();
            report.compare(&Exchange {
                service: "streams",
                operation: "record".to_owned(),
                request: json!({"TableName": schema.name}),
                ours: Answer::of(ours),
                theirs: Answer::of(theirs),
            });
        }
    }
    report.finish();
}
