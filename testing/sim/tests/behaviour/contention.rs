//! Several at once: imports of one store, and changes by hand in between.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use almacen_testing_sim::api::Reply;
use almacen_testing_sim::books::{number, text};
use almacen_testing_sim::world::World;
use serde_json::json;

use crate::warehouse::{Arrived, books_balance, counters, ended, held, patch, put_quietly};
use crate::{SEEDS, in_worlds};

const STORE: &str = "Norte";
/// The longest way of a call there, and back.
const LATENCY: u64 = 20;

fn rows(range: Range<usize>, count: usize) -> String {
    range.fold("store,sku,count\n".to_owned(), |file, row| file + &format!("{STORE},sku-{row:05},{count}\n"))
}

fn sku(row: usize) -> String {
    format!("sku-{row:05}")
}

/// Delivers messages one after the other, with a pause of so many milliseconds; their invocations overlap.
async fn deliver_all(world: &World, files: &[&Arrived], pause: u64) {
    for file in files {
        file.send(world);
        world.pass(Duration::from_millis(pause)).await;
    }
}

fn version(reply: &Reply) -> i64 {
    reply.headers["etag"].as_str().unwrap().trim_matches('"').parse().unwrap()
}

#[test]
fn lines_changed_as_soon_as_they_are_made_stay_changed() {
    const ROWS: usize = 300;
    in_worlds(SEEDS, LATENCY, async |world| {
        let file = put_quietly(world, "new.csv", &rows(0..ROWS, 50)).await;
        let by_hand = RefCell::new(BTreeSet::new());
        // Several deliveries at once: if two of them wrote beside each other, one would overwrite what was changed after the
        // other made it.
        let three = [&file; 3];
        let deliveries = deliver_all(world, &three, 10);
        let person = async {
            for turn in 0.. {
                if file.is_done(world) {
                    break;
                }
                let sku = sku((turn * 77) % ROWS);
                let reply = patch(world, STORE, &sku, &json!({"count": 7777})).await;
                assert!([200, 404].contains(&reply.status), "{sku}: {}", reply.body);
                if reply.status == 200 {
                    by_hand.borrow_mut().insert(sku);
                }
            }
        };
        world.run_beside(vec![Box::pin(deliveries), Box::pin(person)]).await.unwrap();
        ended(&file.import(world).await, "completed", [ROWS as u64, 0, 0, ROWS as u64, 0, 0]);
        let (table, by_hand) = (held(world, STORE), by_hand.into_inner());
        assert_eq!(table.len(), ROWS);
        assert!(!by_hand.is_empty(), "nothing was changed meanwhile");
        for (sku, line) in &table {
            let expected = if by_hand.contains(sku) { 7777 } else { 50 };
            assert_eq!(number(line, "on_hand"), Some(expected), "{line:?}");
        }
        books_balance(world);
    });
}

#[test]
fn two_files_about_one_store_at_once_end_as_if_one_after_the_other() {
    const ROWS: u64 = 180;
    let firsts = RefCell::new(BTreeSet::new());
    // The older one has begun to write when the newer one comes, or not.
    for (older_first, pause) in [(false, 5), (true, 5), (true, 150)] {
        in_worlds(SEEDS, LATENCY, async |world| {
            let older = put_quietly(world, "a.csv", &rows(0..180, 100)).await;
            let newer = put_quietly(world, "b.csv", &rows(120..300, 200)).await;
            let order = if older_first { [&older, &newer, &newer, &older] } else { [&newer, &older, &older, &newer] };
            world.run_beside(vec![Box::pin(deliver_all(world, &order, pause))]).await.unwrap();
            let table = held(world, STORE);
            assert_eq!(table.len(), 300);
            for (position, line) in table.values().enumerate() {
                let expected = if position < 120 { 100 } else { 200 };
                assert_eq!((text(line, "sku"), number(line, "on_hand")), (sku(position).as_str(), Some(expected)));
            }
            let (first, second) = (older.import(world).await, newer.import(world).await);
            assert_eq!((&first["status"], &second["status"]), (&json!("completed"), &json!("completed")));
            // Whichever had the store first, together they made each line once.
            let (first, second) = (counters(&first), counters(&second));
            firsts.borrow_mut().insert(first[3]);
            match first[3] {
                ROWS => assert_eq!((first, second), ([180, 0, 0, 180, 0, 0], [180, 60, 0, 120, 0, 0])),
                _ => assert_eq!((first, second), ([180, 0, 0, 120, 0, 60], [180, 0, 0, 180, 0, 0])),
            }
            books_balance(world);
        });
    }
    assert_eq!(firsts.into_inner(), [120, 180].into(), "both orders were seen");
}

#[test]
fn changes_by_hand_during_an_import_are_kept() {
    const ROWS: usize = 250;
    const ALL: u64 = ROWS as u64;
    let touched_rows = RefCell::new(0);
    in_worlds(SEEDS, LATENCY, async |world| {
        let base = put_quietly(world, "count.csv", &rows(0..ROWS, 50)).await;
        ended(&base.deliver(world).await, "completed", [ALL, 0, 0, ALL, 0, 0]);

        // Every line of the file differs, so every one is written while the changes by hand go on.
        let file = put_quietly(world, "count.csv", &rows(0..ROWS, 60)).await;
        // Of each line: the version after the last change by hand, and whether every change set the count.
        let by_hand = RefCell::new(BTreeMap::<String, (i64, bool)>::new());
        let person = async {
            let mut version_of_one = 0;
            for turn in 0.. {
                if file.is_done(world) {
                    break;
                }
                let (sku, sets) = (sku(1 + (turn * 97) % (ROWS - 1)), turn % 2 == 0);
                let body = if sets { json!({"count": 7000}) } else { json!({"adjust": -3}) };
                let reply = patch(world, STORE, &sku, &body).await;
                assert_eq!(reply.status, 200, "{sku}: {}", reply.body);
                {
                    let mut by_hand = by_hand.borrow_mut();
                    let (last, all_set) = by_hand.entry(sku).or_insert((0, true));
                    (*last, *all_set) = (version(&reply), *all_set && sets);
                }
                // One line is changed over and over: its version only ever rises.
                let reply = patch(world, STORE, "sku-00000", &json!({"adjust": 1})).await;
                assert_eq!(reply.status, 200, "{}", reply.body);
                assert!(version(&reply) > version_of_one, "{} after {version_of_one}", version(&reply));
                version_of_one = version(&reply);
            }
        };
        world.run_beside(vec![Box::pin(deliver_all(world, &[&file], 1)), Box::pin(person)]).await.unwrap();
        let import = file.import(world).await;
        let [total, changed, unchanged, created, rejected, stale] = counters(&import);
        assert_eq!((total, unchanged, created, rejected), (ALL, 0, 0, 0), "{import}");
        assert_eq!(changed + stale, ALL, "{import}");
        let by_hand = by_hand.into_inner();
        *touched_rows.borrow_mut() += by_hand.len();
        for (sku, line) in held(world, STORE) {
            match by_hand.get(&sku) {
                Some((version, all_set)) => {
                    assert!(number(&line, "version") >= Some(*version), "{line:?}");
                    // A count set by hand is newer than the file and stays, whichever was first.
                    assert!(!all_set || number(&line, "on_hand") == Some(7000), "{line:?}");
                }
                None if sku == "sku-00000" => {}
                None => {
                    assert_eq!((number(&line, "on_hand"), number(&line, "version")), (Some(60), Some(2)), "{line:?}")
                }
            }
        }
        books_balance(world);
    });
    let touched = touched_rows.into_inner();
    assert!(touched > 40, "only {touched} lines were changed by hand meanwhile");
}

#[test]
fn many_files_of_one_store_at_once_all_arrive() {
    const FILES: usize = 40;
    const LINES: usize = 5;
    in_worlds(1..3, LATENCY, async |world| {
        let mut files = Vec::new();
        for file in 0..FILES {
            let from = file * LINES;
            files.push(put_quietly(world, &format!("{file}.csv"), &rows(from..from + LINES, file + 1)).await);
        }
        // Most files find newer ones there already.
        let newest_first: Vec<&Arrived> = files.iter().rev().collect();
        world.run_beside(vec![Box::pin(deliver_all(world, &newest_first, 1))]).await.unwrap();
        for file in &files {
            ended(&file.import(world).await, "completed", [LINES as u64, 0, 0, LINES as u64, 0, 0]);
        }
        let table = held(world, STORE);
        assert_eq!(table.len(), FILES * LINES);
        for (position, line) in table.values().enumerate() {
            assert_eq!(number(line, "on_hand"), i64::try_from(position / LINES + 1).ok(), "{line:?}");
        }
        books_balance(world);
    });
}
