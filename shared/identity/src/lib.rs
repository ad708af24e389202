//! Who is calling: verification of the access tokens that the Cognito user pool gives out, and signing in and up there.
//!
//! Invariant: nothing here logs, and no error carries a token or a password.

pub mod keys;
mod rs256;
pub mod sign_in;
pub mod token;
pub mod user_pool;
pub mod users;

/// An error with its causes.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
