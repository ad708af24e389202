//! What must hold when everything has come to rest, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

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

/// All events that were published, each once, by id.
///
/// # Errors
/// Where there is no such topic.
pub fn events(world: &World) -> Result<BTreeMap<String, Value>> {
    let topic = world.cloud().stack().topics.get("EventsTopic").context("no EventsTopic")?;
    let published = world.cloud().sns().published(&topic.name);
    let read = |message: &str| -> Option<(String, Value)> {
        let event: Value = serde_json::from_str(message).ok()?;
        Some((event["id"].as_str()?.to_owned(), event))
    };
    Ok(published.iter().filter_map(|one| read(&one.message)).collect())
}

/// What is wrong with the books.
///
/// # Errors
/// Where a table is missing.
pub fn broken(world: &World) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let lines = world.items("InventoryTable")?;
    lines_add_up(&lines, &mut wrong);
    nothing_waits(world, &mut wrong)?;
    stores_are_right(world, &lines, &mut wrong)?;
    imports_have_ended(world, &mut wrong)?;
    products_are_right(world, &lines, &mut wrong)?;
    carts_are_told(world, &mut wrong)?;
    let trace = world.cloud().trace();
    wrong.extend(trace.access_denied().iter().map(|told| format!("not allowed: {told}")));
    wrong.extend(trace.not_delivered().iter().map(|told| format!("not delivered: {told}")));
    Ok(wrong)
}

fn lines_add_up(lines: &[Item], wrong: &mut Vec<String>) {
    for line in lines {
        let (on_hand, available, reserved) =
            (number(line, "on_hand"), number(line, "available"), number(line, "reserved"));
        if on_hand != available.zip(reserved).map(|(available, reserved)| available + reserved) {
            wrong.push(format!("on_hand {on_hand:?} is not available {available:?} + reserved {reserved:?}: {line:?}"));
        }
    }
}

fn nothing_waits(world: &World, wrong: &mut Vec<String>) -> Result<()> {
    for event in world.items("OutboxTable")? {
        if event.contains_key("pending") {
            wrong.push(format!("an event is unpublished: {}", text(&event, "event")));
        }
    }
    for queue in world.cloud().sqs().queues() {
        for message in world.cloud().sqs().messages(&queue) {
            wrong.push(format!("{queue} has a message: {}", message.body));
        }
    }
    Ok(())
}

fn stores_are_right(world: &World, lines: &[Item], wrong: &mut Vec<String>) -> Result<()> {
    for store in world.items("StoresTable")? {
        let name = text(&store, "store");
        let has = lines.iter().filter(|line| text(line, "store") == name).count();
        if let Some(counted) = number(&store, "lines").filter(|counted| usize::try_from(*counted) != Ok(has)) {
            wrong.push(format!("{name} counts {counted} lines and has {has}"));
        }
        if store.contains_key("lease_owner") {
            wrong.push(format!("{name} is still leased: {store:?}"));
        }
    }
    Ok(())
}

fn imports_have_ended(world: &World, wrong: &mut Vec<String>) -> Result<()> {
    let told = events(world)?;
    for import in world.items("ImportsTable")? {
        if text(&import, "part") != "import" {
            continue;
        }
        let (id, state) = (text(&import, "id"), text(&import, "state"));
        // One that was announced and never uploaded waits.
        if state == "running" || (state == "pending" && import.contains_key("size")) || state.is_empty() {
            wrong.push(format!("import {id} is {state:?}"));
        }
        let ended = ["completed", "completed_with_errors", "failed"].contains(&state);
        let is_dry = import.get("dry_run").is_some_and(|value| value["BOOL"] == Value::Bool(true));
        let names = ["ImportacionCompletada", "ImportacionRechazada"];
        let events = told.values().filter(|event| event["agregadoId"] == id);
        let ends = events.filter(|event| names.iter().any(|name| event["evento"] == *name)).count();
        if ended && !is_dry && ends == 0 {
            wrong.push(format!("import {id} is {state} and nobody was told"));
        }
    }
    Ok(())
}

/// Is it a product, and not one that was deleted?
#[must_use]
pub fn is_product(item: &Item) -> bool {
    text(item, "id").starts_with("prod_") && !item.contains_key("deleted_at")
}

fn products_are_right(world: &World, lines: &[Item], wrong: &mut Vec<String>) -> Result<()> {
    let reviews = world.items("ReviewsTable")?;
    for product in world.items("ProductsTable")? {
        let (id, sku) = (text(&product, "id"), text(&product, "sku"));
        if !is_product(&product) {
            continue;
        }
        let here = lines.iter().filter(|line| text(line, "sku") == sku && !sku.is_empty());
        let available: i64 = here.filter_map(|line| number(line, "available")).map(|units| units.max(0)).sum();
        if number(&product, "stock").unwrap_or(0) != available {
            wrong.push(format!("{sku} shows {:?} and {available} are there", number(&product, "stock")));
        }
        let ratings = reviews.iter().filter(|review| text(review, "product") == id);
        let ratings: Vec<i64> = ratings.filter_map(|review| number(review, "rating")).collect();
        let (count, sum) = (number(&product, "rating_count").unwrap_or(0), number(&product, "rating_sum").unwrap_or(0));
        if usize::try_from(count) != Ok(ratings.len()) || sum != ratings.iter().sum::<i64>() {
            wrong.push(format!("{sku} has {count} ratings of {sum} in all, and its reviews say {ratings:?}"));
        }
    }
    Ok(())
}

/// Each version of a cart was told, once.
fn carts_are_told(world: &World, wrong: &mut Vec<String>) -> Result<()> {
    let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events(world)?.values().filter(|event| event["evento"] == "CarritoActualizado") {
        let data = &event["datos"];
        let user = data["usuarioId"].as_str().unwrap_or_default().to_owned();
        told.entry(user).or_default().extend(data["versionCarrito"].as_i64());
    }
    for cart in world.items("CartsTable")? {
        let (user, version) = (text(&cart, "user"), number(&cart, "version").unwrap_or(0));
        let mut versions = told.remove(user).unwrap_or_default();
        versions.sort_unstable();
        if versions != (1..=version).collect::<Vec<_>>() {
            wrong.push(format!("the cart of {user} has version {version}, and these were told: {versions:?}"));
        }
    }
    Ok(())
}

/// A line is low exactly where its alert is open.
///
/// # Errors
/// Where a table is missing.
pub fn alerts_are_right(world: &World) -> Result<Vec<String>> {
    let key = |item: &Item| (text(item, "store").to_owned(), text(item, "sku").to_owned());
    let is_low = |line: &&Item| {
        let threshold = number(line, "threshold").unwrap_or(5);
        number(line, "available").is_some_and(|available| available <= threshold)
    };
    let lines = world.items("InventoryTable")?;
    let low: BTreeSet<_> = lines.iter().filter(is_low).map(key).collect();
    let alerts = world.items("StockAlertsTable")?;
    let open: BTreeSet<_> = alerts.iter().filter(|alert| alert.contains_key("open_store")).map(key).collect();
    let mut wrong: Vec<String> =
        low.difference(&open).map(|line| format!("{line:?} is low without an alert")).collect();
    wrong.extend(open.difference(&low).map(|line| format!("{line:?} has an alert and is not low")));
    Ok(wrong)
}
