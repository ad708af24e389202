//! Cells that a spreadsheet would run.
//!
//! Whoever may drop a file into the bucket decides what stands in it, and somebody else opens the rejected rows in a
//! spreadsheet (OWASP, "CSV Injection"). So there such a cell begins with an apostrophe, which spreadsheets take for
//! "this is text"; and when the rows come back, that apostrophe is no part of the cell.

use std::borrow::Cow;

/// What a cell that is run begins with; the last four are the wide forms, which some spreadsheets take as well.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The cell as it can be opened. Signed numbers stay as they are.
pub(super) fn disarm(cell: &str) -> Cow<'_, str> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b" .,+-".contains(&byte));
    if cell.starts_with(STARTS) && !number(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell as it was.
pub(super) fn rearm(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(STARTS)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_is_text_and_comes_back_as_it_was() {
        for (cell, shown) in [
            ("=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd", "'+cmd"),
            ("-2+cmd", "'-2+cmd"),
            ("\t=A1", "'\t=A1"),
            ("＝A1", "'＝A1"),
            ("-5", "-5"),
            ("+1,200.50", "+1,200.50"),
            ("-", "-"),
            ("Café", "Café"),
            ("'quoted'", "'quoted'"),
        ] {
            assert_eq!(disarm(cell), shown);
            assert_eq!(rearm(shown), cell);
            assert_eq!(disarm(shown), shown, "twice is as good as once");
        }
    }
}
