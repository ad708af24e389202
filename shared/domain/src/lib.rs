//! The rules of the warehouse: what a stock line is, how a CSV becomes rows, what an import changes, when a shelf
//! counts as low. Everything here is a plain synchronous function of its inputs.
//!
//! Invariant: this crate knows no AWS, no JSON, no HTTP and no clock. Times come in as [`Millis`].

pub mod cart;
pub mod catalogue;
pub mod coupon;
pub mod csv;
pub mod event;
pub mod failure;
pub mod health;
pub mod id;
pub mod image;
pub mod import;
pub mod money;
pub mod name;
pub mod patch;
pub mod pricing;
pub mod role;
pub mod search;
pub mod shipping;
pub mod stock;
pub mod task;
pub mod tier;
pub mod user;

/// Milliseconds since 1970-01-01T00:00:00Z, as AWS counts them in its events.
pub type Millis = i64;
