//! The stock of a product: what is available of its item over all stores.
//!
//! `watch-stock` looks up which of a batch's items a product sells (`sku#…` in Products) and drops the others. For each
//! that is sold it reads the lines of all stores, strongly consistent, and sets the product's `stock` to their sum, on
//! condition that the sum of the lines' versions is higher than the one stored. The stock is counted anew every time,
//! never added to.
//!
//! Invariant: a count is never replaced by an earlier one. A line's version only rises, so of two counts the one with
//! the higher sum is the later. Every change is followed by a count that starts after it. `products-api` counts too,
//! before and after it writes which product sells an item: `watch-stock` drops changes of items that no product sells
//! yet.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, n, natural, number, required_text, s};
use almacen_dynamo::calls::{BATCH_GET_MAX, condition_held, consistent, get_many};

/// What the stores hold of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StockTotal {
    /// Units that can be sold. A line that orders hold more of than there is counts as none.
    pub available: i64,
    /// The sum of the versions of all lines: the higher, the later.
    pub seen: i64,
}

impl StockTotal {
    /// Adds a line. One that cannot be read must not hold up the counts of other items: it is logged and left out. Its version
    /// counts all the same, or the sum would be lower than that of the last count and be refused.
    fn add(&mut self, sku: &str, line: &Item) {
        let unreadable = |error| tracing::error!(sku, %error, "line cannot be read and is left out of the count");
        natural(line, "version").map_or_else(unreadable, |version| self.seen += version);
        number(line, "available").map_or_else(unreadable, |units| self.available += units.unwrap_or(0).max(0));
    }
}

/// The tables that a product's stock follows from.
#[derive(Debug, Clone)]
pub struct ProductStock {
    client: Client,
    products: String,
    inventory: String,
    stores: String,
}

impl ProductStock {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, products: String, inventory: String, stores: String) -> Self {
        Self { client, products, inventory, stores }
    }

    /// Those of `skus` that a product sells, with the product's id.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn sold(&self, skus: &[&str]) -> Result<Vec<(String, String)>, DynamoError> {
        let mut found = Vec::new();
        for chunk in skus.chunks(BATCH_GET_MAX) {
            let wanted = chunk.iter().map(|sku| [(keys::ID.to_owned(), s(keys::sold(sku)))].into()).collect();
            for item in get_many(&self.client, &self.products, "read who sells items", wanted, consistent()).await? {
                found.push((required_text(&item, keys::SKU)?, required_text(&item, keys::PRODUCT)?));
            }
        }
        Ok(found)
    }

    /// Every store. A store is there before its first line, so no line is left out of a count over them.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn stores(&self) -> Result<Vec<String>, DynamoError> {
        let mut stores = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.stores)
                .projection_expression("#store")
                .expression_attribute_names("#store", keys::STORE)
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(DynamoError::from_sdk("read stores"))?;
            for item in page.items() {
                stores.push(required_text(item, keys::STORE)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(stores);
            }
        }
    }

    /// What `stores` hold of an item.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn count(&self, sku: &str, stores: &[String]) -> Result<StockTotal, DynamoError> {
        let mut total = StockTotal::default();
        for chunk in stores.chunks(BATCH_GET_MAX) {
            let wanted = chunk
                .iter()
                .map(|store| HashMap::from([(keys::STORE.to_owned(), s(store)), (keys::SKU.to_owned(), s(sku))]))
                .collect();
            let how = consistent().projection_expression("available, version");
            for line in get_many(&self.client, &self.inventory, "count an item", wanted, how).await? {
                total.add(sku, &line);
            }
        }
        Ok(total)
    }

    /// Tells a product what there is of its item, unless it sells another by now or knows of a later count.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn set(&self, product: &str, sku: &str, total: StockTotal) -> Result<bool, DynamoError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.products)
            .key(keys::ID, s(product))
            .update_expression("SET stock = :stock, stock_seen = :seen")
            .condition_expression(
                "attribute_exists(id) AND sku = :sku AND (attribute_not_exists(stock_seen) OR stock_seen < :seen)",
            )
            .expression_attribute_values(":stock", n(total.available))
            .expression_attribute_values(":seen", n(total.seen))
            .expression_attribute_values(":sku", s(sku))
            .send()
            .await;
        condition_held(result, "write a product's stock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_dynamo::attr::item;

    #[test]
    fn the_version_of_a_line_counts_although_its_stock_cannot_be_read() {
        let total = |lines: &[Item]| {
            let mut total = StockTotal::default();
            lines.iter().for_each(|line| total.add("Tea", line));
            total
        };
        let line = |available, version| item([("available", available), ("version", version)]);
        assert_eq!(total(&[line(n(4), n(3)), line(n(-2), n(500))]), StockTotal { available: 4, seen: 503 });
        assert_eq!(total(&[line(n(4), n(3)), line(s("many"), n(500))]), StockTotal { available: 4, seen: 503 });
        assert_eq!(total(&[line(n(4), s("x"))]), StockTotal { available: 4, seen: 0 });
    }
}
