//! Access tokens as the user pool would sign them, and the public key that goes with them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

/// The key that the tests of `almacen-identity` sign with. It guards nothing.
const KEY: &[u8] = include_bytes!("../../../shared/identity/src/fixtures/signing-key.pk8");
const KEY_ID: &str = "bench";

fn key() -> Result<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(KEY).map_err(|error| anyhow!("signing key: {error}"))
}

/// What `/.well-known/jwks.json` answers.
pub(crate) fn jwks() -> Result<Value> {
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key()?.public_key());
    Ok(json!({"keys": [{
        "alg": "RS256",
        "e": URL_SAFE_NO_PAD.encode(public.e),
        "kid": KEY_ID,
        "kty": "RSA",
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "use": "sig",
    }]}))
}

/// An access token of an operator, good for a day.
pub(crate) fn access_token(pool: &str, client: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let region = pool.split('_').next().unwrap_or("");
    let header = json!({"kid": KEY_ID, "alg": "RS256"});
    let claims = json!({
        "sub": "5d1a3c2e-0000-4000-8000-000000000001",
        "cognito:groups": ["operador"],
        "iss": format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
        "client_id": client,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "iat": now,
        "exp": now + 86_400,
        "jti": "9f1c0000-0000-4000-8000-000000000001",
        "username": "maria",
    });
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = key()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|error| anyhow!("sign token: {error}"))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
