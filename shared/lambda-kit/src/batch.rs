//! The loop over an SQS batch: each message stands for itself, and only what was done is acknowledged.

use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};

use crate::start::Failure;

/// Gives every message to `handle` and answers which ones failed: those come again and, in the end, reach the
/// dead-letter queue. The queue's event source must have `ReportBatchItemFailures`.
///
/// A message without an id cannot be named as failed, so its failure fails the whole batch.
///
/// # Errors
/// When such a message failed.
pub async fn each<H, F>(event: SqsEvent, handle: H) -> Result<SqsBatchResponse, Failure>
where
    H: Fn(SqsMessage) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let id = message.message_id.clone();
        // On the heap: a large handler would otherwise make every future around it as large.
        if let Err(failure) = Box::pin(handle(message)).await {
            tracing::error!(message_id = id.as_deref(), error = %failure.message, "message failed; it will come again");
            let Some(id) = id else { return Err(failure) };
            let mut item = BatchItemFailure::default();
            item.item_identifier = id;
            response.batch_item_failures.push(item);
        }
    }
    Ok(response)
}
