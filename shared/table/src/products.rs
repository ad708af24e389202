//! Products: one record each, and their records' shape.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use almacen_domain::catalogue::Product;
use almacen_domain::money::{Currency, Money};
use almacen_domain::name::Sku;

use crate::attr::{Item, n, number, required_number, required_text, s, text};
use crate::calls::{BATCH_GET_MAX, consistent, get_all};
use crate::{TableError, keys};

/// What every live product has as its `kind`.
pub const KIND: &str = "product";

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
    /// [`TableError`].
    pub async fn get(&self, id: &str) -> Result<Option<Product>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::from_sdk("read product"))?;
        answer.item().filter(|item| is_live(item)).map(decode).transpose()
    }

    /// Those of `ids` that are offered, as they are now, by id. What is deleted or unknown is left out.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn these(&self, ids: &[&str]) -> Result<HashMap<String, Product>, TableError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH_GET_MAX) {
            let wanted = chunk.iter().map(|id| [(keys::ID.to_owned(), s(*id))].into()).collect();
            for item in get_all(&self.client, &self.table, "read products", wanted, consistent()).await? {
                if is_live(&item) {
                    let product = decode(&item)?;
                    found.insert(product.id.clone(), product);
                }
            }
        }
        Ok(found)
    }
}

/// Is it a product that is offered? Deleted ones leave a mark for a while, and skus are kept beside them.
pub(crate) fn is_live(item: &Item) -> bool {
    text(item, "kind").as_deref() == Some(KIND) && !item.contains_key("deleted_at")
}

/// A product as it is stored.
#[must_use]
pub fn encode(product: &Product) -> Item {
    let texts = |list: &[String]| AttributeValue::L(list.iter().map(s).collect());
    let mut item: Item = [
        (keys::ID, s(&product.id)),
        ("kind", s(KIND)),
        ("name", s(&product.name)),
        ("description", s(&product.description)),
        ("price_cents", n(product.price.cents)),
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
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(sku) = &product.sku {
        item.insert("sku".to_owned(), s(sku.as_str()));
    }
    item
}

/// A stored product.
///
/// # Errors
/// [`TableError::Corrupt`].
pub fn decode(item: &Item) -> Result<Product, TableError> {
    let currency = required_text(item, "currency")?;
    let currency = Currency::parse(&currency).ok_or(TableError::Corrupt { attribute: "currency" })?;
    let sku = text(item, "sku").map(|sku| Sku::parse(&sku)).transpose();
    Ok(Product {
        id: required_text(item, keys::ID)?,
        name: required_text(item, "name")?,
        description: text(item, "description").unwrap_or_default(),
        price: Money::new(required_number(item, "price_cents")?, currency),
        category: required_text(item, "category")?,
        sku: sku.map_err(|_| TableError::Corrupt { attribute: "sku" })?,
        tags: texts(item, "tags"),
        specifications: match item.get("specifications") {
            Some(AttributeValue::M(map)) => {
                map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone()))).collect()
            }
            _ => BTreeMap::new(),
        },
        images: texts(item, "images"),
        stock: number(item, "stock").unwrap_or(0),
        rating_sum: number(item, "rating_sum").unwrap_or(0),
        rating_count: number(item, "rating_count").unwrap_or(0),
        version: required_number(item, "version")?,
        created_at: required_number(item, "created_at")?,
        updated_at: required_number(item, "updated_at")?,
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
