//! Imports that nobody worked on are ended, and taken up again when their messages are put back.

use serde_json::{Value, json};

use crate::listen::Listener;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{counters, ended, finished, import, imports_of, lines, put_quietly, unique};

/// In the key of a file whose message is put among the dead letters on purpose.
pub(crate) const ON_PURPOSE: &str = "dead-letter-on-purpose";

/// Is a message of the ranges queue of such a file?
pub(crate) fn is_on_purpose(body: &str) -> bool {
    let range: Value = serde_json::from_str(body).unwrap_or_default();
    range["import"].as_str().is_some_and(|id| {
        let get =
            json!({"TableName": stack().output("ImportsTable"), "Key": {"id": {"S": id}, "part": {"S": "import"}}});
        stack().dynamodb("GetItem", &get)["Item"]["key"]["S"].as_str().is_some_and(|key| key.contains(ON_PURPOSE))
    })
}

fn look_at_the_dead_letters() {
    let schedule: Value = serde_json::from_str(include_str!("../../events/close-imports/schedule.json")).unwrap();
    let (answer, failed) = stack().invoke("close-imports", &schedule);
    assert!(!failed, "{answer}");
}

/// Puts a message back from the dead letters, as `cargo xtask redrive` does, but for those of other tests.
fn put_back(dead_letters: &str, queue: &str, ours: &str) {
    let dead_letters = stack().output(dead_letters);
    let message = eventually(PATIENCE, "our message among the dead letters", || {
        let receive = json!({"QueueUrl": dead_letters, "MaxNumberOfMessages": 10, "VisibilityTimeout": 1});
        let answer = stack().sqs("ReceiveMessage", &receive);
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let ours = messages.into_iter().find(|message| message["Body"].as_str().unwrap().contains(ours));
        ours.ok_or_else(|| answer.to_string())
    });
    stack().send(stack().output(queue), message["Body"].as_str().unwrap());
    stack().sqs("DeleteMessage", &json!({"QueueUrl": dead_letters, "ReceiptHandle": message["ReceiptHandle"]}));
}

#[test]
fn a_file_whose_message_nobody_took_ends_as_failed_and_is_imported_when_it_is_put_back() {
    let events = Listener::to("EventsTopicArn");
    let store = unique("Sin sitio");
    let key = format!("{ON_PURPOSE}/{store}.csv");
    let arrived = put_quietly(&key, 1, format!("store,item,count\n{store},a,7\n{store},b,8\n").as_bytes());
    stack().send(stack().output("UploadsDeadLettersUrl"), &arrived.message());
    assert_eq!(imports_of(&arrived.key, &arrived.version), [] as [String; 0]);
    let id = eventually(PATIENCE, "the import to be ended", || {
        look_at_the_dead_letters();
        imports_of(&arrived.key, &arrived.version).pop().ok_or_else(|| "none yet".to_owned())
    });
    let failed = import(&id);
    ended(&failed, "failed", [0; 6]);
    assert!(failed["failure"].as_str().unwrap().contains("Un administrador puede reanudarla"), "{failed}");
    let told = |name: &str, heard: &[crate::listen::Heard]| heard.iter().filter(|heard| heard.event == name).count();
    events.wait_for(&id, |heard| told("ImportacionRechazada", heard) == 1);

    // Looked at again, it is not ended again.
    look_at_the_dead_letters();
    assert_eq!(import(&id)["finishedAt"], failed["finishedAt"]);

    put_back("UploadsDeadLettersUrl", "UploadsQueueUrl", &arrived.version);
    let done = eventually(PATIENCE, "the import to be done", || {
        let import = import(&id);
        if import["status"] == "completed" { Ok(import) } else { Err(import.to_string()) }
    });
    ended(&done, "completed", [2, 0, 0, 2, 0, 0]);
    assert!(done.get("failure").is_none(), "{done}");
    assert_eq!(lines(&store), ["a 7/5", "b 8/5"]);
    let heard = events.wait_for(&id, |heard| told("ImportacionCompletada", heard) == 1);
    assert_eq!(told("ImportacionRechazada", &heard), 1, "{heard:?}");

    // A late message does no harm, and a completed import is not ended because of one.
    stack().send(stack().output("UploadsDeadLettersUrl"), &arrived.message());
    look_at_the_dead_letters();
    arrived.deliver();
    put_back("UploadsDeadLettersUrl", "UploadsQueueUrl", &arrived.version);
    let next = put_quietly(&key, 2, format!("store,item,count\n{store},a,7\n").as_bytes());
    next.deliver();
    ended(&finished(&next.import()), "completed", [1, 0, 1, 0, 0, 0]);
    assert_eq!(import(&id)["finishedAt"], done["finishedAt"]);
    assert_eq!(lines(&store), ["a 7/5", "b 8/5"]);
}

/// What the table holds of an import, changed by hand.
fn rewrite(id: &str, part: &str, expression: &str, values: &Value) {
    let mut update = json!({
        "TableName": stack().output("ImportsTable"),
        "Key": {"id": {"S": id}, "part": {"S": part}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
    });
    if expression.contains("#state") {
        update["ExpressionAttributeNames"] = json!({"#state": "state"});
    }
    stack().dynamodb("UpdateItem", &update);
}

#[test]
fn parts_of_a_large_file_go_on_where_they_were_left() {
    const ROWS: usize = 18_000;
    let _peace = crate::crash::in_peace();
    let store = unique("Tramos sin sitio");
    let mut file = String::from("store,sku,description,count\n");
    for row in 0..ROWS {
        file.push_str(&format!("{store},sku-{row:06},{},{}\n", "x".repeat(1000), row % 900 + 10));
    }
    let arrived = put_quietly(&format!("{ON_PURPOSE}/{store}.csv"), 1, file.as_bytes());
    arrived.deliver();
    let id = arrived.import();
    let all = [ROWS as u64, 0, 0, ROWS as u64, 0, 0];
    let first = finished(&id);
    ended(&first, "completed", all);

    // As if the second part had been left undone, nobody had ended the import, and its message were among the dead letters.
    rewrite(&id, "part#00002", "SET done = :no REMOVE worker, worker_until", &json!({":no": {"BOOL": false}}));
    rewrite(&id, "import", "SET #state = :running REMOVE finished_at", &json!({":running": {"S": "running"}}));
    let message = json!({"import": id, "part": 2}).to_string();
    stack().send(stack().output("RangesDeadLettersUrl"), &message);
    eventually(PATIENCE, "the import to be ended", || {
        look_at_the_dead_letters();
        let import = import(&id);
        if import["status"] == "failed" { Ok(()) } else { Err(import.to_string()) }
    });

    // A message of before the end is no reason to take it up again: this one is put back, and is.
    put_back("RangesDeadLettersUrl", "RangesQueueUrl", &id);
    let done = eventually(PATIENCE, "the import to be done", || {
        let import = import(&id);
        if import["status"] == "completed" { Ok(import) } else { Err(import.to_string()) }
    });
    assert_eq!(counters(&done), all);
    assert!(done["finishedAt"].as_str() > first["finishedAt"].as_str(), "{done}");
}
