//! DynamoDB: keys, records, and one file per port. [`keys`] is the whole data model on one page.
//!
//! Invariant: conditions decide, never a read before a write; what belongs together is one transaction; and a record's
//! attribute names appear in this crate only.

pub mod alerts;
pub mod carts;
pub mod catalogue_index;
pub mod categories;
pub mod claims;
pub mod coupons;
pub mod imports;
pub mod imports_view;
pub mod inventory;
pub mod items;
pub mod keys;
pub mod outbox;
pub mod product_images;
pub mod product_stock;
pub mod products;
pub mod reviews;
pub mod stamps;
pub mod stores;
pub mod tasks;
