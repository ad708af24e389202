//! Products: what is offered, at which price, and what customers say of it.

use std::collections::BTreeMap;

use crate::Millis;
use crate::money::Money;
use crate::name::Sku;

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// `prod_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// What one costs.
    pub price: Money,
    /// The id of its category.
    pub category: String,
    /// The item of the inventory that is sold under it; without one it can only be looked at.
    pub sku: Option<Sku>,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// Names and values, such as `peso: 250 g`.
    pub specifications: BTreeMap<String, String>,
    /// Keys of its images in the images bucket, without size and extension; the first is shown in lists.
    pub images: Vec<String>,
    /// Units available of its sku over all stores, as last told by the inventory.
    pub stock: i64,
    /// The sum of all ratings, 1 to 5 each.
    pub rating_sum: i64,
    /// How many ratings there are.
    pub rating_count: i64,
    /// Grows with every change through the API; the entity tag.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl Product {
    /// The mean rating in tenths, rounded half up; 0 without ratings.
    #[must_use]
    pub fn rating_tenths(&self) -> i64 {
        if self.rating_count <= 0 {
            return 0;
        }
        (self.rating_sum * 20 + self.rating_count).div_euclid(self.rating_count * 2)
    }
}
