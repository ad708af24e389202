//! The rows that were not taken: kept up to a bound for the report, and as a CSV to be corrected and uploaded again.

use almacen_stock_csv::{Lang, Rejected, rejected};
use serde::{Deserialize, Serialize};

/// Rejected rows kept for one part and for one report. All are counted; whoever has more has one mistake a thousand times.
pub const KEPT_MAX: usize = 1_000;
/// Characters of a column's name in the report.
const COLUMN_CHARS_MAX: usize = 100;
/// Bytes of the CSV of rejected rows kept for one part and for one report.
pub const CSV_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A sentence in the two languages of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// One rejected row, as the report tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Line of the file, from 1.
    pub line: u64,
    /// The column the trouble is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What stands there, clipped.
    pub value: String,
    /// A stable name for the reason.
    pub code: String,
    /// The reason for people.
    pub reason: Sentence,
}

/// A column's name at a length that can be shown: a header's cells have no bound of their own.
fn clipped(name: &str) -> String {
    match name.char_indices().nth(COLUMN_CHARS_MAX) {
        Some(_) => name.chars().take(COLUMN_CHARS_MAX - 1).chain(['…']).collect(),
        None => name.to_owned(),
    }
}

/// Those of a part.
#[derive(Debug, Default)]
pub struct Rejects {
    /// For the report.
    pub kept: Vec<Reject>,
    /// Rows of the CSV, without its header.
    pub csv: Vec<u8>,
}

impl Rejects {
    /// Keeps one, if there is still room.
    pub fn push(&mut self, row: &Rejected<'_>) {
        if self.kept.len() >= KEPT_MAX {
            return;
        }
        self.kept.push(Reject {
            line: row.at.line,
            column: row.column.map(clipped),
            value: row.value.clone().into_owned(),
            code: row.reason.code().to_owned(),
            reason: Sentence { es: row.reason.text(Lang::Es), en: row.reason.text(Lang::En) },
        });
        let before = self.csv.len();
        rejected::append(row, Lang::Es, &mut self.csv);
        if self.csv.len() > CSV_BYTES_MAX {
            self.csv.truncate(before);
        }
    }
}
