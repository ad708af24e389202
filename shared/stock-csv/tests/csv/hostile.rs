//! Files made to hurt: they must end soon, take little memory, and never swallow their neighbours.

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::limits::{OPEN_QUOTES_MAX, ROW_BYTES_MAX, SNIFF_BYTES};
use almacen_stock_csv::{Encoding, Sniff, sniff};

use crate::support::{check_bytes, layout, read};

fn events(file: &[u8], chunk: usize) -> Vec<String> {
    let layout = layout(file, "a.csv").expect("a table");
    read(file, &layout, Mode::Set, Encoding::Utf8, chunk)
}

#[test]
fn an_open_quote_costs_one_line() {
    check_bytes(
        b"store,item,count\nBerlin,\"A,1\nBerlin,B,2\nBerlin,C,3\n",
        "a.csv",
        &["2 - \"Berlin,\\\"A,1\" open_quote", "3 Berlin B 2", "4 Berlin C 3"],
    );
    let mut file = b"store,item,count\nBerlin,\"A,1\n".to_vec();
    for number in 0..50_000 {
        file.extend_from_slice(format!("Berlin,{number},2\n").as_bytes());
    }
    let rows = events(&file, 7777);
    assert_eq!(rows.len(), 50_001);
    assert_eq!(rows[..2], ["2 - \"Berlin,\\\"A,1\" open_quote", "3 Berlin 0 2"]);
    assert_eq!(rows[50_000], "50002 Berlin 49999 2");
}

#[test]
fn a_row_is_as_long_as_it_may_be_and_no_longer() {
    let row = |len: usize| {
        let cells = "Berlin,A,1,";
        format!("store,item,count,note\n{cells}{}\nBerlin,B,2\n", "x".repeat(len - cells.len()))
    };
    assert_eq!(events(row(ROW_BYTES_MAX).as_bytes(), 1000), ["2 Berlin A 1", "3 Berlin B 2"]);
    let shown = format!("2 - \"Berlin,A,1,{}…\" row_too_long", "x".repeat(88));
    assert_eq!(events(row(ROW_BYTES_MAX + 1).as_bytes(), 1000), [&shown, "3 Berlin B 2"]);
    assert_eq!(events(row(ROW_BYTES_MAX * 9).as_bytes(), 100_000), [&shown, "3 Berlin B 2"]);
    // … also as the last line, and in quotes
    let last = format!("store,item,count,note\nBerlin,A,1,{}", "x".repeat(ROW_BYTES_MAX));
    assert_eq!(events(last.as_bytes(), 1000), [&shown[..]]);
    let quoted = format!("store,item,count,note\nBerlin,A,1,\"{}\nBerlin,B,2\n", "x".repeat(ROW_BYTES_MAX));
    assert_eq!(events(quoted.as_bytes(), 1000)[1], "3 Berlin B 2");
}

/// Each of these lines opens a quote that none of the later ones closes.
fn never_closed(lines: usize) -> Vec<u8> {
    let mut file = b"store,item,count\n".to_vec();
    for _ in 0..lines {
        file.extend_from_slice(b"\"x\",\"\n");
    }
    file
}

#[test]
fn quotes_that_never_close_take_time_in_step_with_the_file() {
    let file = never_closed(2_000_000);
    let rows = events(&file, 64 * 1024);
    assert_eq!(rows.len(), 2_000_000);
    assert!(rows.iter().all(|row| row.ends_with("open_quote")));
    let report = crate::support::survey(&file, &layout(&file, "a.csv").expect("a table"), Mode::Set);
    assert_eq!(report.expect_err("too many").code(), "too_many_open_quotes");
    assert!(rows.len() > OPEN_QUOTES_MAX as usize);
}

#[test]
fn tiny_chunks_change_nothing_and_stay_cheap() {
    let mut file = never_closed(60_000);
    file.extend_from_slice(b"\"\nBerlin,A,1\nBerlin,\"");
    file.extend_from_slice("line\n".repeat(20_000).as_bytes());
    file.extend_from_slice(b"\",1\nBerlin,B,2\n");
    let whole = events(&file, file.len());
    for chunk in [1, 2, 13, 4096] {
        assert!(events(&file, chunk) == whole, "chunks of {chunk}");
    }
}

#[test]
fn a_row_of_nothing_but_delimiters_or_quotes() {
    let header = "store,item,count\n";
    let commas = format!("{header}{}\nBerlin,A,1\n", ",".repeat(ROW_BYTES_MAX - 1));
    assert_eq!(events(commas.as_bytes(), 1000), ["3 Berlin A 1"]);
    let commas = format!("{header}{}\n", format!("{}\n", ",".repeat(1000)).repeat(5_000));
    assert_eq!(events(commas.as_bytes(), 1000), Vec::<String>::new());
    let quotes = format!("{header}{}\nBerlin,A,1\n", "\"".repeat(ROW_BYTES_MAX - 2));
    assert_eq!(events(quotes.as_bytes(), 1000).last().expect("a row"), "3 Berlin A 1");
    let blank = format!("{header}{}Berlin,A,1\n", "\r\n\n\r".repeat(500_000));
    assert_eq!(events(blank.as_bytes(), 1000).len(), 1);
}

#[test]
fn sniffing_ends_and_does_not_depend_on_the_prefix() {
    let never = vec![b'x'; SNIFF_BYTES];
    assert_ne!(sniff(&never, false, "a.csv"), Sniff::NeedMore);
    assert_eq!(sniff(&never[..SNIFF_BYTES - 1], false, "a.csv"), Sniff::NeedMore);
    let hostile = never_closed(200_000);
    assert_ne!(sniff(&hostile[17..], false, "a.csv"), Sniff::NeedMore);

    let file = b"Report; of, May\r\n\r\nstore;item;count\r\nBerlin;A;1\r\n";
    let whole = sniff(file, true, "a.csv");
    let mut enough = false;
    for len in 0..file.len() {
        match sniff(&file[..len], false, "a.csv") {
            Sniff::NeedMore => assert!(!enough, "{len} bytes"),
            found @ (Sniff::Layout(_) | Sniff::Refused(_)) => {
                assert_eq!(found, whole, "{len} bytes");
                enough = true;
            }
        }
    }
    assert!(enough);
}
