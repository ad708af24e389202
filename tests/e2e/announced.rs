//! Imports that are announced through the API, with an address to send the file to.

use serde_json::{Value, json};

use crate::api::As;
use crate::stack::{segment, stack};
use crate::warehouse::{behind, ended, finished, import, lines, report, tag, unique};

fn announce(body: &Value) -> Value {
    let answer = As::Operador.call("POST", "/imports", &[], &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Sends a file to where an announcement says.
fn send(announced: &Value, content: &[u8]) {
    let upload = &announced["upload"];
    let headers: Vec<(String, String)> = upload["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = stack().http(upload["method"].as_str().unwrap(), upload["url"].as_str().unwrap(), &headers, content);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The import in the list of all, which is looked through until it is found.
fn listed(id: &str) -> Value {
    let mut cursor = String::new();
    loop {
        let page = As::Operador.read(&format!("/imports?limit=20{cursor}"));
        let imports = page["imports"].as_array().expect("imports");
        if let Some(found) = imports.iter().find(|import| import["importId"] == id) {
            return found.clone();
        }
        cursor = format!("&cursor={}", segment(page["next"].as_str().expect("it is on one of the pages")));
    }
}

#[test]
fn announced_uploaded_completed() {
    let store = unique("Anunciado");
    let name = format!("inventario {}.csv", tag());
    let announced = announce(&json!({"fileName": name}));
    let id = announced["importId"].as_str().unwrap();
    assert_eq!(announced["upload"]["method"], "PUT");
    assert!(announced["expiresAt"].as_str().unwrap().ends_with('Z'), "{announced}");
    let pending = import(id);
    assert_eq!(
        pending,
        json!({"importId": id, "fileName": name, "mode": "set", "dryRun": false, "status": "pending", "progress": 0,
            "counters": {"rows": 0, "changed": 0, "unchanged": 0, "created": 0, "rejected": 0, "stale": 0},
            "createdAt": pending["createdAt"]})
    );
    assert_eq!(listed(id), pending);

    send(
        &announced,
        format!(
            "store,item,count,threshold\n{store},Café molido,12,\n{store},\"100% algodón, azul\",0,3\n{store},x,oops,\n"
        )
        .as_bytes(),
    );
    let done = finished(id);
    ended(&done, "completed_with_errors", [3, 0, 0, 2, 1, 0]);
    assert_eq!(
        (&done["progress"], &done["fileName"], &done["createdAt"]),
        (&json!(1), &json!(name), &pending["createdAt"])
    );
    assert!(done["finishedAt"].is_string(), "{done}");
    assert_eq!(lines(&store), ["100% algodón, azul 0/3", "Café molido 12/5"]);
    assert_eq!(report(&done)["importId"], id);
    assert_eq!(
        behind(&done, "rejectedUrl"),
        format!(
            "\u{feff}store,item,count,threshold,_line,_column,_reason\r\n{store},x,oops,,4,count,\"No es un número: escríbalo solo con cifras, por ejemplo 1200.\"\r\n"
        )
    );
    assert_eq!(listed(id)["status"], "completed_with_errors");
}

#[test]
fn an_announcement_names_everything_that_is_wrong_with_it() {
    let told = |body: &str| {
        let answer = As::Operador.call("POST", "/imports", &[], body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        crate::api::error_text(&answer)
    };
    assert_eq!(
        told(r#"{"fileName":"../x.csv","mode":"add","dryRun":"yes","store":"Berlin"}"#),
        r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"mode","mensaje":"Debe ser set | adjust."},{"campo":"dryRun","mensaje":"Debe ser true o false."},{"campo":"fileName","mensaje":"Debe ser un nombre de archivo, o stores/<tienda>/<archivo>."},{"campo":"store","mensaje":"No se conoce este campo."}],"solicitudId":"ID"}}"#
    );
    for name in ["", " ", "a/b.csv", "stores//x.csv", "stores/../x.csv", "a\\u0000.csv", "..", "/etc/passwd"] {
        assert!(told(&format!(r#"{{"fileName":"{name}"}}"#)).contains(r#""campo":"fileName""#), "{name}");
    }
    assert!(told("{}").contains(r#"{"campo":"fileName","mensaje":"Falta."}"#));
    let long = "x".repeat(140_000);
    let answer = As::Operador.call("POST", "/imports", &[], &format!(r#"{{"fileName":"{long}"}}"#));
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[test]
fn imports_that_are_none() {
    let answer = As::Operador.get("/imports/imp_0123456789abcdef0123456789abcdef");
    assert_eq!(
        (answer.status, crate::api::error_text(&answer).as_str()),
        (404, r#"{"error":{"codigo":"NO_ENCONTRADO","mensaje":"No existe.","detalles":[],"solicitudId":"ID"}}"#)
    );
    for id in ["x", "imp_", "imp_..", "evt_1"] {
        assert_eq!(As::Operador.get(&format!("/imports/{id}")).status, 400, "{id}");
    }
}
