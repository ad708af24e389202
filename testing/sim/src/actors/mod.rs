//! Who uses the shop in a long run.

pub(crate) mod customers;
pub(crate) mod managers;
pub(crate) mod warehouse;
