//! A small world: products that change, an index that lags, clocks that differ, whoever writes snapshots down and breaks
//! them, and instances that list. Whatever happens, a list is right but for the last moments.

use std::collections::BTreeMap;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Entry, Filter, Order, ProductChange};
use proptest::prelude::*;

use crate::snapshot::{believed, encode};
use crate::{CatalogueState, OVERLAP_MS};

const DAY_MS: Millis = 24 * 3600 * 1000;
/// How long a deletion's mark stays in the index.
const MARK_MS: Millis = 7 * DAY_MS;
/// The most that the index lags behind; what is older than this must be listed as it is.
const LAG_MS: Millis = 2_000;
/// Changes that a query of the index gives at once, and the newest that an instance asks for.
const STRETCH: usize = 3;
const NEWEST: usize = 4;
const INSTANCES: usize = 3;

/// How one who acts here differs from the rest of the world.
#[derive(Debug, Clone, Copy)]
struct View {
    clock: Millis,
    lag: Millis,
    /// The reading fails after so many stretches.
    fails_after: Option<usize>,
}

#[derive(Debug, Clone)]
enum Step {
    /// A product is made, changed or deleted, by somebody who had decided so a while before.
    Change {
        id: u8,
        gone: bool,
        clock: Millis,
        before: Millis,
    },
    Pass(Millis),
    /// `snapshot-catalogue` runs; where it is killed nothing is written.
    Keep(View),
    /// A run that took long writes what it knew.
    KeepOld(prop::sample::Index),
    Remove,
    Damage(prop::sample::Index, u8),
    List(usize, View),
    Restart(usize),
}

#[derive(Debug, Default)]
struct Instance {
    known: CatalogueState,
    since: Option<Millis>,
    complete: bool,
    /// The index as of when it was last told. A reading that goes on where another broke off is not told of before that:
    /// a product that moved on in between would be behind the one and not yet before the other, for one list.
    told_of: Millis,
}

#[derive(Debug, Default)]
struct World {
    now: Millis,
    /// Every change, in the order and with the time in which it was made.
    history: Vec<(Millis, ProductChange)>,
    snapshot: Option<Vec<u8>>,
    written: Vec<Vec<u8>>,
    instances: [Instance; INSTANCES],
}

impl World {
    fn last(&self, id: &str) -> Option<&ProductChange> {
        self.history.iter().rev().map(|(_, change)| change).find(|change| change.id == id)
    }

    fn change(&mut self, id: u8, gone: bool, decided_at: Millis) {
        let id = format!("p{id:02}");
        let last = self.last(&id);
        // One that is gone does not come back, and one that never was cannot go.
        if last.map_or(gone, |last| last.entry.is_none()) {
            return;
        }
        let changed_at = last.map_or(decided_at, |last| decided_at.max(last.changed_at + 1));
        let entry = (!gone).then(|| Entry {
            words: format!("w{changed_at}"),
            price_thousandths: changed_at,
            category: "c".to_owned(),
            rating_sum: 0,
            rating_count: 0,
            created_at: 1,
        });
        self.history.push((self.now, ProductChange { id, changed_at, entry }));
    }

    /// The index as it is told now, the oldest change first.
    fn index(&self, view: View) -> Vec<ProductChange> {
        let mut last = BTreeMap::new();
        for (_, change) in self.history.iter().filter(|(at, _)| *at <= self.now - view.lag) {
            last.insert(&change.id, change);
        }
        let expired = |change: &ProductChange| change.entry.is_none() && change.changed_at + MARK_MS < self.now;
        let mut all: Vec<ProductChange> = last.into_values().filter(|change| !expired(change)).cloned().collect();
        all.sort_by_key(|change| change.changed_at);
        all
    }

    fn newest(&self, view: View, limit: usize) -> (Vec<ProductChange>, bool) {
        let mut newest = self.index(view);
        newest.reverse();
        // Where exactly so many are there, DynamoDB does not yet say that they are all.
        let that_is_all = newest.len() < limit;
        newest.truncate(limit);
        (newest, that_is_all)
    }

    /// [`CatalogueState::catch_up`]; `false` where it fails.
    fn catch_up(&self, known: &mut CatalogueState, view: View) -> bool {
        let now = self.now + view.clock;
        let since = known.known_until;
        let changes: Vec<ProductChange> =
            self.index(view).into_iter().filter(|change| change.changed_at >= since).collect();
        for (at, stretch) in changes.chunks(STRETCH).enumerate() {
            if view.fails_after == Some(at) {
                return false;
            }
            known.take(stretch.to_vec(), now);
        }
        // The last stretch may say that more follows, and then nothing does.
        if view.fails_after == Some(changes.len().div_ceil(STRETCH)) {
            return false;
        }
        known.is_of(now);
        true
    }

    fn keep(&mut self, view: View) {
        let now = self.now + view.clock;
        let last = self.snapshot.clone().and_then(|bytes| believed(bytes, now));
        let last = last.filter(|known| known.whole_at.is_some_and(|at| now - at < DAY_MS));
        let newest = self.newest(view, NEWEST).0;
        if let Some(known) = &last
            && newest.iter().all(|change| change.changed_at < known.known_until)
        {
            return;
        }
        let mut known = last.and_then(|known| known.held_against(&newest)).unwrap_or_default();
        if self.catch_up(&mut known, view) {
            self.snapshot = encode(&known);
            self.written.extend(self.snapshot.clone());
        }
    }

    /// What an instance of `products-api` does for a list; `false` where it fails.
    fn list(&self, instance: &mut Instance, mut view: View) -> bool {
        let now = self.now + view.clock;
        if instance.since.is_some_and(|at| now - at >= DAY_MS) {
            *instance = Instance::default();
        }
        if !instance.complete {
            view.lag = view.lag.min(self.now - instance.told_of);
        }
        instance.told_of = self.now - view.lag;
        instance.since.get_or_insert(now);
        let mut told = false;
        if !instance.complete {
            let (newest, that_is_all) = self.newest(view, NEWEST);
            let snapshot = self.snapshot.clone().and_then(|bytes| believed(bytes, now));
            told = instance.known.begin(newest, that_is_all, snapshot, now);
        }
        if !told && !self.catch_up(&mut instance.known, view) {
            return false;
        }
        instance.complete = true;
        true
    }

    /// Is every product listed as it is now, or as it was within the last moments?
    fn check(&self, known: &CatalogueState) -> Result<(), TestCaseError> {
        let page = known.listing.page(&Filter::default(), Order::Newest, 0, usize::MAX);
        prop_assert_eq!(page.total, page.ids.len());
        for id in (0..u8::MAX).map(|id| format!("p{id:02}")) {
            let shown = page.ids.contains(&id).then(|| known.listing.changed_at(&id));
            let mut allowed = vec![None];
            for (at, change) in self.history.iter().filter(|(_, change)| change.id == id) {
                if *at <= self.now - LAG_MS {
                    allowed.clear();
                }
                allowed.push(change.entry.is_some().then_some(Some(change.changed_at)));
            }
            prop_assert!(allowed.contains(&shown), "{} is shown as {:?} and not {:?}", id, shown, allowed);
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Change { id, gone, clock, before } => self.change(id, gone, self.now + clock - before),
            Step::Pass(time) => self.now += time,
            Step::Keep(view) => self.keep(view),
            Step::KeepOld(which) if !self.written.is_empty() => {
                self.snapshot = Some(which.get(&self.written).clone());
            }
            Step::KeepOld(_) => {}
            Step::Remove => self.snapshot = None,
            Step::Damage(at, bits) => {
                if let Some(bytes) = &mut self.snapshot {
                    let at = at.index(bytes.len());
                    bytes[at] ^= bits;
                }
            }
            Step::List(who, view) => {
                let mut instance = std::mem::take(&mut self.instances[who]);
                if self.list(&mut instance, view) {
                    self.check(&instance.known)?;
                }
                self.instances[who] = instance;
            }
            Step::Restart(who) => self.instances[who] = Instance::default(),
        }
        Ok(())
    }
}

fn view() -> impl Strategy<Value = View> {
    let fails_after = prop_oneof![5 => Just(None), 1 => (0usize..5).prop_map(Some)];
    (-3_000i64..=3_000, 0..=LAG_MS, fails_after).prop_map(|(clock, lag, fails_after)| View { clock, lag, fails_after })
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0u8..24, prop::bool::weighted(0.2), -3_000i64..=3_000, prop_oneof![0i64..100, 0i64..20_000]);
    prop_oneof![
        12 => change.prop_map(|(id, gone, clock, before)| Step::Change { id, gone, clock, before }),
        4 => prop_oneof![0i64..5_000, 0..2 * OVERLAP_MS, 0..4 * DAY_MS].prop_map(Step::Pass),
        4 => view().prop_map(Step::Keep),
        1 => any::<prop::sample::Index>().prop_map(Step::KeepOld),
        1 => Just(Step::Remove),
        1 => (any::<prop::sample::Index>(), 1u8..).prop_map(|(at, bits)| Step::Damage(at, bits)),
        8 => (0..INSTANCES, view()).prop_map(|(who, view)| Step::List(who, view)),
        2 => (0..INSTANCES).prop_map(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn a_list_is_right_whatever_happened(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World { now: 1_000 * DAY_MS, ..World::default() };
        for step in steps {
            world.take(step)?;
        }
    }
}
