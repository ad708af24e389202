//! Times on the wire: RFC 3339, UTC, whole seconds.

use almacen_domain::Millis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2024-01-21T11:00:00Z`. A time that no calendar has becomes the start of 1970.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    OffsetDateTime::from_unix_timestamp(at.div_euclid(1000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(&Rfc3339)
        .unwrap_or_else(|_| "1970-01-01T00:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_in_utc() {
        assert_eq!(rfc3339(1_705_834_800_999), "2024-01-21T11:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00Z");
    }
}
