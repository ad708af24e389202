//! What the first bytes of a file tell.

use memchr::{memchr, memchr2};

use crate::header::{self, Miss};
use crate::layout::{Layout, Position};
use crate::limits::{HEADER_SEARCH_ROWS, ROW_BYTES_MAX, SNIFF_BYTES};
use crate::problem::FileProblem;
use crate::reader::Encoding;
use crate::split::{Cells, End, unquoted};
use almacen_domain::kernel::name::StoreId;

/// What the first bytes of a file tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sniff {
    /// Call again with more bytes. Never the answer to [`SNIFF_BYTES`] of them or to a complete file.
    NeedMore,
    /// It is a table of stock, and this is how to read it.
    Layout(Layout),
    /// It is not.
    Refused(FileProblem),
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Recognises delimiter, header and columns.
///
/// `prefix` is the beginning of the file (decompressed), `complete` says that it is all of it; `key` is the object's key,
/// where `stores/<Store>/…` names the store of a file without such a column. The answer does not depend on how long the
/// prefix is, once it is long enough.
///
/// The header is the first row that names an item and a count, whatever delimiter makes it one; where several do, the one
/// that gives more known columns, then more columns, then the first of `,` `;` tab `|`.
#[must_use]
pub fn sniff(prefix: &[u8], complete: bool, key: &str) -> Sniff {
    let complete = complete && prefix.len() <= SNIFF_BYTES;
    let prefix = prefix.get(..SNIFF_BYTES).unwrap_or(prefix);
    let all = complete || prefix.len() == SNIFF_BYTES;
    if !all && prefix.len() < 8 {
        return Sniff::NeedMore;
    }
    if let Some(problem) = other_format(prefix) {
        return Sniff::Refused(problem);
    }
    let (key_store, bad_key) = match store_of(key) {
        Some(Ok(store)) => (Some(store), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    let bom = prefix.starts_with(BOM);
    let mut start = Position { offset: if bom { BOM.len() as u64 } else { 0 }, line: 1 };
    let text = prefix.get(if bom { BOM.len() } else { 0 }..).unwrap_or_default();
    let mut delimiters = DELIMITERS.as_slice();
    let mut skipped = 0;
    let first_line = text.get(..memchr2(b'\n', b'\r', text).unwrap_or(text.len())).unwrap_or_default();
    if let Some(delimiter) = announced(first_line) {
        if first_line.len() == text.len() && !all {
            return Sniff::NeedMore;
        }
        delimiters = delimiter;
        skipped = first_line.len();
        start.offset += skipped as u64;
    }
    let text = text.get(skipped..).unwrap_or_default();

    let searches: Vec<Search> = delimiters
        .iter()
        .map(|delimiter| search(text, complete, all, start, Style { delimiter: *delimiter, bom }, key_store.as_ref()))
        .collect();
    let best = searches.iter().filter_map(|search| search.layout.as_ref()).min_by_key(|found| {
        (found.line, usize::MAX - found.layout.columns().roles(), usize::MAX - found.layout.header().len())
    });
    let line = best.map_or(u64::MAX, |found| found.line);
    if searches.iter().any(|search| search.seen_to.is_some_and(|seen| seen <= line)) {
        return Sniff::NeedMore;
    }
    match best {
        Some(found) if memchr(0, prefix.get(..found.end).unwrap_or(prefix)).is_none() => {
            Sniff::Layout(found.layout.clone())
        }
        Some(_) => Sniff::Refused(FileProblem::Binary),
        None => Sniff::Refused(refusal(prefix, searches, bad_key)),
    }
}

/// Formats that are told by their first bytes.
fn other_format(prefix: &[u8]) -> Option<FileProblem> {
    let starts = |magic: &[&[u8]]| magic.iter().any(|magic| prefix.starts_with(magic));
    if starts(&[b"\xff\xfe", b"\xfe\xff"]) {
        Some(FileProblem::Utf16)
    } else if starts(&[b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0"]) {
        Some(FileProblem::Spreadsheet)
    } else if starts(&[b"\x1f\x8b", b"%PDF", b"\x89PNG", b"\xff\xd8\xff"]) {
        Some(FileProblem::Binary)
    } else {
        None
    }
}

/// The delimiter that a first line `sep=;` announces to Excel.
fn announced(line: &[u8]) -> Option<&'static [u8]> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            DELIMITERS.iter().position(|known| known == delimiter).and_then(|index| DELIMITERS.get(index..=index))
        }
        _ => None,
    }
}

/// The store that the object's key names: the folder after `stores/`.
fn store_of(key: &str) -> Option<Result<StoreId, FileProblem>> {
    let mut segments = key.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case("stores"))?;
    let name = segments.next()?;
    segments.next()?; // the last segment is the file, not a folder
    if name.trim().is_empty() {
        return None;
    }
    Some(StoreId::parse(name).map_err(|_| FileProblem::BadStore { name: name.chars().take(100).collect() }))
}

#[derive(Clone, Copy)]
struct Style {
    delimiter: u8,
    bom: bool,
}

/// What one delimiter finds.
struct Search {
    layout: Option<Found>,
    /// A header that cannot be used.
    refused: Option<FileProblem>,
    /// The row that came nearest to a header: what it lacks, how many cells it has, which.
    nearest: Option<(usize, usize, FileProblem)>,
    /// Where the prefix ends before the search does: the line whose record it did not see whole.
    seen_to: Option<u64>,
}

struct Found {
    layout: Layout,
    line: u64,
    /// Bytes from the beginning to its end.
    end: usize,
}

fn search(
    text: &[u8],
    complete: bool,
    all: bool,
    start: Position,
    style: Style,
    key_store: Option<&StoreId>,
) -> Search {
    let mut search = Search { layout: None, refused: None, nearest: None, seen_to: None };
    let mut cells = Cells::default();
    let mut at = start;
    let mut used = 0;
    let mut rows = 0;
    let mut after_cr = false;
    while rows < HEADER_SEARCH_ROWS {
        while let Some(byte) = text.get(used).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            if !(*byte == b'\n' && after_cr) {
                at.line += 1;
            }
            after_cr = *byte == b'\r';
            used += 1;
        }
        after_cr = false;
        let rest = text.get(used..).unwrap_or_default();
        if rest.is_empty() {
            if !all {
                search.seen_to = Some(at.line);
            }
            return search;
        }
        let mut window = rest.get(..=ROW_BYTES_MAX).unwrap_or(rest);
        let mut newlines = 0;
        match cells.split(window, style.delimiter) {
            End::Done { len, newlines: inside } => {
                window = window.get(..len).unwrap_or_default();
                newlines = inside;
            }
            End::Open { quoted: false, newlines: inside } if complete && window.len() <= ROW_BYTES_MAX => {
                newlines = inside
            }
            End::Open { .. } if complete || window.len() > ROW_BYTES_MAX => {
                // a quote that is never closed: as the reader does, take its line by itself
                window = window.get(..memchr2(b'\n', b'\r', window).unwrap_or(window.len())).unwrap_or_default();
                cells.split(window, style.delimiter);
            }
            End::Open { .. } => {
                if !all {
                    search.seen_to = Some(at.line);
                }
                return search;
            }
        }
        let header = header_cells(window, &cells);
        used += window.len();
        let line = at.line;
        at.line += newlines;
        if header.is_empty() {
            continue;
        }
        rows += 1;
        match header::recognise(&header, key_store) {
            Ok(columns) => {
                let body = Position { offset: start.offset + used as u64, line: at.line };
                let end = usize::try_from(body.offset).unwrap_or(usize::MAX);
                let layout = Layout::new(style.delimiter, style.bom, body, key_store.cloned(), header, columns);
                search.layout = Some(Found { layout, line, end });
                return search;
            }
            Err(Miss::Refused(problem)) => search.refused = search.refused.or(Some(problem)),
            Err(Miss::Lacks(missing)) => {
                let better = search
                    .nearest
                    .as_ref()
                    .is_none_or(|(lacks, columns, _)| (missing.len(), *columns) < (*lacks, header.len()));
                if better {
                    let found = header::shown(&header);
                    search.nearest = Some((missing.len(), header.len(), FileProblem::NoHeader { found, missing }));
                }
            }
        }
    }
    search
}

/// The cells as text, without the blank ones at the end.
fn header_cells(record: &[u8], cells: &Cells) -> Vec<String> {
    if record.iter().all(|byte| matches!(byte, b',' | b';' | b'\t' | b'|' | b' ' | b'"')) {
        return Vec::new(); // blank, whatever the delimiter
    }
    let encoding = if std::str::from_utf8(record).is_ok() { Encoding::Utf8 } else { Encoding::Windows1252 };
    let mut texts: Vec<String> = (0..cells.len())
        .filter_map(|index| cells.get(record, index))
        .map(|raw| encoding.decode(&unquoted(raw)).trim().to_owned())
        .collect();
    while texts.last().is_some_and(String::is_empty) {
        texts.pop();
    }
    texts
}

/// Why no row is a header.
fn refusal(prefix: &[u8], searches: Vec<Search>, bad_key: Option<FileProblem>) -> FileProblem {
    let odd =
        prefix.iter().filter(|byte| **byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c | 0x1a)).count();
    if memchr(0, prefix).is_some() || odd * 20 > prefix.len() {
        return FileProblem::Binary;
    }
    let (mut refused, mut nearest) = (None, None::<(usize, usize, FileProblem)>);
    for search in searches {
        refused = refused.or(search.refused);
        if let Some(candidate) = search.nearest {
            let better =
                nearest.as_ref().is_none_or(|(lacks, columns, _)| (candidate.0, *columns) < (*lacks, candidate.1));
            if better {
                nearest = Some(candidate);
            }
        }
    }
    match (refused, nearest) {
        (Some(FileProblem::NoStore { .. }), _) if bad_key.is_some() => bad_key.unwrap_or(FileProblem::Empty),
        (Some(problem), _) | (None, Some((_, _, problem))) => problem,
        (None, None) => FileProblem::Empty,
    }
}
