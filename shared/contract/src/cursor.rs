//! Where a list goes on: opaque to the caller, checked when it comes back.
//!
//! A cursor is the key of the last line seen, with the list it belongs to and a checksum. It is no secret and grants
//! nothing: the checksum only tells a damaged cursor, or one of another list, from a good one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{ApiError, Text};

/// The longest cursor read: two names of the longest kind, four bytes a character, fit.
const CURSOR_BYTES_MAX: usize = 2048;
/// Changes when the content's meaning does; an older cursor is then refused, not misread.
const VERSION: &str = "1";
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
    let mut bytes = checksum(text.as_bytes()).to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of `list` and `scope` back into its `N` key parts.
///
/// # Errors
/// 400 naming `cursor`: damaged, too long, or of another list.
pub fn decode<const N: usize>(list: &str, scope: &str, cursor: &str) -> Result<[String; N], ApiError> {
    read(list, scope, cursor).ok_or_else(|| {
        ApiError::invalid_field(
            "cursor",
            Text::fixed("No es un cursor de esta lista.", "This is not a cursor of this list."),
        )
    })
}

fn read<const N: usize>(list: &str, scope: &str, cursor: &str) -> Option<[String; N]> {
    if cursor.len() > CURSOR_BYTES_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (sum, text) = bytes.split_first_chunk::<4>()?;
    if u32::from_be_bytes(*sum) != checksum(text) {
        return None;
    }
    let mut parts = std::str::from_utf8(text).ok()?.split(SEPARATOR);
    if parts.next()? != VERSION || parts.next()? != list || parts.next()? != scope {
        return None;
    }
    let key: Vec<String> = parts.map(str::to_owned).collect();
    if key.iter().any(String::is_empty) { None } else { key.try_into().ok() }
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_its_own_list_reads_a_cursor() {
        let cursor = encode("lines", "Berlin", &["Café 1 kg"]);
        assert_eq!(decode::<1>("lines", "Berlin", &cursor).unwrap(), ["Café 1 kg"]);
        assert!(decode::<1>("low", "Berlin", &cursor).is_err());
        assert!(decode::<1>("lines", "Madrid", &cursor).is_err());
        assert!(decode::<2>("lines", "Berlin", &cursor).is_err());
        for bad in ["", "a", "!", "AAAA", "ñ", &"A".repeat(3000), &cursor[1..], &format!("{cursor}=")] {
            assert!(decode::<1>("lines", "Berlin", bad).is_err(), "{bad}");
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

        #[test]
        fn one_changed_character_is_noticed(at in 0usize..30, by in 1u8..20) {
            let mut bytes = encode("lines", "Berlin", &["Coffee beans"]).into_bytes();
            let at = at % bytes.len();
            bytes[at] = b'A' + (bytes[at] + by) % 26;
            let changed = String::from_utf8(bytes).unwrap();
            if changed != encode("lines", "Berlin", &["Coffee beans"]) {
                prop_assert!(decode::<1>("lines", "Berlin", &changed).is_err());
            }
        }
    }
}
