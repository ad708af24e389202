//! How many writes are under way at once: more while DynamoDB takes them, fewer when it pushes back.
//!
//! Additive increase, multiplicative decrease, as TCP does it (RFC 5681): one more after as many calls as may be under way
//! were taken, half as many after one was refused for its rate. So workers that write to the same partition, whose
//! thousand write units a second they share, come to share them without knowing of each other.

use std::cell::RefCell;

use almacen_dynamo::calls::Attempts;

/// Calls under way at once, at most.
pub const IN_FLIGHT_MAX: usize = 24;
/// Calls under way at once, however often DynamoDB pushes back.
pub const IN_FLIGHT_MIN: usize = 1;
/// Calls under way at once to begin with.
pub const IN_FLIGHT_START: usize = 8;

/// The controller. It knows no clock and no DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    limit: usize,
    /// Calls taken since the limit last changed.
    taken: usize,
    /// Attempts so far: the number of the next one.
    attempts: u64,
    /// Attempts from this number on began under the limit of now.
    since: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { limit: IN_FLIGHT_START, taken: 0, attempts: 0, since: 0 }
    }
}

impl Pace {
    /// How many calls may be under way now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// An attempt begins: its number.
    pub fn began(&mut self) -> u64 {
        let number = self.attempts;
        self.attempts += 1;
        number
    }

    /// A call was taken.
    pub fn taken(&mut self) {
        self.taken += 1;
        if self.taken >= self.limit {
            self.limit = (self.limit + 1).min(IN_FLIGHT_MAX);
            self.taken = 0;
        }
    }

    /// DynamoDB pushed back on the attempt of this number. One that began before the limit was last halved says nothing
    /// about the limit of now.
    pub fn pushed_back(&mut self, attempt: u64) {
        if attempt < self.since {
            return;
        }
        self.limit = (self.limit / 2).max(IN_FLIGHT_MIN);
        self.taken = 0;
        self.since = self.attempts;
    }
}

/// A [`Pace`] that writes under way report to.
#[derive(Debug, Default)]
pub struct SharedPace(RefCell<Pace>);

impl SharedPace {
    /// How many calls may be under way now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.borrow().limit()
    }

    /// A call was taken.
    pub fn taken(&self) {
        self.0.borrow_mut().taken();
    }
}

impl Attempts for SharedPace {
    fn began(&self) -> u64 {
        self.0.borrow_mut().began()
    }

    fn pushed_back(&self, attempt: u64) {
        let mut pace = self.0.borrow_mut();
        pace.pushed_back(attempt);
        tracing::debug!(limit = pace.limit(), "DynamoDB pushed back; fewer writes at once");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `t`: a call is taken. `r`: a call that began just now is refused. The limit after each.
    fn limits(calls: &str) -> Vec<usize> {
        let mut pace = Pace::default();
        let step = |call: char| {
            let attempt = pace.began();
            if call == 't' {
                pace.taken()
            } else {
                pace.pushed_back(attempt)
            }
            pace.limit()
        };
        calls.chars().map(step).collect()
    }

    #[test]
    fn one_more_after_a_round_and_half_after_a_refusal() {
        assert_eq!(limits("tttttttt"), [8, 8, 8, 8, 8, 8, 8, 9]);
        assert_eq!(limits("rrrrr"), [4, 2, 1, 1, 1]);
        assert_eq!(limits("rrrttttt"), [4, 2, 1, 2, 2, 3, 3, 3]);
        assert_eq!(limits(&"t".repeat(400)).last(), Some(&24));
        // What was taken before a refusal does not count towards the next increase.
        assert_eq!(limits("rttrtt"), [4, 4, 4, 2, 2, 3]);
    }

    #[test]
    fn one_burst_of_refusals_halves_once() {
        let mut pace = Pace::default();
        let burst: Vec<u64> = (0..8).map(|_| pace.began()).collect();
        for attempt in burst {
            pace.pushed_back(attempt);
        }
        assert_eq!(pace.limit(), 4);
        let again = pace.began();
        pace.pushed_back(again);
        assert_eq!(pace.limit(), 2);
    }

    proptest! {
        #[test]
        fn the_limit_keeps_its_bounds_and_moves_by_the_rule(calls in "[tr]{0,300}") {
            let mut before = IN_FLIGHT_START;
            for (call, limit) in calls.chars().zip(limits(&calls)) {
                prop_assert!((IN_FLIGHT_MIN..=IN_FLIGHT_MAX).contains(&limit));
                match call {
                    'r' => prop_assert_eq!(limit, (before / 2).max(IN_FLIGHT_MIN)),
                    _ => prop_assert!(limit == before || limit == before + 1),
                }
                before = limit;
            }
        }

        /// Several writers and a partition that takes so many calls at a time: what is under way comes to stay near it.
        #[test]
        fn writers_that_share_a_partition_settle_near_what_it_takes(writers in 1usize..6, capacity in 12usize..60) {
            let mut paces = vec![Pace::default(); writers];
            let mut under_way = Vec::new();
            for _ in 0..400 {
                let mut left = capacity;
                under_way.push(paces.iter().map(Pace::limit).sum::<usize>());
                for pace in &mut paces {
                    let attempts: Vec<u64> = (0..pace.limit()).map(|_| pace.began()).collect();
                    for attempt in attempts {
                        if left > 0 {
                            left -= 1;
                            pace.taken();
                        } else {
                            pace.pushed_back(attempt);
                        }
                    }
                }
            }
            let settled = &under_way[200..];
            let most = settled.iter().copied().max().unwrap_or(0);
            prop_assert!(most <= capacity + 2 * writers, "{most} at once, {capacity} are taken");
        }
    }
}
