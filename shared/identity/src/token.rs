//! Access tokens, verified.

use std::collections::HashMap;
use std::time::Duration;

use almacen_clock::{Instant, now_seconds};
use almacen_domain::identity::role::Role;
use almacen_domain::identity::tier::Tier;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::keys::{self, KeySource, KeysError};
use crate::rs256;

/// The longest token looked at, in bytes. Cognito's have about one kilobyte.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// How far the pool's clock and ours may be apart, in seconds.
const LEEWAY_SECONDS: u64 = 30;
/// A token with a key that we do not know makes us look for new keys at most this often, so that made-up tokens are no
/// way to make us knock at Cognito's door.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The same after a fetch that failed: then no token can be checked, and waiting a minute would be an outage.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`. Not its user name: that can be given to somebody else one day, a `sub` never is.
    pub user_id: String,
    /// Where the token says one. Cognito's access tokens do not.
    pub email: Option<String>,
    /// The highest role among the groups.
    pub role: Role,
    /// The highest tier among them.
    pub tier: Tier,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token does not count. The reason is for the log, never for the caller.
    #[error("token refused: {0}")]
    Refused(&'static str),
    /// The keys could not be had, so nothing is known about the token.
    #[error(transparent)]
    NoKeys(#[from] KeysError),
}

/// Which tokens count.
#[derive(Debug, Clone)]
pub struct Pool {
    /// `https://cognito-idp.{region}.amazonaws.com/{pool id}`.
    pub issuer: String,
    /// The app client that asked for the token.
    pub client_id: String,
}

/// Verifies access tokens of one user pool and one of its clients.
#[derive(Debug)]
pub struct Verifier<S> {
    source: S,
    pool: Pool,
    known: Mutex<KeyCache>,
}

#[derive(Debug, Default)]
struct KeyCache {
    keys: HashMap<String, DecodingKey>,
    /// When keys were last fetched or tried to be, and whether it went well.
    fetched: Option<(Instant, bool)>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    token_use: String,
    client_id: String,
    /// Seconds since 1970, as `nbf`; a fraction is allowed (RFC 7519, 2).
    #[serde(default)]
    exp: serde_json::Value,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default, rename = "cognito:groups")]
    groups: Vec<String>,
}

impl<S: KeySource> Verifier<S> {
    /// Over these keys. Nothing is fetched yet.
    #[must_use]
    pub fn new(source: S, pool: Pool) -> Self {
        rs256::install();
        Self { source, pool, known: Mutex::default() }
    }

    /// Reads an `Authorization` header: `Bearer` and a token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, authorization: &str, now: Instant) -> Result<Identity, TokenError> {
        if authorization.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Refused("too long"));
        }
        let token = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(TokenError::Refused("no bearer token"))?;
        let header = decode_header(token).map_err(|_| TokenError::Refused("malformed"))?;
        if header.alg != Algorithm::RS256 {
            return Err(TokenError::Refused("other algorithm"));
        }
        // The key is the pool's own with this id. Keys that the token brings along or links to (`jwk`, `jku`, `x5u`) are
        // never looked at: whoever forges a token can name a key that fits it.
        let key_id = header.kid.ok_or(TokenError::Refused("no key id"))?;
        let key = self.key(&key_id, now).await?;
        let claims = decode::<Claims>(token, &key, &self.validation()).map_err(|error| refused(error.kind()))?.claims;
        check_times(&claims, now_seconds())?;
        if claims.token_use != "access" {
            return Err(TokenError::Refused("not an access token"));
        }
        if claims.client_id != self.pool.client_id {
            return Err(TokenError::Refused("another client's"));
        }
        if claims.sub.is_empty() {
            return Err(TokenError::Refused("no subject"));
        }
        Ok(Identity {
            user_id: claims.sub,
            email: claims.email,
            role: Role::highest(claims.groups.iter().map(String::as_str)),
            tier: Tier::highest(claims.groups.iter().map(String::as_str)),
        })
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        // By our own clock: `check_times`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        // Access tokens have no `aud`; their `client_id` is compared instead.
        validation.validate_aud = false;
        validation.set_issuer(&[&self.pool.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation
    }

    /// The key with this id, fetched where it is not known.
    async fn key(&self, id: &str, now: Instant) -> Result<DecodingKey, TokenError> {
        let mut known = self.known.lock().await;
        if let Some(key) = known.keys.get(id) {
            return Ok(key.clone());
        }
        if let Some((at, went_well)) = known.fetched {
            let age = now.saturating_duration_since(at);
            if went_well && age < LOOK_AGAIN_AFTER {
                return Err(TokenError::Refused("unknown key"));
            }
            if !went_well && age < TRY_AGAIN_AFTER {
                return Err(TokenError::NoKeys(KeysError::new("not available a moment ago")));
            }
        }
        match self.source.fetch().await.and_then(|set| keys::parse(&set)) {
            Ok(keys) => {
                // Keys that the set no longer names are forgotten with it.
                known.keys = keys.into_iter().collect();
                known.fetched = Some((now, true));
                known.keys.get(id).cloned().ok_or(TokenError::Refused("unknown key"))
            }
            Err(error) => {
                known.fetched = Some((now, false));
                Err(TokenError::NoKeys(error))
            }
        }
    }
}

/// `now` in seconds since 1970.
fn check_times(claims: &Claims, now: u64) -> Result<(), TokenError> {
    // Exact for the next 285 million years.
    let (now, leeway) = (now as f64, LEEWAY_SECONDS as f64);
    let exp = claims.exp.as_f64().ok_or(TokenError::Refused("a claim is missing"))?;
    if exp < now - leeway {
        return Err(TokenError::Refused("expired"));
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + leeway) {
        return Err(TokenError::Refused("not valid yet"));
    }
    Ok(())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the crate's errors are open-ended and every one is a refusal")]
fn refused(kind: &ErrorKind) -> TokenError {
    TokenError::Refused(match kind {
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::InvalidIssuer => "wrong issuer",
        ErrorKind::InvalidAlgorithm => "other algorithm",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "malformed",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as StdMutex;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
    use serde_json::{Value, json};

    /// Made for these tests; it has never signed anything else.
    const SIGNING_KEY: &[u8] = include_bytes!("fixtures/signing-key.pk8");
    const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool";

    fn signing_key() -> RsaKeyPair {
        RsaKeyPair::from_pkcs8(SIGNING_KEY).unwrap()
    }

    fn good_claims() -> Value {
        json!({
            "sub": "7d8ca528-4931-4254-9273-ea5ee853f271", "iss": ISSUER, "client_id": "client-1", "token_use": "access",
            "cognito:groups": ["operador"], "username": "ana", "exp": now_seconds() + 60, "iat": now_seconds()
        })
    }

    fn token(header: &Value, claims: &Value) -> String {
        signed(&header.to_string(), &claims.to_string())
    }

    fn signed(header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let key = signing_key();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", BASE64.encode(signature))
    }

    fn rs256(claims: &Value) -> String {
        token(&json!({"alg": "RS256", "kid": "k1"}), claims)
    }

    fn public_set(kid: &str) -> Vec<u8> {
        let key = signing_key();
        let parts = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let (n, e) = (BASE64.encode(parts.n), BASE64.encode(parts.e));
        json!({"keys": [{"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": e}]}).to_string().into()
    }

    /// A good key of somebody else's.
    fn other_public_set(kid: &str) -> Vec<u8> {
        let n = concat!(
            "xJGLDpoyBt6AGATCQ7grGN3iDNq-BFbeL6cKxoyJfeti-rpAbTMc3VDnnaPo2ulnJi-Nfxa5xXgz98rarl4ULUnLcS",
            "eiTrLhIILa4pOvhhQB1lpDC2Yr5AgFm060iqm5OZ5LQj1VQsQlxROxbEMTh5YESIf45nU-Wu2SzYyweLs70T4fbTWW",
            "6rma1vgrSocs3ZHfMzgTrj8p1nzoxQnRD1Oek9gCYuwvN3fDr9FhRnFLgcEUbgpODOynkNC8SVWt6Y9-JDl8BEqplt",
            "mDFtu_8oNMJ6N1yyGfbv7BpsG4Y6EgSLo7tymgYar_1V-fPYza9gUb8-GxjPI_uGcixIkyxw",
        );
        json!({"keys": [{"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": "AQAB"}]})
            .to_string()
            .into()
    }

    /// Gives these answers in turn, the last one for ever, and counts.
    struct Keys {
        answers: Vec<Option<Vec<u8>>>,
        asked: StdMutex<usize>,
    }

    impl KeySource for &Keys {
        async fn fetch(&self) -> Result<Vec<u8>, KeysError> {
            let mut asked = self.asked.lock().unwrap();
            let answer = self.answers[(*asked).min(self.answers.len() - 1)].clone();
            *asked += 1;
            answer.ok_or_else(|| KeysError::new("down"))
        }
    }

    impl Keys {
        fn giving(answers: Vec<Option<Vec<u8>>>) -> Self {
            Self { answers, asked: StdMutex::new(0) }
        }

        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }

        fn verifier(&self) -> Verifier<&Self> {
            Verifier::new(self, Pool { issuer: ISSUER.to_owned(), client_id: "client-1".to_owned() })
        }
    }

    async fn check(authorization: &str, expected: Result<Role, &str>) {
        let keys = Keys::giving(vec![Some(public_set("k1"))]);
        let got = keys.verifier().verify(authorization, Instant::now()).await;
        match (got, expected) {
            (Ok(identity), Ok(role)) => {
                assert_eq!(identity.role, role);
                assert_eq!(identity.user_id, "7d8ca528-4931-4254-9273-ea5ee853f271");
            }
            (Err(TokenError::Refused(reason)), Err(expected)) => assert_eq!(reason, expected, "{authorization}"),
            (got, expected) => panic!("{authorization}: {got:?} instead of {expected:?}"),
        }
    }

    async fn check_with(change: impl FnOnce(&mut Value), expected: Result<Role, &str>) {
        let mut claims = good_claims();
        change(&mut claims);
        check(&format!("Bearer {}", rs256(&claims)), expected).await;
    }

    #[tokio::test]
    async fn claims() {
        check_with(|_| (), Ok(Role::Operator)).await;
        check_with(|c| c["cognito:groups"] = json!(["cliente", "admin"]), Ok(Role::Admin)).await;
        check_with(|c| c["cognito:groups"] = json!(["root"]), Ok(Role::Customer)).await;
        check_with(|c| drop(c.as_object_mut().unwrap().remove("cognito:groups")), Ok(Role::Customer)).await;
        check_with(|c| c["cognito:groups"] = json!(["premium", "operador"]), Ok(Role::Operator)).await;
        check_with(|c| c["cognito:groups"] = json!("admin"), Err("malformed")).await;
        check_with(|c| c["iss"] = json!("https://cognito-idp.eu-west-1.amazonaws.com/other"), Err("wrong issuer"))
            .await;
        check_with(|c| drop(c.as_object_mut().unwrap().remove("iss")), Err("a claim is missing")).await;
        check_with(|c| c["client_id"] = json!("client-2"), Err("another client's")).await;
        check_with(|c| c["token_use"] = json!("id"), Err("not an access token")).await;
        check_with(|c| c["sub"] = json!(""), Err("no subject")).await;
        check_with(|c| c["exp"] = json!(now_seconds() - LEEWAY_SECONDS - 5), Err("expired")).await;
        check_with(|c| c["exp"] = json!(now_seconds() - 1), Ok(Role::Operator)).await;
        check_with(|c| drop(c.as_object_mut().unwrap().remove("exp")), Err("a claim is missing")).await;
        check_with(|c| c["exp"] = json!("tomorrow"), Err("a claim is missing")).await;
        check_with(|c| c["nbf"] = json!(now_seconds() + LEEWAY_SECONDS + 60), Err("not valid yet")).await;
        check_with(|c| c["nbf"] = json!(now_seconds() + 1), Ok(Role::Operator)).await;
    }

    #[tokio::test]
    async fn forged_and_broken_tokens() {
        let good = rs256(&good_claims());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();

        for (text, reason) in [
            ("", "no bearer token"),
            ("Bearer", "no bearer token"),
            ("Bearer ", "malformed"),
            ("Basic dXNlcjpwYXNz", "no bearer token"),
            ("Bearer a.b", "malformed"),
            ("Bearer a.b.c.d", "malformed"),
            ("Bearer ñ.ñ.ñ", "malformed"),
            ("Bearer a.b.c", "malformed"),
            ("Bearer ..", "malformed"),
            ("Bearer a\u{0}.b.c", "malformed"),
            ("Bearer null", "malformed"),
            ("Bearer e30.e30.e30", "malformed"),
            ("Bearer eyJhbGciOiJSUzI1NiJ9.e30.e30", "no key id"),
        ] {
            check(text, Err(reason)).await;
        }
        check(&good, Err("no bearer token")).await;
        check(&format!("bearer {good}"), Ok(Role::Operator)).await;

        for name in ["none", "None", "nOnE", "NONE", ""] {
            let none = BASE64.encode(json!({"alg": name, "kid": "k1"}).to_string());
            check(&format!("Bearer {none}.{payload}."), Err("malformed")).await;
            check(&format!("Bearer {none}.{payload}.{signature}"), Err("malformed")).await;
        }

        // The public key, which anybody has, taken for a shared secret.
        let hs256 = BASE64.encode(r#"{"alg":"HS256","kid":"k1"}"#);
        let signed = format!("{hs256}.{payload}");
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public_set("k1"));
        let tag = BASE64.encode(ring::hmac::sign(&secret, signed.as_bytes()));
        check(&format!("Bearer {signed}.{tag}"), Err("other algorithm")).await;
        check(
            &format!("Bearer {}", token(&json!({"alg": "RS512", "kid": "k1"}), &good_claims())),
            Err("other algorithm"),
        )
        .await;

        let mut admin = good_claims();
        admin["cognito:groups"] = json!(["admin"]);
        let raised = BASE64.encode(admin.to_string());
        check(&format!("Bearer {header}.{raised}.{signature}"), Err("wrong signature")).await;
        let other_header = BASE64.encode(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#);
        check(&format!("Bearer {other_header}.{payload}.{signature}"), Err("wrong signature")).await;
        check(&format!("Bearer {message}."), Err("wrong signature")).await;
        check(&format!("Bearer {message}.{}", &signature[1..]), Err("malformed")).await;

        check(&format!("Bearer {}", token(&json!({"alg": "RS256"}), &good_claims())), Err("no key id")).await;
        check(&format!("Bearer {}", "a".repeat(TOKEN_BYTES_MAX)), Err("too long")).await;
    }

    /// What a forger can do: sign well with a key of their own, and say so in the header.
    #[tokio::test]
    async fn a_token_does_not_bring_its_own_key() {
        // The pool has another key under the same id.
        let keys = Keys::giving(vec![Some(other_public_set("k1"))]);
        let own: Value = serde_json::from_slice(&public_set("k1")).unwrap();
        for header in [
            json!({"alg": "RS256", "kid": "k1"}),
            json!({"alg": "RS256", "kid": "k1", "jwk": own["keys"][0]}),
            json!({"alg": "RS256", "kid": "k1", "jku": "https://evil.example/jwks.json"}),
            json!({"alg": "RS256", "kid": "k1", "x5u": "https://evil.example/cert.pem"}),
            json!({"alg": "RS256", "kid": "k1", "x5c": ["MIIB"]}),
        ] {
            let bearer = format!("Bearer {}", token(&header, &good_claims()));
            let got = keys.verifier().verify(&bearer, Instant::now()).await;
            assert!(matches!(got, Err(TokenError::Refused("wrong signature"))), "{header}: {got:?}");
        }
    }

    #[tokio::test]
    async fn key_ids_are_names_and_nothing_else() {
        for id in [
            "",
            "K1",
            "k1 ",
            "k1\0",
            "../../../../dev/null",
            "/etc/passwd",
            "k1' OR '1'='1",
            "https://evil.example/k1",
            "%6b1",
            &"k".repeat(2000),
        ] {
            let header = json!({"alg": "RS256", "kid": id});
            check(&format!("Bearer {}", token(&header, &good_claims())), Err("unknown key")).await;
        }
        for id in [json!(null), json!(7), json!(["k1"])] {
            let keys = Keys::giving(vec![Some(public_set("k1"))]);
            let bearer = format!("Bearer {}", token(&json!({"alg": "RS256", "kid": id}), &good_claims()));
            let got = keys.verifier().verify(&bearer, Instant::now()).await;
            assert!(matches!(got, Err(TokenError::Refused(_))), "{id}: {got:?}");
        }
    }

    /// Two readers of one token must not read different things.
    #[tokio::test]
    async fn what_is_said_twice_does_not_count() {
        let header = r#"{"alg":"RS256","kid":"k1"}"#;
        let claims = good_claims().to_string();
        let twice = |claim: &str| format!("{{{claim},{}", &claims[1..]);
        for claim in [
            r#""sub":"somebody-else""#,
            r#""token_use":"id""#,
            r#""client_id":"client-2""#,
            r#""cognito:groups":["admin"]"#,
            r#""exp":4102444800"#,
            r#""iss":"https://evil.example""#,
        ] {
            let bearer = format!("Bearer {}", signed(header, &twice(claim)));
            let keys = Keys::giving(vec![Some(public_set("k1"))]);
            let got = keys.verifier().verify(&bearer, Instant::now()).await;
            assert!(matches!(got, Err(TokenError::Refused(_))), "{claim}: {got:?}");
        }
        let alg_twice = signed(r#"{"alg":"none","alg":"RS256","kid":"k1"}"#, &claims);
        check(&format!("Bearer {alg_twice}"), Err("malformed")).await;
    }

    #[tokio::test]
    async fn made_up_keys_are_looked_for_once_a_minute() {
        let keys = Keys::giving(vec![Some(public_set("k1")), Some(public_set("k2"))]);
        let verifier = keys.verifier();
        let start = Instant::now();
        let with_key = |kid: &str| format!("Bearer {}", token(&json!({"alg": "RS256", "kid": kid}), &good_claims()));
        assert!(verifier.verify(&with_key("k1"), start).await.is_ok());
        assert_eq!(keys.asked(), 1);
        for _ in 0..50 {
            assert!(matches!(verifier.verify(&with_key("k2"), start).await, Err(TokenError::Refused("unknown key"))));
        }
        assert!(verifier.verify(&with_key("k1"), start).await.is_ok());
        assert_eq!(keys.asked(), 1);
        // A minute later a rotation is found, and the key it replaced is forgotten.
        let later = start + LOOK_AGAIN_AFTER;
        assert!(verifier.verify(&with_key("k2"), later).await.is_ok());
        assert!(matches!(verifier.verify(&with_key("k1"), later).await, Err(TokenError::Refused("unknown key"))));
        assert_eq!(keys.asked(), 2);
    }

    #[tokio::test]
    async fn without_keys_nothing_is_said_about_the_token() {
        let keys = Keys::giving(vec![None, Some(b"{}".to_vec()), Some(public_set("k1"))]);
        let verifier = keys.verifier();
        let good = format!("Bearer {}", rs256(&good_claims()));
        let start = Instant::now();
        assert!(matches!(verifier.verify(&good, start).await, Err(TokenError::NoKeys(_))));
        assert!(matches!(verifier.verify(&good, start).await, Err(TokenError::NoKeys(_))));
        assert_eq!(keys.asked(), 1);
        assert!(matches!(verifier.verify(&good, start + TRY_AGAIN_AFTER).await, Err(TokenError::NoKeys(_))));
        assert!(verifier.verify(&good, start + 2 * TRY_AGAIN_AFTER).await.is_ok());
        assert_eq!(keys.asked(), 3);
    }
}
