//! One part of a large CSV: compare it with the stores and write the differences. The whole flow:
//! `almacen_stock_import`.
//!
//! Trigger: RangesQueue. `ingest-inventory` sends the first parts; the worker that finishes a part sends the next, and
//! the worker that finishes the last part ends the import.

use almacen_aws_client::Aws;
use almacen_lambda_kit::batch;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_stock_import::error::ImportError;
use almacen_stock_import::{Importer, Progress, Range, Turn, ending};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Context;

/// The function and what it talks to.
#[derive(Debug)]
pub struct IngestRange {
    importer: Importer,
}

impl IngestRange {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self { importer: Importer::from_env(env, aws) }
    }
}

impl Function for IngestRange {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn handle(&self, event: SqsEvent, context: Context) -> Result<SqsBatchResponse, Failure> {
        ingest(&self.importer, event, context).await
    }
}

/// Works on each message of the batch.
///
/// # Errors
/// When a message without an id failed.
async fn ingest(importer: &Importer, event: SqsEvent, context: Context) -> Result<SqsBatchResponse, Failure> {
    let turn = Turn::of(&context);
    batch::each(event, |message| async move {
        let turn = turn.for_message(&message);
        let range = Range::parse(message.body.as_deref().unwrap_or_default())?;
        let worked = import(importer, &range, &turn).await;
        if worked.is_err() && turn.is_last() {
            ending::give_up(importer, &range.import).await?;
        }
        Ok(worked?)
    })
    .await
}

async fn import(importer: &Importer, range: &Range, turn: &Turn<'_>) -> Result<(), ImportError> {
    let job = importer.imports.job(&range.import).await?.ok_or(ImportError::Malformed("range of no import"))?;
    let job = importer.take_up_again(job, turn).await?;
    if job.state.is_final() {
        return ending::finish_if_complete(importer, &job).await;
    }
    if job.handing_until.is_some() {
        let parts = importer.imports.parts(&job.id).await?;
        importer.hand_over(&job, &parts, Some(range.part)).await?;
    }
    tracing::info!(import = %job.id, part = range.part, "range");
    match importer.work_on(&job, range.part, turn).await? {
        Progress::Done => ending::after_part(importer, &job, range.part).await,
        Progress::Later(delay) => {
            tracing::info!(delay_s = delay.as_secs(), "not finished; coming back");
            importer.come_back(&job.id, range.part, delay).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sample_event_asks_for() {
        let event: SqsEvent = serde_json::from_str(include_str!("../../../events/ingest-range/range.json")).unwrap();
        let range = Range::parse(event.records[0].body.as_deref().unwrap()).unwrap();
        assert_eq!(range, Range { import: "imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d".to_owned(), part: 2 });
    }

    #[test]
    fn other_messages_are_refused() {
        for body in [
            "",
            "hello",
            "{}",
            r#"{"import":"imp_1"}"#,
            r#"{"import":"imp_1","part":-1}"#,
            r#"{"import":"imp_1","part":1,"x":2}"#,
        ] {
            assert!(Range::parse(body).is_err(), "{body}");
        }
    }
}
