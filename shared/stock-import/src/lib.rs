//! The import of a CSV, from the object's arrival to its report: what `ingest-inventory`, `ingest-range` and
//! `close-imports` share.
//!
//! 1. [`arrival`]: S3 tells UploadsQueue of a new object version. Each version has **one import**: the announced one
//!    (`imports/{id}/…`), or one whose id is derived from bucket, key and version. A repeated event finds the same
//!    import.
//! 2. [`survey`]: the object is read once, and nothing is written to stock: delimiter, header, encoding; rows, stores,
//!    contradicting lines; where it can be cut. A file that is no inventory ends here, with ImportacionRechazada. The
//!    plan is kept in Imports, its parts as `part#…`. The import leaves a **claim** on each store before its parts
//!    begin.
//! 3. Up to the parameter `SplitBytes` the same invocation works on all parts. Parts of a larger file become messages
//!    of RangesQueue, a few at a time: [`handover`].
//! 4. [`part`]: takes the **leases** of all the file's stores, reads the part's rows, sorts them, and compares them
//!    with what each store holds: a Query per store, or single reads where the file is small against the store. Same →
//!    nothing is written. New → inserts, 25 a call. Different → a conditional update. Many writes are in flight, fewer
//!    while DynamoDB throttles: [`pace`].
//! 5. Every second a **checkpoint**: the part's position, the import's counters and the stores' line counts, in one
//!    transaction. The next try continues after it. An invocation that runs out of time after a checkpoint sends its
//!    message again.
//! 6. [`ending`]: the last part writes the report and, in one transaction with the import's end, ImportacionCompletada;
//!    then the leases are given back.
//!
//! Invariant: a newer count is never replaced by an older one. Each line has the stamp of its count
//! (`almacen_domain::stock::Stamp`), and every update is conditional on it. An unchanged row is not written, so its
//! line keeps the old stamp; that is what claims are for. An import that finds a newer claim on a store reads that
//! newer file again and leaves alone every line that it names.
//!
//! Invariant: no write to a line is unconditional. New lines are inserts on condition that they do not exist; one that
//! exists after all is read and compared like any other. Every write raises `version`; imports and PATCH raise
//! `edit_version` too.
//!
//! Invariant: every import ends. Work that fails at a message's last try ends its import as failed, and `close-imports`
//! ends those that only dead letters name. An import that was broken off, and not refused for its content, is resumed
//! by a message that was sent after its end: one that somebody has redriven.
//!
//! Invariant: an import that is killed anywhere ends with the same lines and counters. `created_by` and `changed_by` of
//! a line tell a second try what the first one wrote; checkpoints count by difference; adjustments happen in chunks,
//! each with a mark in its transaction. A lease outlives its invocation's deadline by 30 s. A part is leased to one
//! worker in the same way, so a second delivery of a message does not repeat the work of the first.

pub mod arrival;
pub mod ending;
pub mod error;
pub mod handover;
pub mod pace;
pub mod part;
pub mod rejects;
pub mod rows;
pub mod source;
pub mod survey;
pub mod writer;

use std::collections::HashMap;
use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_clock::{now_ms, random};
use almacen_domain::Millis;
use almacen_domain::stock::import::Mode;
use almacen_files::Files;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_queue::Queue;
use almacen_table::stock::claims::{Claim, Claims};
use almacen_table::stock::imports::Imports;
use almacen_table::stock::inventory::Inventory;
use almacen_table::stock::stores::{Lease, Stores};
use aws_lambda_events::event::sqs::SqsMessage;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lambda_runtime::Context;

pub use almacen_table::stock::imports::Job;
pub use error::ImportError;
pub use handover::Range;

/// A lease outlives the invocation that took it by this much, for clocks that differ.
const LEASE_GRACE: Duration = Duration::from_secs(30);
/// Work stops this long before Lambda would stop it, so that what was done is counted; the rest comes again.
const STOP_BEFORE: Duration = Duration::from_secs(4);
/// Deliveries of a message before its queue gives it to the dead letters: `maxReceiveCount` in the template.
pub const TRIES_MAX: u32 = 10;
/// How long to leave a store to the import that has it, at least; a second or two more by chance.
const BUSY_DELAY_SECONDS: u64 = 1;
/// Stores that are asked about at once.
const QUERIES_AT_ONCE: usize = 16;

/// Everything an import needs to be worked on.
#[derive(Debug)]
pub struct Importer {
    /// Objects.
    pub files: Files,
    /// Stock lines.
    pub inventory: Inventory,
    /// Leases.
    pub stores: Stores,
    /// Claims.
    pub claims: Claims,
    /// Imports and their parts.
    pub imports: Imports,
    /// Where parts of large files wait for workers.
    pub ranges: Queue,
    /// Where reports and intermediate files go.
    pub reports_bucket: String,
}

/// What came of working on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All that was asked for is done.
    Done,
    /// Not yet, and nothing is wrong: another import has one of the stores, or the invocation's time was up when part of
    /// the work was done. Come again after this.
    Later(Duration),
}

impl Importer {
    /// From the environment.
    pub fn from_env(env: &mut Env, aws: &Aws) -> Self {
        let client = almacen_dynamo::client(aws);
        let (inventory, stores, imports, outbox) = (
            env.required("INVENTORY_TABLE"),
            env.required("STORES_TABLE"),
            env.required("IMPORTS_TABLE"),
            env.required("OUTBOX_TABLE"),
        );
        Self {
            files: Files::new(aws),
            inventory: Inventory::new(client.clone(), inventory),
            stores: Stores::new(client.clone(), stores.clone()),
            claims: Claims::new(client.clone(), imports.clone()),
            imports: Imports::new(client, imports, outbox, stores),
            ranges: Queue::new(aws, env.required("RANGES_QUEUE_URL")),
            reports_bucket: env.required("REPORTS_BUCKET"),
        }
    }

    /// Takes or prolongs the leases on all stores of `job`, all or none. `None` when another import has one of the stores.
    ///
    /// # Errors
    /// [`ImportError`].
    pub(crate) async fn lease(
        &self,
        job: &Job,
        stores: &[String],
        turn: &Turn<'_>,
    ) -> Result<Option<Leases>, ImportError> {
        let until = turn.until();
        let mut leases = Leases::default();
        for (position, store) in stores.iter().enumerate() {
            match self.stores.acquire(store, &job.id, until, now_ms()).await? {
                Lease::Held { lines } => {
                    leases.lines.insert(store.clone(), lines);
                }
                Lease::Busy => {
                    // Leases are the import's: another of its parts may have taken the same ones since, and write under
                    // them. Only where there is a single part are they ours to give back; else they run out. Every
                    // import asks in the same order, so none waits for one that waits for it.
                    if job.plan.as_ref().is_some_and(|plan| plan.parts == 1) {
                        for taken in &stores[..position] {
                            self.stores.release(taken, &job.id).await?;
                        }
                    }
                    return Ok(None);
                }
            }
        }
        if job.mode == Mode::Set {
            leases.newer = self.newer(job, stores).await?;
        }
        Ok(Some(leases))
    }

    /// Where files that are newer than the one of `job` speak of its stores.
    async fn newer(&self, job: &Job, stores: &[String]) -> Result<Vec<StoreClaims>, ImportError> {
        let own = job.claim();
        let asked = stores.iter().map(|store| async {
            let claims = self.claims.newer(store, &own).await?;
            Ok::<_, ImportError>(StoreClaims { store: store.clone(), claims })
        });
        let found: Vec<StoreClaims> = stream::iter(asked).buffered(QUERIES_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().filter(|store| !store.claims.is_empty()).collect())
    }

    /// Leaves the claim of `job` on its stores. Before its parts begin: whoever holds a store then knows of it.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn claim(&self, job: &Job, stores: &[String]) -> Result<(), ImportError> {
        // An import that only adds says nothing about what the count is.
        if job.mode == Mode::Set && !job.dry_run {
            self.claims.leave(&job.claim(), stores, now_ms()).await?;
        }
        Ok(())
    }

    /// Works on one part unless it is done.
    ///
    /// # Errors
    /// [`ImportError`]; the part comes again then, and goes on where it was left.
    pub async fn work_on(&self, job: &Job, part: u32, turn: &Turn<'_>) -> Result<Progress, ImportError> {
        Box::pin(part::apply(self, job, part, turn)).await
    }
}

/// One invocation: who works, and until when at most.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The invocation's request id.
    pub worker: &'a str,
    /// When Lambda ends it.
    pub deadline: Deadline,
    /// How often its message has been tried, this time included; 1 where that is not known.
    pub tries: u32,
    /// When its message was sent to its queue; anew when it was put back from the dead letters
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>).
    pub sent: Option<Millis>,
}

impl<'a> Turn<'a> {
    /// Of the invocation with this context.
    #[must_use]
    pub fn of(context: &'a Context) -> Self {
        Self { worker: &context.request_id, deadline: Deadline::of(context), tries: 1, sent: None }
    }

    /// Will the message not come again?
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.tries >= TRIES_MAX
    }

    /// The part of it that is about this message.
    #[must_use]
    pub fn for_message(self, message: &SqsMessage) -> Self {
        let number = |name: &str| message.attributes.get(name).and_then(|number| number.parse::<i64>().ok());
        let tries = number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        Self { tries, sent: number("SentTimestamp"), ..self }
    }

    /// Until when leases are taken: nothing of this invocation can happen later.
    fn until(&self) -> i64 {
        self.deadline.wall_ms().saturating_add(i64::try_from(LEASE_GRACE.as_millis()).unwrap_or(i64::MAX))
    }
}

/// What the leases on an import's stores told.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    /// Where files that are newer than the import's speak of the same stores.
    pub(crate) newer: Vec<StoreClaims>,
    /// How many lines each store has, as far as counted.
    pub(crate) lines: HashMap<String, u64>,
}

/// The claims of newer files on a store.
#[derive(Debug, Clone)]
pub(crate) struct StoreClaims {
    pub(crate) store: String,
    pub(crate) claims: Vec<Claim>,
}

/// A busy store is looked at again after a moment, not by all that wait at the same time.
pub(crate) fn busy_delay() -> Duration {
    Duration::from_secs(BUSY_DELAY_SECONDS + random::number() % 3)
}
