//! Calls that DynamoDB may do in part, or refuse for a moment: repeated with pauses, and an end to it.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, KeysAndAttributes, PutRequest, TransactWriteItem, WriteRequest};

use crate::TableError;
use crate::attr::Item;

/// Items of one BatchWriteItem, DynamoDB's own limit.
pub const BATCH_WRITE_MAX: usize = 25;
/// Items of one BatchGetItem, DynamoDB's own limit.
pub const BATCH_GET_MAX: usize = 100;
/// Writes of one TransactWriteItems, DynamoDB's own limit.
pub(crate) const TRANSACTION_MAX: usize = 100;

/// Tries of a batch of which DynamoDB leaves a part undone, with a doubling pause from [`FIRST_PAUSE`]: 13 s in all.
const TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// Reasons to cancel a transaction that another try would meet again
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const HOPELESS: [&str; 2] = ["ItemCollectionSizeLimitExceeded", "ValidationError"];

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// All of it is written.
    Written,
    /// Nothing is: the conditions of the writes at these positions did not hold.
    Refused(Vec<usize>),
}

/// Writes all or nothing. Where somebody else writes to one of the items at the same moment, it tries again.
pub(crate) async fn transact(
    client: &Client,
    doing: &'static str,
    writes: &[TransactWriteItem],
) -> Result<Transaction, TableError> {
    let mut pause = Pause::new();
    loop {
        let result = client.transact_write_items().set_transact_items(Some(writes.to_vec())).send().await;
        let Err(error) = result else { return Ok(Transaction::Written) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return Err(TableError::from_sdk(doing)(error));
        };
        let reasons = cancelled.cancellation_reasons();
        let failed =
            |(at, reason): (usize, &CancellationReason)| (reason.code() == Some(CONDITION_FAILED)).then_some(at);
        let refused: Vec<usize> = reasons.iter().enumerate().filter_map(failed).collect();
        if !refused.is_empty() {
            return Ok(Transaction::Refused(refused));
        }
        if reasons.iter().filter_map(CancellationReason::code).any(|code| HOPELESS.contains(&code)) {
            return Err(TableError::from_sdk(doing)(error));
        }
        pause.wait(doing).await?;
    }
}

/// The items under `keys` (at most [`BATCH_GET_MAX`]) that there are, in no order, read as `how` says.
pub(crate) async fn get_all(
    client: &Client,
    table: &str,
    doing: &'static str,
    mut keys: Vec<Item>,
    how: KeysAndAttributesBuilder,
) -> Result<Vec<Item>, TableError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut pause = Pause::new();
    while !keys.is_empty() {
        let request = how.clone().set_keys(Some(keys)).build().map_err(build(doing))?;
        let answer =
            client.batch_get_item().request_items(table, request).send().await.map_err(TableError::from_sdk(doing))?;
        found.extend(answer.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default());
        keys = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table)).map_or(Vec::new(), |rest| rest.keys);
        if !keys.is_empty() {
            pause.wait(doing).await?;
        }
    }
    Ok(found)
}

/// A strongly consistent [`get_all`].
pub(crate) fn consistent() -> KeysAndAttributesBuilder {
    KeysAndAttributes::builder().consistent_read(true)
}

/// Puts items, at most [`BATCH_WRITE_MAX`], whatever was there. Some may be written where it fails.
pub(crate) async fn put_all(
    client: &Client,
    table: &str,
    doing: &'static str,
    items: Vec<Item>,
) -> Result<(), TableError> {
    let mut requests = Vec::with_capacity(items.len());
    for item in items {
        let put = PutRequest::builder().set_item(Some(item)).build().map_err(build(doing))?;
        requests.push(WriteRequest::builder().put_request(put).build());
    }
    let mut pause = Pause::new();
    while !requests.is_empty() {
        let answer = client
            .batch_write_item()
            .request_items(table, requests)
            .send()
            .await
            .map_err(TableError::from_sdk(doing))?;
        requests = answer.unprocessed_items.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        if !requests.is_empty() {
            pause.wait(doing).await?;
        }
    }
    Ok(())
}

/// Was the write made? `false`: its condition did not hold.
pub(crate) fn made<T, E, R>(result: Result<T, SdkError<E, R>>, doing: &'static str) -> Result<bool, TableError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(TableError::from_sdk(doing)(error)),
    }
}

/// A request lacks a field that it needs: never in practice.
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
        if self.tries >= TRIES {
            return Err(TableError::Unavailable { doing, source: "throttled too often".into() });
        }
        let full = FIRST_PAUSE * 2u32.pow(self.tries - 1);
        tokio::time::sleep(full.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }
}
