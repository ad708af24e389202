//! The real functions in one process against an in-memory AWS, with virtual time and faults.
//!
//! [`world::World`] is the deployed system: it reads template.yaml, makes execution environments of the real functions and
//! invokes them as AWS's triggers would. Two uses:
//!
//! - the crash matrix (`tests/matrix`): [`faults::Faults`] lets one call of a use case fail before it has an effect, lose its
//!   answer, or kill its process;
//! - long runs ([`run::run`]): days of a shop's life with everything on, by seed. Actors use the API and upload files,
//!   [`chaos::Chaos`] draws what goes wrong, and at the end the books are audited ([`books`]). [`plant`] has faults that must
//!   be found, [`shrink`] finds what of a failing run matters.

mod actors;
pub mod api;
pub mod books;
pub mod chaos;
pub mod faults;
pub mod instance;
pub mod plant;
pub mod run;
pub mod shop;
pub mod shrink;
pub mod trigger;
mod triggers;
pub mod world;
