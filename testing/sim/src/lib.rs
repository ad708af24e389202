//! The real functions in one process against an in-memory AWS, with virtual time and faults.
//!
//! [`world::World`] is the deployed system: it reads template.yaml, makes execution environments of the real functions and
//! invokes them as AWS's triggers would. [`faults::Faults`] lets one call fail before it has an effect, lose its answer, or
//! kill its process. The crash matrix (`tests/matrix`) does so at every call of every use case.

pub mod api;
pub mod faults;
pub mod instance;
pub mod trigger;
pub mod world;
