//! Signing up, and who one is.

use serde_json::{Value, json};

use crate::api::{As, error_text};
use crate::stack::{Answer, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{now_ms, tag};

const PASSWORD: &str = "Secreta123";

fn sign_up(body: &str) -> Answer {
    As::Nobody.call("POST", "/users", &[], body)
}

/// A name that nobody has yet.
pub(crate) fn new_name(start: &str) -> String {
    let name = format!("{start}{}", tag());
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn body(name: &str) -> String {
    format!(r#"{{"username":"{name}","email":"{name}@example.com","password":"{PASSWORD}","age":34}}"#)
}

fn sign_in(name: &str, password: &str) -> Answer {
    As::Nobody.call("POST", "/token", &[], &json!({"username": name, "password": password}).to_string())
}

/// The access token of a user who has just signed up.
pub(crate) fn newcomer(start: &str) -> String {
    let name = new_name(start);
    assert_eq!(sign_up(&body(&name)).status, 201);
    let answer = sign_in(&name, PASSWORD);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn with_token(token: &str, method: &str, path: &str) -> Answer {
    As::Nobody.call(method, path, &[("authorization", &format!("Bearer {token}"))], "")
}

#[test]
fn a_customer_signs_up_signs_in_and_is_known() {
    let name = new_name("Ana");
    let answer = sign_up(&body(&name));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.text(), format!(r#"{{"id":"{id}","username":"{name}"}}"#));

    let signed_in = sign_in(&name, PASSWORD);
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let tokens = signed_in.json();
    let me = with_token(tokens["access_token"].as_str().unwrap(), "GET", "/users/me");
    assert_eq!(
        (me.status, me.text()),
        (200, format!(r#"{{"id":"{id}","username":"{name}","email":"{name}@example.com","rol":"cliente"}}"#))
    );

    // A refresh token gives the same user another access token, by form and by JSON.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let renewed = As::Nobody.call("POST", "/token", &kind, &form);
    let again = As::Nobody.call("POST", "/token", &[], &json!({"refresh_token": refresh}).to_string());
    for renewed in [renewed, again] {
        assert_eq!(renewed.status, 200, "{}", renewed.text());
        let me = with_token(renewed.json()["access_token"].as_str().unwrap(), "GET", "/users/me");
        assert_eq!(me.json()["id"], json!(id));
    }
}

#[test]
fn who_signs_up_is_a_customer_and_no_more() {
    let token = newcomer("raso");
    assert_eq!(with_token(&token, "GET", "/stores").status, 200);
    assert_eq!(with_token(&token, "GET", "/imports").status, 403);
    for extra in [r#""rol":"admin""#, r#""groups":["admin"]"#, r#""cognito:groups":"admin""#, r#""custom:rol":"admin""#]
    {
        let name = new_name("trepa");
        let answer = sign_up(&body(&name).replace(r#""age":34"#, extra));
        assert_eq!(answer.status, 400, "{extra}: {}", answer.text());
        assert_eq!(sign_in(&name, PASSWORD).status, 401, "{extra}");
    }
}

#[test]
fn every_role_sees_itself() {
    for (caller, role) in [(As::Cliente, "cliente"), (As::Operador, "operador"), (As::Admin, "admin")] {
        let me = caller.read("/users/me");
        let fields: Vec<&String> = me.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["email", "id", "rol", "username"]);
        let (username, _) = stack().user(role);
        assert_eq!((me["rol"].as_str(), me["username"].as_str()), (Some(role), Some(username.as_str())));
    }
}

#[test]
fn a_name_that_is_taken_is_answered_as_a_free_one() {
    let name = new_name("ana");
    let first = sign_up(&body(&name));
    // Again, as after a lost answer; and by somebody else, with another address and password.
    let repeated = sign_up(&body(&name));
    let other = sign_up(&format!(r#"{{"username":"{name}","email":"otra@example.com","password":"Distinta456"}}"#));
    let same = |answer: &Answer| {
        let mut names: Vec<&str> = answer.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        (answer.status, answer.text(), names.join(","))
    };
    assert_eq!(same(&repeated), same(&first));
    assert_eq!(same(&other), same(&first));

    // Nothing has changed for the one who was first.
    assert_eq!(sign_in(&name, "Distinta456").status, 401);
    let token = sign_in(&name, PASSWORD).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(with_token(&token, "GET", "/users/me").json()["email"], json!(format!("{name}@example.com")));

    // An address may be used twice: it is nobody's key, so it tells nothing either.
    let twin = new_name("gemela");
    let answer = sign_up(&format!(r#"{{"username":"{twin}","email":"{name}@example.com","password":"{PASSWORD}"}}"#));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_ne!(answer.json()["id"], first.json()["id"]);
}

#[test]
fn an_unknown_user_is_refused_as_a_wrong_password_is() {
    let name = new_name("ana");
    assert_eq!(sign_up(&body(&name)).status, 201);
    let wrong = sign_in(&name, "Secreta124");
    let unknown = sign_in(&new_name("nadie"), "Secreta124");
    const REFUSED: &str = r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"El usuario o la contraseña no son correctos, la cuenta no está confirmada o la sesión caducó.","detalles":[],"solicitudId":"ID"}}"#;
    assert_eq!((wrong.status, error_text(&wrong).as_str()), (401, REFUSED));
    assert_eq!((unknown.status, error_text(&unknown).as_str()), (401, REFUSED));
}

#[test]
fn every_broken_rule_is_named_at_once() {
    let answer = sign_up(r#"{"username":"a!","email":"ana@","password":"corta","age":17,"apodo":"x"}"#);
    assert_eq!(
        (answer.status, error_text(&answer).as_str()),
        (
            400,
            concat!(
                r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":["#,
                r#"{"campo":"age","mensaje":"Debe ser un número entero de 18 a 120."},"#,
                r#"{"campo":"username","mensaje":"Debe tener de 3 a 50 caracteres."},"#,
                r#"{"campo":"username","mensaje":"Solo admite letras sin acentos y cifras."},"#,
                r#"{"campo":"email","mensaje":"No es una dirección de correo."},"#,
                r#"{"campo":"password","mensaje":"Debe tener al menos 8 caracteres."},"#,
                r#"{"campo":"password","mensaje":"Debe tener una letra mayúscula (A-Z)."},"#,
                r#"{"campo":"password","mensaje":"Debe tener una cifra."},"#,
                r#"{"campo":"apodo","mensaje":"No se conoce este campo."}"#,
                r#"],"solicitudId":"ID"}}"#
            )
        )
    );
    let name = new_name("ana");
    let good: Value = serde_json::from_str(&body(&name)).unwrap();
    for (field, value) in [
        ("username", json!("ab")),
        ("username", json!("a".repeat(51))),
        ("username", json!("ana gomez")),
        ("username", json!("ana@example.com")),
        ("username", json!(null)),
        ("email", json!("ana@example.com\nbcc:x@example.com")),
        ("email", json!(format!("{}@example.com", "a".repeat(300)))),
        ("password", json!("SECRETA123")),
        ("password", json!("secreta123")),
        ("password", json!("SecretaSecreta")),
        ("password", json!(format!("Aa1{}", "x".repeat(300)))),
        ("password", json!(12345678)),
        ("age", json!(121)),
        ("age", json!("34")),
        ("age", json!(34.5)),
    ] {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let answer = sign_up(&bad.to_string());
        let told: Vec<Value> = answer.json()["error"]["detalles"].as_array().unwrap().clone();
        assert_eq!(answer.status, 400, "{field} {value}: {}", answer.text());
        assert!(told.iter().all(|detail| detail["campo"] == field), "{field} {value}: {}", answer.text());
    }
    assert_eq!(sign_in(&name, PASSWORD).status, 401, "none of them has made a user");
    for bad in ["", "{}", "[]", "{", "null"] {
        assert!([400, 415].contains(&sign_up(bad).status), "{bad}");
    }
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(As::Nobody.call("POST", "/users", &kind, "username=ana").status, 415);
    let long = format!(r#"{{"username":"{}"}}"#, "x".repeat(140_000));
    assert_eq!(sign_up(&long).status, 413);
}

#[test]
fn no_log_line_has_a_password_a_token_or_an_address() {
    let since = now_ms();
    let (name, mark) = (new_name("callada"), tag());
    let password = format!("Aa1{mark}");
    let body = json!({"username": name, "email": format!("{mark}@example.com"), "password": password});
    assert_eq!(sign_up(&body.to_string()).status, 201);
    // Refused ones are no exception.
    let mut bad = body.clone();
    bad["age"] = json!(5);
    assert_eq!(sign_up(&bad.to_string()).status, 400);
    assert_eq!(sign_in(&name, &format!("{password}x")).status, 401);
    let token = sign_in(&name, &password).json()["access_token"].as_str().unwrap().to_owned();
    let me = with_token(&token, "GET", "/users/me");
    assert_eq!(me.status, 200);

    let last = me.header("x-request-id").to_owned();
    eventually(PATIENCE, "the last request in the log", || match stack().logged_about("users-api", &last, since) {
        lines if lines.is_empty() => Err("not there yet".to_owned()),
        _ => Ok(()),
    });
    let signature = token.rsplit('.').next().unwrap();
    for function in ["users-api", "admit-user", "authorize"] {
        for secret in [mark.as_str(), signature] {
            let lines = stack().logged_about(function, secret, since);
            assert!(lines.is_empty(), "{secret} is in the log of {function}: {lines:?}");
        }
    }
}

#[test]
fn the_bounds_are_inside() {
    for (start, age) in [("a", 18), ("b", 120)] {
        let name = format!("{:x<50}", new_name(start));
        let password = format!("Aa1{}", "ñ".repeat(253));
        let body = json!({"username": name, "email": format!("{name}@example.com"), "password": password, "age": age});
        let answer = sign_up(&body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(sign_in(&name, &password).status, 200);
    }
}
