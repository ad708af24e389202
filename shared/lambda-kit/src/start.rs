//! The loop that asks the Lambda Runtime API for events and answers them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tracing::Instrument as _;

/// Answers events with `handler` until the environment is shut down.
///
/// Every invocation runs in a span with its request id, the function's name and whether it was the first; the trace id
/// is kept by the runtime itself. An `Err` becomes the invocation's error, which is logged once, here.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn run<A, R, H, F>(handler: H) -> Result<(), Error>
where
    A: DeserializeOwned,
    R: Serialize,
    H: Fn(A, Context) -> F,
    F: Future<Output = Result<R, Failure>>,
{
    let cold = AtomicBool::new(true);
    lambda_runtime::run(service_fn(|event: LambdaEvent<A>| {
        let cold_start = cold.swap(false, Ordering::Relaxed);
        let (payload, context) = event.into_parts();
        let span = tracing::info_span!(
            "invocation",
            request_id = %context.request_id,
            function = %context.env_config.function_name,
            cold_start,
        );
        // On the heap: an SDK call's future is large, and the runtime's layers would each carry it.
        let work = Box::pin(handler(payload, context));
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
    }))
    .await
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

/// Now, in milliseconds since 1970. The only clock of the functions; the domain is told the time.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
