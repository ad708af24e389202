//! The parts of AWS that the functions use, in memory and in one process, with virtual time.
//!
//! Each service answers what its documentation says for the calls that this project makes, and refuses calls that it does
//! not know. Nothing here has a thread, a socket, a wall clock or a random number of its own: callers pass the time, and all
//! chance comes from one seed, so that the same calls give the same answers.
//!
//! Invariant: no AWS SDK and no function is a dependency; only tests link one.

pub mod calendar;
pub mod canonical;
pub mod clock;
pub mod cloud;
pub mod cognito;
pub mod dynamodb;
pub mod error;
pub mod http;
pub mod iam;
pub mod number;
pub mod s3;
pub mod serve;
pub mod sns;
pub mod sqs;
pub mod stack;

pub use clock::AwsClock;
pub use cloud::fault::{CallInfo, Failure, Fault, Hook, NoFaults};
pub use cloud::{Caller, Cloud, Settings};
pub use error::ServiceError;
pub use stack::Stack;

/// Milliseconds since 1970.
pub type Millis = u64;
