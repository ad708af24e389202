//! How every AWS client here is configured: from the environment, with Amazon's root certificates alone.
//!
//! Lambda puts region and credentials into the environment and renews them by replacing the process, so no profile,
//! no instance metadata and no refreshing chain is needed; and every endpoint we call is Amazon's, so the five roots
//! that Amazon Trust Services publishes are all the trust a function has to parse at start. The operating system's
//! whole store costs about 5 ms of every cold start (docs/performance.md).
//!
//! Invariant: nothing here knows whether it talks to AWS or to the local stack; `AWS_ENDPOINT_URL` is all that differs.

pub mod direct;

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;
use std::{env, fmt};

use almacen_clock::Clock;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
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
/// How long one try may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a call may take with all its tries. A function behind the API answers before its own time is up all the same
/// (`almacen_lambda_kit::http`); the others have longer time-outs than this (`xtask/tests/template.rs`).
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// Tries of one call, the first included, with pauses between them that grow and differ.
pub const ATTEMPTS: u32 = 4;

/// How this function reaches AWS: configuration, credentials and one pool of connections. A value that `main` makes and
/// hands on, so that a simulation can hand on another one. Cloning it is cheap. Nothing is read or opened before it is needed.
#[derive(Clone)]
pub struct Aws(Arc<LazyLock<Parts, Box<dyn FnOnce() -> Parts + Send>>>);

struct Parts {
    config: SdkConfig,
    connector: SharedHttpConnector,
    credentials: Option<Credentials>,
    /// A simulation's own. In Lambda each service has one for the whole process.
    retries: Option<RetryPartition>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl Aws {
    /// As Lambda's environment says: region and credentials, and `AWS_ENDPOINT_URL` where it is set.
    #[must_use]
    pub fn from_env() -> Self {
        Self::lazy(|| {
            let credentials = credentials_from_env();
            Parts::new(SharedHttpConnector::new(build_connector()), credentials, region_from_env(), endpoint_from_env())
        })
    }

    /// Over another connector, for simulations: with a bucket of retry tokens of its own, which in Lambda is the process's.
    #[must_use]
    pub fn over(connector: SharedHttpConnector, credentials: Credentials, region: Region) -> Self {
        Self::lazy(move || {
            let mut parts = Parts::new(connector, Some(credentials), Some(region), None);
            parts.retries = Some(RetryPartition::custom("simulated").token_bucket(TokenBucket::default()).build());
            parts
        })
    }

    fn lazy(make: impl FnOnce() -> Parts + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// The configuration that every client is built from.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    /// Which bucket of retry tokens the calls of a service share.
    #[must_use]
    pub fn retry_partition(&self, service: &'static str) -> RetryPartition {
        self.0.retries.clone().unwrap_or_else(|| RetryPartition::new(service))
    }

    /// What every request is sent on.
    ///
    /// The SDK's own HTTP client makes a connector for each AWS client that is built, and throws it away: it wants the operating
    /// system's roots to be read then and not with the first request. We have none to read, and each time would parse our five
    /// once more.
    #[must_use]
    pub fn connector(&self) -> &SharedHttpConnector {
        &self.0.connector
    }

    /// The function's own credentials. Without any, calls fail as unsigned, with the service's own message.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.0.credentials.as_ref()
    }
}

/// A client of one AWS service, made when it is first needed: many invocations call a service not at all, and a client costs
/// a cold start about a fifth of a millisecond. Clones share the client.
pub struct LazyClient<C>(Arc<Lazy<C>>);

struct Lazy<C> {
    aws: Aws,
    make: fn(&Aws) -> C,
    client: OnceLock<C>,
}

impl<C> LazyClient<C> {
    /// `make` makes it.
    #[must_use]
    pub fn new(aws: &Aws, make: fn(&Aws) -> C) -> Self {
        Self(Arc::new(Lazy { aws: aws.clone(), make, client: OnceLock::new() }))
    }

    /// The client.
    #[must_use]
    pub fn get(&self) -> &C {
        self.0.client.get_or_init(|| (self.0.make)(&self.0.aws))
    }

    /// How it reaches AWS.
    #[must_use]
    pub fn aws(&self) -> &Aws {
        &self.0.aws
    }
}

impl<C> Clone for LazyClient<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for LazyClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyClient")
    }
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

impl Parts {
    fn new(
        connector: SharedHttpConnector,
        credentials: Option<Credentials>,
        region: Option<Region>,
        endpoint: Option<String>,
    ) -> Self {
        let shared = connector.clone();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .http_client(http_client_fn(move |_settings, _components| shared.clone()))
            .sleep_impl(TokioSleep::new())
            .time_source(Clock)
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
        if let Some(credentials) = &credentials {
            // They are at hand: to keep them once more would cost each call a look at the clock and a lock.
            config = config
                .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
                .identity_cache(IdentityCache::no_cache());
        }
        config.set_endpoint_url(endpoint);
        Self { config: config.build(), connector, credentials, retries: None }
    }
}

fn region_from_env() -> Option<Region> {
    env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok().map(Region::new)
}

fn endpoint_from_env() -> Option<String> {
    env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty())
}

fn credentials_from_env() -> Option<Credentials> {
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
    }
}
