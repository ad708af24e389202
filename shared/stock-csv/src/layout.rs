//! How one file is written and what its columns mean.

use crate::header::{self, Columns};
use crate::limits::{COLUMNS_MAX, HEADER_BYTES_MAX};
use almacen_domain::kernel::name::StoreId;

/// A place between two bytes of a file, at the start of a record or in the blank before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes before it.
    pub offset: u64,
    /// The physical line it stands on, from 1.
    pub line: u64,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordAt {
    /// Offset of its first byte.
    pub start: u64,
    /// Offset after its last byte, before its line end.
    pub end: u64,
    /// The physical line it begins on, from 1.
    pub line: u64,
    /// The physical line it ends on: later than `line` where quoted cells contain line ends.
    pub end_line: u64,
}

impl RecordAt {
    /// Where the record begins: a [`crate::Reader`] that starts here reads it first.
    #[must_use]
    pub fn begin(&self) -> Position {
        Position { offset: self.start, line: self.line }
    }

    /// Where to go on reading once the record is done with.
    #[must_use]
    pub fn after(&self) -> Position {
        Position { offset: self.end, line: self.end_line }
    }
}

/// How one file is written and what its columns mean. It is found once by [`crate::sniff`] and travels as text
/// ([`Layout::encode`]) to every process that reads a part of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    delimiter: u8,
    bom: bool,
    body: Position,
    key_store: Option<StoreId>,
    header: Vec<String>,
    columns: Columns,
}

impl Layout {
    pub(super) fn new(
        delimiter: u8,
        bom: bool,
        body: Position,
        key_store: Option<StoreId>,
        header: Vec<String>,
        columns: Columns,
    ) -> Self {
        Self { delimiter, bom, body, key_store, header, columns }
    }

    /// The byte between two cells: `,`, `;`, tab or `|`.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Does the file begin with a UTF-8 byte-order mark? Then it is UTF-8 and nothing else.
    #[must_use]
    pub fn has_bom(&self) -> bool {
        self.bom
    }

    /// The header's cells as they stand in the file, decoded and trimmed.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where the rows begin: right after the header's last byte.
    #[must_use]
    pub fn body(&self) -> Position {
        self.body
    }

    /// The store that the object's key names (`stores/<Store>/…`), where the file has no column for it.
    #[must_use]
    pub fn store(&self) -> Option<&StoreId> {
        self.columns.fixed_store()
    }

    /// Does one row speak of several stores, with a column for each?
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.columns.is_wide()
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// As one line of text, for a queue message.
    ///
    /// Only what was read is written, not what it means: whoever decodes it recognises the header again, so that no
    /// text can claim columns which the header does not have.
    #[must_use]
    pub fn encode(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let delimiter = match self.delimiter {
            b'\t' => 't',
            other => char::from(other),
        };
        let bom = if self.bom { 'b' } else { '-' };
        // writing to a String cannot fail
        let _ = write!(text, "1{delimiter}{bom} {} {} ", self.body.offset, self.body.line);
        let mut put = |cell: &str| {
            let _ = write!(text, "{}:{cell}", cell.len());
        };
        put(self.key_store.as_ref().map_or("", StoreId::as_str));
        for cell in &self.header {
            put(cell);
        }
        text
    }

    /// From [`Layout::encode`]'s text. `None` where it is not one of ours.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('1')?;
        let next = |rest: &mut &str| -> Option<char> {
            let c = rest.chars().next()?;
            *rest = rest.get(c.len_utf8()..)?;
            Some(c)
        };
        let delimiter = match next(&mut rest)? {
            't' => b'\t',
            ',' => b',',
            ';' => b';',
            '|' => b'|',
            _ => return None,
        };
        let bom = match next(&mut rest)? {
            'b' => true,
            '-' => false,
            _ => return None,
        };
        rest = rest.strip_prefix(' ')?;
        let (offset, after) = rest.split_once(' ')?;
        let (line, after) = after.split_once(' ')?;
        let body = Position { offset: number(offset)?, line: number(line).filter(|line| *line > 0)? };
        let mut cells = Vec::new();
        rest = after;
        while !rest.is_empty() {
            let (len, after) = rest.split_once(':')?;
            let len = usize::try_from(number(len)?).ok()?;
            if cells.len() > COLUMNS_MAX {
                return None;
            }
            cells.push(after.get(..len)?.to_owned());
            rest = after.get(len..)?;
        }
        if cells.is_empty() || text.len() > 4 * HEADER_BYTES_MAX {
            return None;
        }
        let store = cells.remove(0);
        let key_store =
            if store.is_empty() { None } else { Some(StoreId::parse(&store).ok().filter(|id| id.as_str() == store)?) };
        let columns = header::recognise(&cells, key_store.as_ref()).ok()?;
        Some(Self { delimiter, bom, body, key_store, header: cells, columns })
    }
}

/// Decimal digits only: no sign, no blank.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}
