//! To-dos of the warehouse, and the ones that low stock opens and a refill completes.

use crate::Millis;
use crate::kernel::id;
use crate::kernel::name::{NameError, SKU_CHARS_MAX, STORE_CHARS_MAX, clean};
use crate::stock::StockNews;

/// The longest title, in characters. The names of a store and an item fit, with words around them.
pub const TITLE_CHARS_MAX: usize = STORE_CHARS_MAX + SKU_CHARS_MAX + 100;
/// The longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 2_000;

/// What people write of a to-do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What is to be done, in one line.
    pub title: String,
    /// More about it; may be empty, and have several lines.
    pub description: String,
    /// Is it done?
    pub completed: bool,
}

/// A to-do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// `task_…`.
    pub id: String,
    /// What people write of it.
    pub content: Content,
    /// One more with every write. The `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When anything of it last changed.
    pub updated_at: Millis,
}

impl Task {
    /// A new one, as it is first written.
    #[must_use]
    pub fn new(id: String, content: Content, now: Millis) -> Self {
        Self { id, content, version: 1, created_at: now, updated_at: now }
    }
}

/// A title, trimmed and composed.
///
/// # Errors
/// Blank, too long, or with characters that cannot be seen.
pub fn title(text: &str) -> Result<String, NameError> {
    clean(text, TITLE_CHARS_MAX).map(std::borrow::Cow::into_owned)
}

/// A description without white space around it. Line breaks and tabs may stand in it.
///
/// # Errors
/// Too long, or with characters that cannot be seen.
pub fn description(text: &str) -> Result<String, NameError> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(NameError::TooLong { max: DESCRIPTION_CHARS_MAX });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(NameError::Control);
    }
    Ok(text)
}

/// The to-do that a low line opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub task: String,
    /// Since when the line had been low, as its news said: what tells one time of being low from the next.
    pub since: String,
}

/// What is known of a line's restocking: how far its news were followed, and what is open because of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestockState {
    /// The newest version of the line that news were followed of; older ones have nothing more to say. 0 before any.
    pub line_version: i64,
    /// The to-do of the time of being low that lasts.
    pub open: Option<Opened>,
}

/// News of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineNews<'a> {
    /// Which store.
    pub store: &'a str,
    /// Which item.
    pub sku: &'a str,
    /// What happened.
    pub news: StockNews,
    /// The version of the line that it happened with. Later news have higher ones, and no two the same.
    pub line_version: i64,
    /// Since when it has been low; for a refill, until then.
    pub since: &'a str,
}

/// What is to be done to a to-do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskStep {
    /// Make this one.
    Open(String),
    /// Say in this one that nothing is left, unless a person has written in it.
    Raise(String),
    /// Complete this one, unless it is completed or gone.
    Complete(String),
}

/// What news lead to: what is known afterwards, and the steps, all to be made together. `None`: it is known already.
///
/// News come more than once and in any order. The version of the line puts them in order, so whatever the order they
/// come in, a to-do is open in the end if and only if the newest of them is bad. The news before the newest may have
/// been passed over then; a to-do that they would have opened and completed is not made, one that they should have
/// completed is completed by the newest.
///
/// Steps are for the to-do that was opened, not for its content: what a person did to it in the meantime stays.
#[must_use]
pub fn restock(known: &RestockState, news: &LineNews<'_>) -> Option<(RestockState, Vec<TaskStep>)> {
    if news.line_version <= known.line_version {
        return None;
    }
    let after = |open| RestockState { line_version: news.line_version, open };
    let (open, steps) = match (news.news, known.open.clone()) {
        (StockNews::Low | StockNews::Out, Some(open)) if open.since == news.since => {
            let steps = if news.news == StockNews::Out { vec![TaskStep::Raise(open.task.clone())] } else { Vec::new() };
            (Some(open), steps)
        }
        (StockNews::Low | StockNews::Out, before) => {
            let task = opened_by(news);
            let mut steps = vec![TaskStep::Open(task.clone())];
            steps.extend(before.map(|old| TaskStep::Complete(old.task)));
            (Some(Opened { task, since: news.since.to_owned() }), steps)
        }
        (StockNews::Refilled, before) => (None, before.map(|old| TaskStep::Complete(old.task)).into_iter().collect()),
    };
    Some((after(open), steps))
}

/// The id of the to-do that these news open: it follows from them.
fn opened_by(news: &LineNews<'_>) -> String {
    id::derived("task", &["restock", news.store, news.sku, &news.line_version.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::StockNews::{Low, Out, Refilled};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn news(news: StockNews, line_version: i64, since: &str) -> LineNews<'_> {
        LineNews { store: "Berlin", sku: "Té", news, line_version, since }
    }

    /// A table of to-dos: id → completed.
    #[derive(Debug, Default, Clone, PartialEq, Eq)]
    struct World {
        known: RestockState,
        tasks: BTreeMap<String, bool>,
    }

    impl World {
        fn hear(&mut self, news: &LineNews<'_>) -> String {
            let Some((known, steps)) = restock(&self.known, news) else { return "nothing".to_owned() };
            self.known = known;
            let mut told = Vec::new();
            for step in steps {
                told.push(match step {
                    TaskStep::Open(id) => {
                        assert_eq!(self.tasks.insert(id, false), None, "opened twice");
                        "open"
                    }
                    TaskStep::Raise(id) => {
                        assert!(self.tasks.contains_key(&id));
                        "raise"
                    }
                    TaskStep::Complete(id) => {
                        self.tasks.insert(id, true);
                        "complete"
                    }
                });
            }
            told.join("+")
        }

        fn open(&self) -> usize {
            self.tasks.values().filter(|completed| !**completed).count()
        }
    }

    #[test]
    fn what_news_lead_to() {
        let check = |all: &[(StockNews, i64, &str)], expected: &[&str]| {
            let mut world = World::default();
            let told: Vec<String> = all.iter().map(|(kind, v, since)| world.hear(&news(*kind, *v, since))).collect();
            assert_eq!(told, expected, "{all:?}");
        };
        check(&[(Low, 2, "a"), (Out, 3, "a"), (Refilled, 4, "a")], &["open", "raise", "complete"]);
        // gone at once, without having been low
        check(&[(Out, 2, "a"), (Refilled, 3, "a"), (Low, 4, "b")], &["open", "complete", "open"]);
        // each comes again
        check(
            &[(Low, 2, "a"), (Low, 2, "a"), (Refilled, 3, "a"), (Low, 2, "a")],
            &["open", "nothing", "complete", "nothing"],
        );
        // the refill before what it ends
        check(&[(Refilled, 3, "a"), (Low, 2, "a")], &["", "nothing"]);
        // gone before low
        check(&[(Out, 3, "a"), (Low, 2, "a")], &["open", "nothing"]);
        // the next time before the end of the first
        check(&[(Low, 2, "a"), (Low, 4, "b"), (Refilled, 3, "a")], &["open", "open+complete", "nothing"]);
        // twice within one second, in order
        check(&[(Low, 2, "a"), (Refilled, 3, "a"), (Low, 4, "a")], &["open", "complete", "open"]);
    }

    #[test]
    fn the_longest_names_fit_a_title() {
        let text = format!("Reponer «{}» en {}", "ñ".repeat(SKU_CHARS_MAX), "ñ".repeat(STORE_CHARS_MAX));
        assert_eq!(title(&text).as_deref(), Ok(text.as_str()));
    }

    #[test]
    fn texts() {
        assert_eq!(title("  Contar el almacén "), Ok("Contar el almacén".to_owned()));
        assert_eq!(title(" \t"), Err(NameError::Blank));
        assert_eq!(title("a\nb"), Err(NameError::Control));
        assert_eq!(title(&"x".repeat(401)), Err(NameError::TooLong { max: 400 }));
        assert_eq!(description("  "), Ok(String::new()));
        assert_eq!(description(" a\r\n\tb\n"), Ok("a\n\tb".to_owned()));
        assert_eq!(description("a\u{0}"), Err(NameError::Control));
        assert_eq!(description("a\u{7f}b"), Err(NameError::Control));
        assert_eq!(description(&"ñ".repeat(2_000)).map(|text| text.chars().count()), Ok(2_000));
        assert_eq!(description(&"ñ".repeat(2_001)), Err(NameError::TooLong { max: 2_000 }));
    }

    /// A line's history as the watcher tells it: bad news, perhaps worse, a refill, and so on.
    fn history(worse: &[bool]) -> Vec<(StockNews, i64, String)> {
        let mut told = Vec::new();
        let mut version = 0;
        let mut tell = |news, since: &str| {
            version += 2;
            told.push((news, version, since.to_owned()));
        };
        for (at, worse) in worse.iter().enumerate() {
            let since = at.to_string();
            tell(Low, &since);
            if *worse {
                tell(Out, &since);
            }
            tell(Refilled, &since);
        }
        told
    }

    proptest! {
        #[test]
        fn in_any_order_and_any_number_of_times_the_newest_decides(
            worse in proptest::collection::vec(any::<bool>(), 1..5),
            cut in 0usize..3,
            order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
        ) {
            let mut all = history(&worse);
            all.truncate((all.len() - cut.min(all.len() - 1)).max(1));
            let mut world = World::default();
            for at in &order {
                let (kind, version, since) = at.get(&all);
                world.hear(&news(*kind, *version, since));
                prop_assert!(world.open() <= 1);
            }
            // In the end all have come at least once, in any order.
            for (kind, version, since) in all.iter().rev() {
                world.hear(&news(*kind, *version, since));
            }
            let (newest, version, _) = all.last().unwrap();
            prop_assert_eq!(world.open(), usize::from(*newest != Refilled));
            prop_assert_eq!(world.known.line_version, *version);
            let before = world.clone();
            for (kind, version, since) in &all {
                world.hear(&news(*kind, *version, since));
            }
            prop_assert_eq!(world, before);
        }
    }
}
