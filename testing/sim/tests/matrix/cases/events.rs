//! Events leave the Outbox.

use std::time::Duration;

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::catalogue::with_product;
use super::{Heard, UseCase, by_hand, send};

/// More than SNS takes in one batch.
const CUSTOMERS: [&str; 12] =
    ["ana", "ada", "bea", "ciro", "dora", "eva", "fito", "gala", "hugo", "iris", "juan", "kiko"];
/// So long a stream keeps its records, and a little longer.
const PAST_THE_STREAM: Duration = Duration::from_secs(24 * 3600 + 60);
/// A message of SNS has at most 256 KiB.
const TOO_LARGE: usize = 300_000;

/// Events that nobody has been told of yet.
fn unpublished(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let given = with_product(world).await;
        for customer in CUSTOMERS {
            let body = json!({"productoId": given["id"], "cantidad": 1});
            let add = Request::new(As::Customer(customer), "POST", "/carrito/items", &[]).body(&body);
            assert_eq!(send(world, add).await.unwrap().status, 200);
        }
        Value::Null
    })
}

/// Events whose records the stream no longer has.
fn missed_by_the_stream(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        unpublished(world).await;
        world.pass(PAST_THE_STREAM).await;
        world.cloud().dynamodb().stream_trim(world.cloud().now());
        Value::Null
    })
}

async fn relayed(world: &World) -> Heard {
    world.settle().await.unwrap();
    None
}

async fn swept(world: &World) -> Heard {
    world.tick("relay-events").await.unwrap();
    relayed(world).await
}

/// An event that was put into the Outbox by hand.
fn put(world: &World, id: &str, body: Option<&str>) {
    let now = world.cloud().now();
    let mut item = json!({
        "id": {"S": id}, "event": {"S": "CarritoActualizado"}, "created_at": {"N": now.to_string()}, "pending": {"S": "00"},
    });
    if let Some(body) = body {
        item["body"] = json!({"S": body});
    }
    by_hand(world, "PutItem", "OutboxTable", json!({"Item": item}));
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::work("events of the stream", unpublished, |world, _| Box::pin(relayed(world))),
    UseCase::work("events that the stream has lost", missed_by_the_stream, |world, _| Box::pin(swept(world))),
    UseCase::work("event that is too large", unpublished, |world, _| {
        Box::pin(async {
            put(world, "evt_large", Some(&"x".repeat(TOO_LARGE)));
            relayed(world).await
        })
    })
    .leaving(&["RelayFailures"]),
    UseCase::work("event that cannot be read", unpublished, |world, _| {
        Box::pin(async {
            put(world, "evt_broken", None);
            relayed(world).await
        })
    })
    .leaving(&["RelayFailures"]),
];
