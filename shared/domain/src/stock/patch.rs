//! A change that a person makes to one line, and why it may be refused.

use crate::kernel::precondition::Precondition;
use crate::stock::COUNT_MAX;

/// What happens to the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountChange {
    /// Somebody counted: this many are on the shelf.
    Set(i64),
    /// This many came in or, below zero, went out.
    Adjust(i64),
}

/// What happens to the line's own threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdChange {
    /// The line warns at this many.
    Own(i64),
    /// Back to the deployment's default.
    Default,
}

/// One change of one line. At least one of count and threshold changes; whoever makes a patch sees to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The count, if it changes.
    pub count: Option<CountChange>,
    /// The threshold, if it changes.
    pub threshold: Option<ThresholdChange>,
    /// Why, for the audit.
    pub reason: Option<String>,
}

impl Patch {
    /// Is the result the same when it is made twice? Adding is not.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self.count {
            Some(CountChange::Adjust(_)) => false,
            Some(CountChange::Set(_)) | None => true,
        }
    }
}

/// Why a patch was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchRefusal {
    /// There is no such line.
    NoSuchLine,
    /// It is there in another version.
    OtherVersion,
    /// It would leave fewer than none on the shelf.
    NotEnough {
        /// Units on the shelf.
        on_hand: i64,
    },
    /// It would leave more than a line may hold, [`COUNT_MAX`].
    TooMany {
        /// Units on the shelf.
        on_hand: i64,
    },
}

/// Looks at the line as it was when the table refused the patch and says why. `None`: nothing is wrong with the patch,
/// somebody else was only a moment faster, and it may be tried again.
#[must_use]
pub fn why_refused(line: Option<(i64, i64)>, patch: &Patch, expected: &Precondition) -> Option<PatchRefusal> {
    let Some((version, on_hand)) = line else { return Some(PatchRefusal::NoSuchLine) };
    if !expected.allows(version) {
        return Some(PatchRefusal::OtherVersion);
    }
    match patch.count {
        Some(CountChange::Adjust(by)) if on_hand.saturating_add(by) < 0 => Some(PatchRefusal::NotEnough { on_hand }),
        Some(CountChange::Adjust(by)) if on_hand.saturating_add(by) > COUNT_MAX => {
            Some(PatchRefusal::TooMany { on_hand })
        }
        Some(CountChange::Adjust(_) | CountChange::Set(_)) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_refusal() {
        let check = |line, count, expected: &Precondition, reason| {
            let patch = Patch { count, threshold: None, reason: None };
            assert_eq!(why_refused(line, &patch, expected), reason, "{line:?} {count:?} {expected:?}");
        };
        let any = Precondition::Any;
        let adjust = |by| Some(CountChange::Adjust(by));
        check(None, adjust(1), &any, Some(PatchRefusal::NoSuchLine));
        check(None, adjust(1), &Precondition::OneOf(vec![1]), Some(PatchRefusal::NoSuchLine));
        check(Some((2, 5)), adjust(1), &Precondition::OneOf(vec![1]), Some(PatchRefusal::OtherVersion));
        check(Some((2, 5)), adjust(1), &Precondition::OneOf(Vec::new()), Some(PatchRefusal::OtherVersion));
        check(Some((2, 5)), adjust(-6), &Precondition::OneOf(vec![1, 2]), Some(PatchRefusal::NotEnough { on_hand: 5 }));
        check(Some((2, 5)), adjust(-5), &any, None);
        check(Some((2, 5)), adjust(COUNT_MAX), &any, Some(PatchRefusal::TooMany { on_hand: 5 }));
        check(Some((2, 0)), adjust(COUNT_MAX), &any, None);
        check(Some((2, 5)), Some(CountChange::Set(0)), &any, None);
        check(Some((2, 5)), None, &any, None);
    }

    #[test]
    fn only_adding_must_not_be_repeated() {
        let patch = |count| Patch { count, threshold: None, reason: None };
        assert!(patch(Some(CountChange::Set(1))).is_repeatable());
        assert!(patch(None).is_repeatable());
        assert!(!patch(Some(CountChange::Adjust(1))).is_repeatable());
    }
}
