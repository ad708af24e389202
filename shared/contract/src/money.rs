//! Money on the wire: a JSON number with two decimals, `16.00`. Read strictly, from the text of the body and never through
//! a float.

use almacen_domain::money::{AmountError, decimal};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Text;

/// An amount to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub i64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(decimal(self.0)).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// Why an amount is refused, for people.
#[must_use]
pub fn amount_refused(error: AmountError) -> Text {
    match error {
        AmountError::NotAnAmount => {
            Text::fixed("Debe ser un importe, como 99.99.", "Must be an amount, such as 99.99.")
        }
        AmountError::TooPrecise => Text::fixed("Tiene más de dos decimales.", "Has more than two decimals."),
        AmountError::OutOfBounds => Text::fixed("Debe estar entre 0 y 100000000.", "Must be between 0 and 100000000."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_decimals_always() {
        let amounts = [0, 5, 1600, 21_598, -250].map(Amount);
        assert_eq!(serde_json::to_string(&amounts).unwrap(), "[0.00,0.05,16.00,215.98,-2.50]");
    }
}
