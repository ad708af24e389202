//! docs/openapi.yaml and template.yaml name the same routes, with the same need of a token; and the document is whole.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: Value = serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    value.apply_merge().unwrap_or_else(|error| panic!("{name}: {error}"));
    value
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:?}"))
}

/// The text of `!Sub …` or `!Ref …`.
fn untagged(value: &Value) -> &str {
    if let Value::Tagged(tagged) = value { text(&tagged.value) } else { text(value) }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_mapping().into_iter().flat_map(Mapping::iter).map(|(key, value)| (text(key), value))
}

/// Route → whether it needs a token, from the paths of the template's API.
fn deployed() -> BTreeMap<String, bool> {
    let template = read("template.yaml");
    let mut found = BTreeMap::new();
    for (path, item) in entries(&template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]) {
        for (method, operation) in entries(item) {
            let marks: BTreeSet<&str> = operation["security"]
                .as_sequence()
                .into_iter()
                .flatten()
                .flat_map(|mark| entries(mark).map(|(name, _)| name))
                .collect();
            // The key of a usage plan comes with the token, so a route without the one must not ask for the other.
            assert!(
                marks.is_empty() || marks == BTreeSet::from(["NONE", "api_key_false"]),
                "template.yaml: {method} {path}: `security` is left out, or `*open`"
            );
            // A greedy parameter is one parameter: see Request::path_parameter.
            found.insert(format!("{method} {}", path.replace("+}", "}")), marks.is_empty());
        }
    }
    found
}

/// Each route leads to a function that the gateway may call, and each of those has a route.
#[test]
fn the_gateway_may_call_the_functions_of_its_routes_and_no_other() {
    let template = read("template.yaml");
    let resources = &template["Resources"];
    let mut routed = BTreeSet::new();
    for (path, item) in entries(&resources["Api"]["Properties"]["DefinitionBody"]["paths"]) {
        for (method, operation) in entries(item) {
            assert!(
                ["get", "post", "put", "patch", "delete"].contains(&method),
                "template.yaml: {path}: {method} is no verb of ours; OPTIONS is the gateway's own, by `Cors`"
            );
            let integration = &operation["x-amazon-apigateway-integration"];
            assert_eq!((text(&integration["type"]), text(&integration["httpMethod"])), ("aws_proxy", "POST"), "{path}");
            let uri = untagged(&integration["uri"]);
            let function = uri
                .split_once("functions/${")
                .and_then(|(_, rest)| rest.split_once(".Arn}/invocations"))
                .unwrap_or_else(|| panic!("template.yaml: {path}: {uri} names no function"));
            routed.insert(function.0.to_owned());
        }
    }
    let allowed: BTreeSet<String> = entries(resources)
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Permission")
        .map(|(_, resource)| &resource["Properties"])
        .filter(|permission| permission["Principal"] == "apigateway.amazonaws.com")
        .map(|permission| untagged(&permission["FunctionName"]).to_owned())
        .collect();
    assert_eq!(routed, allowed, "left: functions with a route; right: functions that the gateway may call");
    assert!(routed.len() >= 7);
}

/// Route → operation of the document.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item).filter(|(name, _)| *name != "parameters") {
            found.insert(format!("{method} {path}"), operation);
        }
    }
    found
}

#[test]
fn routes_and_tokens_are_those_of_the_template() {
    let document = read("docs/openapi.yaml");
    let documented: BTreeMap<String, bool> = operations(&document)
        .into_iter()
        .map(|(route, operation)| {
            let security = operation.get("security").unwrap_or(&document["security"]);
            (route, security.as_sequence().is_some_and(|list| !list.is_empty()))
        })
        .collect();
    let deployed = deployed();
    let both: BTreeSet<&String> = documented.keys().chain(deployed.keys()).collect();
    let differing: Vec<String> = both
        .into_iter()
        .filter(|route| documented.get(*route) != deployed.get(*route))
        .map(|route| {
            format!(
                "{route}: {:?} in docs/openapi.yaml, {:?} in template.yaml",
                documented.get(route),
                deployed.get(route)
            )
        })
        .collect();
    assert!(differing.is_empty(), "true where a token is needed:\n{}", differing.join("\n"));
    assert!(documented.len() >= 11);
}

#[test]
fn every_operation_says_what_can_happen() {
    let document = read("docs/openapi.yaml");
    let tags: BTreeSet<&str> = document["tags"].as_sequence().unwrap().iter().map(|tag| text(&tag["name"])).collect();
    let mut names = BTreeSet::new();
    for (route, operation) in operations(&document) {
        assert!(names.insert(text(&operation["operationId"])), "{route}: its operationId is another's too");
        assert!(!text(&operation["summary"]).is_empty(), "{route}");
        assert!(operation["tags"].as_sequence().unwrap().iter().all(|tag| tags.contains(text(tag))), "{route}: tags");
        let statuses: BTreeSet<&str> = entries(&operation["responses"]).map(|(status, _)| status).collect();
        let says = |status: &str| statuses.contains(status);
        assert!(
            statuses.iter().any(|status| status.starts_with('2') || status.starts_with('3')),
            "{route}: no success"
        );
        assert!(says("429") && says("500") && says("503"), "{route}: anything can be throttled or fail");
        assert!(!says("default"), "{route}: `default` would hide a status that is not documented");
        let security = operation.get("security").unwrap_or(&document["security"]).as_sequence().unwrap();
        assert!(security.is_empty() || says("401"), "{route}: a token can be refused");
        let role = security.iter().find_map(|one| one.get("bearer")?.get(0));
        assert!(role.is_none() || says("403"), "{route}: a role can be too low");
        assert_eq!(operation.get("requestBody").is_some(), says("413") && says("415"), "{route}: 413 and 415");
        assert!(!route.contains('{') || says("404"), "{route}: what a path names may not be there");
    }
}

/// Every field is written down: a schema of an object is closed, or says what else it may hold.
#[test]
fn objects_are_closed_and_references_lead_somewhere() {
    fn walk(document: &Value, value: &Value, at: &str) {
        if let Some(target) = value.get("$ref") {
            let target = text(target);
            let mut found = document;
            for step in target.trim_start_matches("#/").split('/') {
                found = found.get(step).unwrap_or_else(|| panic!("{at}: {target} leads nowhere"));
            }
        }
        if value.get("properties").is_some() {
            let closed = value.get("additionalProperties").or_else(|| value.get("unevaluatedProperties"));
            assert!(closed.is_some(), "{at}: an object that may hold anything");
            let known: BTreeSet<&str> = entries(&value["properties"]).map(|(name, _)| name).collect();
            for name in value.get("required").and_then(Value::as_sequence).into_iter().flatten() {
                assert!(known.contains(text(name)), "{at}: {} is required and not described", text(name));
            }
        }
        for (name, next) in entries(value) {
            walk(document, next, &format!("{at}/{name}"));
        }
        for (position, next) in value.as_sequence().into_iter().flatten().enumerate() {
            walk(document, next, &format!("{at}/{position}"));
        }
    }
    let document = read("docs/openapi.yaml");
    walk(&document, &document["paths"], "paths");
    walk(&document, &document["components"], "components");
}
