//! Days of a shop's life, by seed: the books balance; the same plan is the same run; and planted faults are found.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::atomic::{AtomicU64, Ordering};

use almacen_testing_sim::plant::PLANTS;
use almacen_testing_sim::run::{Plan, Report, run};
use almacen_testing_sim::shrink::shortest;

/// Runs at once.
const THREADS: usize = 2;
/// Runs of a day each.
const RUNS: u64 = 60;
/// A planted fault is found in one of so many runs.
const FOUND_WITHIN: u64 = 40;

/// The first of the plans, in their order, whose books do not balance.
fn first_wrong(plan: impl Fn(u64) -> Plan + Sync, runs: u64) -> Option<(u64, Report)> {
    let (next, found) = (AtomicU64::new(1), AtomicU64::new(u64::MAX));
    let work = || {
        let mut wrong = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > runs || seed > found.load(Ordering::Relaxed) {
                return wrong;
            }
            let report = run(&plan(seed)).unwrap();
            if !report.wrong.is_empty() {
                found.fetch_min(seed, Ordering::Relaxed);
                wrong.push((seed, report));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).min_by_key(|(seed, _)| *seed)
    })
}

#[test]
fn the_books_balance() {
    let wrong = first_wrong(|seed| Plan::new(seed, 1), RUNS);
    if let Some((seed, report)) = wrong {
        panic!("cargo xtask sim --seed {seed} --runs 1: {report}\n{}", report.wrong.join("\n"));
    }
}

#[test]
fn the_same_plan_is_the_same_run() {
    let once = || run(&Plan::new(5, 1)).unwrap();
    let (one, other) = (once(), once());
    assert_eq!((one.calls, one.faults, one.hash), (other.calls, other.faults, other.hash));
    assert!(one.calls > 500 && one.faults > 0, "{one}");
    assert_ne!(one.hash, run(&Plan::new(6, 1)).unwrap().hash);
}

#[test]
fn planted_faults_are_found() {
    for plant in PLANTS {
        let plan = |seed| Plan { plant: Some(plant), ..Plan::new(seed, 1) };
        let (seed, report) = first_wrong(plan, FOUND_WITHIN).unwrap_or_else(|| panic!("{plant:?} was not found"));
        println!("{plant:?}: found by seed {seed}: {}", report.wrong[0]);
    }
}

#[test]
fn what_does_not_matter_is_left_out() {
    let plan = |seed| Plan { plant: Some(PLANTS[1]), ..Plan::new(seed, 1) };
    let (seed, report) = first_wrong(plan, FOUND_WITHIN).unwrap();
    let (done, happened) = (report.done.len(), report.happened.len());
    let (shortest, still) = shortest(&plan(seed), report, 60).unwrap();
    assert!(!still.wrong.is_empty());
    let (steps, faults) = (shortest.steps.unwrap(), shortest.faults.unwrap());
    assert!(steps.len() < done && faults.len() <= happened, "{steps:?} of {done}, {faults:?} of {happened}");
}
