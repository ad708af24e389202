//! Stock lines over HTTP: reading, paging, searching, changing.

use std::collections::BTreeSet;

use serde_json::json;

use crate::api::{As, error_text, line_path};
use crate::stack::segment;
use crate::warehouse::{ended, held, lines, tag, unique, upload};

const NOT_FOUND: &str =
    r#"{"error":{"codigo":"NO_ENCONTRADO","mensaje":"No existe.","detalles":[],"solicitudId":"ID"}}"#;

fn stocked(store: &str, items: &[(&str, i64)]) {
    let mut file = String::from("store,item,count\n");
    for (item, count) in items {
        file.push_str(&format!("{store},\"{}\",{count}\n", item.replace('"', "\"\"")));
    }
    let rows = items.len() as u64;
    ended(&upload(&format!("{}.csv", tag()), file.as_bytes()), "completed", [rows, 0, 0, rows, 0, 0]);
}

#[test]
fn one_line_and_its_etag() {
    let store = unique("Una");
    stocked(&store, &[("Té", 8)]);
    let path = line_path(&store, "Té");
    let answer = As::Cliente.get(&path);
    assert_eq!((answer.status, answer.header("etag")), (200, "\"1\""));
    let line = answer.json();
    assert_eq!(
        answer.text(),
        format!(
            r#"{{"store":"{store}","item":"Té","count":8,"available":8,"reserved":0,"threshold":5,"low":false,"updatedAt":{}}}"#,
            line["updatedAt"]
        )
    );
    let unchanged = As::Cliente.call("GET", &path, &[("if-none-match", "\"1\"")], "");
    assert_eq!((unchanged.status, unchanged.text().as_str(), unchanged.header("etag")), (304, "", "\"1\""));

    let changed = As::Operador.call("PATCH", &path, &[("if-match", "\"1\"")], r#"{"adjust":-3,"reason":"roto"}"#);
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
    assert_eq!((&changed.json()["count"], &changed.json()["low"]), (&json!(5), &json!(true)));
    let late = As::Operador.call("PATCH", &path, &[("if-match", "\"1\"")], r#"{"count":100}"#);
    assert_eq!(
        (late.status, error_text(&late).as_str()),
        (
            412,
            r#"{"error":{"codigo":"PRECONDICION_FALLIDA","mensaje":"La versión indicada en If-Match ya no es la actual.","detalles":[],"solicitudId":"ID"}}"#
        )
    );
    for (tags, status) in [("*", 200), ("\"7\", \"2\"", 412), ("\"7\", \"3\"", 200), ("\"7\"", 412)] {
        let answer = As::Operador.call("PATCH", &path, &[("if-match", tags)], r#"{"threshold":2}"#);
        assert_eq!(answer.status, status, "{tags}: {}", answer.text());
    }
    let line = held(&store)["Té"].clone();
    assert_eq!((line["on_hand"].as_str(), line["available"].as_str()), ("5", "5"));
}

#[test]
fn a_threshold_of_its_own_and_back() {
    let store = unique("Umbral");
    stocked(&store, &[("a", 8)]);
    let line = As::Operador.change(&store, "a", r#"{"threshold":8}"#);
    assert_eq!((&line["threshold"], &line["low"]), (&json!(8), &json!(true)));
    let line = As::Operador.change(&store, "a", r#"{"threshold":null}"#);
    assert_eq!((&line["threshold"], &line["low"]), (&json!(5), &json!(false)));
    let line = As::Operador.change(&store, "a", r#"{"count":0,"threshold":0}"#);
    assert_eq!((&line["count"], &line["threshold"], &line["low"]), (&json!(0), &json!(0), &json!(true)));
}

#[test]
fn what_is_not_there() {
    let store = unique("Hay");
    stocked(&store, &[("a", 8)]);
    for path in
        [line_path(&store, "b"), line_path(&unique("No hay"), "a"), format!("/items/{}", segment(&unique("No hay")))]
    {
        let answer = As::Cliente.get(&path);
        assert_eq!((answer.status, error_text(&answer).as_str()), (404, NOT_FOUND), "{path}");
    }
    for body in [r#"{"count":1}"#, r#"{"adjust":1}"#, r#"{"threshold":1}"#] {
        let answer = As::Operador.patch(&store, "b", body);
        assert_eq!((answer.status, error_text(&answer).as_str()), (404, NOT_FOUND), "{body}");
    }
    assert_eq!(lines(&store), ["a 8/5"]);
}

#[test]
fn every_bad_field_is_named() {
    let store = unique("Mal");
    stocked(&store, &[("a", 8)]);
    let told = |body: &str, status: u16| {
        let answer = As::Operador.patch(&store, "a", body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        error_text(&answer)
    };
    assert_eq!(
        told(r#"{"count":-1,"adjust":"2","threshold":1.5,"reason":7,"stock":3}"#, 400),
        r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"count","mensaje":"Debe ser un número entero de 0 a 1000000000."},{"campo":"adjust","mensaje":"Debe ser un número entero de -1000000000 a 1000000000."},{"campo":"threshold","mensaje":"Debe ser un número entero de 0 a 1000000000."},{"campo":"reason","mensaje":"Debe ser un texto."},{"campo":"stock","mensaje":"No se conoce este campo."}],"solicitudId":"ID"}}"#
    );
    assert_eq!(
        told(r#"{"adjust":-9}"#, 409),
        r#"{"error":{"codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"adjust","mensaje":"De a solo hay 8."}],"solicitudId":"ID"}}"#
    );
    assert!(told(r#"{"adjust":1000000000}"#, 409).contains("CONFLICTO"));
    for body in ["{}", "[]", "null", "{", r#"{"count":1,"adjust":1}"#, r#"{"count":1.5}"#, r#"{"count":99999999999}"#] {
        told(body, 400);
    }
    told(&format!(r#"{{"count":1,"reason":"{}"}}"#, "x".repeat(140_000)), 413);
    let answer =
        As::Operador.call("PATCH", &line_path(&store, "a"), &[("content-type", "text/plain")], r#"{"count":1}"#);
    assert_eq!(answer.status, 415, "{}", answer.text());
    let answer = As::Operador.call("PATCH", &line_path(&store, "a"), &[("if-match", "nonsense")], r#"{"count":1}"#);
    assert!([400, 412].contains(&answer.status), "{}", answer.text());
    let answer =
        As::Cliente.get(&format!("/items/{}?limit=0&cursor=x&low=perhaps&q={}", segment(&store), "x".repeat(101)));
    assert_eq!(answer.status, 400);
    let text = answer.text();
    for field in ["limit", "cursor", "low", "q"] {
        assert!(text.contains(&format!(r#""campo":"{field}""#)), "{text}");
    }
    assert_eq!(lines(&store), ["a 8/5"]);
}

#[test]
fn pages_neither_repeat_nor_leave_out() {
    let store = unique("Páginas");
    let items: Vec<String> = (0..257).map(|item| format!("art {item:03}")).collect();
    let stock: Vec<(&str, i64)> = items.iter().zip(0..).map(|(item, count)| (item.as_str(), count % 50)).collect();
    stocked(&store, &stock);
    let all = |query: &str, limit: usize| {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = As::Cliente.read(&format!("/items/{}?limit={limit}{query}{cursor}", segment(&store)));
            let items = page["items"].as_array().unwrap().clone();
            assert!(items.len() <= limit, "{} of {limit}", items.len());
            found.extend(items.iter().map(|line| line["item"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", segment(next)),
                None => return found,
            }
        }
    };
    for limit in [100, 64] {
        assert_eq!(all("", limit), items, "{limit}");
    }
    assert_eq!(all("&q=ART%2025", 3), items[250..257]);
    assert_eq!(all("&q=nada", 100), [] as [&str; 0]);
    let low: Vec<String> = stock.iter().filter(|(_, count)| *count <= 5).map(|(item, _)| (*item).to_owned()).collect();
    crate::wait::eventually(crate::wait::PATIENCE, "the low lines", || {
        let found = all("&low=true", 10);
        if found == low { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(all("&low=true&q=00", 2), low.iter().filter(|item| item.contains("00")).cloned().collect::<Vec<_>>());

    // A cursor belongs to its list.
    let next = As::Cliente.read(&format!("/items/{}?limit=1", segment(&store)))["next"].as_str().unwrap().to_owned();
    let other = unique("Otra");
    stocked(&other, &[("a", 9)]);
    for path in
        [format!("/items/{}?cursor={}", segment(&other), segment(&next)), format!("/stores?cursor={}", segment(&next))]
    {
        assert_eq!(As::Cliente.get(&path).status, 400, "{path}");
    }
}

#[test]
fn all_lines_and_all_stores_in_pages() {
    let stores = [unique("Todas"), unique("Todas")];
    for store in &stores {
        stocked(store, &[("a", 9), ("b", 9), ("c", 9)]);
    }
    // The stack may hold very many lines by now; some pages of them tell enough.
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    for _ in 0..10 {
        let page = As::Cliente.read(&format!("/items?limit=7{cursor}"));
        let lines = page["items"].as_array().unwrap();
        assert!((1..=7).contains(&lines.len()), "{page}");
        for line in lines {
            let line = (line["store"].as_str().unwrap().to_owned(), line["item"].as_str().unwrap().to_owned());
            assert!(seen.insert(line.clone()), "{line:?} twice");
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={}", segment(next));
    }
    assert!(seen.len() > 6);

    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = As::Cliente.read(&format!("/stores?limit=50{cursor}"));
        names
            .extend(page["stores"].as_array().unwrap().iter().map(|store| store["store"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => break,
        }
    }
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "a store twice");
    assert!(stores.iter().all(|store| names.contains(store)));
}

#[test]
fn names_that_addresses_do_not_like() {
    let store = unique("Tienda 50%25 + «Ñ» ?#&=;");
    let items = [
        "100%",
        "100%25",
        "50%2F",
        "C&A = ½",
        "Café 1/2 kg",
        "a+b c",
        "a/b/c",
        "a;b,c",
        "ñ",
        "q?x#y",
        "\"quoted\"",
        "日本茶",
        "~tilde_-.",
        "..x",
    ];
    let stock: Vec<(&str, i64)> = items.iter().map(|item| (*item, 9)).collect();
    stocked(&store, &stock);
    let mut failed = Vec::new();
    for item in items {
        let read = As::Cliente.get(&line_path(&store, item));
        let wrong = read.status != 200 || read.json()["item"] != item;
        let changed = As::Operador.patch(&store, item, r#"{"adjust":1}"#);
        if wrong || changed.status != 200 || changed.json()["item"] != item {
            failed.push(format!("{item}: {} {} / {} {}", read.status, read.text(), changed.status, changed.text()));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    let mut expected: Vec<String> = items.iter().map(|item| format!("{item} 10/5")).collect();
    expected.sort_unstable_by(|a, b| a.trim_end_matches(" 10/5").cmp(b.trim_end_matches(" 10/5")));
    assert_eq!(lines(&store), expected);
}

/// As Odoo names the places in a warehouse.
#[test]
fn a_store_named_with_a_slash() {
    let store = format!("{}/Stock", unique("WH"));
    stocked(&store, &[("DESK-1", 8), ("a/b", 9)]);
    assert_eq!(lines(&store), ["DESK-1 8/5", "a/b 9/5"]);
    for item in ["DESK-1", "a/b"] {
        let line = As::Cliente.read(&line_path(&store, item));
        assert_eq!((&line["store"], &line["item"]), (&json!(store), &json!(item)));
        let line = As::Operador.change(&store, item, r#"{"adjust":2}"#);
        assert_eq!((&line["store"], &line["item"]), (&json!(store), &json!(item)));
    }
    let list = As::Cliente.read(&format!("/items/{}?q=DESK", segment(&store)));
    assert_eq!((&list["items"][0]["item"], &list["items"][0]["count"]), (&json!("DESK-1"), &json!(10)));
    let missing = As::Cliente.get(&format!("/items/{}", segment(&format!("{store}/no"))));
    assert_eq!(missing.status, 404, "{}", missing.text());
}
