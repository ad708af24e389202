//! What a function is, and the loop that reads events from the Lambda Runtime API and answers them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use almacen_clock::{Instant, now_ms};
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tracing::Instrument as _;

use crate::config::{ConfigError, Env};

/// A function: its clients and settings, made once, and its handler.
pub trait Function {
    /// What it is invoked with.
    type Event: DeserializeOwned;
    /// What it answers.
    type Answer: Serialize;

    /// Answers one event.
    ///
    /// # Errors
    /// The invocation's error, which is logged once, by [`Instance::invoke`].
    fn handle(&self, event: Self::Event, context: Context) -> impl Future<Output = Result<Self::Answer, Failure>>;
}

/// Runs a function in Lambda: reads the environment, makes the function, and answers events until the environment is shut
/// down. All that a `main` does.
///
/// # Errors
/// Where something is missing in the environment, all of it named; or when the Runtime API cannot be reached.
pub async fn run<F: Function>(make: impl FnOnce(&mut Env) -> F) -> Result<(), Error> {
    crate::log::init();
    let instance = Instance::new(Env::read(), make)?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<F::Event>| {
        let (payload, context) = event.into_parts();
        instance.invoke(payload, context)
    }))
    .await
}

/// One execution environment of a function: what it keeps from invocation to invocation lives and dies with this value.
#[derive(Debug)]
pub struct Instance<F> {
    function: F,
    cold: AtomicBool,
}

impl<F: Function> Instance<F> {
    /// Makes the function from its environment.
    ///
    /// # Errors
    /// Names everything in the environment that is missing or wrong.
    pub fn new(mut env: Env, make: impl FnOnce(&mut Env) -> F) -> Result<Self, ConfigError> {
        let function = make(&mut env);
        env.check()?;
        Ok(Self { function, cold: AtomicBool::new(true) })
    }

    /// One invocation. It runs in a span with its request id, the function's name and whether it was the first; the trace id
    /// is kept by the runtime itself. An error is logged once, here.
    ///
    /// # Errors
    /// The error that Lambda reports for the invocation.
    pub async fn invoke(&self, event: F::Event, context: Context) -> Result<F::Answer, Diagnostic> {
        let span = tracing::info_span!(
            "invocation",
            request_id = %context.request_id,
            function = %context.env_config.function_name,
            cold_start = self.cold.swap(false, Ordering::Relaxed),
        );
        // On the heap: an SDK call's future is large, and the runtime's layers would each carry it.
        let work = Box::pin(self.function.handle(event, context));
        async move {
            work.await.map_err(|failure| {
                // A caller without a valid token is no trouble of ours.
                if failure.kind == UNAUTHORIZED {
                    tracing::info!("caller refused");
                } else {
                    tracing::error!(error = %failure.message, "invocation failed");
                }
                Diagnostic { error_type: failure.kind.to_owned(), error_message: failure.message }
            })
        }
        .instrument(span)
        .await
    }

    /// The same from bytes to bytes, as the Runtime API carries them: for simulations and tests.
    ///
    /// # Errors
    /// As [`Instance::invoke`], or where the event is not of the function's kind.
    pub async fn invoke_bytes(&self, event: &[u8], context: Context) -> Result<Vec<u8>, Diagnostic> {
        let unreadable = |error: serde_json::Error| Diagnostic {
            error_type: "Unreadable".to_owned(),
            error_message: error.to_string(),
        };
        let event = serde_json::from_slice(event).map_err(unreadable)?;
        let answer = self.invoke(event, context).await?;
        serde_json::to_vec(&answer).map_err(unreadable)
    }
}

/// The kind, and for API Gateway the message, of an authorizer's refusal.
pub const UNAUTHORIZED: &str = "Unauthorized";

/// Why an invocation failed: what Lambda, and through it a retry or a failure queue, is told.
#[derive(Debug)]
pub struct Failure {
    /// A stable word for the sort of failure.
    pub kind: &'static str,
    /// For operators. API Gateway's TOKEN authorizer answers 401 to the exact text `Unauthorized`.
    pub message: String,
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { kind: "Failed", message: crate::log::error_chain(&error) }
    }
}

/// The time by which an invocation ends, whatever it is doing: Lambda stops it then.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    wall_ms: i64,
}

impl Deadline {
    /// Of the invocation with this context.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        let left = context.deadline.saturating_sub(u64::try_from(now_ms()).unwrap_or(0));
        Self {
            at: Instant::now() + Duration::from_millis(left),
            wall_ms: i64::try_from(context.deadline).unwrap_or(i64::MAX),
        }
    }

    /// `left` from now, for tests and tools.
    #[must_use]
    pub fn after(left: Duration) -> Self {
        let millis = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        Self { at: Instant::now() + left, wall_ms: now_ms().saturating_add(millis) }
    }

    /// What is left of it.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The same as a time of day, in milliseconds since 1970.
    #[must_use]
    pub fn wall_ms(&self) -> i64 {
        self.wall_ms
    }
}
