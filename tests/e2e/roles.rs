//! Who may do what, for every route that the template has.

use std::collections::BTreeSet;

use serde_yaml_ng::Value as Yaml;

use crate::api::{As, error_text};
use crate::document::document;
use crate::stack::{root, stack};

/// A route's path with something in the place of each parameter.
fn example(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{id}" if path.starts_with("/imports") => "imp_0123456789abcdef0123456789abcdef",
        part if part.starts_with('{') => "nothing-of-this-name",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The path of every route of the template.
fn paths() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let template: Yaml = serde_yaml_ng::from_str(&text).expect("template.yaml is YAML");
    let paths = &template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"];
    let paths: BTreeSet<String> =
        paths.as_mapping().unwrap().keys().map(|path| path.as_str().unwrap().to_owned()).collect();
    assert!(paths.len() > 5, "{paths:?}");
    paths
}

const UNAUTHORIZED: &str = r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"Falta el token de acceso o no es válido.","detalles":[],"solicitudId":"ID"}}"#;
const FORBIDDEN: &str = r#"{"error":{"codigo":"PROHIBIDO","mensaje":"No tiene permiso para hacer esto.","detalles":[],"solicitudId":"ID"}}"#;
const NO_ROUTE: &str =
    r#"{"error":{"codigo":"NO_ENCONTRADO","mensaje":"Esa ruta no existe.","detalles":[],"solicitudId":"ID"}}"#;

/// What the document says of tokens and roles is what the routes do; xtask's tests hold it against the template.
#[test]
fn every_route_wants_the_token_and_the_role_that_the_document_names() {
    let mut above_all = 0;
    for operation in &document().operations {
        let (method, path) = (operation.method.as_str(), example(&operation.path));
        let body = if matches!(method, "GET" | "DELETE") { "" } else { "{}" };
        let Some(role) = operation.role.as_deref() else {
            let status = As::Nobody.call(method, &path, &[], body).status;
            assert!(![401, 403].contains(&status), "{method} {path}: {status} without a token");
            continue;
        };
        for caller in [As::Nobody, As::Stranger] {
            let answer = caller.call(method, &path, &[], body);
            assert_eq!(
                (answer.status, error_text(&answer).as_str()),
                (401, UNAUTHORIZED),
                "{caller:?} {method} {path}"
            );
        }
        for bad in ["Bearer", "Basic dXNlcjpwYXNz", "Bearer a.b", "null"] {
            let answer = As::Nobody.call(method, &path, &[("authorization", bad)], body);
            assert_eq!((answer.status, error_text(&answer).as_str()), (401, UNAUTHORIZED), "{bad} {method} {path}");
        }
        let callers = [("cliente", As::Cliente), ("operador", As::Operador), ("admin", As::Admin)];
        let least = callers.iter().position(|(name, _)| *name == role);
        let least = least.unwrap_or_else(|| panic!("{method} {path}: there is no role {role}"));
        for (position, (name, caller)) in callers.into_iter().enumerate() {
            let answer = caller.call(method, &path, &[], body);
            if position < least {
                assert_eq!((answer.status, error_text(&answer).as_str()), (403, FORBIDDEN), "{name} {method} {path}");
                above_all += 1;
            } else {
                assert!(
                    ![401, 403].contains(&answer.status) && answer.status < 500,
                    "{name} {method} {path}: {}",
                    answer.status
                );
            }
        }
    }
    assert!(above_all >= 4, "PATCH /items/…, POST /imports and both GETs");
}

#[test]
fn a_page_elsewhere_may_ask_before_it_calls() {
    for path in paths() {
        let path = example(&path);
        let answer = As::Nobody.call("OPTIONS", &path, &[("origin", "https://shop.example")], "");
        assert!((200..300).contains(&answer.status), "OPTIONS {path}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "*", "OPTIONS {path}");
        assert!(answer.header("access-control-allow-headers").contains("authorization"), "OPTIONS {path}");
        assert!(answer.header("access-control-allow-methods").contains("PATCH"), "OPTIONS {path}");
    }
}

#[test]
fn other_paths_are_no_routes() {
    for path in ["/", "/nothing", "/stores/x", "/imports/a/b", "/token/x", "/v1/items", "/.env"] {
        for caller in [As::Nobody, As::Admin] {
            let answer = caller.get(path);
            assert_eq!((answer.status, error_text(&answer).as_str()), (404, NO_ROUTE), "{caller:?} GET {path}");
        }
    }
    for (method, path) in [("POST", "/items"), ("DELETE", "/stores"), ("PUT", "/imports"), ("GET", "/token")] {
        let answer = As::Admin.call(method, path, &[], "");
        assert_eq!((answer.status, error_text(&answer).as_str()), (404, NO_ROUTE), "{method} {path}");
    }
}

#[test]
fn signing_in() {
    let (username, password) = stack().user("operador");
    let sign_in = |body: &str| As::Nobody.call("POST", "/token", &[], body);
    let good = sign_in(&format!(r#"{{"username":"{username}","password":"{password}"}}"#));
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!(good.header("cache-control"), "no-store");
    let tokens = good.json();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("bearer"), Some(3600)));
    let names: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);

    const WRONG: &str = r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"El usuario o la contraseña no son correctos, la cuenta no está confirmada o la sesión caducó.","detalles":[],"solicitudId":"ID"}}"#;
    for body in [
        format!(r#"{{"username":"{username}","password":"Wrong-password1"}}"#),
        r#"{"username":"nobody-of-this-name","password":"Wrong-password1"}"#.to_owned(),
    ] {
        let answer = sign_in(&body);
        assert_eq!((answer.status, error_text(&answer).as_str()), (401, WRONG), "{body}");
    }
    for body in ["", "{}", "[]", "{", r#"{"username":"x"}"#, r#"{"username":1,"password":null}"#] {
        let answer = sign_in(body);
        assert!([400, 415].contains(&answer.status), "{body}: {}", answer.text());
    }
    assert_eq!(As::Nobody.call("POST", "/token", &[("content-type", "text/xml")], "<a/>").status, 415);

    // The id token and a refresh token are no access tokens.
    let bearer = format!("Bearer {}", tokens["refresh_token"].as_str().unwrap());
    assert_eq!(As::Nobody.call("GET", "/stores", &[("authorization", &bearer)], "").status, 401);
    // A changed token is none.
    let token = tokens["access_token"].as_str().unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let bearer = format!("Bearer {head}.{first}{}", &signature[1..]);
    assert_eq!(As::Nobody.call("GET", "/stores", &[("authorization", &bearer)], "").status, 401);
}

#[test]
fn messages_are_spanish_unless_english_is_preferred() {
    let answer = As::Cliente.call("POST", "/imports", &[("accept-language", "en-GB,en;q=0.9,es;q=0.1")], "{}");
    assert_eq!(
        error_text(&answer),
        r#"{"error":{"codigo":"PROHIBIDO","mensaje":"You are not allowed to do this.","detalles":[],"solicitudId":"ID"}}"#
    );
}
