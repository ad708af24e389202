//! Other programs: run them, end them, and end them too when this one is interrupted.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Programs that this run waits for.
static CHILDREN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// Process groups that this run started and that would outlive it.
static STARTED: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C ends what this run started, and nothing else.
///
/// # Errors
/// If the handler cannot be installed.
pub(crate) fn end_all_on_interrupt() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for Ctrl-C")?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            // A second Ctrl-C waits for nothing.
            std::thread::spawn(move || signals.forever().next().map(|_| std::process::exit(130)));
            end_all();
            std::process::exit(130);
        }
    });
    Ok(())
}

fn end_all() {
    for pid in drain(&CHILDREN) {
        signal("TERM", &pid.to_string());
    }
    for pid in drain(&STARTED) {
        crate::ui::note("\ninterrupted: stopping the local stack that this run started");
        if let Err(error) = end_group(pid, Duration::from_secs(20)) {
            crate::ui::note(&format!("{error:#}"));
        }
    }
}

fn drain(list: &Mutex<Vec<u32>>) -> Vec<u32> {
    list.lock().map(|mut pids| std::mem::take(&mut *pids)).unwrap_or_default()
}
fn note_pid(list: &Mutex<Vec<u32>>, pid: u32) {
    if let Ok(mut pids) = list.lock() {
        pids.push(pid);
    }
}
fn forget_pid(list: &Mutex<Vec<u32>>, pid: u32) {
    if let Ok(mut pids) = list.lock() {
        pids.retain(|&known| known != pid);
    }
}

/// This run answers for the process group `pid` until [`keep`].
pub(crate) fn answer_for(pid: u32) {
    note_pid(&STARTED, pid);
}
/// The process group `pid` may outlive this run.
pub(crate) fn keep(pid: u32) {
    forget_pid(&STARTED, pid);
}

/// Waits for a program, which is ended if this one is interrupted. True if it succeeded.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn status(command: &mut Command) -> Result<bool> {
    let mut child = command.spawn().with_context(|| cannot_start(command.get_program()))?;
    note_pid(&CHILDREN, child.id());
    let ended = child.wait();
    forget_pid(&CHILDREN, child.id());
    if INTERRUPTED.load(Ordering::SeqCst) {
        // The handler is about to end this program; nothing more is to be said.
        std::thread::park_timeout(Duration::from_secs(20));
    }
    Ok(ended?.success())
}

/// Runs a program with its output in a log file; a failure shows the end of it.
///
/// # Errors
/// If it cannot be started or fails.
pub(crate) fn logged(command: &mut Command, log: &Path, what: &str) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    if status(command)? {
        return Ok(());
    }
    bail!("{what} failed:\n{}\nThe whole output is in {}", tail(log, 25), log.display())
}

/// Runs a program and returns what it printed. `input` is what it reads.
///
/// # Errors
/// If it cannot be started or fails; the error holds what it said.
pub(crate) fn output(command: &mut Command, input: &[u8]) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| cannot_start(command.get_program()))?;
    note_pid(&CHILDREN, child.id());
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading all is judged by how it ends.
        let _ = stdin.write_all(input);
    }
    let pid = child.id();
    let ended = child.wait_with_output();
    forget_pid(&CHILDREN, pid);
    let ended = ended?;
    if !ended.status.success() {
        bail!("{}", String::from_utf8_lossy(&ended.stderr).trim_end());
    }
    String::from_utf8(ended.stdout).map_err(|_| anyhow!("{:?} did not print UTF-8", command.get_program()))
}

fn cannot_start(program: &OsStr) -> String {
    format!("cannot start {}", program.to_string_lossy())
}

/// The last lines of a file, indented.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = all.len().saturating_sub(lines);
    all.iter().skip(from).map(|line| format!("    {line}\n")).collect()
}

/// Sends a signal by the shell, which every system has; `target` is a process, or a group with a minus before it.
fn signal(name: &str, target: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("kill -s {name} -- {target}")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether a process is there.
pub(crate) fn alive(pid: u32) -> bool {
    !command_line(pid).is_empty()
}

/// The command line of a process; empty where there is none, or where only its exit status is left.
pub(crate) fn command_line(pid: u32) -> String {
    if Path::new("/proc/self/cmdline").exists() {
        let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        return String::from_utf8_lossy(&bytes).replace('\0', " ");
    }
    let listed = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    listed.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

/// Ends a process and its group: asks, waits, then insists. It waits while the process works, at most
/// [`WORKING_PATIENCE`], and up to `patience` for one that does nothing. True if asking was enough.
///
/// # Errors
/// If it is still there afterwards.
pub(crate) fn end_group(pid: u32, patience: Duration) -> Result<bool> {
    signal("TERM", &pid.to_string());
    let (mut used, mut since) = (processor_seconds(pid), Instant::now());
    let mut idle = Duration::ZERO;
    let mut asked = false;
    wait_until(WORKING_PATIENCE, || {
        asked = !alive(pid);
        if since.elapsed() >= WINDOW {
            let now = processor_seconds(pid);
            idle = if now - used > WINDOW.as_secs_f64() / 10.0 { Duration::ZERO } else { idle + since.elapsed() };
            (used, since) = (now, Instant::now());
        }
        asked || idle >= patience
    });
    kill_group(pid)?;
    Ok(asked)
}

/// Ends a process and its group at once.
///
/// # Errors
/// If it is still there afterwards.
pub(crate) fn kill_group(pid: u32) -> Result<()> {
    signal("KILL", &format!("-{pid}"));
    if wait_until(Duration::from_secs(5), || !alive(pid)) {
        Ok(())
    } else {
        bail!("process {pid} does not end; end it by hand: kill -9 {pid}")
    }
}

/// How long a process that has been asked to end may go on working: a local stack with a million lines takes minutes
/// to save them.
const WORKING_PATIENCE: Duration = Duration::from_secs(900);

/// Over how long it is seen whether a process works: it does if it has a tenth of a processor.
const WINDOW: Duration = Duration::from_secs(2);

/// The processor time that a process has used, in seconds; 0 where that cannot be told.
fn processor_seconds(pid: u32) -> f64 {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // After the name, which may contain anything, the 12th and 13th fields are user and system time in hundredths
        // of a second (proc(5)).
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        return fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0;
    }
    // [[hours:]minutes:]seconds
    let listed = Command::new("ps").args(["-o", "time=", "-p", &pid.to_string()]).output();
    let text = listed.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default();
    text.split(':').filter_map(|part| part.parse::<f64>().ok()).fold(0.0, |sum, part| sum * 60.0 + part)
}

/// Starts a program in a process group of its own, so that a Ctrl-C at the terminal does not reach it.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn detached(command: &mut Command, log: &Path) -> Result<Child> {
    use std::os::unix::process::CommandExt;
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    command.spawn().with_context(|| cannot_start(command.get_program()))
}

/// Asks until the answer is yes; false when the time is over.
pub(crate) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
