//! What goes wrong in a long run: drawn from the seed, at any call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hasher as _;

use almacen_testing_aws::Millis;
use almacen_testing_aws::cloud::fault::{CallInfo, Failure, Fault};
use twox_hash::XxHash3_64;

const MINUTE: Millis = 60_000;
/// The longest that a slow call takes more.
const SLOWEST: Millis = 3_000;
/// Services that can be out of order for a while.
const SERVICES: [&str; 4] = ["dynamodb", "sqs", "sns", "s3"];

/// One fault of a run, named so that it is the same one where others are left out: the how-manieth call of this kind by this
/// function, or an outage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId {
    /// Function, service and operation; for an outage its service.
    pub what: String,
    /// The how-manieth of them.
    pub nth: u64,
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.what, self.nth)
    }
}

/// A service answers with errors, or not at all, for a while.
#[derive(Debug, Clone)]
struct Outage {
    service: &'static str,
    from: Millis,
    until: Millis,
    failure: Failure,
}

/// The weather of a run.
#[derive(Debug)]
pub struct Chaos {
    seed: u64,
    /// Of ten thousand calls, how many go wrong.
    rate: u64,
    /// Of ten thousand calls, how many take long.
    slow: u64,
    outages: Vec<Outage>,
    /// How many calls of each kind there were.
    calls: BTreeMap<String, u64>,
    /// The only faults that may happen, where a run looks for those that matter.
    only: Option<BTreeSet<FaultId>>,
    happened: BTreeSet<FaultId>,
    is_over: bool,
}

/// A number that follows from all parts.
pub(crate) fn drawn(seed: u64, parts: &[&str], nth: u64) -> fastrand::Rng {
    let mut hash = XxHash3_64::with_seed(seed);
    for part in parts {
        hash.write(part.as_bytes());
        hash.write(b"\0");
    }
    hash.write(&nth.to_le_bytes());
    fastrand::Rng::with_seed(hash.finish())
}

impl Chaos {
    /// Of a seed: some runs are calm, some stormy, and some have outages, at some time between `start` and `end`.
    #[must_use]
    pub fn new(seed: u64, start: Millis, end: Millis, only: Option<BTreeSet<FaultId>>) -> Self {
        let mut rng = drawn(seed, &["weather"], 0);
        let (rate, slow) = ([20, 100, 300][rng.usize(..3)], [0, 100, 300][rng.usize(..3)]);
        let outages = (0..rng.u64(0..3))
            .map(|_| {
                let from = rng.u64(start..end);
                // An hour and more: streams give a record up after an hour.
                let lasts = if rng.u8(..6) == 0 { rng.u64(60..80) } else { rng.u64(1..20) };
                let failure = [Failure::Internal, Failure::Throttle, Failure::Timeout][rng.usize(..3)];
                let service = SERVICES[rng.usize(..SERVICES.len())];
                Outage { service, from, until: from + lasts * MINUTE, failure }
            })
            .collect();
        let (calls, happened) = (BTreeMap::new(), BTreeSet::new());
        Self { seed, rate, slow, outages, calls, only, happened, is_over: false }
    }

    /// From now on nothing goes wrong.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// What went wrong.
    #[must_use]
    pub fn happened(&self) -> &BTreeSet<FaultId> {
        &self.happened
    }

    fn allowed(&self, id: &FaultId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
    }

    /// What happens to a call.
    pub fn next(&mut self, call: &CallInfo) -> Fault {
        if self.is_over {
            return Fault::None;
        }
        let outage = self
            .outages
            .iter()
            .position(|outage| outage.service == call.service && (outage.from..outage.until).contains(&call.at));
        if let Some(nth) = outage {
            let failure = self.outages[nth].failure;
            let id = FaultId { what: format!("outage of {}", call.service), nth: nth as u64 };
            if self.allowed(&id) {
                self.happened.insert(id);
                return Fault::FailBefore(failure);
            }
        }
        let what = format!("{} {} {}", call.caller, call.service, call.operation);
        let count = self.calls.entry(what.clone()).or_default();
        *count += 1;
        let nth = *count;
        let mut rng = drawn(self.seed, &[&what], nth);
        let (is_slow, is_wrong) = (rng.u64(..10_000) < self.slow, rng.u64(..10_000) < self.rate);
        if !is_slow && !is_wrong {
            return Fault::None;
        }
        let id = FaultId { what, nth };
        if !self.allowed(&id) {
            return Fault::None;
        }
        self.happened.insert(id);
        if !is_wrong {
            return Fault::Slow(rng.u64(50..SLOWEST));
        }
        match rng.u8(..16) {
            0 | 1 => Fault::FailBefore(Failure::Throttle),
            2 | 3 => Fault::FailBefore(Failure::Internal),
            4 => Fault::FailBefore(Failure::Timeout),
            5 => Fault::FailBefore(Failure::Conflict),
            6 | 7 => Fault::Partly,
            8 => Fault::Hang,
            9 | 10 => Fault::DieBefore,
            11 | 12 => Fault::DieAfter,
            _ => Fault::LoseAnswer,
        }
    }
}
