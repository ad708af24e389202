//! Writes in flight: as many at once as DynamoDB takes, never more than a bound ([`crate::pace`]).

use std::rc::Rc;

use almacen_domain::import::{Counters, Outcome, Wanted};
use almacen_dynamo::DynamoError;
use almacen_dynamo::calls::BATCH_WRITE_MAX;
use almacen_table::inventory::{Author, Changed, Inventory};
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::pace::SharedPace;

/// Writes the steps of one part and counts what became of them.
pub struct Writer<'a> {
    inventory: &'a Inventory,
    author: &'a Author,
    waiting: Vec<(&'a str, &'a str, Wanted)>,
    in_flight: FuturesUnordered<LocalBoxFuture<'a, Result<(Outcome, u64), DynamoError>>>,
    pace: Rc<SharedPace>,
    counters: Counters,
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
            counters: Counters::default(),
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
            inventory.create(author, &lines, &*pace).await?;
            Ok((Outcome::Created, lines.len() as u64))
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
                Changed::Yes => Outcome::Changed,
                Changed::Stale => Outcome::Stale,
            };
            Ok((outcome, 1))
        }))
        .await
    }

    async fn start(
        &mut self,
        write: LocalBoxFuture<'a, Result<(Outcome, u64), DynamoError>>,
    ) -> Result<(), DynamoError> {
        while self.in_flight.len() >= self.pace.limit() {
            self.next().await?;
        }
        self.in_flight.push(write);
        Ok(())
    }

    async fn next(&mut self) -> Result<(), DynamoError> {
        if let Some(done) = self.in_flight.next().await {
            let (outcome, lines) = done?;
            self.pace.taken();
            for _ in 0..lines {
                self.counters.count(outcome);
            }
        }
        Ok(())
    }

    /// What was written since this was last asked.
    #[must_use]
    pub fn take_counters(&mut self) -> Counters {
        std::mem::take(&mut self.counters)
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
