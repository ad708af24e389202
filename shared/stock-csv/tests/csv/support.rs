//! A file in, one line of text for each row out.

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{
    Duplicates, Encoding, Event, FileProblem, Lang, Layout, Plan, Reader, Report, Row, Sniff, Survey, Surveyed,
    Verdict, rejected, sniff,
};

pub(crate) fn layout(bytes: &[u8], key: &str) -> Result<Layout, FileProblem> {
    match sniff(bytes, true, key) {
        Sniff::Layout(layout) => Ok(layout),
        Sniff::Refused(problem) => Err(problem),
        Sniff::NeedMore => panic!("a complete file is enough"),
    }
}

pub(crate) fn body<'a>(bytes: &'a [u8], layout: &Layout) -> &'a [u8] {
    &bytes[usize::try_from(layout.body().offset).expect("in memory")..]
}

pub(crate) fn survey(bytes: &[u8], layout: &Layout, mode: Mode) -> Result<Report, FileProblem> {
    let mut plan = Plan::first(bytes.len() as u64, 42);
    for _ in 0..20 {
        let mut survey = Survey::new(layout, mode, plan);
        for chunk in body(bytes, layout).chunks(64 * 1024) {
            survey.feed(chunk)?;
        }
        match survey.finish()? {
            Surveyed::Again(next) => plan = next,
            Surveyed::Done(report) => return Ok(report),
        }
    }
    panic!("a survey that does not end");
}

/// `2 Berlin A-1 5`, `2 Berlin A-1 5 (warn at 3)` or `2 count "x" not_a_number`.
pub(crate) fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Row(row) => {
            let threshold = row.threshold.map(|threshold| format!(" (warn at {threshold})")).unwrap_or_default();
            format!("{} {} {} {}{threshold}", row.at.line, row.store, row.item, row.count)
        }
        Event::Rejected(rejected) => format!(
            "{} {} {:?} {}",
            rejected.at.line,
            rejected.column.unwrap_or("-"),
            rejected.value,
            rejected.reason.code()
        ),
    }
}

pub(crate) fn read(bytes: &[u8], layout: &Layout, mode: Mode, encoding: Encoding, chunk: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = Reader::new(layout, mode, encoding, layout.body());
    for chunk in body(bytes, layout).chunks(chunk) {
        reader.feed(chunk, &mut |event| lines.push(describe(&event)));
    }
    reader.finish(&mut |event| lines.push(describe(&event)));
    lines
}

/// The whole way of a file: its rows, or why it is refused.
pub(crate) fn rows_of(bytes: &[u8], key: &str, mode: Mode) -> Result<Vec<String>, FileProblem> {
    let layout = layout(bytes, key)?;
    let layout = Layout::decode(&layout.encode()).expect("our own text");
    let report = survey(bytes, &layout, mode)?;
    let rows = read(bytes, &layout, mode, report.encoding, 64 * 1024);
    assert_eq!(report.rows, rows.len() as u64);
    Ok(rows)
}

/// What becomes of the rows once the file is known as a whole: as `rows_of`, but `3 = 2` for a line that line 2 took along,
/// and `4 other_lot` for one that is rejected because of another.
pub(crate) fn settled(file: &str, mode: Mode) -> Vec<String> {
    let bytes = file.as_bytes();
    let layout = layout(bytes, "upload.csv").expect("a table of stock");
    let duplicates = survey(bytes, &layout, mode).expect("within bounds").duplicates;
    let duplicates = Duplicates::decode(&duplicates.encode()).expect("our own bytes");
    let mut lines = Vec::new();
    let mut sink = |event: Event<'_>| {
        let line = event.at().line;
        lines.push(match event {
            Event::Rejected(_) => describe(&event),
            Event::Row(row) => match duplicates.verdict(row.store, row.item, line) {
                Verdict::Take => describe(&Event::Row(row)),
                Verdict::Sum { count, threshold } => describe(&Event::Row(Row { count, threshold, ..row })),
                Verdict::Repeated { first } => format!("{line} = {first}"),
                Verdict::Reject(reason) => format!("{line} {}", reason.code()),
            },
        });
    };
    let mut reader = Reader::new(&layout, mode, Encoding::Utf8, layout.body());
    reader.feed(body(bytes, &layout), &mut sink);
    reader.finish(&mut sink);
    lines
}

/// The rejected rows as they are offered for download.
pub(crate) fn rejected_file(bytes: &[u8], key: &str, mode: Mode) -> Vec<u8> {
    let layout = layout(bytes, key).expect("a table of stock");
    let report = survey(bytes, &layout, mode).expect("within bounds");
    let mut out = Vec::new();
    rejected::start(&layout, &mut out);
    let mut reader = Reader::new(&layout, mode, report.encoding, layout.body());
    let mut sink = |event: Event<'_>| {
        if let Event::Rejected(row) = event {
            rejected::append(&row, Lang::En, &mut out);
        }
    };
    reader.feed(body(bytes, &layout), &mut sink);
    reader.finish(&mut sink);
    out
}

#[track_caller]
pub(crate) fn check(file: &str, expected: &[&str]) {
    check_bytes(file.as_bytes(), "upload.csv", expected);
}

#[track_caller]
pub(crate) fn check_bytes(file: &[u8], key: &str, expected: &[&str]) {
    assert_eq!(rows_of(file, key, Mode::Set).expect("a table of stock"), expected);
}

#[track_caller]
pub(crate) fn refused(file: &[u8], key: &str) -> FileProblem {
    rows_of(file, key, Mode::Set).expect_err("no table of stock")
}
