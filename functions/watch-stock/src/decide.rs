//! Which alerts a run of changes moves: a pure function of the changes and of what is known.

use std::collections::HashMap;

use almacen_contract::error::Unserialisable;
use almacen_contract::event::{Envelope, Origin, StockData, stock_news_name};
use almacen_contract::time::rfc3339;
use almacen_domain::Millis;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_domain::stock::{Alert, Level, crossing};
use almacen_table::stock::alerts::{AlertMove, AlertState};

use crate::record::LineChange;

/// A line, as alerts know it.
pub type Line = (String, String);

/// Could the change cross anything? A line that has enough now and had enough before has nothing to tell, and its
/// alert need not be read. Most changes are of this kind.
#[must_use]
pub fn matters(change: &LineChange) -> bool {
    change.level != Level::Enough || change.before.is_some_and(|before| before != Level::Enough)
}

/// The moves that `changes` lead to, in order. Changes that the alert already knows of (by the line's version) are
/// repetitions and move nothing.
///
/// # Errors
/// [`Unserialisable`].
pub fn moves(changes: &[LineChange], known: &HashMap<Line, AlertState>) -> Result<Vec<AlertMove>, Unserialisable> {
    let mut now: HashMap<Line, AlertState> = HashMap::new();
    let mut moves = Vec::new();
    for change in changes {
        let line = (change.store.clone(), change.sku.clone());
        let from = now.get(&line).or_else(|| known.get(&line)).copied().unwrap_or_default();
        if change.version <= from.line_version {
            continue;
        }
        let Some((alert, news)) = crossing(from.alert, change.level, change.at) else { continue };
        let to = AlertState { alert, line_version: change.version };
        let event = event(change, since(from.alert, alert, change.at), stock_news_name(news))?;
        moves.push(AlertMove { store: change.store.clone(), sku: change.sku.clone(), from, to, event });
        now.insert(line, to);
    }
    Ok(moves)
}

/// Since when the line has been low; for a refill, since when it had been.
fn since(from: Alert, to: Alert, at: Millis) -> Millis {
    match (to, from) {
        (Alert::Open { since, .. }, _) | (Alert::Closed, Alert::Open { since, .. }) => since,
        (Alert::Closed, Alert::Closed) => at,
    }
}

fn event(change: &LineChange, since: Millis, name: &str) -> Result<OutboxEvent, Unserialisable> {
    let aggregate = format!("{}/{}", change.store, change.sku);
    let origin =
        Origin { at: change.at, correlation: &change.changed_by, cause: &change.changed_by, aggregate: &aggregate };
    let identity = [change.store.as_str(), &change.sku, &change.version.to_string()];
    let data = StockData {
        store: change.store.clone(),
        item: change.sku.clone(),
        count: change.on_hand,
        available: change.available,
        reserved: change.reserved,
        threshold: change.threshold,
        since: rfc3339(since),
        line_version: change.version,
    };
    let envelope = Envelope::wrap(name, &identity, origin, data);
    envelope.into_outbox()
}

/// Splits moves into rounds that can each be one transaction or several: no line twice in a round, order kept.
#[must_use]
pub fn rounds(moves: Vec<AlertMove>) -> Vec<Vec<AlertMove>> {
    let mut rounds: Vec<Vec<AlertMove>> = Vec::new();
    let mut next_round: HashMap<Line, usize> = HashMap::new();
    for step in moves {
        let round = next_round.entry((step.store.clone(), step.sku.clone())).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        if let Some(steps) = rounds.get_mut(*round) {
            steps.push(step);
        }
        *round += 1;
    }
    rounds
}
