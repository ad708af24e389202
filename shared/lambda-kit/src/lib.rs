//! What every function does the same way: start, read its environment, log, answer errors, loop over a batch.
//!
//! Invariant: no SDK client is linked here, so that a function's dependencies say what it talks to.

pub mod batch;
pub mod config;
pub mod http;
pub mod log;
pub mod query;
pub mod s3;
pub mod start;
pub mod stream;
