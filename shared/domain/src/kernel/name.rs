//! The names of stores and items: once you hold a [`StoreId`] or a [`Sku`], it is valid.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A store's name, at most this many characters (not bytes).
pub const STORE_CHARS_MAX: usize = 100;
/// An item's name or SKU, at most this many characters. Four bytes each at worst, it still fits the 1,024 bytes that
/// DynamoDB allows a sort key.
pub const SKU_CHARS_MAX: usize = 200;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("is blank")]
    Blank,
    /// More characters than `max`.
    #[error("is longer than {max} characters")]
    TooLong {
        /// The most characters this name may have.
        max: usize,
    },
    /// A control character, a line separator or a direction override: it could not be seen, or would hide others.
    #[error("contains a control character")]
    Control,
}

/// Trims and checks a name. Borrowed where nothing had to change, which for ASCII is always.
///
/// Composed and decomposed accents are one name: `Cafe\u{301}` becomes `Café` (Unicode NFC).
pub fn clean(text: &str, max: usize) -> Result<Cow<'_, str>, NameError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(NameError::Blank);
    }
    if trimmed.is_ascii() {
        if trimmed.bytes().any(|b| b < 0x20 || b == 0x7f) {
            return Err(NameError::Control);
        }
        return if trimmed.len() > max { Err(NameError::TooLong { max }) } else { Ok(Cow::Borrowed(trimmed)) };
    }
    if trimmed.chars().any(is_invisible) {
        return Err(NameError::Control);
    }
    let composed = match is_nfc_quick(trimmed.chars()) {
        IsNormalized::Yes => Cow::Borrowed(trimmed),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(trimmed.nfc().collect::<String>()),
    };
    if composed.chars().count() > max { Err(NameError::TooLong { max }) } else { Ok(composed) }
}

/// Control characters, line and paragraph separators, soft hyphens, zero-width marks, letters without a shape, byte-order
/// marks, direction overrides and tags.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
        )
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Trims, composes and checks.
            ///
            /// # Errors
            /// Blank, too long, or with characters that cannot be seen.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                clean(text, $max).map(|name| Self(name.into_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name! {
    /// Which store: `Berlin`. At most [`STORE_CHARS_MAX`] characters.
    StoreId, STORE_CHARS_MAX
}
name! {
    /// Which item: a SKU, or the name where a shop has no SKUs. At most [`SKU_CHARS_MAX`] characters.
    Sku, SKU_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<&str, NameError>) {
        assert_eq!(clean(text, 8).as_deref(), expected.as_ref().map(|s| *s), "{text:?}");
    }

    #[test]
    fn rules() {
        check("Berlin", Ok("Berlin"));
        check("  Berlin\t", Ok("Berlin"));
        check("São Pau", Ok("São Pau"));
        check("Cafe\u{301}", Ok("Café"));
        check("", Err(NameError::Blank));
        check(" \u{a0} ", Err(NameError::Blank));
        check("123456789", Err(NameError::TooLong { max: 8 }));
        check("ñññññññññ", Err(NameError::TooLong { max: 8 }));
        check("ññññññññ", Ok("ññññññññ"));
        check("a\u{0}b", Err(NameError::Control));
        check("a\nb", Err(NameError::Control));
        for hidden in ["\u{202e}", "\u{ad}", "\u{61c}", "\u{115f}", "\u{3164}", "\u{e0041}"] {
            check(&format!("a{hidden}b"), Err(NameError::Control));
        }
        check("é\u{7f}", Err(NameError::Control));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            if let Ok(once) = clean(&text, SKU_CHARS_MAX) {
                prop_assert_eq!(clean(&once, SKU_CHARS_MAX), Ok(Cow::Borrowed(once.as_ref())));
                prop_assert!(once.len() <= 1024);
            }
        }
    }
}
