//! Writes the catalogue's snapshot, so that an instance of `products-api` that starts need not read the whole index.
//!
//! Trigger: a schedule, every minute. If something has changed since the snapshot, the function reads the snapshot and
//! the changes, and writes a new one; once a day, and where the snapshot cannot be used, it reads the whole index. It
//! keeps no state between invocations: run twice, at once, or not at all, the snapshot is right, and only the amount
//! left to read after it differs. How snapshots are used: `almacen_catalogue`.

use almacen_aws_client::Aws;
use almacen_catalogue::snapshot::{Head, Snapshots};
use almacen_clock::now_ms;
use almacen_domain::Millis;
use almacen_files::Files;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_table::catalogue::index::CatalogueIndex;
use lambda_runtime::Context;
use serde::de::IgnoredAny;

/// After this long the index is read whole, whatever the snapshot says: what went wrong with it does not last.
const WHOLE_AFTER_MS: Millis = 24 * 3600 * 1000;
/// How many of the newest changes a snapshot is held against: half a read unit, as a rule.
const NEWEST: i32 = 10;

/// The function and what it talks to.
#[derive(Debug)]
pub struct SnapshotCatalogue {
    index: CatalogueIndex,
    snapshots: Snapshots,
}

impl SnapshotCatalogue {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            index: CatalogueIndex::new(almacen_dynamo::client(aws), env.required("PRODUCTS_TABLE")),
            snapshots: Snapshots::new(Files::new(aws), env.required("CATALOGUE_BUCKET")),
        }
    }
}

impl Function for SnapshotCatalogue {
    type Event = Tick;
    type Answer = ();

    async fn handle(&self, _tick: Tick, _context: Context) -> Result<(), Failure> {
        renew(self, now_ms()).await
    }
}

/// The schedule's event. It says that time has passed, and nothing else that matters.
pub type Tick = IgnoredAny;

/// Brings the snapshot up to now.
///
/// # Errors
/// The index or the bucket cannot be reached; the next minute tries again.
async fn renew(deps: &SnapshotCatalogue, now: Millis) -> Result<(), Failure> {
    let known = match deps.snapshots.head(now).await?.filter(|head| !is_due(head, now)) {
        Some(head) => {
            let newest = deps.index.newest(NEWEST).await?.changes;
            if newest.iter().all(|change| change.changed_at < head.known_until) {
                return Ok(());
            }
            // One that instances would not believe is not handed on.
            deps.snapshots.read(now).await?.and_then(|known| known.held_against(&newest))
        }
        None => None,
    };
    let whole = known.is_none();
    let mut known = known.unwrap_or_default();
    let reading = known.catch_up(&deps.index, now).await?;
    // Also where nothing was news: what has settled since need not be read again by anybody.
    let Some(bytes) = deps.snapshots.write(&known).await? else {
        // Lists are right without one, but each instance that starts reads the whole index: somebody should know.
        return Err(Failure { kind: "TooLarge", message: "the catalogue is too large for a snapshot".to_owned() });
    };
    tracing::info!(bytes, news = reading.news, read_units = reading.units, whole, "snapshot written");
    Ok(())
}

/// Has it been long since the index was read whole?
fn is_due(head: &Head, now: Millis) -> bool {
    now - head.whole_at >= WHOLE_AFTER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_read_whole_once_a_day() {
        let now = 10 * WHOLE_AFTER_MS;
        for (whole_at, due) in [(now, false), (now - WHOLE_AFTER_MS + 1, false), (now - WHOLE_AFTER_MS, true)] {
            assert_eq!(is_due(&Head { whole_at, known_until: now }, now), due, "{whole_at}");
        }
    }
}
