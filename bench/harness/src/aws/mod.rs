//! A stand-in for the part of AWS that the functions talk to: right in what it answers, and quick, so that what is
//! measured is the function.

pub(crate) mod dynamodb;
mod expression;
mod item;
pub(crate) mod s3;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::{Connection, Request, Response, Server};
use dynamodb::{DynamoDb, Schema};
use s3::S3;

/// A refusal, as the services word it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A condition did not hold; with the item where it was asked for.
    ConditionFailed(Option<String>),
    /// A transaction was cancelled; the reasons as JSON.
    Cancelled(Vec<String>),
    /// The request is wrong, or asks for something that is not built here.
    Refused {
        /// The service's name for it.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl Fault {
    fn validation(message: &str) -> Self {
        Self::Refused { code: "ValidationException", message: message.to_owned() }
    }

    fn unknown(operation: &str) -> Self {
        Self::Refused { code: "UnknownOperationException", message: format!("the stand-in has no {operation}") }
    }

    fn json(self) -> String {
        match self {
            Self::ConditionFailed(item) => {
                let item = item.map(|item| format!(",\"Item\":{item}")).unwrap_or_default();
                format!(
                    "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\",\"message\":\"The conditional request failed\"{item}}}"
                )
            }
            Self::Cancelled(reasons) => format!(
                "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"Message\":\"Transaction cancelled\",\"CancellationReasons\":[{}]}}",
                reasons.join(",")
            ),
            Self::Refused { code, message } => json!({ "__type": code, "message": message }).to_string(),
        }
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::validation(&format!("{error:#}"))
    }
}

/// A message that was sent to a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The last part of the queue's address.
    pub(crate) queue: String,
    /// Its body.
    pub(crate) body: String,
}

#[derive(Debug)]
struct State {
    dynamodb: DynamoDb,
    s3: S3,
    queues: Mutex<VecDeque<Message>>,
    calls: AtomicU64,
    refused: Mutex<Vec<String>>,
    jwks: Mutex<String>,
    ids: AtomicU64,
}

/// The running stand-in.
#[derive(Debug)]
pub(crate) struct Aws {
    state: Arc<State>,
    server: Server,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Aws {
    /// Starts it with these tables and nothing in them.
    pub(crate) fn start(schemas: &[Schema]) -> Result<Self> {
        let state = Arc::new(State {
            dynamodb: DynamoDb::new(schemas),
            s3: S3::default(),
            queues: Mutex::default(),
            calls: AtomicU64::new(0),
            refused: Mutex::default(),
            jwks: Mutex::new("{\"keys\":[]}".to_owned()),
            ids: AtomicU64::new(1),
        });
        let serving = Arc::clone(&state);
        let server = Server::start("aws", move |connection| serve(&serving, connection))?;
        Ok(Self { state, server })
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The tables.
    pub(crate) fn dynamodb(&self) -> &DynamoDb {
        &self.state.dynamodb
    }

    /// The buckets.
    pub(crate) fn s3(&self) -> &S3 {
        &self.state.s3
    }

    /// The oldest message that was sent and not yet taken.
    pub(crate) fn take_message(&self) -> Option<Message> {
        lock(&self.state.queues).pop_front()
    }

    /// Requests of any kind since this was last asked.
    pub(crate) fn take_calls(&self) -> u64 {
        self.state.calls.swap(0, Ordering::Relaxed)
    }

    /// The public keys that `/<pool>/.well-known/jwks.json` answers with.
    pub(crate) fn set_jwks(&self, jwks: &Value) {
        *lock(&self.state.jwks) = jwks.to_string();
    }

    /// Forgets everything but the public keys.
    pub(crate) fn clear(&self) {
        self.state.dynamodb.clear();
        self.state.s3.clear();
        lock(&self.state.queues).clear();
        lock(&self.state.refused).clear();
    }

    /// Requests that were refused as wrong or unknown: a sign that the stand-in lacks something.
    pub(crate) fn take_refused(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state.refused))
    }
}

fn serve(state: &State, mut connection: Connection) -> io::Result<()> {
    while let Some(request) = connection.read()? {
        state.calls.fetch_add(1, Ordering::Relaxed);
        let response = answer(state, request);
        connection.write(&response)?;
    }
    Ok(())
}

fn answer(state: &State, request: Request) -> Response {
    let target = request.header("x-amz-target");
    let (service, operation) = target.split_once('.').unwrap_or(("", ""));
    let result = match service {
        "DynamoDB_20120810" => state.dynamodb.call(operation, &request.body),
        "AmazonSQS" => sqs(state, operation, &request.body),
        "AWSCognitoIdentityProviderService" => cognito(operation),
        "" => return by_path(state, request),
        other => Err(Fault::unknown(other)),
    };
    match result {
        Ok(body) => Response::new(200, "application/x-amz-json-1.0", body),
        Err(fault) => {
            if let Fault::Refused { code, message } = &fault {
                lock(&state.refused).push(format!("{target}: {code}: {message}"));
            }
            Response::new(400, "application/x-amz-json-1.0", fault.json())
        }
    }
}

fn by_path(state: &State, request: Request) -> Response {
    if request.path().ends_with("/.well-known/jwks.json") {
        return Response::new(200, "application/json", lock(&state.jwks).clone());
    }
    if request.method() == "POST" && request.path() == "/" {
        return sns(state, &request.body);
    }
    let described = format!("{} {}", request.method(), request.path());
    let response = state.s3.answer(request);
    if response.status >= 400 && response.status != 404 {
        lock(&state.refused).push(format!("S3 {described}: {}", response.status));
    }
    response
}

fn sqs(state: &State, operation: &str, body: &[u8]) -> Result<String, Fault> {
    let call: Value = serde_json::from_slice(body).map_err(|error| Fault::validation(&error.to_string()))?;
    let url = call.get("QueueUrl").and_then(Value::as_str).unwrap_or("");
    let queue = url.rsplit('/').next().unwrap_or("").to_owned();
    let send = |entry: &Value| {
        let body = entry.get("MessageBody").and_then(Value::as_str).unwrap_or("").to_owned();
        lock(&state.queues).push_back(Message { queue: queue.clone(), body });
        format!("00000000-0000-4000-9000-{:012}", state.ids.fetch_add(1, Ordering::Relaxed))
    };
    match operation {
        "SendMessage" => Ok(json!({ "MessageId": send(&call) }).to_string()),
        "SendMessageBatch" => {
            let entries = call.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
            let sent: Vec<Value> =
                entries.iter().map(|entry| json!({ "Id": entry.get("Id"), "MessageId": send(entry) })).collect();
            Ok(json!({ "Successful": sent, "Failed": [] }).to_string())
        }
        // What is asked so are the dead letters, and there are none.
        "ReceiveMessage" => Ok(json!({ "Messages": [] }).to_string()),
        "ChangeMessageVisibility" | "DeleteMessage" => Ok("{}".to_owned()),
        other => Err(Fault::unknown(other)),
    }
}

fn sns(state: &State, body: &[u8]) -> Response {
    let text = String::from_utf8_lossy(body);
    let field = |name: &str| {
        text.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then(|| percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
        })
    };
    let id = || format!("00000000-0000-4000-a000-{:012}", state.ids.fetch_add(1, Ordering::Relaxed));
    let action = field("Action").unwrap_or_default();
    let result = match action.as_str() {
        "Publish" => format!("<MessageId>{}</MessageId>", id()),
        "PublishBatch" => {
            let members: Vec<String> = (1..=10)
                .filter_map(|at| field(&format!("PublishBatchRequestEntries.member.{at}.Id")))
                .map(|entry| format!("<member><Id>{entry}</Id><MessageId>{}</MessageId></member>", id()))
                .collect();
            format!("<Successful>{}</Successful><Failed/>", members.concat())
        }
        other => {
            lock(&state.refused).push(format!("SNS {other}"));
            let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code></Error></ErrorResponse>";
            return Response::new(400, "text/xml", xml);
        }
    };
    let xml = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
        id()
    );
    Response::new(200, "text/xml", xml)
}

/// Cognito, as far as signing in and up goes. The tokens are opaque to the function that asks for them.
fn cognito(operation: &str) -> Result<String, Fault> {
    let tokens = json!({
        "AuthenticationResult": {
            "AccessToken": "header.access.signature",
            "IdToken": "header.identity.signature",
            "RefreshToken": "refresh",
            "TokenType": "Bearer",
            "ExpiresIn": 3600,
        },
        "ChallengeParameters": {},
    });
    match operation {
        "InitiateAuth" | "AdminInitiateAuth" => Ok(tokens.to_string()),
        "SignUp" => Ok(json!({ "UserConfirmed": true, "UserSub": "5d1a3c2e-0000-4000-8000-000000000001" }).to_string()),
        "AdminCreateUser" => Ok(json!({ "User": { "Username": "maria", "UserStatus": "CONFIRMED",
            "Attributes": [{ "Name": "sub", "Value": "5d1a3c2e-0000-4000-8000-000000000001" }] } })
        .to_string()),
        "AdminGetUser" | "GetUser" => Ok(json!({ "Username": "maria",
            "UserAttributes": [{ "Name": "sub", "Value": "5d1a3c2e-0000-4000-8000-000000000001" }, { "Name": "email", "Value": "maria@example.com" }] })
        .to_string()),
        "AdminConfirmSignUp" | "AdminSetUserPassword" | "AdminAddUserToGroup" | "AdminDeleteUser" => Ok("{}".to_owned()),
        other => Err(Fault::unknown(other)),
    }
}
