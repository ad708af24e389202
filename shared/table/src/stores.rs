//! Stores: how many lines they have, and which import may write to them.
//!
//! New lines are written in unconditional batches, because that is several times cheaper than one conditional write a
//! line. Two things make it safe. Only an import makes lines, and only while it holds its store by a lease; and a lease
//! lasts longer than the invocation that took it can live, since Lambda ends an invocation at its deadline. So a
//! stalled writer cannot wake up and overwrite what came after it.
//!
//! Taking a lease also leaves a *claim*: "this file speaks about this store, as of then". An import that finds a claim
//! newer than itself has come late, and leaves alone every line that the newer file names, whether that file changed
//! the line or found it as it should be. Without claims a late file could undo a count that a newer file confirmed
//! without writing.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use almacen_domain::Millis;
use almacen_domain::stock::Stamp;

use crate::attr::{Item, n, number, s, text};
use crate::calls::made;
use crate::{TableError, keys};

/// Claims kept for each store. An import that is older than all of them has come later than we remember.
pub const CLAIMS_MAX: usize = 10;

/// "This import's file speaks about this store."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which import.
    pub import: String,
    /// As of when.
    pub stamp: Stamp,
}

/// What came of asking for a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It is ours until the time asked for. With it the claims of other imports, and whether older ones were forgotten.
    Held {
        /// Of other imports, newest last.
        claims: Vec<Claim>,
        /// The list is full: claims older than its oldest may have been dropped.
        forgetful: bool,
        /// How many lines the store has, as far as counted.
        lines: u64,
    },
    /// Another import has it.
    Busy,
}

/// The Stores table.
#[derive(Debug, Clone)]
pub struct Stores {
    client: Client,
    table: String,
}

impl Stores {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The table's name, for transactions that span tables.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Takes or prolongs the lease on `store` for `import`, never shortening it, and leaves its claim.
    ///
    /// `claim` is `None` for an import that only adds: it says nothing about what the count is.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn acquire(
        &self,
        store: &str,
        import: &str,
        claim: Option<&Stamp>,
        until: Millis,
        now: Millis,
    ) -> Result<Lease, TableError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .update_expression("SET lease_owner = :me, lease_until = :until")
            .condition_expression(
                "attribute_not_exists(lease_owner) OR lease_until < :now OR (lease_owner = :me AND lease_until < :until)",
            )
            .expression_attribute_values(":me", s(import))
            .expression_attribute_values(":until", n(until))
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item = match result {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let item = failed.item().cloned().unwrap_or_default();
                    // Ours already, and for longer: another part of the same import took it.
                    if text(&item, "lease_owner").as_deref() != Some(import) {
                        return Ok(Lease::Busy);
                    }
                    item
                }
                _ => return Err(TableError::from_sdk("acquire store")(error)),
            },
        };
        let known = claims(&item);
        if let Some(stamp) = claim
            && !known.iter().any(|claim| claim.import == import)
        {
            self.leave_claim(store, &known, Claim { import: import.to_owned(), stamp: stamp.clone() }).await?;
        }
        let forgetful = is_forgetful(&known, import);
        let lines = line_count(&item);
        let claims = known.into_iter().filter(|claim| claim.import != import).collect();
        Ok(Lease::Held { claims, forgetful, lines })
    }

    async fn leave_claim(&self, store: &str, known: &[Claim], claim: Claim) -> Result<(), TableError> {
        let mine = claim.import.clone();
        let mut all: Vec<Claim> = known.to_vec();
        all.push(claim);
        // The newest are kept: what matters is what could be newer than a file that comes late.
        all.sort_by(|a, b| (a.stamp.at, &a.stamp.sequencer).cmp(&(b.stamp.at, &b.stamp.sequencer)));
        let surplus = all.len().saturating_sub(CLAIMS_MAX);
        let kept = all.drain(surplus..).map(|claim| encode_claim(&claim)).collect();
        self.client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .update_expression("SET claims = :claims")
            .condition_expression("lease_owner = :me")
            .expression_attribute_values(":claims", AttributeValue::L(kept))
            .expression_attribute_values(":me", s(mine))
            .send()
            .await
            .map_err(TableError::from_sdk("leave claim on store"))?;
        Ok(())
    }

    /// Gives the lease back early. Not holding it (any more) is no error: it would have expired.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn release(&self, store: &str, import: &str) -> Result<(), TableError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .update_expression("REMOVE lease_owner, lease_until")
            .condition_expression("lease_owner = :me")
            .expression_attribute_values(":me", s(import))
            .send()
            .await;
        made(result, "release store").map(drop)
    }

    /// How many lines the store had when last counted; the guess that decides between reading it whole and reading the
    /// lines of a small file one by one.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn lines(&self, store: &str) -> Result<u64, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::STORE, s(store))
            .projection_expression("#lines")
            .expression_attribute_names("#lines", "lines")
            .send()
            .await
            .map_err(TableError::from_sdk("read store"))?;
        Ok(answer.item().map_or(0, line_count))
    }
}

fn line_count(item: &Item) -> u64 {
    number(item, "lines").and_then(|lines| u64::try_from(lines).ok()).unwrap_or(0)
}

/// May a claim that is newer than `import` have been dropped? Not while its own is still there: the oldest go first.
fn is_forgetful(known: &[Claim], import: &str) -> bool {
    known.len() >= CLAIMS_MAX && !known.iter().any(|claim| claim.import == import)
}

fn encode_claim(claim: &Claim) -> AttributeValue {
    AttributeValue::M(
        [
            ("import".to_owned(), s(&claim.import)),
            ("at".to_owned(), n(claim.stamp.at)),
            ("source".to_owned(), s(&claim.stamp.source)),
            ("sequencer".to_owned(), s(&claim.stamp.sequencer)),
        ]
        .into(),
    )
}

fn claims(item: &Item) -> Vec<Claim> {
    let Some(AttributeValue::L(list)) = item.get("claims") else { return Vec::new() };
    list.iter()
        .filter_map(|entry| {
            let map = entry.as_m().ok()?;
            Some(Claim {
                import: text(map, "import")?,
                stamp: Stamp {
                    at: number(map, "at")?,
                    source: text(map, "source")?,
                    sequencer: text(map, "sequencer")?,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_claim_among_ten_is_no_reason_to_think_one_was_dropped() {
        let claim = |number: usize| Claim {
            import: format!("imp_{number}"),
            stamp: Stamp { at: 7, source: "k".to_owned(), sequencer: String::new() },
        };
        let ten: Vec<Claim> = (0..CLAIMS_MAX).map(claim).collect();
        assert!(!is_forgetful(&ten[..9], "imp_99"));
        assert!(is_forgetful(&ten, "imp_99"));
        assert!(!is_forgetful(&ten, "imp_3"));
    }

    #[test]
    fn a_claim_survives_the_table_and_a_broken_one_is_left_out() {
        let claim = Claim {
            import: "imp_1".to_owned(),
            stamp: Stamp { at: 7, source: "k".to_owned(), sequencer: "0A".to_owned() },
        };
        let item: Item = [("claims".to_owned(), AttributeValue::L(vec![encode_claim(&claim), s("broken")]))].into();
        assert_eq!(claims(&item), [claim]);
        assert_eq!(claims(&Item::new()), []);
    }
}
