//! The API's own description, as a program and a browser get it.

use serde_json::Value;

use crate::api::As;
use crate::document::document;
use crate::stack::stack;

#[test]
fn the_document_is_public_and_names_this_stack() {
    let answer = As::Nobody.get("/openapi.json");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let found = answer.json();
    assert_eq!(found["openapi"], "3.1.0");
    assert_eq!(found["servers"][0]["url"], stack().output("ApiUrl"));
    let flow = &found["components"]["securitySchemes"]["password"]["flows"]["password"];
    assert_eq!(flow["tokenUrl"], format!("{}/token", stack().output("ApiUrl")));
    let paths: Vec<&String> = found["paths"].as_object().unwrap().keys().collect();
    let expected: std::collections::BTreeSet<&String> = document().operations.iter().map(|one| &one.path).collect();
    assert_eq!(paths, expected.into_iter().collect::<Vec<_>>(), "the stack has the document of this checkout");

    let tag = answer.header("etag").to_owned();
    let again = As::Nobody.call("GET", "/openapi.json", &[("if-none-match", &tag)], "");
    assert_eq!((again.status, again.text().as_str(), again.header("etag")), (304, "", tag.as_str()));
}

#[test]
fn the_page_is_public_and_strict() {
    let answer = As::Nobody.get("/docs");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(format!("{}/docs", stack().output("ApiUrl")), stack().output("DocsUrl"));
    let policy = answer.header("content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    let page = answer.text();
    let web = stack().output("WebUrl").trim_end_matches("index.html").trim_end_matches('/').to_owned();
    let mut files = 0;
    for address in page.split('"').filter(|part| part.starts_with("http")) {
        assert!(address.starts_with(&format!("{web}/")), "{address}");
        assert_eq!(stack().http("GET", address, &[], b"").status, 200, "{address}");
        files += 1;
    }
    assert_eq!(files, 5, "{page}");
}

/// Examples in the document are of its schemas, and what they show is sent and accepted as far as its meaning goes.
#[test]
fn the_documents_examples_are_good() {
    let mut sent = 0;
    for operation in &document().operations {
        let content = operation.about["requestBody"]["content"].as_object();
        for (kind, media) in content.into_iter().flatten() {
            for (name, example) in media["examples"].as_object().into_iter().flatten() {
                let value: &Value = &example["value"];
                let named = format!("{} {}: {name}", operation.method, operation.path);
                document().validate(&media["schema"], value).unwrap_or_else(|problem| panic!("{named}: {problem}"));
                assert_eq!(kind, "application/json", "{named}");
                sent += 1;
            }
        }
    }
    assert!(sent >= 5, "only {sent} examples were found");
}
