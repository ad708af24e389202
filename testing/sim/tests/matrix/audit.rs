//! What must hold at the end of every cell of the matrix.

use std::collections::BTreeMap;

use almacen_testing_sim::world::World;
use serde_json::{Map, Value};

/// Tables that say what the shop and the warehouse have, and not how it came about.
const TABLES: [&str; 9] = [
    "InventoryTable",
    "StoresTable",
    "StockAlertsTable",
    "TasksTable",
    "ProductsTable",
    "CategoriesTable",
    "ReviewsTable",
    "CartsTable",
    "ImportsTable",
];
/// Times, and counts of how often something was written.
const VOLATILE: [&str; 16] = [
    "updated_at",
    "created_at",
    "counted_at",
    "changed_at",
    "expires_at",
    "finished_at",
    "since",
    "version",
    "edit_version",
    "line_version",
    "stock_seen",
    "deleted_at",
    "lease_until",
    "added_at",
    "event_at",
    "at",
];

/// What is there, by table: each item without what differs from run to run.
pub(crate) type State = BTreeMap<String, Vec<String>>;

fn number(item: &Map<String, Value>, name: &str) -> i64 {
    item.get(name).and_then(|value| value["N"].as_str()).and_then(|digits| digits.parse().ok()).unwrap_or(i64::MIN)
}

fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

/// A to-do's text names the time since which its line is low.
fn without_time(text: &str) -> String {
    let Some((before, rest)) = text.split_once("Desde: ") else { return text.to_owned() };
    let (_, after) = rest.split_once(" UTC").unwrap_or_default();
    format!("{before}{after}")
}

/// The state of a world.
pub(crate) fn state(world: &World) -> State {
    let mut state = State::new();
    for table in TABLES {
        let mut items: Vec<String> = Vec::new();
        for mut item in world.items(table).unwrap() {
            // Of an import only the import itself counts: parts, marks and claims are how it is done.
            if table == "ImportsTable" && text(&item, "part") != "import" {
                continue;
            }
            item.retain(|name, _| !VOLATILE.contains(&name.as_str()));
            items.push(without_time(&Value::Object(item).to_string()));
        }
        items.sort();
        state.insert(table.to_owned(), items);
    }
    state
}

/// The names of all events that were published, each as often as there are different ones of it.
pub(crate) fn events(world: &World) -> BTreeMap<String, usize> {
    let topic = &world.cloud().stack().topics["EventsTopic"].name;
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for published in world.cloud().sns().published(topic) {
        let event: Value = serde_json::from_str(&published.message).unwrap();
        ids.insert(event["id"].as_str().unwrap().to_owned(), event["evento"].as_str().unwrap().to_owned());
    }
    let mut names = BTreeMap::new();
    for name in ids.into_values() {
        *names.entry(name).or_default() += 1;
    }
    names
}

/// What is wrong with the books, whatever happened.
pub(crate) fn broken(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in world.items("InventoryTable").unwrap() {
        let (on_hand, available, reserved) =
            (number(&line, "on_hand"), number(&line, "available"), number(&line, "reserved"));
        if on_hand != available + reserved {
            wrong.push(format!("on_hand {on_hand} is not available {available} + reserved {reserved}: {line:?}"));
        }
    }
    for event in world.items("OutboxTable").unwrap() {
        if event.contains_key("pending") {
            wrong.push(format!("an event is unpublished: {}", text(&event, "event")));
        }
    }
    for queue in world.cloud().sqs().queues() {
        for message in world.cloud().sqs().messages(&queue) {
            wrong.push(format!("{queue} has a message: {}", message.body));
        }
    }
    for import in world.items("ImportsTable").unwrap() {
        // How it ended, the run without a fault says.
        let unfinished = matches!(text(&import, "state"), "pending" | "running" | "");
        if text(&import, "part") == "import" && unfinished {
            wrong.push(format!("an import is {:?}", text(&import, "state")));
        }
    }
    let lines = |store: &str| -> usize {
        world.items("InventoryTable").unwrap().iter().filter(|line| text(line, "store") == store).count()
    };
    for store in world.items("StoresTable").unwrap() {
        let (name, counted) = (text(&store, "store"), number(&store, "lines"));
        if counted != i64::MIN && counted != i64::try_from(lines(name)).unwrap() {
            wrong.push(format!("{name} counts {counted} lines and has {}", lines(name)));
        }
        if store.contains_key("lease_owner") {
            wrong.push(format!("{name} is still leased: {store:?}"));
        }
    }
    wrong
}
