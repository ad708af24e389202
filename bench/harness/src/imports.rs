//! Whole imports: a file in the stand-in's bucket, its message, and every message that follows, until it is done.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use almacen_testing_aws::dynamodb::value::{Item, Value as Attribute};
use almacen_testing_aws::number::Number;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Bench;
use crate::aws::Usage;
use crate::files;
use crate::functions::{self, RANGES_QUEUE, UPLOADS_QUEUE};
use crate::report::{Cell, Section};
use crate::sandbox::{Sandbox, Tracked};
use crate::stats::{median, megabytes, thousands};

/// The functions that an import goes through.
pub(crate) const FUNCTIONS: &[&str] = &["ingest-inventory", "ingest-range"];
/// The most memory any of the processes may hold, whatever the file.
const MEMORY_TARGET: u64 = 64 * 1024 * 1024;
/// A first load must be this many times as quick as Python's.
const PYTHON_TARGET: f64 = 5.0;
/// What Lambda gives one invocation in `template.yaml`.
const INVOCATION: Duration = Duration::from_secs(300);
/// Deliveries after which a message would go to the dead-letter queue.
const DELIVERIES_MAX: u32 = 5;
/// Invocations after which an import is called endless.
const INVOCATIONS_MAX: usize = 2_000;

/// One import, or one load in Python.
#[derive(Debug, Clone, Default)]
struct Run {
    seconds: f64,
    cpu: f64,
    memory: u64,
    inventory: Usage,
}

struct Size {
    rows: usize,
    repeats: usize,
    python_repeats: usize,
}

/// First loads and unchanged re-uploads of three sizes, and the same first loads in Python.
pub(crate) fn run(bench: &Bench) -> Result<Section> {
    let sizes = if bench.quick {
        vec![
            Size { rows: 10_000, repeats: 3, python_repeats: 1 },
            Size { rows: 100_000, repeats: 1, python_repeats: 1 },
        ]
    } else {
        vec![
            Size { rows: 10_000, repeats: 7, python_repeats: 3 },
            Size { rows: 100_000, repeats: 5, python_repeats: 3 },
            Size { rows: 1_000_000, repeats: 3, python_repeats: 1 },
        ]
    };
    let mut section = Section::new(
        "Imports",
        &format!(
            "From the message about a new object to the last answer, with every message in between delivered at once: one process of \
             ingest-inventory and one of ingest-range, which take turns, so that about one processor works for the import. Twenty \
             stores, item by item. First load: no line exists. Unchanged: the same file once more. Python: the `csv` module and \
             boto3's `batch_writer`, writing the same items to the same stand-in in the same run. Every result is checked against \
             the table. Targets: no process over {} MiB; nothing written to Inventory for an unchanged file; a first load at \
             {PYTHON_TARGET} × Python's rows a second or quicker.",
            MEMORY_TARGET / 1024 / 1024
        ),
        1,
        &[
            "import",
            "runs",
            "rows/s",
            "MB/s",
            "CPU",
            "peak memory",
            "lines written",
            "write units",
            "read units",
            "× Python",
        ],
    );
    let steps = sizes
        .iter()
        .map(|size| 2 * size.repeats + if bench.python.is_some() { size.python_repeats } else { 0 })
        .sum::<usize>();
    let bar = bench.bar("imports", steps as u64);
    for size in &sizes {
        let file = Arc::new(files::inventory(size.rows, files::Order::ByItem));
        let name = thousands(size.rows as u64);
        let (mut first, mut again, mut python) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..size.repeats.max(size.python_repeats) {
            if round < size.repeats {
                let (load, repeated) =
                    imports(bench, &file, size.rows, &bar).with_context(|| format!("import of {name} rows"))?;
                first.push(load);
                again.push(repeated);
            }
            if round < size.python_repeats
                && let Some(interpreter) = &bench.python
            {
                bar.set_message(format!("imports: {name} rows, Python"));
                python.push(in_python(bench, interpreter, &file, size.rows)?);
                bar.inc(1);
            }
        }
        let pace = |runs: &[Run]| size.rows as f64 / median(&runs.iter().map(|run| run.seconds).collect::<Vec<_>>());
        let times = (!python.is_empty()).then(|| pace(&first) / pace(&python));
        let ratio = match times {
            Some(times) => Cell::judged(format!("{times:.1}"), times >= PYTHON_TARGET),
            None => "–".into(),
        };
        section.rows.push(row(&format!("{name} rows, first load"), size.rows, &file, &first, None, true, ratio));
        section.rows.push(row(&format!("{name} rows, unchanged"), size.rows, &file, &again, Some(0), true, "".into()));
        if !python.is_empty() {
            section.rows.push(row(
                &format!("{name} rows, first load, Python"),
                size.rows,
                &file,
                &python,
                None,
                false,
                "1.0".into(),
            ));
        }
    }
    bar.finish_and_clear();
    if bench.python.is_none() {
        section.notes.push("No Python with boto3 was found, so that comparison is missing.".to_owned());
    }
    section.notes.push(
        "CPU is that of the functions' processes, user and system; memory the most that any one of them held."
            .to_owned(),
    );
    Ok(section)
}

fn row(name: &str, rows: usize, file: &[u8], runs: &[Run], writes: Option<u64>, ours: bool, ratio: Cell) -> Vec<Cell> {
    let seconds = median(&runs.iter().map(|run| run.seconds).collect::<Vec<_>>());
    let cpu = median(&runs.iter().map(|run| run.cpu).collect::<Vec<_>>());
    let memory = runs.iter().map(|run| run.memory).max().unwrap_or(0);
    let written = runs.iter().map(|run| run.inventory.writes).max().unwrap_or(0);
    let usage = runs.last().map(|run| run.inventory).unwrap_or_default();
    vec![
        name.into(),
        runs.len().to_string().into(),
        thousands((rows as f64 / seconds) as u64).into(),
        format!("{:.1}", file.len() as f64 / 1e6 / seconds).into(),
        format!("{cpu:.2} s").into(),
        Cell::maybe(megabytes(memory), ours.then_some(memory <= MEMORY_TARGET)),
        Cell::maybe(thousands(written), writes.map(|wanted| written == wanted)),
        thousands(usage.write_units).into(),
        thousands(usage.read_units as u64).into(),
        ratio,
    ]
}

fn imports(bench: &Bench, file: &Arc<Vec<u8>>, rows: usize, bar: &indicatif::ProgressBar) -> Result<(Run, Run)> {
    let name = thousands(rows as u64);
    bench.aws.clear();
    bar.set_message(format!("imports: {name} rows, first load"));
    let first = import(bench, file, 1)?;
    let held = bench.aws.count("Inventory");
    if held != rows {
        bail!("{held} lines are there after a first load of {rows}");
    }
    check_record(bench, "created", rows)?;
    bar.inc(1);
    bar.set_message(format!("imports: {name} rows, unchanged"));
    let again = import(bench, file, 2)?;
    check_record(bench, "unchanged", rows)?;
    bar.inc(1);
    Ok((first, again))
}

/// The newest import must be completed and have counted every row as `counter`.
fn check_record(bench: &Bench, counter: &str, rows: usize) -> Result<()> {
    let items = bench.aws.items("Imports");
    let number = |item: &Item, name: &str| -> u64 {
        let held = item.get(name).and_then(Attribute::as_number).and_then(Number::to_i128);
        held.and_then(|number| number.try_into().ok()).unwrap_or(0)
    };
    let text = |item: &Item, name: &str| item.get(name).and_then(Attribute::as_text).unwrap_or("").to_owned();
    let record = items
        .iter()
        .filter(|item| text(item, "part") == "import")
        .max_by_key(|item| number(item, "created_at"))
        .context("no import was recorded")?;
    let state = text(record, "state");
    let counted = number(record, counter);
    if state != "completed" || counted != rows as u64 {
        bail!("the import ended as {state:?} with {counted} rows {counter} instead of {rows}: {record:?}");
    }
    Ok(())
}

fn import(bench: &Bench, file: &Arc<Vec<u8>>, sequence: u64) -> Result<Run> {
    let inventory = Sandbox::start(&bench.launch("ingest-inventory"), None)?;
    let range = Sandbox::start(&bench.launch("ingest-range"), None)?;
    inventory.ready(functions::CALL_TIMEOUT)?;
    range.ready(functions::CALL_TIMEOUT)?;
    let key = "bench/stock.csv";
    let version = bench.aws.put("uploads", key, file)?;
    bench.aws.take_usage("Inventory");
    bench.aws.take_refused();
    let before = inventory.cpu()? + range.cpu()?;
    let notification = functions::s3_notification(key, file.len(), &version, sequence);
    let mut waiting = VecDeque::from([(UPLOADS_QUEUE.to_owned(), notification, 1)]);
    let mut invocations = 0;
    let start = Instant::now();
    while let Some((queue, body, delivery)) = waiting.pop_front() {
        let sandbox = match queue.as_str() {
            UPLOADS_QUEUE => &inventory,
            RANGES_QUEUE => &range,
            other => bail!("a message went to {other}: {body}"),
        };
        let answer = sandbox.invoke(&functions::sqs_event(&queue, &body, delivery), INVOCATION)?;
        invocations += 1;
        let failed = answer.failed || !functions::no_failures(&answer);
        if failed && delivery >= DELIVERIES_MAX {
            bail!(
                "{queue}: {} at delivery {delivery}{}\n  refused by the stand-in: {:?}",
                answer.excerpt(),
                sandbox.last_words(),
                bench.aws.take_refused()
            );
        }
        if invocations > INVOCATIONS_MAX {
            bail!("no end after {invocations} invocations{}", sandbox.last_words());
        }
        if failed {
            waiting.push_back((queue, body, delivery + 1));
        }
        while let Some(message) = bench.aws.take_message() {
            waiting.push_back((message.queue, message.body, 1));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let refused = bench.aws.take_refused();
    if !refused.is_empty() {
        bail!("the stand-in refused requests: {refused:?}");
    }
    Ok(Run {
        seconds,
        cpu: (inventory.cpu()? + range.cpu()?).saturating_sub(before).as_secs_f64(),
        memory: inventory.peak_memory()?.max(range.peak_memory()?),
        inventory: bench.aws.take_usage("Inventory"),
    })
}

fn in_python(bench: &Bench, python: &std::path::Path, file: &Arc<Vec<u8>>, rows: usize) -> Result<Run> {
    bench.aws.clear();
    let key = "bench/stock.csv";
    bench.aws.put("uploads", key, file)?;
    let child = Command::new(python)
        .arg("-B")
        .arg(bench.root.join("bench/python/ingest_baseline.py"))
        .arg(key)
        .env_clear()
        .envs(bench.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(bench.logs.join("python-ingest.json"))?)
        .stderr(std::fs::File::create(bench.logs.join("python-ingest.log"))?)
        .spawn()
        .with_context(|| format!("start {}", python.display()))?;
    let child = Tracked::new(child);
    let status = child.wait(Instant::now() + Duration::from_secs(1800))?;
    let log = bench.logs.join("python-ingest.log");
    if !status.success() {
        bail!("ingest_baseline.py: {status}; see {}", log.display());
    }
    let held = bench.aws.count("Inventory");
    if held != rows {
        bail!("{held} lines are there after Python loaded {rows}");
    }
    let told: Value = serde_json::from_slice(&std::fs::read(bench.logs.join("python-ingest.json"))?)?;
    let number = |name: &str| {
        told.get(name).and_then(Value::as_f64).with_context(|| format!("ingest_baseline.py told no {name}"))
    };
    Ok(Run {
        seconds: number("seconds")?,
        cpu: number("cpu")?,
        memory: number("memory")? as u64,
        inventory: bench.aws.take_usage("Inventory"),
    })
}
