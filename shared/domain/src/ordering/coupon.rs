//! Coupons: what one takes off, and when it counts.
//!
//! A coupon is looked at twice: every time a cart is shown, and once more when an order is placed. Both ask [`check`].

use std::fmt;

use crate::Millis;
use crate::kernel::money::{Currency, Money, share};

/// The fewest and the most characters of a code.
pub const CODE_CHARS: std::ops::RangeInclusive<usize> = 3..=32;
/// A whole, in hundredths of a per cent.
pub const WHOLE_BASIS_POINTS: u32 = 10_000;

/// A coupon's code: letters without accents, digits, `-` and `_`; small letters are the same as capitals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

impl Code {
    /// Trims and checks; `None` for what can be no code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = CODE_CHARS.contains(&text.len());
        let known = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (fits && known).then(|| Self(text.to_ascii_uppercase()))
    }

    /// The code in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benefit {
    /// So many hundredths of a per cent of the goods: 1000 are 10 %.
    Percent(u32),
    /// So many minor units of the goods, and never more than they cost.
    Amount(i64),
    /// The shipping.
    FreeShipping,
}

impl Benefit {
    /// What it takes off goods of `goods` minor units: never below zero, never more than they cost.
    #[must_use]
    pub fn discount(self, goods: i64) -> i64 {
        let goods = goods.max(0);
        match self {
            Self::Percent(basis_points) => share(goods, basis_points.min(WHOLE_BASIS_POINTS)).min(goods),
            Self::Amount(minor) => minor.clamp(0, goods),
            Self::FreeShipping => 0,
        }
    }
}

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Its code.
    pub code: Code,
    /// What it takes off.
    pub benefit: Benefit,
    /// What its amounts are in; `None` where it names none.
    pub currency: Option<Currency>,
    /// From how many minor units of goods on it counts; 0 for always.
    pub minimum: i64,
    /// From when on.
    pub starts_at: Option<Millis>,
    /// Until when; at that very moment it counts no more.
    pub ends_at: Option<Millis>,
    /// How often by all customers together; `None` for as often as they like.
    pub uses_max: Option<i64>,
    /// How often by one customer; `None` for as often as they like.
    pub uses_per_customer: Option<i64>,
    /// How often it was used: orders placed with it.
    pub uses: i64,
}

/// A coupon and how often the customer in question has used it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponUsage {
    /// The coupon.
    pub coupon: Coupon,
    /// Orders that this customer has placed with it.
    pub used_by_customer: i64,
}

/// Goods that a coupon is to count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goods {
    /// What they cost, in minor units.
    pub minor: i64,
    /// In which currency; `None` where there are none.
    pub currency: Option<Currency>,
}

/// Why a coupon does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none of this code.
    Unknown,
    /// It counts only later.
    NotYet {
        /// From when on.
        from: Millis,
    },
    /// Its time is over.
    Ended,
    /// It was used as often as it may be.
    UsedUp,
    /// This customer has used it as often as one may.
    UsedByCustomer,
    /// Its amounts are in another currency than the goods.
    OtherCurrency,
    /// The goods cost too little.
    BelowMinimum {
        /// What they have to cost.
        minimum: Money,
    },
}

/// Does the coupon count for these goods, now? The reason that no shopping can change comes first.
///
/// # Errors
/// [`Why`] not.
pub fn check(standing: Option<&CouponUsage>, goods: Goods, now: Millis) -> Result<Benefit, Why> {
    let Some(CouponUsage { coupon, used_by_customer }) = standing else { return Err(Why::Unknown) };
    if coupon.ends_at.is_some_and(|end| now >= end) {
        return Err(Why::Ended);
    }
    if coupon.uses_max.is_some_and(|max| coupon.uses >= max) {
        return Err(Why::UsedUp);
    }
    if coupon.uses_per_customer.is_some_and(|max| *used_by_customer >= max) {
        return Err(Why::UsedByCustomer);
    }
    if let Some(from) = coupon.starts_at.filter(|from| now < *from) {
        return Err(Why::NotYet { from });
    }
    if let (Some(own), Some(theirs)) = (coupon.currency, goods.currency)
        && own != theirs
    {
        return Err(Why::OtherCurrency);
    }
    if goods.minor < coupon.minimum {
        // A stored coupon with a minimum has a currency; the others are for what is built by hand.
        let currency = coupon.currency.or(goods.currency).unwrap_or(Currency::USD);
        return Err(Why::BelowMinimum { minimum: Money::new(coupon.minimum, currency) });
    }
    Ok(coupon.benefit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::AMOUNT_MINOR_MAX;
    use proptest::prelude::*;

    const NOW: Millis = 1_705_834_800_000;
    const DAY: Millis = 86_400_000;

    fn ten_percent() -> Coupon {
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
    }

    #[test]
    fn when_a_coupon_counts() {
        let check = |what: &str, change: fn(&mut Coupon), used, minor, currency, expected: Result<(), Why>| {
            let mut coupon = ten_percent();
            change(&mut coupon);
            let standing = CouponUsage { coupon, used_by_customer: used };
            let found = check(Some(&standing), Goods { minor, currency }, NOW).map(|_| ());
            assert_eq!(found, expected, "{what}");
        };
        let (usd, eur) = (Some(Currency::USD), Currency::parse("EUR"));
        check("no condition", |_| {}, 0, 100, usd, Ok(()));
        check("no condition, nothing in the cart", |_| {}, 0, 0, None, Ok(()));
        check("used before, no limit", |c| c.uses = 1_000_000, 1_000_000, 100, usd, Ok(()));

        check("from now", |c| c.starts_at = Some(NOW), 0, 100, usd, Ok(()));
        let later = Err(Why::NotYet { from: NOW + 1 });
        check("from the next moment", |c| c.starts_at = Some(NOW + 1), 0, 100, usd, later);
        check("until the next moment", |c| c.ends_at = Some(NOW + 1), 0, 100, usd, Ok(()));
        check("until now", |c| c.ends_at = Some(NOW), 0, 100, usd, Err(Why::Ended));
        check("yesterday", |c| c.ends_at = Some(NOW - DAY), 0, 100, usd, Err(Why::Ended));

        check("one use left", |c| (c.uses_max, c.uses) = (Some(5), 4), 0, 100, usd, Ok(()));
        check("no use left", |c| (c.uses_max, c.uses) = (Some(5), 5), 0, 100, usd, Err(Why::UsedUp));
        check("more used than there were", |c| (c.uses_max, c.uses) = (Some(5), 6), 0, 100, usd, Err(Why::UsedUp));
        check("not one use", |c| c.uses_max = Some(0), 0, 100, usd, Err(Why::UsedUp));

        check("the customer's last use", |c| c.uses_per_customer = Some(2), 1, 100, usd, Ok(()));
        check("the customer has had it", |c| c.uses_per_customer = Some(2), 2, 100, usd, Err(Why::UsedByCustomer));

        check("at the minimum", |c| c.minimum = 100, 0, 100, usd, Ok(()));
        let low = Err(Why::BelowMinimum { minimum: Money::new(101, Currency::USD) });
        check("a cent below the minimum", |c| c.minimum = 101, 0, 100, usd, low);
        check("an empty cart is below it too", |c| c.minimum = 101, 0, 0, None, low);

        check("its currency", |c| c.currency = Some(Currency::USD), 0, 100, usd, Ok(()));
        check("another", |c| c.currency = Some(Currency::USD), 0, 100, eur, Err(Why::OtherCurrency));
        check("none yet", |c| c.currency = Some(Currency::USD), 0, 0, None, Ok(()));

        let all = |c: &mut Coupon| {
            (c.ends_at, c.uses_max, c.uses_per_customer, c.minimum) = (Some(NOW), Some(0), Some(0), 1_000);
        };
        check("several reasons: the final one first", all, 0, 100, eur, Err(Why::Ended));
        assert_eq!(super::check(None, Goods { minor: 100, currency: usd }, NOW), Err(Why::Unknown));
    }

    #[test]
    fn what_it_takes_off() {
        for (benefit, goods, discount) in [
            (Benefit::Percent(1_000), 19_998, 2_000), // 1999.8
            (Benefit::Percent(1_250), 4, 1),          // half a cent
            (Benefit::Percent(1_000), 4, 0),
            (Benefit::Percent(10_000), 19_998, 19_998),
            (Benefit::Percent(u32::MAX), 19_998, 19_998),
            (Benefit::Percent(0), 19_998, 0),
            (Benefit::Amount(500), 19_998, 500),
            (Benefit::Amount(500), 499, 499),
            (Benefit::Amount(500), 0, 0),
            (Benefit::Amount(-500), 499, 0),
            (Benefit::FreeShipping, 19_998, 0),
        ] {
            assert_eq!(benefit.discount(goods), discount, "{benefit:?} of {goods}");
        }
    }

    #[test]
    fn codes() {
        for (text, code) in [
            ("VERANO10", Some("VERANO10")),
            (" verano10 ", Some("VERANO10")),
            ("a-b_C", Some("A-B_C")),
            ("abc", Some("ABC")),
            ("ab", None),
            ("", None),
            ("año nuevo", None),
            ("AÑO", None),
            ("a b c", None),
            ("coupon#1", None),
            ("abc\u{0}", None),
        ] {
            assert_eq!(Code::parse(text).as_ref().map(Code::as_str), code, "{text:?}");
        }
        assert!(Code::parse(&"x".repeat(32)).is_some() && Code::parse(&"x".repeat(33)).is_none());
    }

    proptest! {
        #[test]
        fn never_more_off_than_the_goods_cost(goods in -5..=AMOUNT_MINOR_MAX * 999 * 40, points: u32, minor: i64) {
            for benefit in [Benefit::Percent(points), Benefit::Amount(minor), Benefit::FreeShipping] {
                let off = benefit.discount(goods);
                prop_assert!((0..=goods.max(0)).contains(&off), "{benefit:?} of {goods}: {off}");
            }
        }

        #[test]
        fn no_text_makes_a_code_panic_and_codes_stay(text in any::<String>()) {
            if let Some(code) = Code::parse(&text) {
                prop_assert_eq!(Code::parse(code.as_str()), Some(code.clone()));
            }
        }
    }
}
