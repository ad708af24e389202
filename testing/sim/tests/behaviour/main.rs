//! How the functions behave where order, repetition and several at once matter. The local stack shows that they are wired;
//! what needs many requests, a chosen order or a lot of time is shown here.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod announced;
mod books;
mod contention;
mod outbox;
mod redriven;
mod repeats;
mod warehouse;

use std::ops::Range;

use almacen_testing_aws::cloud::Settings;
use almacen_testing_sim::world::World;

/// A test of several at once is run with each of these: each is another order of calls.
const SEEDS: Range<u64> = 1..9;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// Runs a test in a world of its own. `environment` replaces variables of the template.
fn in_world(environment: &[(&str, &str)], test: impl AsyncFn(&World)) {
    block_on(async { test(&World::new(1, environment).unwrap()).await });
}

/// Runs a test in a world of each seed, in which a call takes up to `latency` milliseconds there, and back.
fn in_worlds(seeds: Range<u64>, latency: u64, test: impl AsyncFn(&World)) {
    for seed in seeds {
        block_on(async {
            let world = World::new(seed, &[]).unwrap();
            world.cloud().set(Settings { latency, ..Settings::default() });
            test(&world).await;
        });
    }
}
