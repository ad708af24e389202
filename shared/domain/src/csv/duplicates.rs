//! Lines of one file that speak of the same item of the same store.

/// Which lines repeat or contradict each other. Made by [`super::Survey`], kept as bytes, asked by every reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Duplicates {}

/// What to do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Take it.
    Take,
    /// It says again what an earlier line says: count it as unchanged.
    Repeated {
        /// The line that counts.
        first: u64,
    },
    /// Its lines disagree: reject all of them ([`super::Reason::Conflict`]).
    Conflict {
        /// Another of the lines.
        other: u64,
    },
}

impl Duplicates {
    /// How many store-and-item keys stand on more than one line.
    #[must_use]
    pub fn len(&self) -> usize {
        0
    }

    /// Does every key stand on one line only?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }

    /// What to do with the row of this store and item that begins on `line` ([`super::RecordAt::line`]).
    #[must_use]
    pub fn verdict(&self, store: &str, item: &str, line: u64) -> Verdict {
        let _ = (store, item, line);
        Verdict::Take
    }

    /// As bytes: 33 for each key at most.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    /// From [`Duplicates::encode`]'s bytes. `None` where they are not ours.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let _ = bytes;
        Some(Self {})
    }
}
