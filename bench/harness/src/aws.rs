//! The stand-in for the part of AWS that the functions talk to: `almacen-testing-aws` over HTTP, on a thread of its own, set up
//! from template.yaml.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use almacen_testing_aws::cloud::CallInfo;
use almacen_testing_aws::cognito::PoolSettings;
pub(crate) use almacen_testing_aws::dynamodb::Usage;
use almacen_testing_aws::dynamodb::value::Item;
use almacen_testing_aws::sqs::QueueSettings;
use almacen_testing_aws::stack::Place;
use almacen_testing_aws::{Caller, Cloud, Fault, Hook, Settings, Stack, serve};
use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;

/// The user pool of the stand-in, and its app client.
const POOL: &str = "eu-central-1_Bench0001";
const CLIENT: &str = "1example23456789";
/// The queue of the parameter `FAILURES_QUEUE_URL`, which is a queue of its own for each function that has it.
const FAILURES: &str = "Failures";

/// A message that was sent to a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The queue.
    pub(crate) queue: String,
    /// Its body.
    pub(crate) body: String,
}

/// Counts the calls.
#[derive(Debug, Default)]
struct Calls(AtomicU64);

impl Hook for Calls {
    fn on_call(&self, _call: &CallInfo) -> Fault {
        self.0.fetch_add(1, Ordering::Relaxed);
        Fault::None
    }
}

/// The running stand-in.
pub(crate) struct Aws {
    cloud: Cloud,
    address: SocketAddr,
    calls: Arc<Calls>,
}

/// The stack of template.yaml under short names: `InventoryTable` is `Inventory`. Events are given by the bench, so nothing
/// comes from streams, notifications and subscriptions.
fn stack() -> Result<Stack> {
    let mut stack = Stack::read(include_str!("../../../template.yaml"), &BTreeMap::new())?;
    stack.place =
        Place { stack: "bench".to_owned(), region: "eu-central-1".to_owned(), account: "000000000000".to_owned() };
    for (id, table) in &mut stack.tables {
        table.name = id.trim_end_matches("Table").to_owned();
        table.stream = None;
    }
    for (id, bucket) in &mut stack.buckets {
        bucket.name = match id.as_str() {
            "UploadBucket" => "uploads".to_owned(),
            other => other.trim_end_matches("Bucket").to_lowercase(),
        };
        bucket.notifications.clear();
    }
    for (id, queue) in &mut stack.queues {
        queue.name.clone_from(id);
        queue.redrive = None;
    }
    stack.queues.insert(FAILURES.to_owned(), QueueSettings::new(FAILURES));
    for (id, topic) in &mut stack.topics {
        topic.name = id.trim_end_matches("Topic").to_owned();
        topic.arn = stack.place.arn("sns", &topic.name);
        topic.subscriptions.clear();
    }
    stack.pool = Some(PoolSettings { id: POOL.to_owned(), client_id: CLIENT.to_owned(), confirms: true });
    Ok(stack)
}

impl Aws {
    /// Starts it with nothing in it.
    pub(crate) fn start() -> Result<Self> {
        let start = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let settings = Settings { latency: 0, bare: true, ..Settings::default() };
        let cloud = Cloud::new(stack()?, settings, 1, start);
        let calls = Arc::new(Calls::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("listen on 127.0.0.1")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
        let (serving, hook) = (cloud.clone(), Arc::clone(&calls));
        std::thread::Builder::new().name("aws".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                serve::serve(listener, serving, Caller::operator("bench"), hook).await
            })
        })?;
        Ok(Self { cloud, address, calls })
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The user pool's id and its app client's.
    pub(crate) fn pool() -> (&'static str, &'static str) {
        (POOL, CLIENT)
    }

    /// The time of the stand-in, which is that of the clock.
    fn now(&self) -> u64 {
        self.cloud.now()
    }

    /// Stores an item without charging for it.
    pub(crate) fn seed(&self, table: &str, item: &Value) -> Result<()> {
        let item: Item = serde_json::from_value(item.clone()).with_context(|| format!("an item of {table}"))?;
        self.cloud.dynamodb().seed(table, item, self.now()).with_context(|| format!("seed {table}"))
    }

    /// Forgets a table's items.
    pub(crate) fn empty(&self, table: &str) {
        self.cloud.dynamodb().clear(table);
    }

    /// How many items a table holds.
    pub(crate) fn count(&self, table: &str) -> usize {
        self.cloud.dynamodb().count(table)
    }

    /// Every item of a table.
    pub(crate) fn items(&self, table: &str) -> Vec<Arc<Item>> {
        self.cloud.dynamodb().items(table)
    }

    /// What was asked of a table since this was last called.
    pub(crate) fn take_usage(&self, table: &str) -> Usage {
        self.cloud.dynamodb().take_usage(table)
    }

    /// Puts an object in place of all its versions; its version.
    pub(crate) fn put(&self, bucket: &str, key: &str, body: &[u8]) -> Result<String> {
        self.cloud.s3().remove(bucket, key);
        let put = self.cloud.s3().put(bucket, key, body.to_vec().into(), BTreeMap::new(), self.now());
        Ok(put.with_context(|| format!("put {bucket}/{key}"))?.0)
    }

    /// Forgets the objects of a bucket.
    pub(crate) fn empty_bucket(&self, bucket: &str) {
        for key in self.cloud.s3().keys(bucket) {
            self.cloud.s3().remove(bucket, &key);
        }
    }

    /// A message that was sent and not yet taken.
    pub(crate) fn take_message(&self) -> Option<Message> {
        let sqs = self.cloud.sqs();
        sqs.queues().into_iter().find_map(|queue| {
            let received = sqs.receive(&queue, 1, None, self.now()).ok()?.pop()?;
            sqs.delete(&queue, &received.receipt).ok()?;
            Some(Message { queue, body: received.message.body })
        })
    }

    /// Adds a confirmed user with a role.
    pub(crate) fn add_user(&self, name: &str, password: &str, role: &str) -> Result<()> {
        let added = self.cloud.cognito().add_user(name, "maria@example.com", password, &[role]);
        added.map(drop).map_err(|error| anyhow!("add {name}: {error}"))
    }

    /// A user's access token, good for an hour.
    pub(crate) fn access_token(&self, name: &str) -> Result<String> {
        self.cloud.cognito().access_token(name, self.now()).map_err(|error| anyhow!("a token of {name}: {error}"))
    }

    /// Calls of any kind since this was last asked.
    pub(crate) fn take_calls(&self) -> u64 {
        self.calls.0.swap(0, Ordering::Relaxed)
    }

    /// Forgets everything but the users.
    pub(crate) fn clear(&self) {
        for table in self.cloud.dynamodb().tables() {
            self.empty(&table);
        }
        for bucket in self.cloud.s3().buckets() {
            self.empty_bucket(&bucket);
        }
        for queue in self.cloud.sqs().queues() {
            self.cloud.sqs().purge(&queue);
        }
        self.take_refused();
    }

    /// Calls that were refused as wrong or unknown since this was last asked: a sign that the stand-in lacks something.
    pub(crate) fn take_refused(&self) -> Vec<String> {
        self.cloud.take_refused()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The names in the functions' environment are those of the stack.
    #[test]
    fn everything_that_functions_are_told_of_is_there() {
        let aws = Aws::start().unwrap();
        for (name, value) in crate::functions::environment(&aws) {
            let last = value.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
            let known = if name.ends_with("_TABLE") {
                aws.cloud.dynamodb().tables()
            } else if name.ends_with("_BUCKET") {
                aws.cloud.s3().buckets()
            } else if name.ends_with("_QUEUE_URL") || name.ends_with("_DEAD_LETTERS_URL") {
                aws.cloud.sqs().queues()
            } else if name.ends_with("_TOPIC_ARN") {
                assert!(aws.cloud.stack().topics.values().any(|topic| topic.arn == value), "{name} is {value}");
                continue;
            } else {
                continue;
            };
            assert!(known.contains(&last), "{name} is {value}, and there are {known:?}");
        }
    }

    #[test]
    fn calls_are_answered_over_http_and_counted() {
        use std::io::{Read as _, Write as _};
        let aws = Aws::start().unwrap();
        aws.seed("Stores", &json!({"store": {"S": "Berlin"}, "lines": {"N": "3"}})).unwrap();
        let mut stream = std::net::TcpStream::connect(aws.address).unwrap();
        let mut call = |body: &str| {
            let head = "POST / HTTP/1.1\r\nhost: x\r\nauthorization: x\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
            // Head and body may come one after the other.
            let (mut answer, mut part) = (String::new(), [0; 4096]);
            loop {
                let length = stream.read(&mut part).unwrap();
                assert!(length > 0, "the connection ended: {answer}");
                answer.push_str(std::str::from_utf8(&part[..length]).unwrap());
                let Some((head, body)) = answer.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
                if length.is_none_or(|length: usize| body.len() >= length) {
                    return answer;
                }
            }
        };
        assert!(call(r#"{"TableName":"Stores","Key":{"store":{"S":"Berlin"}}}"#).contains(r#""lines":{"N":"3"}"#));
        assert!(call(r#"{"TableName":"Stores","Key":{}}"#).starts_with("HTTP/1.1 400"));
        assert_eq!(aws.take_calls(), 2);
        assert_eq!((aws.take_usage("Stores").reads, aws.take_usage("Stores").reads), (1, 0));
        assert_eq!(aws.take_refused(), ["dynamodb.GetItem: 400 ValidationException"]);
        aws.clear();
        assert_eq!((aws.count("Stores"), aws.take_refused().len()), (0, 0));
    }
}
