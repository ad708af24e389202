//! Random operations get the same answers from the in-memory AWS (`testing/aws`) and from the local stack.
//!
//! Operations come from a seed. Each is made on both sides, and the answers are compared in one form: status, error
//! code, and body with sorted members, sets and unordered lists; texts of errors are not compared, ids and times are
//! masked. A difference that stands in [`differences::ALL`] is counted, any other one fails the test. After a
//! difference the state of both sides is made equal again.
//!
//! `ALMACEN_DIFFERENTIAL_SEED` and `ALMACEN_DIFFERENTIAL_OPERATIONS` choose another run; without them every entry of
//! the list must have been hit.

mod differences;
mod dynamodb;
mod exchange;
mod expressions;
mod report;
mod requests;
mod s3;
mod sqs;
mod streams;
