//! Files in, lines and imports out.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::api::As;
use crate::stack::{segment, stack};
use crate::wait::{LONG_PATIENCE, PATIENCE, eventually};

/// A name that no other test and no other run has: `Berlin k3x9m2a7`.
pub(crate) fn unique(name: &str) -> String {
    format!("{name} {}", tag())
}

/// Eight letters and digits.
pub(crate) fn tag() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).map(|c| c.to_ascii_lowercase()).take(8).collect()
}

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// An object as its event tells it.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: String,
    pub(crate) size: usize,
    pub(crate) at_ms: i64,
    pub(crate) sequencer: String,
}

impl Arrived {
    /// The message that S3 puts into the queue.
    pub(crate) fn message(&self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.at_ms) * 1_000_000).unwrap();
        // Keys are written as form data, with a plus for a space.
        let key: Vec<String> = self.key.split('/').map(|part| segment(part).replace("%20", "+")).collect();
        json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": at.format(format).unwrap(),
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "EXAMPLE"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "EXAMPLE"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "uploads",
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": {"principalId": "EXAMPLE"},
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": {
                    "key": key.join("/"),
                    "size": self.size,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "versionId": self.version,
                    "sequencer": self.sequencer,
                },
            },
        }]})
        .to_string()
    }

    /// Tells of the object once more, or, in a bucket that tells nobody, for the first time.
    pub(crate) fn deliver(&self) {
        stack().send(stack().output("UploadsQueueUrl"), &self.message());
    }

    /// The import of this version, once it began.
    pub(crate) fn import(&self) -> String {
        import_of(&self.key, &self.version)
    }
}

/// Drops a file into the bucket of uploads, as a person or another program would: its import's id.
pub(crate) fn drop_file(key: &str, content: &[u8]) -> String {
    drop_with(key, &[], content)
}

/// The same with metadata.
pub(crate) fn drop_with(key: &str, metadata: &[(&str, &str)], content: &[u8]) -> String {
    let version = stack().put_object(stack().output("UploadBucket"), key, metadata, content);
    import_of(key, &version)
}

/// Drops a file and waits for the import's end.
pub(crate) fn upload(key: &str, content: &[u8]) -> Value {
    finished(&drop_file(key, content))
}

/// Puts a file where nobody is told of it, so that a test can tell when, how often and in which order it likes.
/// `order` makes the sequencer; later ones are greater.
pub(crate) fn put_quietly(key: &str, order: u32, content: &[u8]) -> Arrived {
    let bucket = quiet_bucket();
    let version = stack().put_object(&bucket, key, &[], content);
    let sequencer = format!("0066{order:012X}");
    Arrived { bucket, key: key.to_owned(), version, size: content.len(), at_ms: now_ms(), sequencer }
}

fn quiet_bucket() -> String {
    use std::sync::Once;
    static MADE: Once = Once::new();
    let bucket = format!("{}-e2e-quiet", stack().name());
    MADE.call_once(|| stack().make_bucket(&bucket));
    bucket
}

/// Every import of an object version, newest first: their ids.
pub(crate) fn imports_of(key: &str, version: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut query = json!({
            "TableName": stack().output("ImportsTable"),
            "IndexName": "recent",
            "KeyConditionExpression": "kind = :import AND created_at > :since",
            "FilterExpression": "#key = :key AND version_id = :version",
            "ProjectionExpression": "id",
            "ExpressionAttributeNames": {"#key": "key"},
            "ExpressionAttributeValues": {
                ":import": {"S": "import"}, ":key": {"S": key}, ":version": {"S": version},
                ":since": {"N": (now_ms() - 3_600_000).to_string()},
            },
            "ScanIndexForward": false,
        });
        if !start.is_null() {
            query["ExclusiveStartKey"] = start;
        }
        let page = stack().dynamodb("Query", &query);
        let items = page["Items"].as_array().expect("items");
        ids.extend(items.iter().filter_map(|item| item["id"]["S"].as_str()).map(str::to_owned));
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return ids;
        }
    }
}

/// The one import of an object version, once it began.
pub(crate) fn import_of(key: &str, version: &str) -> String {
    eventually(PATIENCE, &format!("the import of {key}"), || {
        let ids = imports_of(key, version);
        assert!(ids.len() < 2, "{key} {version} has several imports: {ids:?}");
        ids.into_iter().next().ok_or_else(|| "none yet".to_owned())
    })
}

/// The import as the API shows it.
pub(crate) fn import(id: &str) -> Value {
    As::Operador.read(&format!("/imports/{id}"))
}

/// The import as the API shows it once it ended.
pub(crate) fn finished(id: &str) -> Value {
    eventually(LONG_PATIENCE, &format!("the end of import {id}"), || {
        let import = import(id);
        match import["status"].as_str() {
            Some("pending" | "running") => Err(import.to_string()),
            _ => Ok(import),
        }
    })
}

/// The counters of an import: rows, changed, unchanged, created, rejected, stale.
pub(crate) fn counters(import: &Value) -> [u64; 6] {
    ["rows", "changed", "unchanged", "created", "rejected", "stale"]
        .map(|name| import["counters"][name].as_u64().unwrap_or_else(|| panic!("no counter {name}: {import}")))
}

/// Asserts how an import ended: its status, and rows, changed, unchanged, created, rejected, stale.
#[track_caller]
pub(crate) fn ended(import: &Value, status: &str, expected: [u64; 6]) {
    assert_eq!((import["status"].as_str().unwrap(), counters(import)), (status, expected), "{import}");
}

/// What stands behind one of an import's links.
pub(crate) fn behind(import: &Value, link: &str) -> String {
    let url = import[link].as_str().unwrap_or_else(|| panic!("no {link}: {import}"));
    let answer = stack().http("GET", url, &[], b"");
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    answer.text()
}

/// The import's report.
pub(crate) fn report(import: &Value) -> Value {
    serde_json::from_str(&behind(import, "reportUrl")).expect("the report is JSON")
}

/// Line, column, code of each rejected row of a report.
pub(crate) fn rejections(report: &Value) -> Vec<(u64, String, String)> {
    let rows = report["rejected"].as_array().expect("rejected rows");
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (row["line"].as_u64().unwrap(), text(row, "column"), text(row, "code"))).collect()
}

/// Every line of a store, over all pages of the API: `item count/threshold`. Each must be whole.
pub(crate) fn lines(store: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = As::Cliente.read(&format!("/items/{}?limit=100{cursor}", segment(store)));
        for line in page["items"].as_array().expect("items") {
            assert_eq!(line["store"], store);
            let number = |name: &str| line[name].as_i64().unwrap_or_else(|| panic!("no {name}: {line}"));
            assert_eq!(number("count"), number("available") + number("reserved"), "{line}");
            assert_eq!(line["low"], number("available") <= number("threshold"), "{line}");
            all.push(format!("{} {}/{}", line["item"].as_str().unwrap(), number("count"), number("threshold")));
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => return all,
        }
    }
}

/// A line as the table holds it: whole numbers and texts.
pub(crate) type Held = BTreeMap<String, String>;

/// Every line of a store as the table holds it, by item.
pub(crate) fn held(store: &str) -> BTreeMap<String, Held> {
    let mut all = BTreeMap::new();
    let mut start = Value::Null;
    loop {
        let mut query = json!({
            "TableName": stack().output("InventoryTable"),
            "ConsistentRead": true,
            "KeyConditionExpression": "#store = :store",
            "ExpressionAttributeNames": {"#store": "store"},
            "ExpressionAttributeValues": {":store": {"S": store}},
        });
        if !start.is_null() {
            query["ExclusiveStartKey"] = start;
        }
        let page = stack().dynamodb("Query", &query);
        for item in page["Items"].as_array().expect("items") {
            let line = plain(item);
            let number = |name: &str| line[name].parse::<i64>().unwrap();
            assert_eq!(number("on_hand"), number("available") + number("reserved"), "{line:?}");
            all.insert(line["sku"].clone(), line);
        }
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return all;
        }
    }
}

/// A store's own record: lines, low, lease.
pub(crate) fn store_record(store: &str) -> Held {
    let get =
        json!({"TableName": stack().output("StoresTable"), "Key": {"store": {"S": store}}, "ConsistentRead": true});
    plain(&stack().dynamodb("GetItem", &get)["Item"])
}

fn plain(item: &Value) -> Held {
    let attributes = item.as_object().unwrap_or_else(|| panic!("no item: {item}"));
    let value = |value: &Value| value["S"].as_str().or_else(|| value["N"].as_str()).unwrap_or_default().to_owned();
    attributes.iter().map(|(name, of)| (name.clone(), value(of))).collect()
}

/// The store in `GET /stores`: its lines and how many of them are low.
pub(crate) fn store_counts(store: &str) -> Option<(u64, u64)> {
    let mut cursor = String::new();
    loop {
        let page = As::Cliente.read(&format!("/stores?limit=100{cursor}"));
        let stores = page["stores"].as_array().expect("stores");
        if let Some(found) = stores.iter().find(|found| found["store"] == store) {
            return Some((found["lines"].as_u64().unwrap(), found["low"].as_u64().unwrap()));
        }
        cursor = format!("&cursor={}", segment(page["next"].as_str()?));
    }
}
