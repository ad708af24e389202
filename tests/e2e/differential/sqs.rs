//! SQS: the same calls on both sides. No time passes in the in-memory AWS, so whatever is hidden is hidden for longer
//! than the test takes.

use std::collections::BTreeMap;

use almacen_testing_aws::sqs::{QueueSettings, Settings, Sqs};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::exchange::{Answer, Exchange};
use super::expressions::{chance, one};
use super::report::{Report, Verdict};
use crate::stack::stack;

/// Calls of the usual run.
const OPERATIONS: usize = 1_500;
const NOW: u64 = 1_705_834_800_000;
/// Seconds for which a message is hidden: longer than the test takes.
const HIDDEN: u64 = 900;
/// Members of answers that are different on each side by their nature: the in-memory AWS has no MD5.
const MASKED: [&str; 7] = [
    "ReceiptHandle",
    "MD5OfMessageBody",
    "MD5OfBody",
    "MD5OfMessageAttributes",
    "SentTimestamp",
    "ApproximateFirstReceiveTimestamp",
    "SenderId",
];

/// What one side has named; a name of one side stands for the name of the other with the same number.
#[derive(Default)]
struct Known {
    ids: BTreeMap<String, usize>,
    /// With the queue in front: each queue may count for itself.
    sequences: BTreeMap<String, usize>,
    /// Receipts, in the order of their deliveries.
    receipts: Vec<String>,
}

impl Known {
    fn number(known: &mut BTreeMap<String, usize>, name: &str) -> Value {
        let next = known.len();
        json!(*known.entry(name.to_owned()).or_insert(next))
    }

    /// Takes the receipts of an answer, and puts numbers for ids.
    fn mask(&mut self, queue: usize, answer: &mut Value) {
        match answer {
            Value::Object(members) => {
                if let Some(receipt) = members.get("ReceiptHandle").and_then(Value::as_str) {
                    self.receipts.push(receipt.to_owned());
                }
                // Texts of errors are not compared.
                if members.contains_key("SenderFault") {
                    members.remove("Message");
                }
                members.retain(|name, _| !MASKED.contains(&name.as_str()));
                for (name, member) in members.iter_mut() {
                    match (name.as_str(), &*member) {
                        ("MessageId", Value::String(id)) => *member = Self::number(&mut self.ids, &id.clone()),
                        ("SequenceNumber", Value::String(number)) => {
                            *member = Self::number(&mut self.sequences, &format!("{queue} {number}"));
                        }
                        _ => self.mask(queue, member),
                    }
                }
                // Absent and empty lists are the same to clients.
                members.retain(|_, member| member.as_array().is_none_or(|list| !list.is_empty()));
            }
            Value::Array(list) => list.iter_mut().for_each(|one| self.mask(queue, one)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

struct Queues {
    ours: Sqs,
    names: Vec<String>,
    urls: Vec<String>,
    /// Of each receipt, the queue.
    receipts: Vec<usize>,
    mine: Known,
    local: Known,
}

/// A call: queues and receipts are numbers, since each side has names of its own.
struct Call {
    operation: &'static str,
    queue: usize,
    body: Value,
}

impl Queues {
    fn new(run: &str) -> Self {
        let name = |kind: &str| format!("differential-{kind}-{run}");
        let hidden = |name: &str| QueueSettings { visibility: HIDDEN * 1000, ..QueueSettings::new(name) };
        let dead = name("dead");
        let work = QueueSettings { redrive: Some((dead.clone(), 2)), ..hidden(&name("work")) };
        let hashed = QueueSettings { content_based_deduplication: true, ..hidden(&format!("{}.fifo", name("hashed"))) };
        let all =
            vec![hidden(&name("plain")), work, hidden(&format!("{}.fifo", name("orders"))), hashed, hidden(&dead)];
        let mut urls = vec![String::new(); all.len()];
        // The queue for dead letters first: another one refers to it.
        for (at, queue) in all.iter().enumerate().rev() {
            let mut attributes = Map::new();
            attributes.insert("VisibilityTimeout".to_owned(), json!(HIDDEN.to_string()));
            if queue.name.ends_with(".fifo") {
                attributes.insert("FifoQueue".to_owned(), json!("true"));
            }
            if queue.content_based_deduplication {
                attributes.insert("ContentBasedDeduplication".to_owned(), json!("true"));
            }
            if let Some((dead, count)) = &queue.redrive {
                let arn = format!("arn:aws:sqs:us-east-1:000000000000:{dead}");
                let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": count}).to_string();
                attributes.insert("RedrivePolicy".to_owned(), json!(policy));
            }
            let made = stack().sqs("CreateQueue", &json!({"QueueName": queue.name, "Attributes": attributes}));
            urls[at] = made["QueueUrl"].as_str().expect("a queue's URL").to_owned();
        }
        let names = all.iter().map(|queue| queue.name.clone()).collect();
        Self {
            ours: Sqs::new(all, Settings::default(), 1),
            names,
            urls,
            receipts: Vec::new(),
            mine: Known::default(),
            local: Known::default(),
        }
    }

    /// The body as one side gets it.
    fn body(call: &Call, url: &str, known: &Known) -> Vec<u8> {
        fn fill(value: &mut Value, known: &Known) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members.iter_mut() {
                        match (name.as_str(), member.as_u64()) {
                            ("ReceiptHandle", Some(number)) => {
                                let receipt = usize::try_from(number).ok().and_then(|at| known.receipts.get(at));
                                *member = json!(receipt.map_or("no receipt", String::as_str));
                            }
                            _ => fill(member, known),
                        }
                    }
                }
                Value::Array(list) => list.iter_mut().for_each(|one| fill(one, known)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let mut body = call.body.clone();
        fill(&mut body, known);
        body["QueueUrl"] = json!(url);
        body.to_string().into_bytes()
    }

    fn exchange(&mut self, call: &Call) -> Exchange {
        let none = format!("{}-none", self.names[0]);
        let name = self.names.get(call.queue).unwrap_or(&none);
        let url = self.urls.get(call.queue).map_or_else(|| self.urls[0].replace(&self.names[0], &none), String::clone);
        let body = Self::body(call, &format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}"), &self.mine);
        let mut ours = Answer::ours(self.ours.call(call.operation, &body, NOW));
        self.mine.mask(call.queue, &mut ours.body);
        self.receipts.resize(self.mine.receipts.len(), call.queue);
        let body = Self::body(call, &url, &self.local);
        let mut theirs = Answer::theirs(&stack().try_target("sqs", &format!("AmazonSQS.{}", call.operation), &body));
        if theirs.body.is_null() && theirs.is_success() {
            theirs.body = json!({});
        }
        self.local.mask(call.queue, &mut theirs.body);
        let mut request = call.body.clone();
        request["Queue"] = json!(name);
        Exchange { service: "sqs", operation: call.operation.to_owned(), request, ours, theirs }
    }

    /// Empties all queues on both sides, and forgets the receipts.
    fn make_equal(&mut self) {
        for (name, url) in self.names.iter().zip(&self.urls) {
            self.ours.purge(name);
            stack().sqs("PurgeQueue", &json!({"QueueUrl": url}));
        }
        self.receipts.clear();
        self.mine = Known::default();
        self.local = Known::default();
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        for url in &self.urls {
            let body = json!({"QueueUrl": url}).to_string();
            let _ = stack().try_target("sqs", "AmazonSQS.DeleteQueue", body.as_bytes());
        }
    }
}

fn message(rng: &mut Rng, is_fifo: bool, number: usize) -> Value {
    let mut message = json!({"MessageBody": format!("{} {}", one(rng, &["a", "b", "ñ"]), rng.u32(0..4))});
    if chance(rng, 3) {
        message["MessageBody"] = json!("");
    }
    if chance(rng, 25) {
        let text = one(rng, &["x", "ñ"]);
        message["MessageAttributes"] = json!({
            "kind": {"DataType": "String", "StringValue": text},
            "count": {"DataType": "Number", "StringValue": "5"},
        });
    }
    if is_fifo && chance(rng, 97) || !is_fifo && chance(rng, 3) {
        message["MessageGroupId"] = json!(one(rng, &["g1", "g2", "g3"]));
    }
    if is_fifo && chance(rng, 80) || chance(rng, 3) {
        let id = if chance(rng, 20) { rng.usize(0..=number) } else { number };
        message["MessageDeduplicationId"] = json!(format!("d{id}"));
    }
    if !is_fifo && chance(rng, 10) || chance(rng, 2) {
        message["DelaySeconds"] = json!(one(rng, &[&0, &HIDDEN, &(HIDDEN + 1)]));
    }
    message
}

fn next(rng: &mut Rng, queues: &Queues, number: usize) -> Call {
    // One queue more than there are: it does not exist.
    let queue = if chance(rng, 2) { queues.names.len() } else { rng.usize(0..queues.names.len()) };
    let is_fifo = queues.names.get(queue).is_some_and(|name| name.ends_with(".fifo"));
    let of_queue: Vec<usize> = (0..queues.receipts.len()).filter(|at| queues.receipts[*at] == queue).collect();
    let receipt = |rng: &mut Rng| match (of_queue.as_slice(), queues.receipts.len()) {
        (_, all) if all == 0 || chance(rng, 3) => json!(all + 5),
        // One of another queue, mostly.
        (_, all) if chance(rng, 3) => json!(rng.usize(0..all)),
        ([], all) => json!(rng.usize(0..all)),
        (own, _) => json!(own[own.len() - 1 - rng.usize(0..own.len().min(6))]),
    };
    let entries = |rng: &mut Rng, each: &mut dyn FnMut(&mut Rng) -> Value| -> Vec<Value> {
        let count = match rng.u32(0..20) {
            0 => 0,
            1 => 11,
            _ => 1 + rng.usize(0..4),
        };
        let twice = chance(rng, 5);
        (0..count)
            .map(|at| {
                let mut entry = each(rng);
                entry["Id"] = json!(format!("e{}", if twice { 0 } else { at }));
                entry
            })
            .collect()
    };
    let (operation, body) = match rng.u32(0..20) {
        0..6 => ("SendMessage", message(rng, is_fifo, number)),
        6..8 => ("SendMessageBatch", json!({"Entries": entries(rng, &mut |rng| message(rng, is_fifo, number))})),
        8..14 => {
            let mut body = json!({"MaxNumberOfMessages": 1 + rng.u32(0..10)});
            if chance(rng, 3) {
                body["MaxNumberOfMessages"] = json!(one(rng, &[&0, &11]));
            }
            if chance(rng, 40) {
                body["VisibilityTimeout"] = json!(one(rng, &[&0, &HIDDEN]));
            }
            if chance(rng, 50) {
                body["MessageAttributeNames"] = json!([one(rng, &["All", "kind"])]);
            }
            if chance(rng, 50) {
                let all = ["All", "ApproximateReceiveCount", "MessageGroupId"];
                body["MessageSystemAttributeNames"] = json!([one(rng, &all)]);
            }
            ("ReceiveMessage", body)
        }
        14..16 => ("DeleteMessage", json!({"ReceiptHandle": receipt(rng)})),
        16 => ("DeleteMessageBatch", {
            json!({"Entries": entries(rng, &mut |rng| json!({"ReceiptHandle": receipt(rng)}))})
        }),
        17 | 18 => {
            let seconds = one(rng, &[&0, &0, &HIDDEN, &43_201]);
            ("ChangeMessageVisibility", json!({"ReceiptHandle": receipt(rng), "VisibilityTimeout": seconds}))
        }
        _ => {
            let counts = [
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
                "VisibilityTimeout",
            ];
            ("GetQueueAttributes", json!({"AttributeNames": counts}))
        }
    };
    Call { operation, queue, body }
}

#[test]
fn sqs_answers_as_the_local_stack_does() {
    let run = format!("{:012x}", fastrand::u64(..1 << 48));
    let mut queues = Queues::new(&run);
    let mut report = Report::new("sqs_answers_as_the_local_stack_does", "sqs", OPERATIONS);
    let mut rng = Rng::with_seed(report.seed());
    for number in 0..report.operations() {
        let call = next(&mut rng, &queues, number);
        report.begin();
        let exchange = queues.exchange(&call);
        if report.compare(&exchange) == Verdict::Different {
            queues.make_equal();
        }
    }
    report.finish();
}
