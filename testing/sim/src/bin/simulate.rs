//! Runs days of a shop's life by seed; `cargo xtask sim` calls it.

use std::env;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use almacen_testing_sim::plant::{PLANTS, Plant};
use almacen_testing_sim::run::{Plan, Report, run};
use almacen_testing_sim::shrink::shortest;
use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;

/// Runs that the search for the shortest failing one takes at most.
const SHRINK_TRIES: usize = 150;
/// Calls of it that are shown.
const SHOWN: usize = 60;

struct Arguments {
    plant: Option<Plant>,
    seed: u64,
    runs: u64,
    days: u64,
}

fn arguments() -> Result<Arguments> {
    let mut found = Arguments { plant: None, seed: 1, runs: 1, days: 1 };
    let mut given = env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().with_context(|| format!("{name} needs a value"))?;
        if name == "--plant" {
            let known = PLANTS.into_iter().find(|plant| format!("{plant:?}") == value);
            found.plant = Some(known.with_context(|| format!("no such fault; there are {PLANTS:?}"))?);
            continue;
        }
        let number = value.parse().with_context(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--seed" => found.seed = number,
            "--runs" => found.runs = number,
            "--days" => found.days = number,
            other => bail!("no option {other}"),
        }
    }
    Ok(found)
}

#[expect(clippy::print_stdout, reason = "its output")]
fn main() -> Result<ExitCode> {
    let Arguments { plant, seed, runs, days } = arguments()?;
    let plan = |seed| Plan { plant, ..Plan::new(seed, days) };
    let last = seed.checked_add(runs).context("--seed and --runs are too large")?;
    let next = AtomicU64::new(seed);
    let reports: Mutex<Vec<(u64, Result<Report>)>> = Mutex::default();
    let progress = ProgressBar::new(runs);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    let report = run(&plan(seed));
                    progress.inc(1);
                    if let Ok(mut reports) = reports.lock() {
                        reports.push((seed, report));
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    let mut reports = reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    reports.sort_by_key(|(seed, _)| *seed);
    if reports.len() as u64 != runs {
        bail!("{} of {runs} runs ended; one panicked", reports.len());
    }
    let (mut calls, mut faults, mut hash, mut failed) = (0, 0, 0_u64, Vec::new());
    for (seed, report) in reports {
        let report = report.with_context(|| format!("seed {seed}"))?;
        calls += report.calls;
        faults += report.faults;
        hash = hash.rotate_left(5) ^ report.hash;
        if !report.wrong.is_empty() {
            println!("seed {seed}: {report}");
            report.wrong.iter().take(5).for_each(|wrong| println!("  {wrong}"));
            failed.push((seed, report));
        }
    }
    let Some((seed, report)) = failed.first() else {
        println!("{runs} runs, {calls} calls, {faults} faults, trace {hash:016x}, books balanced");
        return Ok(ExitCode::SUCCESS);
    };
    let (plan, report) = shortest(&plan(*seed), report.clone(), SHRINK_TRIES)?;
    println!("\nthe shortest failing run of seed {seed}: {report}");
    report.wrong.iter().for_each(|wrong| println!("  {wrong}"));
    println!("steps:");
    plan.steps.iter().flatten().for_each(|step| println!("  {step}"));
    println!("faults:");
    plan.faults.iter().flatten().for_each(|fault| println!("  {fault}"));
    println!("its last calls:");
    let hidden = report.last.len().saturating_sub(SHOWN);
    report.last.iter().skip(hidden).for_each(|call| println!("  {}", call.chars().take(400).collect::<String>()));
    println!("\nrun it again: cargo xtask sim --seed {seed} --runs 1 --days {days}");
    println!("{runs} runs, {calls} calls, {faults} faults, trace {hash:016x}, {} runs out of balance", failed.len());
    Ok(ExitCode::FAILURE)
}
