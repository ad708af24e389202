//! A stock line as it is stored.

use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::stock::StockLine;
use almacen_domain::stock::import::Wanted;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, n, number, required_number, required_text, s};

use super::imported::Author;
use crate::keys;
use crate::stock::stamps;

/// What a change through the API has as its source.
pub(crate) const API_SOURCE: &str = "api";

/// Version of a line for those who edit it: raised by imports and PATCH, and not by orders, so that a sale does not make an
/// operator's edit fail. Lines from before orders have none; there it is `version`, which only those raised then.
pub(super) const EDIT_VERSION: &str = "edit_version";
/// Cause of the last change, where that was an order's: imports and PATCH, whose cause is `changed_by`, remove it.
pub(super) const MOVED_BY: &str = "moved_by";

/// A line that is not there yet.
pub(crate) fn new_line(author: &Author, store: &str, sku: &str, wanted: Wanted) -> Item {
    let mut item: Item = Item::with_capacity(15);
    item.insert(keys::STORE.to_owned(), s(store));
    item.insert(keys::SKU.to_owned(), s(sku));
    item.insert("on_hand".to_owned(), n(wanted.count));
    item.insert("reserved".to_owned(), n(0));
    item.insert("available".to_owned(), n(wanted.count));
    if let Some(threshold) = wanted.threshold {
        item.insert("threshold".to_owned(), n(threshold));
    }
    item.insert("version".to_owned(), n(1));
    item.insert(EDIT_VERSION.to_owned(), n(1));
    item.insert("counted_at".to_owned(), n(author.stamp.at));
    item.insert("source".to_owned(), s(&author.stamp.source));
    item.insert(stamps::ORDER.to_owned(), s(&author.stamp.sequencer));
    item.insert("created_by".to_owned(), s(&author.import));
    item.insert("changed_by".to_owned(), s(&author.import));
    item.insert("updated_at".to_owned(), n(author.now));
    item
}

/// The key of a line.
pub(super) fn line_key(store: &str, sku: &str) -> Item {
    [(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(sku))].into()
}

/// [`EDIT_VERSION`]; `version` of a line that has none.
pub(super) fn edit_version(item: &Item) -> Result<i64, DynamoError> {
    number(item, EDIT_VERSION)?.map_or_else(|| required_number(item, "version"), Ok)
}

/// A stored line.
pub(super) fn line(item: &Item) -> Result<StockLine, DynamoError> {
    let name = |attribute| required_text(item, attribute);
    Ok(StockLine {
        store: StoreId::parse(&name(keys::STORE)?).map_err(|_| DynamoError::Malformed { attribute: keys::STORE })?,
        sku: Sku::parse(&name(keys::SKU)?).map_err(|_| DynamoError::Malformed { attribute: keys::SKU })?,
        on_hand: required_number(item, "on_hand")?,
        reserved: required_number(item, "reserved")?,
        available: required_number(item, "available")?,
        threshold: number(item, "threshold")?,
        edit_version: edit_version(item)?,
        moved: item.contains_key(MOVED_BY),
        updated_at: required_number(item, "updated_at")?,
    })
}
