//! How the AWS clients of a function reach the services: in the same process, without a socket.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use serde_json::Value;
use tokio::time::sleep;

use super::call::{Kind, Routed};
use super::fault::{Fault, Hook, refusal};
use super::{Caller, Cloud, lock};
use crate::calendar::parse_basic;
use crate::http::{Request, Response};
use crate::iam::{Need, allows};
use crate::{Millis, ServiceError};

/// How often a long poll looks for messages.
const POLL: Millis = 100;

#[derive(Clone)]
struct Connector {
    cloud: Cloud,
    caller: Caller,
    hook: Arc<dyn Hook>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.caller.name)
    }
}

pub(super) fn shared(cloud: Cloud, caller: Caller, hook: Arc<dyn Hook>) -> SharedHttpConnector {
    SharedHttpConnector::new(Connector { cloud, caller, hook })
}

/// Answers a request that came another way; an error where there is no answer.
pub(crate) async fn respond(
    cloud: Cloud,
    caller: Caller,
    hook: Arc<dyn Hook>,
    request: Request,
) -> Result<Response, ConnectorError> {
    Connector { cloud, caller, hook }.both(request).await
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            let request = taken_apart(&request)?;
            let response = connector.both(request).await?;
            sdk_response(response)
        })
    }
}

fn broken(told: &str) -> ConnectorError {
    ConnectorError::io(told.into())
}

fn taken_apart(request: &HttpRequest) -> Result<Request, ConnectorError> {
    let mut read = Request::new(request.method(), request.uri());
    read.headers = request.headers().iter().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let body = request.body().bytes();
    // Bodies that come as a stream are not used here; one of unknown content must not count as empty.
    read.body = Bytes::copy_from_slice(body.ok_or_else(|| ConnectorError::user("a streaming body".into()))?);
    Ok(read)
}

fn sdk_response(response: Response) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(response.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    for (name, value) in response.headers {
        answer.headers_mut().try_insert(name, value).map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(answer)
}

impl Connector {
    /// A request, and one that the hook makes after it.
    async fn both(&self, mut request: Request) -> Result<Response, ConnectorError> {
        let after = self.hook.rewrite(&mut request);
        let response = self.exchange(request).await?;
        match after {
            Some(after) if response.status < 300 => self.exchange(after).await.map(|_| response),
            _ => Ok(response),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Response, ConnectorError> {
        let number = lock(&self.cloud.0.trace).next();
        let bare = if self.cloud.0.bare { Routed::bare(&request) } else { None };
        let routed = match bare.map_or_else(|| Routed::of(&self.cloud, &request, self.caller.names_keys()), Ok) {
            Ok(routed) => routed,
            Err(error) => return Ok(json_error(&error)),
        };
        let call = routed.info(number, self.cloud.now(), &self.caller.name);
        let fault = self.hook.on_call(&call);
        let noted = |outcome: String| lock(&self.cloud.0.trace).add(call.clone(), fault, outcome);
        match fault {
            Fault::Hang | Fault::DieBefore => {
                noted(String::new());
                return std::future::pending().await;
            }
            Fault::Slow(longer) => sleep(Duration::from_millis(longer)).await,
            Fault::None | Fault::FailBefore(_) | Fault::Partly | Fault::LoseAnswer | Fault::DieAfter => {}
        }
        self.travel().await;
        if let Fault::FailBefore(failure) = fault {
            noted(String::new());
            let refused = refusal(failure, routed.kind.name(), &routed.operation, routed.transaction);
            self.travel().await;
            return match refused {
                Some(error) => Ok(refused_by(&routed.kind, &error)),
                None => Err(ConnectorError::timeout("no answer in time".into())),
            };
        }
        let response = self.answer(&request, &routed, fault == Fault::Partly).await;
        noted(outcome(&response));
        match fault {
            Fault::DieAfter => std::future::pending().await,
            Fault::LoseAnswer => {
                self.travel().await;
                Err(broken("the connection broke before the answer"))
            }
            Fault::None | Fault::Slow(_) | Fault::Partly | Fault::FailBefore(_) | Fault::Hang | Fault::DieBefore => {
                self.travel().await;
                Ok(response)
            }
        }
    }

    async fn travel(&self) {
        let longest = *lock(&self.cloud.0.latency);
        if longest == 0 {
            return;
        }
        let takes = lock(&self.cloud.0.rng).u64(1..=longest);
        sleep(Duration::from_millis(takes)).await;
    }

    async fn answer(&self, request: &Request, routed: &Routed, partly: bool) -> Response {
        match self.permitted(request, routed) {
            Ok(()) => {}
            Err(error) => {
                let told = format!("{}: {}", self.caller.name, error.message);
                lock(&self.cloud.0.trace).denied(told);
                return refused_by(&routed.kind, &error);
            }
        }
        if routed.operation == "ReceiveMessage" {
            return self.receive(request).await;
        }
        if routed.operation == "SignUp" {
            return self.sign_up(request).await.unwrap_or_else(|error| refused_by(&routed.kind, &error));
        }
        self.carried_out(request, routed, partly).unwrap_or_else(|error| refused_by(&routed.kind, &error))
    }

    /// Is the request signed, and do the signer's rights suffice?
    fn permitted(&self, request: &Request, routed: &Routed) -> Result<(), ServiceError> {
        if routed.needs.is_empty() {
            return Ok(());
        }
        let denied = |told: String| match routed.kind {
            Kind::S3(_) => ServiceError::with_status(403, "AccessDenied", told),
            Kind::Sns => ServiceError::with_status(403, "AuthorizationError", told),
            Kind::DynamoDb | Kind::Sqs | Kind::Cognito | Kind::Jwks => ServiceError::new("AccessDeniedException", told),
        };
        let signer = if !request.header("authorization").is_empty() {
            self.caller.clone()
        } else if let Some(credential) = request.query.get("X-Amz-Credential") {
            if !is_current(&request.query, self.cloud.now()) {
                return Err(denied("Request has expired".to_owned()));
            }
            // A presigned link has its signer's rights. The access key is the name of the function that signed.
            let key = credential.split('/').next().unwrap_or_default();
            self.cloud.function(key).unwrap_or_else(|| Caller::operator(key))
        } else {
            return Err(denied("the request is not signed".to_owned()));
        };
        for need in &routed.needs {
            if !allowed(&signer, need) {
                let (name, Need { action, resource, .. }) = (&signer.name, need);
                return Err(denied(format!(
                    "User: {name} is not authorized to perform: {action} on resource: {resource} because no identity-based \
                     policy allows the {action} action"
                )));
            }
        }
        Ok(())
    }

    fn carried_out(&self, request: &Request, routed: &Routed, partly: bool) -> Result<Response, ServiceError> {
        let (cloud, now, operation) = (&self.cloud, self.cloud.now(), routed.operation.as_str());
        let json = |body: Vec<u8>| Response::new(200, "application/x-amz-json-1.0", body);
        match &routed.kind {
            Kind::DynamoDb if partly => cloud.dynamodb().call_partly(operation, &request.body, now).map(json),
            Kind::DynamoDb => cloud.dynamodb().call(operation, &request.body, now).map(json),
            Kind::Sqs if partly => cloud.sqs().call_partly(operation, &request.body, now).map(json),
            Kind::Sqs => cloud.sqs().call(operation, &request.body, now).map(json),
            Kind::Cognito => cloud.cognito().call(operation, &request.body, now).map(json),
            Kind::Jwks => Ok(Response::new(200, "application/json", cloud.cognito().jwks()?.to_string())),
            Kind::Sns => {
                let (response, deliveries) = cloud.sns().call(&request.body, now, partly)?;
                cloud.deliver_all(deliveries);
                Ok(response)
            }
            Kind::S3(asked) => {
                let list = Need::new("s3:ListBucket", format!("arn:aws:s3:::{}", asked.bucket));
                let (response, events) = cloud.s3().answer(asked, allowed(&self.caller, &list), now);
                cloud.notify(events);
                Ok(response)
            }
        }
    }

    async fn sign_up(&self, request: &Request) -> Result<Response, ServiceError> {
        let confirmed = self.cloud.admitted(&request.body).await?;
        let answer = self.cloud.cognito().sign_up(&request.body, confirmed)?;
        Ok(Response::new(200, "application/x-amz-json-1.1", answer))
    }

    /// A long poll ends with the first messages, or when its time is over.
    async fn receive(&self, request: &Request) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let seconds = body.get("WaitTimeSeconds").and_then(Value::as_u64).unwrap_or(0);
        let until = self.cloud.now() + if self.cloud.0.bare { 0 } else { seconds * 1000 };
        loop {
            let now = self.cloud.now();
            let answer = match self.cloud.sqs().call("ReceiveMessage", &request.body, now) {
                Ok(answer) => answer,
                Err(error) => return json_error(&error),
            };
            if answer != b"{}" || now >= until {
                return Response::new(200, "application/x-amz-json-1.0", answer);
            }
            sleep(Duration::from_millis(POLL.min(until - now))).await;
        }
    }
}

fn allowed(caller: &Caller, need: &Need) -> bool {
    caller.statements.as_ref().is_none_or(|statements| allows(statements, need))
}

/// Is a presigned link still good?
fn is_current(query: &BTreeMap<String, String>, now: Millis) -> bool {
    let signed = query.get("X-Amz-Date").and_then(|date| parse_basic(date));
    let lasts = query.get("X-Amz-Expires").and_then(|seconds| seconds.parse::<Millis>().ok());
    let is_signed = query.get("X-Amz-Signature").is_some_and(|signature| !signature.is_empty());
    is_signed && signed.zip(lasts).is_some_and(|(signed, lasts)| now < signed + lasts * 1000)
}

fn json_error(error: &ServiceError) -> Response {
    let response = Response::new(error.status, "application/x-amz-json-1.0", error.json());
    // SQS's clients read the older name of an error from here.
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let code = match error.code.as_str() {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        other => other,
    };
    response.with("x-amzn-query-error", format!("{code};{kind}"))
}

fn refused_by(kind: &Kind, error: &ServiceError) -> Response {
    match kind {
        Kind::S3(_) => Response::s3_error(error),
        Kind::Sns => Response::query_error(error),
        Kind::DynamoDb | Kind::Sqs | Kind::Cognito | Kind::Jwks => json_error(error),
    }
}

/// The status, and the code of an error.
fn outcome(response: &Response) -> String {
    if response.status < 400 {
        return response.status.to_string();
    }
    let text = String::from_utf8_lossy(&response.body);
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let code = json.as_ref().and_then(|json| json.get("__type")?.as_str());
    let code = code.or_else(|| text.split_once("<Code>")?.1.split("</").next());
    format!("{} {}", response.status, code.unwrap_or_default())
}
