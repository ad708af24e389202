//! Every committed event is published, also one that the stream has missed.

use serde_json::{Value, json};

use crate::api::As;
use crate::listen::Listener;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, now_ms, tag, unique, upload};

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

#[test]
fn a_refused_file_is_told_as_refused() {
    let events = Listener::to("EventsTopicArn");
    let name = format!("carta-{}.csv", tag());
    let import = upload(&name, b"Dear all,\nplease\n");
    let heard = events.wait_for(&name, |heard| !heard.is_empty());
    assert_eq!(heard[0].event, "ImportacionRechazada");
    let envelope: Value = serde_json::from_str(&heard[0].text).unwrap();
    assert_eq!(
        envelope["datos"],
        json!({"importId": import["importId"], "fileName": name, "mode": "set", "status": "failed",
            "counters": import["counters"], "reason": "no_header"})
    );
}

#[test]
fn the_sweeper_publishes_what_the_stream_missed() {
    let events = Listener::to("EventsTopicArn");
    let mark = tag();
    let put = |id: &str, extra: Value| {
        let body = format!(r#"{{"id":"{id}","evento":"Prueba","version":1,"datos":{{"mark":"{mark}"}}}}"#);
        let mut item = json!({
            "id": {"S": id}, "event": {"S": "Prueba"}, "body": {"S": body},
            "created_at": {"N": (now_ms() - 120_000).to_string()},
            "expires_at": {"N": (now_ms() / 1000 + 3600).to_string()},
        });
        for (name, value) in extra.as_object().unwrap() {
            item[name] = value.clone();
        }
        stack().dynamodb("PutItem", &json!({"TableName": stack().output("OutboxTable"), "Item": item}));
    };
    // In one of the partitions of pending events, and in the one that an older release has put them into.
    let ids = ["07", "1"].map(|partition| {
        let id = format!("evt_e2e{partition}{mark}");
        // Its first image is one that has been published, so the stream has nothing to say of it; and the second image is
        // a change of an item, which the stream passes over. What is left is an old event that is still pending.
        put(&id, json!({"published_at": {"N": "1"}}));
        put(&id, json!({"pending": {"S": partition}}));
        id
    });
    let schedule: Value = serde_json::from_str(include_str!("../../events/relay-events/schedule.json")).unwrap();
    let (answer, failed) = stack().invoke("relay-events", &schedule);
    assert!(!failed, "{answer}");
    for id in &ids {
        published(id);
        let heard = events.wait_for(id, |heard| !heard.is_empty());
        assert_eq!(heard[0].event, "Prueba");
    }

    // Swept again, it is not published again.
    let (answer, failed) = stack().invoke("relay-events", &schedule);
    assert!(!failed, "{answer}");
    let store = unique("Tras el barrido");
    upload(&format!("{store}.csv"), format!("store,item,count\n{store},a,0\n").as_bytes());
    events.wait_for(&store, |heard| heard.len() >= 2);
    for id in &ids {
        let times = events.about(id).len();
        assert!(
            times <= 2,
            "the schedule of the stack itself may have swept at the same moment, and nobody else: {times}"
        );
    }
}
