//! What a cart costs: goods, discount, tax, shipping, and their sum.
//!
//! The tax is taken from what is paid for the goods, that is after the discount, and rounded once, on the whole. The
//! shipping bears no tax. Orders ask the same functions, so that a cart and the order made of it never differ.

use crate::kernel::money::share;
use crate::ordering::coupon::{Benefit, Goods};
use crate::ordering::shipping::Shipping;

/// How this shop taxes and ships: parameters of the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The tax in hundredths of a per cent: 800 are 8 %.
    pub tax_basis_points: u32,
    /// What shipping an order costs.
    pub shipping: Shipping,
}

/// What a cart or an order costs, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The goods.
    pub subtotal: i64,
    /// What a coupon takes off them.
    pub discount: i64,
    /// The tax.
    pub tax: i64,
    /// The shipping.
    pub shipping: i64,
    /// What is to be paid.
    pub total: i64,
}

/// What `quantity` pieces cost. Prices and quantities of a catalogue are far from any overflow; what should not be in
/// it counts nothing.
#[must_use]
pub fn line_total(price: i64, quantity: i64) -> i64 {
    price.max(0).saturating_mul(quantity.max(0))
}

/// The totals of these goods, with what a coupon that counts takes off. Nothing to buy costs nothing, also no shipping.
#[must_use]
pub fn totals(goods: Goods, benefit: Option<Benefit>, rules: &Rules) -> Totals {
    let (subtotal, Some(currency)) = (goods.minor.max(0), goods.currency) else { return Totals::default() };
    if subtotal == 0 {
        return Totals::default();
    }
    let discount = benefit.map_or(0, |benefit| benefit.discount(subtotal));
    let goods = subtotal - discount;
    let tax = share(goods, rules.tax_basis_points);
    let shipping = if benefit == Some(Benefit::FreeShipping) { 0 } else { rules.shipping.cost(currency, goods) };
    let total = goods.saturating_add(tax).saturating_add(shipping);
    Totals { subtotal, discount, tax, shipping, total }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::{AMOUNT_MINOR_MAX, Currency, Money};
    use crate::ordering::cart::{LINES_MAX, QUANTITY_MAX};
    use proptest::prelude::*;

    fn rules(tax_basis_points: u32, rates: &str, free_from: &str) -> Rules {
        Rules { tax_basis_points, shipping: Shipping::parse(rates, free_from).unwrap() }
    }

    fn usd(minor: i64) -> Goods {
        Goods { minor, currency: Some(Currency::USD) }
    }

    #[test]
    fn totals_to_the_cent() {
        let check = |what: &str, subtotal, benefit, rules: &Rules, [discount, tax, shipping, total]: [i64; 4]| {
            let expected = Totals { subtotal, discount, tax, shipping, total };
            assert_eq!(totals(usd(subtotal), benefit, rules), expected, "{what}");
        };
        let eight = &rules(800, "", "");
        let shipped = &rules(800, "USD:4.99", "USD:50");
        check("2 × 99.99", line_total(9_999, 2), None, eight, [0, 1_600, 0, 21_598]);
        check("nothing", 0, None, shipped, [0, 0, 0, 0]);
        check("nothing with a coupon", 0, Some(Benefit::Amount(500)), shipped, [0, 0, 0, 0]);
        check("tax after the discount", 10_000, Some(Benefit::Percent(1_000)), eight, [1_000, 720, 0, 9_720]);
        check("a cent of tax by half", 6, None, eight, [0, 0, 0, 6]); // 0.48
        check("half up", 19, None, eight, [0, 2, 0, 21]); // 1.52
        check("exactly half", 1_250, None, &rules(2, "", ""), [0, 0, 0, 1_250]); // 0.25
        check("exactly half, up", 2_500, None, &rules(2, "", ""), [0, 1, 0, 2_501]); // 0.50
        check("everything off", 500, Some(Benefit::Amount(900)), eight, [500, 0, 0, 0]);
        check("everything off is still shipped", 500, Some(Benefit::Amount(900)), shipped, [500, 0, 499, 499]);
        check("below free shipping", 4_999, None, shipped, [0, 400, 499, 5_898]);
        check("free shipping", 5_000, None, shipped, [0, 400, 0, 5_400]);
        check("the discount counts", 5_000, Some(Benefit::Amount(1)), shipped, [1, 400, 499, 5_898]);
        check("shipping by coupon", 1_000, Some(Benefit::FreeShipping), shipped, [0, 80, 0, 1_080]);
        check("no tax", 1_000, None, &rules(0, "", ""), [0, 0, 0, 1_000]);
    }

    #[test]
    fn totals_in_the_minor_unit_of_their_currency() {
        let rules = rules(1_900, "CLP:3990,KWD:1.250", "CLP:50000");
        let check = |code: &str, minor, benefit, [discount, tax, shipping, total]: [i64; 4]| {
            let expected = Totals { subtotal: minor, discount, tax, shipping, total };
            let goods = Goods { minor, currency: Currency::parse(code) };
            assert_eq!(totals(goods, benefit, &rules), expected, "{minor} {code}");
        };
        check("CLP", 19_990, None, [0, 3_798, 3_990, 27_778]); // 3798.1
        check("CLP", 50_000, None, [0, 9_500, 0, 59_500]);
        check("CLP", 15, Some(Benefit::Percent(1_000)), [2, 2, 3_990, 4_005]); // 1.5 off, 2.47 of tax
        check("KWD", 1_234, None, [0, 234, 1_250, 2_718]); // 0.23446
        let nothing = totals(Goods { minor: 0, currency: None }, None, &rules);
        assert_eq!(nothing, Totals::default());
    }

    fn benefits() -> impl Strategy<Value = Option<Benefit>> {
        prop_oneof![
            Just(None),
            any::<u32>().prop_map(|points| Some(Benefit::Percent(points))),
            any::<i64>().prop_map(|minor| Some(Benefit::Amount(minor))),
            Just(Some(Benefit::FreeShipping)),
        ]
    }

    proptest! {
        #[test]
        fn the_parts_make_the_whole(
            lines in proptest::collection::vec((0..=AMOUNT_MINOR_MAX, 1..=QUANTITY_MAX), 0..=LINES_MAX),
            benefit in benefits(),
            tax_basis_points in 0_u32..=10_000,
            rate in 0..=AMOUNT_MINOR_MAX,
            free_from in proptest::option::of(1..=AMOUNT_MINOR_MAX),
        ) {
            let exact: i128 = lines.iter().map(|(price, quantity)| i128::from(*price) * i128::from(*quantity)).sum();
            let subtotal: i64 = lines.iter().map(|(price, quantity)| line_total(*price, *quantity)).sum();
            prop_assert_eq!(i128::from(subtotal), exact);
            let entry = |minor| format!("USD:{}", Money::new(minor, Currency::USD).decimal());
            let rules = rules(tax_basis_points, &entry(rate), &free_from.map(entry).unwrap_or_default());
            let Totals { subtotal, discount, tax, shipping, total } = totals(usd(subtotal), benefit, &rules);
            prop_assert_eq!(total, subtotal - discount + tax + shipping);
            prop_assert!(discount >= 0 && tax >= 0 && shipping >= 0 && total >= 0 && discount <= subtotal);
            // Rounded to the nearest minor unit: never further than half of one from the exact tax.
            let off = i128::from(tax) * 10_000 - i128::from(subtotal - discount) * i128::from(tax_basis_points);
            prop_assert!((-4_999..=5_000).contains(&off), "{}", off);
        }

        #[test]
        fn no_number_overflows(subtotal: i64, benefit in benefits(), price: i64, quantity: i64, points: u32) {
            for rules in [rules(points, "", ""), rules(points, "USD:100000000", "USD:100000000")] {
                prop_assert!(totals(usd(subtotal), benefit, &rules).total >= 0);
            }
            prop_assert!(line_total(price, quantity) >= 0);
        }
    }
}
