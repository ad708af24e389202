//! What customers say of products. A review and the product's rating move in one transaction, so that count and sum are
//! those of the reviews that are there, however many arrive at once.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

use almacen_domain::Millis;
use almacen_domain::catalogue::Review;

use crate::attr::{Item, n, required_number, required_text, s, text};
use crate::calls::{Transaction, build, transact};
use crate::products::{KIND, Products};
use crate::{TableError, keys};

/// Tries of a review that others of the same product keep coming before.
const TRIES: u32 = 40;
/// The longest pause between two of them.
const PAUSE_MAX: Duration = Duration::from_millis(60);

/// What became of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is there, and counted.
    Yes,
    /// There is no such product.
    NoProduct,
    /// This customer has reviewed this product before.
    Before,
}

/// The Reviews table, with the Products that change with it.
#[derive(Debug, Clone)]
pub struct Reviews {
    client: Client,
    reviews: String,
    products: String,
}

impl Reviews {
    /// Over these tables.
    #[must_use]
    pub fn new(client: Client, reviews: String, products: String) -> Self {
        Self { client, reviews, products }
    }

    /// Writes a review and counts it.
    ///
    /// # Errors
    /// [`TableError`]; nothing is written then.
    pub async fn write(&self, review: &Review) -> Result<Written, TableError> {
        let products = Products::new(self.client.clone(), self.products.clone());
        for _ in 0..TRIES {
            let Some((_, changed_at)) = products.with_change_time(&review.product).await? else {
                return Ok(Written::NoProduct);
            };
            let writes = [self.put(review)?, self.count(review, review.created_at.max(changed_at + 1))?];
            match transact(&self.client, "write review", &writes).await? {
                Transaction::Written => return Ok(Written::Yes),
                Transaction::Refused(at) if at.contains(&0) => return Ok(Written::Before),
                // Another review was counted in the meantime, or the product was changed or deleted.
                Transaction::Refused(_) => tokio::time::sleep(PAUSE_MAX.mul_f64(fastrand::f64())).await,
            }
        }
        Err(TableError::Unavailable { doing: "write review", source: "others kept coming before".into() })
    }

    fn put(&self, review: &Review) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder()
            .table_name(&self.reviews)
            .item(keys::PRODUCT, s(&review.product))
            .item(keys::USER, s(&review.user))
            .item("rating", n(review.rating))
            .item("comment", s(&review.comment))
            .item("created_at", n(review.created_at))
            .condition_expression("attribute_not_exists(product)")
            .build()
            .map_err(build("build review"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn count(&self, review: &Review, changed_at: Millis) -> Result<TransactWriteItem, TableError> {
        let update = Update::builder()
            .table_name(&self.products)
            .key(keys::ID, s(&review.product))
            .update_expression("ADD rating_sum :rating, rating_count :one SET changed_at = :changed")
            .condition_expression("kind = :kind AND attribute_not_exists(deleted_at) AND changed_at < :changed")
            .expression_attribute_values(":rating", n(review.rating))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":changed", n(changed_at))
            .expression_attribute_values(":kind", s(KIND))
            .build()
            .map_err(build("build rating"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The reviews of a product, newest first, after the first `skip` of them, `limit` at most. What is skipped is read
    /// too: the caller bounds it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn newest(&self, product: &str, skip: usize, limit: usize) -> Result<Vec<Review>, TableError> {
        let wanted = skip + limit;
        let mut found: Vec<Review> = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.reviews)
                .index_name(keys::NEWEST_INDEX)
                .key_condition_expression("product = :product")
                .expression_attribute_values(":product", s(product))
                .scan_index_forward(false)
                .limit(i32::try_from(wanted - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(TableError::from_sdk("query reviews"))?;
            found.extend(page.items().iter().map(decode).collect::<Result<Vec<_>, _>>()?);
            start = page.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                break;
            }
        }
        Ok(found.into_iter().skip(skip).take(limit).collect())
    }
}

fn decode(item: &Item) -> Result<Review, TableError> {
    Ok(Review {
        product: required_text(item, keys::PRODUCT)?,
        user: required_text(item, keys::USER)?,
        rating: required_number(item, "rating")?,
        comment: text(item, "comment").unwrap_or_default(),
        created_at: required_number(item, "created_at")?,
    })
}
