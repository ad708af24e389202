//! Signing in, on the wire.

use serde::Serialize;

use crate::error::{Refusal, Text};
use crate::json::Fields;

/// The longest user name: Cognito's own limit.
pub const USERNAME_CHARS_MAX: usize = 128;
/// The longest password: Cognito's own limit.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// The longest refresh token. Cognito's have about two kilobytes.
pub const REFRESH_TOKEN_CHARS_MAX: usize = 8 * 1024;

/// What a caller signs in with. No `Debug`: it must not be printed by chance.
pub enum Credentials {
    /// A user name and a password.
    Password {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// A refresh token.
    RefreshToken(String),
}

/// Reads the body of `POST /token`, form or JSON.
///
/// # Errors
/// 400 naming every bad field, never a value.
pub fn credentials(mut fields: Fields) -> Result<Credentials, Refusal> {
    let refresh = fields.text("refresh_token", REFRESH_TOKEN_CHARS_MAX).filter(|token| !token.is_empty());
    let kind = fields.text("grant_type", 32).filter(|kind| !kind.is_empty());
    let wanted = if refresh.is_some() { "refresh_token" } else { "password" };
    if kind.is_some_and(|kind| kind != wanted) {
        fields.problem("grant_type", Text::made(format!("Debe ser {wanted}."), format!("Must be {wanted}.")));
    }
    if let Some(token) = refresh {
        fields.finish()?;
        return Ok(Credentials::RefreshToken(token));
    }
    let username = fields.required_text("username", USERNAME_CHARS_MAX);
    let password = fields.required_text("password", PASSWORD_CHARS_MAX);
    // OAuth's password form carries these too; they change nothing here.
    for ignored in ["scope", "client_id"] {
        let _ = fields.text(ignored, 256);
    }
    fields.finish()?;
    Ok(Credentials::Password { username: username.unwrap_or_default(), password: password.unwrap_or_default() })
}

/// The answer to `POST /token`. No `Debug`: it must not be printed by chance.
#[derive(Serialize)]
pub struct TokenBody {
    /// For the API.
    pub access_token: String,
    /// For new access tokens; absent where the caller has it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// `bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token lasts.
    pub expires_in: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;
    use crate::form;

    fn read(body: &str) -> Result<(String, String), String> {
        let fields = if body.starts_with('{') { Fields::parse(body.as_bytes()) } else { form::parse(body.as_bytes()) };
        match credentials(fields.unwrap()) {
            Ok(Credentials::Password { username, password }) => Ok((username, password)),
            Ok(Credentials::RefreshToken(token)) => Ok(("refresh".to_owned(), token)),
            Err(refusal) => Err(refusal.body(Language::English, "r")),
        }
    }

    #[test]
    fn form_and_json() {
        let ana = Ok(("ana".to_owned(), "p w".to_owned()));
        assert_eq!(read("username=ana&password=p+w"), ana);
        assert_eq!(read("grant_type=password&username=ana&password=p+w&scope=&client_id=x"), ana);
        assert_eq!(read(r#"{"username":"ana","password":"p w"}"#), ana);
        assert_eq!(read("grant_type=refresh_token&refresh_token=t"), Ok(("refresh".to_owned(), "t".to_owned())));
        assert_eq!(read(r#"{"refresh_token":"t"}"#), Ok(("refresh".to_owned(), "t".to_owned())));
    }

    #[test]
    fn bad_fields_are_named_and_values_are_not() {
        assert_eq!(
            read(r#"{"username":"","password":7,"otp":"1"}"#).unwrap_err(),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"username","mensaje":"Must not be blank."},{"campo":"password","mensaje":"Must be a text."},{"campo":"otp","mensaje":"This field is not known."}],"solicitudId":"r"}}"#
        );
        let long = read(&format!("username=ana&password={}", "x".repeat(257))).unwrap_err();
        assert!(long.contains("Has more than 256 characters.") && !long.contains("xxx"), "{long}");
        assert!(read("").unwrap_err().contains("Is missing."));
        assert!(read("username=ana&refresh_token=t").unwrap_err().contains("not known"));
        assert!(read("grant_type=refresh_token&username=ana&password=p").unwrap_err().contains("grant_type"));
    }

    #[test]
    fn the_answer() {
        let body = |refresh_token| TokenBody {
            access_token: "a".to_owned(),
            refresh_token,
            token_type: "bearer",
            expires_in: 3600,
        };
        assert_eq!(
            serde_json::to_string(&body(Some("r".to_owned()))).unwrap(),
            r#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":3600}"#
        );
        assert_eq!(
            serde_json::to_string(&body(None)).unwrap(),
            r#"{"access_token":"a","token_type":"bearer","expires_in":3600}"#
        );
    }
}
