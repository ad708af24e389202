//! The books of a line: `on_hand = available + reserved`, whoever writes to it beside whom. Orders are not there yet; their
//! writes are made here as the design says they will be made.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::api::As;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, finished, held, now_ms, put_quietly, store_record, unique, upload};

const LINES: usize = 8;
const ORDERS_AT_ONCE: usize = 4;
const ROUNDS: usize = 600;

fn sku(number: usize) -> String {
    format!("sku-{number}")
}

fn file(store: &str, count: usize) -> String {
    (0..LINES).fold("store,sku,count\n".to_owned(), |text, line| text + &format!("{store},{},{count}\n", sku(line)))
}

/// A transaction that changes one line for an order.
fn order(store: &str, sku: &str, units: i64, set: &str, condition: &str) -> bool {
    let now = now_ms().to_string();
    let mut values =
        json!({":units": {"N": units.to_string()}, ":one": {"N": "1"}, ":now": {"N": now}, ":me": {"S": "ord_1"}});
    if set.contains(":none") {
        (values[":none"], values[":orders"]) = (json!({"S": ""}), json!({"S": "orders"}));
    }
    let mut update = json!({
        "TableName": stack().output("InventoryTable"),
        "Key": {"store": {"S": store}, "sku": {"S": sku}},
        "UpdateExpression": format!(
            "SET {set}, version = version + :one, edit_version = if_not_exists(edit_version, version), updated_at = :now, \
             moved_by = :me"
        ),
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    });
    if set.contains("#source") {
        update["ExpressionAttributeNames"] = json!({"#source": "source"});
    }
    stack().transacted(&json!([{"Update": update}]))
}

fn reserve(store: &str, sku: &str, units: i64) -> bool {
    order(store, sku, units, "available = available - :units, reserved = reserved + :units", "available >= :units")
}

fn release(store: &str, sku: &str, units: i64) {
    let set = "available = available + :units, reserved = reserved - :units";
    ends(|| order(store, sku, units, set, "reserved >= :units"));
}

/// Units that are reserved can be taken: only another transaction can be in the way, for a moment.
fn ends(change: impl Fn() -> bool) {
    eventually(PATIENCE, "the turn of an order", || if change() { Ok(()) } else { Err("refused".to_owned()) });
}

/// The units leave the shelf, which is a count: a file of before must not put them back.
fn consume(store: &str, sku: &str, units: i64) {
    let set = "on_hand = on_hand - :units, reserved = reserved - :units, counted_at = :now, #source = :orders, \
               s3_order = :none";
    ends(|| order(store, sku, units, set, "reserved >= :units"));
}

fn number(line: &BTreeMap<String, String>, name: &str) -> i64 {
    line[name].parse().unwrap()
}

/// Looks at every line: do its books balance?
#[track_caller]
fn balanced(store: &str) {
    for line in held(store).values() {
        let (on_hand, available, reserved) =
            (number(line, "on_hand"), number(line, "available"), number(line, "reserved"));
        assert_eq!(on_hand, available + reserved, "{line:?}");
        assert!(number(line, "version") >= number(line, "edit_version"), "{line:?}");
    }
}

#[test]
fn the_books_balance_beside_orders_imports_and_changes_by_hand() {
    let _peace = crate::crash::in_peace();
    let store = unique("Libros");
    ended(&upload(&format!("{store} 0.csv"), file(&store, 500).as_bytes()), "completed", [8, 0, 0, 8, 0, 0]);
    let kept: Mutex<BTreeMap<String, i64>> = Mutex::default();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let orders: Vec<_> = (0..ORDERS_AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    for round in 0..ROUNDS {
                        let (sku, units) = (sku(fastrand::usize(..LINES)), fastrand::i64(1..4));
                        if !reserve(&store, &sku, units) {
                            continue;
                        }
                        match round % 3 {
                            0 => consume(&store, &sku, units),
                            1 => release(&store, &sku, units),
                            _ => *kept.lock().unwrap().entry(sku).or_default() += units,
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for round in 0_usize.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let body = if round % 2 == 0 { json!({"adjust": 3}) } else { json!({"count": 400 + round % 200}) };
                let answer = As::Operador.patch(&store, &sku(round % LINES), &body.to_string());
                assert!([200, 429].contains(&answer.status), "{}", answer.text());
            }
        });
        scope.spawn(|| {
            for round in 0_usize.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let arrived = put_quietly(&format!("{store} {round}.csv"), 1, file(&store, 300 + round).as_bytes());
                arrived.deliver();
                finished(&arrived.import());
                balanced(&store);
            }
        });
        let ended: Vec<_> = orders.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    balanced(&store);
    let kept = kept.into_inner().unwrap();
    assert!(kept.len() > LINES / 2, "hardly anything was reserved: {kept:?}");
    for (sku, line) in held(&store) {
        assert_eq!(number(&line, "reserved"), kept.get(&sku).copied().unwrap_or(0), "{line:?}");
    }

    // A file that was counted before units left the shelf does not put them back.
    for line in 0..LINES {
        As::Operador.change(&store, &sku(line), r#"{"count":9000}"#);
    }
    let mut late = put_quietly(&format!("{store} late.csv"), 1, file(&store, 9999).as_bytes());
    late.at_ms = now_ms();
    for line in 0..LINES {
        assert!(reserve(&store, &sku(line), 1));
        consume(&store, &sku(line), 1);
    }
    let before = held(&store);
    late.deliver();
    ended(&finished(&late.import()), "completed", [8, 0, 0, 0, 0, 8]);
    assert_eq!(held(&store), before);
    assert_eq!(store_record(&store)["lines"], LINES.to_string());
}

#[test]
fn a_sale_makes_no_operators_edit_fail() {
    let store = unique("Venta");
    upload(&format!("{store}.csv"), format!("store,sku,count\n{store},a,10\n").as_bytes());
    let path = crate::api::line_path(&store, "a");
    let tag = As::Operador.get(&path).header("etag").to_owned();
    assert!(reserve(&store, "a", 2));
    let read = As::Operador.call("GET", &path, &[("if-none-match", &tag)], "");
    assert_eq!((read.status, read.header("etag")), (200, tag.as_str()), "the stock is another");
    let edit = |tag: &str, body: &str| As::Operador.call("PATCH", &path, &[("if-match", tag)], body);
    let edited = edit(&tag, r#"{"threshold":3}"#);
    assert_eq!(edited.status, 200, "{}", edited.text());
    assert_ne!(edited.header("etag"), tag);
    assert_eq!(edit(&tag, r#"{"threshold":4}"#).status, 412);
    let line = &held(&store)["a"];
    assert_eq!((line["version"].as_str(), line["edit_version"].as_str(), line.get("moved_by")), ("3", "2", None));

    // A line from before there were orders.
    stack().dynamodb(
        "UpdateItem",
        &json!({"TableName": stack().output("InventoryTable"), "Key": {"store": {"S": store}, "sku": {"S": "a"}},
            "UpdateExpression": "REMOVE edit_version"}),
    );
    assert_eq!(As::Operador.get(&path).header("etag"), "\"3\"");
    assert!(reserve(&store, "a", 1));
    assert_eq!(As::Operador.get(&path).header("etag"), "\"3\"");
    assert_eq!(edit("\"2\"", r#"{"count":5}"#).status, 412);
    assert_eq!(edit("\"3\"", r#"{"count":5}"#).header("etag"), "\"4\"");
    let answer: Value = As::Operador.read(&path);
    assert_eq!((answer["count"].as_i64(), answer["reserved"].as_i64()), (Some(5), Some(3)));
}
