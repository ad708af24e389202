//! Times as text.

use crate::Millis;

const DAY: Millis = 24 * 3600 * 1000;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn month_days(year: u64, month: usize) -> u64 {
    match month {
        1 => 28 + u64::from(is_leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Year, month from 0, and day from 1.
fn date(at: Millis) -> (u64, usize, u64) {
    let mut days = at / DAY;
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    while days >= month_days(year, month) {
        days -= month_days(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

fn clock(at: Millis) -> String {
    let seconds = at % DAY / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `2024-01-21T11:00:00.123Z`
#[must_use]
pub fn iso(at: Millis) -> String {
    let (year, month, day) = date(at);
    format!("{year:04}-{:02}-{day:02}T{}.{:03}Z", month + 1, clock(at), at % 1000)
}

/// `Sun, 21 Jan 2024 11:00:00 GMT`
#[must_use]
pub fn http_date(at: Millis) -> String {
    let (year, month, day) = date(at);
    let weekday = DAYS.get(usize::try_from(at / DAY % 7).unwrap_or(0)).unwrap_or(&"");
    format!("{weekday}, {day:02} {} {year:04} {} GMT", MONTHS.get(month).unwrap_or(&""), clock(at))
}

/// `20240121T110000Z`, as signatures have it.
#[must_use]
pub fn parse_basic(text: &str) -> Option<Millis> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, usize::try_from(number(4..6)?).ok()?, number(6..8)?);
    let days: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum::<u64>()
        + (0..month.checked_sub(1)?).map(|month| month_days(year, month)).sum::<u64>()
        + day.checked_sub(1)?;
    let seconds = number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?;
    Some(days * DAY + seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_text() {
        assert_eq!(iso(1_705_834_800_123), "2024-01-21T11:00:00.123Z");
        assert_eq!(http_date(1_705_834_800_123), "Sun, 21 Jan 2024 11:00:00 GMT");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(parse_basic("20240121T110000Z"), Some(1_705_834_800_000));
        assert_eq!(parse_basic("20000229T000000Z"), Some(951_782_400_000));
        assert_eq!(parse_basic("soon"), None);
    }
}
