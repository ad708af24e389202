//! A stock line as it is stored.

use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::stock::StockLine;
use almacen_domain::stock::import::Wanted;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Attributes, Item, n, number, required_number, required_text, s};

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
pub(crate) fn new_line(author: &Author, store: &str, sku: &str, wanted: Wanted) -> Attributes {
    let mut attributes = vec![
        (keys::STORE, s(store)),
        (keys::SKU, s(sku)),
        ("on_hand", n(wanted.count)),
        ("reserved", n(0)),
        ("available", n(wanted.count)),
        ("version", n(1)),
        (EDIT_VERSION, n(1)),
        ("counted_at", n(author.stamp.at)),
        ("source", s(&author.stamp.source)),
        (stamps::ORDER, s(&author.stamp.sequencer)),
        ("created_by", s(&author.import)),
        ("changed_by", s(&author.import)),
        ("updated_at", n(author.now)),
    ];
    attributes.extend(wanted.threshold.map(|threshold| ("threshold", n(threshold))));
    attributes
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
