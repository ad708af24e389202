//! One record of the Inventory stream, read by itself: a record that nobody can read must not hold up the others.

use almacen_domain::Millis;
use almacen_domain::name::{Sku, StoreId};
use almacen_domain::stock::Level;
use serde_json::Value;

/// A line as it was after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Store.
    pub store: String,
    /// Item.
    pub sku: String,
    /// The line's version: later changes have higher ones.
    pub version: i64,
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units that open orders hold.
    pub reserved: i64,
    /// Units that can be sold.
    pub available: i64,
    /// What it is measured against.
    pub threshold: i64,
    /// Where it stands now.
    pub level: Level,
    /// Where it stood before; `None` for a new line.
    pub before: Option<Level>,
    /// How many could be sold before; `None` for a new line.
    pub available_before: Option<i64>,
    /// When it changed.
    pub at: Millis,
    /// Which import or user changed it.
    pub changed_by: String,
}

/// What a record has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A line was made or changed.
    Changed(Change),
    /// A line was removed, which only a person does by hand: nothing to tell.
    Removed,
    /// It cannot be read, now or ever; why.
    Unreadable(&'static str),
}

/// Reads one record.
#[must_use]
pub fn read(record: &Value, default_threshold: i64) -> Read {
    match record.get("eventName").and_then(Value::as_str) {
        Some("REMOVE") => return Read::Removed,
        Some("INSERT" | "MODIFY") => {}
        _ => return Read::Unreadable("eventName"),
    }
    let images = record.get("dynamodb");
    let Some(new) = images.and_then(|images| images.get("NewImage")) else { return Read::Unreadable("NewImage") };
    let before = images
        .and_then(|images| images.get("OldImage"))
        .and_then(|old| Some((number(old, "available")?, number(old, "threshold").unwrap_or(default_threshold))));
    changed(new, before, default_threshold).map_or_else(Read::Unreadable, Read::Changed)
}

/// `before`: available, threshold.
fn changed(new: &Value, before: Option<(i64, i64)>, default_threshold: i64) -> Result<Change, &'static str> {
    let available = number(new, "available").ok_or("available")?;
    let threshold = number(new, "threshold").unwrap_or(default_threshold);
    Ok(Change {
        // Names that no line can have could not be looked up either, and would fail the whole batch.
        store: text(new, "store").filter(|name| StoreId::parse(name).is_ok()).ok_or("store")?,
        sku: text(new, "sku").filter(|name| Sku::parse(name).is_ok()).ok_or("sku")?,
        version: number(new, "version").ok_or("version")?,
        on_hand: number(new, "on_hand").ok_or("on_hand")?,
        reserved: number(new, "reserved").ok_or("reserved")?,
        available,
        threshold,
        level: Level::of(available, threshold),
        before: before.map(|(available, threshold)| Level::of(available, threshold)),
        available_before: before.map(|(available, _)| available),
        at: number(new, "updated_at").ok_or("updated_at")?,
        changed_by: text(new, "changed_by").unwrap_or_default(),
    })
}

fn number(image: &Value, name: &str) -> Option<i64> {
    image.get(name)?.get("N")?.as_str()?.parse().ok()
}

fn text(image: &Value, name: &str) -> Option<String> {
    image.get(name)?.get("S")?.as_str().map(str::to_owned)
}
