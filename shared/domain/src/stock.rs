//! A stock line, when it may be counted anew, and when it is low.

use crate::Millis;
use crate::kernel::name::{Sku, StoreId};

pub mod import;
pub mod patch;
pub mod task;

/// The most a line may hold or be told to warn at. Bounded so that sums over a million lines stay far inside `i64`.
pub const COUNT_MAX: i64 = 1_000_000_000;

/// The units of one item in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    /// Where.
    pub store: StoreId,
    /// What.
    pub sku: Sku,
    /// Units on the shelf. Always `available + reserved`.
    pub on_hand: i64,
    /// Units that open orders hold.
    pub reserved: i64,
    /// Units that can still be sold. Below zero when a count found fewer than orders hold.
    pub available: i64,
    /// The line's own threshold; the deployment's default where it has none.
    pub threshold: Option<i64>,
    /// One more with every import or PATCH that changes it, and not with an order. The `ETag`.
    pub edit_version: i64,
    /// Was the last change an order's? Then the `ETag` does not tell of it.
    pub moved: bool,
    /// When anything of the line last changed.
    pub updated_at: Millis,
}

impl StockLine {
    /// How the line stands against its threshold.
    #[must_use]
    pub fn level(&self, default_threshold: i64) -> Level {
        Level::of(self.available, self.threshold.unwrap_or(default_threshold))
    }
}

/// Where a count comes from and how old it is: what decides whether it may replace another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When the count was made: the object's event time, or now for a change through the API.
    pub at: Millis,
    /// Which object key, shortened; `api` for a change through the API.
    pub source: String,
    /// S3's order among the versions of one key, right-padded by [`pad_sequencer`]. Empty where there is none: for the API,
    /// and for counts that were stored before sequencers were padded on the right.
    pub sequencer: String,
}

impl Stamp {
    /// May a count with this stamp replace one with `other`?
    ///
    /// Among the versions of one object S3's `sequencer` decides, because their event times may tie or even swap
    /// ("Event message structure", Amazon S3 user guide); among different sources time decides. An equal stamp is a
    /// repetition and replaces nothing.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        if self.source == other.source && !self.sequencer.is_empty() && !other.sequencer.is_empty() {
            self.sequencer > other.sequencer
        } else {
            self.at > other.at
        }
    }
}

/// All padded sequencers have this length. S3's have 16 to 18 characters.
pub const SEQUENCER_LENGTH: usize = 32;

/// A sequencer in the form whose order as text is S3's order of events: upper case, padded with zeros on the right.
///
/// "The sequencers can be of different lengths. So, to compare these values, first right pad the shorter value with
/// zeros, and then do a lexicographical comparison" ("Event message structure", Amazon S3 user guide,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
///
/// `None` for what is empty, not hexadecimal, or longer than [`SEQUENCER_LENGTH`]: it gives no order, and time decides.
#[must_use]
pub fn pad_sequencer(sequencer: &str) -> Option<String> {
    let hexadecimal = !sequencer.is_empty() && sequencer.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && sequencer.len() <= SEQUENCER_LENGTH)
        .then(|| format!("{sequencer:0<SEQUENCER_LENGTH$}").to_ascii_uppercase())
}

/// How much is left, against the threshold. Ordered: worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// More than the threshold.
    Enough,
    /// At the threshold or below it, but not empty.
    Low,
    /// Nothing left to sell.
    Out,
}

impl Level {
    /// `available` units against `threshold`. At the threshold counts as low, as in WooCommerce and Magento; so a
    /// threshold of 0 means "only tell me when it is gone".
    #[must_use]
    pub fn of(available: i64, threshold: i64) -> Self {
        if available > threshold.max(0) {
            Self::Enough
        } else if available > 0 {
            Self::Low
        } else {
            Self::Out
        }
    }
}

/// What the operators have been told about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alert {
    /// Nothing, or that it was refilled.
    #[default]
    Closed,
    /// The worst they were told since the last refill, and when it began.
    Open {
        /// [`Level::Low`] or [`Level::Out`].
        worst: Level,
        /// When the line first went low.
        since: Millis,
    },
}

/// What a changed line has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockNews {
    /// Crossed its threshold downwards.
    Low,
    /// Nothing left; also where it was announced as low before.
    Out,
    /// Back above its threshold after an alert.
    Refilled,
}

/// The crossing rule: news once when the line gets worse than it was announced, once more when it is refilled, and
/// nothing in between. Flapping below the threshold is silent; only a refill above it re-arms the alert.
#[must_use]
pub fn crossing(alert: Alert, now: Level, at: Millis) -> Option<(Alert, StockNews)> {
    match (alert, now) {
        (Alert::Closed, Level::Enough) => None,
        (Alert::Closed, Level::Low) => Some((Alert::Open { worst: Level::Low, since: at }, StockNews::Low)),
        (Alert::Closed, Level::Out) => Some((Alert::Open { worst: Level::Out, since: at }, StockNews::Out)),
        (Alert::Open { .. }, Level::Enough) => Some((Alert::Closed, StockNews::Refilled)),
        (Alert::Open { worst, since }, level) if level > worst => {
            Some((Alert::Open { worst: level, since }, StockNews::Out))
        }
        (Alert::Open { .. }, Level::Low | Level::Out) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn news(levels: &[i64], threshold: i64) -> Vec<StockNews> {
        let mut alert = Alert::Closed;
        let mut told = Vec::new();
        for (at, available) in levels.iter().enumerate() {
            if let Some((next, item)) = crossing(alert, Level::of(*available, threshold), at as Millis) {
                alert = next;
                told.push(item);
            }
        }
        told
    }

    #[test]
    fn one_alert_a_crossing_and_a_refill_rearms_it() {
        use StockNews::{Low, Out, Refilled};
        assert_eq!(news(&[3, 4], 5), [Low]);
        assert_eq!(news(&[3, 4, 20, 2], 5), [Low, Refilled, Low]);
        assert_eq!(news(&[5], 5), [Low]);
        assert_eq!(news(&[6], 5), []);
        assert_eq!(news(&[0, 3, 0, 3], 5), [Out]);
        assert_eq!(news(&[3, 0, -2, 6, 0], 5), [Low, Out, Refilled, Out]);
        assert_eq!(news(&[1, 0], 0), [Out]);
        assert_eq!(news(&[20, 30], 5), []);
    }

    fn stamp(at: Millis, source: &str, sequencer: &str) -> Stamp {
        Stamp { at, source: source.to_owned(), sequencer: pad_sequencer(sequencer).unwrap() }
    }

    #[test]
    fn within_one_key_the_sequencer_decides_and_time_between_keys() {
        assert!(stamp(1, "k", "0B").is_newer_than(&stamp(9, "k", "0A")));
        // Padded on the right: F000 is greater than 10, and A is A0.
        assert!(stamp(1, "k", "F").is_newer_than(&stamp(9, "k", "10")));
        assert!(!stamp(9, "k", "10").is_newer_than(&stamp(1, "k", "F")));
        assert!(stamp(1, "k", "0055AED6DCD90281E6").is_newer_than(&stamp(1, "k", "0055AED6DCD90281")));
        assert!(stamp(1, "k", "0055AED6DCD90282").is_newer_than(&stamp(1, "k", "0055AED6DCD90281E6")));
        assert!(!stamp(1, "k", "0A0").is_newer_than(&stamp(1, "k", "0A")));
        assert!(!stamp(1, "k", "0A").is_newer_than(&stamp(1, "k", "0a")));
        assert!(stamp(2, "k", "01").is_newer_than(&stamp(1, "other", "FF")));
        assert!(!stamp(1, "k", "FF").is_newer_than(&stamp(1, "other", "01")));
        let api = Stamp { at: 5, source: "api".to_owned(), sequencer: String::new() };
        assert!(api.is_newer_than(&stamp(4, "k", "FF")));
        assert!(Stamp { at: 6, ..api.clone() }.is_newer_than(&api));
    }

    #[test]
    fn without_an_order_of_s3_time_decides() {
        let unordered = |at| Stamp { at, source: "k".to_owned(), sequencer: String::new() };
        assert!(unordered(2).is_newer_than(&stamp(1, "k", "FF")));
        assert!(stamp(2, "k", "01").is_newer_than(&unordered(1)));
        assert!(!stamp(1, "k", "FF").is_newer_than(&unordered(1)));
        assert!(!unordered(1).is_newer_than(&stamp(1, "k", "FF")));
    }

    #[test]
    fn sequencers_are_bounded_hexadecimal_and_of_one_case() {
        assert_eq!(pad_sequencer("0055aed6DCD90281E5").as_deref(), Some("0055AED6DCD90281E500000000000000"));
        let longest = "f".repeat(SEQUENCER_LENGTH);
        assert_eq!(pad_sequencer(&longest), Some("F".repeat(SEQUENCER_LENGTH)));
        for none in ["", "0G", "é", " 0A", &format!("{longest}0")] {
            assert_eq!(pad_sequencer(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn padded_sequencers_compare_as_the_guide_says(a in "[0-9a-fA-F]{1,32}", b in "[0-9a-fA-F]{1,32}") {
            // The shorter one is padded to the length of the longer, and no further.
            let length = a.len().max(b.len());
            let pad = |text: &str| format!("{text:0<length$}").to_uppercase();
            prop_assert_eq!(pad_sequencer(&a).cmp(&pad_sequencer(&b)), pad(&a).cmp(&pad(&b)));
        }

        #[test]
        fn no_stamp_is_newer_than_one_that_is_newer_than_it(a in (0i64..4, "[ab]", "[0-9A-F]{1,3}"), b in (0i64..4, "[ab]", "[0-9A-F]{1,3}")) {
            let (a, b) = (stamp(a.0, &a.1, &a.2), stamp(b.0, &b.1, &b.2));
            prop_assert!(!(a.is_newer_than(&b) && b.is_newer_than(&a)));
        }

        #[test]
        fn between_two_refills_at_most_one_low_and_one_out(levels in proptest::collection::vec(-2i64..9, 0..60)) {
            let told = news(&levels, 5);
            for episode in told.split(|n| *n == StockNews::Refilled) {
                prop_assert!(episode.len() <= 2);
                prop_assert!(episode != [StockNews::Out, StockNews::Low]);
            }
        }
    }
}
