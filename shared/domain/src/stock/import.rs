//! What an import is, what it counts, and what one row of it does to one line.

use crate::Millis;
use crate::stock::Stamp;

/// What a row's number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The number is the count: it replaces what the line held.
    #[default]
    Set,
    /// The number is added to the line, once per import; it may be negative.
    Adjust,
}

impl Mode {
    /// The mode's public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Adjust => "adjust",
        }
    }

    /// From its public name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "set" => Some(Self::Set),
            "adjust" => Some(Self::Adjust),
            _ => None,
        }
    }
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Announced; its file has not arrived.
    Pending,
    /// Being worked on.
    Running,
    /// Every row was taken.
    Completed,
    /// Finished; some rows were rejected.
    CompletedWithErrors,
    /// Refused whole, so that nothing was written; or broken off for good, with what had been written until then.
    Failed,
}

impl State {
    /// The state's public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
        }
    }

    /// From its public name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Completed, Self::CompletedWithErrors, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }

    /// Will it never change again?
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed => true,
        }
    }
}

/// What became of the rows. Every row is counted in `rows` and in exactly one of the others; a repeated row that says
/// the same again counts as `unchanged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Rows read, a wide row once for each location it names.
    pub rows: u64,
    /// Lines that were there and now hold something else.
    pub changed: u64,
    /// Lines that already held what the row says.
    pub unchanged: u64,
    /// Lines that were not there.
    pub created: u64,
    /// Rows that could not be taken.
    pub rejected: u64,
    /// Rows about lines that a newer count already settled.
    pub stale: u64,
}

impl Counters {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            changed: self.changed + other.changed,
            unchanged: self.unchanged + other.unchanged,
            created: self.created + other.created,
            rejected: self.rejected + other.rejected,
            stale: self.stale + other.stale,
        }
    }
}

/// One import, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// `imp_…`.
    pub id: String,
    /// The name it was uploaded under.
    pub file_name: String,
    /// Set or adjust.
    pub mode: Mode,
    /// Only say what would change.
    pub dry_run: bool,
    /// Where it stands.
    pub state: State,
    /// What became of the rows so far.
    pub counters: Counters,
    /// Rows the file holds; `None` until it was surveyed.
    pub rows_total: Option<u64>,
    /// When it was announced, or when its file arrived.
    pub created_at: Millis,
    /// When it reached a final state.
    pub finished_at: Option<Millis>,
    /// Why it failed, for people, where it did.
    pub failure: Option<String>,
    /// Key of the report (JSON) in the reports bucket, once there is one.
    pub report_key: Option<String>,
    /// Key of the rejected rows (CSV) in the reports bucket, where there are any.
    pub rejected_key: Option<String>,
}

impl Import {
    /// Thousandths of the work that are done: 0 to 1000.
    #[must_use]
    pub fn progress_permille(&self) -> u64 {
        match (self.state.is_final(), self.rows_total) {
            (true, _) => 1000,
            (false, Some(total)) if total > 0 => (self.counters.rows.min(total) * 1000 / total).min(999),
            (false, _) => 0,
        }
    }
}

/// What a line holds, as far as an import needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Units on the shelf.
    pub on_hand: i64,
    /// The line's own threshold.
    pub threshold: Option<i64>,
    /// How old the count is.
    pub stamp: Stamp,
    /// Which import made the line.
    pub created_by: String,
    /// Which import or user changed it last.
    pub changed_by: String,
}

/// What a `set` row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Units on the shelf.
    pub count: i64,
    /// A threshold of its own; `None` leaves the line's as it is.
    pub threshold: Option<i64>,
}

/// What to do with a `set` row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStep {
    /// There is no line: make one.
    Create,
    /// The line differs and this count is newer: write it, on condition that it still is.
    Change,
    /// Nothing to write, and how to count the row.
    Nothing(RowOutcome),
}

/// How a row was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOutcome {
    /// Made a line.
    Created,
    /// Changed one.
    Changed,
    /// Found it as it should be.
    Unchanged,
    /// Came too late.
    Stale,
}

impl Counters {
    /// Counts one row.
    pub fn count(&mut self, outcome: RowOutcome) {
        self.rows += 1;
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Changed => self.changed += 1,
            RowOutcome::Unchanged => self.unchanged += 1,
            RowOutcome::Stale => self.stale += 1,
        }
    }

    /// Counts one row that could not be taken.
    pub fn reject(&mut self) {
        self.rows += 1;
        self.rejected += 1;
    }
}

/// Compares a `set` row of `import` with what the store holds.
///
/// A repeated delivery of the same import finds its own work: what it made or changed is counted again as made or
/// changed, so that the report after a crash is the report without one.
#[must_use]
pub fn diff(import: &str, stamp: &Stamp, wanted: Wanted, held: Option<&Held>) -> LineStep {
    let Some(held) = held else { return LineStep::Create };
    if held.created_by == import {
        // An earlier try of ours made it and could not count it. Whatever it holds now came after us.
        return LineStep::Nothing(RowOutcome::Created);
    }
    let same = held.on_hand == wanted.count && (wanted.threshold.is_none() || wanted.threshold == held.threshold);
    if held.changed_by == import {
        return LineStep::Nothing(RowOutcome::Changed);
    }
    if same {
        return LineStep::Nothing(RowOutcome::Unchanged);
    }
    if stamp.is_newer_than(&held.stamp) { LineStep::Change } else { LineStep::Nothing(RowOutcome::Stale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(on_hand: i64, at: Millis, by: &str) -> Held {
        Held {
            on_hand,
            threshold: Some(5),
            stamp: Stamp { at, source: format!("source of {by}"), sequencer: String::new() },
            created_by: "imp_0".to_owned(),
            changed_by: by.to_owned(),
        }
    }

    #[test]
    fn one_row_against_one_line() {
        let stamp = Stamp { at: 10, source: "k".to_owned(), sequencer: "1".to_owned() };
        let check = |count, threshold, held: Option<Held>, expected| {
            assert_eq!(diff("imp_1", &stamp, Wanted { count, threshold }, held.as_ref()), expected, "{held:?}");
        };
        check(7, None, None, LineStep::Create);
        check(7, None, Some(held(7, 1, "imp_0")), LineStep::Nothing(RowOutcome::Unchanged));
        check(7, Some(5), Some(held(7, 1, "imp_0")), LineStep::Nothing(RowOutcome::Unchanged));
        check(7, Some(6), Some(held(7, 1, "imp_0")), LineStep::Change);
        check(8, None, Some(held(7, 1, "imp_0")), LineStep::Change);
        check(8, None, Some(held(7, 11, "imp_0")), LineStep::Nothing(RowOutcome::Stale));
        check(8, None, Some(held(7, 10, "imp_0")), LineStep::Nothing(RowOutcome::Stale));
        // the same import again: its own work counts as it did the first time
        check(8, None, Some(held(8, 10, "imp_1")), LineStep::Nothing(RowOutcome::Changed));
        check(
            8,
            None,
            Some(Held { created_by: "imp_1".to_owned(), ..held(8, 10, "imp_1") }),
            LineStep::Nothing(RowOutcome::Created),
        );
        // … also when somebody changed the line in between
        check(
            8,
            None,
            Some(Held { created_by: "imp_1".to_owned(), ..held(3, 99, "user") }),
            LineStep::Nothing(RowOutcome::Created),
        );
    }

    #[test]
    fn progress_is_one_only_when_it_is_over() {
        let mut import = Import {
            id: "imp_1".to_owned(),
            file_name: "a.csv".to_owned(),
            mode: Mode::Set,
            dry_run: false,
            state: State::Running,
            counters: Counters { rows: 10, ..Counters::default() },
            rows_total: Some(10),
            created_at: 0,
            finished_at: None,
            failure: None,
            report_key: None,
            rejected_key: None,
        };
        assert_eq!(import.progress_permille(), 999);
        import.rows_total = Some(0);
        assert_eq!(import.progress_permille(), 0);
        import.state = State::Failed;
        assert_eq!(import.progress_permille(), 1000);
    }
}
