//! Products whose items have changed. Most items of a warehouse are no product's, and are dropped after one look.

use std::collections::BTreeSet;

use almacen_dynamo::DynamoError;
use almacen_table::catalogue::product_stock::ProductStock;
use futures::stream::{self, TryStreamExt as _};

use crate::record::LineChange;

/// Products told at the same time.
const IN_FLIGHT: usize = 8;

/// The items of which another number can be sold than before. A repeated record names its item again, which does no harm:
/// it is counted as it is now.
#[must_use]
pub(crate) fn recounted(changes: &[LineChange]) -> Vec<String> {
    let items = changes.iter().filter(|change| change.available_before != Some(change.available));
    items.map(|change| change.sku.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Counts the items that a product sells, and tells the product.
pub(crate) async fn update_products(stock: &ProductStock, items: &[String]) -> Result<(), DynamoError> {
    if items.is_empty() {
        return Ok(());
    }
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let sold = stock.sold(&items).await?;
    if sold.is_empty() {
        return Ok(());
    }
    let stores = stock.stores().await?;
    stream::iter(sold.into_iter().map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |(sku, product)| {
            let stores = &stores;
            async move {
                let shelf = stock.count(&sku, stores).await?;
                if stock.set(&product, &sku, shelf).await? {
                    tracing::info!(product, stock = shelf.available, "product's stock counted");
                }
                Ok(())
            }
        })
        .await
}
