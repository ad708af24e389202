//! Each function runs with the session of its own role, and a call that the role does not allow is refused: so every other
//! test here holds the template's roles too.

use serde_json::{Value, json};

use crate::copy::{Copy, policy_of};
use crate::stack::root;
use crate::wait::{PATIENCE, eventually};

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
    let copy = Copy::of("tasks-api", &without(&policy, "dynamodb:Query"), &json!({}));
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
