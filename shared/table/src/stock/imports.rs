//! Imports as the functions that work on them see them. How operators see them is in [`super::imports_view`].

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, Update};

use almacen_domain::Millis;
use almacen_domain::stock::Stamp;
use almacen_domain::stock::import::{Counters, Mode, State};

use crate::keys;
use crate::outbox;
use crate::stock::claims::Claim;
use crate::stock::stamps;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{
    Item, b, count, is_text, item, n, number, required_count, required_number, required_text, s, text, truth,
};
use almacen_dynamo::calls::condition_held;
use almacen_dynamo::transaction::{Commit, TRANSACTION_MAX, Transaction};

/// Stores whose line counts are raised in one checkpoint: with the part and the import, within DynamoDB's 100.
pub const STORES_PER_CHECKPOINT: usize = 90;

/// A version of an object that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Version; `None` where the bucket keeps none.
    pub version: Option<String>,
    /// Bytes.
    pub size: u64,
}

/// An object that asks to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The object.
    pub object: Object,
    /// How old its counts are.
    pub stamp: Stamp,
    /// What to do with a direct upload; an announced import's own record decides for it.
    pub mode: Mode,
    /// The same for a dry run.
    pub dry_run: bool,
    /// The import's id where nobody announced it: it follows from the object's version.
    pub derived_id: String,
    /// Now.
    pub now: Millis,
}

/// What came of tying an object to the import that its key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It is that import's file, now or since an earlier delivery.
    Yes(Box<Job>),
    /// There is no such import: nobody announced the file.
    NotAnnounced,
    /// The import has another version as its file already.
    HasAnother,
}

/// How the work was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The layout, encoded.
    pub layout: String,
    /// The encoding's name.
    pub encoding: String,
    /// The object the parts are ranges of: the uploaded one, or its inflated copy.
    pub source: Object,
    /// Is `source` gzip, to be inflated while it is read?
    pub gzip: bool,
    /// Rows in all.
    pub rows_total: u64,
    /// How many parts.
    pub parts: u32,
    /// How many of them are worked on at once, where that is left to many invocations.
    pub workers: u32,
    /// The stores that the file names.
    pub stores: Vec<String>,
    /// Key of the duplicated rows' verdicts in the reports bucket, where there are any.
    pub duplicates_key: Option<String>,
}

/// An import to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `imp_…`.
    pub id: String,
    /// Set or adjust.
    pub mode: Mode,
    /// Only say what would change.
    pub dry_run: bool,
    /// Where it stands.
    pub state: State,
    /// The uploaded object.
    pub object: Object,
    /// How old its counts are.
    pub stamp: Stamp,
    /// The name it was uploaded under.
    pub file_name: String,
    /// When it began.
    pub created_at: Millis,
    /// How the work was cut, once it was.
    pub plan: Option<Plan>,
    /// What became of the rows of the finished parts.
    pub counters: Counters,
    /// When it ended, where it has.
    pub finished_at: Option<Millis>,
    /// Did it fail because its work was broken off, and not for its content? Then it may be taken up again.
    pub broken_off: bool,
    /// How often it was taken up again.
    pub reopened: u32,
    /// It was taken up again, and its parts are being handed over until then; in the past: they may not have been.
    pub handing_until: Option<Millis>,
}

impl Job {
    /// What the import's file claims: to speak of its stores as of its stamp.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim { import: self.id.clone(), stamp: self.stamp.clone() }
    }
}

/// A stretch of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// Offset of its first byte.
    pub start: u64,
    /// Offset after its last.
    pub end: u64,
    /// Line number of its first row.
    pub line: u64,
    /// Is it finished?
    pub done: bool,
    /// What of it is already counted in the import.
    counted: Counters,
    /// How many of its rows, in order of store and sku, are settled for good.
    position: u64,
    revision: i64,
    /// Until when a worker has it.
    taken_until: Millis,
}

/// How far the work on a part has come.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint<'a> {
    /// What became of the rows so far, those of earlier tries included.
    pub counters: Counters,
    /// How many rows, in order of store and sku, are settled for good: the next try begins after them.
    pub position: u64,
    /// Is the part finished?
    pub done: bool,
    /// Lines made since the last checkpoint, for each of at most [`STORES_PER_CHECKPOINT`] stores.
    pub created: &'a [(String, u64)],
}

/// What came of asking for a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is ours, as it stands now.
    Yes(Part),
    /// It is finished.
    Done,
    /// Another worker has it.
    Busy,
    /// There is no such part.
    Missing,
}

/// What came of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    Yes,
    /// Somebody else has kept one since this part was read: another delivery of it is being worked on.
    Overtaken,
}

impl Part {
    /// A part that nobody has begun.
    #[must_use]
    pub fn new(number: u32, start: u64, end: u64, line: u64) -> Self {
        Self {
            number,
            start,
            end,
            line,
            done: false,
            counted: Counters::default(),
            position: 0,
            revision: 0,
            taken_until: 0,
        }
    }

    /// What of it is already counted in the import, by this try or an earlier one.
    #[must_use]
    pub fn counted(&self) -> Counters {
        self.counted
    }

    /// How many of its rows, in order of store and sku, an earlier try has settled for good.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Has a worker it now? Then the worker's message is there too, and comes again if the worker does not finish.
    #[must_use]
    pub fn is_taken(&self, now: Millis) -> bool {
        self.taken_until >= now
    }
}

/// How an import ended.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Key of the report.
    pub report_key: Option<String>,
    /// Key of the rejected rows.
    pub rejected_key: Option<String>,
    /// Why it was refused: Spanish and English.
    pub failure: Option<(String, String)>,
    /// Its work was broken off; nothing is wrong with its content.
    pub broken_off: bool,
    /// The message that says so was sent then: it says nothing of an import that was taken up again by a later one.
    pub said_by: Option<Millis>,
}

/// Messages that are put back together are sent within this of each other.
const PUT_BACK_TOGETHER_MS: Millis = 60_000;

/// The Imports table, for the functions that work on imports.
#[derive(Debug, Clone)]
pub struct Imports {
    client: Client,
    table: String,
    outbox: String,
    stores: String,
}

impl Imports {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, table: String, outbox: String, stores: String) -> Self {
        Self { client, table, outbox, stores }
    }

    /// The table's name, for transactions that span tables.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The one import of this object version that nobody announced, made now or found: its id follows from the version.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn open(&self, arrival: &Arrival) -> Result<Job, DynamoError> {
        let new = new_import(arrival);
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(new.clone()))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(_) => decode_job(&new),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(found)) => match found.item() {
                    Some(item) => decode_job(item),
                    None => self.job(&arrival.derived_id).await?.ok_or(DynamoError::Malformed { attribute: "id" }),
                },
                _ => Err(DynamoError::from_sdk("begin import")(error)),
            },
        }
    }

    /// Ties the announced import `id` to the object that arrived for it. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn bind(&self, object: &Object, stamp: &Stamp, id: &str) -> Result<Bound, DynamoError> {
        let version = object.version.clone().unwrap_or_default();
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .update_expression(
                "SET #state = :running, #bucket = :bucket, #key = :key, version_id = :version, #size = :size, \
                 counted_at = :at, #source = :source, s3_order = :s3_order REMOVE expires_at",
            )
            .condition_expression("#state = :pending")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#bucket", "bucket")
            .expression_attribute_names("#key", "key")
            .expression_attribute_names("#size", "size")
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":running", s(State::Running.as_str()))
            .expression_attribute_values(":pending", s(State::Pending.as_str()))
            .expression_attribute_values(":bucket", s(&object.bucket))
            .expression_attribute_values(":key", s(&object.key))
            .expression_attribute_values(":version", s(&version))
            .expression_attribute_values(":size", n(object.size))
            .expression_attribute_values(":at", n(stamp.at))
            .expression_attribute_values(":source", s(&stamp.source))
            .expression_attribute_values(":s3_order", s(&stamp.sequencer))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(answer) => decode_job(answer.attributes().ok_or(DynamoError::Malformed { attribute: "id" })?)
                .map(|job| Bound::Yes(Box::new(job))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                    Some(item) if is_text(item, "version_id", &version) => {
                        decode_job(item).map(|job| Bound::Yes(Box::new(job)))
                    }
                    Some(_) => Ok(Bound::HasAnother),
                    None => Ok(Bound::NotAnnounced),
                },
                _ => Err(DynamoError::from_sdk("bind import to its file")(error)),
            },
        }
    }

    /// An import that has its file; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn job(&self, id: &str) -> Result<Option<Job>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read import"))?;
        answer.item().map(decode_job).transpose()
    }

    /// Keeps how the work was cut: parts and plan in one transaction, or in a few where there are many parts, the plan
    /// with the last. The same file is always cut the same way; so where another delivery of it was quicker, its
    /// parts, and what is done of them, stay as they are.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn keep_plan(&self, id: &str, plan: &Plan, parts: &[Part], now: Millis) -> Result<(), DynamoError> {
        let mut left = parts;
        loop {
            let (chunk, rest) = left.split_at(left.len().min(TRANSACTION_MAX - 1));
            let mut transaction = Transaction::new("keep plan");
            for part in chunk {
                transaction.add((), self.part_put(id, part, now))?;
            }
            if rest.is_empty() {
                transaction.add((), self.plan_update(id, plan))?;
            }
            match transaction.commit(&self.client).await? {
                // Refused: another delivery has kept them, the same.
                Commit::Written | Commit::Refused(_) => {}
            }
            if rest.is_empty() {
                return Ok(());
            }
            left = rest;
        }
    }

    fn part_put(&self, id: &str, part: &Part, now: Millis) -> PutBuilder {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(new_part(id, part, now)))
            .condition_expression("attribute_not_exists(id)")
    }

    fn plan_update(&self, id: &str, plan: &Plan) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .update_expression("SET #plan = :plan, rows_total = :rows")
            .condition_expression("attribute_exists(id) AND attribute_not_exists(#plan)")
            .expression_attribute_names("#plan", "plan")
            .expression_attribute_values(":plan", encode_plan(plan))
            .expression_attribute_values(":rows", n(plan.rows_total))
    }

    /// All parts of an import, in order.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn parts(&self, id: &str) -> Result<Vec<Part>, DynamoError> {
        let mut parts = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("id = :id AND begins_with(#part, :prefix)")
                .expression_attribute_names("#part", keys::PART)
                .expression_attribute_values(":id", s(id))
                .expression_attribute_values(":prefix", s("part#"))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(DynamoError::from_sdk("query parts"))?;
            for item in page.items() {
                parts.push(decode_part(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(parts);
            }
        }
    }

    /// Gives a part to `worker` until `until`, unless it is done or another worker has it.
    ///
    /// The import's lease on its stores keeps other imports away; this keeps away a second delivery of the same part, so that it
    /// does not repeat the work of the first.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn take_part(
        &self,
        id: &str,
        number: u32,
        worker: &str,
        until: Millis,
        now: Millis,
    ) -> Result<Taken, DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::part(number)))
            .update_expression("SET worker = :me, worker_until = :until")
            .condition_expression(
                "attribute_exists(id) AND done = :not_done \
                 AND (attribute_not_exists(worker) OR worker = :me OR worker_until < :now)",
            )
            .expression_attribute_values(":me", s(worker))
            .expression_attribute_values(":until", n(until))
            .expression_attribute_values(":now", n(now))
            .expression_attribute_values(":not_done", b(false))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(answer) => {
                let item = answer.attributes().ok_or(DynamoError::Malformed { attribute: keys::PART })?;
                decode_part(item).map(Taken::Yes)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                    Some(item) => Ok(if truth(item, "done")? { Taken::Done } else { Taken::Busy }),
                    None => Ok(Taken::Missing),
                },
                _ => Err(DynamoError::from_sdk("take part")(error)),
            },
        }
    }

    /// Gives a part back before the time. Only when no write of it is under way.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn give_back_part(&self, id: &str, number: u32, worker: &str) -> Result<(), DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::part(number)))
            .update_expression("REMOVE worker, worker_until")
            .condition_expression("worker = :me")
            .expression_attribute_values(":me", s(worker))
            .send()
            .await;
        condition_held(result, "give part back").map(drop)
    }

    /// Keeps how far the work on a part has come: part, import and the stores' line counts move in one transaction, by
    /// the difference to what this part has already counted. So each row is counted once, however often it is worked on.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn checkpoint(&self, id: &str, part: &mut Part, at: Checkpoint<'_>) -> Result<Kept, DynamoError> {
        if part.done {
            return Ok(Kept::Overtaken);
        }
        let mut transaction = Transaction::new("keep checkpoint");
        transaction.add((), self.count_in_part(id, part, &at))?;
        transaction.add((), self.count_in_import(id, part.counted, at.counters))?;
        for (store, lines) in at.created {
            transaction.add((), add_lines(&self.stores, store, *lines))?;
        }
        if !transaction.commit(&self.client).await?.is_written() {
            return Ok(Kept::Overtaken);
        }
        (part.counted, part.position, part.done) = (at.counters, at.position, at.done);
        part.revision += 1;
        Ok(Kept::Yes)
    }

    fn count_in_part(&self, id: &str, part: &Part, at: &Checkpoint<'_>) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::part(part.number)))
            .update_expression(
                "SET #rows = :rows, changed = :changed, unchanged = :unchanged, created = :created, \
                 rejected = :rejected, stale = :stale, done = :done, #position = :position, revision = :next",
            )
            .condition_expression("revision = :revision AND done = :not_done")
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_names("#position", "position")
            .set_expression_attribute_values(Some(counter_values(&to_signed(at.counters))))
            .expression_attribute_values(":done", b(at.done))
            .expression_attribute_values(":not_done", b(false))
            .expression_attribute_values(":position", n(at.position))
            .expression_attribute_values(":revision", n(part.revision))
            .expression_attribute_values(":next", n(part.revision + 1))
    }

    fn count_in_import(&self, id: &str, before: Counters, now: Counters) -> UpdateBuilder {
        let (before, now) = (to_signed(before), to_signed(now));
        let difference: [i64; 6] = std::array::from_fn(|i| now[i] - before[i]);
        Update::builder()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .update_expression(
                "ADD #rows :rows, changed :changed, unchanged :unchanged, created :created, rejected :rejected, stale :stale",
            )
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#rows", "rows")
            .set_expression_attribute_values(Some(counter_values(&difference)))
    }

    /// Where an import stands; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn state(&self, id: &str) -> Result<Option<State>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .projection_expression("#state")
            .expression_attribute_names("#state", "state")
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read state of import"))?;
        let Some(item) = answer.item() else { return Ok(None) };
        State::parse(&required_text(item, "state")?).map(Some).ok_or(DynamoError::Malformed { attribute: "state" })
    }

    /// Takes up again an import that was broken off before a message of it was `sent`, and notes that its parts are being
    /// handed over until `until`. `None` where it is no such import, or no more.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn reopen(&self, id: &str, sent: Millis, until: Millis) -> Result<Option<Job>, DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .update_expression(
                "SET #state = :running, reopened = if_not_exists(reopened, :zero) + :one, reopened_by = :sent, \
                 handing_until = :until \
                 REMOVE finished_at, failure, failure_en, report_key, rejected_key, broken_off",
            )
            .condition_expression("#state = :failed AND broken_off = :yes AND finished_at < :sent")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":running", s(State::Running.as_str()))
            .expression_attribute_values(":failed", s(State::Failed.as_str()))
            .expression_attribute_values(":yes", b(true))
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":sent", n(sent))
            .expression_attribute_values(":until", n(until))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match result {
            Ok(answer) => answer.attributes().map(decode_job).transpose(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(DynamoError::from_sdk("reopen import")(error)),
            },
        }
    }

    /// Notes that the parts of an import that was taken up again are handed over.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn handed_over(&self, id: &str) -> Result<(), DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .update_expression("REMOVE handing_until")
            .condition_expression("attribute_exists(handing_until)")
            .send()
            .await;
        condition_held(result, "note that parts are handed over").map(drop)
    }

    /// Ends an import and says so, once. `event` is `None` for a dry run: nothing has happened.
    ///
    /// An import that was broken off is ended once more where all its parts turn out to be done: a worker was at it, or had
    /// been, and nobody knew. `false`: it had ended before, or was taken up again.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn finish(
        &self,
        id: &str,
        state: State,
        ending: &Ending,
        event: Option<&OutboxEvent>,
        now: Millis,
    ) -> Result<bool, DynamoError> {
        let mut set = "SET #state = :state, finished_at = :now".to_owned();
        let mut condition = "#state = :running".to_owned();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", s(state.as_str()))
            .expression_attribute_values(":running", s(State::Running.as_str()))
            .expression_attribute_values(":now", n(now));
        let (es, en) = ending.failure.clone().unzip();
        for (name, value) in [
            ("report_key", &ending.report_key),
            ("rejected_key", &ending.rejected_key),
            ("failure", &es),
            ("failure_en", &en),
        ] {
            if let Some(value) = value {
                set.push_str(&format!(", {name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), s(value));
            }
        }
        if state != State::Failed {
            condition.push_str(" OR (#state = :failed AND broken_off = :yes)");
            update = update
                .expression_attribute_values(":failed", s(State::Failed.as_str()))
                .expression_attribute_values(":yes", b(true));
        } else if ending.broken_off {
            set.push_str(", broken_off = :yes");
            update = update.expression_attribute_values(":yes", b(true));
        }
        if let Some(sent) = ending.said_by {
            condition.push_str(" AND (attribute_not_exists(reopened_by) OR reopened_by <= :sent)");
            update = update.expression_attribute_values(":sent", n(sent.saturating_add(PUT_BACK_TOGETHER_MS)));
        }
        set.push_str(" REMOVE handing_until");
        if state != State::Failed {
            set.push_str(", failure, failure_en, broken_off");
        }
        let mut transaction = Transaction::new("finish import");
        transaction.add((), update.update_expression(set).condition_expression(condition))?;
        if let Some(event) = event {
            transaction.add((), outbox::put(&self.outbox, event, now))?;
        }
        Ok(transaction.commit(&self.client).await?.is_written())
    }
}

/// Raises a store's line count.
pub(crate) fn add_lines(stores: &str, store: &str, lines: u64) -> UpdateBuilder {
    Update::builder()
        .table_name(stores)
        .key(keys::STORE, s(store))
        .update_expression("ADD #lines :lines")
        .expression_attribute_names("#lines", "lines")
        .expression_attribute_values(":lines", n(lines))
}

const COUNTERS: [&str; 6] = ["rows", "changed", "unchanged", "created", "rejected", "stale"];

fn to_signed(counters: Counters) -> [i64; 6] {
    [counters.rows, counters.changed, counters.unchanged, counters.created, counters.rejected, counters.stale]
        .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

fn counter_values(values: &[i64; 6]) -> std::collections::HashMap<String, AttributeValue> {
    COUNTERS.iter().zip(values).map(|(name, value)| (format!(":{name}"), n(value))).collect()
}

pub(crate) fn counters(item: &Item) -> Result<Counters, DynamoError> {
    let of = |name| Ok::<u64, DynamoError>(count(item, name)?.unwrap_or(0));
    let [rows, changed, unchanged, created, rejected, stale] = COUNTERS;
    Ok(Counters {
        rows: of(rows)?,
        changed: of(changed)?,
        unchanged: of(unchanged)?,
        created: of(created)?,
        rejected: of(rejected)?,
        stale: of(stale)?,
    })
}

/// A version of an object; stored as an empty string where the bucket keeps none.
fn version_of(item: &Item) -> Result<Option<String>, DynamoError> {
    Ok(text(item, "version_id")?.filter(|version| !version.is_empty()))
}

fn new_import(arrival: &Arrival) -> Item {
    let object = &arrival.object;
    let file_name = object.key.rsplit('/').next().unwrap_or(&object.key);
    item([
        (keys::ID, s(&arrival.derived_id)),
        (keys::PART, s(keys::IMPORT)),
        ("kind", s("import")),
        ("created_at", n(arrival.now)),
        ("state", s(State::Running.as_str())),
        ("mode", s(arrival.mode.as_str())),
        ("dry_run", b(arrival.dry_run)),
        ("file_name", s(file_name)),
        ("bucket", s(&object.bucket)),
        ("key", s(&object.key)),
        ("version_id", s(object.version.clone().unwrap_or_default())),
        ("size", n(object.size)),
        ("counted_at", n(arrival.stamp.at)),
        ("source", s(&arrival.stamp.source)),
        (stamps::ORDER, s(&arrival.stamp.sequencer)),
    ])
}

fn decode_job(item: &Item) -> Result<Job, DynamoError> {
    let mode = required_text(item, "mode")?;
    let state = required_text(item, "state")?;
    let plan = match item.get("plan") {
        None => None,
        Some(AttributeValue::M(plan)) => Some(decode_plan(plan)?),
        Some(_) => return Err(DynamoError::Malformed { attribute: "plan" }),
    };
    Ok(Job {
        id: required_text(item, keys::ID)?,
        mode: Mode::parse(&mode).ok_or(DynamoError::Malformed { attribute: "mode" })?,
        dry_run: truth(item, "dry_run")?,
        state: State::parse(&state).ok_or(DynamoError::Malformed { attribute: "state" })?,
        object: Object {
            bucket: text(item, "bucket")?.unwrap_or_default(),
            key: text(item, "key")?.unwrap_or_default(),
            version: version_of(item)?,
            size: count(item, "size")?.unwrap_or(0),
        },
        stamp: Stamp {
            at: number(item, "counted_at")?.unwrap_or(0),
            source: text(item, "source")?.unwrap_or_default(),
            sequencer: stamps::order(item)?,
        },
        file_name: required_text(item, "file_name")?,
        created_at: required_number(item, "created_at")?,
        plan,
        counters: counters(item)?,
        finished_at: number(item, "finished_at")?,
        broken_off: truth(item, "broken_off")?,
        reopened: count(item, "reopened")?.unwrap_or(0),
        handing_until: number(item, "handing_until")?,
    })
}

fn encode_plan(plan: &Plan) -> AttributeValue {
    let mut map: Item = item([
        ("layout", s(&plan.layout)),
        ("encoding", s(&plan.encoding)),
        ("bucket", s(&plan.source.bucket)),
        ("key", s(&plan.source.key)),
        ("version_id", s(plan.source.version.clone().unwrap_or_default())),
        ("size", n(plan.source.size)),
        ("gzip", b(plan.gzip)),
        ("rows_total", n(plan.rows_total)),
        ("parts", n(plan.parts)),
        ("workers", n(plan.workers)),
        ("stores", AttributeValue::L(plan.stores.iter().map(s).collect())),
    ]);
    if let Some(key) = &plan.duplicates_key {
        map.insert("duplicates_key".to_owned(), s(key));
    }
    AttributeValue::M(map)
}

fn decode_plan(map: &Item) -> Result<Plan, DynamoError> {
    let stores = match map.get("stores") {
        Some(AttributeValue::L(list)) => list.iter().map(|value| value.as_s().ok().cloned()).collect::<Option<_>>(),
        _ => None,
    };
    let stores = stores.ok_or(DynamoError::Malformed { attribute: "stores" })?;
    let parts = required_count(map, "parts")?;
    Ok(Plan {
        layout: required_text(map, "layout")?,
        encoding: required_text(map, "encoding")?,
        source: Object {
            bucket: required_text(map, "bucket")?,
            key: required_text(map, "key")?,
            version: version_of(map)?,
            size: required_count(map, "size")?,
        },
        gzip: truth(map, "gzip")?,
        rows_total: required_count(map, "rows_total")?,
        parts,
        // Plans of before handed over all parts at once.
        workers: count(map, "workers")?.unwrap_or(parts),
        stores,
        duplicates_key: text(map, "duplicates_key")?,
    })
}

fn new_part(id: &str, part: &Part, now: Millis) -> Item {
    item([
        (keys::ID, s(id)),
        (keys::PART, s(keys::part(part.number))),
        ("number", n(part.number)),
        ("start", n(part.start)),
        ("end", n(part.end)),
        ("line", n(part.line)),
        ("done", b(false)),
        ("revision", n(0)),
        ("expires_at", n(now / 1000 + keys::MARKS_KEPT_SECONDS)),
    ])
}

fn decode_part(item: &Item) -> Result<Part, DynamoError> {
    Ok(Part {
        number: required_count(item, "number")?,
        start: required_count(item, "start")?,
        end: required_count(item, "end")?,
        line: required_count(item, "line")?,
        done: truth(item, "done")?,
        counted: counters(item)?,
        position: count(item, "position")?.unwrap_or(0),
        revision: required_number(item, "revision")?,
        taken_until: number(item, "worker_until")?.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_the_table() {
        let plan = Plan {
            layout: "…".to_owned(),
            encoding: "utf-8".to_owned(),
            source: Object { bucket: "b".to_owned(), key: "k".to_owned(), version: None, size: 7 },
            gzip: true,
            rows_total: 3,
            parts: 9,
            workers: 4,
            stores: vec!["Berlin".to_owned()],
            duplicates_key: Some("work/x".to_owned()),
        };
        let AttributeValue::M(map) = encode_plan(&plan) else { panic!("no map") };
        assert_eq!(decode_plan(&map).unwrap(), plan);
        let mut before = map;
        before.remove("workers");
        assert_eq!(decode_plan(&before).unwrap().workers, 9);
    }
}
