//! Reads a form (`application/x-www-form-urlencoded`) field by field.

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
    let mut fields = Fields::empty();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default());
        let value = decode(halves.next().unwrap_or_default());
        let (Some(name), Some(value)) = (name, value) else {
            return Err(malformed(Text::fixed("No es un formulario en UTF-8.", "Not a form in UTF-8.")));
        };
        if !fields.put_text(name, value) {
            return Err(malformed(Text::fixed("Un campo aparece dos veces.", "A field appears twice.")));
        }
    }
    Ok(fields)
}

/// A plus sign is a space, and a percent sign begins a byte in hexadecimal; one that does not is itself.
fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digit = |offset: usize| text.get(at + offset).and_then(|b| char::from(*b).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                at += 2;
            }
            (b'+', _, _) => bytes.push(b' '),
            (other, _, _) => bytes.push(other),
        }
        at += 1;
    }
    String::from_utf8(bytes).ok()
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
        assert!(parse(b"a=%FF").is_err());
        assert!(parse(b"a=\xff").is_err());
    }
}
