//! SNS: topics with queues as subscribers, over its query protocol
//! (<https://docs.aws.amazon.com/sns/latest/api/welcome.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::calendar::iso;
use crate::http::{Response, escape, pairs};
use crate::sqs::Outgoing;
use crate::{Millis, ServiceError};

/// A message with its attributes, and the messages of a batch together, have at most so many bytes.
const BYTES_MAX: usize = 256 * 1024;
/// Messages of one batch.
const ENTRIES_MAX: usize = 10;
/// Characters of a subject.
const SUBJECT_MAX: usize = 100;

/// What a subscriber wants: for each attribute, one of these.
pub type FilterPolicy = BTreeMap<String, Vec<Value>>;

/// A queue that gets a topic's messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// The queue's name.
    pub queue: String,
    /// What it wants; everything, where there is none.
    pub filter: Option<FilterPolicy>,
    /// Is the message's text all that it gets, without an envelope?
    pub raw: bool,
}

/// How a topic is set up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopicSettings {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Who gets its messages.
    pub subscriptions: Vec<Subscription>,
}

/// How far deliveries are from ideal ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The longest a delivery takes. Each draws its own time, so they come out of order.
    pub delivery_lag: Millis,
    /// Of a hundred deliveries, how many come twice.
    pub duplicates_percent: u8,
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// When.
    pub at: Millis,
    /// Its id.
    pub id: String,
    /// Its subject.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// Its attributes: type and value.
    pub attributes: BTreeMap<String, (String, String)>,
}

/// A message that a queue is to get.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The queue's name.
    pub queue: String,
    /// The message. Its delay is how long the delivery takes.
    pub message: Outgoing,
}

#[derive(Debug, Clone)]
struct Topic {
    settings: TopicSettings,
    published: Vec<Published>,
}

#[derive(Debug, Clone)]
struct State {
    topics: BTreeMap<String, Topic>,
    settings: Settings,
    rng: fastrand::Rng,
    last: u64,
}

/// All topics.
#[derive(Debug)]
pub struct Sns {
    state: Mutex<State>,
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameter", format!("Invalid parameter: {message}"))
}

/// Does a filter policy let a message through? Each attribute that it names must be there with one of its values
/// ("SNS subscription filter policies"): an exact string or number, `prefix`, `suffix`, `anything-but`, `exists`.
#[must_use]
pub fn matches(policy: &FilterPolicy, attributes: &BTreeMap<String, (String, String)>) -> bool {
    policy.iter().all(|(name, wanted)| {
        let held: Option<Vec<Value>> = attributes.get(name).map(|(kind, text)| match kind.as_str() {
            "String.Array" => serde_json::from_str(text).unwrap_or_default(),
            kind if kind.starts_with("Number") => serde_json::from_str(text).into_iter().collect(),
            _ => vec![json!(text)],
        });
        wanted.iter().any(|wanted| is_wanted(wanted, held.as_deref()))
    })
}

fn is_wanted(wanted: &Value, held: Option<&[Value]>) -> bool {
    let Some(rule) = wanted.as_object() else { return held.is_some_and(|held| held.contains(wanted)) };
    let texts = || held.into_iter().flatten().filter_map(Value::as_str);
    rule.iter().all(|(kind, operand)| match (kind.as_str(), operand) {
        ("exists", Value::Bool(exists)) => held.is_some() == *exists,
        ("prefix", Value::String(start)) => texts().any(|text| text.starts_with(start.as_str())),
        ("suffix", Value::String(end)) => texts().any(|text| text.ends_with(end.as_str())),
        ("anything-but", Value::Array(none)) => held.is_some_and(|held| held.iter().any(|value| !none.contains(value))),
        ("anything-but", none) => held.is_some_and(|held| held.iter().any(|value| value != none)),
        // A rule that is not built here must not let anything through unseen.
        _ => false,
    })
}

impl Published {
    /// Reads `Message`, `Subject` and `MessageAttributes` under a prefix of a form.
    fn read(form: &BTreeMap<String, String>, prefix: &str, id: String, at: Millis) -> Result<Self, ServiceError> {
        let field = |name: String| form.get(&format!("{prefix}{name}")).cloned();
        let mut attributes = BTreeMap::new();
        for number in 1.. {
            let Some(name) = field(format!("MessageAttributes.entry.{number}.Name")) else { break };
            let part = |part: &str| field(format!("MessageAttributes.entry.{number}.Value.{part}"));
            let value = part("StringValue").or_else(|| part("BinaryValue"));
            let value = value.filter(|value| !value.is_empty());
            let told = "The message attribute must contain non-empty message attribute value.";
            let value = value.ok_or_else(|| ServiceError::new("ParameterValueInvalid", told))?;
            attributes.insert(name, (part("DataType").unwrap_or_default(), value));
        }
        let message = field("Message".to_owned()).unwrap_or_default();
        if message.is_empty() {
            return Err(invalid("Empty message"));
        }
        let subject = field("Subject".to_owned());
        let is_plain = |subject: &String| {
            let printable = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            printable && !subject.starts_with(' ') && (1..=SUBJECT_MAX).contains(&subject.len())
        };
        if !subject.as_ref().is_none_or(is_plain) {
            return Err(invalid("Subject"));
        }
        let published = Self { at, id, subject, message, attributes };
        if published.bytes() > BYTES_MAX {
            return Err(invalid("Message too long"));
        }
        Ok(published)
    }

    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, (kind, value))| name.len() + kind.len() + value.len());
        self.message.len() + attributes.sum::<usize>()
    }

    fn outgoing(&self, topic: &TopicSettings, raw: bool, delay: Millis) -> Outgoing {
        if raw {
            let value = |(kind, value): &(String, String)| json!({"DataType": kind, "StringValue": value});
            let attributes = self.attributes.iter().map(|(name, held)| (name.clone(), value(held))).collect();
            return Outgoing { attributes, delay: Some(delay), ..Outgoing::new(self.message.clone()) };
        }
        let own: Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, (kind, value))| (name.clone(), json!({"Type": kind, "Value": value})))
            .collect();
        let envelope = json!({
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": topic.arn,
            "Subject": self.subject,
            "Message": self.message,
            "Timestamp": iso(self.at),
            "MessageAttributes": own,
        });
        Outgoing { delay: Some(delay), ..Outgoing::new(envelope.to_string()) }
    }
}

impl State {
    fn id(&mut self) -> String {
        self.last += 1;
        format!("00000000-0000-4000-a000-{:012x}", self.last)
    }

    fn topic(&mut self, arn: &str) -> Result<&mut Topic, ServiceError> {
        let told = "Topic does not exist";
        let found = self.topics.values_mut().find(|topic| topic.settings.arn == arn);
        found.ok_or_else(|| ServiceError::with_status(404, "NotFound", told))
    }

    fn publish(&mut self, arn: &str, published: Published) -> Result<Vec<Delivery>, ServiceError> {
        let topic = self.topic(arn)?;
        topic.published.push(published.clone());
        let settings = topic.settings.clone();
        let mut deliveries = Vec::new();
        let wants = |subscription: &&Subscription| {
            subscription.filter.as_ref().is_none_or(|policy| matches(policy, &published.attributes))
        };
        for subscription in settings.subscriptions.iter().filter(wants) {
            let copies = 1 + usize::from(self.rng.u8(0..100) < self.settings.duplicates_percent);
            for _ in 0..copies {
                let delay = self.rng.u64(0..=self.settings.delivery_lag);
                let message = published.outgoing(&settings, subscription.raw, delay);
                deliveries.push(Delivery { queue: subscription.queue.clone(), message });
            }
        }
        Ok(deliveries)
    }
}

/// A copy is of its own: what happens to one does not happen to the other.
impl Clone for Sns {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl Sns {
    /// With these topics.
    #[must_use]
    pub fn new(topics: impl IntoIterator<Item = TopicSettings>, settings: Settings, seed: u64) -> Self {
        let topic = |settings: TopicSettings| (settings.name.clone(), Topic { settings, published: Vec::new() });
        let topics = topics.into_iter().map(topic).collect();
        Self { state: Mutex::new(State { topics, settings, rng: fastrand::Rng::with_seed(seed), last: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the settings from now on.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// The names of all topics.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.lock().topics.keys().cloned().collect()
    }

    /// Everything that was published on a topic.
    #[must_use]
    pub fn published(&self, topic: &str) -> Vec<Published> {
        self.lock().topics.get(topic).map_or(Vec::new(), |topic| topic.published.clone())
    }

    /// Answers one call, and says what queues are to get. With `partly`, every other entry of a batch fails.
    ///
    /// # Errors
    /// As SNS refuses it.
    pub fn call(&self, body: &[u8], now: Millis, partly: bool) -> Result<(Response, Vec<Delivery>), ServiceError> {
        let form = pairs(&String::from_utf8_lossy(body));
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let arn = field("TopicArn");
        let mut state = self.lock();
        state.topic(arn)?;
        let mut deliveries = Vec::new();
        let action = field("Action");
        let result = match action {
            "Publish" => {
                let id = state.id();
                deliveries = state.publish(arn, Published::read(&form, "", id.clone(), now)?)?;
                format!("<MessageId>{id}</MessageId>")
            }
            "PublishBatch" => {
                let entries = entries(&form)?;
                let mut all = Vec::new();
                for (id, prefix) in entries {
                    let message = state.id();
                    all.push((id, Published::read(&form, &prefix, message, now)));
                }
                let bytes: usize = all.iter().filter_map(|(_, read)| read.as_ref().ok()).map(Published::bytes).sum();
                if bytes > BYTES_MAX {
                    let told = "The length of all the messages put together is more than the limit.";
                    return Err(ServiceError::new("BatchRequestTooLong", told));
                }
                let (mut successful, mut failed) = (String::new(), String::new());
                for (position, (id, read)) in all.into_iter().enumerate() {
                    let read = if partly && position % 2 == 1 {
                        Err(ServiceError::with_status(500, "InternalError", "try again"))
                    } else {
                        read
                    };
                    let id = escape(&id);
                    match read {
                        Ok(published) => {
                            let message = published.id.clone();
                            deliveries.extend(state.publish(arn, published)?);
                            successful
                                .push_str(&format!("<member><Id>{id}</Id><MessageId>{message}</MessageId></member>"));
                        }
                        Err(error) => {
                            let (code, fault) = (&error.code, error.status < 500);
                            failed.push_str(&format!(
                                "<member><Id>{id}</Id><Code>{code}</Code><SenderFault>{fault}</SenderFault></member>"
                            ));
                        }
                    }
                }
                format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>")
            }
            "GetTopicAttributes" => {
                let arn = escape(arn);
                format!("<Attributes><entry><key>TopicArn</key><value>{arn}</value></entry></Attributes>")
            }
            other => return Err(ServiceError::unknown_operation(other)),
        };
        let xml = format!(
            "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></{action}Response>"
        );
        Ok((Response::new(200, "text/xml", xml), deliveries))
    }
}

/// Ids of a batch's entries, and the prefix of each entry's fields.
fn entries(form: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, ServiceError> {
    let mut entries = Vec::new();
    for number in 1.. {
        let prefix = format!("PublishBatchRequestEntries.member.{number}.");
        let Some(id) = form.get(&format!("{prefix}Id")) else { break };
        entries.push((id.clone(), prefix));
    }
    if entries.is_empty() {
        return Err(ServiceError::new("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > ENTRIES_MAX {
        let told = "The batch request contains more entries than permissible.";
        return Err(ServiceError::new("TooManyEntriesInBatchRequest", told));
    }
    let ids: BTreeSet<&String> = entries.iter().map(|(id, _)| id).collect();
    if ids.len() < entries.len() {
        let told = "Two or more batch entries in the request have the same Id.";
        return Err(ServiceError::new("BatchEntryIdsNotDistinct", told));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_705_834_800_000;
    const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:events";

    fn sns(settings: Settings) -> Sns {
        let policy = [("evento".to_owned(), vec![json!("StockBajo"), json!("StockAgotado")])].into();
        let low = Subscription { queue: "low".to_owned(), filter: Some(policy), raw: true };
        let all = Subscription { queue: "all".to_owned(), filter: None, raw: false };
        let topic = TopicSettings { name: "events".to_owned(), arn: ARN.to_owned(), subscriptions: vec![low, all] };
        Sns::new([topic], settings, 7)
    }

    fn form(fields: &[(&str, &str)]) -> Vec<u8> {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut all = vec![format!("TopicArn={}", encode(ARN))];
        all.extend(fields.iter().map(|(name, value)| format!("{name}={}", encode(value))));
        all.join("&").into_bytes()
    }

    fn event(name: &str, message: &str) -> Vec<u8> {
        form(&[
            ("Action", "Publish"),
            ("Message", message),
            ("MessageAttributes.entry.1.Name", "evento"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", name),
        ])
    }

    #[test]
    fn queues_get_what_they_want() {
        let sns = sns(Settings::default());
        let (response, deliveries) = sns.call(&event("StockBajo", "¡bajo!"), NOW, false).unwrap();
        let queues: Vec<&str> = deliveries.iter().map(|delivery| delivery.queue.as_str()).collect();
        assert_eq!((response.status, queues), (200, vec!["low", "all"]));
        assert_eq!(deliveries[0].message.body, "¡bajo!");
        assert_eq!(
            deliveries[0].message.attributes["evento"],
            json!({"DataType": "String", "StringValue": "StockBajo"})
        );
        let envelope: Value = serde_json::from_str(&deliveries[1].message.body).unwrap();
        assert_eq!(
            (&envelope["Message"], &envelope["Timestamp"]),
            (&json!("¡bajo!"), &json!("2024-01-21T11:00:00.000Z"))
        );
        assert_eq!(envelope["MessageAttributes"]["evento"], json!({"Type": "String", "Value": "StockBajo"}));
        let (_, deliveries) = sns.call(&event("Otro", "x"), NOW, false).unwrap();
        assert_eq!(deliveries.len(), 1);
        assert_eq!(sns.published("events").len(), 2);
    }

    #[test]
    fn filters() {
        let holds = |policy: Value, held: &[(&str, &str, &str)]| {
            let held =
                held.iter().map(|(name, kind, value)| ((*name).to_owned(), ((*kind).to_owned(), (*value).to_owned())));
            matches(&serde_json::from_value(policy).unwrap(), &held.collect())
        };
        let event = [("e", "String", "Alta"), ("n", "Number", "5"), ("l", "String.Array", r#"["x","y"]"#)];
        for (policy, expected) in [
            (json!({}), true),
            (json!({"e": ["Alta"]}), true),
            (json!({"e": ["alta"]}), false),
            (json!({"e": ["Alta"], "absent": ["x"]}), false),
            (json!({"e": [{"prefix": "Al"}]}), true),
            (json!({"e": [{"suffix": "x"}, "Alta"]}), true),
            (json!({"e": [{"anything-but": ["Alta"]}]}), false),
            (json!({"e": [{"anything-but": "Baja"}]}), true),
            (json!({"absent": [{"exists": false}]}), true),
            (json!({"e": [{"exists": false}]}), false),
            (json!({"n": [5]}), true),
            (json!({"n": ["5"]}), false),
            (json!({"l": ["y"]}), true),
            (json!({"n": [{"numeric": [">", 1]}]}), false),
        ] {
            assert_eq!(holds(policy.clone(), &event), expected, "{policy}");
        }
    }

    #[test]
    fn batches_and_limits() {
        let sns = sns(Settings { delivery_lag: 100, duplicates_percent: 100 });
        let entry = |number: usize| {
            let field = |name: &str| format!("PublishBatchRequestEntries.member.{number}.{name}");
            [(field("Id"), format!("id{number}")), (field("Message"), "m".to_owned())]
        };
        let batch = |count: usize| {
            let fields: Vec<(String, String)> = (1..=count).flat_map(entry).collect();
            let mut all = vec![("Action", "PublishBatch")];
            all.extend(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            form(&all)
        };
        let (response, deliveries) = sns.call(&batch(3), NOW, true).unwrap();
        let xml = String::from_utf8_lossy(&response.body).into_owned();
        assert!(
            xml.contains("<Successful><member><Id>id1</Id>") && xml.contains("<Failed><member><Id>id2</Id>"),
            "{xml}"
        );
        assert_eq!(deliveries.len(), 4, "two messages, each twice, to the queue that wants all");
        for (body, code) in [
            (batch(0), "EmptyBatchRequest"),
            (batch(11), "TooManyEntriesInBatchRequest"),
            (event("x", ""), "InvalidParameter"),
            (event("x", &"x".repeat(BYTES_MAX)), "InvalidParameter"),
            (form(&[("Action", "Publish"), ("Message", "m"), ("Subject", "ñ")]), "InvalidParameter"),
            (form(&[("Action", "Subscribe")]), "UnknownOperationException"),
            (b"Action=Publish&TopicArn=none&Message=m".to_vec(), "NotFound"),
        ] {
            assert_eq!(sns.call(&body, NOW, false).unwrap_err().code, code);
        }
        assert!(sns.call(&form(&[("Action", "GetTopicAttributes")]), NOW, false).is_ok());
    }
}
