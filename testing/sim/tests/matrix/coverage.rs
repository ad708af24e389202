//! The matrix has every use case that writes: those of the template are compared with what the acts have run.

use std::collections::{BTreeMap, BTreeSet};

use almacen_testing_sim::trigger;
use almacen_testing_sim::world::World;

use crate::cases::all;
use crate::expected;

/// Triggers whose function writes nothing, and why.
const READ_ONLY: [(&str, &str, &str); 2] = [
    ("admit-user", "PreSignUp", "it answers the user pool, which then writes"),
    ("authorize", "TOKEN", "it verifies a token and answers a policy"),
];
/// Looking for messages is no use case.
const LOOKING: [&str; 1] = ["ReceiveMessage"];

#[test]
fn every_trigger_of_a_function_that_writes_is_in_an_act() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let stated = runtime.block_on(async { trigger::all(World::new(1, &[]).unwrap().cloud().stack()) });
    let cases = all();
    let mut written: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for (case, expected) in cases.iter().zip(expected(&cases)) {
        let writes =
            expected.whole.calls.iter().filter(|call| call.writes && !LOOKING.contains(&call.operation.as_str()));
        for call in writes {
            written.entry((call.function.clone(), call.trigger.clone())).or_default().insert(case.name);
        }
    }
    let read_only: BTreeSet<(String, String)> =
        READ_ONLY.iter().map(|(function, trigger, _)| ((*function).to_owned(), (*trigger).to_owned())).collect();
    let missing: Vec<_> =
        stated.iter().filter(|one| !written.contains_key(*one) && !read_only.contains(*one)).collect();
    assert!(missing.is_empty(), "no use case of the matrix writes by these triggers: {missing:#?}");
    let needless: Vec<_> =
        read_only.iter().filter(|one| written.contains_key(*one) || !stated.contains(*one)).collect();
    assert!(needless.is_empty(), "these are no exceptions: {needless:#?}");
    let unknown: Vec<_> = written.keys().filter(|one| !stated.contains(*one) && !one.1.starts_with("GET ")).collect();
    assert!(unknown.is_empty(), "these triggers are not in the template: {unknown:#?}");
}
