//! Stock lines, as an import reads and writes them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, Update};

use almacen_domain::Millis;
use almacen_domain::stock::import::{Counters, Held, Wanted};
use almacen_domain::stock::{COUNT_MAX, Stamp};

use super::record::{MOVED_BY, new_line};
use crate::keys;
use crate::stock::imports::add_lines;
use crate::stock::stamps;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, is_text, n, number, required_count, required_number, required_text, s};
use almacen_dynamo::calls::{Attempts, consistent, get_many, insert_many, one_attempt, persist};
use almacen_dynamo::transaction::{Commit, Transaction};

/// Lines adjusted in one transaction. With its mark, and a count for each store where a line is made, it stays under
/// DynamoDB's limit of 100, and small enough that a line somebody else is writing does not keep many others waiting.
pub const ADJUST_CHUNK: usize = 40;

/// Everything an import needs to know of a line.
const HELD: &str = "sku, on_hand, threshold, counted_at, #source, s3_order, sequencer, created_by, changed_by";

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

/// The writes of a chunk of adjustments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// The mark that the chunk is done.
    Mark,
    /// A line, by its position in the chunk.
    Line(usize),
    /// Counts of stores' lines, which have no condition.
    Stores,
}

impl Named {
    fn line(self) -> Option<usize> {
        match self {
            Self::Line(position) => Some(position),
            Self::Mark | Self::Stores => None,
        }
    }
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
    /// [`DynamoError`].
    pub async fn page(
        &self,
        store: &str,
        first: &str,
        last: &str,
        after: Option<String>,
    ) -> Result<HeldPage, DynamoError> {
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
            .map_err(DynamoError::from_sdk("query a store's lines"))?;
        let next = answer.last_evaluated_key().map(|key| required_text(key, keys::SKU)).transpose()?;
        let lines = answer.items().iter().map(held).collect::<Result<_, _>>()?;
        Ok(HeldPage { lines, next })
    }

    /// What the store holds of `skus` (at most [`almacen_dynamo::calls::BATCH_GET_MAX`]), in no order. Strongly consistent.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn held(&self, store: &str, skus: &[&str]) -> Result<Vec<(String, Held)>, DynamoError> {
        let wanted = skus
            .iter()
            .map(|sku| [(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(*sku))].into())
            .collect();
        let how = consistent().projection_expression(HELD).expression_attribute_names("#source", "source");
        let lines = get_many(&self.client, &self.table, "read lines", wanted, how).await?;
        lines.iter().map(held).collect()
    }

    /// Makes lines, at most [`almacen_dynamo::calls::BATCH_WRITE_MAX`], on condition that they are not there. The positions of
    /// those that are: another try of this import has made them, or somebody else.
    ///
    /// # Errors
    /// [`DynamoError`]; some of the lines may be written then.
    pub async fn create(
        &self,
        author: &Author,
        lines: &[(&str, &str, Wanted)],
        attempts: &dyn Attempts,
    ) -> Result<Vec<usize>, DynamoError> {
        let line = |position: usize| {
            let (store, sku, wanted) = lines[position];
            new_line(author, store, sku, wanted)
        };
        insert_many(&self.client, &self.table, "insert new lines", attempts, lines.len(), line).await
    }

    /// Sets what a line holds, on condition that it still exists and that its count is older than ours
    /// ([`stamps::is_older_than`]).
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn change(
        &self,
        author: &Author,
        (store, sku): (&str, &str),
        wanted: Wanted,
        attempts: &dyn Attempts,
    ) -> Result<Changed, DynamoError> {
        let set = "SET on_hand = :n, available = :n - reserved, counted_at = :at, #source = :source, \
                   s3_order = :s3_order, changed_by = :me, updated_at = :now, version = version + :one, \
                   edit_version = if_not_exists(edit_version, version) + :one";
        let forget = format!("REMOVE {}, {MOVED_BY}", stamps::LEFT_PADDED);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .key(keys::SKU, s(sku))
            .condition_expression(format!("attribute_exists(sku) AND {}", stamps::is_older_than(&author.stamp)))
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":n", n(wanted.count))
            .expression_attribute_values(":at", n(author.stamp.at))
            .expression_attribute_values(":source", s(&author.stamp.source))
            .expression_attribute_values(":s3_order", s(&author.stamp.sequencer))
            .expression_attribute_values(":me", s(&author.import))
            .expression_attribute_values(":now", n(author.now))
            .expression_attribute_values(":one", n(1));
        if !author.stamp.sequencer.is_empty() {
            update = update.expression_attribute_values(":none", s(""));
        }
        update = match wanted.threshold {
            Some(threshold) => update
                .update_expression(format!("{set}, threshold = :threshold {forget}"))
                .expression_attribute_values(":threshold", n(threshold)),
            None => update.update_expression(format!("{set} {forget}")),
        };
        let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let send = || update.clone().customize().config_override(one_attempt()).send();
        let Err(error) = persist(attempts, send).await else { return Ok(Changed::Yes) };
        match error.as_service_error() {
            // Our own work, by another delivery of the same file or by a try whose answer was lost.
            Some(UpdateItemError::ConditionalCheckFailedException(refused))
                if refused.item().is_some_and(|line| is_text(line, "changed_by", &author.import)) =>
            {
                Ok(Changed::Yes)
            }
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Changed::Stale),
            _ => Err(DynamoError::from_sdk("change a line")(error)),
        }
    }

    /// Adds to up to [`ADJUST_CHUNK`] lines, once, and counts the lines it makes in their stores: the transaction holds
    /// a mark in the Imports table under `mark`, and the mark remembers what became of the chunk, so that a repetition
    /// answers the same and adds nothing.
    ///
    /// # Errors
    /// [`DynamoError`]; nothing of the chunk is written then, unless it says that the outcome is unknown.
    pub async fn adjust(
        &self,
        author: &Author,
        (imports_table, stores_table): (&str, &str),
        mark: &str,
        chunk: &[Adjustment],
    ) -> Result<Adjusted, DynamoError> {
        if let Some(done) = self.marked(author, imports_table, mark).await? {
            return Ok(done);
        }
        // What is there: as it was read, and as it turns out.
        // Nothing can be taken from a line that is not there.
        let mut exists: Vec<bool> = chunk.iter().map(|line| line.exists || line.by < 0).collect();
        let mut refused: Vec<usize> = Vec::new();
        loop {
            let taken: Vec<usize> = (0..chunk.len()).filter(|i| !refused.contains(i)).collect();
            let created: Vec<usize> = taken.iter().copied().filter(|i| !exists[*i]).collect();
            let changed = (taken.len() - created.len()) as u64;
            let outcome = Adjusted { changed, created, refused: refused.clone() };
            let mut transaction = Transaction::new("adjust lines");
            transaction.add(Named::Mark, mark_put(author, imports_table, mark, &outcome))?;
            for i in &taken {
                transaction.add(Named::Line(*i), self.adjustment(author, &chunk[*i], exists[*i]))?;
            }
            for (store, lines) in made_in(chunk, &outcome.created) {
                transaction.add(Named::Stores, add_lines(stores_table, store, lines))?;
            }
            match transaction.commit(&self.client).await? {
                Commit::Written => return Ok(outcome),
                // Somebody, an earlier try of ours included, has done this chunk.
                Commit::Refused(parts) if parts.contains(&Named::Mark) => {
                    let done = self.marked(author, imports_table, mark).await?;
                    return done.ok_or(DynamoError::Malformed { attribute: "mark" });
                }
                Commit::Refused(parts) => {
                    for i in parts.into_iter().filter_map(Named::line) {
                        // A line that was not there when it was read may have been made since, by a product that came with stock. It
                        // is out of bounds only where it is refused as an existing one.
                        if exists[i] { refused.push(i) } else { exists[i] = true }
                    }
                    refused.sort_unstable();
                }
            }
        }
    }

    async fn marked(&self, author: &Author, imports_table: &str, mark: &str) -> Result<Option<Adjusted>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(imports_table)
            .key(keys::ID, s(&author.import))
            .key(keys::PART, s(mark))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read mark"))?;
        let Some(item) = answer.item else { return Ok(None) };
        Ok(Some(Adjusted {
            changed: required_count(&item, "changed")?,
            created: positions(&item, "created")?,
            refused: positions(&item, "refused")?,
        }))
    }

    fn adjustment(&self, author: &Author, line: &Adjustment, exists: bool) -> UpdateBuilder {
        let mut set =
            "SET on_hand = if_not_exists(on_hand, :zero) + :by, available = if_not_exists(available, :zero) + :by, \
                       reserved = if_not_exists(reserved, :zero), version = if_not_exists(version, :zero) + :one, \
                       created_by = if_not_exists(created_by, :me), changed_by = :me, updated_at = :now, \
                       counted_at = if_not_exists(counted_at, :at), #source = if_not_exists(#source, :source), \
                       s3_order = if_not_exists(s3_order, :s3_order), \
                       edit_version = if_not_exists(edit_version, if_not_exists(version, :zero)) + :one"
                .to_owned();
        let condition = if exists { "on_hand BETWEEN :low AND :high" } else { "attribute_not_exists(on_hand)" };
        let mut update = Update::builder()
            .table_name(&self.table)
            .key(keys::STORE, s(&line.store))
            .key(keys::SKU, s(&line.sku))
            .condition_expression(condition)
            .expression_attribute_names("#source", "source")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":by", n(line.by))
            .expression_attribute_values(":me", s(&author.import))
            .expression_attribute_values(":now", n(author.now))
            .expression_attribute_values(":at", n(author.stamp.at))
            .expression_attribute_values(":source", s(&author.stamp.source))
            .expression_attribute_values(":s3_order", s(&author.stamp.sequencer));
        if exists {
            // Both bounds at once: the result must stay within 0..=COUNT_MAX.
            update = update
                .expression_attribute_values(":low", n((-line.by).max(0)))
                .expression_attribute_values(":high", n(COUNT_MAX - line.by.max(0)));
        }
        if let Some(threshold) = line.threshold {
            set.push_str(", threshold = :threshold");
            update = update.expression_attribute_values(":threshold", n(threshold));
        }
        update.update_expression(format!("{set} REMOVE {MOVED_BY}"))
    }
}

fn held(item: &Item) -> Result<(String, Held), DynamoError> {
    Ok((
        required_text(item, keys::SKU)?,
        Held {
            on_hand: required_number(item, "on_hand")?,
            threshold: number(item, "threshold")?,
            stamp: stamps::required(item, required_number(item, "counted_at")?)?,
            created_by: required_text(item, "created_by")?,
            changed_by: required_text(item, "changed_by")?,
        },
    ))
}

fn mark_put(author: &Author, table: &str, mark: &str, outcome: &Adjusted) -> PutBuilder {
    Put::builder()
        .table_name(table)
        .item(keys::ID, s(&author.import))
        .item(keys::PART, s(mark))
        .item("changed", n(outcome.changed))
        .item("created", AttributeValue::L(outcome.created.iter().map(n).collect()))
        .item("refused", AttributeValue::L(outcome.refused.iter().map(n).collect()))
        .item("expires_at", n(author.now / 1000 + keys::MARKS_KEPT_SECONDS))
        .condition_expression("attribute_not_exists(id)")
}

/// How many lines a chunk makes in each store.
fn made_in<'a>(chunk: &'a [Adjustment], created: &[usize]) -> BTreeMap<&'a str, u64> {
    let mut stores = BTreeMap::new();
    for line in created.iter().filter_map(|position| chunk.get(*position)) {
        *stores.entry(line.store.as_str()).or_default() += 1;
    }
    stores
}

fn positions(item: &Item, name: &'static str) -> Result<Vec<usize>, DynamoError> {
    let position = |value: &AttributeValue| value.as_n().ok().and_then(|digits| digits.parse().ok());
    match item.get(name) {
        Some(AttributeValue::L(list)) => list.iter().map(position).collect::<Option<_>>(),
        _ => None,
    }
    .ok_or(DynamoError::Malformed { attribute: name })
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
