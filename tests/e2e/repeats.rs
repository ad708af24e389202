//! The event of the real bucket, and the same once more. Order and repetition are tested in the simulator.

use crate::stack::stack;
use crate::warehouse::{Arrived, ended, finished, import, import_of, imports_of, lines, now_ms, put_quietly, unique};

/// Waits until the deliveries of before have been looked at. One of an import that ended leaves no trace, so a file
/// that was sent after them and has its lines shows that they were passed.
fn passed(after: &str) {
    let store = unique("Testigo");
    let witness =
        put_quietly(&format!("{after}/{store}.csv"), 1, format!("store,item,count\n{store},x,9\n").as_bytes());
    witness.deliver();
    finished(&witness.import());
}

#[test]
fn the_real_bucket_tells_once_and_a_repetition_adds_nothing() {
    let store = unique("Dos avisos");
    let key = format!("stores/{store}/stock + 100%/día.csv");
    let content = b"item,count\nx,9\n";
    let bucket = stack().output("UploadBucket");
    let version = stack().put_object(bucket, &key, &[], content);
    let id = import_of(&key, &version);
    let once = finished(&id);
    ended(&once, "completed", [1, 0, 0, 1, 0, 0]);
    let again = Arrived {
        bucket: bucket.to_owned(),
        key: key.clone(),
        version: version.clone(),
        size: content.len(),
        at_ms: now_ms(),
        sequencer: "0066FFFFFFFFFFFF".to_owned(),
    };
    again.deliver();
    passed(&store);
    assert_eq!(imports_of(&key, &version), std::slice::from_ref(&id));
    assert_eq!(import(&id)["finishedAt"], once["finishedAt"]);
    assert_eq!(lines(&store), ["x 9/5"]);
}
