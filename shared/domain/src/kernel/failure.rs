//! What the error of an adapter says, whatever it is an adapter to.

use std::error::Error;

/// A call to something outside this process that failed.
pub trait AdapterError: Error + Send + Sync + 'static {
    /// May the same call work later?
    fn is_retryable(&self) -> bool;

    /// May the change have been made all the same, so that a retry could make it twice?
    fn is_outcome_unknown(&self) -> bool {
        false
    }
}
