//! From the cart to what is to be paid.

pub mod cart;
pub mod coupon;
pub mod order;
pub mod pricing;
pub mod shipping;
