//! Money on the wire: a JSON number with all decimals of its currency, `16.00`. Read strictly, from the text of the body and
//! never through a float.

use almacen_domain::kernel::money::{AMOUNT_MINOR_MAX, AmountError, Currency, DECIMALS_MAX, Money};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Text;

/// An amount to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.decimal()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// Why an amount is refused, for people. Without a currency, what no currency could have was refused.
#[must_use]
pub fn amount_refused(error: AmountError, currency: Option<Currency>) -> Text {
    let of = currency.map_or_else(String::new, |currency| format!(" ({})", currency.as_str()));
    let decimals = currency.map_or(DECIMALS_MAX, |currency| currency.decimals());
    match error {
        AmountError::NotAnAmount => {
            Text::fixed("Debe ser un importe, como 99.99.", "Must be an amount, such as 99.99.")
        }
        AmountError::TooPrecise if decimals == 0 => {
            Text::made(format!("Debe ir sin decimales{of}."), format!("Must have no decimals{of}."))
        }
        AmountError::TooPrecise => Text::made(
            format!("Tiene más de {decimals} decimales{of}."),
            format!("Has more than {decimals} decimals{of}."),
        ),
        AmountError::OutOfBounds => {
            let max = currency.map_or(AMOUNT_MINOR_MAX, |currency| AMOUNT_MINOR_MAX / 10_i64.pow(currency.decimals()));
            Text::made(format!("Debe estar entre 0 y {max}{of}."), format!("Must be between 0 and {max}{of}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_decimals_of_the_currency_always() {
        let written = |code: &str, amounts: [i64; 5]| {
            let currency = Currency::parse(code).unwrap();
            serde_json::to_string(&amounts.map(|minor| Amount(Money::new(minor, currency)))).unwrap()
        };
        let amounts = [0, 5, 1600, 21_598, -250];
        assert_eq!(written("USD", amounts), "[0.00,0.05,16.00,215.98,-2.50]");
        assert_eq!(written("CLP", amounts), "[0,5,1600,21598,-250]");
        assert_eq!(written("KWD", amounts), "[0.000,0.005,1.600,21.598,-0.250]");
    }
}
