//! Writes in flight: as many at once as DynamoDB takes, never more than a bound ([`crate::pace`]).

use std::collections::BTreeMap;
use std::rc::Rc;

use almacen_domain::stock::import::{Counters, LineStep, RowOutcome, Wanted, diff};
use almacen_dynamo::DynamoError;
use almacen_dynamo::calls::BATCH_WRITE_MAX;
use almacen_table::stock::inventory::{Author, Changed, Inventory};
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::pace::SharedPace;

/// Writes the steps of one part and counts what became of them.
pub struct Writer<'a> {
    inventory: &'a Inventory,
    author: &'a Author,
    waiting: Vec<(&'a str, &'a str, Wanted)>,
    in_flight: FuturesUnordered<LocalBoxFuture<'a, Result<Written, DynamoError>>>,
    pace: Rc<SharedPace>,
    written: Written,
}

/// What became of rows that were written.
#[derive(Debug, Default)]
pub struct Written {
    /// As rows are counted.
    pub counters: Counters,
    /// Lines that were to be made, and were there: how many of each store.
    pub found: BTreeMap<String, u64>,
}

impl Written {
    fn one(outcome: RowOutcome) -> Self {
        let mut written = Self::default();
        written.counters.count(outcome);
        written
    }

    fn add(&mut self, other: Self) {
        self.counters = self.counters.plus(other.counters);
        for (store, lines) in other.found {
            *self.found.entry(store).or_default() += lines;
        }
    }
}

impl<'a> Writer<'a> {
    /// For the lines of this inventory, in the name of this import.
    #[must_use]
    pub fn new(inventory: &'a Inventory, author: &'a Author) -> Self {
        Self {
            inventory,
            author,
            waiting: Vec::new(),
            in_flight: FuturesUnordered::new(),
            pace: Rc::default(),
            written: Written::default(),
        }
    }

    /// Makes a line, with the next ones in one call.
    ///
    /// # Errors
    /// Of an earlier write.
    pub async fn create(&mut self, store: &'a str, sku: &'a str, wanted: Wanted) -> Result<(), DynamoError> {
        self.waiting.push((store, sku, wanted));
        if self.waiting.len() == BATCH_WRITE_MAX { self.send_waiting().await } else { Ok(()) }
    }

    async fn send_waiting(&mut self) -> Result<(), DynamoError> {
        let lines = std::mem::take(&mut self.waiting);
        if lines.is_empty() {
            return Ok(());
        }
        let (inventory, author, pace) = (self.inventory, self.author, Rc::clone(&self.pace));
        self.start(Box::pin(async move {
            let found = inventory.create(author, &lines, &*pace).await?;
            let mut written = Written::default();
            for _ in found.len()..lines.len() {
                written.counters.count(RowOutcome::Created);
            }
            for (store, sku, wanted) in found.iter().filter_map(|position| lines.get(*position)) {
                written.add(settle_found(inventory, author, (store, sku), *wanted, &pace).await?);
            }
            Ok(written)
        }))
        .await
    }

    /// Changes a line, if its count is older.
    ///
    /// # Errors
    /// Of an earlier write.
    pub async fn change(&mut self, store: &'a str, sku: &'a str, wanted: Wanted) -> Result<(), DynamoError> {
        let (inventory, author, pace) = (self.inventory, self.author, Rc::clone(&self.pace));
        self.start(Box::pin(async move {
            let outcome = match inventory.change(author, (store, sku), wanted, &*pace).await? {
                Changed::Yes => RowOutcome::Changed,
                Changed::Stale => RowOutcome::Stale,
            };
            Ok(Written::one(outcome))
        }))
        .await
    }

    async fn start(&mut self, write: LocalBoxFuture<'a, Result<Written, DynamoError>>) -> Result<(), DynamoError> {
        while self.in_flight.len() >= self.pace.limit() {
            self.next().await?;
        }
        self.in_flight.push(write);
        Ok(())
    }

    async fn next(&mut self) -> Result<(), DynamoError> {
        if let Some(done) = self.in_flight.next().await {
            self.written.add(done?);
            self.pace.taken();
        }
        Ok(())
    }

    /// What was written since this was last asked.
    #[must_use]
    pub fn take_written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Of any write.
    pub async fn finish(&mut self) -> Result<(), DynamoError> {
        self.send_waiting().await?;
        while !self.in_flight.is_empty() {
            self.next().await?;
        }
        Ok(())
    }
}

/// A line that was to be made and is there: made by an earlier try of this import, whose answer was lost, or by somebody else
/// since the store was read. It is read and compared like any other.
async fn settle_found(
    inventory: &Inventory,
    author: &Author,
    (store, sku): (&str, &str),
    wanted: Wanted,
    pace: &SharedPace,
) -> Result<Written, DynamoError> {
    let held = inventory.held(store, &[sku]).await?;
    let step = diff(&author.import, &author.stamp, wanted, held.first().map(|(_, held)| held));
    let outcome = match step {
        LineStep::Nothing(outcome) => outcome,
        LineStep::Change => match inventory.change(author, (store, sku), wanted, pace).await? {
            Changed::Yes => RowOutcome::Changed,
            Changed::Stale => RowOutcome::Stale,
        },
        // Deleted by hand between two calls: the message comes again.
        LineStep::Create => return Err(DynamoError::contended("insert new lines")),
    };
    let mut written = Written::one(outcome);
    if outcome != RowOutcome::Created {
        written.found.insert(store.to_owned(), 1);
    }
    Ok(written)
}
