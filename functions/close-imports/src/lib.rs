//! Ends imports, as failed, whose messages are among the dead letters.
//!
//! Trigger: a schedule, every five minutes. An ingest function ends an import whose work fails at its message's last
//! try. A message that no function received, because the account's concurrency was used up, reaches the dead letters
//! without that; so does one whose function was killed every time. This function reads the dead letters, removes none,
//! and ends the imports that they name; for a file without an import it makes the import first. Run twice or at once it
//! changes nothing more. An import that it ended is resumed when its message is put back (`cargo xtask redrive`).

use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Deadline, Failure, Function};
use almacen_queue::{Queue, Waiting};
use almacen_stock_import::arrival::{self, Uploaded};
use almacen_stock_import::error::ImportError;
use almacen_stock_import::{Importer, Range, ending};
use futures::future::try_join;
use futures::stream::{self, StreamExt as _};
use lambda_runtime::Context;
use serde::de::IgnoredAny;

/// Messages of each queue that are looked at in one invocation.
const LOOKED_AT_MAX: usize = 1_000;
/// Imports that are ended at once.
const AT_ONCE: usize = 8;
/// Nothing is begun with less time left than this; the next invocation goes on.
const STOP_BEFORE: Duration = Duration::from_secs(10);

/// The function and what it talks to.
#[derive(Debug)]
pub struct CloseImports {
    importer: Importer,
    uploads: Queue,
    ranges: Queue,
}

impl CloseImports {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            importer: Importer::from_env(env, aws),
            uploads: Queue::new(aws, env.required("UPLOADS_DEAD_LETTERS_URL")),
            ranges: Queue::new(aws, env.required("RANGES_DEAD_LETTERS_URL")),
        }
    }
}

impl Function for CloseImports {
    type Event = Tick;
    type Answer = ();

    async fn handle(&self, _tick: Tick, context: Context) -> Result<(), Failure> {
        close_all(self, Deadline::of(&context)).await
    }
}

/// The schedule's event. It says that time has passed, and nothing else that matters.
pub type Tick = IgnoredAny;

/// What a dead letter asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// That a file be imported.
    Upload(Box<Uploaded>),
    /// That a part of one be worked on.
    Range(Range),
}

/// What a message of the uploads queue asked for. One that is no event of ours is an operator's to look at.
#[must_use]
pub fn uploads(body: &str) -> Vec<Asked> {
    let found = arrival::parse(body).unwrap_or_default();
    found.into_iter().map(|uploaded| Asked::Upload(Box::new(uploaded))).collect()
}

/// What a message of the ranges queue asked for.
#[must_use]
pub fn ranges(body: &str) -> Vec<Asked> {
    Range::parse(body).map(Asked::Range).into_iter().collect()
}

/// Ends the imports that the dead letters name.
///
/// # Errors
/// Where a queue cannot be looked into, or an import not be ended. The others are; the next invocation tries again.
async fn close_all(deps: &CloseImports, deadline: Deadline) -> Result<(), Failure> {
    let (of_uploads, of_ranges) = try_join(deps.uploads.look(LOOKED_AT_MAX), deps.ranges.look(LOOKED_AT_MAX)).await?;
    let asked = |messages: Vec<Waiting>, read: fn(&str) -> Vec<Asked>| {
        messages.into_iter().flat_map(move |message| {
            let sent = message.sent;
            read(&message.body).into_iter().map(move |asked| (asked, sent))
        })
    };
    let work = asked(of_uploads, uploads).chain(asked(of_ranges, ranges)).map(|(asked, sent)| async move {
        if deadline.left() < STOP_BEFORE {
            return Ok(());
        }
        let closed = close(&deps.importer, &asked, sent).await.map_err(Failure::from);
        closed.inspect_err(|failure| tracing::error!(error = %failure.message, ?asked, "import not ended"))
    });
    let results: Vec<Result<(), Failure>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    results.into_iter().collect()
}

async fn close(importer: &Importer, asked: &Asked, sent: Option<i64>) -> Result<(), ImportError> {
    match asked {
        Asked::Upload(uploaded) => match arrival::open(importer, uploaded).await? {
            (job, Some(refusal)) if !job.state.is_final() => ending::refuse(importer, &job, &refusal).await,
            (job, _) => ending::close(importer, &job, sent).await,
        },
        Asked::Range(range) => match importer.imports.job(&range.import).await? {
            Some(job) => ending::close(importer, &job, sent).await,
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dead_letters_ask_for() {
        let letter = |text: &str| -> String {
            let message: serde_json::Value = serde_json::from_str(text).unwrap();
            message["Body"].as_str().unwrap().to_owned()
        };
        let upload = letter(include_str!("../../../events/close-imports/upload.json"));
        let range = letter(include_str!("../../../events/close-imports/range.json"));
        let none = letter(include_str!("../../../events/close-imports/not-ours.json"));
        let [Asked::Upload(uploaded)] = &uploads(&upload)[..] else { panic!("no upload") };
        assert_eq!((uploaded.key.as_str(), uploaded.size), ("berlin-madrid.csv", Some(252)));
        let asked = Range { import: "imp_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d".to_owned(), part: 2 };
        assert_eq!(ranges(&range), [Asked::Range(asked)]);
        assert_eq!((uploads(&none), ranges(&none)), (vec![], vec![]));
        assert_eq!((uploads(&range), ranges(&upload)), (vec![], vec![]));
    }

    #[test]
    fn any_event_is_a_tick() {
        let _: Tick = serde_json::from_str(include_str!("../../../events/close-imports/schedule.json")).unwrap();
    }
}
