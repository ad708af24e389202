//! A line that crosses its threshold is told once, and once more after a refill.

use crate::api::As;
use crate::listen::{Heard, Listener};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, store_counts, unique, upload};

fn changed(store: &str, item: &str, count: i64) {
    As::Operador.change(store, item, &format!(r#"{{"count":{count}}}"#));
}

/// Everything that happened to the store before is told by the time two later crossings have been told one after the
/// other: stream and outbox keep their order, and a batch of either ends before the next begins.
fn settle(alerts: &Listener, store: &str, marks: [&str; 2]) {
    for mark in marks {
        changed(store, mark, 1);
        alerts.wait_for(store, |heard| heard.iter().any(|heard| heard.text.contains(mark)));
    }
}

fn of<'a>(heard: &'a [Heard], item: &str) -> Vec<&'a Heard> {
    heard.iter().filter(|heard| heard.text.contains(item)).collect()
}

#[test]
fn one_alert_a_crossing_and_one_more_after_a_refill() {
    let (alerts, events) = (Listener::to("AlertsTopicArn"), Listener::to("EventsTopicArn"));
    let store = unique("Alertas");
    let file = format!(
        "store,item,count,threshold\n{store},Té verde,50,\n{store},own,9,7\n{store},mark-1,9,\n{store},mark-2,9,\n\
         {store},mark-3,9,\n{store},mark-4,9,\n"
    );
    ended(&upload(&format!("{store}.csv"), file.as_bytes()), "completed", [6, 0, 0, 6, 0, 0]);
    assert_eq!(store_counts(&store), Some((6, 0)));

    changed(&store, "Té verde", 3);
    let heard = alerts.wait_for(&store, |heard| !of(heard, "Té verde").is_empty());
    let told = &of(&heard, "Té verde")[0];
    assert_eq!(told.event, "StockBajo");
    assert_eq!(told.subject, format!("Stock bajo: Te verde, {store} (quedan 3)"));
    let (text, since) = told.text.split_once("Desde: ").map(|(text, rest)| (text, &rest[..23])).unwrap();
    assert_eq!(text, format!("Stock bajo: «Té verde» en {store}.\nQuedan 3 (umbral: 5).\n"));
    assert!(since.starts_with("20") && since.ends_with(" UTC"), "{since}");
    assert!(
        told.text.contains(&format!("Low stock: \"Té verde\" in {store}.\nLeft: 3 (threshold: 5).\nSince: {since}\n")),
        "{}",
        told.text
    );

    changed(&store, "Té verde", 4);
    settle(&alerts, &store, ["mark-1", "mark-2"]);
    assert_eq!(of(&alerts.about(&store), "Té verde").len(), 1);
    assert_eq!(store_counts(&store), Some((6, 3)));

    changed(&store, "Té verde", 20);
    changed(&store, "Té verde", 2);
    // A threshold that rises over what is there is a crossing too.
    As::Operador.change(&store, "own", r#"{"threshold":9}"#);
    settle(&alerts, &store, ["mark-3", "mark-4"]);
    let heard = alerts.about(&store);
    assert_eq!(of(&heard, "Té verde").len(), 2, "{heard:?}");
    assert!(of(&heard, "Té verde")[1].text.contains("Quedan 2 (umbral: 5)."), "{heard:?}");
    assert_eq!(of(&heard, "«own»").len(), 1, "{heard:?}");
    assert!(heard.iter().all(|heard| heard.event != "StockRepuesto"), "{heard:?}");
    assert_eq!(store_counts(&store), Some((6, 6)));

    let names = |heard: &[Heard]| -> Vec<String> {
        heard.iter().filter(|heard| heard.text.contains("Té verde")).map(|heard| heard.event.clone()).collect()
    };
    let heard = events.wait_for(&store, |heard| names(heard).len() >= 3);
    assert_eq!(names(&heard), ["StockBajo", "StockRepuesto", "StockBajo"]);
}

#[test]
fn what_is_gone_is_told_as_gone() {
    let alerts = Listener::to("AlertsTopicArn");
    let store = unique("Agotado");
    let file = format!(
        "store,item,count,threshold\n{store},zero,8,0\n{store},slow,8,\n{store},new and gone,0,\n{store},m1,9,\n{store},m2,9,\n"
    );
    ended(&upload(&format!("{store}.csv"), file.as_bytes()), "completed", [5, 0, 0, 5, 0, 0]);
    alerts.wait_for(&store, |heard| of(heard, "new and gone").len() == 1);
    changed(&store, "zero", 1);
    changed(&store, "zero", 0);
    changed(&store, "slow", 2);
    changed(&store, "slow", 0);
    changed(&store, "slow", 1);
    changed(&store, "slow", 0);
    settle(&alerts, &store, ["«m1»", "«m2»"].map(|mark| mark.trim_matches(['«', '»'])));
    // A topic keeps no order, so neither does this comparison.
    let mut told: Vec<(String, String)> = alerts
        .about(&store)
        .into_iter()
        .map(|heard| (heard.event, heard.text.split(['«', '»']).nth(1).unwrap_or_default().to_owned()))
        .filter(|(_, item)| !item.starts_with('m'))
        .collect();
    told.sort();
    let expected =
        [("StockAgotado", "new and gone"), ("StockAgotado", "slow"), ("StockAgotado", "zero"), ("StockBajo", "slow")];
    assert_eq!(told, expected.map(|(event, item)| (event.to_owned(), item.to_owned())));
    eventually(PATIENCE, "the count of low lines", || match store_counts(&store) {
        Some((5, 5)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}
