//! The tables: keys, and records with their reads and writes, by area. [`keys`] is the whole data model on one page.
//!
//! Invariant: conditions decide, never a read before a write; what belongs together is one transaction; and a record's
//! attribute names appear in this crate only.

pub mod catalogue;
pub mod keys;
pub mod ordering;
pub mod outbox;
pub mod stock;
