//! Tokens that do not count: what forgers try, sent to the gateway; and the rate that a counting one has.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::api::{As, error_text};
use crate::stack::{Answer, stack};
use crate::users::new_name;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::now_ms;

/// A key that is not the pool's.
const FORGERS_KEY: &[u8] = include_bytes!("../../shared/identity/src/fixtures/signing-key.pk8");

const UNAUTHORIZED: &str = r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"Falta el token de acceso o no es válido.","detalles":[],"solicitudId":"ID"}}"#;

fn call(authorization: &str) -> Answer {
    As::Nobody.call("GET", "/stores", &[("authorization", authorization)], "")
}

fn refused(why: &str, token: &str) {
    let answer = call(&format!("Bearer {token}"));
    assert_eq!((answer.status, error_text(&answer).as_str()), (401, UNAUTHORIZED), "{why}: {token}");
}

/// What Cognito gives for a password: access and id token.
fn cognito_tokens(client: &str, username: &str, password: &str) -> (String, String) {
    let answer = stack().cognito(
        "InitiateAuth",
        &json!({
            "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client,
            "AuthParameters": {"USERNAME": username, "PASSWORD": password}
        }),
    );
    let of = |name: &str| answer["AuthenticationResult"][name].as_str().unwrap().to_owned();
    (of("AccessToken"), of("IdToken"))
}

fn good_token() -> String {
    let (username, password) = stack().user("cliente");
    let (access, _) = cognito_tokens(stack().output("UserPoolClientId"), &username, &password);
    assert_eq!(call(&format!("Bearer {access}")).status, 200);
    access
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn write(part: &Value) -> String {
    BASE64.encode(part.to_string())
}

/// Signed well, with a key of the forger's own.
fn forged(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", write(header), write(claims));
    let key = RsaKeyPair::from_pkcs8(FORGERS_KEY).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", BASE64.encode(signature))
}

#[test]
fn a_token_that_was_changed_does_not_count() {
    let good = good_token();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, mut claims) = (read(parts[0]), read(parts[1]));
    claims["cognito:groups"] = json!(["admin"]);
    let raised = write(&claims);
    refused("another role under the same signature", &format!("{}.{raised}.{}", parts[0], parts[2]));

    for name in ["none", "None", "NONE", "nOnE"] {
        let mut none = header.clone();
        none["alg"] = json!(name);
        refused("no signature", &format!("{}.{raised}.", write(&none)));
        refused("a signature that is none", &format!("{}.{raised}.e30", write(&none)));
        refused("the old signature", &format!("{}.{raised}.{}", write(&none), parts[2]));
    }

    // The public key, which anybody can fetch, taken for a shared secret.
    let url = format!("{}/{}/.well-known/jwks.json", stack().output("Endpoint"), stack().output("UserPoolId"));
    let published = stack().http("GET", &url, &[], b"");
    let key = published.json()["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).cloned();
    let modulus = BASE64.decode(key.expect("the token's key is published")["n"].as_str().unwrap()).unwrap();
    let mut hs256 = header.clone();
    hs256["alg"] = json!("HS256");
    let message = format!("{}.{raised}", write(&hs256));
    for secret in [published.bytes.as_slice(), &modulus] {
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), message.as_bytes());
        refused("HS256 with the public key", &format!("{message}.{}", BASE64.encode(tag)));
    }

    let half = parts[2].len() / 2;
    refused("half a signature", &format!("{}.{}.{}", parts[0], parts[1], &parts[2][..half]));
    refused("another token's signature", &format!("{}.{}.{}", parts[0], parts[1], "A".repeat(parts[2].len())));
    refused("four parts", &format!("{good}.e30"));
    refused("two parts", &format!("{}.{}", parts[0], parts[1]));
}

#[test]
fn a_token_of_the_forgers_own_key_does_not_count() {
    let good = good_token();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, mut claims) = (read(parts[0]), read(parts[1]));
    claims["cognito:groups"] = json!(["admin"]);
    let public = RsaKeyPair::from_pkcs8(FORGERS_KEY).unwrap();
    let public = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(public.public());
    let jwk = json!({"kty": "RSA", "kid": header["kid"], "n": BASE64.encode(public.n), "e": BASE64.encode(public.e)});
    for (name, value) in [
        ("typ", json!("JWT")),
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("kid", json!("made-up")),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!(null)),
        ("alg", json!("RS512")),
        ("alg", json!("ES256")),
    ] {
        let mut header = header.clone();
        header[name] = value;
        refused(name, &forged(&header, &claims));
    }
}

#[test]
fn a_good_token_of_somebody_else_does_not_count() {
    let (username, password) = stack().user("admin");
    let pool = stack().output("UserPoolId");
    let (_, id_token) = cognito_tokens(stack().output("UserPoolClientId"), &username, &password);
    refused("an id token", &id_token);

    // Another client of the same pool: well signed, by the same key, for the same user.
    let client = |pool: &str| {
        let flows = json!(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]);
        let body = json!({"UserPoolId": pool, "ClientName": "elsewhere", "ExplicitAuthFlows": flows});
        let made = stack().cognito("CreateUserPoolClient", &body);
        made["UserPoolClient"]["ClientId"].as_str().unwrap().to_owned()
    };
    let other = client(pool);
    let (access, _) = cognito_tokens(&other, &username, &password);
    stack().cognito("DeleteUserPoolClient", &json!({"UserPoolId": pool, "ClientId": other}));
    refused("another client's", &access);

    // Another pool altogether, with an administrator of its own.
    let made = stack().cognito("CreateUserPool", &json!({"PoolName": new_name("elsewhere")}));
    let foreign = made["UserPool"]["Id"].as_str().unwrap().to_owned();
    let other = client(&foreign);
    let user = json!({"UserPoolId": foreign, "Username": "admin", "Password": "Elsewhere-1", "Permanent": true});
    stack()
        .cognito("AdminCreateUser", &json!({"UserPoolId": foreign, "Username": "admin", "MessageAction": "SUPPRESS"}));
    stack().cognito("AdminSetUserPassword", &user);
    let (access, _) = cognito_tokens(&other, "admin", "Elsewhere-1");
    stack().cognito("DeleteUserPool", &json!({"UserPoolId": foreign}));
    refused("another pool's", &access);
}

#[test]
fn what_is_no_token_does_not_count() {
    let good = good_token();
    for authorization in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer undefined",
        "Bearer ..",
        "Bearer a.b.c",
        "Bearer {}",
        "Basic YWRtaW46YWRtaW4=",
        "Negotiate a.b.c",
        &good,
        &format!("Token {good}"),
        &format!("Bearer Bearer {good}"),
        &format!("Bearer {good} {good}"),
        &format!("Bearer {good},Bearer {good}"),
        &format!("Bearer {}.{}.{}", "a".repeat(4000), "b".repeat(4000), "c".repeat(4000)),
        &format!("Bearer {good}{}", "A".repeat(9000)),
    ] {
        let answer = call(authorization);
        assert_eq!((answer.status, error_text(&answer).as_str()), (401, UNAUTHORIZED), "{authorization}");
    }
    // A token stands in the header and nowhere else.
    for path in [format!("/stores?token={good}"), format!("/stores?access_token={good}")] {
        assert_eq!(As::Nobody.get(&path).status, 401);
    }
    assert_eq!(As::Nobody.call("GET", "/stores", &[("cookie", &format!("token={good}"))], "").status, 401);
    // And the same token does count where it belongs.
    assert_eq!(call(&format!("bearer {good}")).status, 200);
}

/// The usage plans of this stack's API, by name.
fn plans() -> Vec<Value> {
    let all = stack().api_gateway("/usageplans?limit=500");
    let ours = |plan: &&Value| {
        plan["apiStages"].as_array().is_some_and(|s| s.iter().any(|s| s["apiId"] == stack().output("ApiId")))
    };
    all["item"].as_array().or(all["items"].as_array()).unwrap().iter().filter(ours).cloned().collect()
}

#[test]
fn the_four_tiers_have_their_rates() {
    let plans = plans();
    for (tier, rate, burst) in
        [("gratuito", 250, 500), ("basico", 50, 100), ("premium", 200, 400), ("empresarial", 1000, 2000)]
    {
        let named = |plan: &&Value| plan["name"].as_str().unwrap().ends_with(&format!("-{tier}"));
        let plan = plans.iter().find(named).unwrap_or_else(|| panic!("no plan {tier}: {plans:?}"));
        let of = |name: &str| plan["throttle"][name].as_f64().unwrap() as i64;
        assert_eq!((of("rateLimit"), of("burstLimit")), (rate, burst), "{tier}");
    }
}

fn plan_id(tier: &str) -> String {
    let named = |plan: &Value| plan["name"].as_str().unwrap().ends_with(&format!("-{tier}"));
    plans().into_iter().find(named).unwrap()["id"].as_str().unwrap().to_owned()
}

/// The keys of the free plan, as API Gateway has them.
fn free_keys() -> Vec<String> {
    let keys = stack().api_gateway(&format!("/usageplans/{}/keys?limit=500", plan_id("gratuito")));
    let keys = keys["item"].as_array().or(keys["items"].as_array()).unwrap().clone();
    let keys: Vec<String> = keys.iter().map(|key| key["value"].as_str().unwrap().to_owned()).collect();
    keys.into_iter().filter(|key| key.contains("gratuito")).collect()
}

#[test]
fn the_authorizer_names_a_key_that_is_there() {
    let keys = free_keys();
    assert_eq!(keys.len(), 4);
    for key in &keys {
        assert!((20..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    }
    let question = json!({
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:us-east-1:000000000000:abc/v1/GET/stores",
        "authorizationToken": format!("Bearer {}", good_token())
    });
    let (answer, failed) = stack().invoke("authorize", &question);
    let named = answer["usageIdentifierKey"].as_str().unwrap_or_default();
    assert!(!failed && keys.iter().any(|key| key == named), "{answer} names none of {keys:?}");
}

/// Whoever sends nonsense must not be able to fill the log with errors.
#[test]
fn a_refused_token_is_no_error_in_the_log() {
    let since = now_ms() - 1_000;
    refused("no token at all", "nonsense");
    let invocation = eventually(PATIENCE, "the refusal in the log", || {
        let lines = stack().logged_about("authorize", "caller refused", since);
        let id = lines.first().and_then(|line| line["span"]["request_id"].as_str());
        id.map(str::to_owned).ok_or_else(|| "not there yet".to_owned())
    });
    let lines = stack().logged_about("authorize", &invocation, since);
    assert!(lines.iter().all(|line| line["level"] == "INFO"), "{lines:?}");
}

/// Locally a key counts where it is sent in the header; on AWS the authorizer names it.
#[test]
fn who_calls_faster_than_the_tier_is_told_to_wait() {
    let key = format!("test{:020}", fastrand::u64(..));
    let made = stack().api_gateway_post("/apikeys", &json!({"name": key, "value": key, "enabled": true}));
    let joined = json!({"keyId": made["id"], "keyType": "API_KEY"});
    stack().api_gateway_post(&format!("/usageplans/{}/keys", plan_id("basico")), &joined);
    let key = key.as_str();
    let (told, calls, deadline) = (AtomicBool::new(false), AtomicUsize::new(0), Instant::now() + PATIENCE);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !told.load(Ordering::Relaxed) && Instant::now() < deadline {
                    calls.fetch_add(1, Ordering::Relaxed);
                    let answer = As::Cliente.call("GET", "/stores?limit=1", &[("x-api-key", key)], "");
                    if answer.status == 429 {
                        assert_eq!(answer.header("retry-after"), "1");
                        assert_eq!(
                            error_text(&answer),
                            r#"{"error":{"codigo":"LIMITE_EXCEDIDO","mensaje":"Demasiadas solicitudes. Espere un momento.","detalles":[],"solicitudId":"ID"}}"#
                        );
                        told.store(true, Ordering::Relaxed);
                    } else {
                        assert_eq!(answer.status, 200, "{}", answer.text());
                    }
                }
            });
        }
    });
    let calls = calls.into_inner();
    assert!(told.into_inner() && calls > 100, "{calls} calls, none of them too many");
    // Without the key there is no such limit here.
    for _ in 0..120 {
        assert_eq!(As::Cliente.get("/stores?limit=1").status, 200);
    }
}
