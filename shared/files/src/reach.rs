//! Does a bucket answer?

use aws_sdk_s3::Client;

use crate::FilesError;
use crate::error::failed;

/// Asks whether `bucket` is there and may be read. No object is touched.
///
/// # Errors
/// [`FilesError`] where it does not answer as a bucket does.
pub async fn bucket(client: &Client, bucket: &str) -> Result<(), FilesError> {
    client.head_bucket().bucket(bucket).send().await.map(drop).map_err(failed("reach bucket"))
}
