//! Money in whole minor units of its currency: never a float, never without its currency.

use std::fmt;

/// The most that any amount may be, in minor units of whichever currency: 100,000,000.00 USD, 10,000,000,000 CLP or
/// 10,000,000.000 KWD. Far above any cart and far below overflow.
pub const AMOUNT_MINOR_MAX: i64 = 10_000_000_000;

/// The most decimals that a currency has.
pub const DECIMALS_MAX: u32 = 3;

/// A currency by its ISO 4217 code. It knows how many decimals its amounts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u32,
}

// The active codes of ISO 4217, list one as published on 2026-01-01 (https://www.six-group.com/iso-standards), by their
// minor unit. Left out are the codes that nobody is paid in: funds and units of account (BOV, CHE, CHW, CLF, COU, MXV, USN,
// UYI, UYW, XAD, XDR, XSU, XUA), metals and bonds (XAG, XAU, XBA to XBD, XPD, XPT), XTS and XXX. ANG and BGN are no longer
// on that list and stay here, so that prices stored in them can still be read.

/// Currencies without decimals.
const WITH_NONE: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Currencies with two decimals.
const WITH_TWO: [&str; 134] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND",
    "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD",
    "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK",
    "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON",
    "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP",
    "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST",
    "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
];

/// Currencies with three decimals.
const WITH_THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    /// The United States dollar.
    pub const USD: Self = Self { code: *b"USD", decimals: 2 };

    /// By its code, in capitals; `None` for one that is unknown.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes = <[u8; 3]>::try_from(code.as_bytes()).ok()?;
        let lists: [(&[&str], u32); 3] = [(&WITH_TWO, 2), (&WITH_NONE, 0), (&WITH_THREE, 3)];
        let (_, decimals) = lists.into_iter().find(|(list, _)| list.binary_search(&code).is_ok())?;
        Some(Self { code: bytes, decimals })
    }

    /// Every currency, in no order.
    pub fn all() -> impl Iterator<Item = Self> {
        [&WITH_NONE[..], &WITH_TWO, &WITH_THREE].into_iter().flatten().filter_map(|code| Self::parse(code))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// How many decimals its amounts have: the exponent of its minor unit.
    #[must_use]
    pub const fn decimals(&self) -> u32 {
        self.decimals
    }
}

/// An amount of a currency. It may be below zero, as a difference can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: cents of a dollar, whole pesos of Chile, thousandths of a dinar of Kuwait.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}

/// Why a number is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    /// Not written as JSON writes a number.
    NotAnAmount,
    /// More decimals than the currency has, such as 19.999 USD: to round it would be to guess.
    TooPrecise,
    /// Below zero, or above [`AMOUNT_MINOR_MAX`].
    OutOfBounds,
}

impl Money {
    /// So many minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads an amount as JSON writes a number: `19`, `19.9`, `19.99`, `1E+2`. Zeros at the end carry nothing: `19990.00`
    /// is 19990 in a currency without decimals.
    ///
    /// # Errors
    /// [`AmountError`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        Decimal::parse(text)?.money(currency)
    }

    /// With all decimals of its currency and without its code: `215.98`, `19990`, `1.234`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let (minor, unit) = (self.minor.unsigned_abs(), 10_u64.pow(self.currency.decimals));
        match self.currency.decimals {
            0 => format!("{sign}{minor}"),
            decimals => format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = decimals as usize),
        }
    }

    /// The same number in thousandths, whatever the currency, to compare numbers of several: 5 USD, 5 CLP and 5 KWD are all
    /// 5000. It says nothing about what they are worth.
    #[must_use]
    pub fn thousandths(&self) -> i64 {
        self.minor.saturating_mul(10_i64.pow(DECIMALS_MAX.saturating_sub(self.currency.decimals)))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.as_str())
    }
}

/// A number exactly as it is written. However large its exponent, it takes no more room than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Its digits without zeros at the end; `u64::MAX` for all that are more.
    digits: u64,
    /// The power of ten that the digits are multiplied with.
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON writes it; zeros before it are allowed too.
    ///
    /// # Errors
    /// [`AmountError::NotAnAmount`].
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, Some(power)),
            None => (text, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let power = power.map(|power| match power.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, power.strip_prefix('+').unwrap_or(power)),
        });
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = [Some(whole), fraction, power.map(|(_, digits)| digits)];
        if !parts.into_iter().flatten().all(is_digits) {
            return Err(AmountError::NotAnAmount);
        }
        let all = || whole.bytes().chain(fraction.unwrap_or_default().bytes());
        let count = whole.len() + fraction.map_or(0, str::len);
        let zeros = all().rev().take_while(|byte| *byte == b'0').count();
        if zeros == count {
            return Ok(Self { negative: false, digits: 0, exponent: 0 });
        }
        let digits = all()
            .take(count - zeros)
            .try_fold(0_u64, |digits, byte| digits.checked_mul(10)?.checked_add(u64::from(byte.saturating_sub(b'0'))));
        // A text of all the memory there is has fewer digits than this exponent has to make up for.
        const POWER_MAX: i64 = i64::MAX / 4;
        let power = power.map_or(0, |(below, digits)| {
            let power = digits.parse().unwrap_or(POWER_MAX).min(POWER_MAX);
            if below { -power } else { power }
        });
        let shift = i64::try_from(zeros).unwrap_or(POWER_MAX)
            - i64::try_from(fraction.map_or(0, str::len)).unwrap_or(POWER_MAX);
        Ok(Self { negative, digits: digits.unwrap_or(u64::MAX), exponent: power.saturating_add(shift) })
    }

    /// How many `10^-decimals` it is. With 0 decimals: its value, where it is whole.
    ///
    /// # Errors
    /// [`AmountError::TooPrecise`] where it has more decimals, [`AmountError::OutOfBounds`] for what an `i64` cannot hold.
    pub fn scaled(&self, decimals: u32) -> Result<i64, AmountError> {
        if self.digits == 0 {
            return Ok(0);
        }
        let power = self.exponent.saturating_add(i64::from(decimals));
        if power < 0 {
            return Err(AmountError::TooPrecise);
        }
        let factor = u32::try_from(power).ok().and_then(|power| 10_i64.checked_pow(power));
        let digits = i64::try_from(self.digits).ok();
        let scaled = digits.zip(factor).and_then(|(digits, factor)| digits.checked_mul(factor));
        let scaled = scaled.ok_or(AmountError::OutOfBounds)?;
        Ok(if self.negative { -scaled } else { scaled })
    }

    /// The amount of a currency: from 0 to [`AMOUNT_MINOR_MAX`].
    ///
    /// # Errors
    /// [`AmountError::TooPrecise`] and [`AmountError::OutOfBounds`].
    pub fn money(&self, currency: Currency) -> Result<Money, AmountError> {
        self.bounded(currency.decimals, AMOUNT_MINOR_MAX).map(|minor| Money::new(minor, currency))
    }

    /// The amount in thousandths, of a currency that is not known yet: nothing that would be refused in every one of them.
    ///
    /// # Errors
    /// [`AmountError::TooPrecise`] and [`AmountError::OutOfBounds`].
    pub fn thousandths(&self) -> Result<i64, AmountError> {
        self.bounded(DECIMALS_MAX, AMOUNT_MINOR_MAX.saturating_mul(10_i64.pow(DECIMALS_MAX)))
    }

    fn bounded(&self, decimals: u32, max: i64) -> Result<i64, AmountError> {
        if self.negative {
            return Err(AmountError::OutOfBounds);
        }
        self.scaled(decimals).and_then(|scaled| if scaled > max { Err(AmountError::OutOfBounds) } else { Ok(scaled) })
    }
}

/// A share of an amount, rounded half up to the minor unit: `basis_points` of 800 are 8 %.
#[must_use]
pub fn share(minor: i64, basis_points: u32) -> i64 {
    let exact = i128::from(minor) * i128::from(basis_points);
    let rounded = (exact + 5_000).div_euclid(10_000);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use AmountError::{NotAnAmount, OutOfBounds, TooPrecise};
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn check(code: &str, cases: &[(&str, Result<i64, AmountError>)]) {
        for (text, expected) in cases {
            let found = Money::parse(text, currency(code)).map(|money| money.minor);
            assert_eq!(found, *expected, "{text} {code}");
        }
    }

    #[test]
    fn amounts_are_read_strictly() {
        check(
            "USD",
            &[
                ("19.99", Ok(1999)),
                ("19.9", Ok(1990)),
                ("19", Ok(1900)),
                ("0", Ok(0)),
                ("-0.00", Ok(0)),
                ("-0e5", Ok(0)),
                ("19.990", Ok(1999)),
                ("007", Ok(700)),
                ("100000000.00", Ok(AMOUNT_MINOR_MAX)),
                ("100000000.01", Err(OutOfBounds)),
                ("99999999999999999999", Err(OutOfBounds)),
                ("-1", Err(OutOfBounds)),
                ("-0.001", Err(OutOfBounds)),
                ("19.999", Err(TooPrecise)),
                ("19.990000000000000000000000001", Err(TooPrecise)),
            ],
        );
        for text in ["", "-", ".5", "5.", "1,5", "+1", "1e", "1e+", "e2", "1e2.5", "1e2e2", "1.2.3", " 1", "0x1", "NaN"]
        {
            check("USD", &[(text, Err(NotAnAmount))]);
        }
    }

    #[test]
    fn a_currency_knows_its_decimals() {
        check(
            "CLP",
            &[
                ("19990", Ok(19_990)),
                ("19990.00", Ok(19_990)),
                ("19.9", Err(TooPrecise)),
                ("10000000000", Ok(AMOUNT_MINOR_MAX)),
                ("10000000001", Err(OutOfBounds)),
            ],
        );
        check(
            "KWD",
            &[
                ("1.234", Ok(1_234)),
                ("1.2", Ok(1_200)),
                ("1.2345", Err(TooPrecise)),
                ("10000000", Ok(AMOUNT_MINOR_MAX)),
                ("10000000.001", Err(OutOfBounds)),
            ],
        );
    }

    #[test]
    fn exponents_are_read_exactly() {
        check(
            "USD",
            &[
                ("1E+2", Ok(10_000)),
                ("1e2", Ok(10_000)),
                ("1.5e1", Ok(1_500)),
                ("1e-1", Ok(10)),
                ("1e-2", Ok(1)),
                ("1e-3", Err(TooPrecise)),
                ("1999e-2", Ok(1_999)),
                ("19990e-3", Ok(1_999)),
                ("0.00001999e+6", Ok(1_999)),
                ("1e0000000000000000000000000000002", Ok(10_000)),
                ("1e999999999", Err(OutOfBounds)),
                ("1e99999999999999999999999999", Err(OutOfBounds)),
                ("1e-99999999999999999999999999", Err(TooPrecise)),
                ("0e99999999999999999999999999", Ok(0)),
            ],
        );
        check("CLP", &[("1.999e4", Ok(19_990)), ("1.5e0", Err(TooPrecise))]);
        // As many zeros before the point as after it.
        let zeros = "0".repeat(100_000);
        check("USD", &[(&format!("0.{zeros}1e100001"), Ok(100)), (&format!("1{zeros}e-100000"), Ok(100))]);
    }

    #[test]
    fn whole_numbers() {
        let check =
            |text: &str, expected| assert_eq!(Decimal::parse(text).and_then(|it| it.scaled(0)), expected, "{text}");
        check("2.0", Ok(2));
        check("1E+2", Ok(100));
        check("-20e-1", Ok(-2));
        check("2.5", Err(TooPrecise));
        check("9223372036854775807", Ok(i64::MAX));
        check("9223372036854775808", Err(OutOfBounds));
    }

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        for (minor, code, text) in [
            (21_598, "USD", "215.98 USD"),
            (-5, "USD", "-0.05 USD"),
            (19_990, "CLP", "19990 CLP"),
            (-1, "JPY", "-1 JPY"),
            (1_234, "KWD", "1.234 KWD"),
            (5, "KWD", "0.005 KWD"),
        ] {
            assert_eq!(Money::new(minor, currency(code)).to_string(), text);
        }
        let thousandths = |minor, code| Money::new(minor, currency(code)).thousandths();
        assert_eq!([thousandths(500, "USD"), thousandths(5, "CLP"), thousandths(5_000, "KWD")], [5_000; 3]);
    }

    #[test]
    fn tax_is_rounded_half_up() {
        assert_eq!(share(19_998, 800), 1_600); // 15.9984 → 16.00
        assert_eq!(share(50, 100), 1); // half a cent
        assert_eq!(share(49, 100), 0);
        assert_eq!(share(0, 800), 0);
        assert_eq!(share(19_990, 1_900), 3_798); // 3798.1 pesos
    }

    #[test]
    fn currencies_are_written_in_capitals() {
        for (code, decimals) in [("EUR", 2), ("USD", 2), ("MGA", 2), ("JPY", 0), ("PYG", 0), ("UGX", 0), ("TND", 3)] {
            let found = currency(code);
            assert_eq!((found.as_str(), found.decimals()), (code, decimals));
        }
        assert_eq!(Currency::parse("USD"), Some(Currency::USD));
        for code in ["usd", "US", "USDX", "€€€", "", "XXX", "XAU", "CLF", "XTS"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
        assert!(WITH_NONE.is_sorted() && WITH_TWO.is_sorted() && WITH_THREE.is_sorted());
        assert_eq!(Currency::all().count(), 157);
        let codes: std::collections::BTreeSet<[u8; 3]> = Currency::all().map(|currency| currency.code).collect();
        assert_eq!(codes.len(), 157);
    }

    #[test]
    fn the_page_knows_the_same_decimals() {
        let page = include_str!("../../../../web/js/currency.js");
        for (name, list) in [("NONE", &WITH_NONE[..]), ("THREE", &WITH_THREE)] {
            let line = format!("const {name} = \"{}\".split(\" \");", list.join(" "));
            assert!(page.contains(&line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_in_every_currency(minor in 0..=AMOUNT_MINOR_MAX) {
            for currency in Currency::all() {
                let money = Money::new(minor, currency);
                prop_assert_eq!(Money::parse(&money.decimal(), currency), Ok(money));
                prop_assert_eq!(Decimal::parse(&money.decimal()).and_then(|it| it.thousandths()), Ok(money.thousandths()));
            }
        }

        #[test]
        fn an_exponent_moves_the_point(digits in 0..1_000_000_i64, power in 0..4_u32) {
            for code in ["CLP", "USD", "KWD"] {
                let plain = Money::parse(&(digits * 10_i64.pow(power)).to_string(), currency(code));
                prop_assert_eq!(Money::parse(&format!("{digits}e{power}"), currency(code)), plain);
                prop_assert_eq!(Money::parse(&format!("{digits}0000.000E-{}", 4 - power), currency(code)), plain);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in "-?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][-+]?[0-9]{0,25})?") {
            for text in [text, number] {
                for code in ["CLP", "USD", "KWD"] {
                    let _ = Money::parse(&text, currency(code));
                }
            }
        }
    }
}
