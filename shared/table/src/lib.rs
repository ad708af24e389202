//! DynamoDB: keys, records, and one file per port. [`keys`] is the whole data model on one page.
//!
//! Invariant: conditions decide, never a read before a write; what belongs together is one transaction; and a record's
//! attribute names appear in this crate only.

pub mod alerts;
pub mod attr;
pub mod calls;
pub mod carts;
pub mod catalogue_index;
pub mod categories;
pub mod claims;
pub mod coupons;
pub mod error;
pub mod imports;
pub mod imports_view;
pub mod inventory;
pub mod items;
pub mod keys;
pub mod outbox;
pub mod product_images;
pub mod product_stock;
pub mod products;
pub mod reach;
mod read_units;
pub mod reviews;
pub mod stamps;
pub mod stores;
pub mod tasks;

pub use error::TableError;

/// A client configured as every client here is.
#[must_use]
pub fn client() -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(almacen_aws_client::sdk_config())
}
