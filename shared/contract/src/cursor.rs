//! Cursors, by which a list continues: opaque to the caller, checked when they come back.
//!
//! A cursor is the key of the last element seen, with the list it belongs to. It is no secret and grants no right; its
//! reader checks the key like any other input.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest cursor read: two names of the longest kind, four bytes a character, fit.
const CURSOR_BYTES_MAX: usize = 2048;
/// Changes when the content's meaning does; an older cursor is then refused, not misread.
const VERSION: &str = "2";
const SEPARATOR: char = '\u{1f}';

/// Makes the cursor of `list` after the thing with these key parts. `scope` binds it to what was asked (the store of
/// a store's list), so that it cannot be used for another.
#[must_use]
pub fn encode(list: &str, scope: &str, key: &[&str]) -> String {
    let mut text = format!("{VERSION}{SEPARATOR}{list}{SEPARATOR}{scope}");
    for part in key {
        text.push(SEPARATOR);
        text.push_str(part);
    }
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads a cursor of `list` and `scope` back into its `N` key parts. `None` for one that is damaged, too long, or of another
/// list.
#[must_use]
pub fn decode<const N: usize>(list: &str, scope: &str, cursor: &str) -> Option<[String; N]> {
    if cursor.len() > CURSOR_BYTES_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let mut parts = std::str::from_utf8(&bytes).ok()?.split(SEPARATOR);
    if parts.next()? != VERSION || parts.next()? != list || parts.next()? != scope {
        return None;
    }
    let key: Vec<String> = parts.map(str::to_owned).collect();
    if key.iter().any(String::is_empty) { None } else { key.try_into().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_its_own_list_reads_a_cursor() {
        let cursor = encode("lines", "Berlin", &["Café 1 kg"]);
        assert_eq!(decode::<1>("lines", "Berlin", &cursor).unwrap(), ["Café 1 kg"]);
        assert!(decode::<1>("low", "Berlin", &cursor).is_none());
        assert!(decode::<1>("lines", "Madrid", &cursor).is_none());
        assert!(decode::<2>("lines", "Berlin", &cursor).is_none());
        for bad in ["", "a", "!", "AAAA", "ñ", &"A".repeat(3000), &cursor[1..], &format!("{cursor}=")] {
            assert!(decode::<1>("lines", "Berlin", bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_longest_names_fit() {
        let (store, item) = ("😀".repeat(100), "😀".repeat(200));
        let cursor = encode("items", "", &[&store, &item]);
        assert_eq!(decode::<2>("items", "", &cursor).unwrap(), [store, item]);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_refused_or_read(cursor in any::<String>()) {
            let _ = decode::<1>("lines", "Berlin", &cursor);
        }
    }
}
