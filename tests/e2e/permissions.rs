//! Each function runs with the session of its own role, and a call that the role does not allow is refused: so every other
//! test here holds the template's roles too.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::stack::{root, stack};
use crate::wait::{PATIENCE, eventually};

/// A copy of a function of the stack, with a role of its own, gone with this value.
struct Copy {
    name: String,
    role: String,
}

impl Copy {
    /// Of `function`, with what the policy of its role says.
    fn of(function: &str, policy: &Value) -> Self {
        let about =
            stack().lambda("GET", &format!("/2015-03-31/functions/{}-{function}", stack().name()), &Value::Null);
        let configuration = &about["Configuration"];
        let location = about["Code"]["Location"].as_str().expect("where the code is");
        let code = stack().http("GET", location, &[], b"");
        assert_eq!(code.status, 200, "{location}");
        let mut name = format!("copy-{function}");
        write!(name, "-{:012x}", fastrand::u64(..1 << 48)).unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        stack().iam("CreateRole", &[("RoleName", &name), ("AssumeRolePolicyDocument", &trust.to_string())]);
        let copy = Self { role: name.clone(), name };
        copy.allow(policy);
        let arn = configuration["Role"].as_str().unwrap();
        let arn = format!("{}/{}", arn.rsplit_once('/').unwrap().0, copy.role);
        let body = json!({"FunctionName": copy.name, "Runtime": configuration["Runtime"], "Handler": configuration["Handler"],
            "Architectures": configuration["Architectures"], "Timeout": configuration["Timeout"], "Role": arn,
            "Environment": {"Variables": configuration["Environment"]["Variables"]},
            "Code": {"ZipFile": BASE64_STANDARD.encode(&code.bytes)}});
        stack().lambda("POST", "/2015-03-31/functions", &body);
        copy
    }

    fn allow(&self, policy: &Value) {
        let policy = policy.to_string();
        stack().iam("PutRolePolicy", &[("RoleName", &self.role), ("PolicyName", "all"), ("PolicyDocument", &policy)]);
    }

    fn answers(&self, event: &Value) -> Value {
        stack().lambda("POST", &format!("/2015-03-31/functions/{}/invocations", self.name), event)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // what is left helps to find out why
        }
        stack().lambda("DELETE", &format!("/2015-03-31/functions/{}", self.name), &Value::Null);
        stack().iam("DeleteRolePolicy", &[("RoleName", &self.role), ("PolicyName", "all")]);
        stack().iam("DeleteRole", &[("RoleName", &self.role)]);
    }
}

/// The policy of a function's role, as it is deployed.
fn policy_of(function: &str) -> Value {
    let arn = stack().role(function);
    let role = arn.rsplit_once('/').unwrap().1;
    let answer = stack().iam("GetRolePolicy", &[("RoleName", role), ("PolicyName", function)]);
    let document = answer.split("<PolicyDocument>").nth(1).and_then(|rest| rest.split("</").next()).unwrap();
    let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap().into_owned();
    serde_json::from_str(&document.replace("&quot;", "\"")).unwrap_or_else(|error| panic!("{error}: {document}"))
}

fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    let mut taken = 0;
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let named = &statement["Action"];
        let actions = named.as_array().cloned().unwrap_or_else(|| vec![named.clone()]);
        let left: Vec<Value> = actions.iter().filter(|one| *one != action).cloned().collect();
        taken += actions.len() - left.len();
        // A statement has one action at least; this one allows nothing that anybody calls.
        statement["Action"] = if left.is_empty() { json!(["logs:PutLogEvents"]) } else { json!(left) };
    }
    assert_eq!(taken, 1, "{action} stands once in the policy");
    policy
}

#[test]
fn a_function_without_one_of_its_permissions_fails() {
    let policy = policy_of("tasks-api");
    let event = std::fs::read_to_string(root().join("events/tasks-api/list.json")).unwrap();
    let event: Value = serde_json::from_str(&event).unwrap();
    let copy = Copy::of("tasks-api", &without(&policy, "dynamodb:Query"));
    let refused = copy.answers(&event);
    assert_eq!(refused["statusCode"], 500, "{refused}");
    assert!(refused["body"].as_str().unwrap().contains("ERROR_INTERNO"), "{refused}");
    // It was the permission, and nothing else: with it the same function answers.
    copy.allow(&policy);
    eventually(PATIENCE, "the list of to-dos", || {
        let answer = copy.answers(&event);
        if answer["statusCode"] == 200 { Ok(()) } else { Err(answer.to_string()) }
    });
}
