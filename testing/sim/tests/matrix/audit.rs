//! What must hold at the end of every cell of the matrix.

use std::collections::{BTreeMap, BTreeSet};

use almacen_testing_sim::world::World;
use serde_json::{Map, Value};

use crate::cases::UseCase;

type Item = Map<String, Value>;

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

fn value<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    let value = item.get(name)?;
    value["S"].as_str().or_else(|| value["N"].as_str())
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    value(item, name).unwrap_or_default()
}

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
    let topic = &world.cloud().stack().topics["EventsTopic"].name;
    let mut events: BTreeMap<String, String> = BTreeMap::new();
    for published in world.cloud().sns().published(topic) {
        let event: Value = serde_json::from_str(&published.message).unwrap();
        events.insert(event["id"].to_string(), format!("{} of {}", event["evento"], event["agregadoId"]));
    }
    let mut events: Vec<String> = events.into_values().collect();
    events.sort();
    events
}

/// What messages of these queues say, each once: a note to a person may be sent twice.
fn left(world: &World, queues: &[&str]) -> BTreeSet<String> {
    let name = |queue: &&str| world.cloud().stack().name(queue).unwrap().to_owned();
    let messages = queues.iter().map(name).flat_map(|queue| world.cloud().sqs().messages(&queue));
    messages.map(|message| message.body).collect()
}

/// What breaks an invariant of the end, whatever the use case; `leaves` names queues in which messages stay for a person.
pub(crate) fn broken(world: &World, leaves: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = world.items("InventoryTable").unwrap();
    books(&lines, &mut wrong);
    delivered(world, leaves, &mut wrong);
    imports_ended(world, &mut wrong);
    stores(world, &lines, &mut wrong);
    alerts_and_tasks(world, &lines, &mut wrong);
    stock_of_products(world, &lines, &mut wrong);
    ratings(world, &mut wrong);
    let trace = world.cloud().trace();
    wrong.extend(trace.access_denied().iter().map(|told| format!("access denied: {told}")));
    wrong.extend(trace.not_delivered().iter().map(|told| format!("not delivered: {told}")));
    wrong
}

/// `on_hand = available + reserved`, of every line that can be read.
fn books(lines: &[Item], wrong: &mut Vec<String>) {
    for line in lines {
        let units = |name: &str| number(line, name);
        if let (Some(on_hand), Some(available), Some(reserved)) =
            (units("on_hand"), units("available"), units("reserved"))
            && on_hand != available + reserved
        {
            wrong.push(format!("on_hand {on_hand} is not available {available} + reserved {reserved}: {line:?}"));
        }
    }
}

/// No event is unpublished, and no message waits.
fn delivered(world: &World, leaves: &[&str], wrong: &mut Vec<String>) {
    for event in world.items("OutboxTable").unwrap() {
        if event.contains_key("pending") {
            wrong.push(format!("an event is unpublished: {}", text(&event, "event")));
        }
    }
    let left: Vec<&str> = leaves.iter().filter_map(|queue| world.cloud().stack().name(queue)).collect();
    for queue in world.cloud().sqs().queues().into_iter().filter(|queue| !left.contains(&queue.as_str())) {
        for message in world.cloud().sqs().messages(&queue) {
            wrong.push(format!("{queue} has a message: {}", message.body));
        }
    }
}

/// Every import whose file has arrived has ended; one whose file has not expires.
fn imports_ended(world: &World, wrong: &mut Vec<String>) {
    let uploads = world.cloud().s3().keys(&world.cloud().stack().buckets["UploadBucket"].name);
    for import in world.items("ImportsTable").unwrap() {
        if text(&import, "part") != "import" {
            continue;
        }
        let (id, state) = (text(&import, "id"), text(&import, "state"));
        let arrived = uploads.iter().any(|key| key.starts_with(&format!("imports/{id}/")));
        let waits = state == "pending" && !arrived && import.contains_key("expires_at");
        // How it ended, the run without a fault says.
        if matches!(state, "pending" | "running" | "") && !waits {
            wrong.push(format!("an import is {state:?}"));
        }
    }
}

/// Each store counts the lines and the open alerts that it has, and no lease is kept.
fn stores(world: &World, lines: &[Item], wrong: &mut Vec<String>) {
    let alerts = world.items("StockAlertsTable").unwrap();
    for store in world.items("StoresTable").unwrap() {
        let name = text(&store, "store");
        // A line that cannot be read was put there by hand.
        let held =
            lines.iter().filter(|line| text(line, "store") == name && number(line, "available").is_some()).count();
        let open = alerts.iter().filter(|alert| text(alert, "open_store") == name).count();
        for (counted, there) in [("lines", held), ("low", open)] {
            if number(&store, counted).is_some_and(|counted| usize::try_from(counted) != Ok(there)) {
                wrong.push(format!("{name} has {there} {counted}: {store:?}"));
            }
        }
        if store.contains_key("lease_owner") {
            wrong.push(format!("{name} is still leased: {store:?}"));
        }
    }
}

/// An alert is open, and one to-do followed, for exactly the lines that are low. What a person did to a to-do stands.
fn alerts_and_tasks(world: &World, lines: &[Item], wrong: &mut Vec<String>) {
    let threshold = &world.cloud().stack().functions["watch-stock"].environment["DEFAULT_THRESHOLD"];
    let (alerts, tasks) = (world.items("StockAlertsTable").unwrap(), world.items("TasksTable").unwrap());
    for line in lines {
        let Some(available) = number(line, "available") else { continue };
        let is_low = available <= number(line, "threshold").unwrap_or_else(|| threshold.parse().unwrap());
        let (store, sku) = (text(line, "store"), text(line, "sku"));
        let is_its = |alert: &&Item| text(alert, "store") == store && text(alert, "sku") == sku;
        let is_open = alerts.iter().find(is_its).is_some_and(|alert| text(alert, "state") == "open");
        let restock = format!("restock#{store}\u{1f}{sku}");
        let followed = tasks.iter().find(|task| text(task, "id") == restock).and_then(|known| value(known, "task"));
        let todo = followed.and_then(|id| tasks.iter().find(|task| text(task, "id") == id));
        if is_open != is_low {
            wrong.push(format!("{store}, {sku} is low: {is_low}; its alert is open: {is_open}"));
        }
        if followed.is_some() != is_low || followed.is_some() != todo.is_some() {
            wrong.push(format!("{store}, {sku} is low: {is_low}; its to-do: {followed:?}, {todo:?}"));
        }
    }
    let opened = tasks.iter().filter(|task| text(task, "title").starts_with("Reponer «"));
    let open: Vec<&str> =
        opened.filter(|task| task["completed"]["BOOL"] == false).map(|task| text(task, "id")).collect();
    for id in open {
        if !tasks.iter().any(|task| text(task, "task") == id) {
            wrong.push(format!("a to-do is open for no low line: {id}"));
        }
    }
}

fn live_products(world: &World) -> Vec<Item> {
    let mut products = world.items("ProductsTable").unwrap();
    products.retain(|product| text(product, "kind") == "product" && !product.contains_key("deleted_at"));
    products
}

/// A product has in stock what is available of its item over all stores, and alone sells it.
fn stock_of_products(world: &World, lines: &[Item], wrong: &mut Vec<String>) {
    let (products, all) = (live_products(world), world.items("ProductsTable").unwrap());
    for product in &products {
        let Some(sku) = value(product, "sku") else { continue };
        let available = |line: &Item| number(line, "available").unwrap_or(0).max(0);
        let there: i64 = lines.iter().filter(|line| text(line, "sku") == sku).map(available).sum();
        if number(product, "stock") != Some(there) {
            wrong.push(format!("there are {there} of {sku}: {product:?}"));
        }
        let sells = all.iter().find(|item| text(item, "id") == format!("sku#{sku}"));
        if sells.is_none_or(|sells| text(sells, "product") != text(product, "id")) {
            wrong.push(format!("{sku} is sold by {sells:?}"));
        }
    }
    for sells in all.iter().filter(|item| text(item, "id").starts_with("sku#")) {
        if !products.iter().any(|product| text(product, "id") == text(sells, "product")) {
            wrong.push(format!("an item is sold by no product: {sells:?}"));
        }
    }
}

/// Sum and number of a product's ratings are those of its reviews.
fn ratings(world: &World, wrong: &mut Vec<String>) {
    let reviews = world.items("ReviewsTable").unwrap();
    for product in live_products(world) {
        let own = || reviews.iter().filter(|review| text(review, "product") == text(&product, "id"));
        let sum: i64 = own().filter_map(|review| number(review, "rating")).sum();
        let count = i64::try_from(own().count()).unwrap();
        if (number(&product, "rating_sum"), number(&product, "rating_count")) != (Some(sum), Some(count)) {
            wrong.push(format!("{count} reviews with {sum} in all: {product:?}"));
        }
    }
}
