//! A copy of a deployed function, to be tried with other permissions or parameters than the stack's.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::stack::stack;

/// A copy of a function of the stack, with a role of its own, gone with this value.
pub(crate) struct Copy {
    name: String,
    role: String,
}

impl Copy {
    /// Of `function`, with this policy, and with these variables in place of what it has.
    pub(crate) fn of(function: &str, policy: &Value, environment: &Value) -> Self {
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
        let mut variables = configuration["Environment"]["Variables"].clone();
        for (name, value) in environment.as_object().expect("variables") {
            variables[name] = value.clone();
        }
        let body = json!({"FunctionName": copy.name, "Runtime": configuration["Runtime"], "Handler": configuration["Handler"],
            "Architectures": configuration["Architectures"], "Timeout": configuration["Timeout"], "Role": arn,
            "Environment": {"Variables": variables},
            "Code": {"ZipFile": BASE64_STANDARD.encode(&code.bytes)}});
        stack().lambda("POST", "/2015-03-31/functions", &body);
        copy
    }

    pub(crate) fn allow(&self, policy: &Value) {
        let policy = policy.to_string();
        stack().iam("PutRolePolicy", &[("RoleName", &self.role), ("PolicyName", "all"), ("PolicyDocument", &policy)]);
    }

    pub(crate) fn answers(&self, event: &Value) -> Value {
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
pub(crate) fn policy_of(function: &str) -> Value {
    let arn = stack().role(function);
    let role = arn.rsplit_once('/').unwrap().1;
    let answer = stack().iam("GetRolePolicy", &[("RoleName", role), ("PolicyName", function)]);
    let document = answer.split("<PolicyDocument>").nth(1).and_then(|rest| rest.split("</").next()).unwrap();
    let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap().into_owned();
    serde_json::from_str(&document.replace("&quot;", "\"")).unwrap_or_else(|error| panic!("{error}: {document}"))
}
