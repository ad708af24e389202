//! To-dos: those that people write, and those that low stock opens.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::api::{As, error_text};
use crate::listen::Listener;
use crate::stack::{Answer, segment, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, tag, unique, upload};

const NOT_FOUND: &str =
    r#"{"error":{"codigo":"NO_ENCONTRADO","mensaje":"No existe.","detalles":[],"solicitudId":"ID"}}"#;
const OTHER_VERSION: &str = r#"{"error":{"codigo":"PRECONDICION_FALLIDA","mensaje":"La versión indicada en If-Match ya no es la actual.","detalles":[],"solicitudId":"ID"}}"#;
const UNAUTHORIZED: &str = r#"{"error":{"codigo":"NO_AUTORIZADO","mensaje":"Falta el token de acceso o no es válido.","detalles":[],"solicitudId":"ID"}}"#;
const FORBIDDEN: &str = r#"{"error":{"codigo":"PROHIBIDO","mensaje":"No tiene permiso para hacer esto.","detalles":[],"solicitudId":"ID"}}"#;

fn add(body: &str) -> Value {
    let answer = As::Operador.call("POST", "/tasks", &[], body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn path(task: &Value) -> String {
    format!("/tasks/{}", task["id"].as_str().expect("an id"))
}

fn put(task: &Value, headers: &[(&str, &str)], body: &str) -> Answer {
    As::Operador.call("PUT", &path(task), headers, body)
}

fn delete(task: &Value, headers: &[(&str, &str)]) -> Answer {
    As::Operador.call("DELETE", &path(task), headers, "")
}

/// Every to-do of this run whose title contains `what`, newest first. Earlier runs and other tests left very many.
fn about(what: &str) -> Vec<Value> {
    static BEGAN: OnceLock<String> = OnceLock::new();
    let hour_ago = || (OffsetDateTime::now_utc() - Duration::from_secs(3600)).format(&Rfc3339).unwrap();
    let began = BEGAN.get_or_init(hour_ago);
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = As::Operador.read(&format!("/tasks?limit=100{cursor}"));
        let tasks = page["tasks"].as_array().expect("tasks");
        found.extend(tasks.iter().filter(|task| task["title"].as_str().unwrap().contains(what)).cloned());
        let old = tasks.last().is_some_and(|task| task["createdAt"].as_str().unwrap() < began.as_str());
        match page["next"].as_str() {
            Some(next) if !old => cursor = format!("&cursor={}", segment(next)),
            _ => return found,
        }
    }
}

#[test]
fn a_task_from_beginning_to_end() {
    let title = unique("Contar");
    let made = As::Operador.call("POST", "/tasks", &[], &format!(r#"{{"title":"{title}","description":"a\nb"}}"#));
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.text());
    let task = made.json();
    let (id, at) = (task["id"].as_str().unwrap(), task["createdAt"].as_str().unwrap());
    assert_eq!(
        made.text(),
        format!(
            r#"{{"id":"{id}","title":"{title}","description":"a\nb","completed":false,"createdAt":"{at}","updatedAt":"{at}"}}"#
        )
    );
    let read = As::Admin.get(&path(&task));
    assert_eq!((read.status, read.text(), read.header("etag")), (200, made.text(), "\"1\""));
    let unchanged = As::Operador.call("GET", &path(&task), &[("if-none-match", "\"1\"")], "");
    assert_eq!((unchanged.status, unchanged.text().as_str(), unchanged.header("etag")), (304, "", "\"1\""));
    assert_eq!(about(&title), std::slice::from_ref(&task));

    // All of it is replaced: what is not sent is empty.
    let done = put(&task, &[("if-match", "\"1\"")], &format!(r#"{{"title":"{title} bis","completed":true}}"#));
    assert_eq!((done.status, done.header("etag")), (200, "\"2\""), "{}", done.text());
    let changed = done.json();
    assert_eq!(
        done.text(),
        format!(
            r#"{{"id":"{id}","title":"{title} bis","description":"","completed":true,"createdAt":"{at}","updatedAt":{}}}"#,
            changed["updatedAt"]
        )
    );
    let late = put(&task, &[("if-match", "\"1\"")], r#"{"title":"tarde"}"#);
    assert_eq!((late.status, error_text(&late).as_str()), (412, OTHER_VERSION));
    for (tags, status) in [("*", 200), ("\"9\", \"3\"", 200), ("\"3\"", 412), ("W/\"4\"", 412), ("4", 400)] {
        let answer = put(&task, &[("if-match", tags)], &format!(r#"{{"title":"{title}"}}"#));
        assert_eq!(answer.status, status, "{tags}: {}", answer.text());
    }

    let late = delete(&task, &[("if-match", "\"3\"")]);
    assert_eq!((late.status, error_text(&late).as_str()), (412, OTHER_VERSION));
    let gone = delete(&task, &[("if-match", "\"4\"")]);
    assert_eq!((gone.status, gone.text().as_str()), (204, ""));
    for answer in [As::Operador.get(&path(&task)), delete(&task, &[]), put(&task, &[], r#"{"title":"a"}"#)] {
        assert_eq!((answer.status, error_text(&answer).as_str()), (404, NOT_FOUND));
    }
    let answer = put(&task, &[("if-match", "\"4\"")], r#"{"title":"a"}"#);
    assert_eq!((answer.status, error_text(&answer).as_str()), (404, NOT_FOUND));
    assert_eq!(about(&title), [] as [Value; 0]);
}

#[test]
fn operators_only() {
    let task = add(&format!(r#"{{"title":"{}"}}"#, unique("Roles")));
    let path = path(&task);
    let body = r#"{"title":"ajena"}"#;
    for (method, path, body) in [
        ("GET", "/tasks", ""),
        ("POST", "/tasks", body),
        ("GET", &*path, ""),
        ("PUT", &*path, body),
        ("DELETE", &*path, ""),
    ] {
        for caller in [As::Nobody, As::Stranger] {
            let answer = caller.call(method, path, &[], body);
            assert_eq!((answer.status, error_text(&answer).as_str()), (401, UNAUTHORIZED), "{method} {path}");
        }
        let answer = As::Cliente.call(method, path, &[], body);
        assert_eq!((answer.status, error_text(&answer).as_str()), (403, FORBIDDEN), "{method} {path}");
    }
    assert_eq!(As::Operador.read(&path), task);
}

#[test]
fn every_bad_field_is_named() {
    let told = |answer: &Answer, status: u16| {
        assert_eq!(answer.status, status, "{}", answer.text());
        error_text(answer)
    };
    let post = |body: &str| As::Operador.call("POST", "/tasks", &[], body);
    let task = add(&format!(r#"{{"title":"{}"}}"#, unique("Mal")));
    let bad = r#"{"title":"","description":7,"completed":"sí","id":"x"}"#;
    let expected = r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"title","mensaje":"No puede quedar vacío."},{"campo":"description","mensaje":"Debe ser un texto."},{"campo":"completed","mensaje":"Debe ser true o false."},{"campo":"id","mensaje":"No se conoce este campo."}],"solicitudId":"ID"}}"#;
    assert_eq!(told(&post(bad), 400), expected);
    assert_eq!(told(&put(&task, &[], bad), 400), expected);
    for body in ["{}", "[]", "null", "{", r#"{"title":null}"#, r#"{"title":"a\u0000"}"#] {
        told(&post(body), 400);
        told(&put(&task, &[], body), 400);
    }
    told(&post(&format!(r#"{{"title":"{}"}}"#, "x".repeat(401))), 400);
    told(&post(&format!(r#"{{"title":"a","description":"{}"}}"#, "x".repeat(140_000))), 413);
    told(&As::Operador.call("POST", "/tasks", &[("content-type", "text/plain")], "{}"), 415);
    for id in ["x", "task_", "restock%23Berlin", "imp_0123456789abcdef0123456789abcdef"] {
        let told = told(&As::Operador.get(&format!("/tasks/{id}")), 400);
        assert!(told.contains(r#""campo":"id""#), "{told}");
    }
    let told = told(&As::Operador.get("/tasks?limit=101&cursor=x"), 400);
    assert!(told.contains(r#""campo":"limit""#) && told.contains(r#""campo":"cursor""#), "{told}");
    assert_eq!(As::Operador.read(&path(&task)), task);
}

#[test]
fn pages_neither_repeat_nor_leave_out() {
    let mark = tag();
    let made: Vec<String> = (0..12)
        .map(|at| add(&format!(r#"{{"title":"Página {mark} {at}"}}"#))["id"].as_str().unwrap().to_owned())
        .collect();
    // Newest first; others add to the list meanwhile.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    while !made.iter().all(|id| seen.contains(id)) {
        let page = As::Operador.read(&format!("/tasks?limit=5{cursor}"));
        let tasks = page["tasks"].as_array().unwrap();
        assert!((1..=5).contains(&tasks.len()), "{page}");
        seen.extend(tasks.iter().map(|task| task["id"].as_str().unwrap().to_owned()));
        cursor = format!("&cursor={}", segment(page["next"].as_str().unwrap_or_else(|| panic!("{seen:?}"))));
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "a task twice");
    let of_ours: Vec<&String> = seen.iter().filter(|id| made.contains(id)).collect();
    assert_eq!(of_ours, made.iter().rev().collect::<Vec<_>>());
}

#[test]
fn of_many_who_change_one_version_one_succeeds() {
    let task = add(&format!(r#"{{"title":"{}"}}"#, unique("Carrera")));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..10)
            .map(|at| {
                let task = &task;
                scope.spawn(move || put(task, &[("if-match", "\"1\"")], &format!(r#"{{"title":"gana {at}"}}"#)).status)
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
    assert_eq!(As::Operador.get(&path(&task)).header("etag"), "\"2\"");
}

/// A store with one line of nine, and its to-dos.
struct Line {
    store: String,
}

impl Line {
    fn new(name: &str) -> Self {
        let store = unique(name);
        let file = format!("store,item,count\n{store},Té verde,9\n");
        ended(&upload(&format!("{store}.csv"), file.as_bytes()), "completed", [1, 0, 0, 1, 0, 0]);
        Self { store }
    }

    fn count(&self, count: i64) {
        As::Operador.change(&self.store, "Té verde", &format!(r#"{{"count":{count}}}"#));
    }

    fn tasks(&self) -> Vec<Value> {
        about(&self.store)
    }

    /// Waits until the line's to-dos are these: completed or not, newest first.
    fn wait_for(&self, completed: &[bool]) -> Vec<Value> {
        eventually(PATIENCE, "the line's tasks", || {
            let tasks = self.tasks();
            let found: Vec<bool> = tasks.iter().map(|task| task["completed"] == true).collect();
            if found == completed { Ok(tasks) } else { Err(format!("{tasks:?}")) }
        })
    }

    /// Hands an event of this line to the function, as the queue would, and waits for it.
    fn hand_over(&self, events: &[Value]) {
        let records: Vec<Value> = events
            .iter()
            .enumerate()
            .map(
                |(at, event)| json!({"messageId": at.to_string(), "body": event.to_string(), "eventSource": "aws:sqs"}),
            )
            .collect();
        let (answer, failed) = stack().invoke("open-tasks", &json!({ "Records": records }));
        assert!(!failed && answer["batchItemFailures"] == json!([]), "{answer}");
    }

    fn event(&self, name: &str, version: i64, available: i64, since: &str) -> Value {
        json!({"id": format!("evt_{}", tag()), "evento": name, "version": 1, "marcaTiempo": since, "correlacionId": "x",
            "causaId": "x", "agregadoId": format!("{}/a", self.store), "datos": {"store": self.store, "item": "a",
            "count": available, "available": available, "reserved": 0, "threshold": 5, "since": since,
            "lineVersion": version}})
    }
}

#[test]
fn low_stock_opens_one_task_and_a_refill_completes_it() {
    let events = Listener::to("EventsTopicArn");
    let line = Line::new("Reponer");
    line.count(3);
    let opened = line.wait_for(&[false]);
    assert_eq!(opened[0]["title"], format!("Reponer «Té verde» en {}", line.store));
    let description = opened[0]["description"].as_str().unwrap();
    assert!(description.starts_with("Stock bajo: quedan 3 (umbral: 5).\nDesde: 20"), "{description}");

    // Gone altogether: the same to-do says so.
    line.count(0);
    eventually(PATIENCE, "the task to say that nothing is left", || {
        let tasks = line.tasks();
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        let description = tasks[0]["description"].as_str().unwrap().to_owned();
        if description.starts_with("Agotado:") { Ok(()) } else { Err(description) }
    });
    line.count(50);
    let done = line.wait_for(&[true]);
    assert_eq!(done[0]["id"], opened[0]["id"]);

    line.count(2);
    let again = line.wait_for(&[false, true]);
    assert_eq!(again[1], done[0]);

    // Everything that was told, told again and from the end: nothing changes.
    let told = events
        .wait_for(&line.store, |heard| heard.iter().filter(|heard| heard.event.starts_with("Stock")).count() >= 4);
    let mut told: Vec<Value> = told
        .iter()
        .filter(|heard| heard.event.starts_with("Stock"))
        .map(|heard| serde_json::from_str(&heard.text).unwrap())
        .collect();
    line.hand_over(&told);
    told.reverse();
    line.hand_over(&told);
    assert_eq!(line.tasks(), again);
}

#[test]
fn news_in_any_order_end_as_the_newest_says() {
    let (first, second) = ("2024-01-21T11:00:00Z", "2024-01-22T11:00:00Z");
    // The refill before what it ended.
    let line = Line::new("Desorden");
    line.hand_over(&[line.event("StockRepuesto", 3, 50, first), line.event("StockBajo", 2, 3, first)]);
    assert_eq!(line.tasks(), [] as [Value; 0]);
    // Gone before low: one to-do.
    line.hand_over(&[line.event("StockAgotado", 6, 0, second), line.event("StockBajo", 5, 3, second)]);
    let opened = line.wait_for(&[false]);
    assert!(opened[0]["description"].as_str().unwrap().starts_with("Agotado:"), "{opened:?}");

    // The next time before the end of the first.
    let line = Line::new("Adelantado");
    let bad = line.event("StockBajo", 2, 3, first);
    line.hand_over(&[bad.clone(), line.event("StockBajo", 4, 2, second)]);
    let tasks = line.wait_for(&[false, true]);
    assert!(tasks[0]["description"].as_str().unwrap().contains("quedan 2"), "{tasks:?}");
    line.hand_over(&[line.event("StockRepuesto", 3, 50, first), bad]);
    assert_eq!(line.tasks(), tasks);
}

#[test]
fn the_same_news_many_times_at_once_are_one_task() {
    let line = Line::new("Muchas veces");
    let event = line.event("StockBajo", 2, 3, "2024-01-21T11:00:00Z");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| line.hand_over(&[event.clone(), event.clone()]));
        }
    });
    line.wait_for(&[false]);
}

#[test]
fn what_a_person_did_is_not_undone() {
    let since = "2024-01-21T11:00:00Z";
    let low = |line: &Line| line.event("StockBajo", 2, 3, since);
    let out = |line: &Line| line.event("StockAgotado", 3, 0, since);
    let refilled = |line: &Line| line.event("StockRepuesto", 4, 50, since);
    let opened = |name: &str| {
        let line = Line::new(name);
        line.hand_over(&[low(&line)]);
        let task = line.wait_for(&[false]).remove(0);
        (line, task)
    };

    // Completed by hand: neither a repetition nor worse news open it or another.
    let (line, task) = opened("Hecha a mano");
    let title = task["title"].as_str().unwrap();
    let done = put(&task, &[], &json!({"title": title, "completed": true}).to_string()).json();
    line.hand_over(&[low(&line), out(&line), low(&line), refilled(&line), out(&line)]);
    assert_eq!(line.tasks(), [done]);
    line.hand_over(&[line.event("StockBajo", 5, 1, "2024-01-23T11:00:00Z")]);
    line.wait_for(&[false, true]);

    // Deleted by hand: it stays so.
    let (line, task) = opened("Borrada a mano");
    assert_eq!(delete(&task, &[]).status, 204);
    line.hand_over(&[low(&line), out(&line), refilled(&line), low(&line)]);
    assert_eq!(line.tasks(), [] as [Value; 0]);

    // Written in by hand: the words stay, and the refill completes it all the same.
    let (line, task) = opened("Escrita a mano");
    let body = json!({"title": title_of(&line), "description": "Pedido al proveedor."});
    assert_eq!(put(&task, &[], &body.to_string()).status, 200);
    line.hand_over(&[out(&line), refilled(&line)]);
    let tasks = line.wait_for(&[true]);
    assert_eq!(tasks[0]["description"], "Pedido al proveedor.");
}

fn title_of(line: &Line) -> String {
    format!("Reponer «a» en {}", line.store)
}

#[test]
fn what_cannot_be_read_is_handed_back() {
    let record = json!({"messageId": "m1", "body": r#"{"evento":"PedidoCreado"}"#, "eventSource": "aws:sqs"});
    let (answer, failed) = stack().invoke("open-tasks", &json!({"Records": [record]}));
    assert!(!failed, "{answer}");
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m1"}]}));
}
