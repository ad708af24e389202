//! The report, the event, the leases back.

use almacen_contract::event::{Envelope, ImportData, Origin, name};
use almacen_contract::time::rfc3339;
use almacen_domain::csv::{Layout, rejected};
use almacen_domain::import::{Counters, State};
use almacen_files::FilesError;
use almacen_files::object::read;
use almacen_files::write::put;
use almacen_lambda_kit::start::now_ms;
use almacen_table::imports::{Ending, Job};
use almacen_table::outbox::Event;
use serde::Serialize;

use crate::Importer;
use crate::error::{ImportError, Refusal};
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
    put(importer.files, bucket, &rejects_key(import, part, "json"), "application/json", json).await?;
    if !rejects.csv.is_empty() {
        let csv = rejects.csv.clone();
        put(importer.files, bucket, &rejects_key(import, part, "csv"), "text/csv; charset=utf-8", csv).await?;
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
    let Some(plan) = &job.plan else { return Ok(()) };
    let id = &job.id;
    if !job.state.is_final() {
        let parts = importer.imports.parts(id).await?;
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
                put(importer.files, &importer.reports_bucket, &key, "text/csv; charset=utf-8", csv).await?;
                Some(key)
            }
            None => None,
        };
        end(importer, &job, state, &plan.stores, kept, rejected_key, None).await?;
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
pub async fn refuse(importer: &Importer, job: &Job, refusal: &Refusal) -> Result<(), ImportError> {
    tracing::info!(import = %job.id, code = refusal.code, "file refused");
    end(importer, job, State::Failed, &[], Vec::new(), None, Some(refusal)).await
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
    refuse(importer, &job, &Refusal::broken_off()).await?;
    // Other parts may still be written under the leases; then they run out by themselves.
    if let Some(plan) = job.plan.as_ref().filter(|plan| plan.parts <= 1 && !job.dry_run) {
        for store in &plan.stores {
            importer.stores.release(store, id).await?;
        }
    }
    Ok(())
}

async fn end(
    importer: &Importer,
    job: &Job,
    state: State,
    stores: &[String],
    rejected: Vec<Reject>,
    rejected_key: Option<String>,
    refusal: Option<&Refusal>,
) -> Result<(), ImportError> {
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
    let report_key = format!("reports/{}/report.json", job.id);
    let json = serde_json::to_vec(&report).map_err(|_| ImportError::Malformed("report"))?;
    put(importer.files, &importer.reports_bucket, &report_key, "application/json", json).await?;
    let ending = Ending {
        report_key: Some(report_key),
        rejected_key,
        failure: refusal.map(|refusal| (refusal.es.clone(), refusal.en.clone())),
    };
    let event = (!job.dry_run).then(|| event(job, state, refusal.map(|refusal| refusal.code)));
    importer.imports.finish(&job.id, state, &ending, event.as_ref(), now).await?;
    let Counters { rows, changed, unchanged, created, rejected, stale } = job.counters;
    tracing::info!(import = %job.id, state = state.as_str(), rows, changed, unchanged, created, rejected, stale, "import ended");
    Ok(())
}

fn event(job: &Job, state: State, reason: Option<&str>) -> Event {
    let name = if state == State::Failed { name::IMPORT_REFUSED } else { name::IMPORT_COMPLETED };
    let origin = Origin { at: now_ms(), correlation: &job.id, cause: &job.id, aggregate: &job.id };
    let data = ImportData::new(&job.id, &job.file_name, job.mode, state, job.counters, reason);
    let envelope = Envelope::wrap(name, &[&job.id], origin, data);
    Event { body: envelope.body(), id: envelope.id, name: envelope.evento }
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
    match read(importer.files, &importer.reports_bucket, key, max).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FilesError::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
