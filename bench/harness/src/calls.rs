//! Start-up and warm calls: every function beside the floor, turn by turn, so that a machine that gets faster or slower
//! meanwhile does so for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::Bench;
use crate::functions::{self, CALL_TIMEOUT, Case, EMPTY, ONE_CALL, Starts};
use crate::report::{Cell, Section};
use crate::sandbox::{Answer, Launch, Sandbox};
use crate::stats::{median, megabytes, micros, millis, quantile};

/// A function may take this many times the floor from its start to its first answer, and a first answer may cost this
/// many times the floor more than the same answer later.
const START_TARGET: f64 = 2.0;
/// Calls by which a process gets warm.
const WARMING: usize = 20;
/// … and must be this many times as quick as the same function in Python.
const PYTHON_TARGET: f64 = 50.0;
/// A call of one line's API that calls no AWS may take this many times the floor's CPU …
const CPU_TARGET: f64 = 4.0;
/// … and one that does this many times the floor's.
const CPU_TARGET_CALLING: f64 = 2.0;
/// Calls of one turn.
const BLOCK: usize = 100;

#[derive(Default)]
struct Found {
    ready: Vec<f64>,
    first: Vec<f64>,
    /// The same call to the same process when it is warm.
    again: Vec<f64>,
    cpu: Vec<f64>,
    memory: u64,
    calls: u64,
}

/// Starts every function again and again.
pub(crate) fn starts(bench: &Bench) -> Result<Section> {
    let rounds = if bench.quick { 15 } else { 101 };
    let python_rounds = if bench.quick { 3 } else { 11 };
    let cases: Vec<Case> = functions::cases(&bench.aws)?
        .into_iter()
        .filter(|case| case.starts != Starts::No && bench.has(case.function))
        .collect();
    let python =
        bench.python.as_deref().map(|python| functions::launch_python(python, &bench.root, &bench.logs, &bench.env));
    let mut section = Section::new(
        "Start-up",
        &format!(
            "From the start of the process until it first asks for an event (ready), and until its first answer is posted. \
             {rounds} starts of each, in turn; medians. The first answer includes the calls to AWS that it takes, over plain HTTP \
             to a stand-in on the same machine; \"again\" is the same event {WARMING} calls later in the same process, so what the \
             first answer takes more than that is the cost of starting. Targets, against the empty function: the first answer to a function's \
             smallest usual event within {START_TARGET} ×, and the cost of starting within {START_TARGET} × whatever the event. \
             Python must take {PYTHON_TARGET} × as long as the same function in Rust."
        ),
        2,
        &[
            "function",
            "event",
            "AWS calls",
            "ready",
            "first answer",
            "p90",
            "× empty",
            "again",
            "starting",
            "× empty",
            "CPU",
            "memory",
        ],
    );
    bench.fresh()?;
    let bar = bench.bar("start-up", rounds as u64);
    let mut found: Vec<Found> = cases.iter().map(|_| Found::default()).collect();
    let mut slow = Found::default();
    for round in 0..=rounds {
        // The first round only brings the binaries into memory.
        let counts = round > 0;
        for (case, found) in cases.iter().zip(&mut found) {
            start(bench, &bench.launch(case.function), case, counts.then_some(found))?;
        }
        if let Some(python) = &python
            && let Some(case) = cases.iter().find(|case| case.function == "items-api")
            && round <= python_rounds
        {
            start(bench, python, case, counts.then_some(&mut slow))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let floor = found.first().map_or((0.0, 0.0), |floor| (median(&floor.first), floor.starting()));
    for (case, found) in cases.iter().zip(&found) {
        let (first, starting) = (median(&found.first) / floor.0, found.starting() / floor.1);
        let is_floor = case.function == EMPTY;
        let first_holds = (case.starts == Starts::Judged && !is_floor).then_some(first <= START_TARGET);
        let starting_holds = (!is_floor).then_some(starting <= START_TARGET);
        let ratios =
            [Cell::maybe(format!("{first:.2}"), first_holds), Cell::maybe(format!("{starting:.2}"), starting_holds)];
        section.rows.push(row(case.function, case.what, found, ratios));
    }
    if !slow.first.is_empty() {
        let ours = cases.iter().position(|case| case.function == "items-api").and_then(|at| found.get(at));
        let times = median(&slow.first) / ours.map_or(f64::NAN, |ours| median(&ours.first));
        let ratios =
            [median(&slow.first) / floor.0, slow.starting() / floor.1].map(|ratio| format!("{ratio:.0}").into());
        section.rows.push(row("Python, boto3", "GET /items/{store}/{item}", &slow, ratios));
        let met = if times >= PYTHON_TARGET { "met" } else { "missed" };
        section.notes.push(format!(
            "Python takes {times:.0} × as long as items-api to its first answer (target {PYTHON_TARGET} ×: {met})."
        ));
        if times < PYTHON_TARGET {
            bench.miss(format!("Start-up: Python takes only {times:.0} × as long as items-api"));
        }
    } else if python.is_none() && bench.has("items-api") {
        section.notes.push("No Python with boto3 was found, so that comparison is missing.".to_owned());
    }
    Ok(section)
}

impl Found {
    /// What the first answer takes more than the same answer later, in milliseconds.
    fn starting(&self) -> f64 {
        median(&self.first) - median(&self.again)
    }
}

fn row(name: &str, what: &str, found: &Found, [first, starting]: [Cell; 2]) -> Vec<Cell> {
    vec![
        name.into(),
        what.into(),
        found.calls.to_string().into(),
        format!("{:.2} ms", median(&found.ready)).into(),
        format!("{:.2} ms", median(&found.first)).into(),
        format!("{:.2} ms", quantile(&found.first, 0.9)).into(),
        first,
        format!("{:.2} ms", median(&found.again)).into(),
        format!("{:.2} ms", found.starting()).into(),
        starting,
        format!("{:.2} ms", median(&found.cpu)).into(),
        megabytes(found.memory).into(),
    ]
}

fn start(bench: &Bench, launch: &Launch, case: &Case, found: Option<&mut Found>) -> Result<()> {
    (case.reset)(&bench.aws)?;
    bench.aws.take_calls();
    let sandbox = Sandbox::start(launch, Some((&case.event, CALL_TIMEOUT)))?;
    let ready = sandbox.ready(CALL_TIMEOUT)?;
    let (first, answer) = sandbox.first_answer(CALL_TIMEOUT)?;
    if !(case.right)(&answer) {
        bail!("{} answered {}{}", launch.name, answer.excerpt(), sandbox.last_words());
    }
    if let Some(found) = found {
        found.calls = bench.aws.take_calls();
        found.ready.push(millis(ready));
        found.first.push(millis(first));
        found.cpu.push(millis(sandbox.cpu()?));
        found.memory = found.memory.max(sandbox.peak_memory()?);
        // Right after, so that a machine that gets slower meanwhile does so for both.
        for _ in 0..WARMING {
            call_once(bench, &sandbox, case)?;
        }
        found.again.push(millis(call_once(bench, &sandbox, case)?.took));
    }
    Ok(())
}

#[derive(Default)]
struct Warm {
    latency: Vec<f64>,
    cpu: Vec<f64>,
    /// The empty function's.
    empty: Vec<f64>,
    /// That of the function that makes one call.
    one_call: Vec<f64>,
    calls: f64,
}

impl Warm {
    /// The CPU of a function that does nothing but make as many calls of the SDK.
    fn floor(&self) -> f64 {
        let empty = median(&self.empty);
        empty + self.calls.round() * (median(&self.one_call) - empty).max(0.0)
    }
}

/// Calls every function again and again.
pub(crate) fn warm(bench: &Bench) -> Result<Section> {
    let rounds = if bench.quick { 5 } else { 30 };
    let cases: Vec<Case> = functions::cases(&bench.aws)?.into_iter().filter(|case| bench.has(case.function)).collect();
    let mut section = Section::new(
        "Warm calls",
        &format!(
            "{} calls of each to a process that is already warm, in turns of {BLOCK}. Latency from the event's first byte sent to \
             the answer's last byte read, calls to the stand-in included; CPU of the function's process alone, user and system, the \
             median of the turns. Beside each turn the empty function and one that makes one call of the SDK (GetItem) are given the \
             same event as often, and give it back. Floor: the empty function's CPU, and the SDK's for as many calls. Targets: a \
             call about one line within {CPU_TARGET_CALLING} × its floor, and within {CPU_TARGET} × where it calls no AWS; functions \
             behind the API never over 24 MiB.",
            rounds * BLOCK
        ),
        2,
        &["function", "event", "AWS calls", "p50", "p99", "CPU a call", "floor", "× floor", "peak memory"],
    );
    bench.fresh()?;
    let mut sandboxes: BTreeMap<&str, Sandbox> = BTreeMap::new();
    for case in &cases {
        if !sandboxes.contains_key(case.function) {
            sandboxes.insert(case.function, Sandbox::start(&bench.launch(case.function), None)?);
        }
    }
    let bar = bench.bar("warm calls", rounds as u64);
    let mut found: Vec<Warm> = cases.iter().map(|_| Warm::default()).collect();
    let (empty, one_call) = (sandboxes.get(EMPTY).context("sandbox")?, sandboxes.get(ONE_CALL).context("sandbox")?);
    for round in 0..=rounds {
        for (case, found) in cases.iter().zip(&mut found) {
            let sandbox = sandboxes.get(case.function).context("sandbox")?;
            bench.aws.take_calls();
            let (took, used) = block(bench, sandbox, case)?;
            found.calls = bench.aws.take_calls() as f64 / BLOCK as f64;
            let (empty, one_call) = (cpu_of(empty, &case.event)?, cpu_of(one_call, &case.event)?);
            // The first turn only warms up.
            if round > 0 {
                found.latency.extend(took);
                found.cpu.push(used);
                found.empty.push(empty);
                found.one_call.push(one_call);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for (case, found) in cases.iter().zip(&found) {
        let (used, floor) = (median(&found.cpu), found.floor());
        let most = if found.calls.round() > 0.0 { CPU_TARGET_CALLING } else { CPU_TARGET };
        let ratio = used / floor;
        let memory = sandboxes.get(case.function).context("sandbox")?.peak_memory()?;
        section.rows.push(vec![
            case.function.into(),
            case.what.into(),
            format!("{:.0}", found.calls).into(),
            format!("{:.0} µs", median(&found.latency)).into(),
            format!("{:.0} µs", quantile(&found.latency, 0.99)).into(),
            format!("{used:.0} µs").into(),
            format!("{floor:.0} µs").into(),
            Cell::maybe(format!("{ratio:.2}"), case.cpu_judged.then_some(ratio <= most)),
            Cell::maybe(megabytes(memory), case.memory_target.map(|most| memory <= most)),
        ]);
    }
    section.notes.push("Peak memory is that of the process, over all its events.".to_owned());
    Ok(section)
}

/// One call whose answer is right.
fn call_once(bench: &Bench, sandbox: &Sandbox, case: &Case) -> Result<Answer> {
    (case.reset)(&bench.aws)?;
    let answer = sandbox.invoke(&Arc::clone(&case.event), CALL_TIMEOUT)?;
    if !(case.right)(&answer) {
        bail!("{} answered {}{}", case.function, answer.excerpt(), sandbox.last_words());
    }
    Ok(answer)
}

fn block(bench: &Bench, sandbox: &Sandbox, case: &Case) -> Result<(Vec<f64>, f64)> {
    let mut latency = Vec::with_capacity(BLOCK);
    let before = sandbox.cpu()?;
    for _ in 0..BLOCK {
        latency.push(micros(call_once(bench, sandbox, case)?.took));
    }
    let used = sandbox.cpu()?.saturating_sub(before);
    Ok((latency, micros(used) / BLOCK as f64))
}

/// CPU of a function for one call with this event, in microseconds.
fn cpu_of(function: &Sandbox, event: &Arc<Vec<u8>>) -> Result<f64> {
    let before = function.cpu()?;
    for _ in 0..BLOCK {
        function.invoke(event, CALL_TIMEOUT)?;
    }
    Ok(micros(function.cpu()?.saturating_sub(before)) / BLOCK as f64)
}
