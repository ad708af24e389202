//! A file is read once before anything of it is written.

use std::time::Duration;

use almacen_files::FilesError;
use almacen_files::write::{Upload, put};
use almacen_stock_csv::{self as csv, Layout, Sniff, Survey, Surveyed};
use almacen_table::stock::imports::{Job, Object, Part, Plan};
use bytes::Bytes;

use crate::error::{FileRefusal, ImportError};
use crate::handover::workers;
use crate::source::{Source, SourceError, hold, is_gzip};
use crate::{Importer, STOP_BEFORE, Turn, ending};

/// Tries of a survey that takes longer than an invocation may; fewer than the uploads queue gives a message.
const TRIES_MAX: u32 = 3;
/// Bytes of layout and stores in a plan: a record of DynamoDB has 400 KB, counters and names of attributes included.
const PLAN_BYTES_MAX: usize = 300 * 1024;
/// What an element of a list costs beside its text.
const NAME_EXTRA_BYTES: usize = 4;
/// A file up to this size, in stored bytes, is read from S3 once for all passes of its survey.
const HELD_BYTES_MAX: u64 = 256 * 1024;

/// What the survey is allowed and told.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The largest file that is taken, in inflated bytes.
    pub file_bytes_max: u64,
    /// Larger files are worked on by many invocations; a gzip that inflates to more is inflated once, for all of them.
    pub split_bytes: u64,
}

/// What came of a survey.
#[derive(Debug)]
pub enum SurveyOutcome {
    /// How the work is cut.
    Planned(Plan, Vec<Part>),
    /// The file is refused whole.
    Refused(FileRefusal),
}

impl From<FileRefusal> for SurveyOutcome {
    fn from(refusal: FileRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Surveys the file of `job`. Its intermediate results go to the reports bucket; nothing else is written.
///
/// # Errors
/// [`ImportError`].
pub async fn survey(
    importer: &Importer,
    job: &Job,
    bounds: Bounds,
    turn: &Turn<'_>,
) -> Result<SurveyOutcome, ImportError> {
    if job.object.size > bounds.file_bytes_max {
        return Ok(FileRefusal::too_large(bounds.file_bytes_max).into());
    }
    let held = match job.object.size {
        0..=HELD_BYTES_MAX => match hold(&importer.files, &job.object).await {
            Ok(bytes) => Some(bytes),
            Err(ImportError::Files(FilesError::Missing)) => return Ok(FileRefusal::gone().into()),
            Err(error) => return Err(error),
        },
        _ => None,
    };
    let surveying = Surveying { importer, job, bounds, turn, held };
    match Box::pin(surveying.run()).await {
        Ok((plan, parts)) => Ok(SurveyOutcome::Planned(plan, parts)),
        Err(SourceError::Refused(refusal)) => Ok(refusal.into()),
        Err(SourceError::Import(ImportError::Files(FilesError::Missing))) => Ok(FileRefusal::gone().into()),
        Err(SourceError::Import(error)) => Err(error),
    }
}

struct Surveying<'a> {
    importer: &'a Importer,
    job: &'a Job,
    bounds: Bounds,
    turn: &'a Turn<'a>,
    /// The stored bytes of a small file.
    held: Option<Bytes>,
}

impl Surveying<'_> {
    async fn run(&self) -> Result<(Plan, Vec<Part>), SourceError> {
        let gzip = self.is_gzip().await?;
        let layout = self.layout(gzip).await?;
        let (report, size) = self.report(&layout, gzip).await?;
        let (source, gzip) = if gzip && size > self.bounds.split_bytes {
            (self.inflate(size).await?, false)
        } else {
            (self.job.object.clone(), gzip)
        };
        let duplicates_key =
            if report.duplicates.is_empty() { None } else { Some(self.keep_duplicates(&report).await?) };
        let parts: Vec<Part> = (1..)
            .zip(&report.parts)
            .map(|(number, part)| Part::new(number, part.start.offset, part.end, part.start.line))
            .collect();
        let layout = layout.encode();
        let names: usize = report.stores.iter().map(|(store, _)| store.to_string().len() + NAME_EXTRA_BYTES).sum();
        if layout.len() + names > PLAN_BYTES_MAX {
            return Err(SourceError::Refused(FileRefusal::too_many_names()));
        }
        let plan = Plan {
            layout,
            encoding: report.encoding.as_str().to_owned(),
            source,
            gzip,
            rows_total: report.rows,
            parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            workers: workers(report.stores.len()),
            stores: report.stores.iter().map(|(store, _)| store.to_string()).collect(),
            duplicates_key,
        };
        Ok((plan, parts))
    }

    fn source(&self, gzip: bool, start: u64) -> Source {
        let end = if gzip { u64::MAX } else { self.job.object.size };
        self.stretch(gzip, start, end)
    }

    fn stretch(&self, gzip: bool, start: u64, end: u64) -> Source {
        match &self.held {
            Some(file) => Source::of_held(file, gzip, start, end),
            None => Source::new(&self.importer.files, &self.job.object, gzip, start, end),
        }
    }

    fn in_time(&self) -> Result<(), SourceError> {
        in_time(self.turn.deadline.left(), self.turn.tries)
    }

    async fn is_gzip(&self) -> Result<bool, SourceError> {
        let mut prefix = Vec::new();
        let mut source = self.stretch(false, 0, self.job.object.size.min(16));
        while let Some(chunk) = source.chunk().await? {
            prefix.extend_from_slice(&chunk);
        }
        Ok(is_gzip(&prefix))
    }

    async fn layout(&self, gzip: bool) -> Result<Layout, SourceError> {
        let mut source = self.source(gzip, 0);
        let mut prefix = Vec::new();
        loop {
            let chunk = source.chunk().await?;
            let complete = chunk.is_none();
            prefix.extend_from_slice(&chunk.unwrap_or_default());
            match csv::sniff(&prefix, complete, &self.job.object.key) {
                Sniff::Layout(layout) => return Ok(layout),
                Sniff::Refused(problem) => return Err(SourceError::Refused(problem.into())),
                // Never the answer to a complete file, nor to as much as is ever needed.
                Sniff::NeedMore if complete => return Err(ImportError::Malformed("sniff").into()),
                Sniff::NeedMore => {}
            }
        }
    }

    /// The survey proper: a pass over all bytes, or more where so many rows need them.
    async fn report(&self, layout: &Layout, gzip: bool) -> Result<(csv::Report, u64), SourceError> {
        let mut plan = csv::Plan::first(self.job.object.size, almacen_clock::random::number());
        loop {
            let mut survey = Survey::new(layout, self.job.mode, plan);
            let mut source = self.source(gzip, layout.body().offset);
            let mut size = layout.body().offset;
            while let Some(chunk) = source.chunk().await? {
                self.in_time()?;
                size += chunk.len() as u64;
                if size > self.bounds.file_bytes_max {
                    return Err(SourceError::Refused(FileRefusal::too_large(self.bounds.file_bytes_max)));
                }
                survey.feed(&chunk).map_err(|problem| SourceError::Refused(problem.into()))?;
            }
            match survey.finish().map_err(|problem| SourceError::Refused(problem.into()))? {
                Surveyed::Again(next) => plan = next,
                Surveyed::Done(report) => return Ok((report, size)),
            }
        }
    }

    /// A large gzip is inflated once into the reports bucket, so that its parts can be read from where they begin.
    async fn inflate(&self, size: u64) -> Result<Object, SourceError> {
        let key = ending::work_key(&self.job.id, "inflated.csv");
        let bucket = &self.importer.reports_bucket;
        let mut upload = Upload::begin(&self.importer.files, bucket, &key, "text/csv")
            .await
            .map_err(|error| SourceError::Import(error.into()))?;
        let mut source = self.source(true, 0);
        while let Some(chunk) = source.chunk().await? {
            self.in_time()?;
            upload.push(&chunk).await.map_err(|error| SourceError::Import(error.into()))?;
        }
        upload.complete().await.map_err(|error| SourceError::Import(error.into()))?;
        Ok(Object { bucket: bucket.clone(), key, version: None, size })
    }

    async fn keep_duplicates(&self, report: &csv::Report) -> Result<String, ImportError> {
        let key = ending::work_key(&self.job.id, "duplicates");
        let bytes = report.duplicates.encode();
        put(&self.importer.files, &self.importer.reports_bucket, &key, "application/octet-stream", bytes).await?;
        Ok(key)
    }
}

/// A survey is done in one invocation or not at all. A machine may have been slow once; a file that is never done is
/// refused with words, before its message would end among the dead letters without.
fn in_time(left: Duration, tries: u32) -> Result<(), SourceError> {
    if left >= STOP_BEFORE {
        Ok(())
    } else if tries < TRIES_MAX {
        Err(ImportError::OutOfTime.into())
    } else {
        Err(SourceError::Refused(FileRefusal::too_slow()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_that_takes_too_long_comes_again_and_in_the_end_is_refused() {
        let short = STOP_BEFORE.saturating_sub(Duration::from_millis(1));
        assert!(in_time(STOP_BEFORE, 9).is_ok());
        assert!(matches!(in_time(short, 1), Err(SourceError::Import(ImportError::OutOfTime))));
        assert!(matches!(in_time(short, 2), Err(SourceError::Import(ImportError::OutOfTime))));
        assert!(matches!(in_time(short, 3), Err(SourceError::Refused(FileRefusal { code: "FILE_TOO_SLOW", .. }))));
    }
}
