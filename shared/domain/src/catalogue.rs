//! Products: what is offered, at which price, and what customers say of it.

use std::collections::BTreeMap;

use crate::Millis;
use crate::kernel::money::{AmountError, Currency, Decimal, Money};
use crate::kernel::name::Sku;
use crate::kernel::search::fold;

pub mod image;
pub mod listing;

/// A product's name, at most this many characters.
pub const NAME_CHARS_MAX: usize = 150;
/// A product's description, at most this many characters.
pub const DESCRIPTION_CHARS_MAX: usize = 4_000;
/// Tags of a product at most.
pub const TAGS_MAX: usize = 20;
/// A tag, at most this many characters.
pub const TAG_CHARS_MAX: usize = 40;
/// Specifications of a product at most.
pub const SPECIFICATIONS_MAX: usize = 50;
/// A specification's name, at most this many characters.
pub const SPECIFICATION_NAME_CHARS_MAX: usize = 50;
/// A specification's value, at most this many characters.
pub const SPECIFICATION_VALUE_CHARS_MAX: usize = 300;
/// A category's name, at most this many characters; its id is never longer.
pub const CATEGORY_CHARS_MAX: usize = 60;
/// Ratings go from 1 to this.
pub const RATING_MAX: i64 = 5;
/// What a customer writes about a product, at most this many characters.
pub const COMMENT_CHARS_MAX: usize = 2_000;
/// What a list's search looks at, at most this many characters of a product: all of its name and tags that fit, and as
/// much of its description. It is in the memory of every instance for every product.
pub const WORDS_CHARS_MAX: usize = 300;

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

/// What an administrator says of a product, to make it or to put in the place of what was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// What one costs.
    pub price: DraftPrice,
    /// The id of its category.
    pub category: String,
    /// The item that is sold under it.
    pub sku: SkuChange,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// Names and values.
    pub specifications: BTreeMap<String, String>,
}

/// The price in a [`Draft`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftPrice {
    /// In a currency that the draft names.
    Money(Money),
    /// In the currency that the product has; a new one has the United States dollar.
    SameCurrency(Decimal),
}

/// The price of a [`Draft`] is no amount of the product's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceError {
    /// Why not.
    pub error: AmountError,
    /// The product's currency.
    pub currency: Currency,
}

/// What happens to the item that a product sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkuChange {
    /// It stays; a new product has none.
    Keep,
    /// The product sells nothing any more.
    Remove,
    /// It sells this.
    Sell(Sku),
}

impl Draft {
    /// A new product under `id`. Nobody has rated it, and the inventory has told nothing of it yet.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn made(self, id: String, now: Millis) -> Result<Product, PriceError> {
        let nothing = Product {
            id,
            name: String::new(),
            description: String::new(),
            price: Money::new(0, Currency::USD),
            category: String::new(),
            sku: None,
            tags: Vec::new(),
            specifications: BTreeMap::new(),
            images: Vec::new(),
            stock: 0,
            rating_sum: 0,
            rating_count: 0,
            version: 0,
            created_at: now,
            updated_at: now,
        };
        self.in_place_of(&nothing, now)
    }

    /// `before` with everything that an administrator says of it replaced.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn in_place_of(self, before: &Product, now: Millis) -> Result<Product, PriceError> {
        let currency = before.price.currency;
        let price = match self.price {
            DraftPrice::Money(price) => price,
            DraftPrice::SameCurrency(number) => {
                number.money(currency).map_err(|error| PriceError { error, currency })?
            }
        };
        Ok(Product {
            name: self.name,
            description: self.description,
            price,
            category: self.category,
            sku: match self.sku {
                SkuChange::Keep => before.sku.clone(),
                SkuChange::Remove => None,
                SkuChange::Sell(sku) => Some(sku),
            },
            tags: self.tags,
            specifications: self.specifications,
            version: before.version + 1,
            updated_at: now,
            ..before.clone()
        })
    }
}

impl Product {
    /// What a search looks at, without case and accents: name, tags, and the beginning of the description.
    #[must_use]
    pub fn words(&self) -> String {
        let tags = self.tags.iter().map(String::as_str);
        let parts: Vec<&str> = std::iter::once(self.name.as_str()).chain(tags).chain([&*self.description]).collect();
        let text: String = parts.join(" ").chars().take(WORDS_CHARS_MAX).collect();
        fold(&text)
    }
}

/// A group of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// From its name: `Electrónicos` → `electronicos`.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Category {
    /// A category of this name; `None` for a name without a letter or a digit.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let folded = fold(name);
        let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { None } else { Some(Self { id: words.join("-"), name: name.to_owned() }) }
    }
}

/// What a customer says of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Which product.
    pub product: String,
    /// Which customer.
    pub user: String,
    /// From 1 to [`RATING_MAX`].
    pub rating: i64,
    /// In words; may be empty.
    pub comment: String,
    /// When.
    pub created_at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            name: "Cafetera".to_owned(),
            description: "Para dos TAZAS".to_owned(),
            price: DraftPrice::SameCurrency(Decimal::parse("99.99").unwrap()),
            category: "cocina".to_owned(),
            sku: SkuChange::Keep,
            tags: vec!["Café".to_owned()],
            specifications: BTreeMap::new(),
        }
    }

    #[test]
    fn what_others_keep_up_to_date_is_not_replaced() {
        let mut before = draft().made("prod_1".to_owned(), 1).unwrap();
        assert_eq!((before.version, before.price), (1, Money::new(9_999, Currency::USD)));
        before.stock = 45;
        (before.rating_sum, before.rating_count) = (9, 2);
        before.images = vec!["a".to_owned()];
        before.sku = Sku::parse("A").ok();
        before.price.currency = Currency::parse("EUR").unwrap();
        let after = Draft { name: "Otra".to_owned(), tags: Vec::new(), ..draft() }.in_place_of(&before, 7).unwrap();
        let expected =
            Product { name: "Otra".to_owned(), tags: Vec::new(), version: 2, updated_at: 7, ..before.clone() };
        assert_eq!(after, expected);
        let removed = Draft { sku: SkuChange::Remove, ..draft() }.in_place_of(&before, 7).unwrap();
        assert_eq!(removed.sku, None);
        let sku = Sku::parse("B").unwrap();
        let sold = Draft { sku: SkuChange::Sell(sku.clone()), ..draft() }.in_place_of(&before, 7).unwrap();
        assert_eq!(sold.sku, Some(sku));
    }

    #[test]
    fn a_price_without_a_currency_is_in_that_of_the_product() {
        let currency = Currency::parse("CLP").unwrap();
        let price = |text: &str| DraftPrice::SameCurrency(Decimal::parse(text).unwrap());
        let pesos = Draft { price: DraftPrice::Money(Money::new(19_990, currency)), ..draft() };
        let before = pesos.made("prod_1".to_owned(), 1).unwrap();
        let changed = |text: &str| Draft { price: price(text), ..draft() }.in_place_of(&before, 7);
        assert_eq!(changed("2.5e4").map(|product| product.price), Ok(Money::new(25_000, currency)));
        assert_eq!(changed("99.99"), Err(PriceError { error: AmountError::TooPrecise, currency }));
        let dollars = draft().in_place_of(&Product { price: Money::new(1, Currency::USD), ..before }, 7);
        assert_eq!(dollars.map(|product| product.price.minor), Ok(9_999));
    }

    #[test]
    fn words_are_folded_and_bounded() {
        let mut product = draft().made("prod_1".to_owned(), 1).unwrap();
        assert_eq!(product.words(), "cafetera cafe para dos tazas");
        product.description = "ñ".repeat(DESCRIPTION_CHARS_MAX);
        assert_eq!(product.words().chars().count(), WORDS_CHARS_MAX);
    }

    #[test]
    fn a_category_is_known_by_its_name() {
        let check = |name: &str, id: Option<&str>| assert_eq!(Category::named(name).map(|c| c.id).as_deref(), id);
        check("Electrónicos", Some("electronicos"));
        check("Hogar y Jardín", Some("hogar-y-jardin"));
        check("  TV / Audio ", Some("tv-audio"));
        check("食品", Some("食品"));
        check("¡!", None);
        check("", None);
    }
}
