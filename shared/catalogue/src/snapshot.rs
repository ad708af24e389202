//! The catalogue's snapshot in S3.
//!
//! One text holds all ids and words, and numbers say where each begins and ends: it is read in one piece, and an
//! instance allocates no memory block for each product. A checksum comes last: a snapshot with one wrong bit could
//! still be decoded, and would be listed and carried on until the index is read whole.

use std::collections::HashMap;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Base, Listing, ListingRow};
use almacen_files::{Files, FilesError, fetch, write};
use serde::{Deserialize, Serialize};

use crate::CatalogueState;

/// Begins every snapshot; its last byte grows with every change of the format. Other versions are ignored.
const FORMAT: &[u8] = b"almacen-catalogue\x04";
/// Where it is in its bucket.
const KEY: &str = "snapshot";
/// The largest, in bytes: some 100,000 products, which is what an instance has memory and time for.
const BYTES_MAX: usize = 24 * 1024 * 1024;
/// The most products, and the most of their categories: far more than fit as a rule. What only looks like a snapshot must
/// not make an instance take memory that it does not have.
const PRODUCTS_MAX: u32 = 200_000;
/// Bytes of the checksum.
const SUM_BYTES: usize = 4;
/// The longest id of a product, far above any of ours. DynamoDB would refuse to look for a much longer one.
const ID_BYTES_MAX: u32 = 256;
/// One that was not renewed for so long is not believed. It is less than half the time for which a deletion's mark stays in
/// the index, so none is missed; and the index is read whole once a day, changes or not.
const AGE_MAX_MS: Millis = 3 * 24 * 3600 * 1000;

/// Where the snapshot is.
#[derive(Debug)]
pub struct Snapshots {
    files: Files,
    bucket: String,
}

impl Snapshots {
    /// In this bucket. Nothing is asked before it is needed.
    #[must_use]
    pub fn new(files: Files, bucket: String) -> Self {
        Self { files, bucket }
    }

    /// What the last one says of itself; `None` where there is none of this version and of these days.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn head(&self, now: Millis) -> Result<Option<Head>, FilesError> {
        match fetch::metadata(&self.files, &self.bucket, KEY).await {
            Ok(metadata) => Ok(Head::read(&metadata).filter(|head| head.is_of_these_days(now))),
            Err(FilesError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last one; `None` where there is none, or none of this version, of its size, or of these days.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn read(&self, now: Millis) -> Result<Option<CatalogueState>, FilesError> {
        match fetch::whole(&self.files, &self.bucket, KEY, BYTES_MAX).await {
            Ok(bytes) => Ok(believed(bytes, now)),
            Err(FilesError::Missing | FilesError::TooLarge) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces it, and says how many bytes it has; `None` where there is more than fits into one. Whoever writes last wins,
    /// and any of them is right: one that knows less leaves more to be read from the index.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn write(&self, known: &CatalogueState) -> Result<Option<usize>, FilesError> {
        let Some(head) = Head::of(known) else { return Ok(None) };
        let Some(bytes) = encode(known).filter(|bytes| bytes.len() <= BYTES_MAX) else { return Ok(None) };
        let (size, metadata) = (bytes.len(), head.metadata());
        write::put_with_metadata(&self.files, &self.bucket, KEY, "application/octet-stream", metadata, bytes).await?;
        Ok(Some(size))
    }
}

/// What a snapshot says of itself, in its metadata: whoever only wants to know whether it is still good reads no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// [`CatalogueState::whole_at`].
    pub whole_at: Millis,
    /// [`CatalogueState::known_until`].
    pub known_until: Millis,
}

impl Head {
    fn of(known: &CatalogueState) -> Option<Self> {
        Some(Self { whole_at: known.whole_at?, known_until: known.known_until })
    }

    /// One from the future was written by a clock that is wrong.
    fn is_of_these_days(&self, now: Millis) -> bool {
        (1..=now).contains(&self.whole_at) && (now.saturating_sub(AGE_MAX_MS).max(1)..=now).contains(&self.known_until)
    }

    fn read(metadata: &HashMap<String, String>) -> Option<Self> {
        let number = |name: &str| metadata.get(name)?.parse().ok();
        let of_this_version = metadata.get("format").is_some_and(|format| *format == format_number());
        of_this_version.then_some(Self { whole_at: number("whole-at")?, known_until: number("known-until")? })
    }

    fn metadata(self) -> HashMap<String, String> {
        let Self { whole_at, known_until } = self;
        let texts =
            [("format", format_number()), ("whole-at", whole_at.to_string()), ("known-until", known_until.to_string())];
        texts.map(|(name, text)| (name.to_owned(), text)).into()
    }
}

fn format_number() -> String {
    FORMAT.last().copied().unwrap_or_default().to_string()
}

/// What comes before the rows. The texts come last, so that they need not be copied to be kept.
#[derive(Serialize, Deserialize)]
struct Start {
    whole_at: Millis,
    known_until: Millis,
    categories: u32,
    rows: u32,
}

/// The fields of [`ListingRow`], in their order.
#[derive(Serialize, Deserialize)]
struct Line(u32, u32, u32, Millis, i64, i64, i64, Millis);

/// What these bytes say; `None` for what this version has not written, or not in these days.
pub(crate) fn believed(bytes: Vec<u8>, now: Millis) -> Option<CatalogueState> {
    decode(bytes).filter(|known| Head::of(known).is_some_and(|head| head.is_of_these_days(now)))
}

/// `None` for what was not read to its end, and for more than fits into one.
pub(crate) fn encode(known: &CatalogueState) -> Option<Vec<u8>> {
    let base = known.listing.to_base()?;
    let (texts, categories, rows) = base.parts();
    let count = |length: usize| u32::try_from(length).ok().filter(|count| *count <= PRODUCTS_MAX);
    let start = Start {
        whole_at: known.whole_at?,
        known_until: known.known_until,
        categories: count(categories.len())?,
        rows: count(rows.len())?,
    };
    let mut bytes = Vec::with_capacity(FORMAT.len() + texts.len() + rows.len() * 32 + SUM_BYTES);
    bytes.extend_from_slice(FORMAT);
    bytes = postcard::to_extend(&start, bytes).ok()?;
    for category in categories {
        bytes = postcard::to_extend(category, bytes).ok()?;
    }
    for row in rows {
        let ListingRow { id_bytes, words_bytes, category, changed_at, price_thousandths, .. } = *row;
        let ListingRow { rating_sum, rating_count, created_at, .. } = *row;
        let line =
            Line(id_bytes, words_bytes, category, changed_at, price_thousandths, rating_sum, rating_count, created_at);
        bytes = postcard::to_extend(&line, bytes).ok()?;
    }
    bytes.extend_from_slice(texts.as_bytes());
    Some(summed(bytes))
}

/// With the checksum that [`decode`] wants to see.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// `None` for what this version has not written.
fn decode(mut bytes: Vec<u8>) -> Option<CatalogueState> {
    let (summed, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    if crc32fast::hash(summed).to_le_bytes() != *sum {
        return None;
    }
    bytes.truncate(bytes.len() - SUM_BYTES);
    let (start, mut rest) = postcard::take_from_bytes::<Start>(bytes.strip_prefix(FORMAT)?).ok()?;
    if start.rows > PRODUCTS_MAX || start.categories > start.rows {
        return None;
    }
    let mut categories = Vec::new();
    for _ in 0..start.categories {
        let (category, after) = postcard::take_from_bytes::<String>(rest).ok()?;
        rest = after;
        categories.push(category);
    }
    // No line is shorter than its eight fields.
    let mut rows = Vec::with_capacity((start.rows as usize).min(rest.len() / 8));
    for _ in 0..start.rows {
        let (line, after) = postcard::take_from_bytes::<Line>(rest).ok()?;
        rest = after;
        if line.0 > ID_BYTES_MAX {
            return None;
        }
        rows.push(ListingRow {
            id_bytes: line.0,
            words_bytes: line.1,
            category: line.2,
            changed_at: line.3,
            price_thousandths: line.4,
            rating_sum: line.5,
            rating_count: line.6,
            created_at: line.7,
        });
    }
    let texts = bytes.len() - rest.len();
    bytes.drain(..texts);
    let base = Base::new(String::from_utf8(bytes).ok()?, categories, rows)?;
    Some(CatalogueState { listing: Listing::on(base), whole_at: Some(start.whole_at), known_until: start.known_until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::catalogue::listing::{Entry, Filter, Order, ProductChange};
    use proptest::prelude::*;

    fn change(id: &str, changed_at: Millis, words: Option<&str>) -> ProductChange {
        let entry = words.map(|words| Entry {
            words: words.to_owned(),
            price_thousandths: 9_999,
            category: "electrónica".to_owned(),
            rating_sum: 9,
            rating_count: 2,
            created_at: 1,
        });
        ProductChange { id: id.to_owned(), changed_at, entry }
    }

    fn known(changes: &[ProductChange]) -> CatalogueState {
        let mut listing = Listing::default();
        changes.iter().for_each(|change| assert!(listing.apply(change.clone())));
        CatalogueState { listing, whole_at: Some(7), known_until: 100 }
    }

    #[test]
    fn what_is_known_is_known_again() {
        let written =
            known(&[change("b", 6, Some("")), change("a", 5, Some("a \"b\" ñ")), change("deleted", 99, None)]);
        let again = decode(encode(&written).unwrap()).unwrap();
        assert_eq!((again.whole_at, again.known_until), (Some(7), 100));
        assert_eq!(["a", "b", "deleted"].map(|id| again.listing.changed_at(id)), [Some(5), Some(6), None]);
        let all = Filter::default();
        assert_eq!(again.listing.page(&all, Order::Newest, 0, 9), written.listing.page(&all, Order::Newest, 0, 9));
        assert_eq!(encode(&again), encode(&written));
    }

    #[test]
    fn a_head_says_whether_the_snapshot_is_still_good() {
        let now = 10 * AGE_MAX_MS;
        let head = |whole_at, known_until| Head { whole_at, known_until };
        for (head, good) in [
            (head(now, now), true),
            (head(1, now - AGE_MAX_MS), true),
            (head(1, now - AGE_MAX_MS - 1), false),
            (head(now + 1, now), false),
            (head(now, now + 1), false),
            (head(0, now), false),
        ] {
            assert_eq!(head.is_of_these_days(now), good, "{head:?}");
            let mut metadata = head.metadata();
            assert_eq!(Head::read(&metadata), Some(head));
            metadata.insert("format".to_owned(), "1".to_owned());
            assert_eq!(Head::read(&metadata), None);
        }
        let nothing_else = HashMap::from([("format".to_owned(), format_number())]);
        assert_eq!(Head::read(&nothing_else), None);
    }

    #[test]
    fn what_was_not_read_to_its_end_is_not_written() {
        assert_eq!(encode(&CatalogueState { whole_at: None, ..known(&[]) }), None);
    }

    /// What [`encode`] makes of these changes, without the checksum.
    fn unsummed(changes: &[ProductChange]) -> Vec<u8> {
        let mut written = encode(&known(changes)).unwrap();
        written.truncate(written.len() - SUM_BYTES);
        written
    }

    #[test]
    fn what_another_version_wrote_counts_as_none() {
        let written = unsummed(&[change("a", 5, Some("x"))]);
        assert!(decode(summed(written.clone())).is_some());
        let mut other = written.clone();
        other[FORMAT.len() - 1] = 1;
        assert!(decode(summed(other)).is_none());
        assert!(decode(summed([&written[..], b"x"].concat())).is_none(), "something follows");
        for end in 0..written.len() {
            assert!(decode(summed(written[..end].to_vec())).is_none(), "cut at {end}");
        }
        let long = "a".repeat(257);
        for id in ["", &long] {
            let written = encode(&known(&[change(id, 5, Some("x"))]));
            assert!(written.is_none_or(|bytes| decode(bytes).is_none()), "an id of {} bytes", id.len());
        }
    }

    #[test]
    fn what_was_damaged_counts_as_none() {
        let written = encode(&known(&[change("a", 5, Some("x")), change("b", 6, Some("y"))])).unwrap();
        for at in 0..written.len() {
            for bit in 0..8 {
                let mut damaged = written.clone();
                damaged[at] ^= 1 << bit;
                assert!(decode(damaged).is_none(), "bit {bit} of byte {at}");
            }
            assert!(decode(written[..at].to_vec()).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn what_says_that_it_is_large_takes_no_memory() {
        let says = |categories, rows, bytes: usize| {
            let start = postcard::to_extend(&Start { whole_at: 1, known_until: 1, categories, rows }, FORMAT.to_vec());
            decode(summed([start.unwrap(), vec![0; bytes]].concat()))
        };
        assert!(says(0, 0, 0).is_some());
        for (categories, rows) in [(1, 0), (0, 1), (u32::MAX, u32::MAX), (0, u32::MAX), (0, PRODUCTS_MAX + 1)] {
            assert!(says(categories, rows, 1 << 20).is_none(), "{categories} {rows}");
        }
    }

    #[test]
    fn what_was_just_written_is_believed_by_a_clock_that_is_behind() {
        let now = 10 * AGE_MAX_MS;
        let mut known = CatalogueState::default();
        assert!(known.take_newest(Vec::new(), true, now));
        assert!(believed(encode(&known).unwrap(), now - 30_000).is_some());
    }

    proptest! {
        /// Whatever stands in the bucket, an instance reads it without falling over, and what it takes can be listed.
        #[test]
        fn anything_is_read(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            spoiled in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut written = unsummed(&[change("a", 5, Some("ñandú")), change("b", 6, Some("x"))]);
            for (at, byte) in spoiled {
                let at = at.index(written.len());
                written[at] = byte;
            }
            for bytes in [[FORMAT, &bytes].concat(), written] {
                if let Some(known) = decode(summed(bytes)) {
                    let page = known.listing.page(&Filter::default(), Order::Rating, 0, 9);
                    prop_assert_eq!(page.ids.len(), page.total.min(9));
                }
            }
        }
    }
}
