//! How quick the CSV reader is, beside the `csv` crate's own record reading.

use std::hint::black_box;
use std::time::Instant;

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{Encoding, Event, Plan, Reader, Sniff, Survey, Surveyed, limits, sniff};
use anyhow::{Result, anyhow, bail};

use crate::Bench;
use crate::files;
use crate::report::{Cell, Section};
use crate::stats::{median, thousands};

/// Rows of the file.
const ROWS: usize = 1_000_000;
/// As much as one read of a body gives.
const CHUNK: usize = 64 * 1024;
/// At least this share of the speed of the `csv` crate.
const TARGET: f64 = 0.5;

/// Reads the same bytes in three ways, in turn.
pub(crate) fn run(bench: &Bench) -> Result<Section> {
    let rounds = if bench.quick { 3 } else { 11 };
    let orders = [("store by store", files::Order::ByStore), ("item by item", files::Order::ByItem)];
    let mut section = Section::new(
        "CSV",
        &format!(
            "{} rows, 29 MB, in memory, in chunks of {} KiB; {rounds} rounds, in turn, medians, one thread. The bare `csv` crate reads \
             each row into one reused `ByteRecord` and looks at nothing. Ours checks and converts every cell; the survey also finds \
             stores, duplicates, encoding and where to cut. Target: reading at {TARGET} × the bare crate or quicker.",
            thousands(ROWS as u64),
            CHUNK / 1024
        ),
        2,
        &["reader", "file", "MB/s", "rows/s", "× csv crate"],
    );
    let bar = bench.bar("CSV", rounds * orders.len() as u64);
    for (name, order) in orders {
        let file = files::inventory(ROWS, order);
        let mut bare = Vec::new();
        let mut read = Vec::new();
        let mut surveyed = Vec::new();
        for _ in 0..rounds {
            bare.push(timed(|| raw(&file))?);
            read.push(timed(|| rows(&file))?);
            surveyed.push(timed(|| survey(&file))?);
            bar.inc(1);
        }
        let floor = median(&bare);
        for (reader, seconds, judged) in
            [("csv crate, bare records", &bare, false), ("Reader", &read, true), ("Survey", &surveyed, false)]
        {
            let seconds = median(seconds);
            let ratio = floor / seconds;
            section.rows.push(vec![
                reader.into(),
                name.into(),
                format!("{:.0}", file.len() as f64 / 1e6 / seconds).into(),
                thousands((ROWS as f64 / seconds) as u64).into(),
                Cell::maybe(format!("{ratio:.2}"), judged.then_some(ratio >= TARGET)),
            ]);
        }
    }
    bar.finish_and_clear();
    Ok(section)
}

fn timed(work: impl Fn() -> Result<usize>) -> Result<f64> {
    let start = Instant::now();
    let found = black_box(work()?);
    let took = start.elapsed().as_secs_f64();
    if found != ROWS {
        bail!("{found} rows were read instead of {ROWS}");
    }
    Ok(took)
}

fn raw(file: &[u8]) -> Result<usize> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(CHUNK).from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut found = 0;
    while reader.read_byte_record(&mut record)? {
        found += 1;
    }
    Ok(found)
}

fn rows(file: &[u8]) -> Result<usize> {
    let layout = layout(file)?;
    let body = layout.body();
    let mut reader = Reader::new(&layout, Mode::Set, Encoding::Utf8, body);
    let mut found = 0;
    let mut sum = 0;
    let mut sink = |event: Event<'_>| {
        if let Event::Row(row) = event {
            found += 1;
            sum += row.count;
        }
    };
    for chunk in file.get(usize::try_from(body.offset)?..).unwrap_or(&[]).chunks(CHUNK) {
        reader.feed(chunk, &mut sink);
    }
    reader.finish(&mut sink);
    black_box(sum);
    Ok(found)
}

fn survey(file: &[u8]) -> Result<usize> {
    let layout = layout(file)?;
    let from = usize::try_from(layout.body().offset)?;
    let mut plan = Plan::first(file.len() as u64, 1);
    loop {
        let mut survey = Survey::new(&layout, Mode::Set, plan);
        for chunk in file.get(from..).unwrap_or(&[]).chunks(CHUNK) {
            survey.feed(chunk).map_err(|problem| anyhow!("{problem:?}"))?;
        }
        match survey.finish().map_err(|problem| anyhow!("{problem:?}"))? {
            Surveyed::Again(next) => plan = next,
            Surveyed::Done(report) => return Ok(usize::try_from(report.rows)?),
        }
    }
}

fn layout(file: &[u8]) -> Result<almacen_stock_csv::Layout> {
    let prefix = file.get(..limits::SNIFF_BYTES.min(file.len())).unwrap_or(file);
    match sniff(prefix, prefix.len() == file.len(), "bench.csv") {
        Sniff::Layout(layout) => Ok(layout),
        Sniff::NeedMore => bail!("the reader wants more than {} bytes", prefix.len()),
        Sniff::Refused(problem) => bail!("the file is refused: {problem:?}"),
    }
}
