//! Changes in, news out, without a table: what is known is carried from one batch to the next as the table would.

use std::collections::HashMap;

use almacen_domain::stock::Alert;
use almacen_table::stock::alerts::AlertState;
use serde_json::json;

use super::*;

const DEFAULT_THRESHOLD: i64 = 5;

fn record(version: i64, old: Option<i64>, new: i64) -> Value {
    let image = |available: i64, version: i64| {
        json!({"store":{"S":"Berlin"},"sku":{"S":"Echo Dot"},"on_hand":{"N":available.to_string()},"reserved":{"N":"0"},
            "available":{"N":available.to_string()},"version":{"N":version.to_string()},"updated_at":{"N":"1705834800000"},
            "changed_by":{"S":"imp_1"}})
    };
    let mut images = json!({"NewImage": image(new, version)});
    if let Some(old) = old {
        images["OldImage"] = image(old, version - 1);
    }
    json!({"eventName": if old.is_some() { "MODIFY" } else { "INSERT" }, "dynamodb": images})
}

fn batch(records: &[Value], known: &mut HashMap<Line, AlertState>) -> Vec<String> {
    let mut changes: Vec<LineChange> = records
        .iter()
        .map(|r| match read(r, DEFAULT_THRESHOLD) {
            Read::Changed(change) => change,
            other @ (Read::Removed | Read::Unreadable(_)) => panic!("{other:?}"),
        })
        .collect();
    changes.retain(matters);
    let moves = moves(&changes, known).unwrap();
    for step in &moves {
        known.insert((step.store.clone(), step.sku.clone()), step.to);
    }
    moves.into_iter().map(|step| step.event.name).collect()
}

fn sample(text: &str) -> Vec<Value> {
    serde_json::from_str::<StreamEvent>(text).unwrap().records
}

#[test]
fn what_the_sample_events_tell() {
    let told = |text| batch(&sample(text), &mut HashMap::new());
    assert_eq!(told(include_str!("../../../events/watch-stock/crossing.json")), ["StockBajo"]);
    // Gone from the start, enough, lower but enough, and low for what is not reserved.
    assert_eq!(told(include_str!("../../../events/watch-stock/import.json")), ["StockAgotado", "StockBajo"]);
    let removed = sample(include_str!("../../../events/watch-stock/removed.json"));
    assert_eq!(read(&removed[0], DEFAULT_THRESHOLD), Read::Removed);
}

#[test]
fn the_lines_of_a_sample_event() {
    let records = sample(include_str!("../../../events/watch-stock/import.json"));
    let lines: Vec<String> = records
        .iter()
        .map(|record| match read(record, DEFAULT_THRESHOLD) {
            Read::Changed(c) => {
                format!(
                    "{} {} v{}: {} = {} + {}, {}",
                    c.store, c.sku, c.version, c.on_hand, c.available, c.reserved, c.threshold
                )
            }
            other @ (Read::Removed | Read::Unreadable(_)) => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "São Paulo Café 1/2 kg v1: 0 = 0 + 0, 10",
            "Berlin Echo Dot v1: 20 = 20 + 0, 5",
            "Berlin Kettle v5: 6 = 6 + 0, 5",
            "Berlin Grinder v8: 5 = 2 + 3, 5",
        ]
    );
}

#[test]
fn three_then_four_then_twenty_then_two() {
    let known = &mut HashMap::new();
    let history = [record(1, None, 3), record(2, Some(3), 4), record(3, Some(4), 20), record(4, Some(20), 2)];
    assert_eq!(batch(&history[..1], known), ["StockBajo"]);
    assert_eq!(batch(&history[1..2], known), [] as [&str; 0]);
    assert_eq!(batch(&history[2..], known), ["StockRepuesto", "StockBajo"]);
    // the stream repeats everything: nothing more to say
    assert_eq!(batch(&history, known), [] as [&str; 0]);
    assert_eq!(batch(&history[2..3], known), [] as [&str; 0]);
}

#[test]
fn a_repeated_batch_has_the_same_event_ids() {
    let records = [record(1, None, 0)];
    let ids = |known: &HashMap<Line, AlertState>| -> Vec<String> {
        let Read::Changed(change) = read(&records[0], DEFAULT_THRESHOLD) else { panic!() };
        moves(&[change], known).unwrap().into_iter().map(|step| step.event.id).collect()
    };
    assert_eq!(ids(&HashMap::new()), ids(&HashMap::new()));
    assert_eq!(ids(&HashMap::new()).len(), 1);
}

#[test]
fn the_event_reads_as_published() {
    let Read::Changed(change) = read(&record(1, None, 3), DEFAULT_THRESHOLD) else { panic!() };
    let event = moves(&[change], &HashMap::new()).unwrap().remove(0).event;
    assert_eq!(
        event.body,
        format!(
            r#"{{"id":"{}","evento":"StockBajo","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"imp_1","causaId":"imp_1","agregadoId":"Berlin/Echo Dot","datos":{{"store":"Berlin","item":"Echo Dot","count":3,"available":3,"reserved":0,"threshold":5,"since":"2024-01-21T11:00:00Z","lineVersion":1}}}}"#,
            event.id
        )
    );
}

#[test]
fn what_cannot_be_read_is_named_and_what_is_removed_is_no_news() {
    assert_eq!(read(&json!({"eventName":"REMOVE"}), 5), Read::Removed);
    assert_eq!(read(&json!({}), 5), Read::Unreadable("eventName"));
    assert_eq!(read(&json!({"eventName":"INSERT","dynamodb":{"Keys":{}}}), 5), Read::Unreadable("NewImage"));
    let mut broken = record(1, None, 3);
    broken["dynamodb"]["NewImage"]["version"] = json!({"S":"x"});
    assert_eq!(read(&broken, 5), Read::Unreadable("version"));
}

#[test]
fn changes_that_cross_nothing_are_not_looked_up() {
    let change = |old, new| match read(&record(2, old, new), DEFAULT_THRESHOLD) {
        Read::Changed(change) => matters(&change),
        Read::Removed | Read::Unreadable(_) => panic!(),
    };
    assert!(!change(Some(20), 30));
    assert!(!change(None, 30));
    assert!(change(Some(5), 30));
    assert!(change(Some(30), 5));
}

#[test]
fn a_line_that_moves_twice_moves_in_two_rounds() {
    let known = HashMap::new();
    let changes: Vec<LineChange> = [record(1, None, 3), record(2, Some(3), 20), record(3, Some(20), 0)]
        .iter()
        .map(|r| match read(r, DEFAULT_THRESHOLD) {
            Read::Changed(change) => change,
            other @ (Read::Removed | Read::Unreadable(_)) => panic!("{other:?}"),
        })
        .collect();
    let rounds = rounds(moves(&changes, &known).unwrap());
    assert_eq!(rounds.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(rounds[0][0].from, AlertState::default());
    assert_eq!(rounds[1][0].from, rounds[0][0].to);
    assert_eq!(rounds[1][0].to.alert, Alert::Closed);
}

#[test]
fn items_are_counted_anew_where_what_can_be_sold_is_another() {
    let records = sample(include_str!("../../../events/watch-stock/import.json"));
    let read_all = |records: &[Value]| -> Vec<LineChange> {
        records
            .iter()
            .filter_map(|record| match read(record, DEFAULT_THRESHOLD) {
                Read::Changed(change) => Some(change),
                Read::Removed | Read::Unreadable(_) => None,
            })
            .collect()
    };
    // Two new lines, and two of which fewer are left.
    assert_eq!(sold::recounted(&read_all(&records)), ["Café 1/2 kg", "Echo Dot", "Grinder", "Kettle"]);
    // Nothing more to sell, nothing less; and the same item twice.
    assert_eq!(sold::recounted(&read_all(&[record(2, Some(7), 7)])), [] as [&str; 0]);
    assert_eq!(sold::recounted(&read_all(&[record(2, Some(7), 8), record(3, Some(8), 9)])), ["Echo Dot"]);
    assert_eq!(sold::recounted(&read_all(&[record(1, None, 0)])), ["Echo Dot"]);
}
