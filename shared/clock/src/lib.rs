//! Time and random numbers: the two things that a function takes from the machine it runs on.
//!
//! A function in Lambda has the machine's own clock and random numbers. A simulation runs each function with
//! [`Machine::run`], and so decides what time that function sees and which numbers it draws: the same seed gives the same
//! run. Durations come from tokio's clock, which a test can pause; the time of day is derived from it there.
//!
//! Invariant: nothing else in `shared/` and `functions/` reads a clock or draws a random number (`xtask/tests/tidy.rs`).

pub mod random;

use std::cell::RefCell;
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;

pub use tokio::time::Instant;

tokio::task_local! {
    /// The simulated machine that the current task runs on. None in Lambda.
    static MACHINE: Machine;
}

/// A simulated machine: a clock that may be wrong, and a seeded source of random numbers.
#[derive(Debug)]
pub struct Machine {
    started: Instant,
    time_of_day: SystemTime,
    random: RefCell<fastrand::Rng>,
}

impl Machine {
    /// One whose clock shows `time_of_day` now and goes on with tokio's.
    #[must_use]
    pub fn new(time_of_day: SystemTime, seed: u64) -> Self {
        Self { started: Instant::now(), time_of_day, random: RefCell::new(fastrand::Rng::with_seed(seed)) }
    }

    /// Does `work` on this machine. Work that it spawns elsewhere is not on it.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        MACHINE.scope(self, work).await
    }
}

/// The time of day.
#[must_use]
pub fn now() -> SystemTime {
    MACHINE.try_with(|machine| machine.time_of_day + machine.started.elapsed()).unwrap_or_else(|_| SystemTime::now())
}

/// The time of day in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    i64::try_from(since_1970().as_millis()).unwrap_or(i64::MAX)
}

/// The time of day in seconds since 1970.
#[must_use]
pub fn now_seconds() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The same clock for AWS clients, which sign requests with its time.
#[derive(Debug, Clone, Copy)]
pub struct Clock;

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_simulated_machine_has_a_clock_of_its_own() {
        let at = UNIX_EPOCH + Duration::from_millis(1_705_834_800_000);
        let seen = Machine::new(at, 1)
            .run(async {
                let first = now_ms();
                tokio::time::advance(Duration::from_secs(5)).await;
                (first, now_ms(), Clock.now())
            })
            .await;
        assert_eq!(seen, (1_705_834_800_000, 1_705_834_805_000, at + Duration::from_secs(5)));
        // Outside of it the time is the machine's own, long after that.
        assert!(now_ms() > 1_750_000_000_000 && now_seconds() > 1_750_000_000);
    }
}
