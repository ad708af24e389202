//! A function's process is killed in the middle of its work.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::stack::stack;
use crate::wait::{LONG_PATIENCE, PATIENCE, eventually};
use crate::warehouse::{
    Arrived, counters, ended, finished, held, import, imports_of, put_quietly, store_record, unique,
};

/// Processes of a function of this stack: the children of its server that run the function's binary.
fn processes(function: &str) -> Vec<u32> {
    let server = format!("GATEWAY_PORT={}", stack().port());
    let name = format!("AWS_LAMBDA_FUNCTION_NAME={}-{function}", stack().name());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("killing a process needs /proc") {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse::<u32>() else { continue };
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let has = |wanted: &str| environment.split(|b| *b == 0).any(|variable| variable == wanted.as_bytes());
        if has(&server) && has(&name) {
            found.push(pid);
        }
    }
    found
}

/// Processor time that a process has used, in the kernel's ticks.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// Tests of larger files keep off a moment in which the busiest process is killed, or it might be theirs. They would
/// end the same, but a minute later.
static PEACE: RwLock<()> = RwLock::new(());

/// Nothing is killed while this is held.
pub(crate) fn in_peace() -> RwLockReadGuard<'static, ()> {
    PEACE.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    PEACE.write().unwrap_or_else(PoisonError::into_inner)
}

/// What each process of a function has worked so far.
fn usage(function: &str) -> BTreeMap<u32, u64> {
    processes(function).into_iter().map(|pid| (pid, ticks(pid))).collect()
}

/// Kills the process of a function that has worked most since `before`; other tests' files are small and done in an
/// instant.
fn kill_busiest(function: &str, before: &BTreeMap<u32, u64>) {
    let busiest = eventually(PATIENCE, "a process at work", || {
        let used = usage(function)
            .into_iter()
            .map(|(pid, ticks)| (ticks.saturating_sub(before.get(&pid).copied().unwrap_or(0)), pid));
        used.max().filter(|(used, _)| *used > 0).map(|(_, pid)| pid).ok_or_else(|| format!("{before:?}"))
    });
    assert!(Command::new("kill").args(["-9", &busiest.to_string()]).status().unwrap().success());
}

/// A file of so many rows, each so long.
fn file(store: &str, rows: usize, description: usize) -> String {
    let description = "x".repeat(description);
    let mut file = String::from("store,sku,description,count\n");
    for row in 0..rows {
        file.push_str(&format!("{store},sku-{row:06},{description},{}\n", row % 900 + 10));
    }
    file
}

/// Waits until the import has counted rows and is not done, and kills the function at it. False where it was too late.
fn kill_in_the_middle(id: &str, function: &str, before: &BTreeMap<u32, u64>, total: u64) -> bool {
    eventually(PATIENCE, &format!("the first rows of {id}"), || {
        let import = import(id);
        let rows = counters(&import)[0];
        if rows > 0 || import["status"] != "running" { Ok(rows) } else { Err(import.to_string()) }
    });
    kill_busiest(function, before);
    counters(&import(id))[0] < total
}

/// What must be there in the end, whatever happened on the way.
fn all_there(arrived: &Arrived, id: &str, store: &str, rows: usize) {
    let table = held(store);
    assert_eq!(table.len(), rows);
    for (position, line) in table.values().enumerate() {
        let expected = (format!("sku-{position:06}"), (position % 900 + 10).to_string());
        assert_eq!((&line["sku"], &line["on_hand"]), (&expected.0, &expected.1));
        assert_eq!((line["created_by"].as_str(), line["version"].as_str()), (id, "1"), "{line:?}");
    }
    assert_eq!(imports_of(&arrived.key, &arrived.version), [id]);
    eventually(PATIENCE, "the lease to be given back", || {
        let record = store_record(store);
        if record.contains_key("lease_owner") { Err(format!("{record:?}")) } else { Ok(()) }
    });
    assert_eq!(store_record(store)["lines"], rows.to_string());
}

#[test]
fn a_killed_range_of_a_large_file_comes_again() {
    // Rows are long, so that the file is cut into ranges and yet has not too many lines for a busy machine.
    const ROWS: usize = 18_000;
    let store = unique("Tramos");
    let content = file(&store, ROWS, 1000);
    assert!(content.len() > 17 * 1024 * 1024, "{} bytes are not cut", content.len());
    let arrived = put_quietly(&format!("{store}.csv"), 1, content.as_bytes());
    let (alone, before) = (alone(), usage("ingest-range"));
    arrived.deliver();
    let id = arrived.import();
    let killed = kill_in_the_middle(&id, "ingest-range", &before, ROWS as u64);
    assert!(killed, "the import was done before it could be killed: {}", import(&id));
    drop(alone);
    // The message of the killed range comes again by itself, with nobody's help.
    let end = eventually(LONG_PATIENCE, "the end", || {
        let import = import(&id);
        if import["status"] == "running" { Err(import.to_string()) } else { Ok(import) }
    });
    ended(&end, "completed", [ROWS as u64, 0, 0, ROWS as u64, 0, 0]);
    all_there(&arrived, &id, &store, ROWS);

    // The same once more: nothing is written.
    let again = put_quietly(&format!("{store}.csv"), 2, content.as_bytes());
    again.deliver();
    ended(&finished(&again.import()), "completed", [ROWS as u64, 0, ROWS as u64, 0, 0, 0]);
    all_there(&arrived, &id, &store, ROWS);
}
