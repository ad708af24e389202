//! The keys that the user pool signs with (JWKS), fetched over the same HTTP client as every AWS call.

use std::future::Future;
use std::time::Duration;

use almacen_aws_client::Aws;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use crate::reason;

/// The largest key set read. Cognito's has two keys and about a kilobyte.
const BYTES_MAX: usize = 64 * 1024;
/// Keys taken from one set.
const KEYS_MAX: usize = 16;
/// The longest one try may take, and how often it is tried: without keys nobody gets in, so one lost answer should not be
/// the end. Both tries fit into the time that the function has.
const TRY_WITHIN: Duration = Duration::from_secs(4);
const TRIES: usize = 2;

/// Why there are no keys. It says nothing about any token.
#[derive(Debug, thiserror::Error)]
#[error("signing keys: {0}")]
pub struct KeysError(String);

impl KeysError {
    /// With a reason for operators.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Where the key set comes from.
pub trait KeySource {
    /// The key set as it is now, JSON.
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, KeysError>> + Send;
}

/// The key set at its public address.
#[derive(Debug)]
pub struct PublishedKeys {
    aws: Aws,
    url: String,
}

impl PublishedKeys {
    /// At `url`. Nothing is fetched yet.
    #[must_use]
    pub fn at(aws: &Aws, url: String) -> Self {
        Self { aws: aws.clone(), url }
    }
}

impl KeySource for PublishedKeys {
    async fn fetch(&self) -> Result<Vec<u8>, KeysError> {
        let mut last = KeysError::new("not tried");
        for _ in 0..TRIES {
            match self.fetch_once().await {
                Ok(set) => return Ok(set),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl PublishedKeys {
    async fn fetch_once(&self) -> Result<Vec<u8>, KeysError> {
        let request = HttpRequest::get(&self.url).map_err(|error| KeysError::new(reason(&error)))?;
        let answer =
            self.aws.send(request, BYTES_MAX, TRY_WITHIN).await.map_err(|error| KeysError::new(reason(&error)))?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(KeysError::new(format!("answered {status}"))),
        }
    }
}

/// One key, by its id.
pub(crate) type Key = (String, DecodingKey);

/// The keys of a set that can sign with RS256; others are left out.
pub(crate) fn parse(set: &[u8]) -> Result<Vec<Key>, KeysError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Rsa {
        kid: String,
        kty: String,
        #[serde(default)]
        alg: Option<String>,
        #[serde(default, rename = "use")]
        usage: Option<String>,
        n: String,
        e: String,
    }
    let set: Set = serde_json::from_slice(set).map_err(|error| KeysError::new(format!("no key set: {error}")))?;
    let keys: Vec<Key> = set
        .keys
        .into_iter()
        .take(KEYS_MAX)
        .filter_map(|value| serde_json::from_value::<Rsa>(value).ok())
        .filter(|key| {
            key.kty == "RSA"
                && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
                && key.usage.as_deref().is_none_or(|usage| usage == "sig")
        })
        .filter_map(|key| DecodingKey::from_rsa_components(&key.n, &key.e).ok().map(|decoding| (key.kid, decoding)))
        .collect();
    if keys.is_empty() { Err(KeysError::new("the set has no RS256 key")) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(set: &str) -> Result<Vec<String>, String> {
        parse(set.as_bytes()).map(|keys| keys.into_iter().map(|(id, _)| id).collect()).map_err(|e| e.to_string())
    }

    #[test]
    fn only_keys_that_sign_with_rs256_are_taken() {
        let set = r#"{"keys":[
            {"kid":"a","kty":"RSA","alg":"RS256","use":"sig","n":"AQAB","e":"AQAB"},
            {"kid":"b","kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kid":"c","kty":"RSA","alg":"RS512","n":"AQAB","e":"AQAB"},
            {"kid":"d","kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"},
            {"kid":"e","kty":"oct","k":"AQAB"},
            {"kid":"f","kty":"RSA","n":"!","e":"AQAB"},
            7
        ]}"#;
        assert_eq!(ids(set).unwrap(), ["a", "b"]);
        assert!(ids(r#"{"keys":[]}"#).is_err());
        assert!(ids("<html>").is_err());
    }

    /// A server that answers one request after the other with these, whole.
    async fn fetch_from(answers: &'static [&'static [u8]]) -> Result<Vec<u8>, String> {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/pool/.well-known/jwks.json");
        let server = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 2048];
                let read = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..read]);
                assert!(request.starts_with("GET /pool/.well-known/jwks.json HTTP/1.1\r\n"), "{request}");
                // The client may hang up before it has everything.
                let _ = stream.write_all(answer);
            }
        });
        let got = PublishedKeys::at(&Aws::from_env(), url).fetch().await.map_err(|error| error.to_string());
        // Where it was asked too rarely, it still waits; an empty request ends it, and this test.
        drop(std::net::TcpStream::connect(address));
        server.join().unwrap();
        got
    }

    const SET: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const ENDLESS: &[u8] = &{
        let head = *b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n";
        let mut bytes = [b' '; 200_000];
        let mut at = 0;
        while at < head.len() {
            bytes[at] = head[at];
            at += 1;
        }
        bytes
    };

    #[tokio::test]
    async fn fetching_is_bounded() {
        assert_eq!(fetch_from(&[SET]).await.unwrap(), b"{}");
        assert_eq!(fetch_from(&[NOT_FOUND, NOT_FOUND]).await.unwrap_err(), "signing keys: answered 404");
        assert_eq!(fetch_from(&[ENDLESS, ENDLESS]).await.unwrap_err(), "signing keys: too large");
        let nobody = PublishedKeys::at(&Aws::from_env(), "http://127.0.0.1:9/jwks.json".to_owned()).fetch().await;
        assert!(nobody.is_err());
    }

    #[tokio::test]
    async fn one_lost_answer_is_not_the_end() {
        assert_eq!(fetch_from(&[b"", SET]).await.unwrap(), b"{}");
        assert_eq!(fetch_from(&[NOT_FOUND, SET]).await.unwrap(), b"{}");
    }
}
