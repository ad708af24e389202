//! API Gateway's TOKEN authorizer: a valid access token becomes a policy for the whole stage, a context with the
//! caller's id and role, and the usage-plan key of their tier; anything else becomes 401. What the caller may do is
//! decided by each function, by role.
//!
//! Tokens are verified offline (`shared/identity`): RS256 alone, with the pool's own keys, issuer, client, use
//! and time. The role is the highest of the user's groups, `cliente` without any. API Gateway caches the answer by
//! token for five minutes; therefore the policy is for the whole stage: one for a single method would refuse the next
//! call of the same user to another.

use almacen_clock::Instant;
use almacen_domain::identity::tier::usage_key;
use almacen_identity::keys::KeySource;
use almacen_identity::token::{Identity, Pool, TokenError, Verifier};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use serde::{Deserialize, Serialize};

/// The function.
#[derive(Debug)]
pub struct Authorize<S> {
    verifier: Verifier<S>,
    /// How the keys of the free tier begin.
    free_keys_prefix: String,
}

impl<S: KeySource> Authorize<S> {
    /// `USER_POOL_ID`, `USER_POOL_CLIENT_ID`, `FREE_KEYS_PREFIX`, and `JWKS_URL` where the keys are not at Cognito's own address.
    /// `keys` makes their source from that address.
    #[must_use]
    pub fn new(env: &mut Env, keys: impl FnOnce(String) -> S) -> Self {
        let pool_id = env.required("USER_POOL_ID");
        let client_id = env.required("USER_POOL_CLIENT_ID");
        // A pool's id begins with its region: `eu-west-1_AbCdEf`.
        let region = pool_id.split('_').next().unwrap_or_default();
        let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{pool_id}");
        let keys_url = env.optional("JWKS_URL").unwrap_or_else(|| format!("{issuer}/.well-known/jwks.json"));
        Self {
            verifier: Verifier::new(keys(keys_url), Pool { issuer, client_id }),
            free_keys_prefix: env.required("FREE_KEYS_PREFIX"),
        }
    }
}

impl<S: KeySource> Function for Authorize<S> {
    type Event = Question;
    type Answer = Permit;

    async fn handle(&self, question: Question, _context: lambda_runtime::Context) -> Result<Permit, Failure> {
        answer(&self.verifier, &self.free_keys_prefix, &question).await
    }
}

/// What API Gateway asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    method_arn: String,
    #[serde(default)]
    authorization_token: String,
}

/// What it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permit {
    principal_id: String,
    policy_document: Policy,
    context: Context,
    /// The key of the usage plan that the request counts on.
    usage_identifier_key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    usuario_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    rol: &'static str,
}

/// Answers one question.
///
/// # Errors
/// `Unauthorized`, which API Gateway makes into 401, where the token does not count; anything else, which it makes into
/// 500, where it could not be checked.
async fn answer<S: KeySource>(
    verifier: &Verifier<S>,
    free_keys_prefix: &str,
    question: &Question,
) -> Result<Permit, Failure> {
    match verifier.verify(&question.authorization_token, Instant::now()).await {
        Ok(Identity { user_id, email, role, tier }) => Ok(Permit {
            principal_id: user_id.clone(),
            policy_document: Policy {
                version: "2012-10-17",
                statement: [Statement {
                    action: "execute-api:Invoke",
                    effect: "Allow",
                    resource: whole_stage(&question.method_arn),
                }],
            },
            usage_identifier_key: usage_key(tier, &user_id, free_keys_prefix),
            context: Context { usuario_id: user_id, email, rol: role.as_str() },
        }),
        Err(TokenError::Refused(reason)) => {
            tracing::info!(reason, "token refused");
            Err(Failure { kind: "Unauthorized", message: "Unauthorized".to_owned() })
        }
        Err(error @ TokenError::NoKeys(_)) => Err(Failure { kind: "NoKeys", message: error.to_string() }),
    }
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/GET/items` → `…:{api}/{stage}/*`.
fn whole_stage(method_arn: &str) -> String {
    let end = method_arn.match_indices('/').nth(1).map_or(method_arn.len(), |(at, _)| at);
    format!("{}/*", &method_arn[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_identity::keys::KeysError;

    /// The public half of the key that signed the tokens in `events/authorize`; they last until 2100.
    struct Keys(Result<&'static [u8], &'static str>);

    impl KeySource for Keys {
        async fn fetch(&self) -> Result<Vec<u8>, KeysError> {
            self.0.map(<[u8]>::to_vec).map_err(KeysError::new)
        }
    }

    const PUBLISHED: Keys = Keys(Ok(include_bytes!("fixtures/jwks.json")));

    async fn answered(keys: Keys, event: &str) -> Result<String, (&'static str, String)> {
        let mut env = Env::of([
            ("USER_POOL_ID", "eu-west-1_Example"),
            ("USER_POOL_CLIENT_ID", "1example23456789"),
            ("FREE_KEYS_PREFIX", "gratuito"),
        ]);
        let function = Authorize::new(&mut env, |_| keys);
        let question = serde_json::from_str(event).unwrap();
        match answer(&function.verifier, &function.free_keys_prefix, &question).await {
            Ok(permit) => Ok(serde_json::to_string(&permit).unwrap()),
            Err(Failure { kind, message }) => Err((kind, message)),
        }
    }

    #[tokio::test]
    async fn good_tokens_are_permitted_the_whole_stage() {
        assert_eq!(
            answered(PUBLISHED, include_str!("../../../events/authorize/operator.json")).await.unwrap(),
            r#"{"principalId":"7d8ca528-4931-4254-9273-ea5ee853f271","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/v1/*"}]},"context":{"usuarioId":"7d8ca528-4931-4254-9273-ea5ee853f271","rol":"operador"},"usageIdentifierKey":"gratuito02"}"#
        );
        let shopper = answered(PUBLISHED, include_str!("../../../events/authorize/shopper.json")).await.unwrap();
        assert!(shopper.contains(r#""rol":"cliente"}"#), "{shopper}");
        // An operator has given this one a tier, and with it a key of their own.
        let premium = answered(PUBLISHED, include_str!("../../../events/authorize/premium.json")).await.unwrap();
        assert!(
            premium.ends_with(r#""rol":"cliente"},"usageIdentifierKey":"7d8ca528493142549273ea5ee853f271"}"#),
            "{premium}"
        );
    }

    #[tokio::test]
    async fn anything_else_is_exactly_unauthorized() {
        let unauthorized = Err(("Unauthorized", "Unauthorized".to_owned()));
        for event in [
            include_str!("../../../events/authorize/expired.json"),
            include_str!("../../../events/authorize/id-token.json"),
            include_str!("../../../events/authorize/no-token.json"),
        ] {
            assert_eq!(answered(PUBLISHED, event).await, unauthorized);
        }
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_checked_is_no_401() {
        assert_eq!(
            answered(Keys(Err("down")), include_str!("../../../events/authorize/operator.json")).await,
            Err(("NoKeys", "signing keys: down".to_owned()))
        );
    }

    #[test]
    fn the_policy_is_for_the_whole_stage() {
        let check = |arn, expected| assert_eq!(whole_stage(arn), expected);
        check(
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1/GET/items/Berlin/a%2Fb",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1/*",
        );
        check("arn:aws:execute-api:eu-west-1:1:abc/v1/GET/", "arn:aws:execute-api:eu-west-1:1:abc/v1/*");
        check("arn:aws:execute-api:eu-west-1:1:abc/v1", "arn:aws:execute-api:eu-west-1:1:abc/v1/*");
    }

    #[test]
    fn the_issuer_and_the_keys_follow_from_the_pool() {
        let mut env = Env::of([
            ("USER_POOL_ID", "eu-west-1_Pool"),
            ("USER_POOL_CLIENT_ID", "client-1"),
            ("FREE_KEYS_PREFIX", "k"),
        ]);
        let mut address = String::new();
        let function = Authorize::new(&mut env, |url| {
            address = url;
            PUBLISHED
        });
        assert_eq!(function.free_keys_prefix, "k");
        assert_eq!(address, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool/.well-known/jwks.json");
        let elsewhere = "http://127.0.0.1:1/x";
        drop(Authorize::new(&mut Env::of([("JWKS_URL", elsewhere)]), |url| {
            assert_eq!(url, elsewhere);
            PUBLISHED
        }));
    }
}
