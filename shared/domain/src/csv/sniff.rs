//! What the first bytes of a file tell.

use super::layout::Layout;
use super::problem::FileProblem;

/// What the first bytes of a file tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sniff {
    /// Call again with more bytes. Never the answer to [`super::limits::SNIFF_BYTES`] of them or to a complete file.
    NeedMore,
    /// It is a table of stock, and this is how to read it.
    Layout(Layout),
    /// It is not.
    Refused(FileProblem),
}

/// Recognises delimiter, header and columns.
///
/// `prefix` is the beginning of the file (decompressed), `complete` says that it is all of it; `key` is the object's key,
/// where `stores/<Store>/…` names the store of a file without such a column. The answer does not depend on how long the
/// prefix is, once it is long enough.
#[must_use]
pub fn sniff(prefix: &[u8], complete: bool, key: &str) -> Sniff {
    let _ = (prefix, complete, key);
    Sniff::NeedMore
}
