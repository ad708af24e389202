//! What is known of a file before anything of it is written, and its bounds.

use std::fmt::Write as _;

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::limits::{
    DUPLICATES_MAX, LOCATIONS_MAX, OPEN_QUOTES_MAX, PART_BYTES, PART_ROWS, PARTITION_ROWS, ROW_BYTES_MAX, ROWS_MAX,
    STORES_MAX,
};
use almacen_stock_csv::{Encoding, FileProblem, Plan, Reader, Reason, Report, Survey, Surveyed, Verdict};

use crate::support::{body, describe, layout, read, survey};

fn surveyed(file: &[u8]) -> Result<Report, FileProblem> {
    survey(file, &layout(file, "a.csv")?, Mode::Set)
}

#[test]
fn rows_stores_and_encoding() {
    let report =
        surveyed("store,item,count\nMálaga,A,1\nBerlin,A,1\nBerlin,B,x\nMálaga,B,1\n".as_bytes()).expect("a report");
    assert_eq!(report.encoding, Encoding::Utf8);
    assert_eq!((report.rows, report.rejected), (4, 1));
    let stores: Vec<_> = report.stores.iter().map(|(store, rows)| (store.as_str(), *rows)).collect();
    assert_eq!(stores, [("Berlin", 1), ("Málaga", 2)]);
    assert_eq!(surveyed(b"store,item,count\n").expect("a report").parts, []);
}

#[test]
fn the_encoding_is_what_most_letters_speak_for() {
    let encoding = |rows: &[u8], chunk: usize| {
        let file = [b"store,item,count\n".as_slice(), rows].concat();
        let layout = layout(&file, "a.csv").expect("a table");
        let mut plan = Plan::first(0, 1);
        loop {
            let mut survey = Survey::new(&layout, Mode::Set, plan);
            for chunk in body(&file, &layout).chunks(chunk) {
                survey.feed(chunk).expect("within bounds");
            }
            match survey.finish().expect("within bounds") {
                Surveyed::Again(next) => plan = next,
                Surveyed::Done(report) => return report.encoding,
            }
        }
    };
    for chunk in [1, 2, 3, 100] {
        assert_eq!(encoding(b"A,B,1\n", chunk), Encoding::Utf8);
        assert_eq!(encoding("A,España €,1\n".as_bytes(), chunk), Encoding::Utf8);
        assert_eq!(encoding(b"A,Espa\xf1a,1\n", chunk), Encoding::Windows1252);
        assert_eq!(encoding(b"A,Espa\xf1a \xc3\x89,1\nB,\xe1\xe9,1\n", chunk), Encoding::Windows1252);
        assert_eq!(encoding("A,ñññ,1\n".as_bytes(), chunk), Encoding::Utf8);
        assert_eq!(encoding(b"A,\xc3\xb1\xc3\xb1 \xff,1\n", chunk), Encoding::Utf8);
        assert_eq!(encoding(b"A,B,1,\xe2\x82", chunk), Encoding::Windows1252);
    }
}

#[test]
fn duplicates_in_any_order_of_lines() {
    let report = surveyed(
        b"store,item,count,threshold\nB,same,5,1\nB,other,5,1\nM,same,5,2\nB, same ,5,1\nB,other,6,1\nB,other,5,1\nB,warn,5,1\nB,warn,5,2\nB,bad,x,1\nB,bad,1,1\n",
    )
    .expect("a report");
    let verdict = |store, item, line| report.duplicates.verdict(store, item, line);
    assert_eq!(report.duplicates.len(), 3);
    assert_eq!(verdict("B", "same", 2), Verdict::Take);
    assert_eq!(verdict("B", "same", 5), Verdict::Repeated { first: 2 });
    assert_eq!(verdict("M", "same", 4), Verdict::Take);
    assert_eq!(verdict("B", "other", 3), Verdict::Reject(Reason::Conflict { other: 6 }));
    assert_eq!(verdict("B", "other", 6), Verdict::Reject(Reason::Conflict { other: 3 }));
    assert_eq!(verdict("B", "other", 7), Verdict::Reject(Reason::Conflict { other: 3 }));
    assert_eq!(verdict("B", "warn", 9), Verdict::Reject(Reason::Conflict { other: 8 }));
    assert_eq!(verdict("B", "bad", 11), Verdict::Take);
}

/// Rows of every kind, among them cells with line ends and rows that are rejected.
fn large(rows: usize) -> Vec<u8> {
    let mut file = String::from("store,item,count,note\n");
    for number in 0..rows {
        let store = number * 3 / rows;
        match number % 1000 {
            7 => writeln!(file, "Store {store},SKU-{number:07},{number},\"two\nlines, and \"\"more\"\"\""),
            8 => writeln!(file, "Store {store},SKU-{number:07},many,"),
            9 => writeln!(file, "\n\r\nStore {store},SKU-{number:07},{number},\"{}\"\r", "long ".repeat(500)),
            _ => writeln!(file, "Store {store},SKU-{number:07},{number},"),
        }
        .expect("a String");
    }
    file.into_bytes()
}

#[test]
fn parts_together_are_the_file() {
    let file = large(450_000);
    let layout = layout(&file, "a.csv").expect("a table");
    let report = survey(&file, &layout, Mode::Set).expect("within bounds");
    assert!(report.parts.len() >= 3, "{}", report.parts.len());
    let whole = read(&file, &layout, Mode::Set, report.encoding, 100_000);
    let mut by_parts = Vec::new();
    let mut end = layout.body().offset;
    for part in &report.parts {
        assert!(part.rows <= PART_ROWS && part.end - part.start.offset <= PART_BYTES, "{part:?}");
        assert!(part.start.offset >= end);
        end = part.end;
        let before = by_parts.len();
        let mut reader = Reader::new(&layout, Mode::Set, report.encoding, part.start);
        let bytes = &file
            [usize::try_from(part.start.offset).expect("in memory")..usize::try_from(part.end).expect("in memory")];
        reader.feed(bytes, &mut |event| by_parts.push(describe(&event)));
        reader.finish(&mut |event| by_parts.push(describe(&event)));
        assert_eq!(part.rows, (by_parts.len() - before) as u64);
    }
    assert!(whole == by_parts, "parts and whole differ");
    assert_eq!(report.stores.len(), 3);
    assert!(report.duplicates.is_empty());
}

#[test]
fn more_rows_than_one_pass_remembers() {
    let rows = PARTITION_ROWS + 100_000;
    let mut file = String::with_capacity(rows * 12);
    file.push_str("store,item,count\n");
    for number in 0..rows {
        writeln!(file, "B,{number},1").expect("a String");
    }
    for number in (0..rows).step_by(1000) {
        writeln!(file, "B,{number},{}", 1 + number % 2000 / 1000).expect("a String");
    }
    let report = surveyed(file.as_bytes()).expect("a report");
    assert_eq!(report.duplicates.len(), rows / 1000);
    for number in (0..rows).step_by(1000) {
        let line = (rows + 2 + number / 1000) as u64;
        let expected = if number % 2000 == 0 {
            Verdict::Repeated { first: number as u64 + 2 }
        } else {
            Verdict::Reject(Reason::Conflict { other: number as u64 + 2 })
        };
        assert_eq!(report.duplicates.verdict("B", &number.to_string(), line), expected, "{number}");
    }
    assert_eq!(report.duplicates.verdict("B", "1", 3), Verdict::Take);
}

/// Feeds `rows` so many times, which must be well, and once more, which is too much.
fn refused_after(times: u64, rows: impl Fn(u64) -> String) -> Option<FileProblem> {
    let layout = layout(b"store,item,count\n", "a.csv").expect("a table");
    let mut survey = Survey::new(&layout, Mode::Set, Plan::first(0, 1));
    survey.feed(b"\n").expect("a line end");
    for time in 0..times {
        survey.feed(rows(time).as_bytes()).expect("within bounds");
    }
    survey.feed(rows(times).as_bytes()).err().or_else(|| survey.finish().err())
}

#[test]
fn bounds() {
    let many = "B,1,1\n".repeat(100_000);
    assert_eq!(refused_after(ROWS_MAX / 100_000, |_| many.clone()), Some(FileProblem::TooManyRows));

    let store = |time| format!("Store {time},1,1\n");
    assert_eq!(refused_after(STORES_MAX as u64, store), Some(FileProblem::TooManyStores));

    let twice = |time| format!("B,{time},1\nB,{time},1\n");
    assert_eq!(refused_after(DUPLICATES_MAX as u64, twice), Some(FileProblem::TooManyDuplicates));

    let filler = "B,1,1\n".repeat(ROW_BYTES_MAX / 6 + 1);
    let open = |_| format!("B,\"1,1\n{filler}");
    assert_eq!(refused_after(u64::from(OPEN_QUOTES_MAX), open), Some(FileProblem::TooManyOpenQuotes));
}

#[test]
fn bounds_of_a_header() {
    let wide = |places: usize| {
        let header: Vec<_> = (0..places).map(|place| format!("Current Quantity Store {place}")).collect();
        format!("sku,{}\nA{}\n", header.join(","), ",1".repeat(places))
    };
    let report = surveyed(wide(LOCATIONS_MAX).as_bytes()).expect("a report");
    assert_eq!(report.rows, LOCATIONS_MAX as u64);
    assert_eq!(surveyed(wide(LOCATIONS_MAX + 1).as_bytes()), Err(FileProblem::TooManyLocations));

    let columns = |columns: usize| format!("store,item,count{}\nB,A,1\n", ",x".repeat(columns - 3));
    assert_eq!(surveyed(columns(1024).as_bytes()).expect("a report").rows, 1);
    assert_eq!(surveyed(columns(1025).as_bytes()), Err(FileProblem::HeaderTooLong));
    let blank = format!("store,item,count{}\nB,A,1{}\n", ",".repeat(16_381), ",".repeat(16_381));
    assert_eq!(surveyed(blank.as_bytes()).expect("a report").rows, 1);
    let long = format!("store,item,count,{}\nB,A,1\n", "x".repeat(65 * 1024));
    assert_eq!(surveyed(long.as_bytes()), Err(FileProblem::HeaderTooLong));
}
