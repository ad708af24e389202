//! Names of what makes functions run: read from an event, and listed from the template.

use std::collections::BTreeSet;

use almacen_testing_aws::stack::{Stack, Trigger};
use serde_json::Value;

/// The user pool before it takes somebody who signs up.
const SIGN_UP: &str = "PreSignUp";
/// The API before a request with a token.
const TOKEN: &str = "TOKEN";
/// EventBridge.
const SCHEDULE: &str = "schedule";

fn queue(name: &str) -> String {
    format!("queue {name}")
}

fn stream(table: &str) -> String {
    format!("stream {table}")
}

/// The trigger of an event: a route such as `PATCH /items/{store}/{item+}`, a queue, a stream, the schedule, the user pool
/// or the authorizer.
#[must_use]
pub fn of_event(event: &Value) -> String {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str);
    if let (Some(method), Some(resource)) = (text("/httpMethod"), text("/resource")) {
        return format!("{method} {resource}");
    }
    let arn = text("/Records/0/eventSourceARN").unwrap_or_default();
    if let Some((_, rest)) = arn.split_once(":table/") {
        return stream(rest.split('/').next().unwrap_or(rest));
    }
    if !arn.is_empty() {
        return queue(arn.rsplit(':').next().unwrap_or(arn));
    }
    match (text("/triggerSource"), text("/type")) {
        (Some(source), _) if source.starts_with(SIGN_UP) => SIGN_UP.to_owned(),
        (_, Some(TOKEN)) => TOKEN.to_owned(),
        _ => SCHEDULE.to_owned(),
    }
}

/// Every trigger of the template with the package of its function: queues, streams, schedules, the user pool, the
/// authorizer, and all routes but those that only read (GET).
#[must_use]
pub fn all(stack: &Stack) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for route in stack.routes.iter().filter(|route| route.method != "GET") {
        all.insert((route.function.clone(), format!("{} {}", route.method, route.path)));
    }
    for (package, function) in &stack.functions {
        for trigger in &function.triggers {
            let name = match trigger {
                Trigger::Queue { queue: name, .. } => queue(name),
                Trigger::Stream { table, .. } => stream(table),
                Trigger::Schedule { .. } => SCHEDULE.to_owned(),
            };
            all.insert((package.clone(), name));
        }
    }
    all.extend(stack.admits.iter().map(|package| (package.clone(), SIGN_UP.to_owned())));
    all.extend(stack.authorizer.iter().map(|package| (package.clone(), TOKEN.to_owned())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn triggers_by_their_events() {
        let check = |event: Value, expected: &str| assert_eq!(of_event(&event), expected);
        check(json!({"httpMethod": "PUT", "resource": "/tasks/{id}"}), "PUT /tasks/{id}");
        check(
            json!({"Records": [{"eventSourceARN": "arn:aws:sqs:eu-west-1:1:almacen-uploads"}]}),
            "queue almacen-uploads",
        );
        let arn = "arn:aws:dynamodb:eu-west-1:1:table/almacen-Outbox/stream/2026-01-01T00:00:00.000";
        check(json!({"Records": [{"eventSourceARN": arn}]}), "stream almacen-Outbox");
        check(json!({"source": "aws.events", "detail": {}}), "schedule");
        check(json!({"triggerSource": "PreSignUp_SignUp"}), "PreSignUp");
        check(json!({"type": "TOKEN", "methodArn": "a", "authorizationToken": "b"}), "TOKEN");
    }
}
