//! From bytes to rows.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use memchr::memchr2;

use crate::formula::rearm;
use crate::header::{Columns, Counts, ItemName, Shape, StoreFrom};
use crate::layout::{Layout, Position, RecordAt};
use crate::limits::{LONG_ROW_KEPT, OPEN_QUOTES_MAX, ROW_BYTES_MAX, VALUE_CHARS_MAX};
use crate::number;
use crate::reason::Reason;
use crate::split::{Cells, End, plain, unquoted};
use almacen_domain::kernel::name::{self, NameError, SKU_CHARS_MAX, STORE_CHARS_MAX};
use almacen_domain::stock::import::Mode;

/// How a file's letters are written as bytes. [`crate::Survey`] decides it.
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

    /// The text of some bytes; what is no text becomes U+FFFD.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
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

impl Event<'_> {
    /// Where the row stands.
    #[must_use]
    pub fn at(&self) -> RecordAt {
        match self {
            Self::Row(row) => row.at,
            Self::Rejected(rejected) => rejected.at,
        }
    }
}

/// A good row: names are valid, the count is valid for the mode.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Where it stands. The rows that one wide record gives share their place.
    pub at: RecordAt,
    /// Which store: a valid [`almacen_domain::kernel::name::StoreId`].
    pub store: &'a str,
    /// Which item: a valid [`almacen_domain::kernel::name::Sku`].
    pub item: &'a str,
    /// How many; below zero only in [`Mode::Adjust`].
    pub count: i64,
    /// The line's own threshold, where the row gives one.
    pub threshold: Option<i64>,
    /// The row itself, for [`Row::reject`].
    pub record: Record<'a>,
}

impl<'a> Row<'a> {
    /// The row as a rejected one, for a reason that lies outside of it, such as [`Reason::Conflict`].
    #[must_use]
    pub fn reject(&self, reason: Reason) -> Rejected<'a> {
        let of = Some((self.store, self.item));
        Rejected { at: self.at, column: None, value: Cow::Borrowed(self.item), reason, of, record: self.record }
    }
}

/// A row that cannot be taken, or one location of a wide row.
#[derive(Debug, Clone)]
pub struct Rejected<'a> {
    /// Where it stands.
    pub at: RecordAt,
    /// Name of the column the trouble is in, where it is in one.
    pub column: Option<&'a str>,
    /// What stands there, clipped to [`VALUE_CHARS_MAX`] characters.
    pub value: Cow<'a, str>,
    /// Why.
    pub reason: Reason,
    /// The store and the item it speaks of, where both can be read.
    pub of: Option<(&'a str, &'a str)>,
    /// The row itself, for [`crate::rejected`].
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

impl<'a> Record<'a> {
    /// How the file it is from is written.
    #[must_use]
    pub fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// The cells, decoded. In a wide file the counts of the row's other locations are left blank: they are settled, and
    /// must not count twice when the row is corrected and uploaded again.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let mut split = Cells::default();
        split.split(self.bytes, self.layout.delimiter());
        let mut cells: Vec<String> = (0..split.len())
            .filter_map(|index| split.get(self.bytes, index))
            .map(|raw| self.encoding.decode(&unquoted(raw)).into_owned())
            .collect();
        if let (Some(kept), Shape::Wide(places)) = (self.place, &self.layout.columns().shape) {
            for (index, place) in places.iter().enumerate() {
                if index != kept {
                    for column in &place.counts.counts {
                        if let Some(cell) = cells.get_mut(*column) {
                            cell.clear();
                        }
                    }
                }
            }
        }
        cells
    }
}

/// Reads rows from bytes that come in chunks of any size. It holds no more than one unfinished row.
#[derive(Debug)]
pub struct Reader {
    rows: Rows,
    /// Where the next byte to be read stands.
    at: Position,
    /// The last byte was a `\r`: a `\n` now ends the same line.
    after_cr: bool,
    /// A record that the chunks so far did not end. At most a little over [`ROW_BYTES_MAX`] bytes.
    carry: Vec<u8>,
    /// How long `carry` must be before it is worth another try: it doubles, so that tiny chunks stay cheap.
    next_try: usize,
    /// The line being skipped because it is too long.
    long: Option<LongLine>,
    /// Quotes found open so far.
    open_quotes: u32,
}

/// A line that is longer than a row may be.
#[derive(Debug)]
struct LongLine {
    start: Position,
    kept: Vec<u8>,
}

impl Reader {
    /// Starts at `from`, which is [`Layout::body`] or the start of a [`crate::Part`]: the first byte to be fed is the one
    /// at that offset.
    #[must_use]
    pub fn new(layout: &Layout, mode: Mode, encoding: Encoding, from: Position) -> Self {
        Self {
            rows: Rows::new(layout, mode, encoding),
            at: from,
            after_cr: false,
            carry: Vec::new(),
            next_try: 0,
            long: None,
            open_quotes: 0,
        }
    }

    /// Takes the next bytes and gives the rows that end in them, in order.
    pub fn feed(&mut self, chunk: &[u8], sink: &mut impl FnMut(Event<'_>)) {
        let mut chunk = chunk;
        while !chunk.is_empty() {
            if self.carry.is_empty() {
                let used = self.consume(chunk, false, sink);
                self.carry.extend_from_slice(chunk.get(used..).unwrap_or_default());
                self.next_try = self.carry.len() * 2;
                return;
            }
            // complete the carried record from the chunk: up to the first line end past the length of the next try
            let (now, later) = chunk.split_at(self.wanted(chunk));
            chunk = later;
            self.carry.extend_from_slice(now);
            let line_end = matches!(self.carry.last(), Some(b'\n' | b'\r'));
            if self.carry.len() < self.next_try || !(line_end || self.carry.len() > ROW_BYTES_MAX) {
                continue;
            }
            let mut carry = std::mem::take(&mut self.carry);
            let used = self.consume(&carry, false, sink);
            carry.drain(..used);
            self.next_try = (carry.len() * 2).min(ROW_BYTES_MAX + 1);
            self.carry = carry;
        }
    }

    /// How many bytes of `chunk` to add to the carried ones before the next try.
    fn wanted(&self, chunk: &[u8]) -> usize {
        let more = self.next_try.saturating_sub(self.carry.len()).min(chunk.len());
        let limit = (ROW_BYTES_MAX + 2).saturating_sub(self.carry.len()).clamp(more.max(1), chunk.len().max(1));
        let rest = chunk.get(more..limit).unwrap_or_default();
        memchr2(b'\n', b'\r', rest).map_or(limit, |hit| more + hit + 1).min(chunk.len())
    }

    /// The file, or the part, ends here: gives what is left.
    pub fn finish(mut self, sink: &mut impl FnMut(Event<'_>)) {
        let carry = std::mem::take(&mut self.carry);
        self.consume(&carry, true, sink);
        self.end_long_line(sink);
    }

    /// Reads all records that end in `bytes`, and where these are the `last`, the one they end. Says how many bytes it
    /// is done with.
    fn consume(&mut self, bytes: &[u8], last: bool, sink: &mut impl FnMut(Event<'_>)) -> usize {
        // checked once for all rows, which is far cheaper than for each; what lies behind broken bytes is checked by row
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
            }
        };
        let mut used = 0;
        loop {
            if self.long.is_some() {
                let rest = bytes.get(used..).unwrap_or_default();
                let Some(hit) = memchr2(b'\n', b'\r', rest) else {
                    self.pass(rest.len());
                    return bytes.len();
                };
                self.pass(hit);
                used += hit;
                self.end_long_line(sink);
            }
            while let Some(byte) = bytes.get(used).filter(|byte| matches!(byte, b'\n' | b'\r')) {
                if !(*byte == b'\n' && self.after_cr) {
                    self.at.line += 1;
                }
                self.after_cr = *byte == b'\r';
                self.pass(1);
                used += 1;
            }
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return used;
            }
            // one byte more than a record may have, to see that it has more
            let mut window = rest.get(..=ROW_BYTES_MAX).unwrap_or(rest);
            let mut ends_here = last && window.len() == rest.len();
            if self.open_quotes > OPEN_QUOTES_MAX
                && let Some(hit) = memchr2(b'\n', b'\r', window)
            {
                // too many looks ahead so far: a quote must now close on its own line
                window = window.get(..hit).unwrap_or_default();
                ends_here = true;
            }
            let (len, newlines) = match self.rows.cells.split(window, self.rows.layout.delimiter()) {
                End::Done { len, newlines } => (len, newlines),
                End::Open { quoted: false, newlines } if ends_here && window.len() <= ROW_BYTES_MAX => {
                    (window.len(), newlines)
                }
                End::Open { quoted: true, .. } if ends_here && window.len() <= ROW_BYTES_MAX => {
                    used += self.open_quote(window, sink);
                    continue;
                }
                End::Open { .. } if window.len() > ROW_BYTES_MAX => {
                    if memchr2(b'\n', b'\r', window).is_some() {
                        used += self.open_quote(window, sink);
                    } else {
                        let kept = window.get(..LONG_ROW_KEPT).unwrap_or(window).to_vec();
                        self.long = Some(LongLine { start: self.at, kept });
                        self.after_cr = false;
                    }
                    continue;
                }
                End::Open { .. } => return used,
            };
            let at = RecordAt {
                start: self.at.offset,
                end: self.at.offset + len as u64,
                line: self.at.line,
                end_line: self.at.line + newlines,
            };
            let record = window.get(..len).unwrap_or_default();
            let simple = text.get(used..used + len);
            if !simple.is_some_and(|text| self.rows.read_simple(record, text, at, sink)) {
                self.rows.read(record, at, sink);
            }
            self.at = at.after();
            self.after_cr = false;
            used += len;
        }
    }

    fn pass(&mut self, bytes: usize) {
        self.at.offset += bytes as u64;
    }

    /// Rejects the first physical line of `window` and says how long it is. Reading goes on behind it.
    fn open_quote(&mut self, window: &[u8], sink: &mut impl FnMut(Event<'_>)) -> usize {
        let len = memchr2(b'\n', b'\r', window).unwrap_or(window.len());
        self.open_quotes = self.open_quotes.saturating_add(1);
        let at = RecordAt {
            start: self.at.offset,
            end: self.at.offset + len as u64,
            line: self.at.line,
            end_line: self.at.line,
        };
        self.rows.reject_line(window.get(..len).unwrap_or(window), at, Reason::OpenQuote, sink);
        self.at = at.after();
        self.after_cr = false;
        len
    }

    /// The line that was too long ends here.
    fn end_long_line(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        if let Some(LongLine { start, kept }) = self.long.take() {
            let at = RecordAt { start: start.offset, end: self.at.offset, line: start.line, end_line: start.line };
            self.rows.reject_line(&kept, at, Reason::RowTooLong, sink);
        }
    }
}

/// What turns the cells of one record into events.
#[derive(Debug)]
struct Rows {
    layout: Layout,
    mode: Mode,
    encoding: Encoding,
    comma_decimal: bool,
    cells: Cells,
    simple: Option<Simple>,
    /// The store of a file that has no column for it.
    key_store: String,
    recent: Recent,
}

/// Stores as they stood in the file, and as they are called: rows come store by store, or item by item with the same stores
/// over and over. A table with one place for each of a thousand hashes: finding one costs less than checking a name, however
/// many stores a chain has, and two that share a place only cost their checks.
#[derive(Debug, Default)]
struct Recent {
    places: Vec<(Vec<u8>, String)>,
}

/// A power of two, near the most stores a file may name.
const RECENT_STORES: usize = 1_024;

impl Recent {
    #[inline]
    fn get(&self, raw: &[u8]) -> Option<&str> {
        let (known, name) = self.places.get(place(raw))?;
        // Nothing stands for a blank cell: an empty place is no store.
        (known.as_slice() == raw && !raw.is_empty()).then_some(name.as_str())
    }

    fn put(&mut self, raw: &[u8], name: &str) {
        if self.places.is_empty() {
            self.places.resize_with(RECENT_STORES, Default::default);
        }
        if let Some(entry) = self.places.get_mut(place(raw)) {
            *entry = (raw.to_vec(), name.to_owned());
        }
    }
}

/// Where a store stands in [`Recent`]: the last bits of a multiplicative hash (FNV-1a's steps over eight bytes at once).
#[inline]
fn place(raw: &[u8]) -> usize {
    let mut hash = raw.len() as u64;
    for chunk in raw.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    usize::try_from(hash >> 54).unwrap_or(0) % RECENT_STORES
}

/// The columns of a layout in which a row has one cell for each role.
#[derive(Debug, Clone, Copy)]
struct Simple {
    store: Option<usize>,
    item: usize,
    count: usize,
    threshold: Option<usize>,
}

impl Simple {
    fn of(columns: &Columns) -> Option<Self> {
        let Shape::Long { store, counts } = &columns.shape else { return None };
        let store = match store {
            StoreFrom::Column(column) => Some(*column),
            StoreFrom::Key(_) => None,
        };
        match (columns.items.first()?.columns.as_slice(), counts.counts.as_slice(), counts.enabled) {
            (&[item], &[count], None) => Some(Self { store, item, count, threshold: counts.threshold }),
            _ => None,
        }
    }
}

/// What is wrong, and in which column.
struct Trouble {
    column: Option<usize>,
    reason: Reason,
}

/// What one record is read with.
#[derive(Clone, Copy)]
struct Look<'a> {
    bytes: &'a [u8],
    cells: &'a Cells,
    encoding: Encoding,
    comma_decimal: bool,
    mode: Mode,
    columns: usize,
}

impl Rows {
    fn new(layout: &Layout, mode: Mode, encoding: Encoding) -> Self {
        Self {
            comma_decimal: layout.delimiter() == b';',
            layout: layout.clone(),
            mode,
            encoding,
            cells: Cells::default(),
            simple: Simple::of(layout.columns()),
            key_store: layout.store().map(|store| store.as_str().to_owned()).unwrap_or_default(),
            recent: Recent::default(),
        }
    }

    /// Gives the event of a row that can be taken at a glance, as nearly all can. `false` where it cannot: then nothing
    /// was given, and [`Rows::read`] is to look closely.
    #[inline]
    fn read_simple(&self, bytes: &[u8], text: &str, at: RecordAt, sink: &mut impl FnMut(Event<'_>)) -> bool {
        let Some(simple) = self.simple else { return false };
        if !self.cells.is_simple() || self.cells.len() > self.layout.header().len() {
            return false;
        }
        let store = match simple.store {
            None => self.key_store.as_str(),
            Some(column) => match self.cells.get(bytes, column).and_then(|raw| self.recent.get(raw)) {
                Some(store) => store,
                None => return false,
            },
        };
        let Some(item) = self.cells.range(simple.item).and_then(|(start, end)| text.get(start..end)) else {
            return false;
        };
        if item.is_empty() || item.len() > SKU_CHARS_MAX || item.starts_with([' ', '=', '\'']) || item.ends_with(' ') {
            return false;
        }
        let Some(count) = self.cells.get(bytes, simple.count).and_then(number::digits) else { return false };
        let threshold = match simple.threshold.and_then(|column| self.cells.get(bytes, column)) {
            None | Some([]) => None,
            Some(raw) => match number::digits(raw) {
                Some(threshold) => Some(threshold),
                None => return false,
            },
        };
        let record = Record { bytes, layout: &self.layout, encoding: self.encoding, place: None };
        sink(Event::Row(Row { at, store, item, count, threshold, record }));
        true
    }

    /// Rejects a line that was not split.
    fn reject_line(&self, bytes: &[u8], at: RecordAt, reason: Reason, sink: &mut impl FnMut(Event<'_>)) {
        let record = Record { bytes, layout: &self.layout, encoding: self.encoding, place: None };
        let start = bytes.get(..VALUE_CHARS_MAX * 4).unwrap_or(bytes);
        let value = Cow::Owned(clip(&self.encoding.decode(start)));
        sink(Event::Rejected(Rejected { at, column: None, value, reason, of: None, record }));
    }

    /// Gives the events of the record that `self.cells` has just split.
    fn read(&mut self, bytes: &[u8], at: RecordAt, sink: &mut impl FnMut(Event<'_>)) {
        let Self { layout, mode, encoding, comma_decimal, cells, recent, key_store: _, simple: _ } = self;
        let look = Look {
            bytes,
            cells,
            encoding: *encoding,
            comma_decimal: *comma_decimal,
            mode: *mode,
            columns: layout.header().len(),
        };
        let layout = &*layout;
        let columns = layout.columns();
        let record = |place| Record { bytes, layout, encoding: look.encoding, place };
        let reject = |trouble: Trouble, place, of: Option<(&str, &str)>, sink: &mut _| {
            reject(&look, layout, record(place), at, &trouble, of, sink);
        };

        if let Err(trouble) = look.check_whole() {
            return reject(trouble, None, None, sink);
        }
        let item = match look.item(columns) {
            Ok(item) => item,
            Err(Nothing) => {
                if !look.is_blank_row() {
                    let column = columns.items.first().and_then(|name| name.columns.first()).copied();
                    reject(look.missing(column), None, None, sink);
                }
                return;
            }
        };
        let (item_column, way) = (item.column, item.way);
        let item_text = match look.name(item, SKU_CHARS_MAX) {
            Ok(name) => name,
            Err(reason) => return reject(Trouble { column: Some(item_column), reason }, None, None, sink),
        };
        // a line about the product as a whole, such as one more of its pictures; or what the export says holds no stock
        let may_lack_a_count = way == Way::OnlyGroup || look.is_uncounted(columns);
        match &columns.shape {
            Shape::Long { store: from, counts } => {
                if may_lack_a_count && look.first_filled(&counts.counts).is_none() {
                    return;
                }
                let store = match from {
                    StoreFrom::Key(store) => store.as_str(),
                    StoreFrom::Column(column) => {
                        let raw = look.cell(*column).unwrap_or_default();
                        if recent.get(raw).is_none() {
                            if look.is_blank(raw) {
                                return reject(look.missing(Some(*column)), None, None, sink);
                            }
                            match look.name(Named::cell(*column, raw), STORE_CHARS_MAX) {
                                Ok(name) => recent.put(raw, &name),
                                Err(reason) => {
                                    return reject(Trouble { column: Some(*column), reason }, None, None, sink);
                                }
                            }
                        }
                        recent.get(raw).unwrap_or_default()
                    }
                };
                let of = Some((store, &*item_text));
                match look.numbers(counts) {
                    Ok(Some((count, threshold))) => {
                        sink(Event::Row(Row { at, store, item: &item_text, count, threshold, record: record(None) }));
                    }
                    Ok(None) => reject(look.missing(counts.counts.first().copied()), None, of, sink),
                    Err(trouble) => reject(trouble, None, of, sink),
                }
            }
            Shape::Wide(places) => {
                let mut said = false;
                for (index, place) in places.iter().enumerate() {
                    match look.numbers(&place.counts) {
                        Ok(None) => continue, // nothing is said about this location
                        Ok(Some((count, threshold))) => {
                            let store = place.store.as_str();
                            let record = record(Some(index));
                            sink(Event::Row(Row { at, store, item: &item_text, count, threshold, record }));
                        }
                        Err(trouble) => {
                            reject(trouble, Some(index), Some((place.store.as_str(), &*item_text)), sink);
                        }
                    }
                    said = true;
                }
                if !said && !may_lack_a_count {
                    let column = places.first().and_then(|place| place.counts.counts.first()).copied();
                    reject(look.missing(column), None, None, sink);
                }
            }
        }
    }
}

fn reject(
    look: &Look<'_>,
    layout: &Layout,
    record: Record<'_>,
    at: RecordAt,
    trouble: &Trouble,
    of: Option<(&str, &str)>,
    sink: &mut impl FnMut(Event<'_>),
) {
    let raw = trouble.column.and_then(|column| look.cell(column)).unwrap_or_default();
    let start = raw.get(..VALUE_CHARS_MAX * 8).unwrap_or(raw);
    let value = Cow::Owned(clip(&look.encoding.decode(&unquoted(start))));
    let column = trouble.column.and_then(|column| layout.header().get(column)).map(String::as_str);
    sink(Event::Rejected(Rejected { at, column, value, reason: trouble.reason, of, record }));
}

/// At most [`VALUE_CHARS_MAX`] characters, `…` for what was left off.
fn clip(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some(_) => text.chars().take(VALUE_CHARS_MAX - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// No cell names the item.
struct Nothing;

/// How the item is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the cell or cells for it.
    Full,
    /// Only by the first of several columns that are to be joined.
    OnlyGroup,
}

/// A cell, or some joined, with a name.
struct Named<'a> {
    column: usize,
    raw: Cow<'a, [u8]>,
    /// Already decoded and joined.
    joined: Option<String>,
    way: Way,
}

impl<'a> Named<'a> {
    fn cell(column: usize, raw: &'a [u8]) -> Self {
        Self { column, raw: Cow::Borrowed(raw), joined: None, way: Way::Full }
    }
}

impl<'a> Look<'a> {
    fn cell(&self, column: usize) -> Option<&'a [u8]> {
        self.cells.get(self.bytes, column)
    }

    /// Encoding and number of cells.
    fn check_whole(&self) -> Result<(), Trouble> {
        if self.encoding == Encoding::Utf8 && !self.cells.is_ascii() && std::str::from_utf8(self.bytes).is_err() {
            let column = (0..self.cells.len())
                .find(|column| self.cell(*column).is_some_and(|raw| std::str::from_utf8(raw).is_err()));
            return Err(Trouble { column, reason: Reason::BadEncoding });
        }
        let found = self.cells.len();
        if found > self.columns
            && (self.columns..found).any(|column| self.cell(column).is_some_and(|raw| !self.is_blank(raw)))
        {
            return Err(Trouble { column: None, reason: Reason::TooManyCells { found, expected: self.columns } });
        }
        Ok(())
    }

    /// What is wrong with a cell that is not there: the row is too short, or it is blank.
    fn missing(&self, column: Option<usize>) -> Trouble {
        let found = self.cells.len();
        let reason = if column.is_some_and(|column| column >= found) {
            Reason::TooFewCells { found, expected: self.columns }
        } else {
            Reason::Blank
        };
        Trouble { column, reason }
    }

    fn is_blank(&self, raw: &[u8]) -> bool {
        match raw.iter().find(|byte| !matches!(byte, b' ' | b'\t')) {
            None => true,
            Some(byte) if byte.is_ascii_graphic() && *byte != b'"' => false,
            Some(_) => self.encoding.decode(&unquoted(raw)).trim().is_empty(),
        }
    }

    fn is_blank_row(&self) -> bool {
        (0..self.cells.len()).all(|column| self.cell(column).is_none_or(|raw| self.is_blank(raw)))
    }

    /// The first of the columns whose cell is not blank.
    fn first_filled(&self, columns: &[usize]) -> Option<(usize, &'a [u8])> {
        columns.iter().find_map(|column| {
            let raw = self.cell(*column)?;
            if self.is_blank(raw) { None } else { Some((*column, raw)) }
        })
    }

    /// The first way to name the item that gives a name.
    fn item(&self, columns: &Columns) -> Result<Named<'a>, Nothing> {
        columns.items.iter().find_map(|way| self.item_by(way)).ok_or(Nothing)
    }

    fn item_by(&self, way: &ItemName) -> Option<Named<'a>> {
        let (first, raw) = self.first_filled(&way.columns)?;
        if way.columns.len() == 1 {
            return Some(Named::cell(first, raw));
        }
        if way.columns.first() != Some(&first) {
            return None; // options without the product they are options of
        }
        let mut joined = String::new();
        let mut parts = 0;
        for column in &way.columns {
            let Some(raw) = self.cell(*column).filter(|raw| !self.is_blank(raw)) else { continue };
            let bytes = unquoted(raw);
            let text = self.encoding.decode(&bytes);
            let text = text.trim();
            parts += 1;
            // what Shopify and Square call the one variant of a product without variants
            if parts > 1 && matches!(text, "Default Title" | "Regular") {
                continue;
            }
            if !joined.is_empty() {
                joined.push_str(" / ");
            }
            joined.push_str(text);
        }
        let way = if parts > 1 { Way::Full } else { Way::OnlyGroup };
        Some(Named { column: first, raw: Cow::Borrowed(raw), joined: Some(joined), way })
    }

    /// A valid name.
    fn name(&self, named: Named<'a>, max: usize) -> Result<Cow<'a, str>, Reason> {
        if let Some(joined) = named.joined {
            return clean(Cow::Owned(joined), max);
        }
        let bytes: Cow<'a, [u8]> = match named.raw {
            Cow::Borrowed(raw) => plain(raw).map_or_else(|| Cow::Owned(unquoted(raw)), Cow::Borrowed),
            Cow::Owned(raw) => Cow::Owned(unquoted(&raw)),
        };
        match bytes {
            Cow::Borrowed(bytes) => {
                if let Some(name) = simple_name(bytes, max) {
                    return Ok(Cow::Borrowed(name));
                }
                clean(self.encoding.decode(bytes), max)
            }
            Cow::Owned(bytes) => clean(Cow::Owned(self.encoding.decode(&bytes).into_owned()), max),
        }
    }

    /// Count and threshold. `None` where nothing is said about the count.
    fn numbers(&self, counts: &Counts) -> Result<Option<(i64, Option<i64>)>, Trouble> {
        let Some((column, raw)) = self.first_filled(&counts.counts) else { return Ok(None) };
        let trouble = |reason| Trouble { column: Some(column), reason };
        let count = self.number(raw).map_err(trouble)?;
        if count < 0 && self.mode == Mode::Set {
            return Err(trouble(Reason::Negative));
        }
        Ok(Some((count, self.threshold(counts)?)))
    }

    fn threshold(&self, counts: &Counts) -> Result<Option<i64>, Trouble> {
        let Some(column) = counts.threshold else { return Ok(None) };
        let Some(raw) = self.cell(column).filter(|raw| !self.is_blank(raw)) else { return Ok(None) };
        if let Some(enabled) = counts.enabled
            && !self.cell(enabled).is_some_and(|raw| self.is_yes(raw))
        {
            return Ok(None);
        }
        match self.number(raw) {
            Ok(threshold) if threshold >= 0 => Ok(Some(threshold)),
            Ok(_) => Err(Trouble { column: Some(column), reason: Reason::Negative }),
            Err(Reason::NotStocked) => Ok(None), // `-`, `n/a`: no threshold of its own
            Err(reason) => Err(Trouble { column: Some(column), reason }),
        }
    }

    fn number(&self, raw: &[u8]) -> Result<i64, Reason> {
        if let Some(bytes) = plain(raw) {
            if let Some(value) = number::digits(bytes) {
                return Ok(value);
            }
            return number::parse(&self.encoding.decode(bytes), self.comma_decimal);
        }
        number::parse(&self.encoding.decode(&unquoted(raw)), self.comma_decimal)
    }

    /// Does the row say that it holds no stock of its own?
    fn is_uncounted(&self, columns: &Columns) -> bool {
        columns.uncounted.iter().any(|mark| {
            self.cell(mark.column).is_some_and(|raw| {
                let text = self.encoding.decode(&unquoted(raw)).to_lowercase();
                let first = text.split(',').next().unwrap_or_default().trim();
                mark.words.contains(&first)
            })
        })
    }

    fn is_yes(&self, raw: &[u8]) -> bool {
        let text = self.encoding.decode(&unquoted(raw)).trim().to_lowercase();
        matches!(text.as_str(), "y" | "yes" | "true" | "1" | "on" | "enabled" | "s" | "si" | "sí" | "verdadero")
    }
}

/// The bytes as a name where that is plain to see: printable ASCII, no blank at either end.
fn simple_name(bytes: &[u8], max: usize) -> Option<&str> {
    let (first, last) = (bytes.first()?, bytes.last()?);
    let odd = bytes.iter().fold(false, |odd, byte| odd | (byte.wrapping_sub(b' ') > b'~' - b' '));
    if odd || bytes.len() > max || matches!(first, b' ' | b'=' | b'\'') || *last == b' ' {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

fn clean(text: Cow<'_, str>, max: usize) -> Result<Cow<'_, str>, Reason> {
    let reason = |error| match error {
        NameError::Blank => Reason::Blank,
        NameError::TooLong { max } => Reason::NameTooLong { max },
        NameError::Control => Reason::ControlCharacter,
    };
    // `="00123"` is how programs keep Excel from dropping zeros
    let text = match text.trim().strip_prefix("=\"").and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => Cow::Owned(inner.to_owned()),
        None => text,
    };
    match text {
        Cow::Borrowed(text) => name::clean(rearm(text.trim()), max).map_err(reason),
        Cow::Owned(text) => {
            name::clean(rearm(text.trim()), max).map(|name| Cow::Owned(name.into_owned())).map_err(reason)
        }
    }
}
