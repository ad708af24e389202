//! Carts and coupons.

pub mod carts;
pub mod coupons;
