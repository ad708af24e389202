//! An import that nobody worked on is ended, and taken up again when its message is put back: the dead letters of the stack,
//! and the rights of close-imports. What else can happen to such imports is tested in the simulator.

use serde_json::{Value, json};

use crate::listen::Listener;
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, import, imports_of, lines, put_quietly, unique};

/// In the key of a file whose message is put among the dead letters on purpose.
pub(crate) const ON_PURPOSE: &str = "dead-letter-on-purpose";

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
}
