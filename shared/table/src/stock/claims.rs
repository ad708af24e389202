//! Claims: the note that an import's file names lines of a store, as of the import's stamp.
//!
//! An import that finds a newer claim has come late, and leaves alone every line that the newer file names, whether
//! that file changed the line or found it as it should be. Without claims a late file could undo a count that a newer
//! file confirmed without writing.
//!
//! A claim is written before the import asks for its stores, and kept for longer than any message can come late. Claims
//! are items of their own, ordered by time: an import reads only those that are newer than itself, nearly always none,
//! and none is dropped for want of room.

use aws_sdk_dynamodb::Client;

use almacen_domain::Millis;
use almacen_domain::stock::Stamp;

use crate::keys;
use crate::stock::stamps;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, item, n, required_number, required_text, s};
use almacen_dynamo::calls::{BATCH_WRITE_MAX, put_many};

/// Files are ordered by their events' times, within one key by S3's sequencer; those two may differ by a little. Claims
/// that are older by no more than this are looked at as well.
const MARGIN_MS: Millis = 60_000;

/// A claim on a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which import.
    pub import: String,
    /// As of when.
    pub stamp: Stamp,
}

/// The claims in the Imports table.
#[derive(Debug, Clone)]
pub struct Claims {
    client: Client,
    table: String,
}

impl Claims {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Leaves a claim on each store. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`DynamoError`]; some may be left then.
    pub async fn leave(&self, claim: &Claim, stores: &[String], now: Millis) -> Result<(), DynamoError> {
        for chunk in stores.chunks(BATCH_WRITE_MAX) {
            let items = || chunk.iter().map(|store| encode(claim, store, now)).collect();
            put_many(&self.client, &self.table, "leave claims", &(), items).await?;
        }
        Ok(())
    }

    /// The claims of other imports on `store` that are newer than `own`, oldest first.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn newer(&self, store: &str, own: &Claim) -> Result<Vec<Claim>, DynamoError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("id = :claims AND #part >= :from")
                .expression_attribute_names("#part", keys::PART)
                .expression_attribute_values(":claims", s(keys::claims(store)))
                .expression_attribute_values(":from", s(keys::claim(own.stamp.at - MARGIN_MS, "")))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(DynamoError::from_sdk("query claims"))?;
            for item in page.items() {
                let claim = decode(item)?;
                if claim.import != own.import && claim.stamp.is_newer_than(&own.stamp) {
                    found.push(claim);
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

fn encode(claim: &Claim, store: &str, now: Millis) -> Item {
    item([
        (keys::ID, s(keys::claims(store))),
        (keys::PART, s(keys::claim(claim.stamp.at, &claim.import))),
        ("import", s(&claim.import)),
        ("at", n(claim.stamp.at)),
        ("source", s(&claim.stamp.source)),
        (stamps::ORDER, s(&claim.stamp.sequencer)),
        ("expires_at", n(now / 1000 + keys::MARKS_KEPT_SECONDS)),
    ])
}

fn decode(item: &Item) -> Result<Claim, DynamoError> {
    Ok(Claim { import: required_text(item, "import")?, stamp: stamps::required(item, required_number(item, "at")?)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_survives_the_table_and_later_ones_sort_behind() {
        let claim = Claim {
            import: "imp_1".to_owned(),
            stamp: Stamp { at: 7, source: "k".to_owned(), sequencer: "0A".to_owned() },
        };
        assert_eq!(decode(&encode(&claim, "Berlin", 1)).unwrap(), claim);
        assert!(decode(&Item::new()).is_err());
        let order =
            [keys::claim(-5, "z"), keys::claim(7, ""), keys::claim(7, "imp_1"), keys::claim(1_705_834_800_123, "a")];
        assert!(order.is_sorted());
    }
}
