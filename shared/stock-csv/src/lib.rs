//! From bytes to stock rows: any shop's CSV, read in one pass and in constant memory.
//!
//! The way of a file, each step a plain function of its bytes:
//!
//! 1. [`sniff`] looks at the first bytes: is this a table of stock, how is it written, which columns mean what? The
//!    answer is a [`Layout`], or a [`FileProblem`] that says in words what is wrong with the file as a whole.
//! 2. [`Survey`] reads the whole file before anything is written: how many rows, which stores, which encoding, where
//!    it can be cut into [`Part`]s, and which lines repeat or contradict each other ([`Duplicates`]).
//! 3. [`Reader`] reads the file, or one part of it, and gives one [`Event`] for each row: a good [`Row`], or a
//!    [`Rejected`] one with its [`Reason`]. A bad row never stops a file.
//! 4. [`rejected`] writes the rejected rows as a CSV that can be corrected and uploaded again.
//!
//! What is accepted, for people: `docs/csv.md`.
//!
//! Invariants: no input makes this module panic; the events do not depend on how the bytes are cut into chunks; memory
//! does not grow with the file; time grows in step with it.

mod aliases;
mod duplicates;
mod formula;
mod hash;
mod header;
mod layout;
pub mod limits;
mod number;
mod problem;
mod reader;
mod reason;
pub mod rejected;
mod sniff;
mod split;
mod survey;

pub use duplicates::{Duplicates, Verdict};
pub use layout::{Layout, Position, RecordAt};
pub use problem::{FileProblem, Role};
pub use reader::{Encoding, Event, Reader, Record, Rejected, Row};
pub use reason::{Lang, Reason};
pub use sniff::{Sniff, sniff};
pub use survey::{Part, Plan, Report, Survey, Surveyed};
