//! Hearing what a topic says.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::tag;

/// One message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The event's name, from the message attribute that queues filter by.
    pub(crate) event: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// A queue of our own that is subscribed to a topic for as long as the test runs.
#[derive(Debug)]
pub(crate) struct Listener {
    queue: String,
    subscription: String,
    heard: RefCell<Vec<Heard>>,
}

impl Listener {
    /// Hears everything that is published from now on.
    pub(crate) fn to(topic_output: &str) -> Self {
        let made = stack().sqs("CreateQueue", &json!({"QueueName": format!("e2e-{}", tag())}));
        let queue = made["QueueUrl"].as_str().expect("a queue").to_owned();
        let asked = stack().sqs("GetQueueAttributes", &json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]}));
        let arn = asked["Attributes"]["QueueArn"].as_str().expect("an ARN");
        let topic = stack().output(topic_output);
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage",
            "Principal": {"Service": "sns.amazonaws.com"}, "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]});
        stack().sqs("SetQueueAttributes", &json!({"QueueUrl": queue, "Attributes": {"Policy": policy.to_string()}}));
        let parameters = [("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", arn)];
        let subscription = stack().sns("Subscribe", &parameters, "SubscriptionArn");
        Self { queue, subscription, heard: RefCell::default() }
    }

    /// Everything heard so far that names `what`, in order.
    pub(crate) fn about(&self, what: &str) -> Vec<Heard> {
        self.listen();
        let heard = self.heard.borrow();
        heard.iter().filter(|heard| heard.text.contains(what) || heard.subject.contains(what)).cloned().collect()
    }

    /// Waits until `enough` of what is heard about `what`, and gives all of it.
    pub(crate) fn wait_for(&self, what: &str, enough: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        eventually(PATIENCE, &format!("news about {what}"), || {
            let heard = self.about(what);
            if enough(&heard) { Ok(heard) } else { Err(format!("{heard:?}")) }
        })
    }

    fn listen(&self) {
        loop {
            let receive = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
            let answer = stack().sqs("ReceiveMessage", &receive);
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return;
            }
            let mut entries = Vec::new();
            for (position, message) in messages.iter().enumerate() {
                entries.push(json!({"Id": position.to_string(), "ReceiptHandle": message["ReceiptHandle"]}));
                let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).expect("SNS writes JSON");
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                self.heard.borrow_mut().push(Heard {
                    event: text(&body["MessageAttributes"]["evento"]["Value"]),
                    subject: text(&body["Subject"]),
                    text: text(&body["Message"]),
                });
            }
            stack().sqs("DeleteMessageBatch", &json!({"QueueUrl": self.queue, "Entries": entries}));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            stack().sns("Unsubscribe", &[("SubscriptionArn", &self.subscription)], "none");
            stack().sqs("DeleteQueue", &json!({"QueueUrl": self.queue}));
        }
    }
}
