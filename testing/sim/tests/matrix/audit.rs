//! What must hold at the end of every cell of the matrix.

use std::collections::{BTreeMap, BTreeSet};

use almacen_testing_sim::books::{Item, published, text};
use almacen_testing_sim::world::World;
use serde_json::Value;

use crate::cases::UseCase;

/// Tables that say what the shop and the warehouse have, and not how it came about.
const TABLES: [&str; 10] = [
    "InventoryTable",
    "StoresTable",
    "StockAlertsTable",
    "TasksTable",
    "ProductsTable",
    "CategoriesTable",
    "ReviewsTable",
    "CartsTable",
    "CouponsTable",
    "ImportsTable",
];
/// Times, and counts of how often something was written. A line's versions stay where it must be written once.
const VOLATILE: [&str; 17] = [
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
    "image_problem_at",
    "at",
];

/// What is there, by table, bucket, topic or queue: each thing without what differs from run to run.
pub(crate) type State = BTreeMap<String, Vec<String>>;

/// To-dos and alerts name the time since which their line is low, alerts in two languages.
fn without_time(text: &str) -> String {
    ["Desde: ", "Since: "].iter().fold(text.to_owned(), |text, name| {
        let Some((before, rest)) = text.split_once(name) else { return text };
        let (_, after) = rest.split_once(" UTC").unwrap_or_default();
        format!("{before}{after}")
    })
}

/// The part of a world's state in which a run of a use case with a fault must not differ from one without.
pub(crate) fn state(world: &World, case: &UseCase) -> State {
    let mut state = State::new();
    for table in TABLES {
        let mut items: Vec<String> = Vec::new();
        for mut item in world.items(table).unwrap() {
            // Of an import only the import itself counts: parts, marks and claims are how it is done.
            if table == "ImportsTable" && text(&item, "part") != "import" {
                continue;
            }
            let is_kept = |name: &str| {
                case.writes_once && table == "InventoryTable" && matches!(name, "version" | "edit_version")
            };
            item.retain(|name, _| is_kept(name) || !VOLATILE.contains(&name.as_str()));
            items.push(without_time(&Value::Object(item).to_string()));
        }
        items.sort();
        state.insert(table.to_owned(), items);
    }
    state.insert("ReportsBucket".to_owned(), reports(world));
    state.insert("ImagesBucket".to_owned(), objects(world, "ImagesBucket"));
    state.insert("OriginalsBucket".to_owned(), objects(world, "OriginalsBucket"));
    state.insert("CatalogueBucket".to_owned(), snapshot(world));
    state.insert("EventsTopic".to_owned(), events(world));
    state.insert("left for a person".to_owned(), left(world, case.leaves).into_iter().collect());
    state.insert("AlertsTopic".to_owned(), alerts(world).into_iter().collect());
    state.insert(
        "UserPool".to_owned(),
        world.cloud().cognito().users().iter().map(|user| format!("{user:?}")).collect(),
    );
    state.retain(|place, _| !case.any_order.contains(&place.as_str()));
    state
}

/// Reports and rejected rows of imports. What lies beside them is intermediate.
fn reports(world: &World) -> Vec<String> {
    let (s3, bucket) = (world.cloud().s3(), &world.cloud().stack().buckets["ReportsBucket"].name);
    let mut found = Vec::new();
    for key in s3.keys(bucket).into_iter().filter(|key| key.starts_with("reports/")) {
        let bytes = s3.object(bucket, &key).unwrap().body;
        let content = match serde_json::from_slice::<Item>(&bytes) {
            Ok(mut report) => {
                report.retain(|name, _| name != "startedAt" && name != "finishedAt");
                Value::Object(report).to_string()
            }
            Err(_) => String::from_utf8(bytes.to_vec()).unwrap(),
        };
        found.push(format!("{key}: {content}"));
    }
    found
}

/// Keys with a digest of the content, and tags.
fn objects(world: &World, bucket: &str) -> Vec<String> {
    let (s3, bucket) = (world.cloud().s3(), &world.cloud().stack().buckets[bucket].name);
    let object = |key: String| {
        let object = s3.object(bucket, &key).unwrap();
        format!("{key}: {} {:?}", object.etag, object.tags)
    };
    s3.keys(bucket).into_iter().map(object).collect()
}

/// The products that the catalogue's snapshot names.
fn snapshot(world: &World) -> Vec<String> {
    let (s3, bucket) = (world.cloud().s3(), &world.cloud().stack().buckets["CatalogueBucket"].name);
    let Some(object) = s3.object(bucket, "snapshot") else { return Vec::new() };
    let names = |id: &&str| object.body.windows(id.len()).any(|part| part == id.as_bytes());
    let products = world.items("ProductsTable").unwrap();
    products.iter().map(|product| text(product, "id")).filter(names).map(str::to_owned).collect()
}

/// What people were told. An alert may be sent twice.
fn alerts(world: &World) -> BTreeSet<String> {
    let topic = &world.cloud().stack().topics["AlertsTopic"].name;
    let sent = world.cloud().sns().published(topic).into_iter();
    sent.map(|one| format!("{}: {}", one.subject.unwrap_or_default(), without_time(&one.message))).collect()
}

/// The events that were published, each once: what it is, and of what. One may be published twice.
fn events(world: &World) -> Vec<String> {
    let told = |event: &Value| format!("{} of {}", event["evento"], event["agregadoId"]);
    let mut events: Vec<String> = published(world).unwrap().values().map(told).collect();
    events.sort();
    events
}

/// What messages of these queues say, each once: a note to a person may be sent twice.
fn left(world: &World, queues: &[&str]) -> BTreeSet<String> {
    let name = |queue: &&str| world.cloud().stack().name(queue).unwrap().to_owned();
    let messages = queues.iter().map(name).flat_map(|queue| world.cloud().sqs().messages(&queue));
    messages.map(|message| message.body).collect()
}
