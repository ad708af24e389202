//! Numbers as DynamoDB has them: decimal, exact, up to 38 digits
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most significant digits.
const DIGITS_MAX: u32 = 38;
/// The exponent of the first digit of the largest number, 9.99…E+125.
const MAGNITUDE_MAX: i32 = 125;
/// The exponent of the smallest positive number, 1E-130.
const MAGNITUDE_MIN: i32 = -130;
/// 10³⁸, one more than the largest coefficient. It fits an `i128`, and so does the sum of two coefficients.
const COEFFICIENT_END: i128 = 10_i128.pow(DIGITS_MAX);

/// A decimal number, `coefficient × 10^exponent`, with no zeros at the end of the coefficient: equal numbers are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    coefficient: i128,
    exponent: i32,
}

/// Why a text or a result is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// It is no number at all.
    Syntax,
    /// It has more than 38 significant digits.
    Precision,
    /// Its magnitude is 1E+126 or more.
    Overflow,
    /// It is closer to zero than 1E-130.
    Underflow,
}

impl fmt::Display for NumberError {
    /// DynamoDB's own words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "The parameter cannot be converted to a numeric value",
            Self::Precision => "Attempting to store more than 38 significant digits in a Number",
            Self::Overflow => {
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            }
            Self::Underflow => {
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
            }
        })
    }
}

impl std::error::Error for NumberError {}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { coefficient: 0, exponent: 0 };

    fn new(mut coefficient: i128, mut exponent: i32) -> Result<Self, NumberError> {
        if coefficient == 0 {
            return Ok(Self::ZERO);
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        if coefficient.abs() >= COEFFICIENT_END {
            return Err(NumberError::Precision);
        }
        let number = Self { coefficient, exponent };
        match number.magnitude() {
            magnitude if magnitude > MAGNITUDE_MAX => Err(NumberError::Overflow),
            magnitude if magnitude < MAGNITUDE_MIN => Err(NumberError::Underflow),
            _ => Ok(number),
        }
    }

    /// The exponent of the first digit. Of zero it says nothing.
    fn magnitude(self) -> i32 {
        self.exponent
            + self.coefficient.unsigned_abs().checked_ilog10().map_or(0, |log| i32::try_from(log).unwrap_or(0))
    }

    /// The coefficient at a lower exponent, where it fits.
    fn scaled_to(self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent - exponent).ok()?;
        self.coefficient.checked_mul(10_i128.checked_pow(power)?)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`NumberError`] where it has too many digits.
    pub fn plus(self, other: Self) -> Result<Self, NumberError> {
        if self.exponent == other.exponent {
            return Self::new(self.coefficient + other.coefficient, self.exponent);
        }
        if self == Self::ZERO || other == Self::ZERO {
            return Ok(if self == Self::ZERO { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        let sum = self.scaled_to(exponent).zip(other.scaled_to(exponent)).and_then(|(a, b)| a.checked_add(b));
        sum.map_or(Err(NumberError::Precision), |sum| Self::new(sum, exponent))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`NumberError`] where it has too many digits.
    pub fn minus(self, other: Self) -> Result<Self, NumberError> {
        self.plus(Self { coefficient: -other.coefficient, exponent: other.exponent })
    }

    /// The number as an `i128`, where it is whole and fits.
    #[must_use]
    pub fn to_i128(self) -> Option<i128> {
        self.scaled_to(0)
    }

    /// What it takes in an item: two significant digits a byte, one byte more, and another for a minus sign
    /// ("DynamoDB item sizes and formats", developer guide).
    #[must_use]
    pub fn size(self) -> usize {
        let digits = self.coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        usize::try_from(digits.div_ceil(2)).unwrap_or(usize::MAX) + 1 + usize::from(self.coefficient < 0)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        // Nineteen digits always fit.
        Self::new(i128::from(number), 0).unwrap_or(Self::ZERO)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.coefficient.signum().cmp(&other.coefficient.signum());
        if signs.is_ne() || self.coefficient == 0 {
            return signs;
        }
        if self.exponent == other.exponent {
            return self.coefficient.cmp(&other.coefficient);
        }
        let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| {
            // As many digits before the point: the difference of the exponents is below 38, so both are scaled exactly.
            let exponent = self.exponent.min(other.exponent);
            let scaled = |number: &Self| number.scaled_to(exponent).map(i128::abs);
            scaled(self).cmp(&scaled(other))
        });
        if self.coefficient < 0 { by_size.reverse() } else { by_size }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if let Ok(number) = text.parse::<i64>()
            && !text.starts_with('+')
        {
            return Ok(number.into());
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NumberError::Syntax)?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(NumberError::Syntax);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let shortened = significant.trim_end_matches('0');
        if shortened.is_empty() {
            return Ok(Self::ZERO);
        }
        if shortened.len() > 38 {
            return Err(NumberError::Precision);
        }
        let zeros = i32::try_from(significant.len() - shortened.len()).map_err(|_| NumberError::Overflow)?;
        let places = i32::try_from(fraction.len()).map_err(|_| NumberError::Underflow)?;
        let exponent = exponent.checked_add(zeros).and_then(|sum| sum.checked_sub(places));
        let coefficient: i128 = shortened.parse().map_err(|_| NumberError::Precision)?;
        let exponent = exponent.ok_or(NumberError::Overflow)?.clamp(-10_000, 10_000);
        Self::new(if negative { -coefficient } else { coefficient }, exponent)
    }
}

impl fmt::Display for Number {
    /// All digits and no exponent, as DynamoDB answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.unsigned_abs().to_string();
        let sign = if self.coefficient < 0 { "-" } else { "" };
        if self.exponent >= 0 {
            let zeros = "0".repeat(usize::try_from(self.exponent).unwrap_or(0));
            return write!(f, "{sign}{digits}{zeros}");
        }
        let places = usize::try_from(-self.exponent).unwrap_or(0);
        let padded = format!("{}{digits}", "0".repeat((places + 1).saturating_sub(digits.len())));
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn texts_and_back() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("+5", "5"),
            ("1E2", "100"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("-12.340e1", "-123.4"),
            ("1e-3", "0.001"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("123456789012345678901234567890123456780000", "123456789012345678901234567890123456780000"),
            ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
            ("-9223372036854775808", "-9223372036854775808"),
        ] {
            assert_eq!(n(text).to_string(), shown, "{text}");
        }
        for (text, error) in [
            ("", NumberError::Syntax),
            ("1,5", NumberError::Syntax),
            ("NaN", NumberError::Syntax),
            (" 1", NumberError::Syntax),
            ("1e", NumberError::Syntax),
            ("123456789012345678901234567890123456789", NumberError::Precision),
            ("1E126", NumberError::Overflow),
            ("1E-131", NumberError::Underflow),
        ] {
            assert_eq!(text.parse::<Number>(), Err(error), "{text}");
        }
        assert!("9.9999999999999999999999999999999999999E+125".parse::<Number>().is_ok());
        assert!("1E-130".parse::<Number>().is_ok());
    }

    #[test]
    fn order() {
        let ordered = ["-1E125", "-100", "-99.5", "-1E-130", "0", "1E-130", "0.5", "1", "1.01", "9", "10", "1E125"];
        for pair in ordered.windows(2) {
            assert!(n(pair[0]) < n(pair[1]), "{pair:?}");
        }
        assert_eq!(n("1.0"), n("1"));
        assert!(n("99999999999999999999999999999999999999") < n("1E38"));
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(n("0.1").plus(n("0.2")), Ok(n("0.3")));
        assert_eq!(n("9007199254740993").plus(n("1")), Ok(n("9007199254740994")));
        assert_eq!(n("1E38").minus(n("1")), Ok(n("99999999999999999999999999999999999999")));
        assert_eq!(n("5").minus(n("5")), Ok(Number::ZERO));
        assert_eq!(n("1E125").plus(Number::ZERO), Ok(n("1E125")));
        assert_eq!(n("1E38").plus(n("1")), Err(NumberError::Precision));
        assert_eq!(n("9E125").plus(n("9E125")), Err(NumberError::Overflow));
    }

    #[test]
    fn sizes() {
        assert_eq!(
            (n("0").size(), n("7").size(), n("123").size(), n("-123").size(), n("1000").size()),
            (2, 2, 3, 4, 2)
        );
    }
}
