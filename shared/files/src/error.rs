//! What can go wrong with an object.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A call that did not do what it should.
#[derive(Debug)]
pub enum FilesError {
    /// There is no such object, or no such version of it (any more).
    Missing,
    /// The object is larger than the reader was told to take.
    TooLarge,
    /// The call failed; it may work later.
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no such object"),
            Self::TooLarge => f.write_str("the object is larger than allowed here"),
            Self::Failed { doing, .. } => f.write_str(doing),
        }
    }
}

impl Error for FilesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { source, .. } => Some(source.as_ref()),
            Self::Missing | Self::TooLarge => None,
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
