//! Reviews of products. A review and its product's rating change in one transaction, so that sum and number of ratings
//! are those of the reviews that exist, however many arrive at once.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{Put, Update};

use almacen_domain::catalogue::Review;

use crate::catalogue::products::{KIND, Products};
use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, n, required_number, required_text, s, text};
use almacen_dynamo::transaction::{Commit, Transaction};

/// Tries of a review of a product whose time of change crosses now between them, which once is rare.
const TRIES: u32 = 5;

/// How the product's time of change, which always grows, goes on. Neither way has to read it first.
#[derive(Debug, Clone, Copy)]
enum ChangeTime {
    /// To the time of the review, which is later.
    Now,
    /// By one: it is there already.
    Next,
}

/// The writes of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Review,
    Rating,
}

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
    /// [`DynamoError`]; nothing is written then, unless it says that the outcome is unknown.
    pub async fn write(&self, review: &Review) -> Result<Written, DynamoError> {
        for _ in 0..TRIES {
            for change in [ChangeTime::Now, ChangeTime::Next] {
                let mut transaction = Transaction::new("write review");
                transaction.add(Named::Review, self.put(review))?;
                transaction.add(Named::Rating, self.count(review, change))?;
                match transaction.commit(&self.client).await? {
                    Commit::Written => return Ok(Written::Yes),
                    // The product's time of change is on the other side of now, or there is no product; and what is gone
                    // cannot be reviewed again.
                    Commit::Refused(parts) if parts.contains(&Named::Rating) => {}
                    Commit::Refused(_) => return Ok(Written::Before),
                }
            }
            let products = Products::new(self.client.clone(), self.products.clone());
            if products.get(&review.product).await?.is_none() {
                return Ok(Written::NoProduct);
            }
        }
        Err(DynamoError::contended("write review"))
    }

    fn put(&self, review: &Review) -> PutBuilder {
        Put::builder()
            .table_name(&self.reviews)
            .item(keys::PRODUCT, s(&review.product))
            .item(keys::USER, s(&review.user))
            .item("rating", n(review.rating))
            .item("comment", s(&review.comment))
            .item("created_at", n(review.created_at))
            .condition_expression("attribute_not_exists(product)")
    }

    fn count(&self, review: &Review, change: ChangeTime) -> UpdateBuilder {
        let (set, side) = match change {
            ChangeTime::Now => (":now", "(attribute_not_exists(changed_at) OR changed_at < :now)"),
            ChangeTime::Next => ("changed_at + :one", "changed_at >= :now"),
        };
        Update::builder()
            .table_name(&self.products)
            .key(keys::ID, s(&review.product))
            .update_expression(format!("ADD rating_sum :rating, rating_count :one SET changed_at = {set}"))
            .condition_expression(format!("kind = :kind AND attribute_not_exists(deleted_at) AND {side}"))
            .expression_attribute_values(":rating", n(review.rating))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(review.created_at))
            .expression_attribute_values(":kind", s(KIND))
    }

    /// The reviews of a product, newest first, after the first `skip` of them, `limit` at most. What is skipped is read
    /// too: the caller bounds it.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn list_recent(&self, product: &str, skip: usize, limit: usize) -> Result<Vec<Review>, DynamoError> {
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
                .map_err(DynamoError::from_sdk("query reviews"))?;
            found.extend(page.items().iter().map(decode).collect::<Result<Vec<_>, _>>()?);
            start = page.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                break;
            }
        }
        Ok(found.into_iter().skip(skip).take(limit).collect())
    }
}

fn decode(item: &Item) -> Result<Review, DynamoError> {
    Ok(Review {
        product: required_text(item, keys::PRODUCT)?,
        user: required_text(item, keys::USER)?,
        rating: required_number(item, "rating")?,
        comment: text(item, "comment")?.unwrap_or_default(),
        created_at: required_number(item, "created_at")?,
    })
}
