//! The crash matrix: each use case that writes × each of its AWS calls × each way in which a call can fail, then what comes
//! again. The end is that of a run without a fault.
//!
//! A use case that a queue, a stream or a schedule drives must come to the very same end. A client's request must have
//! happened wholly where the client heard so, not at all where the client heard that it is refused, and either where the
//! client heard nothing or that something went wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod audit;
mod cases;
mod coverage;
mod environment;
mod listing;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use almacen_testing_aws::stack::Trigger;
use almacen_testing_sim::books::broken;
use almacen_testing_sim::faults::{Call, KINDS, Kind};
use almacen_testing_sim::world::{Snapshot, World};
use serde_json::Value;

use audit::{State, state};
use cases::{Heard, UseCase, all};
use listing::listed;

/// Every world has the same, so that only the fault makes a difference.
const SEED: u64 = 7;
/// What streams and queues have left, schedules find: the rarest of them fires every five minutes. So often they fire.
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(301);

/// What happens in a run after the preparation.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// Nothing but what schedules do.
    Nothing,
    /// The act.
    Act,
    /// The act, with a fault at one of its calls, counted from 0.
    Fault(usize, Kind),
}

/// What is there before the act of a use case.
struct Prepared {
    world: Snapshot,
    /// What the act needs to know of it.
    given: Value,
    state: State,
}

/// What a run came to.
struct End {
    /// After the act, and before schedules fire.
    acted: State,
    /// After schedules have fired; nothing where they had no need to.
    after: Option<State>,
    heard: Heard,
    calls: Vec<Call>,
    broken: Vec<String>,
}

impl End {
    /// Is it the same end as one without a fault?
    fn is(&self, other: &Self) -> bool {
        if self.after.is_some() { self.after == other.after } else { self.acted == other.acted }
    }

    /// What is there in the end.
    fn state(&self) -> &State {
        self.after.as_ref().unwrap_or(&self.acted)
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// Makes what is there before: once for all runs of a use case.
fn prepared(case: &UseCase) -> Prepared {
    block_on(async {
        let world = World::new(SEED, case.environment).unwrap();
        let given = (case.prepare)(&world).await;
        Prepared { world: world.snapshot(), given, state: state(&world, case) }
    })
}

/// One run. Schedules fire unless nothing is left for them: no invariant is broken, which means among others that no message
/// waits and no event is unpublished, and the state is one that a run without a fault has, too.
fn run(case: &UseCase, prepared: &Prepared, plan: Plan, is_known: impl Fn(&State) -> bool) -> End {
    block_on(async {
        let world = World::restore(&prepared.world);
        world.faults().count();
        if let Plan::Fault(position, kind) = plan {
            world.faults().plan(position, kind);
        }
        let heard = match plan {
            Plan::Nothing => None,
            Plan::Act | Plan::Fault(..) => (case.act)(&world, &prepared.given).await,
        };
        let (calls, acted) = (world.faults().calls(), state(&world, case));
        world.faults().count();
        let mut wrong = broken(&world, case.leaves).unwrap();
        let mut after = None;
        if !wrong.is_empty() || !is_known(&acted) {
            wrong = schedules(&world, case).await;
            after = Some(state(&world, case));
        }
        wrong.extend(listed(&world).await);
        End { acted, after, heard, calls, broken: wrong }
    })
}

/// Schedules fire until nothing is broken, a few times at most; what is broken then.
async fn schedules(world: &World, case: &UseCase) -> Vec<String> {
    let mut wrong = Vec::new();
    for _ in 0..ROUNDS {
        world.pass(ROUND).await;
        for (package, spec) in &world.cloud().stack().functions {
            if spec.triggers.iter().any(|trigger| matches!(trigger, Trigger::Schedule { .. })) {
                world.tick(package).await.unwrap();
            }
        }
        world.settle().await.unwrap();
        wrong = broken(world, case.leaves).unwrap();
        if wrong.is_empty() {
            break;
        }
    }
    wrong
}

/// What a use case comes to when nothing goes wrong.
struct Expected {
    prepared: Prepared,
    /// With its act.
    whole: End,
    /// Without.
    none: End,
}

/// That of each use case, in their order.
fn expected(cases: &[UseCase]) -> &'static [Expected] {
    static EXPECTED: OnceLock<Vec<Expected>> = OnceLock::new();
    let of_case = |case: &UseCase| {
        let prepared = prepared(case);
        let [whole, none] = [Plan::Act, Plan::Nothing].map(|plan| run(case, &prepared, plan, |_| false));
        Expected { prepared, whole, none }
    };
    EXPECTED.get_or_init(|| side_by_side(cases, of_case))
}

/// Does work for each of `all`, on as many threads as there are processors; what came of it, in their order.
fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = all.get(position) else { return done };
            done.push((position, work(one)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, came)| came).collect()
}

/// What is wrong with the end of a run with a fault.
fn wrong(case: &UseCase, expected: &Expected, end: &End) -> Option<String> {
    if !end.broken.is_empty() {
        return Some(end.broken.join("; "));
    }
    let (whole, none) = (end.is(&expected.whole), end.is(&expected.none));
    let allowed = match end.heard {
        _ if !case.request => whole,
        Some(200..300) => whole,
        Some(400..500) => none,
        _ => whole || none,
    };
    (!allowed).then(|| format!("heard {:?}; {}", end.heard, difference(end.state(), expected.whole.state())))
}

/// What one state has and the other has not.
fn difference(found: &State, expected: &State) -> String {
    let mut text = String::new();
    for (place, items) in found {
        let other = &expected[place];
        let surplus = items.iter().filter(|item| !other.contains(item)).map(|item| format!("\n    {place} has {item}"));
        let missing =
            other.iter().filter(|item| !items.contains(item)).map(|item| format!("\n    {place} lacks {item}"));
        text.extend(surplus.chain(missing));
    }
    text
}

#[test]
fn killed_anywhere_the_end_is_the_same() {
    let cases = all();
    let expected = expected(&cases);
    let mut cells = Vec::new();
    for (case, expected) in cases.iter().zip(expected) {
        let whole = &expected.whole;
        assert_eq!(whole.broken, [] as [String; 0], "{}", case.name);
        assert!(whole.acted != expected.prepared.state, "{} changes nothing", case.name);
        assert!(!case.request || whole.heard.is_some_and(|status| status < 300), "{}: {:?}", case.name, whole.heard);
        for position in 0..whole.calls.len() {
            cells.extend(KINDS.map(|kind| (case, expected, position, kind)));
        }
    }
    let found: Vec<Option<String>> = side_by_side(&cells, |(case, expected, position, kind)| {
        let is_known = |state: &State| *state == expected.whole.acted || case.request && *state == expected.none.acted;
        let end = run(case, &expected.prepared, Plan::Fault(*position, *kind), is_known);
        let wrong = wrong(case, expected, &end)?;
        Some(format!("{}, call {position} ({}), {kind:?}: {wrong}", case.name, expected.whole.calls[*position]))
    });
    for (case, expected) in cases.iter().zip(expected) {
        println!("{}: {} calls", case.name, expected.whole.calls.len());
    }
    println!("{} cells of {} use cases", cells.len(), cases.len());
    let found: Vec<String> = found.into_iter().flatten().collect();
    for one in &found {
        println!("  {}", one.chars().take(600).collect::<String>());
    }
    assert!(found.is_empty(), "{} of {} cells are wrong", found.len(), cells.len());
}
