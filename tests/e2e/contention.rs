//! Several at once: imports of one store, and changes by hand in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::api::As;
use crate::wait::{LONG_PATIENCE, eventually};
use crate::warehouse::{Held, counters, ended, finished, held, import, put_quietly, store_record, unique};

fn rows(store: &str, range: std::ops::Range<usize>, count: usize) -> String {
    let mut file = String::from("store,sku,count\n");
    for row in range {
        file.push_str(&format!("{store},sku-{row:05},{count}\n"));
    }
    file
}

/// Sets a flag when it goes.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn number(line: &Held, name: &str) -> i64 {
    line[name].parse().unwrap()
}

/// Makes a change by hand every so often while `work` goes on; what was changed, and whether by setting it.
fn two_at_a_time<R: Send>(
    store: &str,
    skus: impl Fn(usize) -> String + Sync,
    work: impl FnOnce() -> R,
) -> (R, Vec<String>) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let patches = scope.spawn(|| {
            let mut made = Vec::new();
            for turn in 0_usize.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let sku = skus(turn);
                let answer = As::Operador.patch(store, &sku, r#"{"count":7777}"#);
                assert!([200, 404].contains(&answer.status), "{sku}: {}", answer.text());
                if answer.status == 200 {
                    made.push(sku);
                }
            }
            made
        });
        // Also where this thread fails.
        let stop = Stop(&over);
        let result = work();
        drop(stop);
        (result, patches.join().unwrap())
    })
}

#[test]
fn lines_changed_as_soon_as_they_are_made_stay_changed() {
    const ROWS: usize = 6000;
    let _peace = crate::crash::in_peace();
    let store = unique("Recién hechas");
    let file = put_quietly(&format!("{store}.csv"), 1, rows(&store, 0..ROWS, 50).as_bytes());
    // Several deliveries at once: if two of them wrote beside each other, one would overwrite what was changed
    // after the other made it.
    let sku = |turn: usize| format!("sku-{:05}", (turn * 2_477) % ROWS);
    let (import, by_hand) = two_at_a_time(&store, sku, || {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| file.deliver());
            }
        });
        finished(&file.import())
    });
    ended(&import, "completed", [ROWS as u64, 0, 0, ROWS as u64, 0, 0]);
    let table = held(&store);
    assert_eq!(table.len(), ROWS);
    assert!(!by_hand.is_empty(), "nothing was changed meanwhile");
    for (sku, line) in &table {
        let expected = if by_hand.contains(sku) { "7777" } else { "50" };
        assert_eq!(line["on_hand"], expected, "{line:?}");
    }
    assert_eq!(store_record(&store)["lines"], ROWS.to_string());
}

#[test]
fn two_files_about_one_store_at_once_end_as_if_one_after_the_other() {
    let _peace = crate::crash::in_peace();
    let store = unique("Dos a la vez");
    let older = put_quietly(&format!("{store} a.csv"), 1, rows(&store, 0..3000, 100).as_bytes());
    let mut newer = put_quietly(&format!("{store} b.csv"), 1, rows(&store, 2000..5000, 200).as_bytes());
    newer.at_ms = older.at_ms + 1;
    thread::scope(|scope| {
        scope.spawn(|| newer.deliver());
        scope.spawn(|| older.deliver());
        scope.spawn(|| older.deliver());
        scope.spawn(|| newer.deliver());
    });
    let (first, second) = (older.import(), newer.import());
    let (first, second) = (finished(&first), finished(&second));
    let table = held(&store);
    assert_eq!(table.len(), 5000);
    for (position, line) in table.values().enumerate() {
        let expected = if position < 2000 { "100" } else { "200" };
        assert_eq!((line["sku"].as_str(), line["on_hand"].as_str()), (format!("sku-{position:05}").as_str(), expected));
    }
    assert_eq!(store_record(&store)["lines"], "5000");
    // Whichever had the store first, together they made each line once.
    let (first, second) = (counters(&first), counters(&second));
    match first[3] {
        3000 => assert_eq!((first, second), ([3000, 0, 0, 3000, 0, 0], [3000, 1000, 0, 2000, 0, 0])),
        _ => assert_eq!((first, second), ([3000, 0, 0, 2000, 0, 1000], [3000, 0, 0, 3000, 0, 0])),
    }
}

#[test]
fn changes_by_hand_during_an_import_are_kept() {
    const ROWS: usize = 2500;
    let _peace = crate::crash::in_peace();
    let store = unique("Con cambios");
    let base = put_quietly(&format!("{store}.csv"), 1, rows(&store, 0..ROWS, 50).as_bytes());
    base.deliver();
    ended(&finished(&base.import()), "completed", [ROWS as u64, 0, 0, ROWS as u64, 0, 0]);

    // Every line of the file differs, so every one is written while the changes by hand go on.
    let file = put_quietly(&format!("{store}.csv"), 2, rows(&store, 0..ROWS, 60).as_bytes());
    let over = AtomicBool::new(false);
    let (id, by_hand) = thread::scope(|scope| {
        let patches = scope.spawn(|| {
            let mut made = Vec::new();
            let mut version_of_one = 0;
            for turn in 0_usize.. {
                if over.load(Ordering::Relaxed) && turn >= 40 {
                    break;
                }
                let sku = format!("sku-{:05}", (turn * 997) % ROWS);
                let body = if turn % 2 == 0 { r#"{"count":7000}"# } else { r#"{"adjust":-3}"# };
                let answer = As::Operador.patch(&store, &sku, body);
                assert_eq!(answer.status, 200, "{sku}: {}", answer.text());
                let etag: i64 = answer.header("etag").trim_matches('"').parse().unwrap();
                made.push((sku, turn % 2 == 0, etag));
                // One line is changed over and over: its version only ever rises.
                let answer = As::Operador.patch(&store, "sku-00000", r#"{"adjust":1}"#);
                let etag: i64 = answer.header("etag").trim_matches('"').parse().unwrap();
                assert!(etag > version_of_one, "{etag} after {version_of_one}");
                version_of_one = etag;
            }
            made
        });
        // Also where this thread fails.
        let stop = Stop(&over);
        file.deliver();
        let id = file.import();
        eventually(LONG_PATIENCE, "the end of the import", || {
            let import = import(&id);
            if import["status"] == "running" { Err(import.to_string()) } else { Ok(()) }
        });
        drop(stop);
        (id, patches.join().unwrap())
    });
    let import = import(&id);
    let [total, changed, unchanged, created, rejected, stale] = counters(&import);
    assert_eq!((total, unchanged, created, rejected), (ROWS as u64, 0, 0, 0), "{import}");
    assert_eq!(changed + stale, ROWS as u64, "{import}");
    let table = held(&store);
    for (sku, set, version) in &by_hand {
        let line = &table[sku];
        assert!(number(line, "version") >= *version, "{line:?}");
        // A count set by hand is newer than the file and stays, whichever was first; only other changes by hand
        // may have come on top.
        if *set && !by_hand.iter().any(|(other, set, _)| other == sku && !set) && sku != "sku-00000" {
            assert_eq!(line["on_hand"], "7000", "{line:?}");
        }
    }
    let touched = |sku: &str| sku == "sku-00000" || by_hand.iter().any(|(other, ..)| other == sku);
    let untouched = table.values().filter(|line| !touched(&line["sku"]));
    for line in untouched {
        assert_eq!((line["on_hand"].as_str(), line["version"].as_str()), ("60", "2"), "{line:?}");
    }
    assert_eq!(store_record(&store)["lines"], ROWS.to_string());
}

#[test]
fn many_files_of_one_store_at_once_all_arrive() {
    const FILES: usize = 40;
    const LINES: usize = 5;
    let _peace = crate::crash::in_peace();
    let store = unique("Por categorías");
    // Nobody says in which order the messages come; most files find newer ones there already.
    let files: Vec<_> = (0..FILES)
        .map(|number| {
            let from = number * LINES;
            let content = rows(&store, from..from + LINES, number + 1);
            put_quietly(&format!("{store} {number}.csv"), u32::try_from(number + 1).unwrap(), content.as_bytes())
        })
        .collect();
    for file in files.iter().rev() {
        file.deliver();
    }
    for file in &files {
        ended(&finished(&file.import()), "completed", [LINES as u64, 0, 0, LINES as u64, 0, 0]);
    }
    let table = held(&store);
    assert_eq!(table.len(), FILES * LINES);
    for (number, line) in table.values().enumerate() {
        assert_eq!(line["on_hand"], (number / LINES + 1).to_string());
    }
}
