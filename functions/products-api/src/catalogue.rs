//! The catalogue's list in the memory of an instance, kept up with Products' index.
//!
//! The first list of an instance needs all of it. It takes what another instance left behind, if that is large enough to
//! matter, and reads only what has changed since; every later list reads what has changed since the one before, which as a
//! rule is nothing. Times of change come from the clocks of those who write, and an index follows its table with a delay; so
//! each reading begins a while before the last one, and a change that is told twice does nothing.

use std::time::Duration;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Change, Filter, Listing, Order, Page};
use almacen_files::{FilesError, LazyClient, object, write};
use almacen_lambda_kit::log::chain;
use almacen_table::TableError;
use almacen_table::catalogue_index::CatalogueIndex;
use tokio::sync::Mutex;

use crate::snapshot::{self, Snapshot};

/// How far each reading goes back before the one before: more than clocks differ, an index lags behind, and a
/// transaction takes that was given its time of change before it was made.
const OVERLAP_MS: Millis = 60_000;
/// After this long the index is read anew, whoever has read it. A deletion's mark is kept seven times as long, so none is
/// missed.
const RELOAD_AFTER_MS: Millis = 24 * 3600 * 1000;
/// A catalogue of so many products is read from the index: that costs a few units, and a snapshot would not be quicker.
const FEW: i32 = 100;
/// After so many changes a snapshot is worth renewing: an instance that starts reads them all.
const MANY: usize = 300;
/// The longest that a snapshot may take to come or go; a list can do without.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest snapshot, in bytes: some 100,000 products, which is what an instance has memory and time for.
const SNAPSHOT_BYTES_MAX: usize = 24 * 1024 * 1024;
const SNAPSHOT_KEY: &str = "snapshot.json";

/// The list of an instance.
#[derive(Debug)]
pub(crate) struct Catalogue {
    index: CatalogueIndex,
    files: LazyClient,
    bucket: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listing: Listing,
    /// When the index was read whole, by this instance or by the one that left its knowledge behind; `None` while this one
    /// does not know all of it.
    loaded_at: Option<Millis>,
    /// What changed before this is known.
    known_until: Millis,
    /// What others left behind turned out to be wrong.
    distrust: bool,
}

impl Catalogue {
    /// Over the index, with snapshots in `bucket`. Nothing is read before it is asked for.
    #[must_use]
    pub(crate) fn new(index: CatalogueIndex, files: LazyClient, bucket: String) -> Self {
        Self { index, files, bucket, state: Mutex::default() }
    }

    /// The products that `filter` takes, and the ids of one page of them; and how many read units it took to know.
    ///
    /// # Errors
    /// [`TableError`]; a first reading that got only so far goes on from there.
    pub(crate) async fn page(
        &self,
        filter: &Filter,
        order: Order,
        (skip, limit): (usize, usize),
        now: Millis,
    ) -> Result<(Page, f64), TableError> {
        let mut state = self.state.lock().await;
        if state.loaded_at.is_some_and(|at| now - at >= RELOAD_AFTER_MS) {
            *state = State::default();
        }
        let units = self.catch_up(&mut state, now).await?;
        Ok((state.listing.page(filter, order, skip, limit), units))
    }

    async fn catch_up(&self, state: &mut State, now: Millis) -> Result<f64, TableError> {
        let mut first = state.loaded_at.is_none() && state.known_until == 0;
        // What is left behind for others: all that was read, or a snapshot made new.
        let (mut worth, mut settled) = (usize::try_from(FEW).unwrap_or(0), state.loaded_at.is_none());
        let (mut read, mut units, mut next) = (0, 0.0, None);
        loop {
            let limit = first.then_some(FEW);
            let stretch = self.index.changed(state.known_until, next, limit).await?;
            units += stretch.units;
            if std::mem::take(&mut first)
                && stretch.next.is_some()
                && !state.distrust
                && let Some(Snapshot { listing, loaded_at, known_until }) = self.left_behind(now).await
                && knows(&listing, &stretch.changes, known_until)
            {
                *state = State { listing, loaded_at: Some(loaded_at), known_until, distrust: false };
                // What is changing right now is read again by everybody, with a snapshot or without.
                (worth, settled) = (MANY, now - known_until > 2 * OVERLAP_MS);
                next = None;
                continue;
            }
            read += stretch.changes.len();
            for change in stretch.changes {
                if state.loaded_at.is_none() {
                    state.known_until = change.changed_at;
                }
                state.listing.apply(change);
            }
            next = stretch.next;
            if next.is_none() {
                break;
            }
        }
        state.known_until = now - OVERLAP_MS;
        let loaded_at = *state.loaded_at.get_or_insert(now);
        if settled && read > worth {
            self.leave_behind(&state.listing, loaded_at, state.known_until).await;
        }
        Ok(units)
    }

    /// What another instance knew, not too long ago.
    async fn left_behind(&self, now: Millis) -> Option<Snapshot> {
        let read = object::read(&self.files, &self.bucket, SNAPSHOT_KEY, SNAPSHOT_BYTES_MAX);
        let bytes = match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(FilesError::Missing)) => return None,
            Ok(Err(error)) => {
                tracing::warn!(error = chain(&error), "snapshot of the catalogue cannot be read");
                return None;
            }
            Err(_) => {
                tracing::warn!("snapshot of the catalogue does not come");
                return None;
            }
        };
        let Some(snapshot) = snapshot::decode(&bytes) else {
            tracing::warn!(bytes = bytes.len(), "snapshot of the catalogue is of another kind");
            return None;
        };
        // One from the future was written by a clock that is wrong.
        let times = (now.saturating_sub(RELOAD_AFTER_MS) + 1)..=now;
        let in_time = times.contains(&snapshot.loaded_at) && (1..=now).contains(&snapshot.known_until);
        in_time.then_some(snapshot)
    }

    /// Whoever writes last wins, and any of them is right: one that knows less leaves more to be read from the index.
    async fn leave_behind(&self, listing: &Listing, loaded_at: Millis, known_until: Millis) {
        let bytes = snapshot::encode(listing, loaded_at, known_until);
        let size = bytes.len();
        if size > SNAPSHOT_BYTES_MAX {
            tracing::warn!(bytes = size, "the catalogue is too large for a snapshot");
            return;
        }
        let put = write::put(&self.files, &self.bucket, SNAPSHOT_KEY, "application/json", bytes);
        match tokio::time::timeout(PATIENCE, put).await {
            Ok(Ok(())) => tracing::info!(bytes = size, "snapshot of the catalogue written"),
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "snapshot of the catalogue cannot be written"),
            Err(_) => tracing::warn!("snapshot of the catalogue does not go"),
        }
    }

    /// Forgets everything: the next list reads the index whole, whatever others know.
    pub(crate) async fn reload(&self) {
        *self.state.lock().await = State { distrust: true, ..State::default() };
    }

    /// Leaves out products that turned out to be gone.
    pub(crate) async fn forget(&self, ids: &[&str]) {
        let mut state = self.state.lock().await;
        ids.iter().for_each(|id| state.listing.forget(id));
    }
}

/// Does a snapshot know of all that the index has told? One that does not is wrong as a whole.
fn knows(listing: &Listing, told: &[Change], known_until: Millis) -> bool {
    let mut due = told.iter().filter(|change| change.entry.is_some() && change.changed_at < known_until);
    due.all(|change| listing.changed_at(&change.id) >= Some(change.changed_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::catalogue::listing::Entry;

    #[test]
    fn a_snapshot_that_lacks_what_the_index_tells_is_not_believed() {
        let change = |id: &str, changed_at, offered: bool| Change {
            id: id.to_owned(),
            changed_at,
            entry: offered.then(|| Entry {
                words: String::new(),
                price_cents: 1,
                category: String::new(),
                rating_sum: 0,
                rating_count: 0,
                created_at: 1,
            }),
        };
        let mut listing = Listing::default();
        listing.apply(change("a", 5, true));
        assert!(knows(&listing, &[change("a", 5, true)], 10));
        assert!(knows(&listing, &[change("a", 4, true)], 10));
        assert!(!knows(&listing, &[change("a", 6, true)], 10));
        assert!(!knows(&listing, &[change("b", 9, true)], 10));
        // What came later is read from the index anyway, and marks of deleted products are left out.
        assert!(knows(&listing, &[change("b", 10, true), change("c", 9, false)], 10));
        assert!(!knows(&Listing::default(), &[change("a", 5, true)], 10));
    }
}
