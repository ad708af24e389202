//! What can go wrong with a call to DynamoDB, sorted by what the caller can do about it.

use std::error::Error;
use std::fmt;

use almacen_domain::kernel::failure::AdapterError;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};

type Cause = Box<dyn Error + Send + Sync>;

/// A failed call, or a record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DynamoError {
    /// Throttled, timed out or unreachable: the same call may work later.
    #[error("{doing}: DynamoDB is not available")]
    Unavailable {
        /// The operation that failed.
        doing: &'static str,
        /// Why.
        source: Cause,
        /// Was it a write that may have been made all the same?
        perhaps_made: bool,
    },
    /// DynamoDB refused the call, and would refuse it again.
    #[error("{doing}: DynamoDB refused")]
    Refused {
        /// The operation that failed.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
    /// A required attribute of a record is missing, or an attribute has the wrong type or range.
    #[error("a record has no valid `{attribute}`")]
    Malformed {
        /// Which attribute.
        attribute: &'static str,
    },
}

/// A request lacks a field that it needs: a bug in this code.
impl From<BuildError> for DynamoError {
    fn from(source: BuildError) -> Self {
        Self::Refused { doing: "build request", source: Box::new(source) }
    }
}

/// Codes of calls that came too fast; such a call was not carried out
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
const THROTTLING: [&str; 3] = ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// Did DynamoDB refuse the call because too many came at once? Then it was not carried out.
pub fn is_throttling<E, R>(error: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| THROTTLING.contains(&code))
}

/// Was the call certainly not carried out, and may the same call work at once? Too many came, or a transaction has the item.
pub fn was_not_made<E, R>(error: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.is_some_and(|code| THROTTLING.contains(&code) || code == "TransactionConflictException")
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

/// May the same call work later? Also true where it never reached DynamoDB.
pub fn is_transient<E, R>(error: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = error.as_service_error().map(|service| service.code().unwrap_or_default());
    code.is_none_or(|code| TRANSIENT.contains(&code))
}

impl DynamoError {
    /// Sorts an SDK error, after the SDK's own retries.
    pub fn from_sdk<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        move |error| {
            let transient = is_transient(&error);
            let source: Cause = Box::new(error);
            if transient {
                Self::Unavailable { doing, source, perhaps_made: false }
            } else {
                Self::Refused { doing, source }
            }
        }
    }

    /// The same of a write that must not be made twice: unless DynamoDB said that it was throttled or in the way of a
    /// transaction, nobody knows whether it was made.
    pub fn from_write<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        move |error| {
            let unknown = is_transient(&error) && !was_not_made(&error);
            match Self::from_sdk(doing)(error) {
                Self::Unavailable { doing, source, .. } => Self::Unavailable { doing, source, perhaps_made: unknown },
                error @ (Self::Refused { .. } | Self::Malformed { .. }) => error,
            }
        }
    }

    /// Others kept changing the record first. Nothing was written.
    #[must_use]
    pub fn contended(doing: &'static str) -> Self {
        Self::Unavailable { doing, source: "other writers were faster".into(), perhaps_made: false }
    }
}

impl AdapterError for DynamoError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { .. } | Self::Malformed { .. } => false,
        }
    }

    fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Unavailable { perhaps_made: true, .. })
    }
}
