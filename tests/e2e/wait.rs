//! Waiting for something to become true, with an end.

use std::time::{Duration, Instant};

/// How long anything that the stack does by itself may take, on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// For files of tens of thousands of rows, and for messages that come again by themselves.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_secs(300);
const BETWEEN: Duration = Duration::from_millis(100);

/// Asks until the answer is there; fails with the last reason why it was not.
pub(crate) fn eventually<T>(patience: Duration, what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match probe() {
            Ok(found) => return found,
            Err(why) if Instant::now() >= deadline => panic!("waited {} s for {what}: {why}", patience.as_secs()),
            Err(_) => std::thread::sleep(BETWEEN),
        }
    }
}
