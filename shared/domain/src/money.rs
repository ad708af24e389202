//! Money in whole minor units: never a float, never without its currency.

use std::fmt;

/// The most that any amount may be: a hundred million units, far above any cart and far below overflow.
pub const AMOUNT_CENTS_MAX: i64 = 10_000_000_000;

/// A currency with two decimals, by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The currencies of ISO 4217 whose minor unit is a hundredth. Others (JPY has none, KWD three) would need other arithmetic.
const WITH_CENTS: [&str; 132] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND",
    "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD",
    "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK",
    "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
    "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST", "XCD", "XCG",
    "YER", "ZAR", "ZMW", "ZWG",
];

impl Currency {
    /// The United States dollar.
    pub const USD: Self = Self(*b"USD");

    /// By its code, in capitals; `None` for one that is unknown or has no cents.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes = <[u8; 3]>::try_from(code.as_bytes()).ok()?;
        WITH_CENTS.contains(&code).then_some(Self(bytes))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// An amount of a currency. It may be below zero, as a difference can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Hundredths of the currency's unit.
    pub cents: i64,
    /// Which currency.
    pub currency: Currency,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    /// Not digits with at most one point and two decimals.
    NotAnAmount,
    /// More than two decimals, such as `19.999`: to round it would be to guess.
    TooPrecise,
    /// Below zero, or above [`AMOUNT_CENTS_MAX`].
    OutOfBounds,
}

impl Money {
    /// So many cents.
    #[must_use]
    pub const fn new(cents: i64, currency: Currency) -> Self {
        Self { cents, currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", decimal(self.cents), self.currency.as_str())
    }
}

/// An amount as it is written with two decimals: `215.98`.
#[must_use]
pub fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Reads `19`, `19.9` or `19.99` as cents; nothing below zero, no exponent, no third decimal.
///
/// # Errors
/// [`AmountError`].
pub fn parse_decimal(text: &str) -> Result<i64, AmountError> {
    if let Some(below) = text.strip_prefix('-') {
        let zero = below.starts_with('0') && below.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        return if zero { parse_decimal(below) } else { Err(AmountError::OutOfBounds) };
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(AmountError::NotAnAmount);
    }
    let decimals = if decimals.len() > 2 { decimals.trim_end_matches('0') } else { decimals };
    if decimals.len() > 2 {
        return Err(AmountError::TooPrecise);
    }
    let cents = match decimals.len() {
        0 => 0,
        1 => decimals.parse::<i64>().unwrap_or(0) * 10,
        _ => decimals.parse::<i64>().unwrap_or(0),
    };
    let whole: i64 = whole.parse().map_err(|_| AmountError::OutOfBounds)?;
    let all = whole.checked_mul(100).and_then(|all| all.checked_add(cents)).ok_or(AmountError::OutOfBounds)?;
    if all > AMOUNT_CENTS_MAX { Err(AmountError::OutOfBounds) } else { Ok(all) }
}

/// A share of an amount, rounded half up to the cent: `basis_points` of 800 are 8 %.
#[must_use]
pub fn share(cents: i64, basis_points: u32) -> i64 {
    let exact = i128::from(cents) * i128::from(basis_points);
    let rounded = (exact + 5_000).div_euclid(10_000);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_strictly() {
        for (text, expected) in [
            ("19.99", Ok(1999)),
            ("19.9", Ok(1990)),
            ("19", Ok(1900)),
            ("0", Ok(0)),
            ("-0.00", Ok(0)),
            ("19.990", Ok(1999)),
            ("100000000.00", Ok(AMOUNT_CENTS_MAX)),
            ("100000000.01", Err(AmountError::OutOfBounds)),
            ("99999999999999999999", Err(AmountError::OutOfBounds)),
            ("-1", Err(AmountError::OutOfBounds)),
            ("19.999", Err(AmountError::TooPrecise)),
            ("1e2", Err(AmountError::NotAnAmount)),
            ("1.5E1", Err(AmountError::NotAnAmount)),
            ("", Err(AmountError::NotAnAmount)),
            (".5", Err(AmountError::NotAnAmount)),
            ("5.", Err(AmountError::NotAnAmount)),
            ("1,5", Err(AmountError::NotAnAmount)),
            ("+1", Err(AmountError::NotAnAmount)),
        ] {
            assert_eq!(parse_decimal(text), expected, "{text}");
        }
    }

    #[test]
    fn tax_is_rounded_half_up() {
        assert_eq!(share(19_998, 800), 1_600); // 15.9984 → 16.00
        assert_eq!(share(50, 100), 1); // half a cent
        assert_eq!(share(49, 100), 0);
        assert_eq!(share(0, 800), 0);
        assert_eq!(Money::new(21_598, Currency::USD).to_string(), "215.98 USD");
        assert_eq!(decimal(-5), "-0.05");
    }

    #[test]
    fn currencies_have_cents_and_are_written_in_capitals() {
        for code in ["EUR", "USD", "MXN"] {
            assert_eq!(Currency::parse(code).map(|currency| currency.as_str().to_owned()).as_deref(), Some(code));
        }
        for code in ["JPY", "usd", "US", "USDX", "€€€", ""] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
        assert!(WITH_CENTS.is_sorted());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cents in 0..=AMOUNT_CENTS_MAX) {
            prop_assert_eq!(parse_decimal(&decimal(cents)), Ok(cents));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_decimal(&text);
        }
    }
}
