//! An operation and what both sides answered, in the form in which answers are compared.

use almacen_testing_aws::number::Number;
use serde_json::{Map, Value, json};

use crate::stack;

/// An answer in the form in which it is compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// The name of the error; empty for a success.
    pub(super) code: String,
    /// The text of the error. It is not compared.
    pub(super) message: String,
    /// The body, without the error's name and text.
    pub(super) body: Value,
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.code, &self.body) == (other.status, &other.code, &other.body)
    }
}

impl Answer {
    /// Of a service that speaks JSON.
    pub(super) fn json(status: u16, body: &[u8]) -> Self {
        let mut body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        sort_sets(&mut body);
        if status < 300 {
            return Self { status, body, ..Self::default() };
        }
        let mut take = |name: &str| body.as_object_mut().and_then(|body| body.remove(name));
        let (kind, message) = (take("__type"), take("message").or_else(|| take("Message")));
        let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        // The part before `#` names the version of the service.
        let code = text(kind).rsplit('#').next().unwrap_or_default().to_owned();
        let mut message = text(message);
        for reason in body.get_mut("CancellationReasons").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(told) = reason.as_object_mut().and_then(|reason| reason.remove("Message")) {
                message += &format!(" | {}", told.as_str().unwrap_or_default());
            }
        }
        Self { status, code, message, body }
    }

    /// Of the local stack.
    pub(super) fn theirs(answer: &stack::Answer) -> Self {
        Self::json(answer.status, &answer.bytes)
    }

    /// Of a call in this process.
    pub(super) fn ours(answer: Result<Vec<u8>, almacen_testing_aws::ServiceError>) -> Self {
        match answer {
            Ok(body) => Self::json(200, &body),
            Err(error) => Self::json(error.status, &error.json()),
        }
    }

    /// Of a success with this body.
    pub(super) fn of(body: Value) -> Self {
        Self { status: 200, body, ..Self::default() }
    }

    pub(super) fn is_success(&self) -> bool {
        self.status < 300
    }
}

/// Sets have no order, so theirs is made one.
pub(super) fn sort_sets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if let ("SS" | "NS" | "BS", Value::Array(set)) = (name.as_str(), &mut *member) {
                    sort(set);
                } else {
                    sort_sets(member);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(sort_sets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A body with every number as DynamoDB stores it.
pub(super) fn as_stored(body: &Value) -> Value {
    let number = |text: &Value| {
        let stored: Option<Number> = text.as_str().and_then(|text| text.parse().ok());
        stored.map_or_else(|| text.clone(), |stored| json!(stored.to_string()))
    };
    match body {
        Value::Object(members) => {
            let stored = |(name, member): (&String, &Value)| match (name.as_str(), member) {
                ("N", text) => (name.clone(), number(text)),
                ("NS", Value::Array(set)) => {
                    let mut set: Vec<Value> = set.iter().map(number).collect();
                    sort(&mut set);
                    (name.clone(), json!(set))
                }
                (_, member) => (name.clone(), as_stored(member)),
            };
            object(members.iter().map(stored))
        }
        Value::Array(list) => Value::Array(list.iter().map(as_stored).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}

/// Sorts a list whose order means nothing.
pub(super) fn sort(list: &mut [Value]) {
    list.sort_by_cached_key(Value::to_string);
}

/// An operation and both answers.
#[derive(Debug)]
pub(super) struct Exchange {
    /// `dynamodb`, `sqs` or `s3`.
    pub(super) service: &'static str,
    /// Such as `PutItem`.
    pub(super) operation: String,
    /// What was sent.
    pub(super) request: Value,
    /// What the in-memory AWS answered.
    pub(super) ours: Answer,
    /// What the local stack answered.
    pub(super) theirs: Answer,
}

impl Exchange {
    /// The text of a request's expression.
    pub(super) fn text(&self, member: &str) -> &str {
        self.request.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Both refuse, with these codes.
    pub(super) fn codes(&self) -> (&str, &str) {
        (&self.ours.code, &self.theirs.code)
    }

    /// Differences of one kind are shown once: operation, codes, and what the texts of errors begin with.
    pub(super) fn kind(&self) -> String {
        let part = |answer: &Answer| {
            let start: String = answer.message.chars().filter(|letter| !letter.is_ascii_digit()).take(70).collect();
            format!("{} {} {start}", answer.status, answer.code)
        };
        format!("{} / {} / {}", self.operation, part(&self.ours), part(&self.theirs))
    }

    /// For people.
    pub(super) fn show(&self) -> String {
        let answer = |answer: &Answer| {
            format!("{} {} {} {}", answer.status, answer.code, answer.message, shorten(&answer.body.to_string()))
        };
        format!(
            "{} {} {}\n  testing/aws: {}\n  local stack: {}",
            self.service,
            self.operation,
            shorten(&self.request.to_string()),
            answer(&self.ours),
            answer(&self.theirs)
        )
    }
}

fn shorten(text: &str) -> String {
    const MAX: usize = 3_000;
    if text.len() <= MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(MAX).collect();
    format!("{start}… ({} bytes)", text.len())
}

/// An object with these members.
pub(super) fn object(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(Map::from_iter(members))
}
