//! Signing in to the user pool.

use almacen_domain::kernel::failure::AdapterError;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;

use crate::reason;
use crate::user_pool::UserPool;

/// What a signed-in user is given.
pub struct Tokens {
    /// For the API.
    pub access_token: String,
    /// For new access tokens; a refresh gives none.
    pub refresh_token: Option<String>,
    /// Seconds that the access token lasts.
    pub expires_in: i32,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Wrong password, unknown user, one who is not confirmed yet or whose password an operator has reset, expired or
    /// revoked refresh token: which of them is nobody's business.
    #[error("sign-in refused")]
    Refused,
    /// The password is right, but a new one has to be chosen first.
    #[error("sign-in needs a new password")]
    NewPasswordNeeded,
    /// The password is right, but the account asks for a step more that this service does not offer.
    #[error("sign-in needs another step")]
    AnotherStepNeeded,
    /// Too many tries.
    #[error("too many sign-ins")]
    TooMany,
    /// Cognito cannot be reached or is out of order.
    #[error("Cognito is not available: {0}")]
    Unavailable(String),
    /// Cognito does not accept what we send: our configuration is wrong.
    #[error("Cognito does not accept the call: {0}")]
    Misconfigured(String),
}

impl AdapterError for SignInError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::TooMany | Self::Unavailable(_) => true,
            Self::Refused | Self::NewPasswordNeeded | Self::AnotherStepNeeded | Self::Misconfigured(_) => false,
        }
    }
}

impl UserPool {
    /// Signs in with a user name and a password.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn with_password(&self, username: &str, password: &str) -> Result<Tokens, SignInError> {
        self.ask(AuthFlowType::UserPasswordAuth, [("USERNAME", username), ("PASSWORD", password)]).await
    }

    /// Signs in again with a refresh token.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn with_refresh_token(&self, token: &str) -> Result<Tokens, SignInError> {
        self.ask(AuthFlowType::RefreshTokenAuth, [("REFRESH_TOKEN", token)]).await
    }

    async fn ask<const N: usize>(
        &self,
        flow: AuthFlowType,
        parameters: [(&str, &str); N],
    ) -> Result<Tokens, SignInError> {
        let mut call = self.client.initiate_auth().auth_flow(flow).client_id(&self.client_id);
        for (name, value) in parameters {
            call = call.auth_parameters(name, value);
        }
        let answer = call.send().await.map_err(|error| match error.as_service_error() {
            Some(service) => by_code(service.code().unwrap_or_default(), service.message().unwrap_or_default()),
            // Time-outs and connections that failed. Their own text names the address, which is for operators.
            None => SignInError::Unavailable(reason(&error)),
        })?;
        if let Some(challenge) = answer.challenge_name() {
            return Err(match challenge.as_str() {
                "NEW_PASSWORD_REQUIRED" => SignInError::NewPasswordNeeded,
                _ => SignInError::AnotherStepNeeded,
            });
        }
        answer
            .authentication_result
            .and_then(|result| {
                let expires_in = result.expires_in;
                Some(Tokens { access_token: result.access_token?, refresh_token: result.refresh_token, expires_in })
            })
            .ok_or_else(|| SignInError::Unavailable("an answer without a token".to_owned()))
    }
}

/// Cognito's error codes (API reference, InitiateAuth). `InvalidParameterException` is what a user name that no user
/// could have gets, and also an app client that may not sign in with a password at all. The codes for an account that is
/// not confirmed, or whose password was reset, come without a look at the password; so they would tell that it exists.
fn by_code(code: &str, message: &str) -> SignInError {
    match code {
        "InvalidParameterException" if message.contains("not enabled") => {
            SignInError::Misconfigured(message.to_owned())
        }
        "NotAuthorizedException"
        | "UserNotFoundException"
        | "InvalidParameterException"
        | "PasswordResetRequiredException"
        | "UserNotConfirmedException" => SignInError::Refused,
        "TooManyRequestsException" | "LimitExceededException" | "TooManyFailedAttemptsException" => {
            SignInError::TooMany
        }
        "InternalErrorException" | "ServiceUnavailable" | "ThrottlingException" => {
            SignInError::Unavailable(code.to_owned())
        }
        other => SignInError::Misconfigured(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_and_an_unknown_user_are_the_same() {
        for code in [
            "NotAuthorizedException",
            "UserNotFoundException",
            "InvalidParameterException",
            "PasswordResetRequiredException",
            "UserNotConfirmedException",
        ] {
            assert!(matches!(by_code(code, "1 validation error detected"), SignInError::Refused), "{code}");
        }
        assert!(matches!(by_code("TooManyRequestsException", ""), SignInError::TooMany));
        assert!(matches!(by_code("InternalErrorException", ""), SignInError::Unavailable(_)));
        assert!(matches!(by_code("ResourceNotFoundException", ""), SignInError::Misconfigured(_)));
        let disabled = by_code("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client");
        assert!(matches!(disabled, SignInError::Misconfigured(_)));
    }
}
