//! What can go wrong with an object.

use std::error::Error;
use std::fmt;

use almacen_domain::kernel::failure::AdapterError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A call that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no such object, or no such version of it (any more).
    #[error("no such object")]
    Missing,
    /// The object is larger than the reader was told to take.
    #[error("the object is larger than allowed here")]
    TooLarge,
    /// The call failed; it may work later.
    #[error("{doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl AdapterError for FilesError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::Missing | Self::TooLarge => false,
        }
    }
}

/// Codes of an object or a version that is not there.
const MISSING: [&str; 4] = ["NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchUpload"];

pub(crate) fn failed<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> FilesError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    move |error| {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
        if MISSING.contains(&code) {
            FilesError::Missing
        } else {
            FilesError::Failed { doing, source: Box::new(error) }
        }
    }
}
