//! The catalogue in memory: all products as lists need them, kept up to date from Products' index `catalogue`, and its
//! snapshot in S3.
//!
//! 1. Each instance of `products-api` keeps a few fields of every product (`almacen_domain::catalogue::listing`). Each
//!    list first reads from the index what has changed since the last one, then filters, sorts and counts in memory,
//!    and reads the products of its page alone. A deletion leaves a mark in the index for a week.
//! 2. The first list of an instance would have to read the whole index. So `snapshot-catalogue` writes a [`snapshot`]
//!    to CatalogueBucket: every minute in which something has changed, from the last snapshot and the changes since;
//!    from the whole index once a day, and where the snapshot lacks one of the ten newest changes.
//! 3. An instance that starts reads the snapshot and, at the same time, the ten newest changes of the index. As a rule
//!    those reach back to the snapshot, and no more is read; of a very small catalogue they are everything.
//!
//! Times of change come from the clocks of the writers, and an index follows its table with a delay. So each reading
//! begins [`OVERLAP_MS`] before the end of the last one; a change that is read twice has no effect.
//!
//! Invariant: a snapshot is no record of anything. One that is missing, three days old, damaged, of another format
//! version, or without one of the newest changes costs a reading of the whole index and a log line, never a wrong list.
//!
//! Invariant: `changed_at` of a product grows with every change that lists show, whether the API, a review or a picture
//! made it, by a condition in each write. So changes may be read twice and in any order.

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Listing, ProductChange};
use almacen_dynamo::DynamoError;
use almacen_table::catalogue::index::CatalogueIndex;

#[cfg(test)]
mod model;
pub mod snapshot;

/// How far each reading goes back before the one before: more than clocks differ, an index lags behind, and a
/// transaction takes that was given its time of change before it was made.
pub const OVERLAP_MS: Millis = 60_000;

/// All products, as far as they were told of.
#[derive(Debug, Default)]
pub struct CatalogueState {
    /// The products.
    pub listing: Listing,
    /// Start of the last full scan of the index, by any instance, less an overlap for clocks that differ; `None` until one is
    /// complete.
    pub whole_at: Option<Millis>,
    /// What changed before this is in the list.
    pub known_until: Millis,
}

/// What a reading of the index brought.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// Changes that were not known before.
    pub news: usize,
    /// Read units that it took.
    pub units: f64,
}

impl CatalogueState {
    /// Begins with the newest changes of the index and with a snapshot, if there is one, and says whether that is all there is
    /// to know. Where it is not, [`CatalogueState::catch_up`] reads the rest: what is newer than the snapshot, or all of it.
    ///
    /// `that_is_all` says that the index has no other changes; then no snapshot is needed.
    pub fn begin(
        &mut self,
        newest: Vec<ProductChange>,
        that_is_all: bool,
        snapshot: Option<Self>,
        now: Millis,
    ) -> bool {
        // What the try before this one took from a snapshot is not built on; what it read of the index is.
        if self.whole_at.is_some() {
            *self = Self::default();
        }
        let start =
            if that_is_all { Some(Self::default()) } else { snapshot.and_then(|known| known.held_against(&newest)) };
        let Some(start) = start else { return false };
        *self = start;
        self.take_newest(newest, that_is_all, now)
    }

    /// Reads what has changed, or all of it where nothing is known.
    ///
    /// # Errors
    /// [`DynamoError`]; a reading of all of it that got only so far goes on from there.
    pub async fn catch_up(&mut self, index: &CatalogueIndex, now: Millis) -> Result<Reading, DynamoError> {
        let mut reading = Reading::default();
        let mut next = None;
        loop {
            let stretch = index.changed(self.known_until, next).await?;
            reading.units += stretch.units;
            reading.news += self.take(stretch.changes, now);
            next = stretch.next;
            if next.is_none() {
                break;
            }
        }
        self.is_of(now);
        Ok(reading)
    }

    /// Takes the newest changes of the index, and says whether nothing else has changed. Where something has, they are told
    /// once more by [`CatalogueState::catch_up`].
    fn take_newest(&mut self, newest: Vec<ProductChange>, that_is_all: bool, now: Millis) -> bool {
        let reached = that_is_all || newest.iter().any(|change| change.changed_at < self.known_until);
        for change in newest {
            self.listing.apply(change);
        }
        if reached {
            self.is_of(now);
        }
        reached
    }

    /// Itself, if it knows of all that the index has told of the time before it: a snapshot that does not is wrong as a whole.
    #[must_use]
    pub fn held_against(self, told: &[ProductChange]) -> Option<Self> {
        let agrees = self.agrees_with(told);
        if !agrees {
            tracing::warn!("snapshot of the catalogue lacks what the index tells");
        }
        agrees.then_some(self)
    }

    fn agrees_with(&self, told: &[ProductChange]) -> bool {
        let mut due = told.iter().filter(|change| change.changed_at < self.known_until);
        due.all(|change| match self.listing.changed_at(&change.id) {
            Some(known) => known >= change.changed_at,
            // Of a deleted product a snapshot says nothing.
            None => change.entry.is_none(),
        })
    }

    /// Takes a stretch of the index, and says how much of it was news.
    fn take(&mut self, changes: Vec<ProductChange>, now: Millis) -> usize {
        let mut news = 0;
        for change in changes {
            if self.whole_at.is_none() {
                // Where it breaks off here it goes on from here, but no nearer to now than any other reading.
                self.known_until = change.changed_at.min(now - OVERLAP_MS);
            }
            news += usize::from(self.listing.apply(change));
        }
        news
    }

    fn is_of(&mut self, now: Millis) {
        let settled = now - OVERLAP_MS;
        self.whole_at.get_or_insert(settled);
        self.known_until = settled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::catalogue::listing::{Entry, Filter, Order};

    fn change(id: &str, changed_at: Millis, offered: bool) -> ProductChange {
        let entry = offered.then(|| Entry {
            words: String::new(),
            price_thousandths: 1,
            category: String::new(),
            rating_sum: 0,
            rating_count: 0,
            created_at: 1,
        });
        ProductChange { id: id.to_owned(), changed_at, entry }
    }

    fn known(changes: &[ProductChange], known_until: Millis) -> CatalogueState {
        let mut listing = Listing::default();
        changes.iter().for_each(|change| assert!(listing.apply(change.clone())));
        CatalogueState { listing, whole_at: Some(1), known_until }
    }

    #[test]
    fn what_lacks_something_that_the_index_tells_is_not_believed() {
        let has_a = known(&[change("a", 5, true)], 10);
        assert!(has_a.agrees_with(&[change("a", 5, true)]));
        assert!(has_a.agrees_with(&[change("a", 4, true)]));
        assert!(!has_a.agrees_with(&[change("a", 6, true)]));
        assert!(!has_a.agrees_with(&[change("b", 9, true)]));
        // What came later is read from the index anyway, and deleted products leave nothing behind.
        assert!(has_a.agrees_with(&[change("b", 10, true), change("c", 9, false)]));
        assert!(!has_a.agrees_with(&[change("a", 6, false)]), "it was deleted");
        assert!(!known(&[], 10).agrees_with(&[change("a", 5, true)]));
    }

    #[test]
    fn an_instance_begins_with_what_can_be_believed() {
        let now = OVERLAP_MS + 100;
        let (newest, later) = ([change("a", 5, true)], [change("b", 12, true)]);
        let snapshot = || Some(known(&[change("a", 5, true)], 10));
        let begun = |newest: &[ProductChange], that_is_all, snapshot| {
            // A try before this one had got as far as a snapshot that held something else.
            let mut begun = known(&[change("z", 1, true)], 2);
            let told = begun.begin(newest.to_vec(), that_is_all, snapshot, now);
            (told, begun.whole_at, begun.listing.page(&Filter::default(), Order::Newest, 0, 9).total)
        };
        assert_eq!(begun(&newest, false, snapshot()), (true, Some(1), 1));
        assert_eq!(begun(&later, false, snapshot()), (false, Some(1), 2), "there is more to read");
        assert_eq!(begun(&newest, false, None), (false, None, 0));
        assert_eq!(begun(&newest, false, Some(known(&[], 10))), (false, None, 0), "it lacks something");
        assert_eq!(begun(&newest, true, None), (true, Some(100), 1), "these are all");
    }

    #[test]
    fn what_a_reading_of_the_index_brought_is_built_on() {
        let mut begun = CatalogueState { whole_at: None, ..known(&[change("z", 1, true)], 2) };
        assert!(!begun.begin(vec![change("a", 5, true)], false, None, OVERLAP_MS + 100));
        assert_eq!(begun.listing.changed_at("z"), Some(1));
    }

    #[test]
    fn the_newest_changes_are_enough_where_they_reach_what_is_known() {
        let now = OVERLAP_MS + 100;
        let total = |known: &CatalogueState| known.listing.page(&Filter::default(), Order::Newest, 0, 9).total;
        let table: [(&[ProductChange], bool, bool, Millis); 5] = [
            (&[change("c", 12, true), change("b", 9, true)], false, true, 100),
            (&[change("c", 12, true), change("b", 10, true)], false, false, 10),
            (&[], false, false, 10),
            (&[], true, true, 100),
            (&[change("c", 12, true), change("b", 10, true)], true, true, 100),
        ];
        for (newest, that_is_all, reached, known_until) in table {
            let mut known = known(&[change("a", 5, true)], 10);
            assert_eq!(known.take_newest(newest.to_vec(), that_is_all, now), reached, "{newest:?}");
            assert_eq!((known.known_until, known.whole_at), (known_until, Some(1)), "{newest:?}");
            assert_eq!(total(&known), 1 + newest.len());
        }
    }
}
