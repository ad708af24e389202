//! Reads a form (`application/x-www-form-urlencoded`) field by field.

use percent_encoding::percent_decode;

use crate::error::{ApiError, Text};
use crate::json::Fields;

/// Fields read from one form.
const FIELDS_MAX: usize = 32;

/// Reads the body of a form. Each field is a text; one that comes twice is refused, because two readers might take
/// different ones.
///
/// # Errors
/// 400 where it is no form in UTF-8, or names a field twice.
pub fn parse(body: &[u8]) -> Result<Fields, ApiError> {
    let malformed = |text| ApiError::invalid_field("body", text);
    let not_utf8 = || malformed(Text::fixed("No es un formulario en UTF-8.", "Not a form in UTF-8."));
    // The parser would replace what is not UTF-8. Separators are ASCII, so all fields are UTF-8 where the decoded whole is.
    percent_decode(body).decode_utf8().map_err(|_| not_utf8())?;
    let mut fields = Fields::empty();
    for (name, value) in form_urlencoded::parse(body).take(FIELDS_MAX) {
        if !fields.put_text(name.into_owned(), value.into_owned()) {
            return Err(malformed(Text::fixed("Un campo aparece dos veces.", "A field appears twice.")));
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let mut fields = parse("username=ana&password=Contrase%C3%B1a+1%26%2b%&empty=&&bare".as_bytes()).unwrap();
        assert_eq!(fields.text("username", 50).as_deref(), Some("ana"));
        assert_eq!(fields.text("password", 50).as_deref(), Some("Contraseña 1&+%"));
        assert_eq!(fields.text("empty", 50).as_deref(), Some(""));
        assert_eq!(fields.text("bare", 50).as_deref(), Some(""));
        assert!(fields.finish().is_ok());
        assert!(parse(b"").unwrap().finish().is_ok());
        assert!(parse(b"a=1&a=2").is_err());
        assert_eq!(parse(b"a=%EF%BF%BD").unwrap().text("a", 50).as_deref(), Some("\u{fffd}"));
        assert!(parse(b"a=%FF").is_err());
        assert!(parse(b"a=%C3&b=%B1").is_err());
        assert!(parse(b"a=\xff").is_err());
    }
}
