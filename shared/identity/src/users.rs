//! Signing up, and who one is.

use std::fmt;

use almacen_domain::identity::user::NewUser;
use almacen_domain::kernel::failure::AdapterError;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::AttributeType;

use crate::reason;
use crate::user_pool::UserPool;

/// Why somebody did not become a user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignUpError {
    /// The pool's own policy is stricter than our rules, or knows the password from a leak.
    #[error("the pool refuses the password")]
    PasswordRefused,
    /// The pool does not take this address.
    #[error("the pool refuses the address")]
    EmailRefused,
    /// Users are made by operators alone here.
    #[error("the pool takes no sign-ups")]
    Closed,
    /// Too many sign-ups.
    #[error("too many sign-ups")]
    TooMany,
    /// Cognito cannot be reached or is out of order.
    #[error("Cognito is not available: {0}")]
    Unavailable(String),
    /// Cognito does not accept what we send: our configuration is wrong.
    #[error("Cognito does not accept the call: {0}")]
    Misconfigured(String),
}

impl AdapterError for SignUpError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::TooMany | Self::Unavailable(_) => true,
            Self::PasswordRefused | Self::EmailRefused | Self::Closed | Self::Misconfigured(_) => false,
        }
    }
}

/// Why nothing is known about the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhoError {
    /// The token was good when it was verified, and is not any more: revoked, or its user is gone.
    #[error("the token is no longer valid")]
    Refused,
    /// Too many questions.
    #[error("too many questions")]
    TooMany,
    /// Cognito cannot be reached or is out of order.
    #[error("Cognito is not available: {0}")]
    Unavailable(String),
    /// Cognito does not accept what we send: our configuration is wrong.
    #[error("Cognito does not accept the call: {0}")]
    Misconfigured(String),
}

impl AdapterError for WhoError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::TooMany | Self::Unavailable(_) => true,
            Self::Refused | Self::Misconfigured(_) => false,
        }
    }
}

/// What the pool knows of one user. No `Debug`: an address must not be printed by chance.
pub struct Profile {
    /// The `sub`.
    pub id: String,
    /// The name to sign in with.
    pub username: String,
    /// Where to write to, if anybody has said.
    pub email: Option<String>,
}

impl UserPool {
    /// Makes somebody a user; the id.
    ///
    /// A name that is taken changes nothing and answers with the id of the user who has it: exactly what a repeated
    /// sign-up answers, so that the answer does not tell the two apart.
    ///
    /// # Errors
    /// [`SignUpError`].
    pub async fn sign_up(&self, new: &NewUser) -> Result<String, SignUpError> {
        let username = new.username.as_str();
        let email = attribute("email", new.email.as_str()).map_err(SignUpError::Misconfigured)?;
        let call = self.client.sign_up().client_id(&self.client_id).username(username);
        match call.password(new.password.as_str()).user_attributes(email).send().await {
            Ok(answer) => Ok(answer.user_sub),
            Err(error) => match sign_up_failed(&error) {
                Failed::IsThere => self.id_of(username).await,
                Failed::For(error) => Err(error),
            },
        }
    }

    async fn id_of(&self, username: &str) -> Result<String, SignUpError> {
        let call = self.client.admin_get_user().user_pool_id(&self.id).username(username);
        let answer = call.send().await.map_err(|error| match sign_up_failed(&error) {
            Failed::IsThere => SignUpError::Unavailable("a user came and went".to_owned()),
            Failed::For(error) => error,
        })?;
        value(answer.user_attributes(), "sub")
            .ok_or_else(|| SignUpError::Unavailable("an answer without a sub".to_owned()))
    }

    /// Whose access token this is. Cognito looks, so that a token revoked since it was given out does not count.
    ///
    /// # Errors
    /// [`WhoError`].
    pub async fn who(&self, access_token: &str) -> Result<Profile, WhoError> {
        let answer =
            self.client.get_user().access_token(access_token).send().await.map_err(|error| who_failed(&error))?;
        let id = value(answer.user_attributes(), "sub")
            .ok_or_else(|| WhoError::Unavailable("an answer without a sub".to_owned()))?;
        Ok(Profile { id, email: value(answer.user_attributes(), "email"), username: answer.username })
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType, String> {
    AttributeType::builder().name(name).value(value).build().map_err(|error| error.to_string())
}

fn value(attributes: &[AttributeType], name: &str) -> Option<String> {
    attributes.iter().find(|attribute| attribute.name() == name)?.value().map(str::to_owned)
}

/// How a sign-up failed.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    /// There is a user of this name now.
    IsThere,
    /// For this reason.
    For(SignUpError),
}

fn sign_up_failed<E, R>(error: &SdkError<E, R>) -> Failed
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + 'static,
{
    match error.as_service_error() {
        Some(service) => sign_up_by_code(service.code().unwrap_or_default(), service.message().unwrap_or_default()),
        None => Failed::For(SignUpError::Unavailable(reason(error))),
    }
}

/// Cognito's error codes (API reference, SignUp). No message of Cognito's goes on: some repeat what the user typed.
fn sign_up_by_code(code: &str, message: &str) -> Failed {
    Failed::For(match code {
        // Where the mail with the link could not be sent, the user has been made all the same.
        "UsernameExistsException" | "CodeDeliveryFailureException" => return Failed::IsThere,
        "InvalidPasswordException" => SignUpError::PasswordRefused,
        "InvalidParameterException" if message.contains("email") => SignUpError::EmailRefused,
        "InvalidParameterException" if message.contains("assword") => SignUpError::PasswordRefused,
        "NotAuthorizedException" => SignUpError::Closed,
        "TooManyRequestsException" | "LimitExceededException" => SignUpError::TooMany,
        "InternalErrorException"
        | "ServiceUnavailable"
        | "ThrottlingException"
        | "UnexpectedLambdaException"
        // A user who was deleted between two calls; a second try finds the name free.
        | "UserNotFoundException" => SignUpError::Unavailable(code.to_owned()),
        other => SignUpError::Misconfigured(other.to_owned()),
    })
}

fn who_failed<E, R>(error: &SdkError<E, R>) -> WhoError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + 'static,
{
    match error.as_service_error() {
        Some(service) => who_by_code(service.code().unwrap_or_default()),
        None => WhoError::Unavailable(reason(error)),
    }
}

/// Cognito's error codes (API reference, GetUser).
fn who_by_code(code: &str) -> WhoError {
    match code {
        "NotAuthorizedException"
        | "UserNotFoundException"
        | "UserNotConfirmedException"
        | "PasswordResetRequiredException" => WhoError::Refused,
        "TooManyRequestsException" => WhoError::TooMany,
        "InternalErrorException" | "ServiceUnavailable" | "ThrottlingException" => {
            WhoError::Unavailable(code.to_owned())
        }
        other => WhoError::Misconfigured(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_ups_that_fail() {
        let check = |code, message, expected| assert_eq!(sign_up_by_code(code, message), expected, "{code} {message}");
        check("UsernameExistsException", "User already exists", Failed::IsThere);
        check("CodeDeliveryFailureException", "", Failed::IsThere);
        check("InvalidPasswordException", "Password not long enough", Failed::For(SignUpError::PasswordRefused));
        check("InvalidParameterException", "Invalid email address format.", Failed::For(SignUpError::EmailRefused));
        check("InvalidParameterException", "at 'password' failed", Failed::For(SignUpError::PasswordRefused));
        check("NotAuthorizedException", "SignUp is not permitted", Failed::For(SignUpError::Closed));
        check("TooManyRequestsException", "", Failed::For(SignUpError::TooMany));
        for code in ["InternalErrorException", "UserNotFoundException"] {
            check(code, "x", Failed::For(SignUpError::Unavailable(code.to_owned())));
        }
        for code in ["ResourceNotFoundException", "InvalidParameterException", "AccessDeniedException"] {
            check(code, "ana@…", Failed::For(SignUpError::Misconfigured(code.to_owned())));
        }
    }

    #[test]
    fn who_is_not_known() {
        for code in ["NotAuthorizedException", "UserNotFoundException"] {
            assert_eq!(who_by_code(code), WhoError::Refused, "{code}");
        }
        assert_eq!(who_by_code("TooManyRequestsException"), WhoError::TooMany);
        assert!(matches!(who_by_code("InternalErrorException"), WhoError::Unavailable(_)));
        assert!(matches!(who_by_code("ForbiddenException"), WhoError::Misconfigured(_)));
    }
}
