//! The parts of a large file are handed to workers a few at a time.
//!
//! With `workers` at once, parts form that many rows: row 1 has the parts 1, 1 + workers, 1 + 2 · workers … The first
//! unfinished part of each row is sent to RangesQueue. The worker that finishes a part sends the next one of its row,
//! and only then acknowledges its own message. If it dies in between, its message is delivered again, finds the part
//! done and sends the next. So each row has a message until its last part is done; where it has none, its message is
//! among the dead letters. A part that is sent twice is worked on once: [`crate::part`].

use std::time::Duration;

use almacen_clock::now_ms;
use almacen_domain::Millis;
use almacen_domain::stock::import::State;
use almacen_table::stock::imports::{Job, Part};
use serde::{Deserialize, Serialize};

use crate::error::ImportError;
use crate::{Importer, Turn};

/// Workers for each store that a file names. A store's lines have one partition key, and a thousand writes a second are
/// all that its partition takes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>).
const WORKERS_PER_STORE: usize = 2;
/// Workers at once for one file, whatever it names.
const WORKERS_MAX: usize = 20;
/// How long handing over the parts of an import that was taken up again may take: then another message does it.
const HANDING_MS: Millis = 30_000;

/// How many parts of a file that names so many stores are worked on at once.
#[must_use]
pub fn workers(stores: usize) -> u32 {
    let workers = stores.saturating_mul(WORKERS_PER_STORE).clamp(WORKERS_PER_STORE, WORKERS_MAX);
    u32::try_from(workers).unwrap_or(u32::MAX)
}

/// The first part of each row that is not done.
fn heads(parts: &[Part], workers: u32) -> Vec<&Part> {
    (0..workers.max(1)).filter_map(|row| in_row(parts, workers, row).find(|part| !part.done)).collect()
}

/// The part to hand over after the one of this number is done: the next of its row that is not. `None` where there is none
/// left, or where a worker has it and therefore a message.
fn next(parts: &[Part], workers: u32, done: u32, now: Millis) -> Option<&Part> {
    let row = done.checked_sub(1)? % workers.max(1);
    in_row(parts, workers, row).find(|part| part.number > done && !part.done).filter(|part| !part.is_taken(now))
}

fn in_row(parts: &[Part], workers: u32, row: u32) -> impl Iterator<Item = &Part> {
    parts.iter().filter(move |part| part.number >= 1 && (part.number - 1) % workers.max(1) == row)
}

/// A part of a large file, as it waits in the ranges queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Of which import.
    pub import: String,
    /// Which part, from 1.
    pub part: u32,
}

impl Range {
    /// From a message's body.
    ///
    /// # Errors
    /// When it is none of ours: the message can never succeed.
    pub fn parse(body: &str) -> Result<Self, ImportError> {
        serde_json::from_str(body).map_err(|_| ImportError::Malformed("range"))
    }
}

impl Importer {
    /// Hands over the first parts of an import whose file is worked on by many, but for the part `own`, whose message is
    /// at hand.
    ///
    /// # Errors
    /// [`ImportError`]; some may be handed over then.
    pub async fn hand_over(&self, job: &Job, parts: &[Part], own: Option<u32>) -> Result<(), ImportError> {
        let plan = job.plan.as_ref().ok_or(ImportError::Malformed("import without plan"))?;
        let (now, again) = (now_ms(), job.handing_until.is_some());
        for part in heads(parts, plan.workers) {
            // A worker has a message. Not so the last worker of an import that was broken off.
            if Some(part.number) != own && (again || !part.is_taken(now)) {
                self.send_range(&job.id, part.number, Duration::ZERO).await?;
            }
        }
        if again {
            self.imports.handed_over(&job.id).await?;
        }
        Ok(())
    }

    /// Hands over the part that follows one that is done, unless the import has been broken off.
    ///
    /// # Errors
    /// [`ImportError`].
    pub(crate) async fn hand_over_next(&self, job: &Job, parts: &[Part], done: u32) -> Result<(), ImportError> {
        let workers = job.plan.as_ref().map_or(1, |plan| plan.workers);
        match next(parts, workers, done, now_ms()) {
            Some(part) if self.is_running(&job.id).await? => {
                self.send_range(&job.id, part.number, Duration::ZERO).await
            }
            _ => Ok(()),
        }
    }

    /// Leaves a part that is not done to a worker after `delay`, unless the import has been broken off: who takes it up
    /// again hands over its parts, and a message that is sent after its end would be taken for that.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn come_back(&self, import: &str, part: u32, delay: Duration) -> Result<(), ImportError> {
        if self.is_running(import).await? { self.send_range(import, part, delay).await } else { Ok(()) }
    }

    async fn is_running(&self, import: &str) -> Result<bool, ImportError> {
        Ok(self.imports.state(import).await? == Some(State::Running))
    }

    async fn send_range(&self, import: &str, part: u32, delay: Duration) -> Result<(), ImportError> {
        let range = Range { import: import.to_owned(), part };
        let body = serde_json::to_string(&range).map_err(|_| ImportError::Malformed("range"))?;
        Ok(self.ranges.send(body, delay).await?)
    }

    /// The import of a message that has come: where it had been broken off before the message was sent, somebody has put
    /// the message back, and the import is taken up again where its parts were left. Any other is answered as it is.
    ///
    /// Where `handing_until` is set in the answer, it is for the caller to [`hand_over`](Self::hand_over).
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn take_up_again(&self, job: Job, turn: &Turn<'_>) -> Result<Job, ImportError> {
        let now = now_ms();
        match turn.sent {
            Some(sent) if job.state == State::Failed && job.broken_off => {
                match self.imports.reopen(&job.id, sent, now + HANDING_MS).await? {
                    Some(job) => {
                        tracing::info!(import = %job.id, "its message was put back: taken up again");
                        Ok(job)
                    }
                    // Put back together with another message, which was quicker; or a late one.
                    None => self.as_it_is(job).await,
                }
            }
            _ => Ok(left_to_its_worker(job, now)),
        }
    }

    async fn as_it_is(&self, job: Job) -> Result<Job, ImportError> {
        let job = self.imports.job(&job.id).await?.unwrap_or(job);
        Ok(left_to_its_worker(job, now_ms()))
    }
}

/// Another worker is handing over the parts, unless its time is over.
fn left_to_its_worker(job: Job, now: Millis) -> Job {
    Job { handing_until: job.handing_until.filter(|until| *until < now), ..job }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts by letter: `d` done, `-` not.
    fn parts(states: &str) -> Vec<Part> {
        let part = |(position, state): (usize, char)| {
            let mut part = Part::new(u32::try_from(position + 1).unwrap(), 0, 1, 1);
            part.done = state == 'd';
            part
        };
        states.chars().enumerate().map(part).collect()
    }

    #[test]
    fn two_workers_a_store_within_bounds() {
        assert_eq!([0, 1, 2, 9, 10, 11, 5000].map(workers), [2, 2, 4, 18, 20, 20, 20]);
    }

    #[test]
    fn each_row_has_one_part_handed_over() {
        let check = |states: &str, workers, expected: &[u32]| {
            let parts = parts(states);
            let heads: Vec<u32> = heads(&parts, workers).iter().map(|part| part.number).collect();
            assert_eq!(heads, expected, "{states}");
        };
        check("------", 2, &[1, 2]);
        check("d-----", 2, &[3, 2]);
        check("dddd--", 2, &[5, 6]);
        check("ddddd-", 2, &[6]);
        check("d-d-d-", 2, &[2]);
        check("dddddd", 2, &[]);
        check("---", 20, &[1, 2, 3]);
        check("", 2, &[]);
    }

    #[test]
    fn the_next_of_the_row_follows() {
        let check = |states: &str, workers, done, expected: Option<u32>| {
            let parts = parts(states);
            assert_eq!(next(&parts, workers, done, 1).map(|part| part.number), expected, "{states} after {done}");
        };
        check("d-----", 2, 1, Some(3));
        check("d-d---", 2, 1, Some(5));
        check("d-d-d-", 2, 5, None);
        check("-----d", 2, 6, None);
        check("d-----", 6, 1, None);
        check("", 2, 0, None);
    }

    /// However often workers die after a part and before they hand over the next, and however often messages come twice, all
    /// parts are done in the end, and never more messages wait than rows and repetitions.
    #[test]
    fn no_crash_between_a_part_and_the_next_stalls_an_import() {
        for seed in 0..500 {
            let mut chance = fastrand::Rng::with_seed(seed);
            let workers = chance.u32(1..8);
            let mut parts = parts(&"-".repeat(chance.usize(1..40)));
            let mut queue: Vec<u32> = heads(&parts, workers).iter().map(|part| part.number).collect();
            let mut repeated = 0;
            while !queue.is_empty() {
                assert!(queue.len() <= workers as usize + repeated);
                let message = queue.swap_remove(chance.usize(..queue.len()));
                let died_before = chance.u8(..4) == 0;
                if !died_before {
                    parts[message as usize - 1].done = true;
                }
                if died_before || chance.u8(..4) == 0 {
                    // Not acknowledged: it comes again.
                    queue.push(message);
                    continue;
                }
                queue.extend(next(&parts, workers, message, 1).map(|part| part.number));
                if repeated < 3 && chance.u8(..8) == 0 {
                    repeated += 1;
                    queue.push(message);
                }
            }
            assert!(parts.iter().all(|part| part.done), "seed {seed}");
        }
    }
}
