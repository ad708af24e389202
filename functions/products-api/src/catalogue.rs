//! The catalogue in the memory of an instance, kept up to date from Products' index. How it works as a whole:
//! `almacen_catalogue`.
//!
//! The first list of an instance reads the snapshot and, at the same time, the index's newest changes: as a rule those
//! reach back to the snapshot, and show at once whether it can be used. Every later list reads what has changed since
//! the one before, which as a rule is nothing.

use std::pin::pin;
use std::time::Duration;

use almacen_catalogue::CatalogueState;
use almacen_catalogue::snapshot::Snapshots;
use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Filter, Order, Page};
use almacen_dynamo::DynamoError;
use almacen_lambda_kit::log::error_chain;
use almacen_table::catalogue::index::CatalogueIndex;
use futures::future::{Either, select};
use tokio::sync::Mutex;

/// After this long an instance begins anew, as if it had just been started: what went wrong with it does not last.
const RENEW_AFTER_MS: Millis = 24 * 3600 * 1000;
/// How many of the newest changes an instance asks for that starts: half a read unit, as a rule.
const NEWEST: i32 = 10;
/// The longest that a snapshot may take to come; a list can do without.
const PATIENCE: Duration = Duration::from_secs(2);

/// The list of an instance.
#[derive(Debug)]
pub(crate) struct Catalogue {
    index: CatalogueIndex,
    snapshots: Snapshots,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: CatalogueState,
    /// When this instance began to ask, whether it was told or not: what it got only half of is not kept for ever either.
    since: Option<Millis>,
    /// It has been told of everything.
    complete: bool,
    /// The snapshot turned out to be wrong.
    distrust: bool,
}

impl Catalogue {
    /// Over the index and its snapshot. Nothing is read before it is asked for.
    #[must_use]
    pub(crate) fn new(index: CatalogueIndex, snapshots: Snapshots) -> Self {
        Self { index, snapshots, state: Mutex::default() }
    }

    /// The products that `filter` takes, and the ids of one page of them; and how many read units it took to know.
    ///
    /// # Errors
    /// [`DynamoError`]; a first reading that got only so far goes on from there.
    pub(crate) async fn page(
        &self,
        filter: &Filter,
        order: Order,
        (skip, limit): (usize, usize),
        now: Millis,
    ) -> Result<(Page, f64), DynamoError> {
        let mut state = self.state.lock().await;
        if state.since.is_some_and(|at| now - at >= RENEW_AFTER_MS) {
            *state = State::default();
        }
        state.since.get_or_insert(now);
        let mut units = 0.0;
        let mut told = false;
        if !state.complete && !state.distrust {
            (told, units) = self.begin(&mut state.known, now).await?;
        }
        if !told {
            units += state.known.catch_up(&self.index, now).await?.units;
        }
        state.complete = true;
        Ok((state.known.listing.page(filter, order, skip, limit), units))
    }

    /// Takes the snapshot and the newest changes, and says whether that is all there is to know.
    async fn begin(&self, known: &mut CatalogueState, now: Millis) -> Result<(bool, f64), DynamoError> {
        let newest = pin!(self.index.newest(NEWEST));
        let snapshot = pin!(self.snapshot(now));
        let (newest, snapshot) = match select(newest, snapshot).await {
            Either::Left((newest, snapshot)) => {
                let newest = newest?;
                // Of a small catalogue they are all, and the snapshot is not waited for.
                let snapshot = if newest.next.is_some() { snapshot.await } else { None };
                (newest, snapshot)
            }
            Either::Right((snapshot, newest)) => (newest.await?, snapshot),
        };
        Ok((known.begin(newest.changes, newest.next.is_none(), snapshot, now), newest.units))
    }

    /// What `snapshot-catalogue` has written down.
    async fn snapshot(&self, now: Millis) -> Option<CatalogueState> {
        match tokio::time::timeout(PATIENCE, self.snapshots.read(now)).await {
            Ok(Ok(Some(snapshot))) => return Some(snapshot),
            Ok(Ok(None)) => tracing::warn!("there is no snapshot of the catalogue"),
            Ok(Err(error)) => tracing::warn!(error = error_chain(&error), "snapshot of the catalogue cannot be read"),
            Err(_) => tracing::warn!("snapshot of the catalogue does not come"),
        }
        None
    }

    /// Forgets everything: the next list reads the index whole, whatever the snapshot says.
    pub(crate) async fn reload(&self) {
        *self.state.lock().await = State { distrust: true, ..State::default() };
    }

    /// Leaves out products that turned out to be gone.
    pub(crate) async fn forget(&self, ids: &[impl AsRef<str>]) {
        let mut state = self.state.lock().await;
        ids.iter().for_each(|id| state.known.listing.forget(id.as_ref()));
    }
}
