//! JSON lines on standard output, which Lambda ships to CloudWatch Logs.
//!
//! What may be logged: ids, counts, names of stores and events, durations. Never a body, token, card, e-mail address or
//! postal address. Libraries log headers and bodies below `INFO`, so a release build has no log below it (a feature of
//! `tracing` in the workspace's Cargo.toml). That also makes a function a twelfth smaller and quicker to start.

use std::env;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging. Lambda's own log-level setting is honoured (`AWS_LAMBDA_LOG_LEVEL`), `INFO` without one; in a release
/// build it can only say less.
pub fn init() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::INFO);
    // A second start in one process (tests) keeps the first subscriber.
    let _already_started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .finish()
        .with(without_echo(level))
        .try_init();
}

/// The runtime tells every failure of a handler once more, as an error, even that a caller has no valid token.
/// [`crate::start::run`] has told it already, as what it is.
fn without_echo(level: LevelFilter) -> Targets {
    Targets::new().with_default(level).with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
}

/// An error with all its causes in one line: `import imp_1: read object: timed out`.
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their source in their own text; say it once.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn only_the_runtimes_echo_is_left_out() {
        let told = without_echo(LevelFilter::INFO);
        for (target, level, expected) in [
            ("lambda_runtime::layers::panic", Level::ERROR, false),
            ("lambda_runtime::layers::api_client", Level::ERROR, true),
            ("authorize", Level::INFO, true),
            ("authorize", Level::DEBUG, false),
        ] {
            assert_eq!(told.would_enable(target, &level), expected, "{target} {level}");
        }
    }
}
