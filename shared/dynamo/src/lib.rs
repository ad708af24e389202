//! Access to DynamoDB: typed attributes, calls with retries, transactions with named writes, version conditions, pages,
//! read units.
//!
//! Invariant: this crate knows no table, no key and no record. Those are `almacen-table`'s.

pub mod attr;
pub mod calls;
pub mod error;
pub mod page;
pub mod ping;
pub mod read_units;
pub mod transaction;
pub mod version;

pub use attr::Item;
pub use error::DynamoError;

/// A client; its clones share it.
#[must_use]
pub fn client(aws: &almacen_aws_client::Aws) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(aws.config());
    aws_sdk_dynamodb::Client::from_conf(config.retry_partition(aws.retry_partition("dynamodb")).build())
}
