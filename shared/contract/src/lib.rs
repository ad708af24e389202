//! The wire: HTTP bodies, the error body and its codes, the event catalogue. Public names are spelled here, in the
//! language they are public in, so that a search for one finds it.
//!
//! Invariant: conversions only. Nothing here decides, and no type of it is stored.

pub mod cart;
pub mod cursor;
pub mod error;
pub mod event;
pub mod form;
pub mod health;
pub mod imports;
pub mod items;
pub mod json;
pub mod money;
pub mod products;
pub mod tasks;
pub mod time;
pub mod users;
