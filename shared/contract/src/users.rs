//! Signing up and signing in, on the wire.

use almacen_domain::identity::user::{
    AGES, Email, NewUser, PASSWORD_CHARS_MIN, Password, PasswordRule, USERNAME_CHARS, Username, UsernameRule,
};
use serde::Serialize;

use crate::error::{ApiError, Code, Text};
use crate::json::Fields;

/// The longest user name that signs in: Cognito's own limit. Who signs up is held to the shop's, which is shorter.
pub const USERNAME_CHARS_MAX: usize = 128;
/// The longest password.
pub use almacen_domain::identity::user::PASSWORD_CHARS_MAX;
/// The longest refresh token. Cognito's have about two kilobytes.
pub const REFRESH_TOKEN_CHARS_MAX: usize = 8 * 1024;

/// Characters of one text of a sign-up that are looked at, so that all the rules a long one breaks can be named.
const TEXT_CHARS_MAX: usize = 16 * 1024;

/// Reads the body of `POST /users`.
///
/// # Errors
/// 400 naming every broken rule of every field, never a value.
pub fn new_user(body: &[u8]) -> Result<NewUser, ApiError> {
    let mut fields = Fields::parse(body)?;
    let username = fields.required_text("username", TEXT_CHARS_MAX).map(|text| Username::parse(&text));
    let email = fields.required_text("email", TEXT_CHARS_MAX).map(|text| Email::parse(&text));
    let password = fields.required_text("password", TEXT_CHARS_MAX).map(|text| Password::choose(&text));
    let _checked_and_not_kept = fields.integer("age", &AGES);

    for rule in username.iter().filter_map(|read| read.as_ref().err()).flatten() {
        fields.problem("username", username_refused(*rule));
    }
    if email == Some(None) {
        fields.problem("email", Text::fixed("No es una dirección de correo.", "Is no e-mail address."));
    }
    for rule in password.iter().filter_map(|read| read.as_ref().err()).flatten() {
        fields.problem("password", password_refused(*rule));
    }
    fields.finish()?;
    match (username, email, password) {
        (Some(Ok(username)), Some(Some(email)), Some(Ok(password))) => Ok(NewUser { username, email, password }),
        // Each of the others was a problem, so the reading has ended above.
        _ => Err(ApiError::new(Code::Validation)),
    }
}

fn username_refused(rule: UsernameRule) -> Text {
    match rule {
        UsernameRule::Length => {
            let (from, to) = (USERNAME_CHARS.start(), USERNAME_CHARS.end());
            Text::made(
                format!("Debe tener de {from} a {to} caracteres."),
                format!("Must have {from} to {to} characters."),
            )
        }
        UsernameRule::Characters => Text::fixed(
            "Solo admite letras sin acentos y cifras.",
            "Only letters without accents and digits are allowed.",
        ),
    }
}

fn password_refused(rule: PasswordRule) -> Text {
    match rule {
        PasswordRule::Short => Text::made(
            format!("Debe tener al menos {PASSWORD_CHARS_MIN} caracteres."),
            format!("Must have at least {PASSWORD_CHARS_MIN} characters."),
        ),
        PasswordRule::Long => Text::made(
            format!("Tiene más de {PASSWORD_CHARS_MAX} caracteres."),
            format!("Has more than {PASSWORD_CHARS_MAX} characters."),
        ),
        PasswordRule::Upper => {
            Text::fixed("Debe tener una letra mayúscula (A-Z).", "Must have a capital letter (A-Z).")
        }
        PasswordRule::Lower => Text::fixed("Debe tener una letra minúscula (a-z).", "Must have a small letter (a-z)."),
        PasswordRule::Digit => Text::fixed("Debe tener una cifra.", "Must have a digit."),
        PasswordRule::Invisible => Text::fixed(
            "No puede empezar ni acabar en espacio ni llevar caracteres de control.",
            "Must not begin or end with a space, nor contain control characters.",
        ),
    }
}

/// The answer to `POST /users`.
#[derive(Debug, Serialize)]
pub struct UserBody<'a> {
    /// The user's id, for ever.
    pub id: &'a str,
    /// The name to sign in with.
    pub username: &'a str,
}

/// The answer to `GET /users/me`. No `Debug`: an address must not be printed by chance.
#[derive(Serialize)]
pub struct MeBody<'a> {
    /// The user's id, for ever.
    pub id: &'a str,
    /// The name to sign in with.
    pub username: &'a str,
    /// Where the user is written to; `null` where nobody has said.
    pub email: Option<&'a str>,
    /// `cliente`, `operador` or `admin`.
    pub rol: &'static str,
}

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
pub fn credentials(mut fields: Fields) -> Result<Credentials, ApiError> {
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
    for ignored in ["scope", "client_id", "client_secret"] {
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

    fn sign_up(body: &str) -> Result<NewUser, String> {
        new_user(body.as_bytes()).map_err(|refusal| refusal.body(Language::English, "r"))
    }

    fn told(details: &str) -> String {
        format!(
            r#"{{"error":{{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{details}],"solicitudId":"r"}}}}"#
        )
    }

    #[test]
    fn signing_up() {
        let body = r#"{"username":"ana","email":"ana@example.com","password":"Secreta123","age":18}"#;
        let new = sign_up(body).unwrap();
        assert_eq!(
            (new.username.as_str(), new.email.as_str(), new.password.as_str()),
            ("ana", "ana@example.com", "Secreta123")
        );
        assert!(sign_up(&body.replace(r#","age":18"#, "")).is_ok());
        assert!(sign_up(&body.replace("18", "120")).is_ok());
        for age in ["17", "121", "18.5", "\"18\"", "null", "-1", "1e3"] {
            assert_eq!(
                sign_up(&body.replace("18", age)).unwrap_err(),
                told(r#"{"campo":"age","mensaje":"Must be a whole number from 18 to 120."}"#),
                "{age}"
            );
        }
    }

    #[test]
    fn every_broken_rule_is_named_and_no_value() {
        let refused = sign_up(r#"{"username":"é","email":"ana","password":"Ñ s","age":7,"rol":"admin"}"#);
        assert_eq!(
            refused.unwrap_err(),
            told(concat!(
                r#"{"campo":"age","mensaje":"Must be a whole number from 18 to 120."},"#,
                r#"{"campo":"username","mensaje":"Must have 3 to 50 characters."},"#,
                r#"{"campo":"username","mensaje":"Only letters without accents and digits are allowed."},"#,
                r#"{"campo":"email","mensaje":"Is no e-mail address."},"#,
                r#"{"campo":"password","mensaje":"Must have at least 8 characters."},"#,
                r#"{"campo":"password","mensaje":"Must have a capital letter (A-Z)."},"#,
                r#"{"campo":"password","mensaje":"Must have a digit."},"#,
                r#"{"campo":"rol","mensaje":"This field is not known."}"#
            ))
        );
        assert_eq!(
            sign_up("{}").unwrap_err(),
            told(concat!(
                r#"{"campo":"username","mensaje":"Is missing."},"#,
                r#"{"campo":"email","mensaje":"Is missing."},"#,
                r#"{"campo":"password","mensaje":"Is missing."}"#
            ))
        );
        let long = sign_up(&format!(r#"{{"username":"{0}","email":"{0}","password":"{0}"}}"#, "x".repeat(5000)));
        let long = long.unwrap_err();
        for rule in ["3 to 50", "no e-mail", "more than 256", "a capital letter", "a digit"] {
            assert!(long.contains(rule) && !long.contains("xxx"), "{rule}: {long}");
        }
        for body in [r#"{"username":["ana"],"email":1,"password":{}}"#, r#"{"username":null}"#, "[]", "", "null"] {
            assert!(sign_up(body).is_err(), "{body}");
        }
    }

    #[test]
    fn the_answers_about_users() {
        assert_eq!(
            serde_json::to_string(&UserBody { id: "7d8c", username: "ana" }).unwrap(),
            r#"{"id":"7d8c","username":"ana"}"#
        );
        let me = |email| MeBody { id: "7d8c", username: "ana", email, rol: "cliente" };
        assert_eq!(
            serde_json::to_string(&me(Some("ana@example.com"))).unwrap(),
            r#"{"id":"7d8c","username":"ana","email":"ana@example.com","rol":"cliente"}"#
        );
        assert_eq!(
            serde_json::to_string(&me(None)).unwrap(),
            r#"{"id":"7d8c","username":"ana","email":null,"rol":"cliente"}"#
        );
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
