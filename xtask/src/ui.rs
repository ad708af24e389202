//! What the person sees: steps with their time, tables, colours only on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Prints a line to standard output. A closed pipe (`… | head`) is no failure.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line to standard error, for what is not the answer itself.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn colours() -> bool {
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn painted(text: &str, code: &str) -> String {
    if colours() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text that stands out.
pub(crate) fn bold(text: &str) -> String {
    painted(text, "1")
}
/// Text of something that went well.
pub(crate) fn green(text: &str) -> String {
    painted(text, "32")
}
/// Text of something that failed.
pub(crate) fn red(text: &str) -> String {
    painted(text, "31")
}
/// Text that stands back.
pub(crate) fn dim(text: &str) -> String {
    painted(text, "2")
}

/// How often a step says that it goes on, where there is no terminal for a spinner.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// A step that takes a while: a spinner on a terminal, else a line now and then; one line with its time when it is over.
pub(crate) struct Step {
    name: String,
    started: Instant,
    bar: ProgressBar,
    /// Its end ends the lines.
    _going: Option<Sender<()>>,
}

impl Step {
    /// Shows that the step has begun.
    pub(crate) fn new(name: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("  {spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        let started = Instant::now();
        let going = (!std::io::stderr().is_terminal()).then(|| signs_of_life(bar.clone(), started));
        Self { name: name.to_owned(), started, bar, _going: going }
    }

    /// Says what the step is doing now.
    pub(crate) fn doing(&self, what: &str) {
        self.bar.set_message(format!("{}: {what}", self.name));
    }

    /// The step is over; `result` says what came of it.
    pub(crate) fn done(self, result: &str) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        note(&format!("  {} {} {}", green("✓"), result, dim(&format!("{seconds:.1} s"))));
    }
}

fn signs_of_life(bar: ProgressBar, started: Instant) -> Sender<()> {
    let (going, ended) = channel();
    std::thread::spawn(move || {
        while ended.recv_timeout(SIGN_OF_LIFE) == Err(RecvTimeoutError::Timeout) {
            note(&format!("  … {}, {} s", bar.message(), started.elapsed().as_secs()));
        }
    });
    going
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for a known amount of bytes.
pub(crate) fn bytes_bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg:<10} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A bar for a share of one thousand.
pub(crate) fn share_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("  {prefix:<10} {bar:30} {percent:>3}% {msg}");
    ProgressBar::new(1000).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Lines of a table with a head, columns as wide as their widest cell.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.max().unwrap_or(0).max(head.get(column).map_or(0, |name| width(name)))
        })
        .collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, &wanted)| format!("{cell}{}", " ".repeat(wanted.saturating_sub(width(cell)))))
            .collect();
        format!("  {}", padded.join("  ").trim_end())
    };
    let heads: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
    let mut lines = vec![bold(&line(&heads))];
    lines.extend(rows.iter().map(|row| line(row)));
    lines
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let rows = vec![vec!["Berlín".to_owned(), "7".to_owned()], vec!["M".to_owned(), "12".to_owned()]];
        assert_eq!(table(&["store", "n"], &rows), ["  store   n", "  Berlín  7", "  M       12"]);
    }
}
