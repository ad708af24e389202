//! S3: streaming objects in, reports out, presigned links.

pub mod error;
pub mod object;
pub mod presign;
pub mod write;

pub use error::FilesError;

/// A client configured as every client here is.
#[must_use]
pub fn client() -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::new(&almacen_aws_client::sdk_config())
}
