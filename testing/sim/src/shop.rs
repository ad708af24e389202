//! The shop of a long run: who uses it, when, and what they know about it.
//!
//! An actor acts at times that follow from the seed, and what it does at each of them follows from the seed too, whatever the
//! others do. It remembers which values are possible: one, or two where an answer was lost. Later answers, and the tables at
//! the end, must have one of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use almacen_testing_aws::Millis;
use tokio::time::{sleep, sleep_until};

use crate::api::{Reply, Request};
use crate::chaos::drawn;
use crate::world::World;

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
/// So often a day there is something to do, for some minutes.
const RUSHES: u64 = 3;
const RUSH_LASTS: Millis = 6 * MINUTE;
/// What an actor does in one of them, at most.
const STEPS_MAX: usize = 3;
/// How often a client asks again that was not answered.
const TRIES: u32 = 8;

/// A step of an actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Who.
    pub actor: String,
    /// Its how-manieth.
    pub nth: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.actor, self.nth)
    }
}

/// The shop as its users see it.
pub(crate) struct Shop<'w> {
    pub(crate) world: &'w World,
    seed: u64,
    opened: Millis,
    days: u64,
    /// The only steps that are done, where a run looks for those that matter.
    only: Option<BTreeSet<Step>>,
    done: RefCell<BTreeSet<Step>>,
    wrong: RefCell<Vec<String>>,
    orders: Cell<u64>,
}

impl<'w> Shop<'w> {
    pub(crate) fn new(world: &'w World, seed: u64, days: u64, only: Option<BTreeSet<Step>>) -> Self {
        let opened = world.cloud().now();
        let (done, wrong) = (RefCell::default(), RefCell::default());
        Self { world, seed, opened, days, only, done, wrong, orders: Cell::new(0) }
    }

    /// When the last rush may end.
    pub(crate) fn closes(&self) -> Millis {
        self.opened + self.days * DAY
    }

    /// When an actor acts.
    pub(crate) fn times(&self, actor: &str) -> Vec<(u64, Millis)> {
        let mut times = Vec::new();
        for rush in 0..self.days * RUSHES {
            let begins = drawn(self.seed, &["rush"], rush).u64(..DAY / RUSHES - RUSH_LASTS);
            let mut rng = drawn(self.seed, &["times", actor], rush);
            let mut of_rush: Vec<Millis> = (0..rng.usize(..=STEPS_MAX))
                .map(|_| self.opened + rush * DAY / RUSHES + begins + rng.u64(..RUSH_LASTS))
                .collect();
            of_rush.sort_unstable();
            times.extend(of_rush);
        }
        times.into_iter().enumerate().map(|(nth, at)| (nth as u64, at)).collect()
    }

    /// Waits for an actor's next step; its choices. `None`: it is left out.
    pub(crate) async fn step(&self, actor: &str, (nth, at): (u64, Millis)) -> Option<fastrand::Rng> {
        sleep_until(self.world.cloud().clock().instant(at)).await;
        let step = Step { actor: actor.to_owned(), nth };
        if self.only.as_ref().is_some_and(|only| !only.contains(&step)) {
            return None;
        }
        self.done.borrow_mut().insert(step);
        Some(drawn(self.seed, &["step", actor], nth))
    }

    /// What was done.
    pub(crate) fn steps(&self) -> BTreeSet<Step> {
        self.done.borrow().clone()
    }

    /// Something is not as it must be.
    pub(crate) fn wrong(&self, told: impl Into<String>) {
        self.wrong.borrow_mut().push(told.into());
    }

    /// What was wrong so far.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.wrong.borrow().clone()
    }

    /// A number that no other file or product of this run has.
    pub(crate) fn number(&self) -> u64 {
        self.orders.set(self.orders.get() + 1);
        self.orders.get()
    }

    /// A request; `None` where it is not known what became of it.
    pub(crate) async fn once(&self, request: &Request) -> Option<Reply> {
        let (method, resource) = request.route();
        let routes = &self.world.cloud().stack().routes;
        let Some(route) = routes.iter().find(|route| route.method == method && route.path == resource) else {
            self.wrong(format!("there is no {method} {resource}"));
            return None;
        };
        match self.world.request(&route.function, request.clone()).await {
            Ok(reply) => reply.filter(|reply| reply.status < 500 && reply.status != 429),
            Err(error) => {
                self.wrong(format!("{method} {resource}: {error:#}"));
                None
            }
        }
    }

    /// A request that may be made again, until somebody answers. `None`: nobody did for minutes.
    pub(crate) async fn insist(&self, request: &Request) -> Option<Reply> {
        for again in 0..TRIES {
            if let Some(reply) = self.once(request).await {
                return Some(reply);
            }
            sleep(Duration::from_secs(1 << again)).await;
        }
        None
    }

    /// Checks that an answer is one of those that can be.
    pub(crate) fn expect(&self, what: &str, reply: &Reply, statuses: &[u16]) -> bool {
        let is_expected = statuses.contains(&reply.status);
        if !is_expected {
            self.wrong(format!("{what} was answered {} {}", reply.status, reply.body));
        }
        is_expected
    }
}

/// What a value may be, as far as somebody knows who alone changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known<T: Ord>(BTreeSet<T>);

impl<T: Ord + Clone + fmt::Debug> Known<T> {
    pub(crate) fn is(value: T) -> Self {
        Self([value].into())
    }

    /// It was changed.
    pub(crate) fn changed(&mut self, change: impl Fn(&T) -> T) {
        self.0 = self.0.iter().map(change).collect();
    }

    /// It was changed, or not.
    pub(crate) fn perhaps(&mut self, change: impl Fn(&T) -> T) {
        let changed: BTreeSet<T> = self.0.iter().map(change).collect();
        self.0.extend(changed);
    }

    /// It was seen. `false`: it cannot be that.
    pub(crate) fn seen(&mut self, value: T) -> bool {
        let was_possible = self.0.contains(&value);
        self.0 = [value].into();
        was_possible
    }

    pub(crate) fn may_be(&self, value: &T) -> bool {
        self.0.contains(value)
    }
}
