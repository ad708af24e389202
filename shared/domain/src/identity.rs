//! Users: what they may call themselves, what they may do, and how much of it.

pub mod role;
pub mod tier;
pub mod user;
