//! How fast a million rows are read, beside the bare `csv` crate in the same run:
//! `cargo run --release -p almacen-stock-csv --example speed`

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{Encoding, Event, Layout, Plan, Reader, Sniff, Survey, Surveyed, sniff};

const ROWS: usize = 1_000_000;
const CHUNK: usize = 64 * 1024;

const STORES: usize = 20;

fn main() -> std::io::Result<()> {
    measure("store by store", |row| row * STORES / ROWS)?;
    measure("item by item", |row| row % STORES)
}

fn measure(order: &str, store_of: impl Fn(usize) -> usize) -> std::io::Result<()> {
    let mut file = b"store,item,count\n".to_vec();
    for row in 0..ROWS {
        writeln!(file, "Shop-{:02},SKU-{row:08},{:07}", store_of(row), row % 9_999_999)?;
    }
    let Sniff::Layout(layout) = sniff(&file, true, "a.csv") else { return Ok(()) };
    let body = file.get(17..).unwrap_or_default();

    let bare = best(|| bare(body));
    let reader = best(|| reader(body, &layout));
    let survey = best(|| survey(body, &layout));
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ROWS} rows {order} over {STORES} stores, {} MB, best of 7", body.len() / 1_000_000)?;
    for (name, time) in [("csv crate, ByteRecord", bare), ("Reader, good rows", reader), ("Survey", survey)] {
        let speed = body.len() as f64 / 1e6 / time.as_secs_f64();
        let ratio = bare.as_secs_f64() / time.as_secs_f64();
        writeln!(
            out,
            "{name:<24} {:>7.1} ms {speed:>7.0} MB/s  {ratio:.2} × the csv crate's speed",
            time.as_secs_f64() * 1e3
        )?;
    }
    Ok(())
}

fn best(mut work: impl FnMut() -> usize) -> Duration {
    (0..7)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn bare(body: &[u8]) -> usize {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = csv::ByteRecord::new();
    let mut cells = 0;
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        cells += record.len();
    }
    cells
}

fn reader(body: &[u8], layout: &Layout) -> usize {
    let mut sum = 0;
    let mut sink = |event: Event<'_>| {
        if let Event::Row(row) = event {
            sum += row.store.len() + row.item.len() + usize::from(row.count > 0);
        }
    };
    let mut reader = Reader::new(layout, Mode::Set, Encoding::Utf8, layout.body());
    for chunk in body.chunks(CHUNK) {
        reader.feed(chunk, &mut sink);
    }
    reader.finish(&mut sink);
    sum
}

fn survey(body: &[u8], layout: &Layout) -> usize {
    let mut survey = Survey::new(layout, Mode::Set, Plan::first(body.len() as u64, 7));
    for chunk in body.chunks(CHUNK) {
        if survey.feed(chunk).is_err() {
            return 0;
        }
    }
    match survey.finish() {
        Ok(Surveyed::Done(report)) => report.parts.len(),
        Ok(Surveyed::Again(_)) | Err(_) => 0,
    }
}
