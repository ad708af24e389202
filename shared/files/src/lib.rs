//! S3: streaming objects in, reports out, presigned links.

use almacen_aws_client::{Aws, LazyClient};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

pub mod error;
pub mod fetch;
pub mod object;
pub mod ping;
pub mod presign;
mod signed;
pub mod write;

pub use error::FilesError;

/// S3. Its client is made with the first object that needs it; links and small objects ([`presign`], [`fetch`]) need none.
#[derive(Debug, Clone)]
pub struct Files {
    client: LazyClient<Client>,
}

impl Files {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { client: LazyClient::new(aws, client) }
    }

    pub(crate) fn client(&self) -> &Client {
        self.client.get()
    }

    pub(crate) fn aws(&self) -> &Aws {
        self.client.aws()
    }
}

fn client(aws: &Aws) -> Client {
    Client::from_conf(Builder::from(aws.config()).retry_partition(aws.retry_partition("s3")).build())
}
