//! Imports that nobody worked on are ended, and taken up again when their messages are put back.

use std::time::Duration;

use almacen_testing_sim::books::published;
use almacen_testing_sim::world::World;
use serde_json::{Value, json};

use crate::in_world;
use crate::warehouse::{books_balance, by_hand, counters, ended, import, lines, put_quietly};

/// Receives the messages of a queue, without deleting them, until they lie among the dead letters: as if no function had been
/// there to take them.
async fn nobody_takes(world: &World, queue: &str, dead_letters: &str) {
    let (sqs, stack) = (world.cloud().sqs(), world.cloud().stack());
    let (queue, dead_letters) = (stack.name(queue).unwrap(), stack.name(dead_letters).unwrap());
    let hidden = Duration::from_millis(sqs.settings(queue).unwrap().visibility);
    while sqs.messages(dead_letters).is_empty() {
        sqs.receive(queue, 10, None, world.cloud().now()).unwrap();
        world.pass(hidden).await;
    }
}

/// The schedule of close-imports fires.
async fn look_at_the_dead_letters(world: &World) {
    world.tick("close-imports").await.unwrap();
    world.settle().await.unwrap();
}

/// Puts one message back from the dead letters, as `cargo xtask redrive` does.
async fn put_back(world: &World, dead_letters: &str) {
    let dead_letters = world.cloud().stack().name(dead_letters).unwrap();
    assert_eq!(world.cloud().sqs().redrive(dead_letters, world.cloud().now()), 1);
    world.settle().await.unwrap();
}

/// What was told of an import.
fn told(world: &World, import: &Value) -> Vec<String> {
    let events = published(world).unwrap().into_values().filter(|event| event["agregadoId"] == import["importId"]);
    let mut names: Vec<String> = events.map(|event| event["evento"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_whose_message_nobody_took_ends_as_failed_and_is_imported_when_it_is_put_back() {
    in_world(&[], async |world| {
        let file = put_quietly(world, "stock.csv", "store,item,count\nNorte,a,7\nNorte,b,8\n").await;
        file.send(world);
        nobody_takes(world, "UploadsQueue", "UploadsDeadLetters").await;
        assert_eq!(file.imports(world), [] as [String; 0]);
        look_at_the_dead_letters(world).await;
        let failed = file.import(world).await;
        ended(&failed, "failed", [0; 6]);
        assert!(failed["failure"].as_str().unwrap().contains("Un administrador puede reanudarla"), "{failed}");
        assert_eq!(told(world, &failed), ["ImportacionRechazada"]);

        // Looked at again, it is not ended again.
        look_at_the_dead_letters(world).await;
        assert_eq!(file.import(world).await["finishedAt"], failed["finishedAt"]);

        put_back(world, "UploadsDeadLetters").await;
        let done = file.import(world).await;
        ended(&done, "completed", [2, 0, 0, 2, 0, 0]);
        assert!(done.get("failure").is_none(), "{done}");
        assert_eq!(lines(world, "Norte"), ["a 7", "b 8"]);
        assert_eq!(told(world, &done), ["ImportacionCompletada", "ImportacionRechazada"]);

        // A late message does no harm, and a completed import is not ended because of one.
        file.send(world);
        nobody_takes(world, "UploadsQueue", "UploadsDeadLetters").await;
        look_at_the_dead_letters(world).await;
        assert_eq!(file.deliver(world).await["finishedAt"], done["finishedAt"]);
        put_back(world, "UploadsDeadLetters").await;
        let next = put_quietly(world, "stock.csv", "store,item,count\nNorte,a,7\n").await;
        ended(&next.deliver(world).await, "completed", [1, 0, 1, 0, 0, 0]);
        let still = file.import(world).await;
        assert_eq!((&still["status"], &still["finishedAt"]), (&done["status"], &done["finishedAt"]));
        assert_eq!(lines(world, "Norte"), ["a 7", "b 8"]);
        books_balance(world);
    });
}

/// What the table holds of an import, changed by hand.
fn rewrite(world: &World, id: &str, part: &str, mut update: Value) {
    update["Key"] = json!({"id": {"S": id}, "part": {"S": part}});
    by_hand(world, "UpdateItem", "ImportsTable", update);
}

#[test]
fn parts_of_a_large_file_go_on_where_they_were_left() {
    // Few rows, and so long that the file is cut.
    const ROWS: u64 = 180;
    in_world(&[], async |world| {
        let long = "x".repeat(100_000);
        let mut content = "store,sku,description,count\n".to_owned();
        for row in 0..ROWS {
            content.push_str(&format!("Norte,sku-{row:06},{long},{}\n", row + 10));
        }
        let file = put_quietly(world, "large.csv", &content).await;
        let all = [ROWS, 0, 0, ROWS, 0, 0];
        let first = file.deliver(world).await;
        ended(&first, "completed", all);
        let id = first["importId"].as_str().unwrap();

        // As if the second part had been left undone, nobody had ended the import, and its message were among the dead letters.
        let undone = json!({
            "UpdateExpression": "SET done = :no REMOVE worker, worker_until",
            "ConditionExpression": "done = :yes",
            "ExpressionAttributeValues": {":no": {"BOOL": false}, ":yes": {"BOOL": true}},
        });
        rewrite(world, id, "part#00002", undone);
        let running = json!({
            "UpdateExpression": "SET #state = :running REMOVE finished_at",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":running": {"S": "running"}},
        });
        rewrite(world, id, "import", running);
        world.send("RangesQueue", &json!({"import": id, "part": 2}).to_string()).unwrap();
        nobody_takes(world, "RangesQueue", "RangesDeadLetters").await;
        look_at_the_dead_letters(world).await;
        ended(&import(world, id).await, "failed", all);

        // A message of before the end is no reason to take it up again: this one is put back, and is.
        world.pass(Duration::from_secs(1)).await;
        put_back(world, "RangesDeadLetters").await;
        let done = import(world, id).await;
        assert_eq!((&done["status"], counters(&done)), (&json!("completed"), all));
        assert!(done["finishedAt"].as_str() > first["finishedAt"].as_str(), "{done}");
        assert_eq!(lines(world, "Norte").len() as u64, ROWS);
        books_balance(world);
    });
}
