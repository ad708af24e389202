//! Numbers as people and spreadsheets write them.

use crate::formula::rearm;
use crate::reason::Reason;
use almacen_domain::stock::COUNT_MAX;

/// Longer than any number in bounds could be written.
const NUMBER_BYTES_MAX: usize = 60;

/// What says in words that nothing is counted. Compared without case.
const NOT_STOCKED: &[&str] = &[
    "not stocked",
    "not tracked",
    "n/a",
    "n.a.",
    "na",
    "nd",
    "n/d",
    "n.d.",
    "none",
    "null",
    "nan",
    "-",
    "--",
    "–",
    "—",
    "∞",
    "unlimited",
    "infinite",
    "ilimitado",
    "no disponible",
    "no aplica",
    "sin control",
];

/// Reads a whole number.
///
/// `comma_decimal` says which of `.` and `,` marks decimals in this file, where a single one of them leaves that open.
/// Fractions of zero are read (`12.0`), others are not; where a number could be two different ones, it is refused.
///
/// # Errors
/// The [`Reason`] that the cell's row is rejected with. [`Reason::Negative`] is not among them: that is the caller's to judge.
pub(super) fn parse(text: &str, comma_decimal: bool) -> Result<i64, Reason> {
    let text = rearm(text.trim());
    if text.is_empty() {
        return Err(Reason::Blank);
    }
    if text.starts_with(['=', '@']) {
        return Err(Reason::Formula);
    }
    if NOT_STOCKED.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Err(Reason::NotStocked);
    }
    if text.len() > NUMBER_BYTES_MAX {
        return Err(if text.bytes().all(|b| b.is_ascii_digit()) { Reason::TooLarge } else { Reason::NotANumber });
    }
    let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = magnitude(digits, comma_decimal)?;
    Ok(if negative { -value } else { value })
}

/// A number without its sign.
fn magnitude(text: &str, comma_decimal: bool) -> Result<i64, Reason> {
    let separators: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !separators.iter().all(|(_, c)| is_separator(*c)) {
        return Err(Reason::NotANumber);
    }
    let Some((last_at, last)) = separators.last().copied() else { return whole(text) };
    let before = text.get(..last_at).unwrap_or_default();
    let after = text.get(last_at + last.len_utf8()..).unwrap_or_default();
    let is_mark = last == '.' || last == ',';
    let repeated = separators.iter().filter(|(_, c)| *c == last).count() > 1;

    if !is_mark || repeated {
        // `1 200`, `1'200`, `1.200.000`: groups, and nothing else may stand among them
        return grouped(text, last);
    }
    if separators.len() > 1 {
        // `1,200.00`, `1 200,0`: the others group, so the last one marks decimals
        let group = separators.first().map_or(last, |(_, c)| *c);
        return fraction(grouped(before, group)?, after);
    }
    // a single `.` or `,`
    let thousands = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
    let is_decimal_here = (last == ',') == comma_decimal;
    match (thousands, is_decimal_here) {
        (true, false) => grouped(text, last),
        // `1.200` is 1.2 here and 1,200 elsewhere. In a comma file `12.000` is the zero fraction that programs write;
        // in a semicolon file `12,000` may well have been typed by somebody who meant thousands
        (true, true) if comma_decimal || after != "000" => Err(Reason::AmbiguousNumber),
        (true | false, _) => fraction(whole(before)?, after),
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2007}')
}

/// Digits only.
fn whole(text: &str) -> Result<i64, Reason> {
    let digits = text.trim_start_matches('0');
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::NotANumber);
    }
    if digits.len() > 10 {
        return Err(Reason::TooLarge);
    }
    let value = digits.bytes().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    if value > COUNT_MAX { Err(Reason::TooLarge) } else { Ok(value) }
}

/// One to three digits, then groups of exactly three.
fn grouped(text: &str, separator: char) -> Result<i64, Reason> {
    let mut digits = String::with_capacity(text.len());
    for (index, group) in text.split(separator).enumerate() {
        let fits = if index == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        if !fits {
            return Err(Reason::NotANumber);
        }
        digits.push_str(group);
    }
    whole(&digits)
}

/// `value`, where what stands after the decimal mark is nothing.
fn fraction(value: i64, after: &str) -> Result<i64, Reason> {
    if !after.bytes().all(|b| b.is_ascii_digit()) {
        Err(Reason::NotANumber)
    } else if after.bytes().all(|b| b == b'0') {
        Ok(value)
    } else {
        Err(Reason::NotWhole)
    }
}

/// One to nine ASCII digits, as nearly every cell has them.
pub(super) fn digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    let mut value = 0u32;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    Some(i64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, comma_file: Result<i64, Reason>, semicolon_file: Result<i64, Reason>) {
        assert_eq!(parse(text, false), comma_file, "{text:?} in a comma file");
        assert_eq!(parse(text, true), semicolon_file, "{text:?} in a semicolon file");
    }

    #[track_caller]
    fn same(text: &str, expected: Result<i64, Reason>) {
        check(text, expected, expected);
    }

    #[test]
    fn as_a_person_would_read_them() {
        use Reason::{AmbiguousNumber, Blank, Formula, NotANumber, NotStocked, NotWhole, TooLarge};
        same("12", Ok(12));
        same(" 12 ", Ok(12));
        same("\u{a0}12\u{a0}", Ok(12));
        same("0", Ok(0));
        same("007", Ok(7));
        same("+5", Ok(5));
        same("-5", Ok(-5));
        same("\u{2212}5", Ok(-5));
        same("-0", Ok(0));
        same("12.0", Ok(12));
        same("12,0", Ok(12));
        same("12.00", Ok(12));
        same("12.0000", Ok(12));
        same("12.", Ok(12));
        same("0.000", Ok(0));
        same("1.5", Err(NotWhole));
        same("1,5", Err(NotWhole));
        same("0.500", Err(NotWhole));
        same("1200.500", Err(NotWhole));
        same("1200,000", Ok(1200));

        check("1,200", Ok(1200), Err(AmbiguousNumber));
        check("1.200", Err(AmbiguousNumber), Ok(1200));
        check("12.000", Ok(12), Ok(12_000));
        check("12,000", Ok(12_000), Err(AmbiguousNumber));
        check("-1,200", Ok(-1200), Err(AmbiguousNumber));

        same("1 200", Ok(1200));
        same("1\u{a0}200", Ok(1200));
        same("1\u{202f}200", Ok(1200));
        same("1\u{2009}200", Ok(1200));
        same("1'200", Ok(1200));
        same("1’200", Ok(1200));
        same("1.200.000", Ok(1_200_000));
        same("1,200,000", Ok(1_200_000));
        same("1,200.00", Ok(1200));
        same("1.200,00", Ok(1200));
        same("1 200,00", Ok(1200));
        same("1 200 000.0", Ok(1_200_000));
        same("1,200.5", Err(NotWhole));
        same("12,00,000", Err(NotANumber));
        same("1,20,0.0", Err(NotANumber));
        same("1 20", Err(NotANumber));
        same("1234 567", Err(NotANumber));
        same("1 200'000", Err(NotANumber));
        same("1..2", Err(NotANumber));
        same("1.200,000.0", Err(NotANumber));

        same("", Err(Blank));
        same("  ", Err(Blank));
        same("not stocked", Err(NotStocked));
        same("Not Stocked", Err(NotStocked));
        same("n/a", Err(NotStocked));
        same("-", Err(NotStocked));
        same("∞", Err(NotStocked));
        same("=A1", Err(Formula));
        same("=SUM(A1:A9)", Err(Formula));
        same("abc", Err(NotANumber));
        same("12 uds", Err(NotANumber));
        same("1e3", Err(NotANumber));
        same("(5)", Err(NotANumber));
        same("5-", Err(NotANumber));
        same("- 5", Err(NotANumber));
        same("--5", Err(NotANumber));
        same("+-5", Err(NotANumber));
        same(".5", Err(NotANumber));
        same("０", Err(NotANumber));
        same("１２", Err(NotANumber));
        same("٣", Err(NotANumber));
        same("0x10", Err(NotANumber));
        same("1_000", Err(NotANumber));
        same("NaN", Err(NotStocked));
        same("inf", Err(NotANumber));

        same("1000000000", Ok(1_000_000_000));
        same("1000000001", Err(TooLarge));
        same("99999999999999999999999999", Err(TooLarge));
        same(&"9".repeat(1000), Err(TooLarge));
        same(&"x".repeat(1000), Err(NotANumber));
        same(&format!("{}7", "0".repeat(40)), Ok(7));
    }

    proptest! {
        #[test]
        fn every_whole_number_is_read_however_it_is_grouped(value in 0i64..=COUNT_MAX, group in "[ '\u{a0}\u{202f}]") {
            let plain = value.to_string();
            let mut groups = String::new();
            for (index, digit) in plain.chars().enumerate() {
                if index > 0 && (plain.len() - index).is_multiple_of(3) {
                    groups.push_str(&group);
                }
                groups.push(digit);
            }
            for comma_decimal in [false, true] {
                prop_assert_eq!(parse(&plain, comma_decimal), Ok(value));
                prop_assert_eq!(parse(&groups, comma_decimal), Ok(value));
                let mark = if comma_decimal { ',' } else { '.' };
                prop_assert_eq!(parse(&format!("{groups}{mark}0"), comma_decimal), Ok(value));
                prop_assert_eq!(parse(&format!("-{plain}"), comma_decimal), Ok(-value));
                if plain.len() <= 9 {
                    prop_assert_eq!(digits(plain.as_bytes()), Some(value));
                }
            }
        }

        #[test]
        fn no_text_is_read_as_out_of_bounds(text in "[-+0-9., '=e∞a]{0,16}", comma_decimal in any::<bool>()) {
            if let Ok(value) = parse(&text, comma_decimal) {
                prop_assert!((-COUNT_MAX..=COUNT_MAX).contains(&value));
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let value = value.abs().to_string();
                let digits = digits.trim_start_matches('0');
                prop_assert!(value == "0" || digits.starts_with(&value), "{} as {}", text, value);
                prop_assert!(value == "0" || digits[value.len()..].bytes().all(|b| b == b'0'), "{} as {}", text, value);
            }
        }
    }
}
