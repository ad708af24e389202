//! How DynamoDB is talked to: typed attributes, calls with retries, transactions with named writes, pages, read units.
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

/// A client configured as every client here is.
#[must_use]
pub fn client() -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(almacen_aws_client::sdk_config())
}
