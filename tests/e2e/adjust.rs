//! Files that add instead of setting, and files that only say what they would do.

use serde_json::Value;

use crate::api::As;
use crate::listen::Listener;
use crate::stack::stack;
use crate::warehouse::{
    Arrived, behind, drop_with, ended, finished, held, import, import_of, lines, now_ms, rejections, report,
    store_counts, unique, upload,
};

const ADJUST: (&str, &str) = ("mode", "adjust");
const DRY: (&str, &str) = ("dry-run", "true");

fn base(store: &str) {
    let file = format!("store,item,count\n{store},a,10\n{store},b,10\n{store},c,10\n");
    ended(&upload(&format!("{store} base.csv"), file.as_bytes()), "completed", [3, 0, 0, 3, 0, 0]);
}

#[track_caller]
fn rejected(import: &Value, expected: &[(u64, &str)]) {
    let found = rejections(&report(import));
    let found: Vec<(u64, &str)> = found.iter().map(|(line, _, code)| (*line, code.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn adds_once_however_often_it_is_told() {
    let store = unique("Suma");
    base(&store);
    let key = format!("{store} more.csv");
    let content = format!(
        "store,item,count,threshold\n{store},a,5,\n{store},b,-10,\n{store},c,-11,\n{store},new,4,2\n{store},none,-1,\n"
    );
    let bucket = stack().output("UploadBucket");
    let version = stack().put_object(bucket, &key, &[ADJUST], content.as_bytes());
    let again = Arrived {
        bucket: bucket.to_owned(),
        key: key.clone(),
        version: version.clone(),
        size: content.len(),
        at_ms: now_ms(),
        sequencer: "0066000000000001".to_owned(),
    };
    again.deliver();
    again.deliver();
    let id = import_of(&key, &version);
    let once = finished(&id);
    ended(&once, "completed_with_errors", [5, 2, 0, 1, 2, 0]);
    assert_eq!(once["mode"], "adjust");
    rejected(&once, &[(4, "out_of_bounds"), (6, "out_of_bounds")]);
    // They can be corrected and uploaded again.
    let csv = behind(&once, "rejectedUrl");
    assert!(csv.contains(&format!("\n{store},c,-11,,4,,\"Sumar -11 ")), "{csv}");
    assert!(csv.contains(&format!("\n{store},none,-1,,6,,\"Sumar -1 ")), "{csv}");
    again.deliver();
    // Another file about the same store is worked on after it, and sees what it left.
    let after =
        drop_with(&format!("{store} after.csv"), &[ADJUST], format!("store,item,count\n{store},a,1\n").as_bytes());
    ended(&finished(&after), "completed", [1, 1, 0, 0, 0, 0]);
    assert_eq!(lines(&store), ["a 16/5", "b 0/5", "c 10/5", "new 4/2"]);
    assert_eq!(held(&store)["a"]["version"], "3");
    assert_eq!(import(&id)["finishedAt"], once["finishedAt"]);
    assert_eq!(store_counts(&store).unwrap().0, 4);
}

#[test]
fn many_lines_are_added_once_each() {
    let _peace = crate::crash::in_peace();
    let store = unique("Muchas sumas");
    let mut content = String::from("store,item,count\n");
    for row in 0..1500 {
        content.push_str(&format!("{store},sku-{row:04},7\n"));
    }
    let first = finished(&drop_with(&format!("{store}.csv"), &[ADJUST], content.as_bytes()));
    ended(&first, "completed", [1500, 0, 0, 1500, 0, 0]);
    let second = finished(&drop_with(&format!("{store}.csv"), &[ADJUST], content.as_bytes()));
    ended(&second, "completed", [1500, 1500, 0, 0, 0, 0]);
    let table = held(&store);
    assert_eq!(table.len(), 1500);
    assert!(
        table.values().all(|line| line["on_hand"] == "14" && line["version"] == "2"),
        "{:?}",
        table.values().next()
    );
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let store = unique("En seco");
    base(&store);
    let events = Listener::to("EventsTopicArn");
    let before = held(&store);
    let set = format!("store,item,count\n{store},a,10\n{store},b,1\n{store},new,1\n{store},bad,x\n");
    let import = finished(&drop_with(&format!("{store} set.csv"), &[DRY], set.as_bytes()));
    ended(&import, "completed_with_errors", [4, 1, 1, 1, 1, 0]);
    assert_eq!(import["dryRun"], true);
    rejected(&import, &[(5, "not_a_number")]);

    let adjust = format!("store,item,count\n{store},a,-11\n{store},b,-10\n{store},new,1\n{store},other,-1\n");
    let import = finished(&drop_with(&format!("{store} adjust.csv"), &[ADJUST, DRY], adjust.as_bytes()));
    ended(&import, "completed_with_errors", [4, 1, 0, 1, 2, 0]);
    rejected(&import, &[(2, "out_of_bounds"), (5, "out_of_bounds")]);
    assert_eq!(held(&store), before);

    // A store that only a dry run ever named does not exist.
    let ghost = unique("Fantasma");
    let file = format!("store,item,count\n{ghost},a,1\n");
    ended(&finished(&drop_with(&format!("{ghost}.csv"), &[DRY], file.as_bytes())), "completed", [1, 0, 0, 1, 0, 0]);
    assert_eq!(As::Cliente.get(&format!("/items/{}", crate::stack::segment(&ghost))).status, 404);
    assert_eq!(store_counts(&ghost), None);

    // Nor was anything told. What comes later is.
    As::Operador.change(&store, "c", r#"{"count":1}"#);
    let heard = events.wait_for(&store, |heard| heard.iter().any(|heard| heard.event == "StockBajo"));
    assert!(
        heard.iter().all(|heard| heard.text.contains("base.csv") || heard.text.contains(r#""item":"c""#)),
        "{heard:?}"
    );
}

#[test]
fn a_misspelt_wish_is_refused() {
    let store = unique("Mal escrito");
    base(&store);
    let more = format!("store,item,count\n{store},a,5\n");
    for (name, value) in [("mode", "adjsut"), ("mode", "add"), ("dry-run", "perhaps")] {
        let import = finished(&drop_with(&format!("{store} {value}.csv"), &[(name, value)], more.as_bytes()));
        ended(&import, "failed", [0; 6]);
        assert_eq!(
            import["failure"],
            "Los metadatos del objeto no se entienden: `mode` es `set` o `adjust`, `dry-run` es `true` o `false`."
        );
    }
    assert_eq!(lines(&store), ["a 10/5", "b 10/5", "c 10/5"]);
}
