//! Events go from the Outbox over its stream to the topic. What the stream missed is tested in the simulator.

use serde_json::{Value, json};

use crate::api::As;
use crate::listen::Listener;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, unique, upload};

fn event(id: &str) -> Value {
    let get = json!({"TableName": stack().output("OutboxTable"), "Key": {"id": {"S": id}}, "ConsistentRead": true});
    stack().dynamodb("GetItem", &get)["Item"].clone()
}

fn published(id: &str) {
    eventually(PATIENCE, &format!("event {id} to be marked as published"), || {
        let event = event(id);
        let done = event.get("pending").is_none() && event["published_at"]["N"].is_string();
        if done { Ok(()) } else { Err(event.to_string()) }
    });
}

#[test]
fn what_is_heard_is_marked_and_its_envelope_is_whole() {
    let events = Listener::to("EventsTopicArn");
    let store = unique("Bandeja");
    let file = format!("store,item,count\n{store},low,3\n{store},gone,0\n{store},enough,30\n");
    let import = upload(&format!("{store}.csv"), file.as_bytes());
    ended(&import, "completed", [3, 0, 0, 3, 0, 0]);
    As::Operador.change(&store, "low", r#"{"count":50}"#);
    let heard = events.wait_for(&store, |heard| heard.len() >= 4);
    let mut names: Vec<&str> = heard.iter().map(|heard| heard.event.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ImportacionCompletada", "StockAgotado", "StockBajo", "StockRepuesto"]);
    for heard in &heard {
        let envelope: Value = serde_json::from_str(&heard.text).unwrap();
        let fields: Vec<&String> = envelope.as_object().unwrap().keys().collect();
        let expected = ["agregadoId", "causaId", "correlacionId", "datos", "evento", "id", "marcaTiempo", "version"];
        assert_eq!(fields, expected);
        assert_eq!((&envelope["evento"], &envelope["version"]), (&json!(heard.event), &json!(1)));
        match heard.event.as_str() {
            "ImportacionCompletada" => {
                assert_eq!(envelope["agregadoId"], import["importId"]);
                assert_eq!(
                    envelope["datos"],
                    json!({"importId": import["importId"], "fileName": import["fileName"], "mode": "set",
                        "status": "completed", "counters": import["counters"]})
                );
            }
            "StockBajo" => {
                assert_eq!(envelope["agregadoId"], format!("{store}/low"));
                assert_eq!(envelope["correlacionId"], import["importId"], "a change can be followed to its file");
            }
            _ => {}
        }
        published(envelope["id"].as_str().unwrap());
    }
}
