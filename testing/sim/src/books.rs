//! What must hold when everything has come to rest, whatever happened before.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::world::World;

/// An item as DynamoDB writes it.
pub type Item = Map<String, Value>;

/// A number of an item.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}

/// A text of an item.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

/// Is it a product, and not one that was deleted?
#[must_use]
pub fn is_product(item: &Item) -> bool {
    text(item, "kind") == "product" && !item.contains_key("deleted_at")
}

/// All events that were published, by id. One may be published twice.
///
/// # Errors
/// Where there is no such topic.
pub fn published(world: &World) -> Result<BTreeMap<String, Value>> {
    let topic = world.cloud().stack().topics.get("EventsTopic").context("no EventsTopic")?;
    let read = |message: &str| -> Option<(String, Value)> {
        let event: Value = serde_json::from_str(message).ok()?;
        Some((event["id"].as_str()?.to_owned(), event))
    };
    Ok(world.cloud().sns().published(&topic.name).iter().filter_map(|one| read(&one.message)).collect())
}

/// Everything that the invariants are about, read once.
struct Books {
    lines: Vec<Item>,
    stores: Vec<Item>,
    alerts: Vec<Item>,
    tasks: Vec<Item>,
    products: Vec<Item>,
    reviews: Vec<Item>,
    carts: Vec<Item>,
    imports: Vec<Item>,
    outbox: Vec<Item>,
    events: BTreeMap<String, Value>,
}

/// What is wrong with the books; `leaves` names queues, by logical id, in which messages stay for a person.
///
/// # Errors
/// Where a table, a bucket or a topic is missing.
pub fn broken(world: &World, leaves: &[&str]) -> Result<Vec<String>> {
    let books = Books {
        lines: world.items("InventoryTable")?,
        stores: world.items("StoresTable")?,
        alerts: world.items("StockAlertsTable")?,
        tasks: world.items("TasksTable")?,
        products: world.items("ProductsTable")?,
        reviews: world.items("ReviewsTable")?,
        carts: world.items("CartsTable")?,
        imports: world.items("ImportsTable")?,
        outbox: world.items("OutboxTable")?,
        events: published(world)?,
    };
    let trace = world.cloud().trace();
    Ok([
        books.lines_add_up(),
        books.nothing_waits(world, leaves),
        books.imports_have_ended(world)?,
        books.stores_are_counted(),
        books.low_lines_are_known(default_threshold(world)?),
        books.products_show_their_stock(),
        books.ratings_are_those_of_reviews(),
        books.carts_are_told(),
        trace.access_denied().iter().map(|told| format!("access denied: {told}")).collect(),
        trace.not_delivered().iter().map(|told| format!("not delivered: {told}")).collect(),
    ]
    .concat())
}

fn default_threshold(world: &World) -> Result<i64> {
    let watch = world.cloud().stack().functions.get("watch-stock").context("no watch-stock")?;
    Ok(watch.environment.get("DEFAULT_THRESHOLD").context("no DEFAULT_THRESHOLD")?.parse()?)
}

impl Books {
    /// `on_hand = available + reserved`, of every line that can be read.
    fn lines_add_up(&self) -> Vec<String> {
        let check = |line: &Item| {
            let units = |name: &str| number(line, name);
            let (on_hand, available, reserved) = (units("on_hand")?, units("available")?, units("reserved")?);
            (on_hand != available + reserved)
                .then(|| format!("on_hand {on_hand} is not available {available} + reserved {reserved}: {line:?}"))
        };
        self.lines.iter().filter_map(check).collect()
    }

    /// No event is unpublished, and no message waits.
    fn nothing_waits(&self, world: &World, leaves: &[&str]) -> Vec<String> {
        let unpublished = self.outbox.iter().filter(|event| event.contains_key("pending"));
        let mut wrong: Vec<String> =
            unpublished.map(|event| format!("an event is unpublished: {}", text(event, "event"))).collect();
        let left: Vec<&str> = leaves.iter().filter_map(|queue| world.cloud().stack().name(queue)).collect();
        for queue in world.cloud().sqs().queues().into_iter().filter(|queue| !left.contains(&queue.as_str())) {
            let messages = world.cloud().sqs().messages(&queue);
            wrong.extend(messages.iter().map(|message| format!("{queue} has a message: {}", message.body)));
        }
        wrong
    }

    /// Every import whose file has arrived has ended, and its event was published. One that was announced without a file expires.
    fn imports_have_ended(&self, world: &World) -> Result<Vec<String>> {
        let bucket = world.cloud().stack().buckets.get("UploadBucket").context("no UploadBucket")?;
        let uploads = world.cloud().s3().keys(&bucket.name);
        let told = ["ImportacionCompletada", "ImportacionRechazada"];
        let check = |import: &Item| {
            let (id, state) = (text(import, "id"), text(import, "state"));
            let has_arrived = uploads.iter().any(|key| key.starts_with(&format!("imports/{id}/")));
            let waits = state == "pending" && !has_arrived && import.contains_key("expires_at");
            if waits {
                return None;
            }
            if matches!(state, "pending" | "running" | "") {
                return Some(format!("an import is {state:?}: {import:?}"));
            }
            let mut events = self.events.values().filter(|event| event["agregadoId"] == id);
            let is_dry = import.get("dry_run").is_some_and(|value| value["BOOL"] == true);
            let is_told = is_dry || events.any(|event| told.iter().any(|name| event["evento"] == *name));
            (!is_told).then(|| format!("import {id} is {state} and nobody was told"))
        };
        // Of an import only the import itself: parts, marks and claims are how it is done.
        Ok(self.imports.iter().filter(|import| text(import, "part") == "import").filter_map(check).collect())
    }

    /// Each store counts the lines and the open alerts that it has, and no lease is kept.
    fn stores_are_counted(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for store in &self.stores {
            let name = text(store, "store");
            // A line that cannot be read was put there by hand.
            let is_here = |line: &&Item| text(line, "store") == name && number(line, "available").is_some();
            let held = self.lines.iter().filter(is_here).count();
            let open = self.alerts.iter().filter(|alert| text(alert, "open_store") == name).count();
            for (counted, there) in [("lines", held), ("low", open)] {
                if number(store, counted).is_some_and(|counted| usize::try_from(counted) != Ok(there)) {
                    wrong.push(format!("{name} has {there} {counted}: {store:?}"));
                }
            }
            if store.contains_key("lease_owner") {
                wrong.push(format!("{name} is still leased: {store:?}"));
            }
        }
        wrong
    }

    /// An alert is open, and one to-do followed, for exactly the lines that are low. What a person did to a to-do stands.
    fn low_lines_are_known(&self, default_threshold: i64) -> Vec<String> {
        let mut wrong = Vec::new();
        for line in &self.lines {
            let Some(available) = number(line, "available") else { continue };
            let is_low = available <= number(line, "threshold").unwrap_or(default_threshold);
            let (store, sku) = (text(line, "store"), text(line, "sku"));
            let is_its = |alert: &&Item| text(alert, "store") == store && text(alert, "sku") == sku;
            let is_open = self.alerts.iter().find(is_its).is_some_and(|alert| text(alert, "state") == "open");
            let restock = format!("restock#{store}\u{1f}{sku}");
            let known = self.tasks.iter().find(|task| text(task, "id") == restock);
            let followed = known.map(|known| text(known, "task")).filter(|task| !task.is_empty());
            let todo = followed.and_then(|id| self.tasks.iter().find(|task| text(task, "id") == id));
            if is_open != is_low {
                wrong.push(format!("{store}, {sku} is low: {is_low}; its alert is open: {is_open}"));
            }
            if followed.is_some() != is_low || followed.is_some() != todo.is_some() {
                wrong.push(format!("{store}, {sku} is low: {is_low}; its to-do: {followed:?}, {todo:?}"));
            }
        }
        let is_open = |task: &&Item| text(task, "title").starts_with("Reponer «") && task["completed"]["BOOL"] == false;
        for task in self.tasks.iter().filter(is_open) {
            if !self.tasks.iter().any(|known| text(known, "task") == text(task, "id")) {
                wrong.push(format!("a to-do is open for no low line: {task:?}"));
            }
        }
        wrong
    }

    /// A product has in stock what is available of its item over all stores, and alone sells it.
    fn products_show_their_stock(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for product in self.products.iter().filter(|item| is_product(item)) {
            let sku = text(product, "sku");
            if sku.is_empty() {
                continue;
            }
            let available = |line: &Item| number(line, "available").unwrap_or(0).max(0);
            let there: i64 = self.lines.iter().filter(|line| text(line, "sku") == sku).map(available).sum();
            if number(product, "stock") != Some(there) {
                wrong.push(format!("there are {there} of {sku}: {product:?}"));
            }
            let sells = self.products.iter().find(|item| text(item, "id") == format!("sku#{sku}"));
            if sells.is_none_or(|sells| text(sells, "product") != text(product, "id")) {
                wrong.push(format!("{sku} is sold by {sells:?}"));
            }
        }
        let is_there = |id: &str| self.products.iter().any(|item| is_product(item) && text(item, "id") == id);
        let sellers = self.products.iter().filter(|item| text(item, "id").starts_with("sku#"));
        let orphans = sellers.filter(|sells| !is_there(text(sells, "product")));
        wrong.extend(orphans.map(|sells| format!("an item is sold by no product: {sells:?}")));
        wrong
    }

    /// Sum and number of a product's ratings are those of its reviews.
    fn ratings_are_those_of_reviews(&self) -> Vec<String> {
        let check = |product: &Item| {
            let own = || self.reviews.iter().filter(|review| text(review, "product") == text(product, "id"));
            let sum: i64 = own().filter_map(|review| number(review, "rating")).sum();
            let count = own().count();
            let says = (number(product, "rating_sum"), number(product, "rating_count"));
            (says != (Some(sum), i64::try_from(count).ok()))
                .then(|| format!("{count} reviews with {sum} in all: {product:?}"))
        };
        self.products.iter().filter(|item| is_product(item)).filter_map(check).collect()
    }

    /// Each version of a cart was told, once.
    fn carts_are_told(&self) -> Vec<String> {
        let mut told: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for event in self.events.values().filter(|event| event["evento"] == "CarritoActualizado") {
            let user = event["datos"]["usuarioId"].as_str().unwrap_or_default();
            told.entry(user).or_default().extend(event["datos"]["versionCarrito"].as_i64());
        }
        let mut check = |cart: &Item| {
            let (user, version) = (text(cart, "user"), number(cart, "version").unwrap_or(0));
            let mut versions = told.remove(user).unwrap_or_default();
            versions.sort_unstable();
            (versions != (1..=version).collect::<Vec<_>>())
                .then(|| format!("the cart of {user} has version {version}, and these were told: {versions:?}"))
        };
        self.carts.iter().filter_map(&mut check).collect()
    }
}
