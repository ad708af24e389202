//! Cognito's pre sign-up trigger: checks name and address by the rules of `almacen_domain::identity::user`, also for
//! callers that use Cognito's SignUp directly with the app client's id, and confirms the account at once where the
//! parameter `SelfSignUp` is `auto`.

use almacen_domain::identity::user::{Email, Username};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use lambda_runtime::Context;
use serde_json::{Value, json};

/// The function.
#[derive(Debug)]
pub struct AdmitUser {
    /// Whether an account counts without anybody's confirmation.
    confirm_at_once: bool,
}

impl AdmitUser {
    /// `SELF_SIGN_UP`, the template's parameter: `auto` confirms at once; `admin` and `email` leave it to somebody else.
    #[must_use]
    pub fn new(env: &mut Env) -> Self {
        Self { confirm_at_once: env.required("SELF_SIGN_UP") == "auto" }
    }
}

impl Function for AdmitUser {
    type Event = Value;
    type Answer = Value;

    async fn handle(&self, event: Value, _context: Context) -> Result<Value, Failure> {
        admit(event, self.confirm_at_once)
    }
}

/// The answer to one question: the event itself, with its `response` filled in, as Cognito wants it.
///
/// # Errors
/// Where somebody may not sign up. Cognito hands the text on, so it names no value.
fn admit(mut event: Value, confirm_at_once: bool) -> Result<Value, Failure> {
    // Who is made by an operator has been looked at by one.
    if event["triggerSource"] != "PreSignUp_SignUp" {
        return Ok(event);
    }
    let username = event["userName"].as_str().is_some_and(|name| Username::parse(name).is_ok());
    let email = event["request"]["userAttributes"]["email"].as_str().is_some_and(|text| Email::parse(text).is_some());
    if !username || !email {
        tracing::info!(username, email, "sign-up refused");
        return Err(Failure { kind: "Refused", message: "username or email is not valid".to_owned() });
    }
    if confirm_at_once && let Some(event) = event.as_object_mut() {
        // The address stays unverified: nobody has shown that it is theirs.
        event.insert(
            "response".to_owned(),
            json!({"autoConfirmUser": true, "autoVerifyEmail": false, "autoVerifyPhone": false}),
        );
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN_UP: &str = include_str!("../../../events/admit-user/sign-up.json");

    fn answer(mode: &str, event: &str) -> Result<Value, &'static str> {
        let function = AdmitUser::new(&mut Env::of([("SELF_SIGN_UP", mode)]));
        admit(serde_json::from_str(event).unwrap(), function.confirm_at_once).map_err(|failure| failure.kind)
    }

    #[test]
    fn accounts_are_confirmed_where_the_stack_says_so() {
        let given: Value = serde_json::from_str(SIGN_UP).unwrap();
        let got = answer("auto", SIGN_UP).unwrap();
        assert_eq!(
            got["response"].to_string(),
            r#"{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}"#
        );
        for name in ["version", "triggerSource", "userPoolId", "userName", "callerContext", "request"] {
            assert_eq!(got[name], given[name], "{name}");
        }
        for mode in ["admin", "email", "AUTO"] {
            assert_eq!(answer(mode, SIGN_UP).unwrap(), given, "{mode}");
        }
    }

    #[test]
    fn who_goes_past_the_api_is_held_to_the_same_rules() {
        assert_eq!(answer("auto", &SIGN_UP.replace("\"ana\"", "\"ana gómez\"")), Err("Refused"));
        assert_eq!(answer("email", &SIGN_UP.replace("\"ana\"", "\"an\"")), Err("Refused"));
        assert_eq!(answer("auto", &SIGN_UP.replace("ana@example.com", "ana")), Err("Refused"));
        assert_eq!(answer("auto", &SIGN_UP.replace("\"email\"", "\"phone_number\"")), Err("Refused"));
        assert_eq!(answer("auto", r#"{"triggerSource":"PreSignUp_SignUp"}"#), Err("Refused"));
    }

    #[test]
    fn who_is_made_by_an_operator_is_not_looked_at() {
        let made = include_str!("../../../events/admit-user/made-by-operator.json");
        assert_eq!(answer("auto", made).unwrap(), serde_json::from_str::<Value>(made).unwrap());
        assert_eq!(answer("auto", "null").unwrap(), Value::Null);
    }
}
