//! The books of a line: `on_hand = available + reserved`, with several writers at once. Orders are not there yet; their
//! writes are made here as the design says they will be made.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use almacen_testing_aws::cloud::{Caller, Settings};
use almacen_testing_aws::dynamodb;
use almacen_testing_aws::http::Request as HttpRequest;
use almacen_testing_sim::api::{As, Reply, Request};
use almacen_testing_sim::books::{number, text};
use almacen_testing_sim::world::World;
use futures::future::{LocalBoxFuture, join_all};
use serde_json::{Value, json};

use crate::warehouse::{ask, books_balance, by_hand, change, ended, held, patch, put_quietly, upload};
use crate::{block_on, in_world};

const STORE: &str = "Norte";
const LINES: usize = 8;
const ORDERS_AT_ONCE: usize = 4;
const ROUNDS: usize = 60;

fn sku(number: usize) -> String {
    format!("sku-{number}")
}

fn file(count: usize) -> String {
    (0..LINES).fold("store,sku,count\n".to_owned(), |text, line| text + &format!("{STORE},{},{count}\n", sku(line)))
}

/// A transaction that changes one line for an order. `false`: the units are not there, or another transaction is at the line.
async fn order(world: &World, sku: &str, units: i64, set: &str, condition: &str) -> bool {
    let now = world.cloud().now().to_string();
    let mut values =
        json!({":units": {"N": units.to_string()}, ":one": {"N": "1"}, ":now": {"N": now}, ":me": {"S": "ord_1"}});
    if set.contains(":none") {
        (values[":none"], values[":orders"]) = (json!({"S": ""}), json!({"S": "orders"}));
    }
    let mut update = json!({
        "TableName": world.cloud().stack().name("InventoryTable").unwrap(),
        "Key": {"store": {"S": STORE}, "sku": {"S": sku}},
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
    let mut request = HttpRequest::new("POST", "https://dynamodb.eu-west-1.amazonaws.com/");
    request.headers.insert("x-amz-target".to_owned(), "DynamoDB_20120810.TransactWriteItems".to_owned());
    request.headers.insert("authorization".to_owned(), "signed".to_owned());
    request.body = json!({"TransactItems": [{"Update": update}]}).to_string().into();
    let answer = world.cloud().request(Caller::operator("orders"), request).await.unwrap();
    let body = String::from_utf8_lossy(&answer.body);
    let cancelled = answer.status == 400 && body.contains("TransactionCanceledException");
    assert!(answer.status == 200 || cancelled, "{body}");
    !cancelled
}

async fn reserve(world: &World, sku: &str, units: i64) -> bool {
    let set = "available = available - :units, reserved = reserved + :units";
    order(world, sku, units, set, "available >= :units").await
}

/// Units that are reserved can be taken: only another transaction can be in the way, for a moment.
async fn take(world: &World, sku: &str, units: i64, set: &str) {
    for _ in 0..1_000 {
        if order(world, sku, units, set, "reserved >= :units").await {
            return;
        }
    }
    panic!("an order never has its turn at {sku}");
}

async fn release(world: &World, sku: &str, units: i64) {
    take(world, sku, units, "available = available + :units, reserved = reserved - :units").await;
}

/// The units leave the shelf, which is a count: a file of before must not put them back.
async fn consume(world: &World, sku: &str, units: i64) {
    let set = "on_hand = on_hand - :units, reserved = reserved - :units, counted_at = :now, #source = :orders, \
               s3_order = :none";
    take(world, sku, units, set).await;
}

/// Looks at every line: do its books balance?
#[track_caller]
fn balanced(world: &World) {
    for line in held(world, STORE).values() {
        let units = |name: &str| number(line, name).unwrap();
        assert_eq!(units("on_hand"), units("available") + units("reserved"), "{line:?}");
        assert!(units("version") >= units("edit_version"), "{line:?}");
    }
}

async fn orders(world: &World, mut rng: fastrand::Rng, kept: &RefCell<BTreeMap<String, i64>>) {
    for round in 0..ROUNDS {
        let (sku, units) = (sku(rng.usize(..LINES)), rng.i64(1..4));
        if !reserve(world, &sku, units).await {
            continue;
        }
        match round % 3 {
            0 => consume(world, &sku, units).await,
            1 => release(world, &sku, units).await,
            _ => *kept.borrow_mut().entry(sku).or_default() += units,
        }
    }
}

/// Orders, changes by hand and files, all at once.
async fn everybody(world: &World, seed: u64) -> BTreeMap<String, i64> {
    let (kept, over, patched, files) = (RefCell::default(), Cell::new(false), Cell::new(0), Cell::new(0));
    let all_orders: LocalBoxFuture<'_, ()> = Box::pin(async {
        let mut seeds = fastrand::Rng::with_seed(seed);
        join_all((0..ORDERS_AT_ONCE).map(|_| orders(world, seeds.fork(), &kept))).await;
        over.set(true);
    });
    let by_hand: LocalBoxFuture<'_, ()> = Box::pin(async {
        for round in 0.. {
            if over.get() {
                break;
            }
            let body = if round % 2 == 0 { json!({"adjust": 3}) } else { json!({"count": 400 + round % 200}) };
            let reply = patch(world, STORE, &sku(round % LINES), &body).await;
            assert!([200, 429].contains(&reply.status), "{}", reply.body);
            patched.set(patched.get() + usize::from(reply.status == 200));
        }
    });
    let by_file: LocalBoxFuture<'_, ()> = Box::pin(async {
        for round in 0.. {
            if over.get() {
                break;
            }
            let arrived = put_quietly(world, &format!("{round}.csv"), &file(300 + round)).await;
            arrived.send(world);
            while !arrived.is_done(world) && !over.get() {
                world.pass(Duration::from_millis(20)).await;
            }
            balanced(world);
            files.set(files.get() + 1);
        }
    });
    world.run_beside(vec![all_orders, by_hand, by_file]).await.unwrap();
    assert!(patched.get() > 20 && files.get() > 2, "hardly anything happened beside orders");
    kept.into_inner()
}

#[test]
fn the_books_balance_beside_orders_imports_and_changes_by_hand() {
    for seed in 1..5 {
        block_on(async {
            let world = World::new(seed, &[]).unwrap();
            ended(&upload(&world, "0.csv", &file(500)).await, "completed", [8, 0, 0, 8, 0, 0]);
            // Transactions last, so that others conflict with them; no longer than an answer and the next call are on their way.
            let dynamodb = dynamodb::Settings { transaction_takes: 2, ..dynamodb::Settings::default() };
            world.cloud().set(Settings { dynamodb, latency: 10, ..Settings::default() });
            let kept = everybody(&world, seed).await;
            world.cloud().set(Settings::default());
            assert!(kept.len() > LINES / 2, "hardly anything was reserved: {kept:?}");
            for (sku, line) in held(&world, STORE) {
                assert_eq!(number(&line, "reserved"), Some(kept.get(&sku).copied().unwrap_or(0)), "{line:?}");
            }
            balanced(&world);
            books_balance(&world);

            // A file that was counted before units left the shelf does not put them back.
            for line in 0..LINES {
                change(&world, STORE, &sku(line), &json!({"count": 9000})).await;
            }
            let late = put_quietly(&world, "late.csv", &file(9999)).await;
            world.pass(Duration::from_millis(2)).await;
            for line in 0..LINES {
                assert!(reserve(&world, &sku(line), 1).await);
                consume(&world, &sku(line), 1).await;
            }
            let before = held(&world, STORE);
            ended(&late.deliver(&world).await, "completed", [8, 0, 0, 0, 0, 8]);
            assert_eq!(held(&world, STORE), before);
            books_balance(&world);
        });
    }
}

fn etag(reply: &Reply) -> &str {
    reply.headers["etag"].as_str().unwrap()
}

#[test]
fn a_sale_makes_no_operators_edit_fail() {
    in_world(&[], async |world| {
        upload(world, "stock.csv", &format!("store,sku,count\n{STORE},a,10\n")).await;
        let line = |method: &str| Request::new(As::Operator, method, "/items/{store}/{item+}", &[STORE, "a"]);
        let edit = |tag: &str, body: &Value| ask(world, line("PATCH").header("if-match", tag).body(body));
        let tag = etag(&ask(world, line("GET")).await).to_owned();
        assert!(reserve(world, "a", 2).await);
        let read = ask(world, line("GET").header("if-none-match", &tag)).await;
        assert_eq!((read.status, etag(&read)), (200, tag.as_str()), "the stock is another");
        let edited = edit(&tag, &json!({"threshold": 3})).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
        assert_ne!(etag(&edited), tag);
        assert_eq!(edit(&tag, &json!({"threshold": 4})).await.status, 412);
        let stored = &held(world, STORE)["a"];
        assert_eq!((number(stored, "version"), number(stored, "edit_version")), (Some(3), Some(2)));
        assert_eq!(text(stored, "moved_by"), "");

        // A line from before there were orders.
        let key = json!({"store": {"S": STORE}, "sku": {"S": "a"}});
        by_hand(world, "UpdateItem", "InventoryTable", json!({"Key": key, "UpdateExpression": "REMOVE edit_version"}));
        assert_eq!(etag(&ask(world, line("GET")).await), "\"3\"");
        assert!(reserve(world, "a", 1).await);
        assert_eq!(etag(&ask(world, line("GET")).await), "\"3\"");
        assert_eq!(edit("\"2\"", &json!({"count": 5})).await.status, 412);
        assert_eq!(etag(&edit("\"3\"", &json!({"count": 5})).await), "\"4\"");
        let answer = ask(world, line("GET")).await.body;
        assert_eq!((answer["count"].as_i64(), answer["reserved"].as_i64()), (Some(5), Some(3)));
    });
}
