//! Imports that are announced through the API, with an address to send the file to.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::books::text;
use almacen_testing_sim::world::World;
use serde_json::{Value, json};

use crate::in_world;
use crate::warehouse::{ask, books_balance, ended, import, lines};

async fn announce(world: &World, body: &Value) -> Value {
    let reply = ask(world, Request::new(As::Operator, "POST", "/imports", &[]).body(body)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.body
}

/// Sends a file to where an announcement says, and lets happen what follows from it.
async fn send(world: &World, announced: &Value, content: &str) {
    assert_eq!(announced["upload"]["method"], "PUT");
    let status = world.upload(announced["upload"]["url"].as_str().unwrap(), content).await.unwrap();
    assert_eq!(status, 200);
    world.settle().await.unwrap();
}

#[test]
fn what_was_announced_holds_for_the_file() {
    in_world(&[], async |world| {
        let body = json!({"fileName": "stores/Norte/a.csv", "mode": "adjust", "dryRun": true});
        let announced = announce(world, &body).await;
        send(world, &announced, "item,count\na,3\n").await;
        let import = import(world, announced["importId"].as_str().unwrap()).await;
        ended(&import, "completed", [1, 0, 0, 1, 0, 0]);
        assert_eq!((&import["mode"], &import["dryRun"]), (&json!("adjust"), &json!(true)));
        assert_eq!(lines(world, "Norte"), [] as [String; 0]);
        assert_eq!(world.items("StoresTable").unwrap(), []);
        books_balance(world);
    });
}

#[test]
fn a_second_file_to_the_same_address_is_refused_as_an_import_of_its_own() {
    in_world(&[], async |world| {
        let announced = announce(world, &json!({"fileName": "stores/Norte/b.csv"})).await;
        let id = announced["importId"].as_str().unwrap();
        send(world, &announced, "item,count\na,3\n").await;
        ended(&import(world, id).await, "completed", [1, 0, 0, 1, 0, 0]);
        send(world, &announced, "item,count\na,4\nb,9\n").await;
        let imports = world.items("ImportsTable").unwrap();
        let ids: Vec<&str> =
            imports.iter().filter(|one| text(one, "part") == "import").map(|one| text(one, "id")).collect();
        let others: Vec<&&str> = ids.iter().filter(|other| **other != id).collect();
        let [other] = others.as_slice() else { panic!("not one other import: {ids:?}") };
        let surplus = import(world, other).await;
        ended(&surplus, "failed", [0; 6]);
        assert_eq!(surplus["failure"], "Esta importación ya tenía su archivo. Cree otra importación para subir otro.");
        ended(&import(world, id).await, "completed", [1, 0, 0, 1, 0, 0]);
        assert_eq!(lines(world, "Norte"), ["a 3"]);
        books_balance(world);
    });
}
