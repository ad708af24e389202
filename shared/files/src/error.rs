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

/// Codes of an object or a version that is not there. `NoSuchUpload` is none of them: completing an upload answers it where
/// an earlier try of the same call has completed it and its answer was lost
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>).
const MISSING: [&str; 3] = ["NoSuchKey", "NoSuchVersion", "NotFound"];

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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError;

    #[test]
    fn an_upload_that_is_gone_may_be_begun_again_and_an_object_may_not() {
        let of = |code: &str| {
            let error = CompleteMultipartUploadError::generic(ErrorMetadata::builder().code(code).build());
            failed("complete upload")(SdkError::service_error(error, ()))
        };
        assert!(of("NoSuchUpload").is_retryable());
        for code in ["NoSuchKey", "NoSuchVersion", "NotFound"] {
            assert!(matches!(of(code), FilesError::Missing), "{code}");
        }
    }
}
