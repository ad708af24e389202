//! Events come more than once, late, and in the wrong order.

use std::thread;

use crate::api::As;
use crate::listen::Listener;
use crate::stack::stack;
use crate::warehouse::{
    Arrived, counters, ended, finished, held, import, import_of, imports_of, lines, now_ms, put_quietly, store_record,
    unique,
};

/// Waits until the deliveries of before have been looked at. One of an import that ended leaves no trace, so a file
/// that was sent after them and has its lines shows that they were passed.
fn passed(after: &str) {
    let store = unique("Testigo");
    let witness =
        put_quietly(&format!("{after}/{store}.csv"), 1, format!("store,item,count\n{store},x,9\n").as_bytes());
    witness.deliver();
    finished(&witness.import());
}

#[test]
fn the_same_event_three_times_is_one_import() {
    let (events, alerts) = (Listener::to("EventsTopicArn"), Listener::to("AlertsTopicArn"));
    let store = unique("Tres veces");
    let mut file = String::from("store,item,count\n");
    for row in 0..400 {
        file.push_str(&format!("{store},sku-{row:04},{}\n", row % 97 + 6));
    }
    file.push_str(&format!("{store},low,3\n{store},bad,-1\n"));
    let arrived = put_quietly(&format!("{store}.csv"), 1, file.as_bytes());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| arrived.deliver());
        }
    });
    let id = arrived.import();
    let once = finished(&id);
    ended(&once, "completed_with_errors", [402, 0, 0, 401, 1, 0]);
    let table = held(&store);
    assert_eq!(table.len(), 401);

    // Later, and after somebody has changed a line: nothing is brought back.
    As::Operador.change(&store, "sku-0001", r#"{"count":77}"#);
    arrived.deliver();
    arrived.deliver();
    passed(&store);
    passed(&store);
    assert_eq!(imports_of(&arrived.key, &arrived.version), std::slice::from_ref(&id));
    let again = import(&id);
    assert_eq!(counters(&again), counters(&once));
    assert_eq!(again["finishedAt"], once["finishedAt"]);
    let mut expected = table;
    let line = expected.get_mut("sku-0001").unwrap();
    let now = held(&store);
    assert_eq!((line["on_hand"].as_str(), now["sku-0001"]["on_hand"].as_str()), ("7", "77"));
    *line = now["sku-0001"].clone();
    assert_eq!(now, expected);
    assert_eq!(store_record(&store)["lines"], "401");

    let told = events.wait_for(&id, |heard| heard.iter().any(|heard| heard.event.starts_with("Importacion")));
    let told: Vec<&str> =
        told.iter().map(|heard| heard.event.as_str()).filter(|name| name.starts_with("Importacion")).collect();
    assert_eq!(told, ["ImportacionCompletada"]);
    // Outbox and stream keep their order: what a later change says comes after everything of before.
    As::Operador.change(&store, "sku-0002", r#"{"count":0}"#);
    alerts.wait_for(&store, |heard| heard.iter().any(|heard| heard.text.contains("«sku-0002»")));
    As::Operador.change(&store, "sku-0003", r#"{"count":0}"#);
    let heard = alerts.wait_for(&store, |heard| heard.iter().any(|heard| heard.text.contains("«sku-0003»")));
    assert_eq!(heard.iter().filter(|heard| heard.text.contains("«low»")).count(), 1, "{heard:?}");
    assert_eq!(heard.len(), 3, "{heard:?}");
}

/// The older of two versions of one key, and the newer.
fn two_versions(store: &str, older: &str, newer: &str) -> (Arrived, Arrived) {
    let key = format!("{store}.csv");
    let older = put_quietly(&key, 1, older.as_bytes());
    let newer = put_quietly(&key, 2, newer.as_bytes());
    (older, newer)
}

#[test]
fn newest_first_ends_as_the_newest_says() {
    let store = unique("Al revés");
    let (older, newer) = two_versions(
        &store,
        &format!("store,item,count,threshold\n{store},both,10,3\n{store},only older,11,\n{store},same,5,\n"),
        &format!("store,item,count,threshold\n{store},both,20,4\n{store},only newer,21,\n{store},same,5,\n"),
    );
    newer.deliver();
    ended(&finished(&newer.import()), "completed", [3, 0, 0, 3, 0, 0]);
    older.deliver();
    ended(&finished(&older.import()), "completed", [3, 0, 0, 1, 0, 2]);
    assert_eq!(lines(&store), ["both 20/4", "only newer 21/5", "only older 11/5", "same 5/5"]);
    assert_eq!(store_record(&store)["lines"], "4");
}

#[test]
fn sequencers_of_different_length_keep_the_order_of_s3() {
    // The older one is longer: as a number it is the greater, as S3 compares them it is the lesser.
    for (name, older_first) in [("Largo antes", true), ("Largo después", false)] {
        let store = unique(name);
        let (mut older, mut newer) = two_versions(
            &store,
            &format!("store,item,count\n{store},a,10\n"),
            &format!("store,item,count\n{store},a,20\n"),
        );
        older.sequencer = "0066000000000001AB".to_owned();
        newer.sequencer = "0066000000000002".to_owned();
        // Their times say the opposite, as they may within one key.
        newer.at_ms = older.at_ms - 1;
        let (first, second) = if older_first { (&older, &newer) } else { (&newer, &older) };
        first.deliver();
        ended(&finished(&first.import()), "completed", [1, 0, 0, 1, 0, 0]);
        second.deliver();
        let expected = if older_first { [1, 1, 0, 0, 0, 0] } else { [1, 0, 0, 0, 0, 1] };
        ended(&finished(&second.import()), "completed", expected);
        assert_eq!(lines(&store), ["a 20/5"]);
    }
}

#[test]
fn a_late_file_cannot_undo_what_a_newer_one_found_right() {
    let store = unique("Confirmado");
    let first = put_quietly(
        &format!("{store} first.csv"),
        1,
        format!("store,item,count\n{store},a,7\n{store},b,8\n").as_bytes(),
    );
    first.deliver();
    ended(&finished(&first.import()), "completed", [2, 0, 0, 2, 0, 0]);
    // The newer version confirms a without a write; the older one, delivered after it, says otherwise.
    let (older, newer) = two_versions(
        &store,
        &format!("store,item,count\n{store},a,3\n{store},b,9\n"),
        &format!("store,item,count\n{store},a,7\n"),
    );
    newer.deliver();
    ended(&finished(&newer.import()), "completed", [1, 0, 1, 0, 0, 0]);
    older.deliver();
    ended(&finished(&older.import()), "completed", [2, 1, 0, 0, 0, 1]);
    assert_eq!(lines(&store), ["a 7/5", "b 9/5"]);
}

#[test]
fn a_file_older_than_a_change_by_hand_changes_nothing() {
    let store = unique("A mano");
    let base =
        put_quietly(&format!("{store}.csv"), 1, format!("store,item,count\n{store},a,7\n{store},b,7\n").as_bytes());
    base.deliver();
    finished(&base.import());
    let mut late = put_quietly(
        &format!("{store} late.csv"),
        1,
        format!("store,item,count\n{store},a,1\n{store},b,1\n").as_bytes(),
    );
    // Counted before the change by hand, and after the first file.
    late.at_ms = base.at_ms + 1;
    As::Operador.change(&store, "a", r#"{"count":70}"#);
    late.deliver();
    ended(&finished(&late.import()), "completed", [2, 1, 0, 0, 0, 1]);
    assert_eq!(lines(&store), ["a 70/5", "b 1/5"]);
}

#[test]
fn the_real_bucket_tells_once_and_a_repetition_adds_nothing() {
    let store = unique("Dos avisos");
    let key = format!("stores/{store}/stock + 100%/día.csv");
    let content = b"item,count\nx,9\n";
    let bucket = stack().output("UploadBucket");
    let version = stack().put_object(bucket, &key, &[], content);
    let id = import_of(&key, &version);
    let once = finished(&id);
    ended(&once, "completed", [1, 0, 0, 1, 0, 0]);
    let again = Arrived {
        bucket: bucket.to_owned(),
        key: key.clone(),
        version: version.clone(),
        size: content.len(),
        at_ms: now_ms(),
        sequencer: "0066FFFFFFFFFFFF".to_owned(),
    };
    again.deliver();
    passed(&store);
    assert_eq!(imports_of(&key, &version), std::slice::from_ref(&id));
    assert_eq!(import(&id)["finishedAt"], once["finishedAt"]);
    assert_eq!(lines(&store), ["x 9/5"]);
}
