//! The tables of a run, for the terminal and for `docs/performance.md`.

use std::fmt::Write as _;

/// One cell: its text, and whether it meets a target, where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    met: Option<bool>,
}

impl Cell {
    /// A value that meets a target or misses it.
    pub(crate) fn judged(text: impl Into<String>, met: bool) -> Self {
        Self { text: text.into(), met: Some(met) }
    }

    /// Judged only where there is a target.
    pub(crate) fn maybe(text: impl Into<String>, met: Option<bool>) -> Self {
        Self { text: text.into(), met }
    }

    fn marked(&self) -> String {
        match self.met {
            None => self.text.clone(),
            Some(true) => format!("{} ✓", self.text),
            Some(false) => format!("{} ✗", self.text),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), met: None }
    }
}

/// A table with what has to be said about it.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// Its heading.
    pub(crate) title: String,
    /// What was done, and the targets.
    pub(crate) method: String,
    /// Names of the columns.
    pub(crate) header: Vec<String>,
    /// How many of them, from the left, name what the row is about.
    pub(crate) names: usize,
    /// The rows, each as long as the header.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What has to be said about the numbers.
    pub(crate) notes: Vec<String>,
}

impl Section {
    /// With its heading, method and columns, of which the first `names` name the row.
    pub(crate) fn new(title: &str, method: &str, names: usize, header: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            method: method.to_owned(),
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            names,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Every target that was missed: row, column and value.
    pub(crate) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for row in &self.rows {
            let name = row.iter().take(self.names).map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(", ");
            for (column, cell) in self.header.iter().zip(row) {
                if cell.met == Some(false) {
                    missed.push(format!("{}: {name}: {column} is {}", self.title, cell.text));
                }
            }
        }
        missed
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.marked().chars().count());
            cells.chain(self.header.get(column).map(|name| name.chars().count())).max().unwrap_or(0)
        };
        (0..self.header.len()).map(width).collect()
    }

    /// For a terminal: aligned, and coloured where `colours`.
    pub(crate) fn terminal(&self, colours: bool) -> String {
        let paint = |text: String, code: &str| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text };
        let widths = self.widths();
        let mut out = format!("\n{}\n", paint(self.title.clone(), "1"));
        let line = |cells: Vec<(String, &str)>| {
            let mut text = String::from(" ");
            for (at, (cell, code)) in cells.into_iter().enumerate() {
                let space = widths.get(at).copied().unwrap_or(0).saturating_sub(cell.chars().count());
                let padding = " ".repeat(space);
                let cell = if code.is_empty() { cell } else { paint(cell, code) };
                // Names stand left, numbers right.
                text.push_str(&if at < self.names {
                    format!(" {cell}{padding}{}", if at + 1 < self.names { " " } else { "" })
                } else {
                    format!("  {padding}{cell}")
                });
            }
            text + "\n"
        };
        out.push_str(&line(self.header.iter().map(|name| (name.clone(), "2")).collect()));
        for row in &self.rows {
            let cells = row.iter().map(|cell| {
                let code = match cell.met {
                    None => "",
                    Some(true) => "32",
                    Some(false) => "31",
                };
                (cell.marked(), code)
            });
            out.push_str(&line(cells.collect()));
        }
        for note in &self.notes {
            let _infallible = writeln!(out, "  {}", paint(note.clone(), "2"));
        }
        out
    }

    /// For the document.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n{}\n\n", self.title, self.method);
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |at: usize| if at < self.names { "---" } else { "---:" }.to_owned();
        out.push_str(&row(self.header.clone()));
        out.push_str(&row((0..self.header.len()).map(rule).collect()));
        for cells in &self.rows {
            out.push_str(&row(cells.iter().map(Cell::marked).collect()));
        }
        out.push('\n');
        for note in &self.notes {
            let _infallible = writeln!(out, "- {note}");
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        let mut section = Section::new("Start-up", "How.", 1, &["function", "ms"]);
        section.rows.push(vec!["empty".into(), "3.0".into()]);
        section.rows.push(vec!["other".into(), Cell::judged("9.1", false)]);
        section
    }

    #[test]
    fn as_markdown_and_as_text() {
        let expected =
            "## Start-up\n\nHow.\n\n| function | ms |\n| --- | ---: |\n| empty | 3.0 |\n| other | 9.1 ✗ |\n\n";
        assert_eq!(section().markdown(), expected);
        assert_eq!(section().terminal(false), "\nStart-up\n  function     ms\n  empty       3.0\n  other     9.1 ✗\n");
        assert_eq!(section().missed(), ["Start-up: other: ms is 9.1"]);
    }
}
