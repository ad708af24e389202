//! A CSV arrived: survey it, and import it or hand its parts to `ingest-range`. The whole flow: `almacen_stock_import`.
//!
//! Trigger: UploadsQueue, to which S3 sends every new object. A message that comes twice, late or after a crash finds
//! what was done and continues from there.

use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_clock::now_ms;
use almacen_lambda_kit::batch;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_queue::Queue;
use almacen_stock_import::arrival::{self, Uploaded};
use almacen_stock_import::error::{FileRefusal, ImportError};
use almacen_stock_import::survey::{Bounds, SurveyOutcome, survey};
use almacen_stock_import::{Importer, Job, Progress, Turn, ending};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Context;

/// The function and what it talks to.
#[derive(Debug)]
pub struct IngestInventory {
    importer: Importer,
    /// Our own queue, for a file that has to wait or go on.
    uploads: Queue,
    bounds: Bounds,
}

impl IngestInventory {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            importer: Importer::from_env(env, aws),
            uploads: Queue::new(aws, env.required("UPLOADS_QUEUE_URL")),
            bounds: Bounds { file_bytes_max: env.number("FILE_BYTES_MAX"), split_bytes: env.number("SPLIT_BYTES") },
        }
    }
}

impl Function for IngestInventory {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn handle(&self, event: SqsEvent, context: Context) -> Result<SqsBatchResponse, Failure> {
        ingest(self, event, context).await
    }
}

/// Works on each message of the batch.
///
/// # Errors
/// When a message without an id failed.
async fn ingest(deps: &IngestInventory, event: SqsEvent, context: Context) -> Result<SqsBatchResponse, Failure> {
    let turn = Turn::of(&context);
    batch::each(event, |message| async move {
        let turn = turn.for_message(&message);
        let body = message.body.unwrap_or_default();
        let (mut later, mut failed) = (None, None);
        // One object that fails or has to wait does not hold up the others of its message.
        for uploaded in arrival::parse(&body)? {
            match import(deps, &uploaded, &turn).await {
                Ok(Progress::Done) => {}
                Ok(Progress::Later(delay)) => later = Some(later.map_or(delay, |known: Duration| known.min(delay))),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match (failed, later) {
            (Some(error), _) => Err(error.into()),
            (None, Some(delay)) => Ok(deps.come_back(body, delay).await?),
            (None, None) => Ok(()),
        }
    })
    .await
}

impl IngestInventory {
    /// The same message once more, later. Sent before the old one is acknowledged: at worst it is there twice.
    async fn come_back(&self, body: String, delay: Duration) -> Result<(), ImportError> {
        tracing::info!(delay_s = delay.as_secs(), "not finished; coming back");
        Ok(self.uploads.send(body, delay).await?)
    }
}

async fn import(deps: &IngestInventory, uploaded: &Uploaded, turn: &Turn<'_>) -> Result<Progress, ImportError> {
    let (job, refusal) = arrival::open(&deps.importer, uploaded).await?;
    let id = job.id.clone();
    let worked = work_on(deps, job, refusal, turn).await;
    if worked.is_err() && turn.is_last() {
        ending::give_up(&deps.importer, &id).await?;
    }
    worked
}

async fn work_on(
    deps: &IngestInventory,
    mut job: Job,
    refusal: Option<FileRefusal>,
    turn: &Turn<'_>,
) -> Result<Progress, ImportError> {
    let importer = &deps.importer;
    tracing::info!(import = %job.id, state = job.state.as_str(), size = job.object.size, "file arrived");
    job = importer.take_up_again(job, turn).await?;
    if job.state.is_final() {
        // Nothing to do, unless the last try ended between the report and giving the leases back.
        ending::finish_if_complete(importer, &job).await?;
        return Ok(Progress::Done);
    }
    if let Some(refusal) = refusal {
        ending::refuse(importer, &job, &refusal).await?;
        return Ok(Progress::Done);
    }
    let parts = if job.plan.is_some() {
        importer.imports.parts(&job.id).await?
    } else {
        match survey(importer, &job, deps.bounds, turn).await? {
            SurveyOutcome::Refused(refusal) => {
                ending::refuse(importer, &job, &refusal).await?;
                return Ok(Progress::Done);
            }
            SurveyOutcome::Planned(plan, parts) => {
                importer.claim(&job, &plan.stores).await?;
                importer.imports.keep_plan(&job.id, &plan, &parts, now_ms()).await?;
                job.plan = Some(plan);
                parts
            }
        }
    };
    let split = job.plan.as_ref().is_some_and(|plan| !plan.gzip && plan.source.size > deps.bounds.split_bytes);
    if split {
        importer.hand_over(&job, &parts, None).await?;
        ending::finish_if_complete(importer, &job).await?;
        return Ok(Progress::Done);
    }
    for part in parts {
        if let Progress::Later(delay) = importer.work_on(&job, part.number, turn).await? {
            return Ok(Progress::Later(delay));
        }
    }
    ending::finish_if_complete(importer, &job).await?;
    Ok(Progress::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the messages of a sample event ask for.
    fn asked(event: &str) -> Vec<Result<Vec<Uploaded>, ImportError>> {
        let event: SqsEvent = serde_json::from_str(event).unwrap();
        event.records.into_iter().map(|message| arrival::parse(&message.body.unwrap_or_default())).collect()
    }

    fn check(event: &str, key: &str, at: i64, sequencer: &str) {
        let uploaded = asked(event).remove(0).unwrap().remove(0);
        assert_eq!(uploaded.bucket, "almacen-dev-uploads-123456789012-eu-west-1");
        assert_eq!(uploaded.version.as_deref(), Some("096fKKXTRTtl3on89fVO.nfljtsv6qko"));
        assert_eq!((uploaded.key.as_str(), uploaded.stamp.at, uploaded.stamp.sequencer.as_str()), (key, at, sequencer));
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        let at = 1_705_834_800_123;
        let sequencer = "0055AED6DCD90281E500000000000000";
        check(include_str!("../../../events/ingest-inventory/put.json"), "berlin-madrid.csv", at, sequencer);
        check(
            include_str!("../../../events/ingest-inventory/large-with-store.json"),
            "stores/San Sebastián/existencias 2024+.csv",
            at,
            "0A1B0000000000000000000000000000",
        );
        let announced = "imports/imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d/stock.csv";
        check(include_str!("../../../events/ingest-inventory/announced.json"), announced, at, sequencer);
        assert_eq!(arrival::announced_id(announced), Some("imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d"));
    }

    #[test]
    fn what_is_no_upload_asks_for_nothing_and_what_is_no_event_fails() {
        for event in [
            include_str!("../../../events/ingest-inventory/deleted.json"),
            include_str!("../../../events/ingest-inventory/test-event.json"),
        ] {
            assert_eq!(asked(event).remove(0).unwrap(), []);
        }
        assert!(asked(include_str!("../../../events/ingest-inventory/not-an-event.json")).remove(0).is_err());
    }
}
