//! The user pool asks a function before it takes somebody who signs up ("Pre sign-up Lambda trigger", Cognito developer
//! guide). Functions run elsewhere: questions go to a channel, and each brings the way back for its answer.

use std::task::{Context, Poll};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{Cloud, lock};
use crate::ServiceError;

/// A question, and where its answer goes.
#[derive(Debug)]
pub struct Admission {
    /// The event for the function.
    pub event: Value,
    /// What the function answers, or why it failed.
    pub answer: oneshot::Sender<Result<Value, String>>,
}

/// Questions of a user pool.
#[derive(Debug)]
pub struct Admissions(mpsc::UnboundedReceiver<Admission>);

impl Admissions {
    /// The next question; nothing once the pool is gone.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Admission>> {
        self.0.poll_recv(context)
    }
}

pub(super) type Asks = mpsc::UnboundedSender<Admission>;

impl Cloud {
    /// From now on the user pool asks here. Without, it takes everybody.
    #[must_use]
    pub fn admissions(&self) -> Admissions {
        let (asks, questions) = mpsc::unbounded_channel();
        *lock(&self.0.admissions) = Some(asks);
        Admissions(questions)
    }

    /// May somebody sign up, and are they confirmed at once?
    pub(super) async fn admitted(&self, body: &[u8]) -> Result<bool, ServiceError> {
        let asks = lock(&self.0.admissions).clone();
        let (Some(asks), Some(pool), true) = (asks, &self.0.stack.pool, self.0.stack.admits.is_some()) else {
            return Ok(false);
        };
        let (answer, answered) = oneshot::channel();
        let event = event(&self.0.stack.place.region, &pool.id, &pool.client_id, body);
        let refused = |told: String| {
            ServiceError::new("UserLambdaValidationException", format!("PreSignUp failed with error {told}."))
        };
        asks.send(Admission { event, answer }).map_err(|error| refused(error.to_string()))?;
        let told = answered.await.map_err(|error| refused(error.to_string()))?.map_err(refused)?;
        Ok(told.pointer("/response/autoConfirmUser") == Some(&json!(true)))
    }
}

fn event(region: &str, pool: &str, client: &str, body: &[u8]) -> Value {
    let call: Value = serde_json::from_slice(body).unwrap_or_default();
    let attributes = call.get("UserAttributes").and_then(Value::as_array);
    let attributes: serde_json::Map<String, Value> = attributes
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("Name")?.as_str()?.to_owned(), one.get("Value")?.clone())))
        .collect();
    json!({
        "version": "1",
        "triggerSource": "PreSignUp_SignUp",
        "region": region,
        "userPoolId": pool,
        "userName": call.get("Username"),
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "request": {"userAttributes": attributes, "validationData": null},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    })
}
