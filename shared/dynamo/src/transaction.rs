//! All-or-nothing writes (TransactWriteItems), each under a name, so that a refusal says which condition did not hold.

use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::{ConditionCheckBuilder, DeleteBuilder, PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use crate::DynamoError;
use crate::calls::Pause;

/// Writes of one transaction, DynamoDB's own limit.
pub const TRANSACTION_MAX: usize = 100;

const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// Reasons to cancel a transaction that another try would meet again
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const HOPELESS: [&str; 2] = ["ItemCollectionSizeLimitExceeded", "ValidationError"];

/// One write of a transaction.
pub trait Write {
    /// As DynamoDB takes it.
    ///
    /// # Errors
    /// Where a required field is missing.
    fn into_item(self) -> Result<TransactWriteItem, BuildError>;
}

impl Write for PutBuilder {
    fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        Ok(TransactWriteItem::builder().put(self.build()?).build())
    }
}

impl Write for UpdateBuilder {
    fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        Ok(TransactWriteItem::builder().update(self.build()?).build())
    }
}

impl Write for DeleteBuilder {
    fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        Ok(TransactWriteItem::builder().delete(self.build()?).build())
    }
}

impl Write for ConditionCheckBuilder {
    fn into_item(self) -> Result<TransactWriteItem, BuildError> {
        Ok(TransactWriteItem::builder().condition_check(self.build()?).build())
    }
}

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Commit<N> {
    /// Everything is written.
    Written,
    /// Nothing is written: the conditions of the writes of these names did not hold.
    Refused(Vec<N>),
}

impl<N> Commit<N> {
    /// Is everything written?
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Written)
    }
}

/// A transaction in the making. `N` names its writes; several may share a name where it does not matter which was refused.
#[derive(Debug, Clone)]
pub struct Transaction<N> {
    doing: &'static str,
    writes: Vec<(N, TransactWriteItem)>,
}

impl<N: Copy + PartialEq + fmt::Debug> Transaction<N> {
    /// Without any write yet. `doing` names the operation in errors.
    #[must_use]
    pub fn new(doing: &'static str) -> Self {
        Self { doing, writes: Vec::new() }
    }

    /// Adds a write.
    ///
    /// # Errors
    /// Where the write lacks a required field.
    pub fn add(&mut self, name: N, write: impl Write) -> Result<(), DynamoError> {
        self.writes.push((name, write.into_item()?));
        Ok(())
    }

    /// Leaves out the writes of these names.
    pub fn leave_out(&mut self, names: &[N]) {
        self.writes.retain(|(name, _)| !names.contains(name));
    }

    /// The writes under their names, for tests.
    #[must_use]
    pub fn writes(&self) -> &[(N, TransactWriteItem)] {
        &self.writes
    }

    /// Writes all or nothing. Where another transaction has one of the items, or DynamoDB throttles, it tries again, with
    /// pauses and an end. An answer that was lost is no refusal: the SDK repeats the call under its `ClientRequestToken`.
    ///
    /// # Errors
    /// [`DynamoError`], which says whether the writes may have been made all the same.
    pub async fn commit(&self, client: &Client) -> Result<Commit<N>, DynamoError> {
        let items: Vec<TransactWriteItem> = self.writes.iter().map(|(_, write)| write.clone()).collect();
        let mut pause = Pause::new();
        loop {
            let result = client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Err(error) = result else { return Ok(Commit::Written) };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
            else {
                return Err(DynamoError::from_write(self.doing)(error));
            };
            let reasons = cancelled.cancellation_reasons();
            let refused = self.refused(reasons);
            if !refused.is_empty() {
                return Ok(Commit::Refused(refused));
            }
            if reasons.iter().filter_map(CancellationReason::code).any(|code| HOPELESS.contains(&code)) {
                return Err(DynamoError::from_sdk(self.doing)(error));
            }
            pause.wait(self.doing).await?;
        }
    }

    /// The names of the writes whose conditions did not hold. DynamoDB gives a reason for each write, in their order.
    fn refused(&self, reasons: &[CancellationReason]) -> Vec<N> {
        let failed = |(reason, (name, _)): (&CancellationReason, &(N, TransactWriteItem))| {
            (reason.code() == Some(CONDITION_FAILED)).then_some(*name)
        };
        reasons.iter().zip(&self.writes).filter_map(failed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::s;
    use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, Update};

    fn all() -> Transaction<u8> {
        let mut all = Transaction::new("a test");
        all.add(1, Put::builder().table_name("T").item("id", s("a"))).unwrap();
        all.add(2, Update::builder().table_name("T").key("id", s("b")).update_expression("SET x = :x")).unwrap();
        all.add(2, Delete::builder().table_name("T").key("id", s("c"))).unwrap();
        let check = ConditionCheck::builder().table_name("T").key("id", s("d"));
        all.add(3, check.condition_expression("attribute_exists(id)")).unwrap();
        all
    }

    #[test]
    fn a_refusal_names_the_writes_whose_conditions_did_not_hold() {
        let reasons = |codes: [&str; 4]| codes.map(|code| CancellationReason::builder().code(code).build());
        let refused = |codes| all().refused(&reasons(codes));
        assert_eq!(refused(["None", "None", "None", "ConditionalCheckFailed"]), [3]);
        assert_eq!(refused(["ConditionalCheckFailed", "None", "ConditionalCheckFailed", "None"]), [1, 2]);
        assert_eq!(refused(["TransactionConflict", "None", "None", "ThrottlingError"]), [] as [u8; 0]);
    }

    #[test]
    fn what_is_left_out_is_not_written() {
        let mut some = all();
        some.leave_out(&[2]);
        assert_eq!(some.writes().iter().map(|(name, _)| *name).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_write_without_its_table_is_an_error() {
        let added = all().add(4, Put::builder().item("id", s("a")));
        assert!(matches!(added, Err(DynamoError::Refused { doing: "build request", .. })));
    }
}
