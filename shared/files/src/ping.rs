//! Does a bucket answer?

use crate::error::failed;
use crate::{Files, FilesError};

/// Asks whether `bucket` is there and may be read. No object is touched.
///
/// # Errors
/// [`FilesError`] where it does not answer as a bucket does.
pub async fn bucket(files: &Files, bucket: &str) -> Result<(), FilesError> {
    files.client().head_bucket().bucket(bucket).send().await.map(drop).map_err(failed("reach bucket"))
}
