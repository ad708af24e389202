//! The bounds of everything a file can make us hold or do. Each has a test in the module that keeps it.

/// The longest record, in bytes without its line end: 256 KiB. A product export carries its descriptions along, so rows
/// are long; but what a reader has to hold of an unfinished row is bounded by this, and a quote that is never closed can
/// hide at most this much.
pub const ROW_BYTES_MAX: usize = 256 * 1024;

/// The most columns a header may have. Square writes four for each location; a spreadsheet ends at 16,384, nearly all of
/// them blank.
pub const COLUMNS_MAX: usize = 1_024;

/// The longest header record, in bytes. It is kept with its import, in a record of 400 KB at most.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// How many rows that are not blank may stand before the end of the search for the header: exports begin with title lines.
pub const HEADER_SEARCH_ROWS: usize = 20;

/// The most bytes [`crate::sniff`] asks for. A header that is not found within them is not found.
pub const SNIFF_BYTES: usize = 512 * 1024;

/// The most locations of a file that has one column for each.
pub const LOCATIONS_MAX: usize = 500;

/// The most stores in one file: an import holds each by a lease.
pub const STORES_MAX: usize = 1_000;

/// The most rows in one file, a wide row counted once for each location it names.
pub const ROWS_MAX: u64 = 10_000_000;

/// The most input bytes in one [`crate::Part`]: what one invocation reads in a few seconds.
pub const PART_BYTES: u64 = 8 * 1024 * 1024;

/// The most rows in one [`crate::Part`]: what one invocation can write well within its time, were every row new.
pub const PART_ROWS: u64 = 200_000;

/// The most different store-and-item keys one pass of the survey remembers (16 MiB of hashes). A file with more is
/// surveyed in several passes.
pub const PARTITION_ROWS: usize = 1_500_000;

/// The most store-and-item keys that may stand in a file more than once.
pub const DUPLICATES_MAX: usize = 200_000;

/// The most rows with a quote that is never closed. Each costs a look [`ROW_BYTES_MAX`] ahead, so they must be few; and
/// a file with more is not written as CSV.
pub const OPEN_QUOTES_MAX: u32 = 100;

/// How much of a bad value a report shows, in characters.
pub const VALUE_CHARS_MAX: usize = 100;

/// How much of a row that is too long the rejected rows keep, in bytes.
pub const LONG_ROW_KEPT: usize = 1_000;
