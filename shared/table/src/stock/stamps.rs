//! How the stamp of a count is stored, and its rule as a condition.
//!
//! S3's order is the attribute [`ORDER`]. Older releases stored it as [`LEFT_PADDED`], padded on the wrong side. A
//! record that has that attribute was stamped by such a release: its stamp gives no order, and time decides.

use almacen_domain::Millis;
use almacen_domain::stock::Stamp;

use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, required_text, text};

/// S3's order among the versions of one key, right-padded; empty where there is none.
pub const ORDER: &str = "s3_order";
/// What records of before have instead. No more written, and removed with the next stamp.
pub const LEFT_PADDED: &str = "sequencer";

/// Is the stored stamp older than this one? The rule of [`Stamp::is_newer_than`] as a condition.
///
/// `#source` is the attribute `source`; `:source`, `:s3_order` and `:at` are of this stamp, `:none` is the empty text, which
/// only a stamp with an order needs. A comparison with an attribute that is not there does not hold.
#[must_use]
pub fn is_older_than(stamp: &Stamp) -> &'static str {
    if stamp.sequencer.is_empty() {
        return "counted_at < :at";
    }
    "((#source = :source AND attribute_not_exists(sequencer) AND s3_order > :none AND s3_order < :s3_order) \
     OR (NOT (#source = :source AND attribute_not_exists(sequencer) AND s3_order > :none) AND counted_at < :at))"
}

/// S3's order as a record has it.
pub(crate) fn order(item: &Item) -> Result<String, DynamoError> {
    if item.contains_key(LEFT_PADDED) { Ok(String::new()) } else { Ok(text(item, ORDER)?.unwrap_or_default()) }
}

/// The stamp of a record that must have one, made at `at`.
pub(crate) fn required(item: &Item, at: Millis) -> Result<Stamp, DynamoError> {
    Ok(Stamp { at, source: required_text(item, "source")?, sequencer: order(item)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_dynamo::attr::s;

    #[test]
    fn only_what_is_padded_on_the_right_gives_an_order() {
        let item = |attributes: &[(&str, &str)]| -> Item {
            attributes.iter().map(|(name, value)| ((*name).to_owned(), s(*value))).collect()
        };
        let order_of = |attributes: &[(&str, &str)]| required(&item(attributes), 7).map(|stamp| stamp.sequencer).ok();
        assert_eq!(order_of(&[("source", "k"), ("s3_order", "0A")]).as_deref(), Some("0A"));
        assert_eq!(order_of(&[("source", "k"), ("sequencer", "0A")]).as_deref(), Some(""));
        // An older release wrote over the stamp of a newer one.
        assert_eq!(order_of(&[("source", "k"), ("s3_order", "0A"), ("sequencer", "0B")]).as_deref(), Some(""));
        assert_eq!(order_of(&[("s3_order", "0A")]), None);
    }
}
