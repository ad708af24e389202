//! What goes wrong with a call.

use crate::http::Request;
use crate::{Millis, ServiceError};

/// A call, as the hook sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// Its number among all calls, from 1.
    pub number: u64,
    /// When it was made.
    pub at: Millis,
    /// Who makes it: a function's package.
    pub caller: String,
    /// `dynamodb`, `sqs`, `s3`, `sns`, `cognito` or `jwks`.
    pub service: &'static str,
    /// Such as `PutItem`.
    pub operation: String,
    /// Names of the tables, queues, topics, or bucket and key, that it is about.
    pub resources: Vec<String>,
    /// What it asks for, in one form: equal requests are equal texts.
    pub canonical: String,
    /// Does it change anything, where it is carried out?
    pub writes: bool,
}

/// What goes wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Its way to the service takes so much longer.
    Slow(Millis),
    /// It is not carried out, and the caller hears so.
    FailBefore(Failure),
    /// A batch is carried out in part, every other entry of it, and says so. Other calls are carried out whole.
    Partly,
    /// It is carried out, and the connection breaks before the answer.
    LoseAnswer,
    /// It is not carried out, and nothing is ever heard of it: the client's own time-out ends it.
    Hang,
    /// The caller dies before the request is sent. The call never returns; the simulator drops the caller.
    DieBefore,
    /// It is carried out, and the caller dies before the answer. The call never returns.
    DieAfter,
}

impl Fault {
    /// A short name for traces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Slow(_) => "slow",
            Self::FailBefore(Failure::Throttle) => "throttle",
            Self::FailBefore(Failure::Internal) => "500",
            Self::FailBefore(Failure::Timeout) => "timeout",
            Self::FailBefore(Failure::Conflict) => "conflict",
            Self::Partly => "partly",
            Self::LoseAnswer => "lost",
            Self::Hang => "hang",
            Self::DieBefore => "die-before",
            Self::DieAfter => "die-after",
        }
    }
}

/// How a call fails that is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Too many came at once.
    Throttle,
    /// The service is out of order for a moment: 500.
    Internal,
    /// The connection times out.
    Timeout,
    /// A transaction has one of the items; of calls that know no conflicts, a throttle.
    Conflict,
}

/// Decides of each call what goes wrong. It is asked when the call is made, before anything is done.
pub trait Hook: Send + Sync {
    /// What goes wrong with this call.
    fn on_call(&self, call: &CallInfo) -> Fault;

    /// Changes a request before anything looks at it, and answers one that is to be made after it, where it succeeds. For
    /// tests of tests: what a mistake in the caller would have sent.
    fn rewrite(&self, _request: &mut Request) -> Option<Request> {
        None
    }
}

/// Nothing ever goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Hook for NoFaults {
    fn on_call(&self, _call: &CallInfo) -> Fault {
        Fault::None
    }
}

/// A failure as the service words it; `None` for one of the connection. `writes` is the number of a transaction's writes.
pub(super) fn refusal(failure: Failure, service: &str, operation: &str, writes: usize) -> Option<ServiceError> {
    let told = "told by the hook";
    Some(match (failure, service) {
        (Failure::Timeout, _) => return None,
        (Failure::Internal, "dynamodb") => ServiceError::with_status(500, "InternalServerError", told),
        (Failure::Internal, "sqs") => ServiceError::with_status(500, "InternalFailure", told),
        (Failure::Internal, "cognito") => ServiceError::with_status(500, "InternalErrorException", told),
        (Failure::Internal, _) => ServiceError::with_status(500, "InternalError", told),
        (Failure::Conflict, "dynamodb") if operation == "TransactWriteItems" => {
            let conflict = serde_json::json!({"Code": "TransactionConflict", "Message": told});
            let none = serde_json::json!({"Code": "None"});
            let reasons = (0..writes.max(1)).map(|at| if at == 0 { conflict.clone() } else { none.clone() });
            crate::dynamodb::cancelled(reasons.collect())
        }
        (Failure::Conflict, "dynamodb") if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") => {
            ServiceError::new("TransactionConflictException", told)
        }
        (Failure::Throttle | Failure::Conflict, "dynamodb") => {
            ServiceError::new("ProvisionedThroughputExceededException", told)
        }
        (Failure::Throttle | Failure::Conflict, "sqs") => ServiceError::new("RequestThrottled", told),
        (Failure::Throttle | Failure::Conflict, "s3") => ServiceError::with_status(503, "SlowDown", told),
        (Failure::Throttle | Failure::Conflict, "cognito") => ServiceError::new("TooManyRequestsException", told),
        (Failure::Throttle | Failure::Conflict, _) => ServiceError::with_status(429, "Throttling", told),
    })
}
