//! A Cognito user pool, as far as signing up, in, and asking who one is goes
//! (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html>).
//!
//! Not here: challenges, mails, triggers but the one before a sign-up (`cloud::admission`). Tokens are signed with the key that the tests of `almacen-identity` have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Millis, ServiceError};

/// It guards nothing.
const KEY: &[u8] = include_bytes!("../../../shared/identity/src/fixtures/signing-key.pk8");
const KEY_ID: &str = "testing-aws";
/// An access token lasts an hour.
const TOKEN_LASTS: Millis = 3600 * 1000;
/// A refresh token lasts thirty days.
const REFRESH_LASTS: Millis = 30 * 24 * 3600 * 1000;

/// How the pool is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Its id, such as `eu-west-1_abc`.
    pub id: String,
    /// Its app client.
    pub client_id: String,
    /// Is somebody who signs up confirmed at once?
    pub confirms: bool,
}

#[derive(Debug, Clone)]
struct User {
    name: String,
    sub: String,
    email: Option<String>,
    password: String,
    is_confirmed: bool,
    groups: BTreeSet<String>,
}

/// Somebody who has signed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserState {
    /// The name.
    pub name: String,
    /// The address.
    pub email: Option<String>,
    /// May they sign in?
    pub is_confirmed: bool,
    /// Have they been given tokens?
    pub is_signed_in: bool,
}

#[derive(Debug, Clone)]
struct State {
    settings: PoolSettings,
    /// By the name in lower case: names are not case-sensitive in this pool.
    users: BTreeMap<String, User>,
    /// Access and refresh tokens: whose, and until when.
    tokens: BTreeMap<String, (String, Millis)>,
    last: u64,
}

/// A user pool.
#[derive(Debug)]
pub struct Cognito {
    state: Mutex<State>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Call {
    client_id: Option<String>,
    user_pool_id: Option<String>,
    username: String,
    password: String,
    user_attributes: Vec<Attribute>,
    auth_flow: String,
    auth_parameters: BTreeMap<String, String>,
    access_token: String,
    group_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    name: String,
    value: String,
}

fn not_authorized(message: &str) -> ServiceError {
    ServiceError::new("NotAuthorizedException", message)
}

fn no_such_user() -> ServiceError {
    ServiceError::new("UserNotFoundException", "User does not exist.")
}

fn broken(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::with_status(500, "InternalErrorException", error.to_string())
}

fn key() -> Result<RsaKeyPair, ServiceError> {
    RsaKeyPair::from_pkcs8(KEY).map_err(broken)
}

impl User {
    fn attributes(&self) -> Value {
        let email = self.email.iter().map(|email| json!({"Name": "email", "Value": email}));
        let all: Vec<Value> = [json!({"Name": "sub", "Value": self.sub})].into_iter().chain(email).collect();
        json!(all)
    }
}

impl State {
    fn read(&self, body: &[u8]) -> Result<Call, ServiceError> {
        let malformed = |error: serde_json::Error| ServiceError::new("SerializationException", error.to_string());
        let call: Call = serde_json::from_slice(body).map_err(malformed)?;
        let is_ours = call.client_id.as_ref().is_none_or(|id| *id == self.settings.client_id)
            && call.user_pool_id.as_ref().is_none_or(|id| *id == self.settings.id);
        let told = "User pool or client does not exist.";
        if is_ours { Ok(call) } else { Err(ServiceError::new("ResourceNotFoundException", told)) }
    }

    fn user(&mut self, name: &str) -> Result<&mut User, ServiceError> {
        self.users.get_mut(&name.to_lowercase()).ok_or_else(no_such_user)
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn add(&mut self, call: &Call, is_confirmed: bool) -> Result<User, ServiceError> {
        let key = call.username.to_lowercase();
        if self.users.contains_key(&key) {
            return Err(ServiceError::new("UsernameExistsException", "User already exists"));
        }
        let email = call.user_attributes.iter().find(|attribute| attribute.name == "email");
        let user = User {
            name: call.username.clone(),
            sub: format!("5d1a3c2e-0000-4000-8000-{:012x}", self.number()),
            email: email.map(|attribute| attribute.value.clone()),
            password: call.password.clone(),
            is_confirmed,
            groups: BTreeSet::new(),
        };
        self.users.insert(key, user.clone());
        Ok(user)
    }

    fn access_token(&mut self, name: &str, now: Millis) -> Result<String, ServiceError> {
        let number = self.number();
        let PoolSettings { id, client_id, .. } = self.settings.clone();
        let user = self.user(name)?;
        let region = id.split('_').next().unwrap_or_default();
        let header = json!({"kid": KEY_ID, "alg": "RS256"});
        let mut claims = json!({
            "sub": user.sub,
            "iss": format!("https://cognito-idp.{region}.amazonaws.com/{id}"),
            "client_id": client_id,
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now / 1000,
            "iat": now / 1000,
            "exp": (now + TOKEN_LASTS) / 1000,
            "jti": format!("9f1c0000-0000-4000-8000-{number:012x}"),
            "username": user.name,
        });
        if !user.groups.is_empty() {
            claims["cognito:groups"] = json!(user.groups);
        }
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let key = key()?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(broken)?;
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        self.tokens.insert(token.clone(), (name.to_owned(), now + TOKEN_LASTS));
        Ok(token)
    }

    /// Whose token it is, while it is good and the user there.
    fn holder(&self, token: &str, now: Millis) -> Option<String> {
        let (name, _) = self.tokens.get(token).filter(|(_, until)| *until > now)?;
        self.users.contains_key(name).then(|| name.clone())
    }

    fn initiate(&mut self, call: &Call, now: Millis) -> Result<Value, ServiceError> {
        let parameter = |name: &str| call.auth_parameters.get(name).map_or("", String::as_str);
        let (name, refresh) = match call.auth_flow.as_str() {
            "USER_PASSWORD_AUTH" => {
                let name = parameter("USERNAME").to_lowercase();
                let wrong = || not_authorized("Incorrect username or password.");
                let user = self.users.get(&name).ok_or_else(wrong)?;
                if !user.is_confirmed {
                    return Err(ServiceError::new("UserNotConfirmedException", "User is not confirmed."));
                }
                if user.password != parameter("PASSWORD") {
                    return Err(wrong());
                }
                let refresh = format!("refresh-{}", self.number());
                self.tokens.insert(refresh.clone(), (name.clone(), now + REFRESH_LASTS));
                (name, Some(refresh))
            }
            "REFRESH_TOKEN_AUTH" => {
                let token = parameter("REFRESH_TOKEN");
                let holder = self.holder(token, now).filter(|_| token.starts_with("refresh-"));
                (holder.ok_or_else(|| not_authorized("Invalid Refresh Token"))?, None)
            }
            other => {
                let told = format!("{other} flow not enabled for this client");
                return Err(ServiceError::new("InvalidParameterException", told));
            }
        };
        let access = self.access_token(&name, now)?;
        let mut result =
            json!({"AccessToken": access, "IdToken": access, "TokenType": "Bearer", "ExpiresIn": TOKEN_LASTS / 1000});
        if let Some(refresh) = refresh {
            result["RefreshToken"] = json!(refresh);
        }
        Ok(json!({"AuthenticationResult": result, "ChallengeParameters": {}}))
    }
}

/// A copy is of its own: what happens to one does not happen to the other.
impl Clone for Cognito {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl Cognito {
    /// With nobody in it.
    #[must_use]
    pub fn new(settings: PoolSettings) -> Self {
        Self { state: Mutex::new(State { settings, users: BTreeMap::new(), tokens: BTreeMap::new(), last: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody who has signed up, by name.
    #[must_use]
    pub fn users(&self) -> Vec<UserState> {
        let state = self.lock();
        let holds = |name: &String| state.tokens.values().any(|(holder, _)| holder == name);
        let user = |(key, user): (&String, &User)| UserState {
            name: user.name.clone(),
            email: user.email.clone(),
            is_confirmed: user.is_confirmed,
            is_signed_in: holds(key),
        };
        state.users.iter().map(user).collect()
    }

    /// Answers a `SignUp`; `confirmed` where a trigger has said so.
    ///
    /// # Errors
    /// As Cognito refuses it.
    pub fn sign_up(&self, body: &[u8], confirmed: bool) -> Result<Vec<u8>, ServiceError> {
        let mut state = self.lock();
        let call = state.read(body)?;
        if call.password.chars().count() < 8 {
            let told = "Password did not conform with policy: Password not long enough";
            return Err(ServiceError::new("InvalidPasswordException", told));
        }
        let is_confirmed = confirmed || state.settings.confirms;
        let user = state.add(&call, is_confirmed)?;
        Ok(json!({"UserConfirmed": user.is_confirmed, "UserSub": user.sub}).to_string().into_bytes())
    }

    /// Makes a confirmed user of these groups; the `sub`.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_user(&self, name: &str, email: &str, password: &str, groups: &[&str]) -> Result<String, ServiceError> {
        let mut state = self.lock();
        let email = Attribute { name: "email".to_owned(), value: email.to_owned() };
        let (username, password) = (name.to_owned(), password.to_owned());
        let call = Call { username, password, user_attributes: vec![email], ..Call::default() };
        let sub = state.add(&call, true)?.sub;
        state.user(name)?.groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Ok(sub)
    }

    /// An access token of a user, as signing in gives it.
    ///
    /// # Errors
    /// Where there is no such user.
    pub fn access_token(&self, name: &str, now: Millis) -> Result<String, ServiceError> {
        self.lock().access_token(&name.to_lowercase(), now)
    }

    /// What `/{pool}/.well-known/jwks.json` answers.
    ///
    /// # Errors
    /// Never in practice: the key is part of the program.
    pub fn jwks(&self) -> Result<Value, ServiceError> {
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

    /// Answers one call.
    ///
    /// # Errors
    /// As Cognito refuses it.
    pub fn call(&self, operation: &str, body: &[u8], now: Millis) -> Result<Vec<u8>, ServiceError> {
        if operation == "SignUp" {
            return self.sign_up(body, false);
        }
        let mut state = self.lock();
        let call = state.read(body)?;
        let answer = match operation {
            "InitiateAuth" => state.initiate(&call, now)?,
            "GetUser" => {
                let holder = state.holder(&call.access_token, now);
                let name = holder.ok_or_else(|| not_authorized("Access Token has been revoked"))?;
                let user = state.user(&name)?;
                json!({"Username": user.name, "UserAttributes": user.attributes()})
            }
            "AdminGetUser" => {
                let user = state.user(&call.username)?;
                let status = if user.is_confirmed { "CONFIRMED" } else { "UNCONFIRMED" };
                json!({"Username": user.name, "UserAttributes": user.attributes(), "UserStatus": status, "Enabled": true})
            }
            "AdminCreateUser" => {
                let user = state.add(&call, false)?;
                let status = "FORCE_CHANGE_PASSWORD";
                json!({"User": {"Username": user.name, "UserStatus": status, "Attributes": user.attributes()}})
            }
            "AdminConfirmSignUp" => {
                state.user(&call.username)?.is_confirmed = true;
                json!({})
            }
            "AdminSetUserPassword" => {
                let user = state.user(&call.username)?;
                (user.password, user.is_confirmed) = (call.password, true);
                json!({})
            }
            "AdminAddUserToGroup" => {
                state.user(&call.username)?.groups.insert(call.group_name);
                json!({})
            }
            "AdminDeleteUser" => {
                state.users.remove(&call.username.to_lowercase()).ok_or_else(no_such_user)?;
                json!({})
            }
            other => return Err(ServiceError::unknown_operation(other)),
        };
        Ok(answer.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_705_834_800_000;

    fn pool(confirms: bool) -> Cognito {
        Cognito::new(PoolSettings { id: "eu-west-1_p".to_owned(), client_id: "c".to_owned(), confirms })
    }

    fn call(pool: &Cognito, operation: &str, body: Value, now: Millis) -> Result<Value, String> {
        let answer = pool.call(operation, body.to_string().as_bytes(), now).map_err(|error| error.code)?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    #[test]
    fn somebody_signs_up_and_in() {
        let pool = pool(false);
        let new = json!({"ClientId": "c", "Username": "María", "Password": "Secreta1", "UserAttributes": [{"Name": "email", "Value": "m@x.es"}]});
        let sub = call(&pool, "SignUp", new.clone(), NOW).unwrap()["UserSub"].clone();
        assert_eq!(call(&pool, "SignUp", new, NOW).unwrap_err(), "UsernameExistsException");
        let sign_in = |password: &str| json!({"ClientId": "c", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "maría", "PASSWORD": password}});
        assert_eq!(call(&pool, "InitiateAuth", sign_in("Secreta1"), NOW).unwrap_err(), "UserNotConfirmedException");
        call(&pool, "AdminConfirmSignUp", json!({"UserPoolId": "eu-west-1_p", "Username": "MARÍA"}), NOW).unwrap();
        assert_eq!(call(&pool, "InitiateAuth", sign_in("x"), NOW).unwrap_err(), "NotAuthorizedException");
        let tokens = call(&pool, "InitiateAuth", sign_in("Secreta1"), NOW).unwrap()["AuthenticationResult"].clone();
        let who = |now| call(&pool, "GetUser", json!({"AccessToken": tokens["AccessToken"]}), now);
        assert_eq!(who(NOW).unwrap()["UserAttributes"][0]["Value"], sub);
        assert_eq!(who(NOW + TOKEN_LASTS).unwrap_err(), "NotAuthorizedException");
        let again = |token: &Value| json!({"ClientId": "c", "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token}});
        let renewed = call(&pool, "InitiateAuth", again(&tokens["RefreshToken"]), NOW + 5).unwrap();
        assert!(renewed["AuthenticationResult"].get("RefreshToken").is_none());
        assert_eq!(
            call(&pool, "InitiateAuth", again(&tokens["AccessToken"]), NOW).unwrap_err(),
            "NotAuthorizedException"
        );
        assert_eq!(
            call(&pool, "InitiateAuth", json!({"ClientId": "other"}), NOW).unwrap_err(),
            "ResourceNotFoundException"
        );
        call(&pool, "AdminDeleteUser", json!({"Username": "maría"}), NOW).unwrap();
        assert_eq!(who(NOW).unwrap_err(), "NotAuthorizedException");
    }

    #[test]
    fn tokens_are_signed_with_the_published_key() {
        use ring::signature::RSA_PKCS1_2048_8192_SHA256;
        let pool = pool(true);
        pool.add_user("ana", "a@x.es", "Secreta1", &["operador"]).unwrap();
        let token = pool.access_token("ana", NOW).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
        let set = pool.jwks().unwrap();
        let key = RsaPublicKeyComponents { n: decode(&set["keys"][0]["n"]), e: decode(&set["keys"][0]["e"]) };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap();
        assert_eq!(claims["cognito:groups"], json!(["operador"]));
        assert_eq!(claims["exp"], json!(NOW / 1000 + 3600));
    }
}
