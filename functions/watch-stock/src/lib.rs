//! Stock lines changed: writes an event when a line crosses its threshold, once, and sets the stock of the products
//! that sell them.
//!
//! Trigger: the Inventory stream, old and new images. A batch succeeds or fails as a whole, because every effect is
//! repeatable; a record that can never be read is sent to the failure queue by this function.
//!
//! 1. [`record`]: each record is read by itself, with the line before and after.
//! 2. [`decide`]: most changes cannot cross anything and are dropped without a read. For the others the alert is read,
//!    and `almacen_domain::stock::crossing` decides.
//! 3. Alert, event (StockBajo, StockAgotado or StockRepuesto) and the store's `low` count move in **one transaction**,
//!    on condition of the line version that the alert was last moved by (`almacen_table::stock::alerts`). A repeated
//!    record has a version that is already known, and moves nothing.
//! 4. Products: see `almacen_table::catalogue::product_stock`.
//!
//! The event's way on is in `relay-events`; how it becomes an e-mail in `notify`, how it becomes a to-do in
//! `open-tasks`.

pub mod decide;
pub mod record;
mod sold;

use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_clock::now_ms;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_lambda_kit::stream::StreamEvent;
use almacen_queue::Queue;
use almacen_table::catalogue::product_stock::ProductStock;
use almacen_table::stock::alerts::{Alerts, MOVES_MAX};
use lambda_runtime::Context;
use serde_json::Value;

use crate::decide::{Line, matters, moves, rounds};
use crate::record::{LineChange, Read, read};

/// How often alerts that somebody else moved at the same time are read again.
const TRIES: u32 = 5;
/// A record that cannot be read is kept for a person, up to the size of a message.
const KEPT_BYTES_MAX: usize = 200 * 1024;

/// The function and what it talks to.
#[derive(Debug)]
pub struct WatchStock {
    alerts: Alerts,
    stock: ProductStock,
    failures: Queue,
    default_threshold: i64,
}

impl WatchStock {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        let client = almacen_dynamo::client(aws);
        let (alerts, outbox, stores) =
            (env.required("STOCK_ALERTS_TABLE"), env.required("OUTBOX_TABLE"), env.required("STORES_TABLE"));
        let (products, inventory) = (env.required("PRODUCTS_TABLE"), env.required("INVENTORY_TABLE"));
        Self {
            stock: ProductStock::new(client.clone(), products, inventory, stores.clone()),
            alerts: Alerts::new(client, alerts, outbox, stores),
            failures: Queue::new(aws, env.required("FAILURES_QUEUE_URL")),
            default_threshold: env.number("DEFAULT_THRESHOLD"),
        }
    }
}

impl Function for WatchStock {
    type Event = StreamEvent;
    type Answer = ();

    async fn handle(&self, event: StreamEvent, _context: Context) -> Result<(), Failure> {
        watch(self, event).await
    }
}

/// Moves the alerts of the lines that changed, and counts their items for the products that sell them.
///
/// # Errors
/// The batch comes again.
async fn watch(deps: &WatchStock, event: StreamEvent) -> Result<(), Failure> {
    let mut changes: Vec<LineChange> = Vec::new();
    for record in &event.records {
        match read(record, deps.default_threshold) {
            Read::Changed(change) => changes.push(change),
            Read::Removed => {}
            Read::Unreadable(what) => set_aside(deps, record, what).await?,
        }
    }
    let items = sold::recounted(&changes);
    changes.retain(matters);
    alert(deps, &changes).await?;
    Ok(sold::update_products(&deps.stock, &items).await?)
}

async fn alert(deps: &WatchStock, changes: &[LineChange]) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<Line> = changes.iter().map(|change| (change.store.clone(), change.sku.clone())).collect();
    lines.sort_unstable();
    lines.dedup();
    for _ in 0..TRIES {
        if move_alerts(deps, changes, &lines).await? {
            return Ok(());
        }
    }
    Err(Failure { kind: "Contended", message: "alerts were moved by somebody else again and again".to_owned() })
}

/// `false` when an alert was moved by somebody else meanwhile, such as a repetition of this very batch.
async fn move_alerts(deps: &WatchStock, changes: &[LineChange], lines: &[Line]) -> Result<bool, Failure> {
    let known = deps.alerts.states(lines).await?;
    for round in rounds(moves(changes, &known)?) {
        for steps in round.chunks(MOVES_MAX) {
            if !deps.alerts.apply(steps, now_ms()).await? {
                return Ok(false);
            }
            for step in steps {
                tracing::info!(event = %step.event.name, id = %step.event.id, store = %step.store, "stock news");
            }
        }
    }
    Ok(true)
}

async fn set_aside(deps: &WatchStock, record: &Value, what: &'static str) -> Result<(), Failure> {
    tracing::error!(what, "a stream record cannot be read; it goes to the failure queue");
    let mut text = record.to_string();
    if text.len() > KEPT_BYTES_MAX {
        text = format!("{{\"tooLarge\":{}}}", text.len());
    }
    Ok(deps.failures.send(text, Duration::ZERO).await?)
}

#[cfg(test)]
mod tests;
