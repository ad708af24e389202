//! Where cells and records end. RFC 4180 as the `csv` crate reads it: a quote opens a quoted cell only as its first byte,
//! a doubled quote inside stands for one, text after the closing quote is taken as it is, and a record ends at `\n`,
//! `\r\n` or a lone `\r` outside of quotes.

use memchr::{memchr, memchr_iter};

/// The ends of the cells of one record, kept between records so that its memory is allocated once.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Offset after each cell's last byte; the next cell begins one byte later.
    ends: Vec<u32>,
    /// Has the high bit of some byte set where a byte of the record was no ASCII, or 0x7f.
    seen: u64,
    /// A quoted cell, or a control character other than the delimiter.
    special: bool,
}

/// How far a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its content is `len` bytes long, a line end follows, and `newlines` more stand inside its quotes.
    Done {
        /// Bytes.
        len: usize,
        /// Line ends inside.
        newlines: u64,
    },
    /// The bytes end within it; in a `quoted` cell, or not.
    Open {
        /// In a quoted cell.
        quoted: bool,
        /// Line ends inside.
        newlines: u64,
    },
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// `byte`, eight times.
const fn broadcast(byte: u8) -> u64 {
    byte as u64 * ONES
}

/// The high bit of every byte of `word` that equals its counterpart in `needle`; exact, without false hits.
const fn equal(word: u64, needle: u64) -> u64 {
    let x = word ^ needle;
    !(((x & LOW) + LOW) | x | LOW)
}

/// The high bit of every byte of `word` that is below a blank, and possibly of such above one that is: the lowest is
/// right, the others must be looked at.
const fn below_blank(word: u64) -> u64 {
    word.wrapping_sub(broadcast(b' ')) & !word & HIGH
}

/// High bits where a byte of `word` is not ASCII, or 0x7f.
const fn above_tilde(word: u64) -> u64 {
    word | word.wrapping_add(ONES)
}

impl Cells {
    /// How many cells the record has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Were all bytes ASCII? `false` may be a false alarm.
    pub(super) fn is_ascii(&self) -> bool {
        self.seen & HIGH == 0
    }

    /// Is every byte a printable ASCII character, and no cell quoted? `false` may be a false alarm.
    pub(super) fn is_simple(&self) -> bool {
        self.seen & HIGH == 0 && !self.special
    }

    /// The first and last offset of a cell.
    pub(super) fn range(&self, index: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? as usize + 1 };
        Some((start, end))
    }

    /// One cell of the record, as it stands in the file, quotes and all. `None` where the record has fewer.
    pub(super) fn get<'a>(&self, record: &'a [u8], index: usize) -> Option<&'a [u8]> {
        let (start, end) = self.range(index)?;
        record.get(start..end)
    }

    /// Splits the record that begins with the first byte, which is no line end. `bytes` may hold more than it, but no
    /// more than `u32::MAX`. Where they hold less, the cells are those so far.
    pub(super) fn split(&mut self, bytes: &[u8], delimiter: u8) -> End {
        self.ends.clear();
        self.special = false;
        let mut seen = 0;
        let mut newlines = 0;
        let delimiters = broadcast(delimiter);
        let mut field = 0;
        let end = 'record: {
            'cell: loop {
                let mut at = field;
                if bytes.get(at) == Some(&b'"') {
                    self.special = true;
                    let (quoted, closed) = quoted(bytes.get(at + 1..).unwrap_or_default());
                    let inside = bytes.get(at + 1..at + 1 + quoted).unwrap_or_default();
                    newlines += line_ends(inside);
                    if !inside.is_ascii() {
                        seen = HIGH;
                    }
                    at += 1 + quoted;
                    if !closed {
                        self.push(bytes.len());
                        break 'record End::Open { quoted: true, newlines };
                    }
                }
                while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
                    let word = u64::from_le_bytes(*eight);
                    let mut hits = equal(word, delimiters) | below_blank(word);
                    while hits != 0 {
                        let nth = hits.trailing_zeros() / 8;
                        let hit = at + nth as usize;
                        hits &= hits - 1;
                        match (word >> (nth * 8)) as u8 {
                            byte if byte == delimiter => {
                                self.push(hit);
                                if bytes.get(hit + 1) == Some(&b'"') {
                                    seen |= above_tilde(word) & !(u64::MAX << (nth * 8));
                                    field = hit + 1;
                                    continue 'cell;
                                }
                            }
                            b'\n' | b'\r' => {
                                self.push(hit);
                                // what follows in this word belongs to other records
                                seen |= above_tilde(word) & !(u64::MAX << (nth * 8));
                                break 'record End::Done { len: hit, newlines };
                            }
                            byte => self.special |= byte < b' ',
                        }
                    }
                    seen |= above_tilde(word);
                    at += 8;
                }
                while let Some(&byte) = bytes.get(at) {
                    if byte == delimiter {
                        self.push(at);
                        field = at + 1;
                        continue 'cell;
                    }
                    if byte == b'\n' || byte == b'\r' {
                        self.push(at);
                        break 'record End::Done { len: at, newlines };
                    }
                    self.special |= byte < b' ';
                    seen |= above_tilde(u64::from(byte));
                    at += 1;
                }
                self.push(bytes.len());
                break 'record End::Open { quoted: false, newlines };
            }
        };
        self.seen = seen;
        end
    }

    fn push(&mut self, end: usize) {
        // a record is at most ROW_BYTES_MAX long, so this never saturates
        self.ends.push(u32::try_from(end).unwrap_or(u32::MAX));
    }
}

/// How many bytes of a quoted cell follow its opening quote, its closing one included; and whether there is one.
fn quoted(bytes: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while let Some(hit) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
        at += hit + 1;
        if bytes.get(at) != Some(&b'"') {
            return (at, true);
        }
        at += 1;
    }
    (bytes.len(), false)
}

/// Physical line ends: `\n`, `\r\n` or a lone `\r`.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = memchr_iter(b'\n', bytes).count() as u64;
    for at in memchr_iter(b'\r', bytes) {
        if bytes.get(at + 1) != Some(&b'\n') {
            count += 1;
        }
    }
    count
}

/// The cell's content where it can be borrowed: not quoted, or quoted without a quote inside.
pub(super) fn plain(raw: &[u8]) -> Option<&[u8]> {
    let Some(inner) = raw.strip_prefix(b"\"") else { return Some(raw) };
    let inner = inner.strip_suffix(b"\"")?;
    if memchr(b'"', inner).is_some() { None } else { Some(inner) }
}

/// The cell's content, whatever it takes.
pub(super) fn unquoted(raw: &[u8]) -> Vec<u8> {
    let Some(mut rest) = raw.strip_prefix(b"\"") else { return raw.to_vec() };
    let mut text = Vec::with_capacity(raw.len());
    while let Some(hit) = memchr(b'"', rest) {
        text.extend_from_slice(rest.get(..hit).unwrap_or_default());
        rest = rest.get(hit + 1..).unwrap_or_default();
        match rest.strip_prefix(b"\"") {
            Some(after) => {
                text.push(b'"');
                rest = after;
            }
            None => break, // closed: what follows is text as it stands
        }
    }
    text.extend_from_slice(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(record: &[u8], delimiter: u8) -> (Vec<String>, End) {
        let mut cells = Cells::default();
        let end = cells.split(record, delimiter);
        let list = (0..cells.len())
            .map(|index| String::from_utf8_lossy(&unquoted(cells.get(record, index).expect("a cell"))).into_owned())
            .collect();
        (list, end)
    }

    fn check(record: &str, expected: &[&str]) {
        assert_eq!(cells(record.as_bytes(), b',').0, expected, "{record:?}");
    }

    #[test]
    fn cells_of_a_record() {
        check("a,b,c\nd", &["a", "b", "c"]);
        check("a,b,c\r\nd", &["a", "b", "c"]);
        check("a,b,c\rd", &["a", "b", "c"]);
        check("a,b,c", &["a", "b", "c"]);
        check("a,b,", &["a", "b", ""]);
        check(",,\n", &["", "", ""]);
        check("a long cell of many bytes,another long cell\n", &["a long cell of many bytes", "another long cell"]);
        check("\"a,b\",c\n", &["a,b", "c"]);
        check("\"a\nb\",c\n", &["a\nb", "c"]);
        check("\"a \"\"b\"\" c\",d\n", &["a \"b\" c", "d"]);
        check("\"a\"b\"c,d\n", &["ab\"c", "d"]);
        check("a\"b\",c\n", &["a\"b\"", "c"]);
        check("5\" pipe,6' pipe\n", &["5\" pipe", "6' pipe"]);
        check("\"\",x\n", &["", "x"]);
        check("\"open,x\ny", &["open,x\ny"]);
        assert_eq!(cells(b"\"a\r\nb\rc\nd\",e\n", b',').1, End::Done { len: 12, newlines: 3 });
        assert_eq!(cells(b"a,\"b", b',').1, End::Open { quoted: true, newlines: 0 });
        assert_eq!(cells(b"a,\"b\"", b',').1, End::Open { quoted: false, newlines: 0 });
        assert_eq!(cells(b"a;b|c\td\n", b'\t').0, ["a;b|c", "d"]);
    }

    proptest! {
        #[test]
        fn equal_finds_every_byte_and_no_other(word in any::<[u8; 8]>(), needle in any::<u8>()) {
            let hits = equal(u64::from_le_bytes(word), broadcast(needle));
            for (index, byte) in word.iter().enumerate() {
                prop_assert_eq!(hits >> (index * 8) & 0xff, if *byte == needle { 0x80 } else { 0 });
            }
        }
    }
}
