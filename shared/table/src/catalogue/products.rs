//! Products: one record each, and their records' shape.
//!
//! A change through the API is one transaction: the product on condition of the version that was read, its event, the
//! item `sku#…` that makes a sku unique, and the check that its category exists. A new product's first stock line is in
//! it too. A change sets only what an administrator writes. Stock, ratings and images have other writers, so neither
//! undoes the other's work.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};

use almacen_domain::Millis;
use almacen_domain::catalogue::Product;
use almacen_domain::kernel::money::{Currency, Money};
use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::stock::Stamp;
use almacen_domain::stock::import::Wanted;

use crate::catalogue::categories;
use crate::catalogue::product_stock::StockTotal;
use crate::keys;
use crate::outbox;
use crate::stock::inventory::API_SOURCE;
use crate::stock::inventory::{Author, new_line};
use almacen_domain::kernel::event::OutboxEvent;
use almacen_dynamo::attr::{Item, is_text, item, n, natural, number, required_natural, required_text, s, text};
use almacen_dynamo::calls::{BATCH_GET_MAX, consistent, get_many};
use almacen_dynamo::transaction::{Commit, Transaction};
use almacen_dynamo::version::{VersionCondition, Versioned as _};
use almacen_dynamo::{DynamoError, read_units};

/// What every live product has as its `kind`.
pub const KIND: &str = "product";
/// Attribute of the price in minor units of `currency`; the name is from when every currency had cents.
const PRICE: &str = "price_cents";

/// The Products table.
#[derive(Debug, Clone)]
pub struct Products {
    client: Client,
    table: String,
}

impl Products {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// One product, as it is now; `None` for one that is not there or was deleted.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get(&self, id: &str) -> Result<Option<Product>, DynamoError> {
        self.with_change_time(id).await.map(|found| found.map(|(product, _)| product))
    }

    /// The same, and when it was last changed in any way that lists show.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn with_change_time(&self, id: &str) -> Result<Option<(Product, Millis)>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read product"))?;
        let Some(item) = answer.item().filter(|item| is_live(item)) else { return Ok(None) };
        Ok(Some((decode(item)?, natural(item, "changed_at")?)))
    }

    /// Those of `ids` that are offered, as they are now, by id. What is deleted or unknown is left out; so is, with an error in
    /// the log, what cannot be read: one broken record must not close a list or a cart.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get_many(&self, ids: &[&str]) -> Result<HashMap<String, Product>, DynamoError> {
        self.get_many_measured(ids).await.map(|these| these.found)
    }

    /// The same, and what else a list wants to know.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get_many_measured(&self, ids: &[&str]) -> Result<ProductsPage, DynamoError> {
        let mut these = ProductsPage { found: HashMap::with_capacity(ids.len()), unreadable: Vec::new(), units: 0.0 };
        for chunk in ids.chunks(BATCH_GET_MAX) {
            let wanted = chunk.iter().map(|id| [(keys::ID.to_owned(), s(*id))].into()).collect();
            let items = get_many(&self.client, &self.table, "read products", wanted, consistent()).await?;
            these.units += read_units::of_single_reads(&items, chunk.len());
            for item in items.iter().filter(|item| is_live(item)) {
                // A list that knows it from before would show what cannot be asked for by itself.
                match natural(item, "changed_at").and_then(|_| decode(item)) {
                    Ok(product) => drop(these.found.insert(product.id.clone(), product)),
                    Err(error) => {
                        left_out(item, &error);
                        these.unreadable.extend(text(item, keys::ID).ok().flatten());
                    }
                }
            }
        }
        Ok(these)
    }
}

/// Some products, as they are now.
#[derive(Debug)]
pub struct ProductsPage {
    /// By their ids.
    pub found: HashMap<String, Product>,
    /// Ids of those that are there and cannot be read.
    pub unreadable: Vec<String>,
    /// Read units that it took.
    pub units: f64,
}

/// Says of a product that it cannot be read, to whoever can mend it.
pub(crate) fn left_out(item: &Item, error: &DynamoError) {
    let product = text(item, keys::ID).ok().flatten().unwrap_or_default();
    tracing::error!(product, %error, "product cannot be read and is left out");
}

/// A new line in a store, for a product that comes with stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialStock {
    /// Where.
    pub store: StoreId,
    /// Units on the shelf.
    pub units: i64,
    /// Who says so.
    pub by: String,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductWrite {
    /// It is made, with its event.
    Made,
    /// There is no such category.
    NoCategory,
    /// Another product sells this item.
    SkuTaken,
    /// Somebody changed or deleted the product since it was read.
    Moved,
}

/// The writes of a change of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Product,
    Category,
    Event,
    Sku,
    Line,
    Store,
}

/// The tables that change with a product.
#[derive(Debug, Clone)]
pub struct ProductChanges {
    client: Client,
    tables: Tables,
}

/// Names of the tables that change with a product.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Products.
    pub products: String,
    /// Their categories.
    pub categories: String,
    /// Events.
    pub outbox: String,
    /// Stock lines.
    pub inventory: String,
    /// Stores.
    pub stores: String,
}

impl ProductChanges {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, tables: Tables) -> Self {
        Self { client, tables }
    }

    /// Makes a product, and the line of its item where `opening` says so and the store has none. `shelf` is what the
    /// stores hold of the item already.
    ///
    /// # Errors
    /// [`DynamoError`]; nothing is written then, unless it says that the outcome is unknown.
    pub async fn create(
        &self,
        product: &Product,
        shelf: StockTotal,
        opening: Option<&InitialStock>,
        event: &OutboxEvent,
    ) -> Result<ProductWrite, DynamoError> {
        let now = product.created_at;
        let mut transaction = Transaction::new("make product");
        transaction.add(Named::Product, self.put(product, shelf))?;
        transaction.add(Named::Category, categories::exists(&self.tables.categories, &product.category))?;
        transaction.add(Named::Event, outbox::put(&self.tables.outbox, event, now))?;
        if let Some(sku) = &product.sku {
            transaction.add(Named::Sku, self.claim_sku(sku, &product.id))?;
            if let Some(opening) = opening {
                transaction.add(Named::Line, self.open_line(opening, sku, now))?;
                transaction.add(Named::Store, self.count_line(opening))?;
            }
        }
        loop {
            let refused = match transaction.commit(&self.client).await? {
                Commit::Written => return Ok(ProductWrite::Made),
                Commit::Refused(parts) => parts,
            };
            if refused.contains(&Named::Category) {
                return Ok(ProductWrite::NoCategory);
            }
            if refused.contains(&Named::Sku) {
                return Ok(ProductWrite::SkuTaken);
            }
            if refused.contains(&Named::Line) {
                // The store has a line of this item: what it holds is the warehouse's to say.
                transaction.leave_out(&[Named::Line, Named::Store]);
                continue;
            }
            return Ok(ProductWrite::Moved);
        }
    }

    /// Puts `after` in the place of `before`, which was read together with `changed_at`. `shelf` is what there is of
    /// its item, where that is another one now.
    ///
    /// # Errors
    /// [`DynamoError`]; nothing is written then, unless it says that the outcome is unknown.
    pub async fn replace(
        &self,
        (before, changed_at): (&Product, Millis),
        after: &Product,
        shelf: Option<StockTotal>,
        event: &OutboxEvent,
    ) -> Result<ProductWrite, DynamoError> {
        let now = after.updated_at;
        let mut transaction = Transaction::new("change product");
        transaction.add(Named::Product, self.update(before, after, shelf, now.max(changed_at + 1)))?;
        transaction.add(Named::Event, outbox::put(&self.tables.outbox, event, now))?;
        if before.category != after.category {
            transaction.add(Named::Category, categories::exists(&self.tables.categories, &after.category))?;
        }
        if before.sku != after.sku {
            if let Some(sku) = &before.sku {
                transaction.add(Named::Product, self.free_sku(sku, &before.id))?;
            }
            if let Some(sku) = &after.sku {
                transaction.add(Named::Sku, self.claim_sku(sku, &after.id))?;
            }
        }
        let refused = match transaction.commit(&self.client).await? {
            Commit::Written => return Ok(ProductWrite::Made),
            Commit::Refused(parts) => parts,
        };
        Ok(if refused.contains(&Named::Product) || refused.contains(&Named::Event) {
            ProductWrite::Moved
        } else if refused.contains(&Named::Category) {
            ProductWrite::NoCategory
        } else {
            ProductWrite::SkuTaken
        })
    }

    /// Deletes a product that was read together with `changed_at`, and leaves a mark for the lists.
    ///
    /// # Errors
    /// [`DynamoError`]; nothing is written then, unless it says that the outcome is unknown.
    pub async fn delete(
        &self,
        (before, changed_at): (&Product, Millis),
        now: Millis,
        event: &OutboxEvent,
    ) -> Result<ProductWrite, DynamoError> {
        let changed = now.max(changed_at + 1);
        let update = self
            .guarded(before, changed)
            .update_expression(
                "SET deleted_at = :now, expires_at = :expires, changed_at = :changed, version = version + :one",
            )
            .expression_attribute_values(":now", n(now))
            .expression_attribute_values(":expires", n(changed / 1000 + keys::PRODUCT_MARK_KEPT_SECONDS))
            .expression_attribute_values(":one", n(1));
        let mut transaction = Transaction::new("delete product");
        transaction.add(Named::Product, update)?;
        transaction.add(Named::Event, outbox::put(&self.tables.outbox, event, now))?;
        if let Some(sku) = &before.sku {
            transaction.add(Named::Product, self.free_sku(sku, &before.id))?;
        }
        Ok(if transaction.commit(&self.client).await?.is_written() { ProductWrite::Made } else { ProductWrite::Moved })
    }

    fn put(&self, product: &Product, shelf: StockTotal) -> PutBuilder {
        let mut item = encode(product);
        item.insert("words".to_owned(), s(product.words()));
        item.insert("changed_at".to_owned(), n(product.created_at));
        item.insert("stock".to_owned(), n(shelf.available));
        item.insert("stock_seen".to_owned(), n(shelf.seen));
        Put::builder()
            .table_name(&self.tables.products)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(id)")
    }

    /// An update on condition that the product is as it was read.
    fn guarded(&self, before: &Product, changed: Millis) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.products)
            .key(keys::ID, s(&before.id))
            .only_if(VersionCondition::seen("version", before.version).and(
                "kind = :kind AND attribute_not_exists(deleted_at) \
                 AND (attribute_not_exists(changed_at) OR changed_at < :changed)",
            ))
            .expression_attribute_values(":kind", s(KIND))
            .expression_attribute_values(":changed", n(changed))
    }

    fn update(&self, before: &Product, after: &Product, shelf: Option<StockTotal>, changed: Millis) -> UpdateBuilder {
        // What an administrator says of a product, and nothing else.
        let said = ["name", "description", PRICE, "currency", "category", "tags", "specifications", "updated_at"];
        let mut values = encode(after);
        let mut set = "SET words = :words, changed_at = :changed, version = version + :one".to_owned();
        let mut update = self
            .guarded(before, changed)
            .expression_attribute_values(":words", s(after.words()))
            .expression_attribute_values(":one", n(1));
        for name in said.iter().chain(after.sku.iter().map(|_| &"sku")) {
            if let Some(value) = values.remove(*name) {
                set.push_str(&format!(", #{name} = :{name}"));
                update = update
                    .expression_attribute_names(format!("#{name}"), *name)
                    .expression_attribute_values(format!(":{name}"), value);
            }
        }
        if let Some(shelf) = shelf {
            set.push_str(", stock = :stock, stock_seen = :seen");
            update = update
                .expression_attribute_values(":stock", n(shelf.available))
                .expression_attribute_values(":seen", n(shelf.seen));
        }
        if after.sku.is_none() {
            set.push_str(" REMOVE sku");
        }
        update.update_expression(set)
    }

    fn claim_sku(&self, sku: &Sku, product: &str) -> PutBuilder {
        Put::builder()
            .table_name(&self.tables.products)
            .item(keys::ID, s(keys::sold(sku.as_str())))
            .item(keys::SKU, s(sku.as_str()))
            .item(keys::PRODUCT, s(product))
            .condition_expression("attribute_not_exists(id)")
    }

    fn free_sku(&self, sku: &Sku, product: &str) -> DeleteBuilder {
        Delete::builder()
            .table_name(&self.tables.products)
            .key(keys::ID, s(keys::sold(sku.as_str())))
            .condition_expression("product = :product")
            .expression_attribute_values(":product", s(product))
    }

    fn open_line(&self, opening: &InitialStock, sku: &Sku, now: Millis) -> PutBuilder {
        let stamp = Stamp { at: now, source: API_SOURCE.to_owned(), sequencer: String::new() };
        let author = Author { import: opening.by.clone(), stamp, now };
        let wanted = Wanted { count: opening.units, threshold: None };
        let line = new_line(&author, opening.store.as_str(), sku.as_str(), wanted);
        Put::builder()
            .table_name(&self.tables.inventory)
            .set_item(Some(line.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
            .condition_expression("attribute_not_exists(sku)")
    }

    /// Counts the line in its store.
    fn count_line(&self, opening: &InitialStock) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.stores)
            .key(keys::STORE, s(opening.store.as_str()))
            .update_expression("ADD #lines :one")
            .expression_attribute_names("#lines", "lines")
            .expression_attribute_values(":one", n(1))
    }
}

/// Is it a product that is offered? Deleted ones leave a mark for a while, and skus are kept beside them.
pub(crate) fn is_live(item: &Item) -> bool {
    is_text(item, "kind", KIND) && !item.contains_key("deleted_at")
}

/// A product as it is stored.
#[must_use]
pub fn encode(product: &Product) -> Item {
    let texts = |list: &[String]| AttributeValue::L(list.iter().map(s).collect());
    let mut item: Item = item([
        (keys::ID, s(&product.id)),
        ("kind", s(KIND)),
        ("name", s(&product.name)),
        ("description", s(&product.description)),
        (PRICE, n(product.price.minor)),
        ("currency", s(product.price.currency.as_str())),
        ("category", s(&product.category)),
        ("tags", texts(&product.tags)),
        (
            "specifications",
            AttributeValue::M(product.specifications.iter().map(|(name, value)| (name.clone(), s(value))).collect()),
        ),
        ("images", texts(&product.images)),
        ("stock", n(product.stock)),
        ("rating_sum", n(product.rating_sum)),
        ("rating_count", n(product.rating_count)),
        ("version", n(product.version)),
        ("created_at", n(product.created_at)),
        ("updated_at", n(product.updated_at)),
    ]);
    if let Some(sku) = &product.sku {
        item.insert("sku".to_owned(), s(sku.as_str()));
    }
    item
}

/// The price of a stored product, or of what the index has of one.
pub(crate) fn price(item: &Item) -> Result<Money, DynamoError> {
    let currency = required_text(item, "currency")?;
    let currency = Currency::parse(&currency).ok_or(DynamoError::Malformed { attribute: "currency" })?;
    Ok(Money::new(required_natural(item, PRICE)?, currency))
}

/// A stored product.
///
/// # Errors
/// [`DynamoError::Malformed`].
pub fn decode(item: &Item) -> Result<Product, DynamoError> {
    let sku = text(item, "sku")?.map(|sku| Sku::parse(&sku)).transpose();
    Ok(Product {
        id: required_text(item, keys::ID)?,
        name: required_text(item, "name")?,
        description: text(item, "description")?.unwrap_or_default(),
        price: price(item)?,
        category: required_text(item, "category")?,
        sku: sku.map_err(|_| DynamoError::Malformed { attribute: "sku" })?,
        tags: texts(item, "tags"),
        specifications: match item.get("specifications") {
            Some(AttributeValue::M(map)) => {
                map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone()))).collect()
            }
            _ => BTreeMap::new(),
        },
        images: texts(item, "images"),
        stock: number(item, "stock")?.unwrap_or(0),
        rating_sum: natural(item, "rating_sum")?,
        rating_count: natural(item, "rating_count")?,
        version: required_natural(item, "version")?,
        created_at: required_natural(item, "created_at")?,
        updated_at: required_natural(item, "updated_at")?,
    })
}

fn texts(item: &Item, name: &str) -> Vec<String> {
    match item.get(name) {
        Some(AttributeValue::L(list)) => list.iter().filter_map(|value| value.as_s().ok().cloned()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_survives_the_table() {
        let product = Product {
            id: "prod_1".to_owned(),
            name: "Café".to_owned(),
            description: String::new(),
            price: Money::new(9999, Currency::USD),
            category: "bebidas".to_owned(),
            sku: Some(Sku::parse("COFFEE-1000").unwrap()),
            tags: vec!["grano".to_owned()],
            specifications: [("peso".to_owned(), "1 kg".to_owned())].into(),
            images: vec!["prod_1/a".to_owned()],
            stock: 45,
            rating_sum: 9,
            rating_count: 2,
            version: 3,
            created_at: 1,
            updated_at: 2,
        };
        let item = encode(&product);
        assert_eq!(decode(&item).unwrap(), product);
        assert!(is_live(&item) && product.rating_tenths() == 45);
        assert!(decode(&Item::new()).is_err());
    }
}
