//! Who may sign up, and as what: names, addresses, passwords, ages.

use std::fmt;
use std::ops::RangeInclusive;

/// Characters of a user name.
pub const USERNAME_CHARS: RangeInclusive<usize> = 3..=50;
/// Characters of a password at least.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// And at most: Cognito's own limit.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Characters of an e-mail address, RFC 5321.
pub const EMAIL_CHARS_MAX: usize = 254;
/// Characters before its at sign, RFC 5321.
const EMAIL_LOCAL_CHARS_MAX: usize = 64;
/// Characters between two dots of a host name, RFC 1035.
const LABEL_CHARS_MAX: usize = 63;
/// Years of somebody who may sign up.
pub const AGES: RangeInclusive<i64> = 18..=120;

/// A user name: letters and digits of ASCII, so that no two names look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

/// What is wrong with a user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsernameRule {
    /// Fewer or more characters than [`USERNAME_CHARS`].
    Length,
    /// Something else than letters and digits.
    Characters,
}

impl Username {
    /// Reads one.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Vec<UsernameRule>> {
        let mut broken = Vec::new();
        if !USERNAME_CHARS.contains(&text.chars().count()) {
            broken.push(UsernameRule::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            broken.push(UsernameRule::Characters);
        }
        if broken.is_empty() { Ok(Self(text.to_owned())) } else { Err(broken) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address of the usual form: what HTML's `type=email` takes, less addresses at a host without a dot, which
/// nobody can be written to from outside.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads one; `None` for what is none. Whether it can be reached, only a message to it shows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, host) = text.rsplit_once('@')?;
        let local_fine = (1..=EMAIL_LOCAL_CHARS_MAX).contains(&local.len())
            && local.split('.').all(|part| !part.is_empty() && part.bytes().all(is_atom));
        let labels: Vec<&str> = host.split('.').collect();
        let host_fine = labels.len() > 1 && labels.iter().all(|label| is_label(label));
        (text.len() <= EMAIL_CHARS_MAX && local_fine && host_fine).then(|| Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No address is printed by chance.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_CHARS_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A password that may be chosen.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRule {
    /// Fewer characters than [`PASSWORD_CHARS_MIN`].
    Short,
    /// More than [`PASSWORD_CHARS_MAX`].
    Long,
    /// No capital letter from A to Z: the only ones that the user pool counts.
    Upper,
    /// No small letter from a to z.
    Lower,
    /// No digit from 0 to 9.
    Digit,
    /// White space at an end, or a character that cannot be seen: the user pool takes neither.
    Invisible,
}

impl Password {
    /// Reads one that somebody wants to have.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn choose(text: &str) -> Result<Self, Vec<PasswordRule>> {
        let count = text.chars().count();
        let ends = [text.chars().next(), text.chars().next_back()];
        let rules = [
            (PasswordRule::Short, count < PASSWORD_CHARS_MIN),
            (PasswordRule::Long, count > PASSWORD_CHARS_MAX),
            (PasswordRule::Upper, !text.bytes().any(|byte| byte.is_ascii_uppercase())),
            (PasswordRule::Lower, !text.bytes().any(|byte| byte.is_ascii_lowercase())),
            (PasswordRule::Digit, !text.bytes().any(|byte| byte.is_ascii_digit())),
            (
                PasswordRule::Invisible,
                ends.into_iter().flatten().any(char::is_whitespace) || text.chars().any(char::is_control),
            ),
        ];
        let broken: Vec<PasswordRule> = rules.into_iter().filter(|(_, broken)| *broken).map(|(rule, _)| rule).collect();
        if broken.is_empty() { Ok(Self(text.to_owned())) } else { Err(broken) }
    }

    /// The password, to be handed to the user pool and to nothing else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No password is printed by chance.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Somebody who wants to sign up. The age is checked and not kept: nothing asks for it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// Where to write to.
    pub email: Email,
    /// What to sign in with.
    pub password: Password,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn user_names() {
        let check = |text: &str, broken: &[UsernameRule]| {
            assert_eq!(Username::parse(text).err().unwrap_or_default(), broken, "{text:?}");
        };
        check("ana", &[]);
        check(&"a".repeat(50), &[]);
        check("Ana2024", &[]);
        check("an", &[UsernameRule::Length]);
        check(&"a".repeat(51), &[UsernameRule::Length]);
        check("ana.gómez", &[UsernameRule::Characters]);
        check("ana gomez", &[UsernameRule::Characters]);
        check("аna", &[UsernameRule::Characters]); // the first letter is Cyrillic
        check("é", &[UsernameRule::Length, UsernameRule::Characters]);
        check("", &[UsernameRule::Length]);
    }

    #[test]
    fn addresses() {
        let long_label = format!("a@{}.example", "x".repeat(64));
        let long_host = format!("a@{}example", "x.".repeat(130));
        for (text, fine) in [
            ("ana@example.com", true),
            ("ana.gomez+shop@mail.example.co.uk", true),
            ("a!#$%&'*+/=?^_`{|}~-b@example.com", true),
            ("1@2.example", true),
            (&format!("{}@example.com", "a".repeat(64)), true),
            ("", false),
            ("ana", false),
            ("@example.com", false),
            ("ana@", false),
            ("ana@localhost", false),
            ("ana@example..com", false),
            ("ana@.example.com", false),
            ("ana@example.com.", false),
            ("ana@-example.com", false),
            ("ana@example-.com", false),
            ("ana@exa_mple.com", false),
            (".ana@example.com", false),
            ("ana.@example.com", false),
            ("a..b@example.com", false),
            ("ana gomez@example.com", false),
            ("ana@example.com ", false),
            ("ana@b@example.com", false),
            ("\"ana\"@example.com", false),
            ("ana@example.com\r\nbcc:x@example.com", false),
            ("ána@example.com", false),
            (&format!("{}@example.com", "a".repeat(65)), false),
            (&long_label, false),
            (&long_host, false),
        ] {
            assert_eq!(Email::parse(text).is_some(), fine, "{text:?}");
        }
    }

    #[test]
    fn passwords() {
        use PasswordRule::{Digit, Invisible, Long, Lower, Short, Upper};
        let check = |text: &str, broken: &[PasswordRule]| {
            assert_eq!(Password::choose(text).err().unwrap_or_default(), broken, "{text:?}");
        };
        check("Abcdefg1", &[]);
        check("Una frase larga con 1 espacio", &[]);
        check(&format!("Aa1{}", "x".repeat(253)), &[]);
        check("Abcdef1", &[Short]);
        check("abcdefg1", &[Upper]);
        check("ABCDEFG1", &[Lower]);
        check("Abcdefgh", &[Digit]);
        check("ñÑ٣ñÑ٣ñÑ٣", &[Upper, Lower, Digit]);
        check("", &[Short, Upper, Lower, Digit]);
        check(&format!("Aa1{}", "x".repeat(254)), &[Long]);
        check(" Abcdefg1", &[Invisible]);
        check("Abcdefg1\u{2003}", &[Invisible]);
        check("Abcd\nefg1", &[Invisible]);
    }

    #[test]
    fn nothing_secret_is_printed_by_chance() {
        let user = NewUser {
            username: Username::parse("ana").unwrap(),
            email: Email::parse("ana@example.com").unwrap(),
            password: Password::choose("Abcdefg1").unwrap(),
        };
        assert_eq!(
            format!("{user:?}"),
            r#"NewUser { username: Username("ana"), email: Email(…), password: Password(…) }"#
        );
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_kept_as_it_is(text in "\\PC{0,60}") {
            if let Ok(name) = Username::parse(&text) {
                prop_assert_eq!(name.as_str(), text.as_str());
            }
            if let Some(email) = Email::parse(&text) {
                prop_assert_eq!(email.as_str(), text.as_str());
            }
            if let Ok(password) = Password::choose(&text) {
                prop_assert_eq!(password.as_str(), text.as_str());
                prop_assert!(text.trim() == text && text.chars().count() >= PASSWORD_CHARS_MIN);
            }
        }

        #[test]
        fn an_address_has_one_at_sign_and_no_space(text in "[a-z@. \\n-]{0,20}") {
            if Email::parse(&text).is_some() {
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert!(!text.contains([' ', '\n']));
            }
        }
    }
}
