//! Every committed event is published, also one that the stream has missed.

use std::time::Duration;

use almacen_testing_sim::books::{published, text};
use almacen_testing_sim::world::World;
use serde_json::{Value, json};

use crate::in_world;
use crate::warehouse::{books_balance, by_hand, ended, upload};

/// How often an event was published.
fn times(world: &World, id: &str) -> usize {
    let topic = &world.cloud().stack().topics["EventsTopic"].name;
    world.cloud().sns().published(topic).iter().filter(|told| told.message.contains(id)).count()
}

/// Is an event marked as published?
fn is_marked(world: &World, id: &str) -> bool {
    let events = world.items("OutboxTable").unwrap();
    let event = events.iter().find(|event| text(event, "id") == id).unwrap();
    !event.contains_key("pending") && event.contains_key("published_at")
}

#[test]
fn a_refused_file_is_told_as_refused() {
    in_world(&[], async |world| {
        let import = upload(world, "letter.csv", "Dear all,\nplease\n").await;
        ended(&import, "failed", [0; 6]);
        let events: Vec<Value> = published(world).unwrap().into_values().collect();
        let [event] = events.as_slice() else { panic!("not one event: {events:?}") };
        assert_eq!((&event["evento"], &event["agregadoId"]), (&json!("ImportacionRechazada"), &import["importId"]));
        assert_eq!(
            event["datos"],
            json!({"importId": import["importId"], "fileName": "letter.csv", "mode": "set", "status": "failed",
                "counters": import["counters"], "reason": "no_header"})
        );
        books_balance(world);
    });
}

#[test]
fn the_sweeper_publishes_what_the_stream_missed() {
    in_world(&[], async |world| {
        let now = world.cloud().now();
        // In one of the partitions of pending events, and in the one that an older release has put them into.
        let ids = ["07", "1"].map(|partition| {
            let id = format!("evt_sweep{partition}");
            let body = json!({"id": id, "evento": "Prueba", "version": 1, "datos": {}}).to_string();
            let item = json!({
                "id": {"S": id}, "event": {"S": "Prueba"}, "body": {"S": body}, "created_at": {"N": now.to_string()},
                "expires_at": {"N": (now / 1000 + 7 * 24 * 3600).to_string()}, "pending": {"S": partition},
            });
            by_hand(world, "PutItem", "OutboxTable", json!({"Item": item}));
            id
        });
        // The stream has lost its records before anybody read them.
        world.pass(Duration::from_secs(24 * 3600 + 60)).await;
        world.cloud().dynamodb().stream_trim(world.cloud().now());
        world.settle().await.unwrap();
        assert_eq!(ids.each_ref().map(|id| (times(world, id), is_marked(world, id))), [(0, false); 2]);

        world.tick("relay-events").await.unwrap();
        assert_eq!(ids.each_ref().map(|id| (times(world, id), is_marked(world, id))), [(1, true); 2]);

        // Swept again, it is not published again.
        world.tick("relay-events").await.unwrap();
        world.settle().await.unwrap();
        assert_eq!(ids.each_ref().map(|id| times(world, id)), [1; 2]);
        books_balance(world);
    });
}
