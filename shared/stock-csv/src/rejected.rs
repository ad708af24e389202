//! The rejected rows as a CSV that can be corrected and uploaded again.
//!
//! It has the file's own columns and three more, `_line`, `_column` and `_reason`, which are ignored when it is uploaded
//! again. Where the store came from the object's key, it also has a column `store`, so that it can be uploaded under any
//! name. Cells beyond the header's columns stand behind `_reason`, so that nothing of a row is lost. UTF-8 with a
//! byte-order mark, so that Excel shows accents; the file's own delimiter; nothing that a spreadsheet would run.

use crate::formula::disarm;
use crate::layout::Layout;
use crate::reader::Rejected;
use crate::reason::Lang;

const OURS: [&str; 3] = ["_line", "_column", "_reason"];

/// Appends byte-order mark and header line: the beginning of the file.
pub fn start(layout: &Layout, out: &mut Vec<u8>) {
    out.extend_from_slice("\u{feff}".as_bytes());
    let own = layout.header().iter().map(String::as_str).filter(|name| !is_ours(name));
    line(layout.delimiter(), own.chain(layout.store().map(|_| "store")).chain(OURS), out);
}

/// Appends one row. Rows of different parts can be put one after the other, behind one [`start`].
pub fn append(rejected: &Rejected<'_>, lang: Lang, out: &mut Vec<u8>) {
    let layout = rejected.record.layout();
    let mut cells = rejected.record.cells();
    let columns = layout.header().len();
    if cells.len() < columns {
        cells.resize(columns, String::new());
    }
    let surplus = cells.split_off(columns);
    let number = rejected.at.line.to_string();
    let reason = rejected.reason.text(lang);
    let own = cells.iter().zip(layout.header()).filter(|(_, name)| !is_ours(name)).map(|(cell, _)| cell.as_str());
    let ours = [number.as_str(), rejected.column.unwrap_or_default(), reason.as_str()];
    let store = layout.store().map(|store| store.as_str());
    let surplus = surplus.iter().map(String::as_str);
    line(layout.delimiter(), own.chain(store).chain(ours).chain(surplus), out);
}

/// A column that an earlier upload's rejected rows brought along.
fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

fn line<'a>(delimiter: u8, cells: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    let quoted = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let cell = &*disarm(cell);
        if cell.bytes().any(|byte| quoted(&byte)) || cell.starts_with(char::is_whitespace) {
            out.push(b'"');
            for byte in cell.bytes() {
                if byte == b'"' {
                    out.push(b'"');
                }
                out.push(byte);
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}
