//! S3: streaming objects in, reports out, presigned links.

use std::sync::LazyLock;

pub mod error;
pub mod fetch;
pub mod object;
pub mod presign;
pub mod reach;
mod signed;
pub mod write;

pub use error::FilesError;

/// The S3 client of this process, made when it is first needed.
pub type LazyClient = &'static LazyLock<aws_sdk_s3::Client>;

/// A client configured as every client here is. It is made with the first object: many invocations touch none, and a
/// client costs a cold start about a fifth of a millisecond.
#[must_use]
pub fn client() -> LazyClient {
    static CLIENT: LazyLock<aws_sdk_s3::Client> =
        LazyLock::new(|| aws_sdk_s3::Client::new(almacen_aws_client::sdk_config()));
    &CLIENT
}
