//! Versioned records: written only over the version that was seen.

use almacen_domain::kernel::precondition::{Precondition, PreconditionFailed};
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, PutBuilder, UpdateBuilder};

use crate::attr::{Item, n};

/// A condition on the version of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionCondition {
    expression: String,
    values: Vec<(String, AttributeValue)>,
}

impl VersionCondition {
    /// The record's `attribute` is as it was read: `version`, or 0 where there was no record. A record's versions begin with 1.
    #[must_use]
    pub fn seen(attribute: &str, version: i64) -> Self {
        if version == 0 {
            return Self { expression: format!("attribute_not_exists({attribute})"), values: Vec::new() };
        }
        Self {
            expression: format!("{attribute} = :seen_version"),
            values: vec![(":seen_version".to_owned(), n(version))],
        }
    }

    /// The record is there, and its `attribute` is one of those that the caller expects.
    #[must_use]
    pub fn expected(attribute: &str, expected: &Precondition) -> Self {
        Self::expected_of(attribute, expected, |listed| format!("{attribute} IN ({listed})"))
    }

    /// The same for a record that may lack `attribute`, where `older` counts.
    #[must_use]
    pub fn expected_or_older(attribute: &str, older: &str, expected: &Precondition) -> Self {
        Self::expected_of(older, expected, |listed| {
            format!("({attribute} IN ({listed}) OR (attribute_not_exists({attribute}) AND {older} IN ({listed})))")
        })
    }

    /// Every record has the attribute `always`.
    fn expected_of(always: &str, expected: &Precondition, one_of: impl Fn(&str) -> String) -> Self {
        let exists = format!("attribute_exists({always})");
        match expected {
            Precondition::Any => Self { expression: exists, values: Vec::new() },
            // No version can match. The write is sent all the same: its refusal says whether there is such a record.
            Precondition::OneOf(versions) if versions.is_empty() => {
                Self { expression: format!("{exists} AND attribute_not_exists({always})"), values: Vec::new() }
            }
            Precondition::OneOf(versions) => {
                let value = |(at, version): (usize, &i64)| (format!(":version{at}"), n(version));
                let values: Vec<(String, AttributeValue)> = versions.iter().enumerate().map(value).collect();
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                Self { expression: format!("{exists} AND {}", one_of(&names.join(", "))), values }
            }
        }
    }

    /// And another condition, whose values the write has itself. One with `OR` needs parentheses of its own.
    #[must_use]
    pub fn and(mut self, condition: &str) -> Self {
        self.expression = format!("{} AND {condition}", self.expression);
        self
    }
}

/// A write that can have a [`VersionCondition`].
pub trait Versioned: Sized {
    /// Is made only if `condition` holds, which becomes all of its condition expression.
    #[must_use]
    fn only_if(self, condition: VersionCondition) -> Self;
}

macro_rules! versioned {
    ($($builder:ty),+) => { $(
        impl Versioned for $builder {
            fn only_if(self, VersionCondition { expression, values }: VersionCondition) -> Self {
                let write = self.condition_expression(expression);
                values.into_iter().fold(write, |write, (name, value)| write.expression_attribute_values(name, value))
            }
        }
    )+ };
}

versioned!(PutBuilder, UpdateBuilder, DeleteBuilder, UpdateItemFluentBuilder, DeleteItemFluentBuilder);

/// Why a write of a versioned record was refused, by the record that DynamoDB gave with the refusal
/// (`ReturnValuesOnConditionCheckFailure`).
#[must_use]
pub fn why_refused(held: Option<&Item>) -> PreconditionFailed {
    if held.is_some() { PreconditionFailed::OtherVersion } else { PreconditionFailed::NotFound }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(condition: &VersionCondition) -> (&str, Vec<(&str, &str)>) {
        let values = condition.values.iter().map(|(name, value)| (name.as_str(), value.as_n().unwrap().as_str()));
        (&condition.expression, values.collect())
    }

    #[test]
    fn what_was_seen() {
        assert_eq!(text(&VersionCondition::seen("version", 0)), ("attribute_not_exists(version)", vec![]));
        assert_eq!(
            text(&VersionCondition::seen("version", 3)),
            ("version = :seen_version", vec![(":seen_version", "3")])
        );
        let live = VersionCondition::seen("version", 3).and("kind = :kind");
        assert_eq!(text(&live).0, "version = :seen_version AND kind = :kind");
    }

    #[test]
    fn what_is_expected() {
        let expected = |precondition| VersionCondition::expected("version", &precondition);
        assert_eq!(text(&expected(Precondition::Any)), ("attribute_exists(version)", vec![]));
        let none = expected(Precondition::OneOf(Vec::new()));
        assert_eq!(text(&none).0, "attribute_exists(version) AND attribute_not_exists(version)");
        let two = expected(Precondition::OneOf(vec![4, 5]));
        let values = vec![(":version0", "4"), (":version1", "5")];
        assert_eq!(text(&two), ("attribute_exists(version) AND version IN (:version0, :version1)", values));
        let older = VersionCondition::expected_or_older("edit_version", "version", &Precondition::OneOf(vec![4]));
        assert_eq!(
            text(&older).0,
            "attribute_exists(version) AND (edit_version IN (:version0) OR \
             (attribute_not_exists(edit_version) AND version IN (:version0)))"
        );
    }

    #[test]
    fn a_refusal_says_whether_there_is_a_record() {
        assert_eq!(why_refused(None), PreconditionFailed::NotFound);
        assert_eq!(why_refused(Some(&Item::new())), PreconditionFailed::OtherVersion);
    }
}
