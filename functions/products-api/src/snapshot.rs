//! What one instance knows of the catalogue, written down for the next. It is no record of anything: where there is none, or
//! none that can be read, the index is read.

use std::borrow::Cow;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Change, Entry, Listing};
use serde::{Deserialize, Serialize};

/// Grows with every change of the format; another one's snapshot counts as none.
const FORMAT: u32 = 1;

/// The longest id of a product, far above any of ours.
const ID_BYTES_MAX: usize = 256;

/// A list as it was.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// All products.
    pub(crate) listing: Listing,
    /// When the index was read whole, and not only what had changed.
    pub(crate) loaded_at: Millis,
    /// What changed before this is in it.
    pub(crate) known_until: Millis,
}

#[derive(Serialize, Deserialize)]
struct File<'a> {
    format: u32,
    loaded_at: Millis,
    known_until: Millis,
    #[serde(borrow)]
    products: Vec<Line<'a>>,
}

/// Id and time of the last change; then words, price, category, sum and count of ratings, and when it was made.
#[derive(Serialize, Deserialize)]
struct Line<'a>(#[serde(borrow)] Cow<'a, str>, Millis, #[serde(borrow)] Option<Facts<'a>>);

#[derive(Serialize, Deserialize)]
struct Facts<'a>(#[serde(borrow)] Cow<'a, str>, i64, #[serde(borrow)] Cow<'a, str>, i64, i64, Millis);

/// Writes it down. Marks of deleted products are left out where nothing before them is ever read again.
pub(crate) fn encode(listing: &Listing, loaded_at: Millis, known_until: Millis) -> Vec<u8> {
    let kept = listing.changes().filter(|change| change.entry.is_some() || change.changed_at >= known_until);
    let products = kept.map(|Change { id, changed_at, entry }| {
        let facts = entry.as_ref().map(|entry| {
            let Entry { words, price_cents, category, rating_sum, rating_count, created_at } = entry;
            Facts(words.into(), *price_cents, category.into(), *rating_sum, *rating_count, *created_at)
        });
        Line(id.into(), *changed_at, facts)
    });
    let file = File { format: FORMAT, loaded_at, known_until, products: products.collect() };
    // Maps with keys that are no text are all that serde_json refuses.
    serde_json::to_vec(&file).unwrap_or_default()
}

/// Reads it; `None` for what this version has not written.
pub(crate) fn decode(bytes: &[u8]) -> Option<Snapshot> {
    let File { format, loaded_at, known_until, products } = serde_json::from_slice(bytes).ok()?;
    if format != FORMAT {
        return None;
    }
    let mut listing = Listing::default();
    for Line(id, changed_at, facts) in products {
        // DynamoDB would refuse to look for it.
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return None;
        }
        let entry = facts.map(|Facts(words, price_cents, category, rating_sum, rating_count, created_at)| Entry {
            words: words.into_owned(),
            price_cents,
            category: category.into_owned(),
            rating_sum,
            rating_count,
            created_at,
        });
        listing.apply(Change { id: id.into_owned(), changed_at, entry });
    }
    Some(Snapshot { listing, loaded_at, known_until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, changed_at: Millis, words: Option<&str>) -> Change {
        let entry = words.map(|words| Entry {
            words: words.to_owned(),
            price_cents: 9_999,
            category: "electrónica".to_owned(),
            rating_sum: 9,
            rating_count: 2,
            created_at: 1,
        });
        Change { id: id.to_owned(), changed_at, entry }
    }

    fn known(listing: &Listing) -> Vec<Change> {
        let mut all: Vec<Change> = listing.changes().cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    #[test]
    fn what_is_known_is_known_again() {
        let all = [
            change("a", 5, Some("a \"b\" \\ ñ \u{1}")),
            change("b", 6, Some("")),
            change("deleted-lately", 100, None),
            change("deleted-long-ago", 99, None),
        ];
        let mut listing = Listing::default();
        all.iter().for_each(|change| listing.apply(change.clone()));
        let snapshot = decode(&encode(&listing, 7, 100)).unwrap();
        assert_eq!((snapshot.loaded_at, snapshot.known_until), (7, 100));
        assert_eq!(known(&snapshot.listing), all[..3]);
    }

    #[test]
    fn what_another_version_wrote_counts_as_none() {
        let written = String::from_utf8(encode(&Listing::default(), 1, 2)).unwrap();
        assert_eq!(written, r#"{"format":1,"loaded_at":1,"known_until":2,"products":[]}"#);
        assert!(decode(written.as_bytes()).is_some());
        for other in [
            "",
            "{}",
            "null",
            &written.replace("\"format\":1", "\"format\":2"),
            &written.replace("[]", "[[\"a\",1,[]]]"),
            &written.replace("[]", "[[\"\",1,null]]"),
            &written[..written.len() - 1],
        ] {
            assert!(decode(other.as_bytes()).is_none(), "{other}");
        }
    }
}
