//! What can go wrong with a table, sorted by what the caller can do about it.

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

type Cause = Box<dyn Error + Send + Sync>;

/// A call that did not do what it should.
#[derive(Debug)]
pub enum TableError {
    /// Throttled, timed out or unreachable: the same call may work later.
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
    /// DynamoDB refused the call: it will refuse it again.
    Refused {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
    /// A record lacks what every record of its kind has.
    Corrupt {
        /// Which attribute.
        attribute: &'static str,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { doing, .. } => write!(f, "{doing}: DynamoDB is not available"),
            Self::Refused { doing, .. } => write!(f, "{doing}: DynamoDB refused"),
            Self::Corrupt { attribute } => write!(f, "a record has no valid `{attribute}`"),
        }
    }
}

impl Error for TableError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Refused { source, .. } => Some(source.as_ref()),
            Self::Corrupt { .. } => None,
        }
    }
}

/// Codes of calls that came too fast
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
const THROTTLING: [&str; 3] = ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// Did DynamoDB refuse the call because too many came at once?
pub(crate) fn is_throttling<E, R>(error: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| THROTTLING.contains(&code))
}

/// Codes after which the same call may work.
const TRANSIENT: [&str; 8] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "InternalServerErrorException",
    "ServiceUnavailable",
    "TransactionInProgressException",
    "TransactionConflictException",
];

/// May the same call work later? Also where it never reached DynamoDB.
pub(crate) fn is_transient<E, R>(error: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = error.as_service_error().map(|service| service.code().unwrap_or_default());
    code.is_none_or(|code| TRANSIENT.contains(&code))
}

impl TableError {
    /// Sorts an SDK error, after the SDK's own retries.
    pub fn from_sdk<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        move |error| {
            let transient = is_transient(&error);
            let source: Cause = Box::new(error);
            if transient { Self::Unavailable { doing, source } } else { Self::Refused { doing, source } }
        }
    }

    /// May the same call work later?
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { .. } | Self::Corrupt { .. } => false,
        }
    }
}
