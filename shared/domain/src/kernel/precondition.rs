//! Changes that are made only to the record that the caller has seen (`If-Match`).

/// A conditional change was not made because of the record that is there, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreconditionFailed {
    /// There is no such record.
    NotFound,
    /// Its version is none of those expected.
    OtherVersion,
}

/// Which versions of a record the caller is content with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever it is now.
    Any,
    /// One of these; with none of them, none.
    OneOf(Vec<i64>),
}

impl Precondition {
    /// Is the caller content with `version`?
    #[must_use]
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
