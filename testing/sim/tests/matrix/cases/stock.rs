//! Lines change, and what follows: alerts, to-dos, the stock of products.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::catalogue::with_product;
use super::imports::stocked;
use super::{Heard, UseCase, ask, by_hand, done, nothing};

fn patch(body: &Value) -> Request {
    Request::new(As::Operator, "PATCH", "/items/{store}/{item+}", &["Berlin", "Tea"]).body(body)
}

/// Units leave the shelf, or come to it, as an order or a return moves them: orders are not there yet, so it is done by hand.
async fn moved(world: &World, (store, sku): (&str, &str), units: i64) -> Heard {
    let update = json!({
        "Key": {"store": {"S": store}, "sku": {"S": sku}},
        "UpdateExpression":
            "SET on_hand = on_hand + :units, available = available + :units, version = version + :one, updated_at = :now",
        "ExpressionAttributeValues": {
            ":units": {"N": units.to_string()}, ":one": {"N": "1"}, ":now": {"N": world.cloud().now().to_string()},
        },
    });
    by_hand(world, "UpdateItem", "InventoryTable", update);
    world.settle().await.unwrap();
    None
}

fn low(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked(world).await;
        moved(world, ("Berlin", "Tea"), -37).await;
        Value::Null
    })
}

/// Its to-do was completed by a person.
fn low_and_done_by_hand(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked(world).await;
        let task = |item: &serde_json::Map<String, Value>| Some(item.get("task")?["S"].as_str()?.to_owned());
        let id = world.items("TasksTable").unwrap().iter().find_map(task).unwrap();
        let body = json!({"title": "Reponer", "description": "", "completed": true});
        done(world, Request::new(As::Operator, "PUT", "/tasks/{id}", &[&id]).body(&body)).await
    })
}

fn todo(completed: bool) -> Value {
    json!({"title": "Contar", "description": "", "completed": completed})
}

fn with_task(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async { done(world, Request::new(As::Operator, "POST", "/tasks", &[]).body(&todo(false))).await })
}

fn task(method: &str, given: &Value) -> Request {
    Request::new(As::Operator, method, "/tasks/{id}", &[given["id"].as_str().unwrap()])
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::request("PATCH, a count", stocked, |world, _| Box::pin(ask(world, patch(&json!({"count": 2})))))
        .repeatable(),
    UseCase::request("PATCH, an adjustment", stocked, |world, _| Box::pin(ask(world, patch(&json!({"adjust": -39}))))),
    UseCase::request("PATCH, a threshold", stocked, |world, _| Box::pin(ask(world, patch(&json!({"threshold": 50})))))
        .repeatable(),
    UseCase::request("PATCH with If-Match", stocked, |world, _| {
        Box::pin(ask(world, patch(&json!({"count": 9, "threshold": null})).header("if-match", "\"1\"")))
    }),
    UseCase::work("a line goes low", stocked, |world, _| Box::pin(moved(world, ("Berlin", "Tea"), -37))),
    UseCase::work("a line is sold out", stocked, |world, _| Box::pin(moved(world, ("Berlin", "Tea"), -40))),
    UseCase::work("a low line is sold out", low, |world, _| Box::pin(moved(world, ("Berlin", "Tea"), -3))),
    UseCase::work("a low line is refilled", low, |world, _| Box::pin(moved(world, ("Berlin", "Tea"), 37))),
    UseCase::work("a line goes low, is refilled and goes low", stocked, |world, _| {
        Box::pin(async {
            moved(world, ("Berlin", "Tea"), -37).await;
            moved(world, ("Berlin", "Tea"), 30).await;
            moved(world, ("Berlin", "Tea"), -29).await
        })
    }),
    UseCase::work("a line is refilled whose to-do a person completed", low_and_done_by_hand, |world, _| {
        Box::pin(moved(world, ("Madrid", "Tea"), 37))
    }),
    UseCase::work("an item of a product is sold", with_product, |world, _| {
        Box::pin(moved(world, ("central", "Green"), -2))
    }),
    UseCase::work("a line that cannot be read", stocked, |world, _| {
        Box::pin(async {
            let item = json!({"store": {"S": "Berlin"}, "sku": {"S": "Broken"}, "available": {"S": "many"}});
            by_hand(world, "PutItem", "InventoryTable", json!({"Item": item}));
            moved(world, ("Berlin", "Tea"), -37).await
        })
    })
    .leaving(&["WatchStockFailures"]),
    UseCase::request("to-do of a person", nothing, |world, _| {
        Box::pin(ask(world, Request::new(As::Operator, "POST", "/tasks", &[]).body(&todo(false))))
    }),
    UseCase::request("changed to-do", with_task, |world, given| {
        Box::pin(ask(world, task("PUT", given).body(&todo(true))))
    }),
    UseCase::request("changed to-do with If-Match", with_task, |world, given| {
        Box::pin(ask(world, task("PUT", given).body(&todo(true)).header("if-match", "\"1\"")))
    }),
    UseCase::request("deleted to-do", with_task, |world, given| Box::pin(ask(world, task("DELETE", given)))),
];
