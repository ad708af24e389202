//! The one body of every failure, its codes, and its two languages.
//!
//! ```text
//! {"error":{"codigo":"ERROR_VALIDACION","mensaje":"…","detalles":[{"campo":"precio","mensaje":"…"}],"solicitudId":"…"}}
//! ```

use std::borrow::Cow;

use almacen_domain::kernel::failure::AdapterError;
use almacen_domain::kernel::name::NameError;
use almacen_domain::kernel::precondition::PreconditionFailed;
use serde::Serialize;

/// Details named in one answer at most, more than any body has fields; one of nonsense does not become an answer of the same
/// size.
const DETAILS_MAX: usize = 256;
/// Characters of a field's name that an answer repeats.
const FIELD_CHARS_MAX: usize = 64;

/// A text in the two languages of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    es: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Text {
    /// A fixed text: Spanish, English.
    #[must_use]
    pub const fn fixed(es: &'static str, en: &'static str) -> Self {
        Self { es: Cow::Borrowed(es), en: Cow::Borrowed(en) }
    }

    /// A text made up on the way: Spanish, English.
    #[must_use]
    pub fn made(es: String, en: String) -> Self {
        Self { es: Cow::Owned(es), en: Cow::Owned(en) }
    }

    /// Why a text is no name, no title, or the like.
    #[must_use]
    pub fn name(error: NameError) -> Self {
        match error {
            NameError::Blank => Self::fixed("No puede quedar vacío.", "Must not be blank."),
            NameError::TooLong { max } => {
                Self::made(format!("Tiene más de {max} caracteres."), format!("Has more than {max} characters."))
            }
            NameError::Control => {
                Self::fixed("Contiene caracteres que no se ven.", "Contains characters that cannot be seen.")
            }
        }
    }

    /// In `language`.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Spanish => &self.es,
            Language::English => &self.en,
        }
    }
}

/// The language of an answer's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Unless something else is asked for.
    #[default]
    Spanish,
    /// Where `Accept-Language` prefers it.
    English,
}

impl Language {
    /// What an `Accept-Language` header prefers (RFC 9110, 12.5.4). Languages we do not speak are skipped; with none
    /// left it is Spanish. Among equals the first one named wins.
    #[must_use]
    pub fn preferred(header: &str) -> Self {
        let mut best = (0_u32, Self::Spanish);
        for range in header.split(',').take(16) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default();
            let language = if primary.eq_ignore_ascii_case("en") {
                Self::English
            } else if primary.eq_ignore_ascii_case("es") {
                Self::Spanish
            } else {
                continue;
            };
            let weight = parts
                .find_map(|p| p.trim().strip_prefix("q=").map(str::trim))
                .map_or(1000, |q| q.parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32));
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// Every code that the API answers with. A new one must choose its status and its texts here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Body, path or query is malformed.
    Validation,
    /// No token, or none that counts.
    Unauthorized,
    /// The card was declined.
    PaymentDeclined,
    /// Known caller, not allowed.
    Forbidden,
    /// No such thing, or not the caller's.
    NotFound,
    /// A lost race.
    Conflict,
    /// Not enough stock.
    OutOfStock,
    /// No such change of state.
    InvalidTransition,
    /// The same Idempotency-Key with another body.
    KeyReused,
    /// `If-Match` does not match.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The body is of another type.
    UnsupportedType,
    /// Too many requests.
    RateLimited,
    /// Our fault.
    Internal,
    /// A dependency is down or throttling.
    Unavailable,
}

impl Code {
    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "ERROR_VALIDACION",
            Self::Unauthorized => "NO_AUTORIZADO",
            Self::PaymentDeclined => "PAGO_RECHAZADO",
            Self::Forbidden => "PROHIBIDO",
            Self::NotFound => "NO_ENCONTRADO",
            Self::Conflict => "CONFLICTO",
            Self::OutOfStock => "SIN_STOCK",
            Self::InvalidTransition => "TRANSICION_INVALIDA",
            Self::KeyReused => "CLAVE_REUTILIZADA",
            Self::PreconditionFailed => "PRECONDICION_FALLIDA",
            Self::TooLarge => "SOLICITUD_GRANDE",
            Self::UnsupportedType => "TIPO_NO_SOPORTADO",
            Self::RateLimited => "LIMITE_EXCEDIDO",
            Self::Internal => "ERROR_INTERNO",
            Self::Unavailable => "NO_DISPONIBLE",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Validation => 400,
            Self::Unauthorized => 401,
            Self::PaymentDeclined => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::OutOfStock | Self::InvalidTransition | Self::KeyReused => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedType => 415,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    fn text(self) -> Text {
        match self {
            Self::Validation => Text::fixed("La solicitud no es válida.", "The request is not valid."),
            Self::Unauthorized => Text::fixed(
                "Hace falta iniciar sesión, o la sesión ya no vale.",
                "You need to sign in, or your session is no longer valid.",
            ),
            Self::PaymentDeclined => Text::fixed("El pago fue rechazado.", "The payment was declined."),
            Self::Forbidden => Text::fixed("No tiene permiso para hacer esto.", "You are not allowed to do this."),
            Self::NotFound => Text::fixed("No existe.", "There is no such thing."),
            Self::Conflict => Text::fixed(
                "Alguien lo cambió mientras tanto; léalo e inténtelo otra vez.",
                "Somebody changed it in the meantime; read it and try again.",
            ),
            Self::OutOfStock => Text::fixed("No hay existencias suficientes.", "There is not enough stock."),
            Self::InvalidTransition => Text::fixed(
                "En su estado actual no admite este cambio.",
                "Its current state does not allow this change.",
            ),
            Self::KeyReused => Text::fixed(
                "Esta clave de idempotencia ya se usó con otro contenido.",
                "This idempotency key was already used with another body.",
            ),
            Self::PreconditionFailed => Text::fixed(
                "La versión indicada en If-Match ya no es la actual.",
                "The version named in If-Match is not the current one.",
            ),
            Self::TooLarge => Text::fixed("La solicitud es demasiado grande.", "The request is too large."),
            Self::UnsupportedType => {
                Text::fixed("El tipo de contenido no se admite.", "The content type is not supported.")
            }
            Self::RateLimited => {
                Text::fixed("Demasiadas solicitudes; espere un momento.", "Too many requests; wait a moment.")
            }
            Self::Internal => Text::fixed(
                "Error interno. Indique el número de solicitud si lo comunica.",
                "Internal error. Name the request id if you report it.",
            ),
            Self::Unavailable => Text::fixed(
                "El servicio no está disponible en este momento; inténtelo otra vez.",
                "The service is not available right now; try again.",
            ),
        }
    }
}

impl From<PreconditionFailed> for ApiError {
    fn from(failed: PreconditionFailed) -> Self {
        Self::new(match failed {
            PreconditionFailed::NotFound => Code::NotFound,
            PreconditionFailed::OtherVersion => Code::PreconditionFailed,
        })
    }
}

/// A value that serde cannot write: a bug in this code.
#[derive(Debug, thiserror::Error)]
#[error("serialise")]
pub struct Unserialisable(#[source] pub serde_json::Error);

impl AdapterError for Unserialisable {
    fn is_retryable(&self) -> bool {
        false
    }
}

/// One bad field, or one short line of stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    field: String,
    text: Text,
}

impl Detail {
    /// `field` as the caller wrote it; shortened where it is longer than an answer should repeat.
    #[must_use]
    pub fn new(field: &str, text: Text) -> Self {
        Self { field: field.chars().take(FIELD_CHARS_MAX).collect(), text }
    }

    /// A store's or an item's name that is none.
    #[must_use]
    pub fn name(field: &str, error: NameError) -> Self {
        Self::new(field, Text::name(error))
    }
}

/// An error as the caller sees it: code, message, details. It holds nothing else, so no cause can leak through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: Code,
    text: Option<Text>,
    details: Vec<Detail>,
    retry_after: Option<u32>,
}

impl ApiError {
    /// With the code's own message.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let retry_after = match code {
            Code::Unavailable | Code::RateLimited => Some(2),
            Code::Validation
            | Code::Unauthorized
            | Code::PaymentDeclined
            | Code::Forbidden
            | Code::NotFound
            | Code::Conflict
            | Code::OutOfStock
            | Code::InvalidTransition
            | Code::KeyReused
            | Code::PreconditionFailed
            | Code::TooLarge
            | Code::UnsupportedType
            | Code::Internal => None,
        };
        Self { code, text: None, details: Vec::new(), retry_after }
    }

    /// 400 with these bad fields.
    #[must_use]
    pub fn invalid(details: Vec<Detail>) -> Self {
        Self { details, ..Self::new(Code::Validation) }
    }

    /// 400 with a single bad field.
    #[must_use]
    pub fn invalid_field(field: &str, text: Text) -> Self {
        Self::invalid(vec![Detail::new(field, text)])
    }

    /// Both, or a refusal that names the bad fields of both.
    ///
    /// # Errors
    /// The first refusal, with the details of the second where each is about bad fields.
    pub fn both<A, B>(a: Result<A, Self>, b: Result<B, Self>) -> Result<(A, B), Self> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(mut a), Err(b)) => {
                if (a.code, b.code) == (Code::Validation, Code::Validation) {
                    a.details.extend(b.details);
                }
                Err(a)
            }
            (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => Err(refusal),
        }
    }

    /// With a message that says more than the code's own.
    #[must_use]
    pub fn saying(mut self, text: Text) -> Self {
        self.text = Some(text);
        self
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    /// The code, which decides the status.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Seconds after which to try again, for `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self, language: Language, request_id: &str) -> String {
        #[derive(Serialize)]
        struct Outer<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Inner<'a> {
            codigo: &'static str,
            mensaje: &'a str,
            detalles: Vec<DetailBody<'a>>,
            solicitud_id: &'a str,
        }
        #[derive(Serialize)]
        struct DetailBody<'a> {
            campo: &'a str,
            mensaje: &'a str,
        }
        let own = self.code.text();
        let body = Outer {
            error: Inner {
                codigo: self.code.as_str(),
                mensaje: self.text.as_ref().unwrap_or(&own).get(language),
                detalles: self
                    .details
                    .iter()
                    .take(DETAILS_MAX)
                    .map(|detail| DetailBody { campo: &detail.field, mensaje: detail.text.get(language) })
                    .collect(),
                solicitud_id: request_id,
            },
        };
        // Strings and lists of strings always serialise.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// Message for an unknown outcome; a retry may apply the change twice.
const OUTCOME_UNKNOWN: Text = Text::fixed(
    "No se sabe si el cambio se hizo; compruébelo antes de repetirlo.",
    "It is not known whether the change was made; check before you repeat it.",
);
/// Message for a change that was made, after which the answer could not be put together.
const CHANGE_MADE: Text = Text::fixed(
    "El cambio se hizo, pero no se puede mostrar ahora; léalo en un momento.",
    "The change was made, but it cannot be shown now; read it in a moment.",
);

/// A request that could not be answered as asked: what the caller sees, and the cause, which only the log sees.
#[derive(Debug)]
pub struct RequestError {
    answer: ApiError,
    cause: Option<Box<dyn AdapterError>>,
}

impl RequestError {
    /// What the caller sees.
    #[must_use]
    pub fn answer(&self) -> &ApiError {
        &self.answer
    }

    /// Where the change was made before this happened.
    #[must_use]
    pub fn after_the_change(mut self) -> Self {
        self.answer = self.answer.saying(CHANGE_MADE);
        self
    }

    /// Without an answer in time. `changes`: a call that was under way may have changed something.
    #[must_use]
    pub fn late(changes: bool) -> Self {
        let answer = ApiError::new(Code::Unavailable);
        if changes { answer.saying(OUTCOME_UNKNOWN).into() } else { answer.into() }
    }

    /// What the caller sees, and the cause, if there is one, for the log.
    #[must_use]
    pub fn into_parts(self) -> (ApiError, Option<Box<dyn AdapterError>>) {
        (self.answer, self.cause)
    }
}

impl From<ApiError> for RequestError {
    fn from(answer: ApiError) -> Self {
        Self { answer, cause: None }
    }
}

/// 503 for what may work later, 500 for the rest.
impl<E: AdapterError> From<E> for RequestError {
    fn from(error: E) -> Self {
        let code = if error.is_retryable() { Code::Unavailable } else { Code::Internal };
        let answer = ApiError::new(code);
        let answer = if error.is_outcome_unknown() { answer.saying(OUTCOME_UNKNOWN) } else { answer };
        Self { answer, cause: Some(Box::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_in_both_languages() {
        let refusal = ApiError::invalid(vec![
            Detail::name("store", NameError::TooLong { max: 100 }),
            Detail::new("limit", Text::fixed("De 1 a 100.", "1 to 100.")),
        ]);
        assert_eq!(
            refusal.body(Language::Spanish, "req-1"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"store","mensaje":"Tiene más de 100 caracteres."},{"campo":"limit","mensaje":"De 1 a 100."}],"solicitudId":"req-1"}}"#
        );
        assert_eq!(
            ApiError::new(Code::Unavailable).body(Language::English, "req-2"),
            r#"{"error":{"codigo":"NO_DISPONIBLE","mensaje":"The service is not available right now; try again.","detalles":[],"solicitudId":"req-2"}}"#
        );
        assert_eq!(ApiError::new(Code::Unavailable).retry_after(), Some(2));
        assert_eq!(ApiError::new(Code::Internal).retry_after(), None);
    }

    #[test]
    fn the_bad_fields_of_two_places_are_named_together() {
        let bad = |field| ApiError::invalid_field(field, Text::fixed("no", "no"));
        let both = ApiError::invalid(vec![
            Detail::new("a", Text::fixed("no", "no")),
            Detail::new("b", Text::fixed("no", "no")),
        ]);
        assert_eq!(ApiError::both(Ok(1), Ok(2)), Ok((1, 2)));
        assert_eq!(ApiError::both::<i32, _>(Err(bad("a")), Ok(2)), Err(bad("a")));
        assert_eq!(ApiError::both::<_, i32>(Ok(1), Err(bad("b"))), Err(bad("b")));
        assert_eq!(ApiError::both::<i32, i32>(Err(bad("a")), Err(bad("b"))), Err(both));
        let gone = || ApiError::new(Code::NotFound);
        assert_eq!(ApiError::both::<i32, i32>(Err(gone()), Err(bad("b"))), Err(gone()));
        assert_eq!(ApiError::both::<i32, i32>(Err(bad("a")), Err(gone())), Err(bad("a")));
    }

    #[test]
    fn an_answer_stays_small_whatever_was_wrong() {
        let details = (0..10_000).map(|_| Detail::new(&"x".repeat(10_000), Text::fixed("no", "no"))).collect();
        assert!(ApiError::invalid(details).body(Language::Spanish, "r").len() < 32_000);
    }

    #[test]
    fn accept_language() {
        let check = |header, expected| assert_eq!(Language::preferred(header), expected, "{header:?}");
        check("", Language::Spanish);
        check("*", Language::Spanish);
        check("de", Language::Spanish);
        check("en", Language::English);
        check("EN-gb", Language::English);
        check("en-US,en;q=0.9,es;q=0.8", Language::English);
        check("es-MX,en;q=0.9", Language::Spanish);
        check("es;q=0.2, en;q=0.4", Language::English);
        check("en;q=0, fr", Language::Spanish);
        check("en;q=abc", Language::Spanish);
        check("de-DE,de;q=0.9,en;q=0.5", Language::English);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("read line: arn:aws:dynamodb:eu-west-1:123456789012:table/Inventory is throttled")]
    struct Broken {
        retryable: bool,
        unknown: bool,
    }

    impl AdapterError for Broken {
        fn is_retryable(&self) -> bool {
            self.retryable
        }

        fn is_outcome_unknown(&self) -> bool {
            self.unknown
        }
    }

    #[test]
    fn causes_stay_inside() {
        let check = |error: RequestError, status, text: &str| {
            let body = error.answer().body(Language::English, "r");
            assert_eq!(error.answer().code().status(), status);
            assert!(body.contains(text) && !body.contains("arn:") && !body.contains("read line"), "{body}");
            let (_, cause) = error.into_parts();
            assert!(cause.is_some_and(|cause| cause.to_string().contains("arn:")));
        };
        check(Broken { retryable: true, unknown: false }.into(), 503, "NO_DISPONIBLE");
        check(Broken { retryable: true, unknown: true }.into(), 503, "not known whether");
        check(Broken { retryable: false, unknown: false }.into(), 500, "ERROR_INTERNO");
        let after = RequestError::from(Broken { retryable: true, unknown: false }).after_the_change();
        check(after, 503, "The change was made");
        assert!(RequestError::late(true).answer().body(Language::English, "r").contains("not known whether"));
        assert!(!RequestError::late(false).answer().body(Language::English, "r").contains("not known whether"));
    }
}
