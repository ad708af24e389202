//! The report, the event, the leases back.

use almacen_clock::now_ms;
use almacen_contract::error::Unserialisable;
use almacen_contract::event::{Envelope, ImportData, Origin, name};
use almacen_contract::time::rfc3339;
use almacen_domain::Millis;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_domain::stock::import::{Counters, State};
use almacen_files::FilesError;
use almacen_files::object::read;
use almacen_files::write::put;
use almacen_stock_csv::{Layout, rejected};
use almacen_table::stock::imports::{Ending, Job, Part};
use serde::Serialize;

use crate::Importer;
use crate::error::{FileRefusal, ImportError};
use crate::rejects::{CSV_BYTES_MAX, KEPT_MAX, Reject, Rejects, Sentence};

/// Bytes of one part's kept rejects: a thousand of them, at a few hundred bytes each, fit many times.
const PART_REJECTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where an import's intermediate results are kept; the bucket's lifecycle removes them.
pub(crate) fn work_key(import: &str, name: &str) -> String {
    format!("work/{import}/{name}")
}

fn rejects_key(import: &str, part: u32, extension: &str) -> String {
    work_key(import, &format!("rejected-{part:05}.{extension}"))
}

/// Keeps the rejected rows of a part until the report is made.
pub(crate) async fn keep_rejects(
    importer: &Importer,
    import: &str,
    part: u32,
    rejects: &Rejects,
) -> Result<(), ImportError> {
    if rejects.kept.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_vec(&rejects.kept).map_err(|_| ImportError::Malformed("rejected rows"))?;
    let bucket = &importer.reports_bucket;
    put(&importer.files, bucket, &rejects_key(import, part, "json"), "application/json", json).await?;
    if !rejects.csv.is_empty() {
        let csv = rejects.csv.clone();
        put(&importer.files, bucket, &rejects_key(import, part, "csv"), "text/csv; charset=utf-8", csv).await?;
    }
    Ok(())
}

/// The report, as the page and people read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    import_id: &'a str,
    file_name: &'a str,
    mode: &'static str,
    dry_run: bool,
    state: &'static str,
    started_at: String,
    finished_at: String,
    counters: almacen_contract::event::CountersData,
    stores: &'a [String],
    rejected_kept: usize,
    rejected: Vec<Reject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Sentence>,
}

/// Ends the import if all its parts are done. Any number of workers may find that at the same time, and `job` may have
/// been read before others were done: what counts is taken from the parts.
///
/// # Errors
/// [`ImportError`].
pub async fn finish_if_complete(importer: &Importer, job: &Job) -> Result<(), ImportError> {
    let open = !job.state.is_final() || job.broken_off;
    let parts = if open && job.plan.is_some() { importer.imports.parts(&job.id).await? } else { Vec::new() };
    finish_if_done(importer, job, &parts).await
}

/// After the part of this number: hands over the one that follows it, or ends the import if all are done.
///
/// # Errors
/// [`ImportError`].
pub async fn after_part(importer: &Importer, job: &Job, number: u32) -> Result<(), ImportError> {
    let parts = importer.imports.parts(&job.id).await?;
    importer.hand_over_next(job, &parts, number).await?;
    finish_if_done(importer, job, &parts).await
}

async fn finish_if_done(importer: &Importer, job: &Job, parts: &[Part]) -> Result<(), ImportError> {
    let Some(plan) = &job.plan else { return Ok(()) };
    let id = &job.id;
    if !job.state.is_final() || job.broken_off {
        if parts.len() < plan.parts as usize || parts.iter().any(|part| !part.done) {
            return Ok(());
        }
        let counters = parts.iter().fold(Counters::default(), |sum, part| sum.plus(part.counted()));
        let job = Job { counters, ..job.clone() };
        let (kept, csv) = gather(importer, &job, plan.parts).await?;
        let state = if counters.rejected > 0 { State::CompletedWithErrors } else { State::Completed };
        let rejected_key = match csv {
            Some(csv) => {
                let key = format!("reports/{id}/rejected.csv");
                put(&importer.files, &importer.reports_bucket, &key, "text/csv; charset=utf-8", csv).await?;
                Some(key)
            }
            None => None,
        };
        let end = End { stores: &plan.stores, rejected: kept, rejected_key, ..End::new(state) };
        end.write(importer, &job).await?;
    }
    if !job.dry_run {
        for store in &plan.stores {
            importer.stores.release(store, id).await?;
        }
    }
    Ok(())
}

/// Ends the import of a file that is refused whole.
///
/// # Errors
/// [`ImportError`].
pub async fn refuse(importer: &Importer, job: &Job, refusal: &FileRefusal) -> Result<(), ImportError> {
    tracing::info!(import = %job.id, code = refusal.code, "file refused");
    End { refusal: Some(refusal), ..End::new(State::Failed) }.write(importer, job).await
}

/// Ends an import of which a message lies among the dead letters, sent then, though no function had it at its last try:
/// as failed, to be taken up again. It is left alone while a worker is at one of its parts, and where it has been taken up
/// again since.
///
/// # Errors
/// [`ImportError`].
pub async fn close(importer: &Importer, job: &Job, sent: Option<Millis>) -> Result<(), ImportError> {
    if job.state.is_final() {
        return Ok(());
    }
    if let Some(plan) = &job.plan {
        let parts = importer.imports.parts(&job.id).await?;
        if parts.len() >= plan.parts as usize && parts.iter().all(|part| part.done) {
            return finish_if_done(importer, job, &parts).await;
        }
        if parts.iter().any(|part| !part.done && part.is_taken(now_ms())) {
            tracing::info!(import = %job.id, "a message is among the dead letters, and a worker at work");
            return Ok(());
        }
    }
    let refusal = FileRefusal::not_worked_on();
    tracing::warn!(import = %job.id, "a message is among the dead letters; the import is ended");
    End { refusal: Some(&refusal), broken_off: true, said_by: sent, ..End::new(State::Failed) }
        .write(importer, job)
        .await
}

/// Ends an import whose work has failed at its last try, as failed, so that nobody waits for it. The message goes to the
/// dead letters all the same, where a person finds out why.
///
/// # Errors
/// [`ImportError`].
pub async fn give_up(importer: &Importer, id: &str) -> Result<(), ImportError> {
    let Some(job) = importer.imports.job(id).await? else { return Ok(()) };
    if job.state.is_final() {
        return Ok(());
    }
    let refusal = FileRefusal::broken_off();
    End { refusal: Some(&refusal), broken_off: true, ..End::new(State::Failed) }.write(importer, &job).await?;
    // Other parts may still be written under the leases; then they run out by themselves.
    if let Some(plan) = job.plan.as_ref().filter(|plan| plan.parts <= 1 && !job.dry_run) {
        for store in &plan.stores {
            importer.stores.release(store, id).await?;
        }
    }
    Ok(())
}

/// How an import ends.
struct End<'a> {
    state: State,
    stores: &'a [String],
    rejected: Vec<Reject>,
    rejected_key: Option<String>,
    refusal: Option<&'a FileRefusal>,
    broken_off: bool,
    said_by: Option<Millis>,
}

impl End<'_> {
    fn new(state: State) -> Self {
        Self {
            state,
            stores: &[],
            rejected: Vec::new(),
            rejected_key: None,
            refusal: None,
            broken_off: false,
            said_by: None,
        }
    }

    async fn write(self, importer: &Importer, job: &Job) -> Result<(), ImportError> {
        let Self { state, stores, rejected, rejected_key, refusal, broken_off, said_by } = self;
        let now = now_ms();
        let report = Report {
            import_id: &job.id,
            file_name: &job.file_name,
            mode: job.mode.as_str(),
            dry_run: job.dry_run,
            state: state.as_str(),
            started_at: rfc3339(job.created_at),
            finished_at: rfc3339(now),
            counters: job.counters.into(),
            stores,
            rejected_kept: rejected.len(),
            rejected,
            failure: refusal.map(|refusal| Sentence { es: refusal.es.clone(), en: refusal.en.clone() }),
        };
        // Whoever breaks an import off may be told that it is not: then its report stays as it is.
        let report_key = format!("reports/{}/{}.json", job.id, if broken_off { "broken-off" } else { "report" });
        let json = serde_json::to_vec(&report).map_err(|_| ImportError::Malformed("report"))?;
        put(&importer.files, &importer.reports_bucket, &report_key, "application/json", json).await?;
        let ending = Ending {
            report_key: Some(report_key),
            rejected_key,
            failure: refusal.map(|refusal| (refusal.es.clone(), refusal.en.clone())),
            broken_off,
            said_by,
        };
        let event = (!job.dry_run).then(|| event(job, state, refusal.map(|refusal| refusal.code))).transpose()?;
        if importer.imports.finish(&job.id, state, &ending, event.as_ref(), now).await? {
            let Counters { rows, changed, unchanged, created, rejected, stale } = job.counters;
            tracing::info!(import = %job.id, state = state.as_str(), rows, changed, unchanged, created, rejected, stale, "import ended");
        }
        Ok(())
    }
}

fn event(job: &Job, state: State, reason: Option<&str>) -> Result<OutboxEvent, Unserialisable> {
    let name = if state == State::Failed { name::IMPORT_REFUSED } else { name::IMPORT_COMPLETED };
    let origin = Origin { at: now_ms(), correlation: &job.id, cause: &job.id, aggregate: &job.id };
    let data = ImportData::new(&job.id, &job.file_name, job.mode, state, job.counters, reason);
    // One that was taken up again ends again, and each end is an event.
    let times = job.reopened.to_string();
    let cause: &[&str] = if job.reopened == 0 { &[&job.id] } else { &[&job.id, &times] };
    let envelope = Envelope::wrap(name, cause, origin, data);
    envelope.into_outbox()
}

/// What the parts kept of their rejected rows, in order of the file and within bounds.
async fn gather(importer: &Importer, job: &Job, parts: u32) -> Result<(Vec<Reject>, Option<Vec<u8>>), ImportError> {
    let (mut kept, mut rows) = (Vec::new(), Vec::new());
    if job.counters.rejected == 0 {
        return Ok((kept, None));
    }
    for part in 1..=parts {
        let Some(json) = read_if_there(importer, &rejects_key(&job.id, part, "json"), PART_REJECTS_BYTES_MAX).await?
        else {
            continue;
        };
        let rejects: Vec<Reject> =
            serde_json::from_slice(&json).map_err(|_| ImportError::Malformed("rejected rows"))?;
        kept.extend(rejects);
        if rows.len() < CSV_BYTES_MAX
            && let Some(csv) = read_if_there(importer, &rejects_key(&job.id, part, "csv"), CSV_BYTES_MAX).await?
        {
            rows.extend(csv);
        }
        if kept.len() >= KEPT_MAX {
            break;
        }
    }
    kept.truncate(KEPT_MAX);
    let layout = job.plan.as_ref().and_then(|plan| Layout::decode(&plan.layout));
    let csv = match layout {
        Some(layout) if !rows.is_empty() => {
            let mut csv = Vec::with_capacity(rows.len() + 1024);
            rejected::start(&layout, &mut csv);
            csv.extend(rows);
            Some(csv)
        }
        _ => None,
    };
    Ok((kept, csv))
}

async fn read_if_there(importer: &Importer, key: &str, max: usize) -> Result<Option<Vec<u8>>, ImportError> {
    match read(&importer.files, &importer.reports_bucket, key, max).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FilesError::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
