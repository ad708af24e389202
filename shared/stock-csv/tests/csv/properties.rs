//! Properties of any input at all. [`any_file`] is also the body of the fuzz target in `fuzz/`.

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{
    Encoding, Event, Lang, Layout, Plan, Position, Reader, Reason, RecordAt, Sniff, Survey, Surveyed, Verdict,
    rejected, sniff,
};

/// What an event says, all of it.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    at: RecordAt,
    text: String,
    cells: Vec<String>,
}

fn said(event: &Event<'_>) -> Said {
    match event {
        Event::Row(row) => Said {
            at: row.at,
            text: format!("{} {} {} {:?}", row.store, row.item, row.count, row.threshold),
            cells: row.record.cells(),
        },
        Event::Rejected(row) => Said {
            at: row.at,
            text: format!("{:?} {:?} {:?}", row.column, row.value, row.reason),
            cells: row.record.cells(),
        },
    }
}

fn read(bytes: &[u8], layout: &Layout, mode: Mode, encoding: Encoding, from: Position, chunk: usize) -> Vec<Said> {
    let mut events = Vec::new();
    let mut reader = Reader::new(layout, mode, encoding, from);
    for chunk in bytes.get(from.offset as usize..).unwrap_or_default().chunks(chunk.max(1)) {
        reader.feed(chunk, &mut |event| events.push(said(&event)));
    }
    reader.finish(&mut |event| events.push(said(&event)));
    events
}

/// Whatever the bytes are: nothing panics, chunks do not matter, survey and reader agree, and what is said about a row
/// is within bounds.
pub(crate) fn any_file(file: &[u8], chunk: usize, mode: Mode) {
    let whole = sniff(file, true, "stores/Berlin/a.csv");
    assert_ne!(whole, Sniff::NeedMore);
    for len in [1, 20, 100, 1000] {
        let part = sniff(file.get(..len).unwrap_or(file), false, "stores/Berlin/a.csv");
        assert!(!matches!(part, Sniff::Layout(_)) || part == whole, "{part:?} is not {whole:?}");
    }
    let layout = match whole {
        Sniff::Layout(layout) => layout,
        Sniff::Refused(problem) => {
            assert!(!problem.text(Lang::Es).is_empty() && !problem.text(Lang::En).is_empty());
            return;
        }
        Sniff::NeedMore => return,
    };
    assert_eq!(Layout::decode(&layout.encode()).as_ref(), Some(&layout));

    let mut plan = Plan::first(file.len() as u64, 7);
    let report = loop {
        let mut survey = Survey::new(&layout, mode, plan);
        for chunk in file.get(layout.body().offset as usize..).unwrap_or_default().chunks(chunk.max(1)) {
            if survey.feed(chunk).is_err() {
                return;
            }
        }
        match survey.finish() {
            Ok(Surveyed::Again(next)) => plan = next,
            Ok(Surveyed::Done(report)) => break report,
            Err(_) => return,
        }
    };
    let events = read(file, &layout, mode, report.encoding, layout.body(), usize::MAX);
    assert_eq!(events, read(file, &layout, mode, report.encoding, layout.body(), chunk));
    assert_eq!(report.rows, events.len() as u64);
    let mut by_parts = Vec::new();
    for part in &report.parts {
        by_parts.extend(read(
            file.get(..part.end as usize).unwrap_or(file),
            &layout,
            mode,
            report.encoding,
            part.start,
            chunk,
        ));
    }
    assert_eq!(events, by_parts);

    let mut end = layout.body().offset;
    let mut line = 0;
    for event in &events {
        assert!(event.at.start >= end || event.at.line == line, "{event:?} overlaps");
        assert!(event.at.line >= line && event.at.end >= event.at.start && event.at.end_line >= event.at.line);
        assert!(event.at.end <= file.len() as u64);
        end = event.at.end;
        line = event.at.line;
    }

    let mut out = Vec::new();
    rejected::start(&layout, &mut out);
    let (mut taken, mut rows) = (0, 0);
    let mut reader = Reader::new(&layout, mode, report.encoding, layout.body());
    let mut sink = |event: Event<'_>| match event {
        Event::Row(row) => {
            rows += 1;
            assert!(
                almacen_domain::kernel::name::StoreId::parse(row.store).is_ok_and(|store| store.as_str() == row.store)
            );
            assert!(almacen_domain::kernel::name::Sku::parse(row.item).is_ok_and(|item| item.as_str() == row.item));
            assert!(mode == Mode::Adjust || row.count >= 0);
            assert!(
                row.count.abs() <= 1_000_000_000
                    && row.threshold.is_none_or(|number| (0..=1_000_000_000).contains(&number))
            );
            match report.duplicates.verdict(row.store, row.item, row.at.line) {
                Verdict::Take => taken += 1,
                Verdict::Repeated { first } => assert!(first < row.at.line),
                Verdict::Sum { count, threshold } => {
                    taken += 1;
                    assert!(mode == Mode::Adjust || count >= row.count);
                    assert!(count.abs() <= 1_000_000_000 && (row.threshold.is_none() || threshold == row.threshold));
                }
                Verdict::Reject(Reason::Conflict { other } | Reason::OtherLot { other }) => {
                    assert_ne!(other, row.at.line);
                }
                Verdict::Reject(reason) => assert_eq!(reason, Reason::TooLarge),
            }
        }
        Event::Rejected(row) => {
            assert!(row.value.chars().count() <= 100);
            rejected::append(&row, Lang::Es, &mut out);
        }
    };
    reader.feed(file.get(layout.body().offset as usize..).unwrap_or_default(), &mut sink);
    reader.finish(&mut sink);
    assert!(taken <= rows && rows == report.rows - report.rejected);
    assert!(std::str::from_utf8(&out).is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::SAMPLES;
    use proptest::prelude::*;

    /// Bytes in which what matters to a CSV is frequent.
    fn csv_like(len: usize) -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => Just(b",".to_vec()),
            4 => Just(b"\"".to_vec()),
            3 => Just(b"\n".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just(b"\r\n".to_vec()),
            1 => Just(b";".to_vec()),
            1 => Just(b" ".to_vec()),
            2 => Just("ñ".as_bytes().to_vec()),
            3 => "[0-9]{1,3}".prop_map(String::into_bytes),
            3 => "[a-zA-Z]{1,10}".prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 1..3),
        ];
        proptest::collection::vec(piece, 0..len).prop_map(|pieces| pieces.concat())
    }

    /// A sample, or a plain header and rows, with some bytes changed.
    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let base = prop_oneof![
            (0..SAMPLES.len()).prop_map(|index| SAMPLES[index].to_vec()),
            csv_like(60).prop_map(|rows| [b"store,item,count\n".as_slice(), &rows].concat()),
            csv_like(60).prop_map(|rows| [b"item;count\n".as_slice(), &rows].concat()),
            proptest::collection::vec("[AB],[A-C],[L-N],[0-3x],[ 1]\n", 0..20).prop_map(|rows| format!(
                "store,sku,lot,stock,threshold\n{}",
                rows.concat()
            )
            .into_bytes()),
            proptest::collection::vec("[AB],[A-C],[0-3]\n", 0..20).prop_map(|rows| format!(
                "store,sku,stock\n{}",
                rows.concat()
            )
            .into_bytes()),
        ];
        let edit = (
            any::<prop::sample::Index>(),
            prop_oneof![csv_like(3), proptest::collection::vec(any::<u8>(), 0..4)],
            0usize..4,
        );
        (base, proptest::collection::vec(edit, 0..6)).prop_map(|(mut file, edits)| {
            for (at, new, removed) in edits {
                let at = at.index(file.len() + 1);
                let to = (at + removed).min(file.len());
                file.splice(at..to, new);
            }
            file
        })
    }

    fn records_of_the_csv_crate(body: &[u8]) -> Vec<Vec<String>> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(body)
            .byte_records()
            .map(|record| {
                let record = record.expect("from memory");
                record
                    .iter()
                    .map(|cell| encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell).0.into_owned())
                    .collect()
            })
            .filter(|cells: &Vec<String>| cells.iter().any(|cell| !cell.trim().is_empty()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(file in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1usize..40) {
            any_file(&file, chunk, Mode::Set);
        }

        #[test]
        fn mutated_files(file in mutated(), chunk in 1usize..200, adjust in any::<bool>()) {
            any_file(&file, chunk, if adjust { Mode::Adjust } else { Mode::Set });
        }

        #[test]
        fn records_are_those_of_the_csv_crate(rows in csv_like(80), chunk in 1usize..40) {
            let file = [b"store,item,count\n".as_slice(), &rows].concat();
            let Sniff::Layout(layout) = sniff(b"store,item,count\n", true, "a.csv") else { panic!("a header") };
            let events = read(&file, &layout, Mode::Adjust, Encoding::Windows1252, layout.body(), chunk);
            let mut body = file[layout.body().offset as usize..].to_vec();
            if events.iter().any(|event| event.text.contains("OpenQuote")) {
                // the csv crate ends an open quote with the file; here it costs its line: what stands before is the same
                let end = events.iter().find(|event| event.text.contains("OpenQuote")).map_or(0, |event| event.at.start);
                body.truncate((end - layout.body().offset) as usize);
                let before: Vec<_> = events.into_iter().filter(|event| event.at.end <= end).map(|event| event.cells).collect();
                prop_assert_eq!(before, records_of_the_csv_crate(&body));
            } else {
                let cells: Vec<_> = events.into_iter().map(|event| event.cells).collect();
                prop_assert_eq!(cells, records_of_the_csv_crate(&body));
            }
        }

        #[test]
        fn reading_can_go_on_behind_any_row(rows in csv_like(60), chunk in 1usize..40) {
            let file = [b"store,item,count\n".as_slice(), &rows].concat();
            let Sniff::Layout(layout) = sniff(b"store,item,count\n", true, "a.csv") else { panic!("a header") };
            let events = read(&file, &layout, Mode::Set, Encoding::Utf8, layout.body(), chunk);
            for (index, event) in events.iter().enumerate() {
                let rest = read(&file, &layout, Mode::Set, Encoding::Utf8, event.at.after(), chunk);
                prop_assert_eq!(&rest, &events[index + 1..]);
                let from = read(&file, &layout, Mode::Set, Encoding::Utf8, event.at.begin(), chunk);
                prop_assert_eq!(&from, &events[index..]);
                let lines = file[..event.at.start as usize].split(|byte| *byte == b'\n').count();
                if !file.contains(&b'\r') {
                    prop_assert_eq!(event.at.line, lines as u64);
                }
            }
        }

        #[test]
        fn no_text_is_decoded_as_a_layout_it_is_not(text in "1[,;t|][b-] [0-9]{1,3} [0-9]{1,2} ([0-9]:[a-zñ]{0,9}){0,5}") {
            if let Some(layout) = Layout::decode(&text) {
                prop_assert_eq!(Layout::decode(&layout.encode()), Some(layout));
            }
        }
    }
}
