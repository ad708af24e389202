//! One record of the Inventory stream, read by itself: a record that nobody can read must not hold up the others.

use almacen_domain::Millis;
use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::stock::Level;
use almacen_lambda_kit::stream::{EventName, Image, Unreadable, event_name};
use serde_json::Value;

/// A line as it was after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
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
    /// Which import, user or order changed it.
    pub changed_by: String,
}

/// What a record has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A line was made or changed.
    Changed(LineChange),
    /// A line was removed, which only a person does by hand: nothing to tell.
    Removed,
    /// It cannot be read, now or ever; why.
    Unreadable(&'static str),
}

/// Reads one record.
#[must_use]
pub fn read(record: &Value, default_threshold: i64) -> Read {
    match event_name(record) {
        Ok(EventName::Remove) => Read::Removed,
        Ok(EventName::Insert | EventName::Modify) => {
            changed(record, default_threshold).map_or_else(|Unreadable(what)| Read::Unreadable(what), Read::Changed)
        }
        Err(Unreadable(what)) => Read::Unreadable(what),
    }
}

fn changed(record: &Value, default_threshold: i64) -> Result<LineChange, Unreadable> {
    let new = Image::new(record)?;
    let threshold_of = |image: Image<'_>| Ok(image.integer("threshold")?.unwrap_or(default_threshold));
    let before = match Image::old(record) {
        Some(old) => Some((old.required_integer("available")?, threshold_of(old)?)),
        None => None,
    };
    let (available, threshold) = (new.required_integer("available")?, threshold_of(new)?);
    let (store, sku) = (new.required_text("store")?, new.required_text("sku")?);
    Ok(LineChange {
        // Names that no line can have could not be looked up either, and would fail the whole batch.
        store: StoreId::parse(store).map(|_| store.to_owned()).map_err(|_| Unreadable("store"))?,
        sku: Sku::parse(sku).map(|_| sku.to_owned()).map_err(|_| Unreadable("sku"))?,
        version: new.required_integer("version")?,
        on_hand: new.required_integer("on_hand")?,
        reserved: new.required_integer("reserved")?,
        available,
        threshold,
        level: Level::of(available, threshold),
        before: before.map(|(available, threshold)| Level::of(available, threshold)),
        available_before: before.map(|(available, _)| available),
        at: new.required_integer("updated_at")?,
        // An order's cause, where the last change was an order's: imports and PATCH remove it.
        changed_by: match new.text("moved_by")? {
            Some(order) => order.to_owned(),
            None => new.text("changed_by")?.unwrap_or_default().to_owned(),
        },
    })
}
