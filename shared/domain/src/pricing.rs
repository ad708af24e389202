//! What a cart costs: goods, discount, tax, shipping, and their sum.
//!
//! The tax is taken from what is paid for the goods, that is after the discount, and rounded once, on the whole. The
//! shipping bears no tax. Orders ask the same functions, so that a cart and the order made of it never differ.

use crate::coupon::Benefit;
use crate::money::share;

/// How this shop taxes and ships: parameters of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The tax in hundredths of a per cent: 800 are 8 %.
    pub tax_basis_points: u32,
    /// What shipping an order costs, in cents.
    pub shipping_cents: i64,
    /// From how many cents of goods after the discount on shipping is free; 0 for never.
    pub free_shipping_from_cents: i64,
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

/// The totals of goods of `subtotal` minor units, with what a coupon that counts takes off. Nothing to buy costs nothing, also
/// no shipping.
#[must_use]
pub fn totals(subtotal: i64, benefit: Option<Benefit>, rules: &Rules) -> Totals {
    let subtotal = subtotal.max(0);
    if subtotal == 0 {
        return Totals::default();
    }
    let discount = benefit.map_or(0, |benefit| benefit.discount(subtotal));
    let goods = subtotal - discount;
    let tax = share(goods, rules.tax_basis_points);
    let reached = rules.free_shipping_from_cents > 0 && goods >= rules.free_shipping_from_cents;
    let free = reached || benefit == Some(Benefit::FreeShipping);
    let shipping = if free { 0 } else { rules.shipping_cents.max(0) };
    let total = goods.saturating_add(tax).saturating_add(shipping);
    Totals { subtotal, discount, tax, shipping, total }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::{LINES_MAX, QUANTITY_MAX};
    use crate::money::AMOUNT_MINOR_MAX;
    use proptest::prelude::*;

    const EIGHT: Rules = Rules { tax_basis_points: 800, shipping_cents: 0, free_shipping_from_cents: 0 };
    const SHIPPED: Rules = Rules { tax_basis_points: 800, shipping_cents: 499, free_shipping_from_cents: 5_000 };

    #[test]
    fn totals_to_the_minor_unit() {
        let check = |what: &str, subtotal, benefit, rules: &Rules, [discount, tax, shipping, total]: [i64; 4]| {
            let expected = Totals { subtotal, discount, tax, shipping, total };
            assert_eq!(totals(subtotal, benefit, rules), expected, "{what}");
        };
        check("2 × 99.99", line_total(9_999, 2), None, &EIGHT, [0, 1_600, 0, 21_598]);
        check("nothing", 0, None, &SHIPPED, [0, 0, 0, 0]);
        check("nothing with a coupon", 0, Some(Benefit::Amount(500)), &SHIPPED, [0, 0, 0, 0]);
        check("tax after the discount", 10_000, Some(Benefit::Percent(1_000)), &EIGHT, [1_000, 720, 0, 9_720]);
        check("a cent of tax by half", 6, None, &EIGHT, [0, 0, 0, 6]); // 0.48
        check("half up", 19, None, &EIGHT, [0, 2, 0, 21]); // 1.52
        check("exactly half", 1_250, None, &Rules { tax_basis_points: 2, ..EIGHT }, [0, 0, 0, 1_250]); // 0.25
        check("exactly half, up", 2_500, None, &Rules { tax_basis_points: 2, ..EIGHT }, [0, 1, 0, 2_501]); // 0.50
        check("everything off", 500, Some(Benefit::Amount(900)), &EIGHT, [500, 0, 0, 0]);
        check("everything off is still shipped", 500, Some(Benefit::Amount(900)), &SHIPPED, [500, 0, 499, 499]);
        check("below free shipping", 4_999, None, &SHIPPED, [0, 400, 499, 5_898]);
        check("free shipping", 5_000, None, &SHIPPED, [0, 400, 0, 5_400]);
        check("the discount counts", 5_000, Some(Benefit::Amount(1)), &SHIPPED, [1, 400, 499, 5_898]);
        check("shipping by coupon", 1_000, Some(Benefit::FreeShipping), &SHIPPED, [0, 80, 0, 1_080]);
        check("no tax", 1_000, None, &Rules { tax_basis_points: 0, ..EIGHT }, [0, 0, 0, 1_000]);
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
            shipping_cents in 0..=AMOUNT_MINOR_MAX,
            free_shipping_from_cents in 0..=AMOUNT_MINOR_MAX,
        ) {
            let exact: i128 = lines.iter().map(|(price, quantity)| i128::from(*price) * i128::from(*quantity)).sum();
            let subtotal: i64 = lines.iter().map(|(price, quantity)| line_total(*price, *quantity)).sum();
            prop_assert_eq!(i128::from(subtotal), exact);
            let rules = Rules { tax_basis_points, shipping_cents, free_shipping_from_cents };
            let Totals { subtotal, discount, tax, shipping, total } = totals(subtotal, benefit, &rules);
            prop_assert_eq!(total, subtotal - discount + tax + shipping);
            prop_assert!(discount >= 0 && tax >= 0 && shipping >= 0 && total >= 0 && discount <= subtotal);
            // Rounded to the nearest minor unit: never further than half of one from the exact tax.
            let off = i128::from(tax) * 10_000 - i128::from(subtotal - discount) * i128::from(tax_basis_points);
            prop_assert!((-4_999..=5_000).contains(&off), "{}", off);
        }

        #[test]
        fn no_number_overflows(subtotal: i64, benefit in benefits(), price: i64, quantity: i64, rules: [i64; 2], points: u32) {
            let rules = Rules { tax_basis_points: points, shipping_cents: rules[0], free_shipping_from_cents: rules[1] };
            prop_assert!(totals(subtotal, benefit, &rules).total >= 0);
            prop_assert!(line_total(price, quantity) >= 0);
        }
    }
}
