//! What shipping an order costs: a parameter of the deployment, one amount for each currency.

use std::collections::BTreeMap;
use std::fmt;

use crate::kernel::money::{AMOUNT_MINOR_MAX, AmountError, Currency, Money};

/// Rates by currency. Without any, shipping is free in every currency; with some, nothing is shipped in the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shipping {
    rates: BTreeMap<Currency, Rate>,
}

/// What shipping costs in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    cost: i64,
    /// From goods of so much on, it is free; `None` for never.
    free_from: Option<i64>,
}

/// An entry that cannot be taken, as it is written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// The entry.
    pub entry: String,
    /// What is wrong with it.
    pub problem: EntryProblem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryProblem {
    /// Not `USD:4.99`.
    Form,
    /// No currency that is known.
    Currency,
    /// No amount of its currency.
    Amount(AmountError, Currency),
    /// Its currency has an entry before it.
    Repeated,
    /// Free from nothing on: a rate of 0 says that.
    FreeFromZero,
    /// Its currency has no rate.
    NoRate,
}

/// Why rates were not taken: every bad entry of both lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShippingError {
    /// Of the rates.
    pub rates: Vec<BadEntry>,
    /// Of the amounts from which shipping is free.
    pub free_from: Vec<BadEntry>,
}

impl Shipping {
    /// Reads `USD:4.99,CLP:3990`, twice: what shipping costs, and from goods of how much on it is free. Either may be empty.
    ///
    /// # Errors
    /// [`ShippingError`], naming every bad entry.
    pub fn parse(rates: &str, free_from: &str) -> Result<Self, ShippingError> {
        let mut error = ShippingError::default();
        let costs = amounts(rates, &mut error.rates);
        let limits = amounts(free_from, &mut error.free_from);
        for (currency, limit) in &limits {
            let problem = match costs.get(currency) {
                // A rate that could not be read is named already.
                None if error.rates.is_empty() => EntryProblem::NoRate,
                Some(_) if limit.minor == 0 => EntryProblem::FreeFromZero,
                None | Some(_) => continue,
            };
            let entry = format!("{}:{}", currency.as_str(), limit.decimal());
            error.free_from.push(BadEntry { entry, problem });
        }
        if error != ShippingError::default() {
            return Err(error);
        }
        let rate = |(currency, cost): (Currency, Money)| {
            let free_from = limits.get(&currency).map(|limit| limit.minor);
            (currency, Rate { cost: cost.minor, free_from })
        };
        Ok(Self { rates: costs.into_iter().map(rate).collect() })
    }

    /// Is anything shipped that is sold in this currency?
    #[must_use]
    pub fn serves(&self, currency: Currency) -> bool {
        self.rates.is_empty() || self.rates.contains_key(&currency)
    }

    /// What shipping goods of so many minor units costs, after discounts.
    #[must_use]
    pub fn cost(&self, currency: Currency, goods: i64) -> i64 {
        match self.rates.get(&currency) {
            Some(rate) if rate.free_from.is_none_or(|limit| goods < limit) => rate.cost,
            Some(_) | None => 0,
        }
    }
}

fn amounts(text: &str, bad: &mut Vec<BadEntry>) -> BTreeMap<Currency, Money> {
    let mut amounts = BTreeMap::new();
    if text.trim().is_empty() {
        return amounts;
    }
    for entry in text.split(',').map(str::trim) {
        let problem = match amount(entry) {
            Ok(money) if amounts.contains_key(&money.currency) => EntryProblem::Repeated,
            Ok(money) => {
                amounts.insert(money.currency, money);
                continue;
            }
            Err(problem) => problem,
        };
        bad.push(BadEntry { entry: entry.to_owned(), problem });
    }
    amounts
}

fn amount(entry: &str) -> Result<Money, EntryProblem> {
    let (code, amount) = entry.split_once(':').ok_or(EntryProblem::Form)?;
    let currency = Currency::parse(code.trim()).ok_or(EntryProblem::Currency)?;
    Money::parse(amount.trim(), currency).map_err(|error| EntryProblem::Amount(error, currency))
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\": ", self.entry)?;
        match self.problem {
            EntryProblem::Form => f.write_str("is not like USD:4.99"),
            EntryProblem::Currency => f.write_str("is not of a currency of ISO 4217"),
            EntryProblem::Amount(AmountError::NotAnAmount, _) => f.write_str("has no amount"),
            EntryProblem::Amount(AmountError::TooPrecise, currency) => {
                write!(f, "has more decimals than {} ({})", currency.as_str(), currency.decimals())
            }
            EntryProblem::Amount(AmountError::OutOfBounds, currency) => {
                write!(f, "is not between 0 and {}", Money::new(AMOUNT_MINOR_MAX, currency).decimal())
            }
            EntryProblem::Repeated => f.write_str("is the second entry of its currency"),
            EntryProblem::FreeFromZero => {
                f.write_str("must be more than 0; shipping that is always free is a rate of 0")
            }
            EntryProblem::NoRate => f.write_str("is of a currency without a rate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn shipping_costs_what_its_currency_says() {
        let shipping = Shipping::parse("USD:4.99, CLP:3990,EUR:0,KWD:1.250", "USD:50,CLP:1e5").unwrap();
        for (code, goods, cost) in [
            ("USD", 1, 499),
            ("USD", 4_999, 499),
            ("USD", 5_000, 0),
            ("CLP", 99_999, 3_990),
            ("CLP", 100_000, 0),
            ("EUR", 1, 0),
            ("KWD", AMOUNT_MINOR_MAX, 1_250),
        ] {
            assert!(shipping.serves(currency(code)));
            assert_eq!(shipping.cost(currency(code), goods), cost, "{goods} {code}");
        }
        assert!(!shipping.serves(currency("JPY")));
    }

    #[test]
    fn without_rates_it_is_free_in_every_currency() {
        for empty in ["", " "] {
            let shipping = Shipping::parse(empty, empty).unwrap();
            assert_eq!(shipping, Shipping::default());
            assert!(Currency::all().all(|currency| shipping.serves(currency) && shipping.cost(currency, 1) == 0));
        }
    }

    fn told(rates: &str, free_from: &str) -> (Vec<String>, Vec<String>) {
        let error = Shipping::parse(rates, free_from).unwrap_err();
        let texts = |entries: Vec<BadEntry>| entries.iter().map(ToString::to_string).collect();
        (texts(error.rates), texts(error.free_from))
    }

    #[test]
    fn every_bad_entry_is_named() {
        let rates = "USD:4.99,4.99,XXX:1,usd:1,CLP:39.90,JPY:x,KWD:10000000.001,EUR:-1,USD:5,,GBP=1,MXN:4,99";
        assert_eq!(
            told(rates, "").0,
            [
                r#""4.99": is not like USD:4.99"#,
                r#""XXX:1": is not of a currency of ISO 4217"#,
                r#""usd:1": is not of a currency of ISO 4217"#,
                r#""CLP:39.90": has more decimals than CLP (0)"#,
                r#""JPY:x": has no amount"#,
                r#""KWD:10000000.001": is not between 0 and 10000000.000"#,
                r#""EUR:-1": is not between 0 and 100000000.00"#,
                r#""USD:5": is the second entry of its currency"#,
                r#""": is not like USD:4.99"#,
                r#""GBP=1": is not like USD:4.99"#,
                r#""99": is not like USD:4.99"#,
            ]
        );
        assert_eq!(
            told("USD:4.99", "USD:0.00,EUR:50").1,
            [
                r#""EUR:50.00": is of a currency without a rate"#,
                r#""USD:0.00": must be more than 0; shipping that is always free is a rate of 0"#,
            ]
        );
        assert_eq!(told("", "USD:50").1, [r#""USD:50.00": is of a currency without a rate"#]);
        let (rates, free_from) = told("USD:4.999", "USD:50,CLP:1.5");
        assert_eq!(rates, [r#""USD:4.999": has more decimals than USD (2)"#]);
        assert_eq!(free_from, [r#""CLP:1.5": has more decimals than CLP (0)"#]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(rates in "[A-Z:,. 0-9e-]{0,40}", free_from in any::<String>()) {
            let _ = Shipping::parse(&rates, &free_from).map_err(|error| {
                error.rates.iter().chain(&error.free_from).map(ToString::to_string).collect::<String>()
            });
        }
    }
}
