//! Stock lines, as an import reads and writes them.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, PutRequest, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    WriteRequest,
};

use almacen_domain::Millis;
use almacen_domain::import::{Counters, Held, Wanted};
use almacen_domain::stock::{COUNT_MAX, Stamp};

use crate::attr::{Item, n, number, required_number, required_text, s, text};
use crate::imports::add_lines;
use crate::{TableError, keys};

/// Lines of one BatchWriteItem, DynamoDB's own limit.
pub const BATCH_WRITE_MAX: usize = 25;
/// Lines of one BatchGetItem, DynamoDB's own limit.
pub const BATCH_GET_MAX: usize = 100;
/// Lines adjusted in one transaction. With its mark, and a count for each store where a line is made, it stays under
/// DynamoDB's limit of 100, and small enough that a line somebody else is writing does not keep many others waiting.
pub const ADJUST_CHUNK: usize = 40;
/// Tries of a batch of which DynamoDB leaves a part unwritten, with a doubling pause from [`FIRST_PAUSE`]: 13 s in all.
const UNPROCESSED_TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Everything an import needs to know of a line.
const HELD: &str = "sku, on_hand, threshold, counted_at, #source, sequencer, created_by, changed_by";

/// A page of what a store holds, in order of sku.
#[derive(Debug, Default)]
pub struct HeldPage {
    /// The lines: sku and what it holds.
    pub lines: Vec<(String, Held)>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<String>,
}

/// Whose write it is.
#[derive(Debug, Clone)]
pub struct Author {
    /// The import's id.
    pub import: String,
    /// As of when its file was.
    pub stamp: Stamp,
    /// Now.
    pub now: Millis,
}

/// What became of a conditional change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Written.
    Yes,
    /// A newer count was there.
    Stale,
}

/// One line of an `adjust` import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Store.
    pub store: String,
    /// Item.
    pub sku: String,
    /// Units to add, or to take away.
    pub by: i64,
    /// A threshold of its own; `None` leaves the line's.
    pub threshold: Option<i64>,
    /// Did the line exist when the chunk was read?
    pub exists: bool,
}

/// What became of a chunk of adjustments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adjusted {
    /// Lines changed.
    pub changed: u64,
    /// Positions in the chunk of the lines made.
    pub created: Vec<usize>,
    /// Positions in the chunk whose result would have been below zero or over [`COUNT_MAX`].
    pub refused: Vec<usize>,
}

/// The Inventory table, for imports.
#[derive(Debug, Clone)]
pub struct Inventory {
    client: Client,
    table: String,
}

impl Inventory {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The lines of `store` from `first` to `last`, both included, one page at a time: as much as DynamoDB gives at once,
    /// 1 MB or about 4,000 lines, so that memory stays small and calls stay few. Strongly consistent: a row is
    /// left unwritten on the strength of this.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn page(
        &self,
        store: &str,
        first: &str,
        last: &str,
        after: Option<String>,
    ) -> Result<HeldPage, TableError> {
        let start = after.map(|sku| [(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(sku))].into());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#store = :store AND sku BETWEEN :first AND :last")
            .expression_attribute_names("#store", keys::STORE)
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":store", s(store))
            .expression_attribute_values(":first", s(first))
            .expression_attribute_values(":last", s(last))
            .projection_expression(HELD)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(TableError::from_sdk("query a store's lines"))?;
        let next = answer.last_evaluated_key().and_then(|key| text(key, keys::SKU));
        let lines = answer.items().iter().map(held).collect::<Result<_, _>>()?;
        Ok(HeldPage { lines, next })
    }

    /// What the store holds of `skus` (at most [`BATCH_GET_MAX`]), in no order. Strongly consistent.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn held(&self, store: &str, skus: &[&str]) -> Result<Vec<(String, Held)>, TableError> {
        let mut wanted: Vec<Item> = skus
            .iter()
            .map(|sku| [(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(*sku))].into())
            .collect();
        let mut lines = Vec::new();
        let mut pause = Pause::new();
        while !wanted.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .projection_expression(HELD)
                .expression_attribute_names("#source", "source")
                .consistent_read(true)
                .build()
                .map_err(build("build read of lines"))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(TableError::from_sdk("read lines"))?;
            for item in answer.responses().and_then(|tables| tables.get(&self.table)).into_iter().flatten() {
                lines.push(held(item)?);
            }
            wanted = answer
                .unprocessed_keys()
                .and_then(|tables| tables.get(&self.table))
                .map(|rest| rest.keys().to_vec())
                .unwrap_or_default();
            if !wanted.is_empty() {
                pause.wait("read lines").await?;
            }
        }
        Ok(lines)
    }

    /// Makes lines, at most [`BATCH_WRITE_MAX`]. Unconditional: see [`crate::stores`] for why that is safe, and never
    /// call it without holding the store's lease and having found the lines absent under it.
    ///
    /// # Errors
    /// [`TableError`]; some of the lines may be written then.
    pub async fn create(&self, author: &Author, lines: &[(&str, &str, Wanted)]) -> Result<(), TableError> {
        let mut requests = Vec::with_capacity(lines.len());
        for (store, sku, wanted) in lines {
            let put = PutRequest::builder()
                .set_item(Some(new_line(author, store, sku, *wanted)))
                .build()
                .map_err(build("build new line"))?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        let mut pause = Pause::new();
        while !requests.is_empty() {
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.table, requests)
                .send()
                .await
                .map_err(TableError::from_sdk("write new lines"))?;
            requests = answer.unprocessed_items.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
            if !requests.is_empty() {
                pause.wait("write new lines").await?;
            }
        }
        Ok(())
    }

    /// Sets what a line holds, on condition that it still exists and that its count is older than ours: the rule of
    /// [`Stamp::is_newer_than`], told to DynamoDB.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn change(&self, author: &Author, store: &str, sku: &str, wanted: Wanted) -> Result<Changed, TableError> {
        let set = "SET on_hand = :n, available = :n - reserved, counted_at = :at, #source = :source, \
                   sequencer = :sequencer, changed_by = :me, updated_at = :now, version = version + :one";
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .key(keys::SKU, s(sku))
            .condition_expression(
                "attribute_exists(sku) AND ((#source = :source AND sequencer < :sequencer) \
                 OR (#source <> :source AND counted_at < :at))",
            )
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":n", n(wanted.count))
            .expression_attribute_values(":at", n(author.stamp.at))
            .expression_attribute_values(":source", s(&author.stamp.source))
            .expression_attribute_values(":sequencer", s(&author.stamp.sequencer))
            .expression_attribute_values(":me", s(&author.import))
            .expression_attribute_values(":now", n(author.now))
            .expression_attribute_values(":one", n(1));
        update = match wanted.threshold {
            Some(threshold) => update
                .update_expression(format!("{set}, threshold = :threshold"))
                .expression_attribute_values(":threshold", n(threshold)),
            None => update.update_expression(set),
        };
        let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(Changed::Yes) };
        match error.as_service_error() {
            // Our own work, by another delivery of the same file or by a try whose answer was lost.
            Some(UpdateItemError::ConditionalCheckFailedException(refused))
                if refused.item().is_some_and(|line| text(line, "changed_by").as_deref() == Some(&author.import)) =>
            {
                Ok(Changed::Yes)
            }
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Changed::Stale),
            _ => Err(TableError::from_sdk("change a line")(error)),
        }
    }

    /// Adds to up to [`ADJUST_CHUNK`] lines, once, and counts the lines it makes in their stores: the transaction holds
    /// a mark in the Imports table under `mark`, and the mark remembers what became of the chunk, so that a repetition
    /// answers the same and adds nothing.
    ///
    /// # Errors
    /// [`TableError`]; nothing of the chunk is written then.
    pub async fn adjust(
        &self,
        author: &Author,
        (imports_table, stores_table): (&str, &str),
        mark: &str,
        chunk: &[Adjustment],
    ) -> Result<Adjusted, TableError> {
        if let Some(done) = self.marked(author, imports_table, mark).await? {
            return Ok(done);
        }
        let mut refused: Vec<usize> = (0..chunk.len()).filter(|i| !chunk[*i].exists && chunk[*i].by < 0).collect();
        let mut pause = Pause::new();
        loop {
            let taken: Vec<usize> = (0..chunk.len()).filter(|i| !refused.contains(i)).collect();
            let created: Vec<usize> = taken.iter().copied().filter(|i| !chunk[*i].exists).collect();
            let changed = (taken.len() - created.len()) as u64;
            let outcome = Adjusted { changed, created, refused: refused.clone() };
            let mut writes = vec![mark_put(author, imports_table, mark, &outcome)?];
            for i in &taken {
                writes.push(TransactWriteItem::builder().update(self.adjustment(author, &chunk[*i])?).build());
            }
            for (store, lines) in made(chunk, &outcome.created) {
                writes.push(add_lines(stores_table, store, lines)?);
            }
            let error = match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
                Ok(_) => return Ok(outcome),
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
            else {
                return Err(TableError::from_sdk("adjust lines")(error));
            };
            let codes: Vec<&str> =
                cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect();
            if codes.first() == Some(&"ConditionalCheckFailed") {
                // Somebody, an earlier try of ours included, has done this chunk.
                return self
                    .marked(author, imports_table, mark)
                    .await?
                    .ok_or(TableError::Corrupt { attribute: "mark" });
            }
            let failed: Vec<usize> = taken
                .iter()
                .zip(codes.iter().skip(1))
                .filter(|(_, code)| **code == "ConditionalCheckFailed")
                .map(|(i, _)| *i)
                .collect();
            if failed.is_empty() {
                // Somebody else writes to one of the lines at this moment.
                pause.wait("adjust lines").await?;
            } else {
                refused.extend(failed);
                refused.sort_unstable();
            }
        }
    }

    async fn marked(&self, author: &Author, imports_table: &str, mark: &str) -> Result<Option<Adjusted>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(imports_table)
            .key(keys::ID, s(&author.import))
            .key(keys::PART, s(mark))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::from_sdk("read mark"))?;
        let Some(item) = answer.item else { return Ok(None) };
        Ok(Some(Adjusted {
            changed: crate::attr::required_count(&item, "changed")?,
            created: positions(&item, "created"),
            refused: positions(&item, "refused"),
        }))
    }

    fn adjustment(&self, author: &Author, line: &Adjustment) -> Result<Update, TableError> {
        let mut set =
            "SET on_hand = if_not_exists(on_hand, :zero) + :by, available = if_not_exists(available, :zero) + :by, \
                       reserved = if_not_exists(reserved, :zero), version = if_not_exists(version, :zero) + :one, \
                       created_by = if_not_exists(created_by, :me), changed_by = :me, updated_at = :now, \
                       counted_at = if_not_exists(counted_at, :at), #source = if_not_exists(#source, :source), \
                       sequencer = if_not_exists(sequencer, :sequencer)"
                .to_owned();
        // Both bounds at once: the result must stay within 0..=COUNT_MAX.
        let bounds = "on_hand BETWEEN :low AND :high";
        let condition =
            if line.exists { bounds.to_owned() } else { format!("attribute_not_exists(on_hand) OR {bounds}") };
        let mut update = Update::builder()
            .table_name(&self.table)
            .key(keys::STORE, s(&line.store))
            .key(keys::SKU, s(&line.sku))
            .condition_expression(condition)
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":by", n(line.by))
            .expression_attribute_values(":low", n((-line.by).max(0)))
            .expression_attribute_values(":high", n(COUNT_MAX - line.by.max(0)))
            .expression_attribute_values(":me", s(&author.import))
            .expression_attribute_values(":now", n(author.now))
            .expression_attribute_values(":at", n(author.stamp.at))
            .expression_attribute_values(":source", s(&author.stamp.source))
            .expression_attribute_values(":sequencer", s(&author.stamp.sequencer));
        if let Some(threshold) = line.threshold {
            set.push_str(", threshold = :threshold");
            update = update.expression_attribute_values(":threshold", n(threshold));
        }
        update.update_expression(set).build().map_err(build("build adjustment"))
    }
}

fn new_line(author: &Author, store: &str, sku: &str, wanted: Wanted) -> Item {
    let mut item: Item = Item::with_capacity(14);
    item.insert(keys::STORE.to_owned(), s(store));
    item.insert(keys::SKU.to_owned(), s(sku));
    item.insert("on_hand".to_owned(), n(wanted.count));
    item.insert("reserved".to_owned(), n(0));
    item.insert("available".to_owned(), n(wanted.count));
    if let Some(threshold) = wanted.threshold {
        item.insert("threshold".to_owned(), n(threshold));
    }
    item.insert("version".to_owned(), n(1));
    item.insert("counted_at".to_owned(), n(author.stamp.at));
    item.insert("source".to_owned(), s(&author.stamp.source));
    item.insert("sequencer".to_owned(), s(&author.stamp.sequencer));
    item.insert("created_by".to_owned(), s(&author.import));
    item.insert("changed_by".to_owned(), s(&author.import));
    item.insert("updated_at".to_owned(), n(author.now));
    item
}

fn held(item: &Item) -> Result<(String, Held), TableError> {
    Ok((
        required_text(item, keys::SKU)?,
        Held {
            on_hand: required_number(item, "on_hand")?,
            threshold: number(item, "threshold"),
            stamp: Stamp {
                at: required_number(item, "counted_at")?,
                source: required_text(item, "source")?,
                sequencer: required_text(item, "sequencer")?,
            },
            created_by: required_text(item, "created_by")?,
            changed_by: required_text(item, "changed_by")?,
        },
    ))
}

fn mark_put(author: &Author, table: &str, mark: &str, outcome: &Adjusted) -> Result<TransactWriteItem, TableError> {
    let put = Put::builder()
        .table_name(table)
        .item(keys::ID, s(&author.import))
        .item(keys::PART, s(mark))
        .item("changed", n(outcome.changed))
        .item("created", AttributeValue::L(outcome.created.iter().map(n).collect()))
        .item("refused", AttributeValue::L(outcome.refused.iter().map(n).collect()))
        .item("expires_at", n(author.now / 1000 + keys::MARKS_KEPT_SECONDS))
        .condition_expression("attribute_not_exists(id)")
        .build()
        .map_err(build("build mark"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// How many lines a chunk makes in each store.
fn made<'a>(chunk: &'a [Adjustment], created: &[usize]) -> BTreeMap<&'a str, u64> {
    let mut stores = BTreeMap::new();
    for line in created.iter().filter_map(|position| chunk.get(*position)) {
        *stores.entry(line.store.as_str()).or_default() += 1;
    }
    stores
}

fn positions(item: &Item, name: &str) -> Vec<usize> {
    match item.get(name) {
        Some(AttributeValue::L(list)) => {
            list.iter().filter_map(|value| value.as_n().ok().and_then(|digits| digits.parse().ok())).collect()
        }
        _ => Vec::new(),
    }
}

impl Adjusted {
    /// As the rows of a report are counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let (created, rejected) = (self.created.len() as u64, self.refused.len() as u64);
        Counters {
            rows: self.changed + created + rejected,
            changed: self.changed,
            created,
            rejected,
            ..Counters::default()
        }
    }
}

pub(crate) fn build(doing: &'static str) -> impl FnOnce(BuildError) -> TableError {
    move |source| TableError::Refused { doing, source: Box::new(source) }
}

/// A doubling pause with jitter between tries, and an end to it.
pub(crate) struct Pause {
    tries: u32,
}

impl Pause {
    pub(crate) fn new() -> Self {
        Self { tries: 0 }
    }

    pub(crate) async fn wait(&mut self, doing: &'static str) -> Result<(), TableError> {
        self.tries += 1;
        if self.tries >= UNPROCESSED_TRIES {
            return Err(TableError::Unavailable { doing, source: "throttled too often".into() });
        }
        let full = FIRST_PAUSE * 2u32.pow(self.tries - 1);
        tokio::time::sleep(full.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }
}
