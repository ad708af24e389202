//! Calls that DynamoDB may carry out in part or throttle: retried with growing pauses, up to a limit.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder as ConfigBuilder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use aws_sdk_dynamodb::types::{
    BatchStatementErrorCodeEnum, BatchStatementRequest, KeysAndAttributes, PutRequest, WriteRequest,
};

use almacen_clock::random;

use crate::DynamoError;
use crate::attr::{Attributes, Item};
use crate::error::{is_throttling, is_transient};

/// Items of one BatchWriteItem, DynamoDB's own limit.
pub const BATCH_WRITE_MAX: usize = 25;
/// Items of one BatchGetItem, DynamoDB's own limit.
pub const BATCH_GET_MAX: usize = 100;

/// Tries of a batch of which DynamoDB leaves a part undone, with a doubling pause from [`FIRST_PAUSE`]: 13 s in all.
const TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The items under `keys` (at most [`BATCH_GET_MAX`]) that exist, in no order, read as `how` says.
///
/// # Errors
/// [`DynamoError`].
pub async fn get_many(
    client: &Client,
    table: &str,
    doing: &'static str,
    mut keys: Vec<Item>,
    how: KeysAndAttributesBuilder,
) -> Result<Vec<Item>, DynamoError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut pause = Pause::new();
    while !keys.is_empty() {
        let request = how.clone().set_keys(Some(keys)).build()?;
        let answer =
            client.batch_get_item().request_items(table, request).send().await.map_err(DynamoError::from_sdk(doing))?;
        found.extend(answer.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default());
        keys = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table)).map_or(Vec::new(), |rest| rest.keys);
        if !keys.is_empty() {
            pause.wait(doing).await?;
        }
    }
    Ok(found)
}

/// A strongly consistent [`get_many`].
#[must_use]
pub fn consistent() -> KeysAndAttributesBuilder {
    KeysAndAttributes::builder().consistent_read(true)
}

/// Hears of each attempt at a write, and whether DynamoDB pushed back.
pub trait Attempts {
    /// An attempt begins: its number.
    fn began(&self) -> u64;
    /// The attempt of this number was refused for its rate, whole or in part.
    fn pushed_back(&self, attempt: u64);
}

/// Nobody wants to know.
impl Attempts for () {
    fn began(&self) -> u64 {
        0
    }

    fn pushed_back(&self, _attempt: u64) {}
}

/// A call makes one attempt: who repeats it by [`persist`] sees each that is refused. The SDK's own repetitions are silent.
#[must_use]
pub fn one_attempt() -> ConfigBuilder {
    ConfigBuilder::new().retry_config(RetryConfig::disabled())
}

/// How often the SDK sends a write. One that is harmless to repeat has the SDK's retries. Any other is sent once: repeated
/// after a lost answer it would be made twice, or be refused because of its own first try.
#[must_use]
pub fn retries(repeatable: bool) -> ConfigBuilder {
    if repeatable { ConfigBuilder::new() } else { one_attempt() }
}

/// Sends until DynamoDB takes the call or refuses it for another reason than a moment's trouble, with pauses and an end.
/// `send` makes [`one_attempt`].
///
/// # Errors
/// What DynamoDB refused the last attempt for.
pub async fn persist<T, E, R, F>(attempts: &dyn Attempts, send: impl Fn() -> F) -> Result<T, SdkError<E, R>>
where
    F: Future<Output = Result<T, SdkError<E, R>>>,
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let mut pause = Pause::new();
    loop {
        let attempt = attempts.began();
        let error = match send().await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        if is_throttling(&error) {
            attempts.pushed_back(attempt);
        }
        if !is_transient(&error) || !pause.again().await {
            return Err(error);
        }
    }
}

/// Puts items, at most [`BATCH_WRITE_MAX`], over whatever was there.
///
/// # Errors
/// [`DynamoError`]; some of the items may be written then.
pub async fn put_many(
    client: &Client,
    table: &str,
    doing: &'static str,
    attempts: &dyn Attempts,
    items: impl Fn() -> Vec<Item>,
) -> Result<(), DynamoError> {
    // What an attempt left undone; all of it before the first that was taken.
    let mut undone: Option<Vec<WriteRequest>> = None;
    let mut pause = Pause::new();
    loop {
        let requests = match &undone {
            Some(undone) => undone.clone(),
            None => put_requests(items())?,
        };
        if requests.is_empty() {
            return Ok(());
        }
        let attempt = attempts.began();
        let call = client.batch_write_item().request_items(table, requests);
        match call.customize().config_override(one_attempt()).send().await {
            Ok(answer) => {
                let left = answer.unprocessed_items.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
                if left.is_empty() {
                    return Ok(());
                }
                attempts.pushed_back(attempt);
                undone = Some(left);
                pause.wait(doing).await?;
            }
            Err(error) => {
                if is_throttling(&error) {
                    attempts.pushed_back(attempt);
                }
                if !is_transient(&error) || !pause.again().await {
                    return Err(DynamoError::from_sdk(doing)(error));
                }
            }
        }
    }
}

fn put_requests(items: Vec<Item>) -> Result<Vec<WriteRequest>, DynamoError> {
    let request = |item| {
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    };
    items.into_iter().map(request).collect()
}

/// Inserts items that do not exist, at most [`BATCH_WRITE_MAX`], and answers the positions of those that did: nothing was
/// written there. It costs what puts cost. Where an attempt's answer was lost, the next one finds the items of that attempt.
///
/// BatchWriteItem takes no conditions, so these are PartiQL's inserts ("BatchExecuteStatement", DynamoDB API reference), each
/// with an answer of its own.
///
/// # Errors
/// [`DynamoError`]; some of the items may be written then.
pub async fn insert_many(
    client: &Client,
    table: &str,
    doing: &'static str,
    attempts: &dyn Attempts,
    items: usize,
    item: impl Fn(usize) -> Attributes,
) -> Result<Vec<usize>, DynamoError> {
    let mut undone: Vec<usize> = (0..items).collect();
    let mut existing = Vec::new();
    let mut pause = Pause::new();
    while !undone.is_empty() {
        let statements = inserts(table, undone.iter().map(|position| item(*position)))?;
        let attempt = attempts.began();
        let call = client.batch_execute_statement().set_statements(Some(statements));
        let answer = match call.customize().config_override(one_attempt()).send().await {
            Ok(answer) => answer,
            Err(error) => {
                if is_throttling(&error) {
                    attempts.pushed_back(attempt);
                }
                if !is_transient(&error) || !pause.again().await {
                    return Err(DynamoError::from_sdk(doing)(error));
                }
                continue;
            }
        };
        let responses = answer.responses();
        if responses.len() != undone.len() {
            return Err(DynamoError::Refused { doing, source: "an answer for each statement was expected".into() });
        }
        let (mut left, mut throttled) = (Vec::new(), false);
        for (position, response) in undone.into_iter().zip(responses) {
            match response.error().map(|error| (error.code(), error)) {
                None => {}
                Some((Some(BatchStatementErrorCodeEnum::DuplicateItem), _)) => existing.push(position),
                Some((Some(code), _)) if PUSHED_BACK.contains(code) => {
                    throttled = true;
                    left.push(position);
                }
                Some((Some(code), _)) if AGAIN.contains(code) => left.push(position),
                Some((code, error)) => {
                    let code = code.map_or("without a code", BatchStatementErrorCodeEnum::as_str);
                    let source = format!("{code}: {}", error.message().unwrap_or_default());
                    return Err(DynamoError::Refused { doing, source: source.into() });
                }
            }
        }
        if throttled {
            attempts.pushed_back(attempt);
        }
        if !left.is_empty() {
            pause.wait(doing).await?;
        }
        undone = left;
    }
    existing.sort_unstable();
    Ok(existing)
}

/// What DynamoDB says of a statement that came too fast.
const PUSHED_BACK: [BatchStatementErrorCodeEnum; 3] = [
    BatchStatementErrorCodeEnum::ProvisionedThroughputExceeded,
    BatchStatementErrorCodeEnum::ThrottlingError,
    BatchStatementErrorCodeEnum::RequestLimitExceeded,
];
/// What it says of one that may be carried out the next time.
const AGAIN: [BatchStatementErrorCodeEnum; 2] =
    [BatchStatementErrorCodeEnum::InternalServerError, BatchStatementErrorCodeEnum::TransactionConflict];

/// The statements that insert `items`. Items with the same attributes in the same order share the work of writing one.
fn inserts(table: &str, items: impl Iterator<Item = Attributes>) -> Result<Vec<BatchStatementRequest>, DynamoError> {
    let (mut names, mut text) = (Vec::new(), String::new());
    let statement = |item: Attributes| {
        if !item.iter().map(|(name, _)| *name).eq(names.iter().copied()) {
            names = item.iter().map(|(name, _)| *name).collect();
            let listed: Vec<String> = names.iter().map(|name| format!("'{name}': ?")).collect();
            text = format!("INSERT INTO \"{table}\" VALUE {{{}}}", listed.join(", "));
        }
        let values = item.into_iter().map(|(_, value)| value).collect();
        Ok(BatchStatementRequest::builder().statement(text.as_str()).set_parameters(Some(values)).build()?)
    };
    items.map(statement).collect()
}

/// Did the condition of a write hold? Then the write is made.
///
/// # Errors
/// [`DynamoError`].
pub fn condition_held<T, E, R>(result: Result<T, SdkError<E, R>>, doing: &'static str) -> Result<bool, DynamoError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(DynamoError::from_write(doing)(error)),
    }
}

/// A doubling pause with jitter between tries, and an end to it.
#[derive(Debug, Default)]
pub struct Pause {
    tries: u32,
}

impl Pause {
    /// Before the first try.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for the next try.
    ///
    /// # Errors
    /// [`DynamoError::Unavailable`] where there were enough.
    pub async fn wait(&mut self, doing: &'static str) -> Result<(), DynamoError> {
        if self.again().await {
            Ok(())
        } else {
            Err(DynamoError::Unavailable { doing, source: "throttled too often".into(), perhaps_made: false })
        }
    }

    /// Waits for the next try. `false`, at once: there were enough.
    pub async fn again(&mut self) -> bool {
        self.tries += 1;
        if self.tries >= TRIES {
            return false;
        }
        let full = FIRST_PAUSE * 2u32.pow(self.tries - 1);
        tokio::time::sleep(full.mul_f64(0.5 + random::unit() / 2.0)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

    use super::*;

    #[derive(Default)]
    struct Seen {
        began: Cell<u64>,
        pushed_back: RefCell<Vec<u64>>,
    }

    impl Attempts for Seen {
        fn began(&self) -> u64 {
            self.began.replace(self.began.get() + 1)
        }

        fn pushed_back(&self, attempt: u64) {
            self.pushed_back.borrow_mut().push(attempt);
        }
    }

    fn refused(code: &str) -> SdkError<UpdateItemError, ()> {
        let metadata = ErrorMetadata::builder().code(code).message("a test").build();
        SdkError::service_error(UpdateItemError::generic(metadata), ())
    }

    /// Sends until `answers` are used up: what came of it, how many attempts there were, and which DynamoDB pushed back on.
    async fn sent(answers: &[&str]) -> (Result<(), String>, u64, Vec<u64>) {
        let seen = Seen::default();
        let result = persist(&seen, || {
            let answer = answers[usize::try_from(seen.began.get()).unwrap() - 1];
            async move { if answer == "taken" { Ok(()) } else { Err(refused(answer)) } }
        })
        .await;
        let result = result.map_err(|error| error.code().unwrap_or_default().to_owned());
        (result, seen.began.get(), seen.pushed_back.take())
    }

    #[tokio::test]
    async fn a_call_that_came_too_fast_is_made_again_and_told() {
        let slow = "ThrottlingException";
        assert_eq!(sent(&["taken"]).await, (Ok(()), 1, vec![]));
        let both = ["ProvisionedThroughputExceededException", slow, "taken"];
        assert_eq!(sent(&both).await, (Ok(()), 3, vec![0, 1]));
        // Trouble of another kind is met again, and says nothing about the pace.
        let trouble = ["InternalServerError", "TransactionConflictException", "taken"];
        assert_eq!(sent(&trouble).await, (Ok(()), 3, vec![]));
        let failed = Err("ConditionalCheckFailedException".to_owned());
        assert_eq!(sent(&[slow, "ConditionalCheckFailedException"]).await, (failed, 2, vec![0]));
    }

    #[test]
    fn an_insert_names_its_attributes_in_order() {
        let values = |sku: &str| vec![("sku", crate::attr::s(sku)), ("on_hand", crate::attr::n(7))];
        let other = vec![("sku", crate::attr::s("Café"))];
        let all = inserts("Inventory", [values("Té"), values("Mate"), other].into_iter()).unwrap();
        let both = r#"INSERT INTO "Inventory" VALUE {'sku': ?, 'on_hand': ?}"#;
        let texts: Vec<&str> = all.iter().map(BatchStatementRequest::statement).collect();
        assert_eq!(texts, [both, both, r#"INSERT INTO "Inventory" VALUE {'sku': ?}"#]);
        assert_eq!(all[0].parameters(), [crate::attr::s("Té"), crate::attr::n(7)]);
        assert_eq!(all[1].parameters(), [crate::attr::s("Mate"), crate::attr::n(7)]);
    }
}
