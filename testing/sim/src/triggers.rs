//! Triggers as AWS fires them: side by side, each when it is due.

use std::future::Future;
use std::time::Duration;

use almacen_testing_aws::Millis;
use almacen_testing_aws::stack::Trigger;
use anyhow::Result;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{sleep, sleep_until};

use crate::world::{Ended, World};

/// Invocations at once of a queue whose trigger does not limit them.
const AT_ONCE: usize = 5;
/// An asynchronous invocation that failed is tried again after this, then after twice as long.
const ASYNC_PAUSE: Millis = 60_000;
/// While invocations are under way, so often is it looked whether a trigger is due: first, and at last.
const LOOK: (Millis, Millis) = (4, 128);
/// After so long without anything but schedules, schedules fire less often: nights take no time then.
const QUIET_AFTER: Millis = 5 * 60_000;
/// How often at least.
const QUIET_EVERY: Millis = 60 * 60_000;

type Work<'w> = LocalBoxFuture<'w, Result<Done>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Trigger(usize),
    Somebody,
}

struct Armed<'w> {
    package: &'w str,
    trigger: &'w Trigger,
    /// Invocations of it that are under way.
    running: usize,
    /// Of a schedule: when it fires next.
    next: Millis,
}

/// Runs a world: its triggers and its users.
pub(crate) struct Triggers<'w> {
    world: &'w World,
    armed: Vec<Armed<'w>>,
    work: FuturesUnordered<Work<'w>>,
    /// How many of `work` are people.
    people: usize,
    /// When something other than a schedule was last under way.
    active: Millis,
}

impl<'w> Triggers<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let now = world.cloud().now();
        let functions = world.cloud().stack().functions.iter();
        let armed = functions.flat_map(|(package, spec)| {
            spec.triggers.iter().map(move |trigger| {
                let next = if let Trigger::Schedule { every } = trigger { now + every } else { 0 };
                Armed { package, trigger, running: 0, next }
            })
        });
        let armed = armed.collect();
        let work = FuturesUnordered::<Work<'w>>::new();
        work.push(Box::pin(async move { Err(world.admit_apart().await) }));
        Self { world, armed, work, people: 0, active: now }
    }

    /// Somebody who uses the system.
    pub(crate) fn admit(&mut self, somebody: impl Future<Output = ()> + 'w) {
        self.people += 1;
        self.work.push(Box::pin(async move {
            somebody.await;
            Ok(Done::Somebody)
        }));
    }

    /// Runs until everybody has gone.
    pub(crate) async fn run_people(&mut self) -> Result<()> {
        let mut look = LOOK.0;
        while self.people > 0 {
            self.turn(Millis::MAX, &mut look).await?;
        }
        Ok(())
    }

    /// Runs until a time.
    pub(crate) async fn run_until(&mut self, until: Millis) -> Result<()> {
        let mut look = LOOK.0;
        while self.world.cloud().now() < until {
            self.turn(until, &mut look).await?;
        }
        Ok(())
    }

    /// Is nothing under way, and nothing due but schedules?
    pub(crate) fn is_idle(&self) -> bool {
        let waits = |armed: &Armed<'_>| {
            !matches!(armed.trigger, Trigger::Schedule { .. }) && self.due(armed).is_some() || armed.running > 0
        };
        !self.armed.iter().any(waits)
    }

    /// When a trigger fires next.
    fn due(&self, armed: &Armed<'_>) -> Option<Millis> {
        let now = self.world.cloud().now();
        match armed.trigger {
            Trigger::Queue { queue, concurrency, .. } => {
                let free = armed.running < concurrency.unwrap_or(AT_ONCE);
                free.then(|| self.world.cloud().sqs().next_visible(queue, now)).flatten()
            }
            Trigger::Stream { table, .. } => {
                (armed.running == 0).then(|| self.world.next_read(armed.package, table)).flatten()
            }
            Trigger::Schedule { .. } => Some(armed.next),
        }
    }

    async fn turn(&mut self, until: Millis, look: &mut Millis) -> Result<()> {
        if self.world.touched() > self.active {
            self.wake();
        }
        let (mut next, mut fired) = (until, false);
        for at in 0..self.armed.len() {
            match self.due(&self.armed[at]) {
                Some(due) if due <= self.world.cloud().now() => {
                    self.fire(at);
                    fired = true;
                }
                Some(due) => next = next.min(due),
                None => {}
            }
        }
        if fired {
            *look = LOOK.0;
        }
        if self.world.is_busy() {
            // A call that is under way may make something due at any moment.
            next = next.min(self.world.cloud().now() + *look);
            *look = (*look * 2).min(LOOK.1);
        }
        let wakes = async {
            if next < Millis::MAX {
                sleep_until(self.world.cloud().clock().instant(next)).await;
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            biased;
            Some(done) = self.work.next() => {
                *look = LOOK.0;
                match done? {
                    Done::Somebody => self.people -= 1,
                    Done::Trigger(at) => self.armed[at].running -= 1,
                }
            }
            () = self.world.stirs() => {}
            () = wakes => {}
        }
        Ok(())
    }

    fn fire(&mut self, at: usize) {
        let (world, now) = (self.world, self.world.cloud().now());
        let armed = &mut self.armed[at];
        let (package, trigger) = (armed.package, armed.trigger);
        armed.running += 1;
        self.work.push(match trigger {
            Trigger::Queue { queue, batch, partial, .. } => {
                Box::pin(
                    async move { world.deliver(package, queue, *batch, *partial).await.map(|_| Done::Trigger(at)) },
                )
            }
            Trigger::Stream { .. } => {
                Box::pin(async move { world.read(package, trigger).await.map(|_| Done::Trigger(at)) })
            }
            Trigger::Schedule { every } => {
                let is_quiet = now > self.active + QUIET_AFTER;
                armed.next = now + if is_quiet { QUIET_EVERY.max(*every) } else { *every };
                let retries = world.cloud().stack().functions[package].async_retries;
                Box::pin(tick(world, package, retries, at))
            }
        });
        if !matches!(trigger, Trigger::Schedule { .. }) {
            self.active = now;
        }
    }

    /// Something happens: schedules fire as often as they say.
    fn wake(&mut self) {
        let now = self.world.cloud().now();
        self.active = now;
        for armed in &mut self.armed {
            if let Trigger::Schedule { every } = armed.trigger {
                armed.next = armed.next.min(now + every);
            }
        }
    }
}

async fn tick(world: &World, package: &str, retries: u32, at: usize) -> Result<Done> {
    for again in 0..=retries {
        if matches!(world.tick(package).await?, Ended::Answered(_)) {
            break;
        }
        sleep(Duration::from_millis(ASYNC_PAUSE << again)).await;
    }
    Ok(Done::Trigger(at))
}
