use serde_json::json;

use super::*;

const NOW: Millis = 1_705_834_800_000;

fn sqs(settings: Settings) -> Sqs {
    let dead = QueueSettings { retention: 14 * 24 * 3600 * 1000, ..QueueSettings::new("dead") };
    let standard = QueueSettings { redrive: Some(("dead".to_owned(), 2)), ..QueueSettings::new("work") };
    let dead_fifo = QueueSettings::new("dead.fifo");
    let fifo = QueueSettings { redrive: Some(("dead.fifo".to_owned(), 2)), ..QueueSettings::new("orders.fifo") };
    let hashed = QueueSettings { content_based_deduplication: true, ..QueueSettings::new("hashed.fifo") };
    Sqs::new([dead, standard, dead_fifo, fifo, hashed], settings, 7)
}

fn send(sqs: &Sqs, body: &str, now: Millis) {
    sqs.send("work", Outgoing::new(body), now).unwrap();
}

fn order(group: &str, body: &str) -> Outgoing {
    let (group, id) = (Some(group.to_owned()), Some(body.to_owned()));
    Outgoing { group, deduplication: id, ..Outgoing::new(body) }
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|delivery| delivery.message.body.as_str()).collect()
}

fn call(sqs: &Sqs, operation: &str, body: Value) -> Result<Value, ServiceError> {
    let mut body = body;
    if body.get("QueueUrl").is_none() {
        body["QueueUrl"] = json!("https://sqs.eu-west-1.amazonaws.com/123456789012/work");
    }
    sqs.call(operation, body.to_string().as_bytes(), NOW).map(|answer| serde_json::from_slice(&answer).unwrap())
}

#[test]
fn a_message_is_hidden_while_it_is_worked_on() {
    let sqs = sqs(Settings::default());
    send(&sqs, "a", NOW);
    let first = sqs.receive("work", 10, None, NOW).unwrap();
    assert_eq!((bodies(&first), first[0].message.receive_count), (vec!["a"], 1));
    assert_eq!(sqs.receive("work", 10, None, NOW + 29_999).unwrap(), []);
    assert_eq!(sqs.depth("work", NOW), Depth { in_flight: 1, ..Depth::default() });
    assert_eq!(sqs.next_visible("work", NOW), Some(NOW + 30_000));
    sqs.change_visibility("work", &first[0].receipt, 0, NOW + 5).unwrap();
    let second = sqs.receive("work", 10, Some(1_000), NOW + 5).unwrap();
    assert_eq!(second[0].message.receive_count, 2);
    assert_eq!((second[0].message.sent, second[0].message.first_received), (NOW, Some(NOW)));
    // Only the last delivery's receipt is good.
    sqs.delete("work", &first[0].receipt).unwrap();
    assert_eq!(sqs.messages("work").len(), 1);
    sqs.delete("work", &second[0].receipt).unwrap();
    assert!(sqs.messages("work").is_empty() && sqs.next_visible("work", NOW).is_none());
    assert!(sqs.delete("work", "nonsense").is_err());
    assert!(sqs.change_visibility("work", &second[0].receipt, 0, NOW).is_err());
}

#[test]
fn what_is_received_too_often_becomes_a_dead_letter_and_keeps_its_time() {
    let sqs = sqs(Settings::default());
    send(&sqs, "a", NOW);
    for round in 0..2 {
        assert_eq!(sqs.receive("work", 1, None, NOW + round * 30_000).unwrap().len(), 1);
    }
    assert_eq!(sqs.receive("work", 1, None, NOW + 60_000).unwrap(), []);
    let dead = sqs.messages("dead");
    assert_eq!((dead[0].sent, dead[0].came_from.as_deref(), dead[0].receive_count), (NOW, Some("work"), 0));
    assert_eq!(sqs.redrive("dead", NOW + 70_000), 1);
    assert_eq!((sqs.messages("dead").len(), sqs.messages("work")[0].sent), (0, NOW + 70_000));
}

#[test]
fn messages_wait_and_expire() {
    let sqs = sqs(Settings::default());
    sqs.send("work", Outgoing { delay: Some(2_000), ..Outgoing::new("later") }, NOW).unwrap();
    assert_eq!(sqs.depth("work", NOW), Depth { delayed: 1, ..Depth::default() });
    assert_eq!(sqs.receive("work", 1, None, NOW + 1_999).unwrap(), []);
    assert_eq!(sqs.depth("work", NOW + 2_000).visible, 1);
    assert_eq!(sqs.depth("work", NOW + 4 * 24 * 3600 * 1000), Depth::default());
    assert!(sqs.send("work", Outgoing { delay: Some(900_001), ..Outgoing::new("x") }, NOW).is_err());
    assert!(sqs.send("work", Outgoing::new("x".repeat(1024 * 1024 + 1)), NOW).is_err());
    assert!(sqs.send("work", Outgoing::new(""), NOW).is_err());
    assert!(sqs.send("none", Outgoing::new("x"), NOW).is_err());
}

#[test]
fn standard_queues_repeat_and_reorder_by_seed() {
    let sqs = sqs(Settings { duplicates_percent: 50, reorders: true });
    for number in 0..100 {
        send(&sqs, &format!("{number:02}"), NOW);
    }
    let (mut seen, mut now) = (Vec::new(), NOW);
    while let Some(at) = sqs.next_visible("work", now) {
        now = at;
        for delivery in sqs.receive("work", 10, None, now).unwrap() {
            sqs.delete("work", &delivery.receipt).unwrap();
            seen.push(delivery.message.body);
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    assert_ne!(seen, sorted, "out of order");
    assert!(seen.len() > 110, "some come twice: {}", seen.len());
    sorted.dedup();
    assert_eq!(sorted.len(), 100, "and none is lost");
}

#[test]
fn a_group_keeps_its_order_and_waits_for_what_is_in_flight() {
    let sqs = sqs(Settings { duplicates_percent: 100, reorders: true });
    for (group, body) in [("ana", "a1"), ("ana", "a2"), ("bob", "b1"), ("ana", "a3")] {
        sqs.send("orders.fifo", order(group, body), NOW).unwrap();
    }
    let first = sqs.receive("orders.fifo", 2, None, NOW).unwrap();
    assert_eq!(bodies(&first), ["a1", "a2"]);
    // Of that group nothing more; other groups go on.
    assert_eq!(bodies(&sqs.receive("orders.fifo", 10, None, NOW).unwrap()), ["b1"]);
    sqs.delete("orders.fifo", &first[1].receipt).unwrap();
    assert_eq!(sqs.receive("orders.fifo", 10, None, NOW).unwrap(), []);
    // The first was not done: it comes back before the third.
    assert_eq!(bodies(&sqs.receive("orders.fifo", 10, None, NOW + 30_000).unwrap()), ["a1", "b1", "a3"]);
    // Too often: it leaves the queue, and its group goes on.
    let now = NOW + 60_000;
    assert_eq!(bodies(&sqs.receive("orders.fifo", 10, None, now).unwrap()), ["a3"]);
    let dead = sqs.messages("dead.fifo");
    assert_eq!(dead.len(), 2);
    assert_eq!((dead[0].body.as_str(), dead[0].sent), ("a1", now));
}

#[test]
fn a_fifo_queue_takes_a_message_once_in_five_minutes() {
    let sqs = sqs(Settings::default());
    let first = sqs.send("orders.fifo", order("g", "same"), NOW).unwrap();
    let received = sqs.receive("orders.fifo", 1, None, NOW).unwrap();
    sqs.delete("orders.fifo", &received[0].receipt).unwrap();
    // Even after it was deleted.
    assert_eq!(sqs.send("orders.fifo", order("g", "same"), NOW + 299_999).unwrap(), first);
    assert!(sqs.messages("orders.fifo").is_empty());
    assert_ne!(sqs.send("orders.fifo", order("g", "same"), NOW + 300_000).unwrap(), first);
    let hashed = |body: &str| Outgoing { group: Some("g".to_owned()), ..Outgoing::new(body) };
    for body in ["x", "x", "y"] {
        sqs.send("hashed.fifo", hashed(body), NOW).unwrap();
    }
    assert_eq!(sqs.messages("hashed.fifo").len(), 2);
    for (queue, message) in [
        ("orders.fifo", hashed("no id")),
        ("orders.fifo", Outgoing { group: None, ..order("g", "no group") }),
        ("orders.fifo", Outgoing { delay: Some(1), ..order("g", "delayed") }),
        ("work", order("g", "an id in a standard queue")),
    ] {
        assert!(sqs.send(queue, message, NOW).is_err());
    }
}

#[test]
fn calls() {
    let sqs = sqs(Settings::default());
    let sent = call(
        &sqs,
        "SendMessage",
        json!({"MessageBody": "a", "MessageAttributes": {"x": {"DataType": "String", "StringValue": "1"}}}),
    )
    .unwrap();
    let received = call(
        &sqs,
        "ReceiveMessage",
        json!({"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["SentTimestamp"]}),
    )
    .unwrap();
    let message = &received["Messages"][0];
    assert_eq!((&message["MessageId"], &message["Body"]), (&sent["MessageId"], &json!("a")));
    assert_eq!(message["Attributes"], json!({"SentTimestamp": NOW.to_string()}));
    assert!(message.get("MessageAttributes").is_none());
    call(&sqs, "ChangeMessageVisibility", json!({"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 60}))
        .unwrap();
    call(&sqs, "DeleteMessage", json!({"ReceiptHandle": message["ReceiptHandle"]})).unwrap();
    assert_eq!(call(&sqs, "ReceiveMessage", json!({})).unwrap(), json!({}));

    let entry = |id: usize| json!({"Id": id.to_string(), "MessageBody": format!("m{id}")});
    let batch = |ids: &[usize]| json!({"Entries": ids.iter().map(|id| entry(*id)).collect::<Vec<Value>>()});
    assert_eq!(call(&sqs, "SendMessageBatch", batch(&[1, 2])).unwrap()["Successful"].as_array().unwrap().len(), 2);
    for (ids, code) in [
        (vec![], "EmptyBatchRequest"),
        (vec![1, 1], "BatchEntryIdsNotDistinct"),
        ((0..11).collect(), "TooManyEntriesInBatchRequest"),
    ] {
        assert_eq!(call(&sqs, "SendMessageBatch", batch(&ids)).unwrap_err().code, code);
    }
    let mut partly = batch(&[3, 4]);
    partly["QueueUrl"] = json!("x/work");
    let answer: Value =
        serde_json::from_slice(&sqs.call_partly("SendMessageBatch", partly.to_string().as_bytes(), NOW).unwrap())
            .unwrap();
    assert_eq!((answer["Successful"][0]["Id"].clone(), answer["Failed"][0]["Id"].clone()), (json!("3"), json!("4")));
    let counts = call(&sqs, "GetQueueAttributes", json!({"AttributeNames": ["ApproximateNumberOfMessages"]})).unwrap();
    assert_eq!(counts, json!({"Attributes": {"ApproximateNumberOfMessages": "3"}}));
    let none = json!({"QueueUrl": "https://sqs/none"});
    assert_eq!(call(&sqs, "GetQueueAttributes", none).unwrap_err().code, "QueueDoesNotExist");
}

#[test]
fn an_event_of_a_message() {
    let sqs = sqs(Settings::default());
    send(&sqs, "a", NOW);
    let event = sqs.receive("work", 1, None, NOW).unwrap()[0].event("eu-west-1", "arn:aws:sqs:eu-west-1:1:work");
    assert_eq!((&event["body"], &event["eventSource"]), (&json!("a"), &json!("aws:sqs")));
    assert_eq!(event["attributes"]["ApproximateReceiveCount"], json!("1"));
}

#[test]
fn a_message_that_was_taken_before_has_its_first_number() {
    let sqs = sqs(Settings::default());
    let send = |body: &str| {
        let message = json!({"QueueUrl": "https://x/orders.fifo", "MessageBody": body, "MessageGroupId": "g",
            "MessageDeduplicationId": body});
        call(&sqs, "SendMessage", message).unwrap()["SequenceNumber"].as_str().unwrap().to_owned()
    };
    let (first, second) = (send("a"), send("b"));
    assert_eq!(send("a"), first);
    let third = send("c");
    assert!(first < second && second < third, "{first} {second} {third}");
}

#[test]
fn a_receipt_is_good_for_its_own_queue() {
    let sqs = sqs(Settings::default());
    send(&sqs, "a", NOW);
    let receipt = sqs.receive("work", 1, None, NOW).unwrap().remove(0).receipt;
    assert_eq!(sqs.delete("dead", &receipt).unwrap_err().code, "ReceiptHandleIsInvalid");
    assert_eq!(sqs.change_visibility("dead", &receipt, 0, NOW).unwrap_err().code, "ReceiptHandleIsInvalid");
    sqs.delete("work", &receipt).unwrap();
    assert_eq!(sqs.messages("work"), []);
}
