//! Signing in over HTTP: `POST /token` gives the user pool's access token for a password or a refresh token.

use almacen_contract::error::{Code, Refusal, Text};
use almacen_contract::form;
use almacen_contract::json::Fields;
use almacen_contract::users::{Credentials, TokenBody, credentials};
use almacen_identity::sign_in::{SignIn, SignInError};
use almacen_lambda_kit::config::{ConfigError, Env};
use almacen_lambda_kit::http::{Http, Reply, Request};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// The user pool's app client.
    pub client_id: String,
    /// How HTTP is answered.
    pub http: Http,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// Names everything that is missing.
    pub fn read(mut env: Env) -> Result<Self, ConfigError> {
        let config =
            Self { client_id: env.required("USER_POOL_CLIENT_ID"), http: Http::new(env.required("ALLOWED_ORIGIN")) };
        env.check()?;
        Ok(config)
    }
}

/// Answers one request.
///
/// # Errors
/// The refusal that the caller is told.
pub async fn handle(sign_in: &SignIn, request: Request) -> Result<Reply, Refusal> {
    let tokens = match read(&request)? {
        Credentials::Password { username, password } => sign_in.with_password(&username, &password).await,
        Credentials::RefreshToken(token) => sign_in.with_refresh_token(&token).await,
    };
    let tokens = tokens.map_err(refusal)?;
    let body = TokenBody {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        token_type: "bearer",
        expires_in: tokens.expires_in,
    };
    Reply::json(200, &body)
}

fn read(request: &Request) -> Result<Credentials, Refusal> {
    match (request.method(), request.resource()) {
        ("POST", "/token") => {
            let (kind, body) = request.body(&[FORM, JSON])?;
            credentials(if kind == FORM { form::parse(&body)? } else { Fields::parse(&body)? })
        }
        _ => Err(Refusal::new(Code::NotFound)),
    }
}

/// The one place where a failed sign-in becomes an answer.
fn refusal(error: SignInError) -> Refusal {
    let unauthorized = |text| Refusal::new(Code::Unauthorized).saying(text);
    match error {
        SignInError::Refused => unauthorized(Text::fixed(
            "El usuario o la contraseña no son correctos, o la sesión caducó.",
            "User name or password is wrong, or the session has ended.",
        )),
        SignInError::NewPasswordNeeded => unauthorized(Text::fixed(
            "Antes de entrar hay que elegir una contraseña nueva.",
            "A new password has to be chosen before signing in.",
        )),
        SignInError::NotConfirmed => unauthorized(Text::fixed(
            "La cuenta todavía no está confirmada.",
            "The account has not been confirmed yet.",
        )),
        SignInError::AnotherStepNeeded => unauthorized(Text::fixed(
            "La cuenta pide un paso más que aquí no se ofrece.",
            "The account asks for another step that is not offered here.",
        )),
        SignInError::TooMany => Refusal::new(Code::RateLimited),
        SignInError::Unavailable(_) => {
            tracing::error!(%error, "sign-in failed");
            Refusal::new(Code::Unavailable)
        }
        SignInError::Misconfigured(_) => {
            tracing::error!(%error, "sign-in failed");
            Refusal::new(Code::Internal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;

    fn check(event: &str, expected: &[&str]) {
        let request: Request = serde_json::from_str(event).unwrap();
        let got = match read(&request) {
            Ok(Credentials::Password { username, password }) => vec![username, password],
            Ok(Credentials::RefreshToken(token)) => vec![token],
            Err(refusal) => vec![refusal.code().as_str().to_owned()],
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        check(include_str!("../../../events/users-api/token-form.json"), &["ana", "Contraseña 1&"]);
        check(include_str!("../../../events/users-api/token-json.json"), &["ana", "Contraseña 1&"]);
        check(include_str!("../../../events/users-api/token-refresh.json"), &["eyJjdHkiOiJKV1QifQ.a.b"]);
        check(r#"{"httpMethod":"GET","resource":"/token"}"#, &["NO_ENCONTRADO"]);
        check(r#"{"httpMethod":"POST","resource":"/token","body":"a=b"}"#, &["TIPO_NO_SOPORTADO"]);
        check(
            r#"{"httpMethod":"POST","resource":"/token","headers":{"Content-Type":"application/json"}}"#,
            &["ERROR_VALIDACION"],
        );
    }

    #[test]
    fn what_failed_sign_ins_are_told() {
        let told = |error| {
            let refusal = refusal(error);
            (refusal.code().status(), refusal.body(Language::English, "r"))
        };
        assert_eq!(
            told(SignInError::Refused),
            (
                401,
                r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"User name or password is wrong, or the session has ended.","detalles":[],"solicitudId":"r"}}"#.to_owned()
            )
        );
        assert!(told(SignInError::NewPasswordNeeded).1.contains("new password"));
        assert_eq!(told(SignInError::NotConfirmed).0, 401);
        assert_eq!(told(SignInError::AnotherStepNeeded).0, 401);
        assert_eq!(told(SignInError::TooMany).0, 429);
        let (status, body) = told(SignInError::Unavailable("connect to 10.0.0.1".to_owned()));
        assert!(status == 503 && !body.contains("10.0.0.1"), "{body}");
        let (status, body) = told(SignInError::Misconfigured("ResourceNotFoundException".to_owned()));
        assert!(status == 500 && !body.contains("ResourceNotFound"), "{body}");
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let told = Config::read(Env::of([])).unwrap_err().to_string();
        assert_eq!(told, "environment: USER_POOL_CLIENT_ID is missing; ALLOWED_ORIGIN is missing");
    }
}
