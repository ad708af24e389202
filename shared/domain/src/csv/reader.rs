//! From bytes to rows.

use std::borrow::Cow;

use super::layout::{Layout, Position, RecordAt};
use super::reason::Reason;
use crate::import::Mode;

/// How a file's letters are written as bytes. [`super::Survey`] decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// What Excel writes in western Europe and calls just "CSV".
    Windows1252,
}

impl Encoding {
    /// A stable name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// From its stable name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Utf8, Self::Windows1252].into_iter().find(|encoding| encoding.as_str() == text)
    }
}

/// What became of a row.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// It can be taken.
    Row(Row<'a>),
    /// It cannot.
    Rejected(Rejected<'a>),
}

/// A good row: names are valid, the count is valid for the mode.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Where it stands. The rows that one wide record gives share their place.
    pub at: RecordAt,
    /// Which store: a valid [`crate::name::StoreId`].
    pub store: &'a str,
    /// Which item: a valid [`crate::name::Sku`].
    pub item: &'a str,
    /// How many; below zero only in [`Mode::Adjust`].
    pub count: i64,
    /// The line's own threshold, where the row gives one.
    pub threshold: Option<i64>,
    record: Record<'a>,
}

impl<'a> Row<'a> {
    /// The row as a rejected one, for a reason that lies outside of it, such as [`Reason::Conflict`].
    #[must_use]
    pub fn reject(&self, reason: Reason) -> Rejected<'a> {
        Rejected { at: self.at, column: None, value: Cow::Borrowed(self.item), reason, record: self.record }
    }
}

/// A row that cannot be taken, or one location of a wide row.
#[derive(Debug, Clone)]
pub struct Rejected<'a> {
    /// Where it stands.
    pub at: RecordAt,
    /// Name of the column the trouble is in, where it is in one.
    pub column: Option<&'a str>,
    /// What stands there, clipped to [`super::limits::VALUE_CHARS_MAX`] characters.
    pub value: Cow<'a, str>,
    /// Why.
    pub reason: Reason,
    /// The row itself, for [`super::rejected`].
    pub record: Record<'a>,
}

/// The cells of a row as they stand in the file.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
    encoding: Encoding,
    /// In a wide file: the only location to keep.
    place: Option<usize>,
}

impl Record<'_> {
    /// The cells, decoded. In a wide file the numbers of the row's other locations are left blank: they are settled, and
    /// must not count twice when the row is corrected and uploaded again.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let _ = (self.bytes, self.layout, self.encoding, self.place);
        Vec::new()
    }
}

/// Reads rows from bytes that come in chunks of any size. It holds no more than one unfinished row.
#[derive(Debug)]
pub struct Reader {
    layout: Layout,
    mode: Mode,
    encoding: Encoding,
    from: Position,
}

impl Reader {
    /// Starts at `from`, which is [`Layout::body`] or the start of a [`super::Part`]: the first byte to be fed is the one
    /// at that offset.
    #[must_use]
    pub fn new(layout: &Layout, mode: Mode, encoding: Encoding, from: Position) -> Self {
        Self { layout: layout.clone(), mode, encoding, from }
    }

    /// Takes the next bytes and gives the rows that end in them, in order.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut impl FnMut(Event<'_>)) {
        let _ = (chunk, sink, &self.layout, self.mode, self.encoding, self.from);
    }

    /// The file, or the part, ends here: gives what is left.
    pub fn finish(self, sink: &mut impl FnMut(Event<'_>)) {
        let _ = sink;
    }
}
