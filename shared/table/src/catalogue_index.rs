//! The catalogue's list in the memory of an instance, kept up with Products' index `catalogue`.
//!
//! The first list of an instance reads the index whole; every later one first reads what has changed since the one
//! before, which as a rule is nothing. Times of change come from the clocks of those who write, and an index follows its
//! table with a delay; so each reading begins a while before the last one, and a change that is told twice does nothing.

use aws_sdk_dynamodb::Client;
use tokio::sync::Mutex;

use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Change, Entry, Filter, Listing, Order, Page};

use crate::attr::{Item, n, number, required_number, required_text, s, text};
use crate::products::KIND;
use crate::{TableError, keys, read_units};

/// How far each reading goes back before the one before: more than clocks differ, an index lags behind, and a
/// transaction takes that was given its time of change before it was made.
const OVERLAP_MS: Millis = 60_000;
/// After this long the index is read anew. A deletion's mark is kept seven times as long, so none is missed.
const RELOAD_AFTER_MS: Millis = 24 * 3600 * 1000;

/// The list of an instance.
#[derive(Debug)]
pub struct CatalogueIndex {
    client: Client,
    table: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listing: Listing,
    /// When the first reading was through; `None` while it is not.
    loaded_at: Option<Millis>,
    /// What changed before this is known.
    known_until: Millis,
}

impl CatalogueIndex {
    /// Over the Products table. Nothing is read before it is asked for.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, state: Mutex::default() }
    }

    /// The products that `filter` takes, and the ids of one page of them; and how many read units it took to know.
    ///
    /// # Errors
    /// [`TableError`]; a first reading that got only so far goes on from there.
    pub async fn page(
        &self,
        filter: &Filter,
        order: Order,
        (skip, limit): (usize, usize),
        now: Millis,
    ) -> Result<(Page, f64), TableError> {
        let mut state = self.state.lock().await;
        if state.loaded_at.is_some_and(|at| now - at >= RELOAD_AFTER_MS) {
            *state = State::default();
        }
        let mut units = 0.0;
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(keys::CATALOGUE_INDEX)
                .key_condition_expression("kind = :kind AND changed_at >= :since")
                .expression_attribute_values(":kind", s(KIND))
                .expression_attribute_values(":since", n(state.known_until))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(TableError::from_sdk("query the catalogue"))?;
            units += read_units::of_query(answer.items());
            for item in answer.items() {
                let change = decode(item)?;
                if state.loaded_at.is_none() {
                    state.known_until = change.changed_at;
                }
                state.listing.apply(change);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        state.known_until = now - OVERLAP_MS;
        state.loaded_at.get_or_insert(now);
        Ok((state.listing.page(filter, order, skip, limit), units))
    }

    /// Forgets everything: the next list reads the index whole.
    pub async fn reload(&self) {
        *self.state.lock().await = State::default();
    }

    /// Leaves out products that turned out to be gone.
    pub async fn forget(&self, ids: &[&str]) {
        let mut state = self.state.lock().await;
        ids.iter().for_each(|id| state.listing.forget(id));
    }
}

fn decode(item: &Item) -> Result<Change, TableError> {
    let entry = match number(item, "deleted_at") {
        Some(_) => None,
        None => Some(Entry {
            words: text(item, "words").unwrap_or_default(),
            price_cents: required_number(item, "price_cents")?,
            category: required_text(item, "category")?,
            rating_sum: number(item, "rating_sum").unwrap_or(0),
            rating_count: number(item, "rating_count").unwrap_or(0),
            created_at: required_number(item, "created_at")?,
        }),
    };
    Ok(Change { id: required_text(item, keys::ID)?, changed_at: required_number(item, "changed_at")?, entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_product_needs_no_more_than_its_mark() {
        let item: Item = [("id", s("prod_1")), ("changed_at", n(7)), ("deleted_at", n(7))]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        assert_eq!(decode(&item).unwrap(), Change { id: "prod_1".to_owned(), changed_at: 7, entry: None });
    }
}
