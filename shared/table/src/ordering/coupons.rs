//! Coupons: reading them, and counting their use ([`Coupons::redeem`]).
//!
//! All records of one code share its partition; docs/coupons.md has their format:
//!
//! | `part` | holds |
//! |---|---|
//! | `coupon` | the coupon, and its number of uses |
//! | `user#…` | the number of uses by this customer |
//! | `order#…` | the mark that this order has used it |
//!
//! Invariant: an order uses a coupon once, and a coupon is used no more often than it allows, in all and by one
//! customer. The three records change in one conditional transaction.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, Update};

use almacen_domain::Millis;
use almacen_domain::kernel::money::Currency;
use almacen_domain::ordering::coupon::{Benefit, Code, Coupon, CouponUsage, WHOLE_BASIS_POINTS, Why};

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, is_text, n, natural, number, required_number, required_text, s, text};
use almacen_dynamo::calls::{consistent, get_many};
use almacen_dynamo::transaction::{Commit, Transaction};

/// The sort key of the coupon itself.
const COUPON: &str = "coupon";

fn user_part(user: &str) -> String {
    format!("user#{user}")
}

/// What came of using a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// It is used for this order, now or by an earlier call.
    Used,
    /// It is not: this is why.
    Refused(Why),
}

/// The Coupons table.
#[derive(Debug, Clone)]
pub struct Coupons {
    client: Client,
    table: String,
}

impl Coupons {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// A coupon and what `user` has used of it; `None` where there is none of this code.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn standing(&self, code: &Code, user: &str) -> Result<Option<CouponUsage>, DynamoError> {
        let own = user_part(user);
        let wanted = [COUPON, own.as_str()].map(|part| key(code, part)).into();
        let found = get_many(&self.client, &self.table, "read coupon", wanted, consistent()).await?;
        let of = |part: &str| found.iter().find(|item| is_text(item, keys::PART, part));
        let used_by_customer = of(&own).map(|item| natural(item, "uses")).transpose()?.unwrap_or(0);
        of(COUPON).map(|item| Ok(CouponUsage { coupon: decode(item)?, used_by_customer })).transpose()
    }

    /// Uses the coupon for an order: counts one use, in all and of this customer, and marks the order, all or nothing. An
    /// order uses a coupon once, however often this is asked; and whoever comes first gets the last use.
    ///
    /// The minimum and the currency are the caller's to check, against the goods of the order.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn redeem(&self, code: &Code, user: &str, order: &str, now: Millis) -> Result<Redeemed, DynamoError> {
        let Some(CouponUsage { coupon, .. }) = self.standing(code, user).await? else {
            return Ok(Redeemed::Refused(Why::Unknown));
        };
        let refused = match self.usage(&coupon, user, order, now)?.commit(&self.client).await? {
            Commit::Written => return Ok(Redeemed::Used),
            Commit::Refused(parts) => parts,
        };
        Ok(if refused.contains(&Usage::OfOrder) {
            Redeemed::Used
        } else if refused.contains(&Usage::OfCustomer) {
            Redeemed::Refused(Why::UsedByCustomer)
        } else {
            Redeemed::Refused(self.why(code, user, now).await?)
        })
    }

    /// Why the coupon's own record refused. Where it no longer would, the last use was given out at that moment.
    async fn why(&self, code: &Code, user: &str, now: Millis) -> Result<Why, DynamoError> {
        let Some(CouponUsage { coupon, .. }) = self.standing(code, user).await? else { return Ok(Why::Unknown) };
        Ok(match coupon.starts_at {
            _ if coupon.ends_at.is_some_and(|end| now >= end) => Why::Ended,
            Some(from) if now < from => Why::NotYet { from },
            _ => Why::UsedUp,
        })
    }

    /// The writes of one use: conditions decide, whatever was read before.
    fn usage(&self, coupon: &Coupon, user: &str, order: &str, now: Millis) -> Result<Transaction<Usage>, DynamoError> {
        let code = coupon.code.as_str();
        let mark = Put::builder()
            .table_name(&self.table)
            .item(keys::CODE, s(code))
            .item(keys::PART, s(format!("order#{order}")))
            .item(USED_BY, s(user))
            .item("used_at", n(now))
            .condition_expression("attribute_not_exists(part)");
        let mut by_user = Update::builder()
            .table_name(&self.table)
            .key(keys::CODE, s(code))
            .key(keys::PART, s(user_part(user)))
            .update_expression("ADD uses :one")
            .expression_attribute_values(":one", n(1));
        if let Some(max) = coupon.uses_per_customer {
            by_user = by_user
                .condition_expression("attribute_not_exists(uses) OR uses < :max")
                .expression_attribute_values(":max", n(max));
        }
        let in_all = Update::builder()
            .table_name(&self.table)
            .key(keys::CODE, s(code))
            .key(keys::PART, s(COUPON))
            .update_expression("ADD uses :one")
            .condition_expression(
                "attribute_exists(benefit) \
                 AND (attribute_not_exists(uses_max) OR attribute_not_exists(uses) OR uses < uses_max) \
                 AND (attribute_not_exists(starts_at) OR starts_at <= :now) \
                 AND (attribute_not_exists(ends_at) OR ends_at > :now)",
            )
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(now));
        let mut transaction = Transaction::new("use coupon");
        transaction.add(Usage::OfOrder, mark)?;
        transaction.add(Usage::OfCustomer, by_user)?;
        transaction.add(Usage::InAll, in_all)?;
        Ok(transaction)
    }
}

/// The writes of one use of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    /// The mark that this order has used it.
    OfOrder,
    /// How often this customer has.
    OfCustomer,
    /// How often it was used in all.
    InAll,
}

/// Who used it, on the mark of an order.
const USED_BY: &str = "used_by";

fn key(code: &Code, part: &str) -> Item {
    [(keys::CODE.to_owned(), s(code.as_str())), (keys::PART.to_owned(), s(part))].into()
}

/// A stored coupon. The format is that of docs/coupons.md. What ends in `_cents` is minor units of the currency; the name is
/// from when every currency had cents.
fn decode(item: &Item) -> Result<Coupon, DynamoError> {
    let corrupt = |attribute| DynamoError::Malformed { attribute };
    let benefit = match required_text(item, "benefit")?.as_str() {
        "percent" => u32::try_from(required_number(item, "basis_points")?)
            .ok()
            .filter(|points| (1..=WHOLE_BASIS_POINTS).contains(points))
            .map(Benefit::Percent)
            .ok_or(corrupt("basis_points"))?,
        "amount" => Benefit::Amount(required_number(item, "amount_cents")?),
        "free_shipping" => Benefit::FreeShipping,
        _ => return Err(corrupt("benefit")),
    };
    let currency = text(item, "currency")?.map(|code| Currency::parse(&code).ok_or(corrupt("currency"))).transpose()?;
    let optional = |name: &'static str| number(item, name);
    let limit = |name: &'static str| match optional(name)? {
        Some(count) if count < 1 => Err(corrupt(name)),
        count => Ok(count),
    };
    let minimum = optional("minimum_cents")?.unwrap_or(0);
    let has_amounts = matches!(benefit, Benefit::Amount(_)) || minimum > 0;
    if has_amounts && currency.is_none() {
        return Err(corrupt("currency"));
    }
    Ok(Coupon {
        code: Code::parse(&required_text(item, keys::CODE)?).ok_or(corrupt(keys::CODE))?,
        benefit,
        currency,
        minimum,
        starts_at: optional("starts_at")?,
        ends_at: optional("ends_at")?,
        uses_max: limit("uses_max")?,
        uses_per_customer: limit("uses_per_customer")?,
        uses: natural(item, "uses")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(attributes: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        let mut item = key(&Code::parse("VERANO10").unwrap(), COUPON);
        item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        item
    }

    #[test]
    fn coupons_as_they_are_stored() {
        let plain = decode(&stored(&[("benefit", s("percent")), ("basis_points", n(1_000))])).unwrap();
        assert_eq!(
            plain,
            Coupon {
                code: Code::parse("VERANO10").unwrap(),
                benefit: Benefit::Percent(1_000),
                currency: None,
                minimum: 0,
                starts_at: None,
                ends_at: None,
                uses_max: None,
                uses_per_customer: None,
                uses: 0,
            }
        );
        let all = decode(&stored(&[
            ("benefit", s("amount")),
            ("amount_cents", n(500)),
            ("currency", s("USD")),
            ("minimum_cents", n(2_000)),
            ("starts_at", n(1)),
            ("ends_at", n(2)),
            ("uses_max", n(3)),
            ("uses_per_customer", n(4)),
            ("uses", n(5)),
        ]));
        assert_eq!(
            all.unwrap(),
            Coupon {
                benefit: Benefit::Amount(500),
                currency: Some(Currency::USD),
                minimum: 2_000,
                starts_at: Some(1),
                ends_at: Some(2),
                uses_max: Some(3),
                uses_per_customer: Some(4),
                uses: 5,
                ..plain
            }
        );
        let free = decode(&stored(&[("benefit", s("free_shipping"))])).unwrap();
        assert_eq!(free.benefit, Benefit::FreeShipping);
    }

    #[test]
    fn what_is_no_coupon_is_refused() {
        for (attribute, item) in [
            ("benefit", stored(&[])),
            ("benefit", stored(&[("benefit", s("everything"))])),
            ("basis_points", stored(&[("benefit", s("percent"))])),
            ("basis_points", stored(&[("benefit", s("percent")), ("basis_points", n(10_001))])),
            ("currency", stored(&[("benefit", s("amount")), ("amount_cents", n(5))])),
            ("currency", stored(&[("benefit", s("free_shipping")), ("minimum_cents", n(5))])),
            ("minimum_cents", stored(&[("benefit", s("free_shipping")), ("minimum_cents", s("5"))])),
            ("uses_max", stored(&[("benefit", s("free_shipping")), ("uses_max", s("5"))])),
            ("uses_max", stored(&[("benefit", s("free_shipping")), ("uses_max", n(0))])),
            ("uses_per_customer", stored(&[("benefit", s("free_shipping")), ("uses_per_customer", n(0))])),
            ("ends_at", stored(&[("benefit", s("free_shipping")), ("ends_at", s("2024-01-21"))])),
        ] {
            assert!(
                matches!(decode(&item), Err(DynamoError::Malformed { attribute: found }) if found == attribute),
                "{item:?}"
            );
        }
    }
}
