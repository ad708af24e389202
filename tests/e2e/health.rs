//! Is everything well? Asked as a monitor asks: without a token.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::As;

#[test]
fn health_touches_nothing_and_is_quick() {
    let check = |path: &str, body: &str| {
        let answer = As::Nobody.get(path);
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
    };
    check("/health", r#"{"status":"healthy"}"#);
    check("/liveness", r#"{"status":"alive"}"#);
    // A process that has to start, or a busy machine, may be slow for once.
    let fastest = (0..20)
        .map(|_| {
            let began = Instant::now();
            check("/health", r#"{"status":"healthy"}"#);
            began.elapsed()
        })
        .min();
    assert!(fastest < Some(Duration::from_millis(100)), "{fastest:?}");
}

#[test]
fn every_dependency_is_named_in_general_terms() {
    let answer = As::Nobody.get("/health/detailed");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let health = answer.json();
    assert_eq!(health["status"], "healthy", "{health}");
    let names: Vec<&str> = health["checks"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "inventario",
            "productos",
            "carritos",
            "salida",
            "identidad",
            "importaciones",
            "tareas",
            "archivos",
            "recepcion",
            "eventos",
        ]
    );
    for check in health["checks"].as_array().unwrap() {
        assert_eq!(check["status"], "healthy", "{check}");
        assert!(check["latencyMs"].as_u64().is_some_and(|ms| ms < 2_000), "{check}");
    }
    let ready = As::Nobody.get("/readiness");
    assert_eq!((ready.status, ready.text().as_str()), (200, r#"{"status":"ready"}"#));
}

#[test]
fn many_questions_at_once_are_few_for_the_dependencies() {
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..5).map(|_| As::Nobody.read("/health/detailed")).collect())).collect();
        asked.into_iter().flat_map(|one| one.join().unwrap_or_else(|_| Vec::new())).collect()
    });
    assert_eq!(answers.len(), 40);
    let mut found: Vec<String> = answers.iter().map(Value::to_string).collect();
    found.sort_unstable();
    found.dedup();
    // Each process asks once in five seconds; there are at most eight, and a slow machine may take some rounds.
    assert!(found.len() <= 24, "{} of 40 answers were found anew", found.len());
}
