//! How every AWS client here is configured: from the environment, with Amazon's root certificates alone.
//!
//! Lambda puts region and credentials into the environment and renews them by replacing the process, so no profile,
//! no instance metadata and no refreshing chain is needed; and every endpoint we call is Amazon's, so the five roots
//! that Amazon Trust Services publishes are all the trust a function has to parse at start. The operating system's
//! whole store costs about 5 ms of every cold start (docs/performance.md).
//!
//! Invariant: nothing here knows whether it talks to AWS or to the local stack; `AWS_ENDPOINT_URL` is all that differs.

pub mod direct;

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{RequestChecksumCalculation, ResponseChecksumValidation};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2, as published at
/// <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one try may take. A function behind the API has 29 s in all, its gateway's limit.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a call may take with all its tries.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// Tries of one call, the first included, with pauses between them that grow and differ.
pub const ATTEMPTS: u32 = 4;

/// What all AWS clients of this process send their requests on: one pool of connections, one trust store, read once.
///
/// The SDK's own HTTP client makes a connector for each AWS client that is built, and throws it away: it wants the operating
/// system's roots to be read then and not with the first request. We have none to read, and each time would parse our five
/// once more.
#[must_use]
pub fn connector() -> &'static SharedHttpConnector {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    CONNECTOR.get_or_init(|| SharedHttpConnector::new(build_connector()))
}

fn build_connector() -> Connector {
    let builder = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS.as_bytes());
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build(),
        // Cannot happen with the certificates above; if it did, the default roots are slower, not wrong.
        Err(_) => builder.build(),
    }
}

/// The configuration that every client is built from: `Client::new(sdk_config())`. It is made once.
#[must_use]
pub fn sdk_config() -> &'static SdkConfig {
    static CONFIG: OnceLock<SdkConfig> = OnceLock::new();
    CONFIG.get_or_init(build_sdk_config)
}

fn build_sdk_config() -> SdkConfig {
    let mut config = SdkConfig::builder()
        .behavior_version(behavior_version())
        .region(env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok().map(Region::new))
        .http_client(http_client_fn(|_settings, _components| connector().clone()))
        .sleep_impl(TokioSleep::new())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
                .build(),
        )
        // TLS already protects the bytes; a second checksum of every object would cost ingest a tenth of its CPU.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(credentials) = credentials() {
        // They are at hand: to keep them once more would cost each call a look at the clock and a lock.
        config = config
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache());
    }
    if let Ok(url) = env::var("AWS_ENDPOINT_URL")
        && !url.is_empty()
    {
        config = config.endpoint_url(url);
    }
    config.build()
}

fn behavior_version() -> aws_smithy_runtime_api::client::behavior_version::BehaviorVersion {
    aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest()
}

/// What Lambda put into the environment; without it calls fail as unsigned, with the service's own message.
#[must_use]
pub fn credentials() -> Option<Credentials> {
    static CREDENTIALS: OnceLock<Option<Credentials>> = OnceLock::new();
    CREDENTIALS.get_or_init(read_credentials).clone()
}

fn read_credentials() -> Option<Credentials> {
    let key = env::var("AWS_ACCESS_KEY_ID").ok()?;
    let secret = env::var("AWS_SECRET_ACCESS_KEY").ok()?;
    // An empty token would be signed and sent, and stand at the end of every presigned link.
    let token = env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty());
    Some(Credentials::new(key, secret, token, None, "lambda-environment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trust_store_holds_five_roots_and_is_accepted() {
        assert_eq!(AMAZON_ROOTS.matches("BEGIN CERTIFICATE").count(), 5);
        let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS.as_bytes());
        assert!(TlsContext::builder().with_trust_store(roots).build().is_ok());
    }

    #[test]
    fn every_try_fits_into_the_call() {
        assert!(CONNECT_TIMEOUT < ATTEMPT_TIMEOUT && ATTEMPT_TIMEOUT < OPERATION_TIMEOUT);
        assert!(OPERATION_TIMEOUT < Duration::from_secs(29));
    }
}
