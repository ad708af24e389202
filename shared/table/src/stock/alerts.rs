//! Alerts: what operators were last told about a line. An alert, its event and the store's `low` count change in one
//! transaction.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, Update};

use almacen_domain::Millis;
use almacen_domain::stock::{Alert, Level};

use crate::keys;
use crate::outbox;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, is_text, n, required_number, required_text, s};
use almacen_dynamo::calls::{BATCH_GET_MAX, consistent, get_many};
use almacen_dynamo::transaction::Transaction;
use almacen_dynamo::version::{VersionCondition, Versioned as _};

/// A line's alert, and the version of the line it was last moved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertState {
    /// What was told.
    pub alert: Alert,
    /// Which version of the line led to it; older ones have nothing more to say. 0 where there was none.
    pub line_version: i64,
}

/// One alert to be moved.
#[derive(Debug, Clone)]
pub struct AlertMove {
    /// Store.
    pub store: String,
    /// Item.
    pub sku: String,
    /// What was known.
    pub from: AlertState,
    /// What is to be known.
    pub to: AlertState,
    /// What to say about it.
    pub event: OutboxEvent,
}

/// Moves in one transaction: an alert and an event each, and one write for each store, within DynamoDB's 100.
pub const MOVES_MAX: usize = 33;

/// The StockAlerts table, with the Outbox and the Stores that change with it.
#[derive(Debug, Clone)]
pub struct Alerts {
    client: Client,
    alerts: String,
    outbox: String,
    stores: String,
}

impl Alerts {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, alerts: String, outbox: String, stores: String) -> Self {
        Self { client, alerts, outbox, stores }
    }

    /// What is known about `lines` (store, sku); a line nothing was ever told about is not in the answer.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn states(
        &self,
        lines: &[(String, String)],
    ) -> Result<HashMap<(String, String), AlertState>, DynamoError> {
        let mut known = HashMap::new();
        for chunk in lines.chunks(BATCH_GET_MAX) {
            let wanted = chunk
                .iter()
                .map(|(store, sku)| [(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(sku))].into())
                .collect();
            for item in get_many(&self.client, &self.alerts, "read alerts", wanted, consistent()).await? {
                let line = (required_text(&item, keys::STORE)?, required_text(&item, keys::SKU)?);
                known.insert(line, readable(&item)?);
            }
        }
        Ok(known)
    }

    /// Moves up to [`MOVES_MAX`] alerts of different lines with their events and their stores' count of low lines, all
    /// or none. `Ok(false)` when an alert is no longer what `from` says: somebody has moved it, so read it again.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn apply(&self, moves: &[AlertMove], now: Millis) -> Result<bool, DynamoError> {
        let mut transaction = Transaction::new("move alerts");
        let mut low: BTreeMap<&str, i64> = BTreeMap::new();
        for step in moves {
            transaction.add((), self.put(step, now))?;
            transaction.add((), outbox::put(&self.outbox, &step.event, now))?;
            *low.entry(&step.store).or_default() += is_open(step.to.alert) - is_open(step.from.alert);
        }
        for (store, change) in low.into_iter().filter(|(_, change)| *change != 0) {
            let update = Update::builder()
                .table_name(&self.stores)
                .key(keys::STORE, s(store))
                .update_expression("ADD low :change")
                .expression_attribute_values(":change", n(change));
            transaction.add((), update)?;
        }
        Ok(transaction.commit(&self.client).await?.is_written())
    }

    fn put(&self, step: &AlertMove, now: Millis) -> PutBuilder {
        let put = Put::builder()
            .table_name(&self.alerts)
            .item(keys::STORE, s(&step.store))
            .item(keys::SKU, s(&step.sku))
            .item("line_version", n(step.to.line_version));
        let put = match step.to.alert {
            Alert::Open { worst, since } => put
                .item("state", s("open"))
                .item("worst", s(if worst == Level::Out { "out" } else { "low" }))
                .item("since", n(since))
                .item("open_store", s(&step.store)),
            // The version stays for as long as a stream could repeat older records.
            Alert::Closed => {
                put.item("state", s("closed")).item("expires_at", n(now / 1000 + keys::CLOSED_ALERT_KEPT_SECONDS))
            }
        };
        put.only_if(VersionCondition::seen("line_version", step.from.line_version))
    }
}

fn is_open(alert: Alert) -> i64 {
    match alert {
        Alert::Open { .. } => 1,
        Alert::Closed => 0,
    }
}

/// An alert. One that cannot be read must not hold up the other lines of a batch: it is logged, and taken as open at its worst
/// where its state is open, so that nobody is notified twice and a refill closes it; else as closed.
fn readable(item: &Item) -> Result<AlertState, DynamoError> {
    decode(item).or_else(|error| {
        tracing::error!(%error, "alert cannot be read");
        let open = is_text(item, "state", "open") || item.contains_key("open_store");
        let alert = if open { Alert::Open { worst: Level::Out, since: 0 } } else { Alert::Closed };
        Ok(AlertState { alert, line_version: required_number(item, "line_version")? })
    })
}

fn decode(item: &Item) -> Result<AlertState, DynamoError> {
    let alert = match required_text(item, "state")?.as_str() {
        "open" => Alert::Open {
            worst: match required_text(item, "worst")?.as_str() {
                "out" => Level::Out,
                "low" => Level::Low,
                _ => return Err(DynamoError::Malformed { attribute: "worst" }),
            },
            since: required_number(item, "since")?,
        },
        "closed" => Alert::Closed,
        _ => return Err(DynamoError::Malformed { attribute: "state" }),
    };
    Ok(AlertState { alert, line_version: required_number(item, "line_version")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_dynamo::attr::item;

    #[test]
    fn an_alert_that_cannot_be_read_holds_up_nobody() {
        let open = |since| item([("state", s("open")), ("worst", s("out")), ("since", since), ("line_version", n(7))]);
        let read = |item: &Item| readable(item).map(|known| (known.alert, known.line_version)).ok();
        assert_eq!(read(&open(n(5))), Some((Alert::Open { worst: Level::Out, since: 5 }, 7)));
        // Taken as closed, an open one would be sent once more and counted as low twice.
        assert_eq!(read(&open(s("yesterday"))), Some((Alert::Open { worst: Level::Out, since: 0 }, 7)));
        assert_eq!(read(&item([("state", s("odd")), ("line_version", n(7))])), Some((Alert::Closed, 7)));
        // Without a version nothing could be decided about it.
        assert_eq!(read(&item([("state", s("open"))])), None);
    }
}
