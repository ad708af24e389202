//! Users over HTTP: `POST /users` signs up, `POST /token` gives tokens for a password or a refresh token, `GET
//! /users/me` answers who the caller is.
//!
//! `POST /users` checks the body by the rules of `almacen_domain::identity::user`, naming every broken one, and signs
//! up with Cognito, which invokes `admit-user`. With the parameter `SelfSignUp=auto` the account is confirmed at once,
//! otherwise by a link in an e-mail or by an administrator. `GET /users/me` asks Cognito with the caller's own token.
//!
//! Invariant: no answer says whether a user exists. A name that is taken is answered like one that was free, and an
//! unknown user like a wrong password. No password, token or address is logged.

use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_contract::error::{ApiError, Code, RequestError, Text};
use almacen_contract::form;
use almacen_contract::json::Fields;
use almacen_contract::users::{self, Credentials, MeBody, TokenBody, UserBody};
use almacen_domain::identity::role::Role;
use almacen_domain::identity::user::NewUser;
use almacen_identity::sign_in::{SignInError, Tokens};
use almacen_identity::user_pool::UserPool;
use almacen_identity::users::{SignUpError, WhoError};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A sign-up takes this long at least, so that the clock does not tell a name that is taken, which is quickly found, from
/// a new one, which is stored first. Longer than Cognito usually takes for either.
const SIGN_UP_TAKES: Duration = Duration::from_millis(500);

/// The function and what it talks to.
#[derive(Debug)]
pub struct UsersApi {
    pool: UserPool,
    http: Http,
}

impl UsersApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            pool: UserPool::new(aws, env.required("USER_POOL_ID"), env.required("USER_POOL_CLIENT_ID")),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }
}

/// What a request asks for. No `Debug`: it holds passwords and tokens.
enum Request {
    /// `POST /users`.
    SignUp(NewUser),
    /// `POST /token`.
    SignIn(Credentials),
    /// `GET /users/me`.
    Me {
        /// The caller's own.
        access_token: String,
        /// What the authorizer made of it.
        role: Role,
    },
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 without a token where one is due, 404 for a route that is none.
    fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        match (request.method(), request.resource()) {
            ("POST", "/users") => users::new_user(&request.json()?).map(Self::SignUp),
            ("POST", "/token") => {
                let (kind, body) = request.body(&[FORM, JSON])?;
                let fields = if kind == FORM { form::parse(&body)? } else { Fields::parse(&body)? };
                users::credentials(fields).map(Self::SignIn)
            }
            ("GET", "/users/me") => {
                let role = request.caller()?.role;
                let bearer = request.header("authorization").and_then(|header| header.split_once(' '));
                let (_, token) = bearer.ok_or_else(|| ApiError::new(Code::Unauthorized))?;
                Ok(Self::Me { access_token: token.trim().to_owned(), role })
            }
            _ => Err(ApiError::new(Code::NotFound)),
        }
    }
}

impl HttpFunction for UsersApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        let pool = &self.pool;
        match Request::read(&request)? {
            Request::SignUp(new) => {
                let (made, ()) = tokio::join!(pool.sign_up(&new), tokio::time::sleep(SIGN_UP_TAKES));
                let id = made.map_err(sign_up_failed)?;
                Reply::json(201, &UserBody { id: &id, username: new.username.as_str() })
            }
            Request::SignIn(credentials) => {
                let tokens = match credentials {
                    Credentials::Password { username, password } => pool.with_password(&username, &password).await,
                    Credentials::RefreshToken(token) => pool.with_refresh_token(&token).await,
                };
                let Tokens { access_token, refresh_token, expires_in } = tokens.map_err(sign_in_failed)?;
                Reply::json(200, &TokenBody { access_token, refresh_token, token_type: "bearer", expires_in })
            }
            Request::Me { access_token, role } => {
                let me = pool.who(&access_token).await.map_err(who_failed)?;
                let body =
                    MeBody { id: &me.id, username: &me.username, email: me.email.as_deref(), rol: role.as_str() };
                Reply::json(200, &body)
            }
        }
    }
}

fn sign_up_failed(error: SignUpError) -> RequestError {
    let answer = match error {
        SignUpError::PasswordRefused => ApiError::invalid_field(
            "password",
            Text::fixed(
                "Esta contraseña no se admite; elija otra.",
                "This password is not accepted; choose another one.",
            ),
        ),
        SignUpError::EmailRefused => ApiError::invalid_field(
            "email",
            Text::fixed("Esta dirección de correo no se admite.", "This e-mail address is not accepted."),
        ),
        SignUpError::Closed => ApiError::new(Code::Forbidden).saying(Text::fixed(
            "Aquí las cuentas las crea un administrador.",
            "Accounts are made by an administrator here.",
        )),
        SignUpError::TooMany => ApiError::new(Code::RateLimited),
        SignUpError::Unavailable(_) | SignUpError::Misconfigured(_) => return error.into(),
    };
    answer.into()
}

fn who_failed(error: WhoError) -> RequestError {
    let answer = match error {
        WhoError::Refused => ApiError::new(Code::Unauthorized),
        WhoError::TooMany => ApiError::new(Code::RateLimited),
        WhoError::Unavailable(_) | WhoError::Misconfigured(_) => return error.into(),
    };
    answer.into()
}

fn sign_in_failed(error: SignInError) -> RequestError {
    let unauthorized = |text| ApiError::new(Code::Unauthorized).saying(text);
    let answer = match error {
        SignInError::Refused => unauthorized(Text::fixed(
            "El usuario o la contraseña no son correctos, la cuenta no está confirmada o la sesión caducó.",
            "User name or password is wrong, the account is not confirmed, or the session has ended.",
        )),
        SignInError::NewPasswordNeeded => unauthorized(Text::fixed(
            "Antes de entrar hay que elegir una contraseña nueva.",
            "A new password has to be chosen before signing in.",
        )),
        SignInError::AnotherStepNeeded => unauthorized(Text::fixed(
            "La cuenta pide un paso más que aquí no se ofrece.",
            "The account asks for another step that is not offered here.",
        )),
        SignInError::TooMany => ApiError::new(Code::RateLimited),
        SignInError::Unavailable(_) | SignInError::Misconfigured(_) => return error.into(),
    };
    answer.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;

    fn check(event: &str, expected: &[&str]) {
        let request: HttpRequest = serde_json::from_str(event).unwrap();
        let got = match Request::read(&request) {
            Ok(Request::SignUp(new)) => {
                [new.username.as_str(), new.email.as_str(), new.password.as_str()].map(str::to_owned).to_vec()
            }
            Ok(Request::SignIn(Credentials::Password { username, password })) => vec![username, password],
            Ok(Request::SignIn(Credentials::RefreshToken(token))) => vec![token],
            Ok(Request::Me { access_token, role }) => vec![access_token, role.as_str().to_owned()],
            Err(refusal) => vec![refusal.code().as_str().to_owned()],
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        check(include_str!("../../../events/users-api/sign-up.json"), &["ana", "ana@example.com", "Secreta123"]);
        check(include_str!("../../../events/users-api/token-form.json"), &["ana", "Contraseña 1&"]);
        check(include_str!("../../../events/users-api/token-json.json"), &["ana", "Contraseña 1&"]);
        check(include_str!("../../../events/users-api/token-refresh.json"), &["eyJjdHkiOiJKV1QifQ.a.b"]);
        check(include_str!("../../../events/users-api/me.json"), &["eyJraWQiOiJrMSJ9.e30.c2ln", "cliente"]);
    }

    #[test]
    fn what_is_no_question() {
        check(r#"{"httpMethod":"GET","resource":"/token"}"#, &["NO_ENCONTRADO"]);
        check(r#"{"httpMethod":"GET","resource":"/users"}"#, &["NO_ENCONTRADO"]);
        check(r#"{"httpMethod":"GET","resource":"/users/me"}"#, &["NO_AUTORIZADO"]);
        check(
            r#"{"httpMethod":"GET","resource":"/users/me","requestContext":{"authorizer":{"usuarioId":"u","rol":"admin"}}}"#,
            &["NO_AUTORIZADO"],
        );
        check(r#"{"httpMethod":"POST","resource":"/token","body":"a=b"}"#, &["TIPO_NO_SOPORTADO"]);
        for resource in ["/token", "/users"] {
            let event = |kind| {
                format!(r#"{{"httpMethod":"POST","resource":"{resource}","headers":{{"Content-Type":"{kind}"}}}}"#)
            };
            check(&event("application/json"), &["ERROR_VALIDACION"]);
            check(&event("text/plain"), &["TIPO_NO_SOPORTADO"]);
        }
    }

    fn told(error: &RequestError) -> (u16, String) {
        (error.answer().code().status(), error.answer().body(Language::English, "r"))
    }

    #[test]
    fn what_failed_sign_ins_are_told() {
        let told = |error| told(&sign_in_failed(error));
        assert_eq!(
            told(SignInError::Refused),
            (
                401,
                r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"User name or password is wrong, the account is not confirmed, or the session has ended.","detalles":[],"solicitudId":"r"}}"#.to_owned()
            )
        );
        assert!(told(SignInError::NewPasswordNeeded).1.contains("new password"));
        assert_eq!(told(SignInError::AnotherStepNeeded).0, 401);
        assert_eq!(told(SignInError::TooMany).0, 429);
        let (status, body) = told(SignInError::Unavailable("connect to 10.0.0.1".to_owned()));
        assert!(status == 503 && !body.contains("10.0.0.1"), "{body}");
        let (status, body) = told(SignInError::Misconfigured("ResourceNotFoundException".to_owned()));
        assert!(status == 500 && !body.contains("ResourceNotFound"), "{body}");
    }

    #[test]
    fn what_failed_sign_ups_and_questions_are_told() {
        let (status, body) = told(&sign_up_failed(SignUpError::PasswordRefused));
        assert!(status == 400 && body.contains(r#""campo":"password""#), "{body}");
        let (status, body) = told(&sign_up_failed(SignUpError::EmailRefused));
        assert!(status == 400 && body.contains(r#""campo":"email""#), "{body}");
        assert_eq!(told(&sign_up_failed(SignUpError::Closed)).0, 403);
        assert_eq!(told(&sign_up_failed(SignUpError::TooMany)).0, 429);
        for (refusal, expected) in [
            (sign_up_failed(SignUpError::Unavailable("connect to 10.0.0.1".to_owned())), 503),
            (sign_up_failed(SignUpError::Misconfigured("at 10.0.0.1".to_owned())), 500),
            (who_failed(WhoError::Unavailable("connect to 10.0.0.1".to_owned())), 503),
            (who_failed(WhoError::Misconfigured("at 10.0.0.1".to_owned())), 500),
        ] {
            let (status, body) = told(&refusal);
            assert!(status == expected && !body.contains("10.0.0.1"), "{status} {body}");
        }
        assert_eq!(told(&who_failed(WhoError::Refused)).0, 401);
        assert_eq!(told(&who_failed(WhoError::TooMany)).0, 429);
    }
}
