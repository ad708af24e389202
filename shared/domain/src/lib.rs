//! The rules of the warehouse and the shop, by area: what a stock line is, what an import changes, when a shelf is low;
//! products; carts, coupons and prices; users and their roles. Everything here is a plain synchronous function of its inputs.
//!
//! Invariant: this crate knows no AWS, no JSON, no HTTP, no clock and no chance. Times come in as [`Millis`].

pub mod catalogue;
pub mod identity;
pub mod kernel;
pub mod ordering;
pub mod stock;

/// Milliseconds since 1970-01-01T00:00:00Z, as AWS counts them in its events.
pub type Millis = i64;
