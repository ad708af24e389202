//! The crash matrix: each use case that writes × each of its AWS calls × each way in which a call can fail, then what comes
//! again. The end is that of a run without a fault.
//!
//! A use case that a queue or a stream drives must come to the very same end. A client's request may have happened wholly or
//! not at all, and wholly where the client heard so.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod audit;
mod cases;
mod environment;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use almacen_testing_sim::faults::{KINDS, Kind};
use almacen_testing_sim::world::World;

use audit::{State, broken, events, state};
use cases::{ALL, Heard, UseCase};

/// Every world has the same, so that only the fault makes a difference.
const SEED: u64 = 7;
/// Use cases at once.
const THREADS: usize = 2;

/// What a run came to.
struct End {
    before: State,
    after: State,
    events: BTreeMap<String, usize>,
    heard: Heard,
    calls: Vec<String>,
    broken: Vec<String>,
}

/// One run; with a fault at one of its calls, counted from the act on.
fn run(case: &UseCase, fault: Option<(usize, Kind)>) -> End {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(SEED, case.environment).unwrap();
        (case.prepare)(&world).await;
        let before = state(&world);
        match fault {
            Some((position, kind)) => world.faults().plan(position, kind),
            None => world.faults().count(),
        }
        let heard = (case.act)(&world).await;
        let calls = world.faults().calls();
        world.faults().count();
        // What the streams and queues have left, schedules find: relay-events every minute, close-imports every five.
        for _ in 0..3 {
            world.pass(Duration::from_secs(301)).await;
            world.tick("relay-events").await.unwrap();
            world.tick("close-imports").await.unwrap();
            world.settle().await.unwrap();
            if broken(&world).is_empty() {
                break;
            }
        }
        End { before, after: state(&world), events: events(&world), heard, calls, broken: broken(&world) }
    })
}

fn is_success(heard: Heard) -> bool {
    heard.is_some_and(|status| (200..300).contains(&status))
}

/// What is wrong with the end of a run with a fault, beside that of one without.
fn wrong(case: &UseCase, clean: &End, end: &End) -> Option<String> {
    if !end.broken.is_empty() {
        return Some(end.broken.join("; "));
    }
    let whole = end.after == clean.after;
    let allowed = if case.request && !is_success(end.heard) { whole || end.after == end.before } else { whole };
    if !allowed {
        let differs = |(table, items): (&String, &Vec<String>)| {
            let expected = &clean.after[table];
            (expected != items).then(|| format!("{table}: {items:#?} instead of {expected:#?}"))
        };
        let tables: Vec<String> = end.after.iter().filter_map(differs).collect();
        return Some(format!("heard {:?}; {}", end.heard, tables.join("\n")));
    }
    (whole && end.events != clean.events).then(|| format!("events {:?} instead of {:?}", end.events, clean.events))
}

/// A use case at every call in every way: how many cells those were, and what is wrong in which.
fn cells_of(case: &UseCase) -> (usize, Vec<String>) {
    let clean = run(case, None);
    assert_eq!(clean.broken, [] as [String; 0], "{}", case.name);
    assert!(clean.after != clean.before, "{} changes nothing", case.name);
    assert!(!case.request || is_success(clean.heard), "{}: {:?}", case.name, clean.heard);
    let (mut cells, mut found) = (0, Vec::new());
    for (position, call) in clean.calls.iter().enumerate() {
        for kind in KINDS {
            cells += 1;
            let end = run(case, Some((position, kind)));
            if let Some(wrong) = wrong(case, &clean, &end) {
                found.push(format!("{}, call {position} ({call}), {kind:?}: {wrong}", case.name));
            }
        }
    }
    println!("{}: {} calls, {cells} cells, {} wrong", case.name, clean.calls.len(), found.len());
    for one in &found {
        println!("  {}", one.chars().take(700).collect::<String>());
    }
    (cells, found)
}

#[test]
fn killed_anywhere_the_end_is_the_same() {
    // Each run is of one thread; several runs go side by side.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(case) = ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(cells_of(case));
        }
        done
    };
    let done: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let cells: usize = done.iter().map(|(cells, _)| cells).sum();
    let found: Vec<String> = done.into_iter().flat_map(|(_, found)| found).collect();
    println!("{cells} cells of {} use cases", ALL.len());
    assert!(found.is_empty(), "{} of {cells} cells:\n{}", found.len(), found.join("\n"));
}
