//! Finding names as a person types them: `cafe` finds `Café`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest text searched for, in characters.
pub const NEEDLE_CHARS_MAX: usize = 100;

/// What is searched for, without case and accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    /// `None` for a text that is blank, or longer than [`NEEDLE_CHARS_MAX`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().nth(NEEDLE_CHARS_MAX).is_some() { None } else { Some(Self(fold(text))) }
    }

    /// Does `name` contain it?
    #[must_use]
    pub fn is_in(&self, name: &str) -> bool {
        fold(name).contains(&self.0)
    }
}

/// A text without case and accents, as [`Needle`] compares it.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let bare = text.nfd().filter(|c| !is_combining_mark(*c));
    // By way of upper case, because several letters have the same one: ß and ss, ﬁ and fi, ς and σ, ı and i; and a large ẞ
    // has none but itself.
    let letters = bare.flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    // Put together again: a Korean syllable is no letter with accents.
    letters.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        let check = |needle, name, expected| assert_eq!(Needle::new(needle).unwrap().is_in(name), expected, "{needle}");
        check("cafe", "Café molido", true);
        check("CAFÉ", "cafe molido", true);
        check("Cafe\u{301}", "CAFÉ", true);
        check("ñandú", "NANDU", true);
        check(" molido ", "Café molido", true);
        check("te verde", "Té verde", true);
        check("전자", "전자 제품", true);
        check("strasse", "Straße", true);
        check("STRAẞE", "strasse", true);
        check("fibra", "ﬁbra óptica", true);
        check("ΟΔΟΣ", "οδός", true);
        check("tea", "Té verde", false);
        check("100%", "100% algodón", true);
        assert_eq!(Needle::new("  "), None);
        assert!(Needle::new(&"ñ".repeat(NEEDLE_CHARS_MAX)).is_some());
        assert_eq!(Needle::new(&"ñ".repeat(NEEDLE_CHARS_MAX + 1)), None);
    }
}
