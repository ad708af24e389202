//! What must be known of a file before anything of it is written.

use super::duplicates::Duplicates;
use super::layout::{Layout, Position};
use super::problem::FileProblem;
use super::reader::Encoding;
use crate::import::Mode;
use crate::name::StoreId;

/// A stretch of a file that can be read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where its first record begins: what [`super::Reader::new`] takes.
    pub start: Position,
    /// Offset after its last record: read the bytes `start.offset..end`.
    pub end: u64,
    /// How many events a reader gives for it.
    pub rows: u64,
}

/// What is known of a file before anything of it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How its letters are written.
    pub encoding: Encoding,
    /// Rows in all, good and bad; a wide row once for each location it names.
    pub rows: u64,
    /// How many of them are bad in themselves (contradicting ones not counted).
    pub rejected: u64,
    /// Every store that good rows name, in order of name, with how many rows.
    pub stores: Vec<(StoreId, u64)>,
    /// The file cut at record boundaries, in order. None where there are no rows.
    pub parts: Vec<Part>,
    /// Which lines repeat or contradict each other.
    pub duplicates: Duplicates,
}

/// What a pass over the file is to find out.
#[derive(Debug)]
pub struct Plan {
    size_hint: u64,
    seed: u64,
}

impl Plan {
    /// The first pass. `size_hint` is the size of the file in bytes, or a guess; it decides only how much memory is taken
    /// at once. `seed` goes into the hashes: any number that whoever wrote the file cannot know.
    #[must_use]
    pub fn first(size_hint: u64, seed: u64) -> Self {
        Self { size_hint, seed }
    }
}

/// What a pass found.
#[derive(Debug)]
pub enum Surveyed {
    /// Read the same bytes once more with this plan. Files without duplicates and with at most
    /// [`super::limits::PARTITION_ROWS`] rows never need it, unless their encoding was guessed wrong.
    Again(Plan),
    /// All is known.
    Done(Report),
}

/// Reads a whole file once before anything is written.
///
/// ```text
/// let mut plan = Plan::first(size, seed);
/// let report = loop {
///     let mut survey = Survey::new(&layout, mode, plan);
///     for chunk in bytes_from(layout.body().offset) { survey.feed(chunk)?; }
///     match survey.finish()? {
///         Surveyed::Again(next) => plan = next,
///         Surveyed::Done(report) => break report,
///     }
/// };
/// ```
#[derive(Debug)]
pub struct Survey {
    plan: Plan,
}

impl Survey {
    /// Begins a pass.
    #[must_use]
    pub fn new(layout: &Layout, mode: Mode, plan: Plan) -> Self {
        let _ = (layout, mode, plan.size_hint, plan.seed);
        Self { plan }
    }

    /// Takes the next bytes; the first is the one at [`Layout::body`].
    ///
    /// # Errors
    /// Too many rows, stores, duplicates or open quotes: the file is refused whole, and no more need be read.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), FileProblem> {
        let _ = chunk;
        Ok(())
    }

    /// The file ends here.
    ///
    /// # Errors
    /// As [`Survey::feed`].
    pub fn finish(self) -> Result<Surveyed, FileProblem> {
        Ok(Surveyed::Again(self.plan))
    }
}
