//! The local stack: one MiniStack process for this checkout, on 127.0.0.1 alone.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value, json};

use crate::api::Session;
use crate::python::Venv;
use crate::{api, checkout, run, ui};

/// Port of the first stack on a machine.
const USUAL_PORT: u16 = 4566;
/// The region that the local stack plays.
pub(crate) const REGION: &str = "us-east-1";

/// Environment of MiniStack, besides ports and folders.
const SETTINGS: [(&str, &str); 7] = [
    ("BIND_HOST", "127.0.0.1"),
    // MQTT would listen on all interfaces.
    ("IOT_MTLS_ENABLED", "0"),
    // Each function may do what its role allows and no more, as on AWS.
    ("AUTH", "true"),
    ("AWS_DEFAULT_REGION", REGION),
    ("MINISTACK_REGION", REGION),
    ("PERSIST_STATE", "1"),
    ("S3_PERSIST", "1"),
];

/// The process of this checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Port on 127.0.0.1.
    pub(crate) port: u16,
    /// Process and process group.
    pub(crate) pid: u32,
}

fn record() -> PathBuf {
    checkout::local().join("stack.json")
}

fn remembered() -> (Option<u16>, Option<u32>) {
    let known = checkout::object(&record());
    let number = |name: &str| known.get(name).and_then(Value::as_u64);
    (number("port").and_then(|port| port.try_into().ok()), number("pid").and_then(|pid| pid.try_into().ok()))
}

/// What the stack is made of, for "is what runs still that".
fn program() -> String {
    let parts = ["ministack_fast.py", "stack.txt"].map(|name| fs::read_to_string(checkout::script(name)));
    let parts = parts.iter().map(|text| text.as_deref().unwrap_or_default());
    checkout::fingerprint(parts.chain(SETTINGS.iter().flat_map(|&(name, value)| [name, value])))
}

fn started_as() -> Option<String> {
    checkout::object(&record()).get("program").and_then(Value::as_str).map(str::to_owned)
}

/// The running stack of this checkout.
pub(crate) fn running() -> Option<Stack> {
    let (Some(port), Some(pid)) = remembered() else { return None };
    // A number can belong to another program by now; the command line says whose it is.
    let ours = checkout::script("ministack_fast.py").display().to_string();
    run::command_line(pid).contains(&ours).then_some(Stack { port, pid })
}

/// The port asked for: the option, `ALMACEN_PORT`, the port of the last time, 4566.
///
/// # Errors
/// If `ALMACEN_PORT` is no port.
pub(crate) fn port(asked: Option<u16>) -> Result<u16> {
    if let Some(port) = asked {
        return Ok(port);
    }
    if let Ok(text) = std::env::var("ALMACEN_PORT")
        && !text.is_empty()
    {
        return text
            .parse()
            .with_context(|| format!("ALMACEN_PORT={text} is no port; set it to a number from 1 to 65535"));
    }
    Ok(remembered().0.unwrap_or(USUAL_PORT))
}

/// The endpoint of a port, for SDKs.
pub(crate) fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn taken(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
        || TcpListener::bind(address).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// The port for a run that nobody looks at: as [`port`], but where that is taken and nobody insists, a free one.
///
/// # Errors
/// If `ALMACEN_PORT` is no port.
pub(crate) fn any_port(asked: Option<u16>) -> Result<u16> {
    let wanted = port(asked)?;
    let insisted = asked.is_some() || std::env::var_os("ALMACEN_PORT").is_some_and(|text| !text.is_empty());
    if let Some(running) = running()
        && !insisted
    {
        return Ok(running.port);
    }
    if insisted || !taken(wanted) { Ok(wanted) } else { Ok(free_port_after(wanted).unwrap_or(wanted)) }
}

fn free_port_after(port: u16) -> Option<u16> {
    (port.saturating_add(1)..=port.saturating_add(200)).find(|&next| !taken(next))
}

/// Can our stack have this port? It can if it has it already.
///
/// # Errors
/// If another program has it.
pub(crate) fn check_free(port: u16) -> Result<()> {
    if running().is_some_and(|stack| stack.port == port) || !taken(port) {
        return Ok(());
    }
    let other =
        free_port_after(port).map_or_else(String::new, |free| format!(" For example: cargo xtask up --port {free}"));
    bail!(
        "port {port} is taken by another program (another checkout's stack, perhaps). End it, or choose another port.{other}"
    );
}

/// The running stack, started if need be. The flag says whether this run started it.
///
/// # Errors
/// If the port is taken by another program, or the stack does not come up.
pub(crate) fn start(port: u16) -> Result<(Stack, bool)> {
    if let Some(stack) = running() {
        let older = started_as().is_some_and(|was| was != program());
        if stack.port == port && !older {
            wait_until_ready(stack.port, stack.pid)?;
            return Ok((stack, false));
        }
        // Before ours is stopped: a port that cannot be had must not cost a stack that runs.
        check_free(port)?;
        if stack.port == port {
            ui::note("  the stack that runs is an older one: starting it again, with its data");
        } else {
            ui::note(&format!("  moving the stack of this checkout from port {} to {port}", stack.port));
        }
        stop(stack)?;
    }
    check_free(port)?;
    if remembered().1.is_some() {
        // The last process was not stopped but died, and with it what it had not saved: nothing is certain to be deployed.
        forget_deployed();
        checkout::write(&died(), b"")?;
    }
    let folder = checkout::local();
    for name in ["state", "s3", "tmp", "home"] {
        checkout::make(&folder.join(name))?;
    }
    queues_follow(&folder.join("state"), port)?;
    let log = checkout::log("stack")?;
    let mut command = Command::new(Venv::Stack.program("python"));
    // A clean environment: the functions inherit it, and no real credentials or profile may reach them.
    command
        .arg(checkout::script("ministack_fast.py"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.join("home"))
        .env("LANG", "C.UTF-8")
        .env("PYTHONUNBUFFERED", "1")
        .env("GATEWAY_PORT", port.to_string())
        .envs(SETTINGS)
        // Without this, native functions would call the real AWS.
        .env("AWS_ENDPOINT_URL", endpoint(port))
        .env("TMPDIR", folder.join("tmp"))
        .env("STATE_DIR", folder.join("state"))
        .env("S3_DATA_DIR", folder.join("s3"))
        .current_dir(&folder);
    let child = run::detached(&mut command, &log)?;
    let pid = child.id();
    run::answer_for(pid);
    let started = json!({"port": port, "pid": pid, "program": program()});
    checkout::write(&record(), started.to_string().as_bytes())?;
    if let Err(error) = wait_until_ready(port, pid) {
        let _ = run::end_group(pid, Duration::from_secs(2));
        run::keep(pid);
        return Err(error);
    }
    Ok((Stack { port, pid }, true))
}

/// Of the state, what knows queues by their URLs, and so by the port of the stack that made them.
const KNOWING_QUEUES: [&str; 3] = ["cloudformation.json", "lambda.json", "sqs.json"];
/// Every queue's URL begins so, then comes the port.
const BEFORE_PORT: &str = "http://localhost:";

/// Gives queues that were made on another port the URLs that they have on this one. Without it nothing that waits in them, or
/// comes later, would reach its function.
fn queues_follow(state: &Path, port: u16) -> Result<()> {
    for name in KNOWING_QUEUES {
        let file = state.join(name);
        if let Ok(text) = fs::read_to_string(&file) {
            let moved = with_port(&text, port);
            if moved != text {
                checkout::write(&file, moved.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// The text with this port in every URL of the local stack.
fn with_port(text: &str, port: u16) -> String {
    let mut parts = text.split(BEFORE_PORT);
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let path = part.trim_start_matches(|c: char| c.is_ascii_digit());
        moved += BEFORE_PORT;
        if path.starts_with('/') && path.len() < part.len() {
            moved += &port.to_string();
            moved += path;
        } else {
            moved += part;
        }
    }
    moved
}

fn wait_until_ready(port: u16, pid: u32) -> Result<()> {
    let url = format!("{}/_ministack/health", endpoint(port));
    let mut ready = false;
    run::wait_until(Duration::from_secs(60), || {
        ready = api::status(&url) == Some(200);
        ready || !run::alive(pid)
    });
    if ready {
        return Ok(());
    }
    let log = checkout::log("stack")?;
    bail!(
        "the local stack did not come up on port {port}:\n{}The whole log is {}. If its state is damaged: cargo xtask down --wipe",
        run::tail(&log, 15),
        log.display()
    )
}

/// Stops the stack; its state stays on disk. True if it had to be forced, which loses what was not saved.
///
/// # Errors
/// If the process does not end.
pub(crate) fn stop(stack: Stack) -> Result<bool> {
    let asked = run::end_group(stack.pid, Duration::from_secs(20))?;
    run::keep(stack.pid);
    if !asked {
        forget_deployed();
        checkout::write(&died(), b"")?;
    }
    checkout::write(&record(), json!({"port": stack.port}).to_string().as_bytes())?;
    Ok(!asked)
}

/// Stops the stack at once; what it holds is not saved.
///
/// # Errors
/// If the process does not end.
pub(crate) fn kill(stack: Stack) -> Result<()> {
    run::kill_group(stack.pid)?;
    run::keep(stack.pid);
    forget_deployed();
    checkout::write(&died(), b"")?;
    checkout::write(&record(), json!({"port": stack.port}).to_string().as_bytes())
}

/// There while the state is that of a process that died, and no deploy has succeeded since.
fn died() -> PathBuf {
    checkout::local().join("died")
}

/// Whether the state may be half of one and half of another time.
pub(crate) fn is_doubtful() -> bool {
    died().exists()
}

/// A deploy has succeeded.
pub(crate) fn is_sound() {
    let _ = fs::remove_file(died());
}

/// The next `up` deploys, whatever the last one did.
fn forget_deployed() {
    let _ = fs::remove_file(checkout::local().join("deployed.json"));
}

/// Deletes everything that the local stack keeps; it must be stopped.
///
/// # Errors
/// If a folder cannot be deleted.
pub(crate) fn wipe() -> Result<()> {
    let folder = checkout::local();
    for name in ["state", "s3", "tmp"] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("cannot delete {}", path.display()))?;
        }
    }
    forget_deployed();
    is_sound();
    let _ = fs::remove_file(checkout::outputs_file());
    Ok(())
}

/// Sets what AWS programs need to talk to the local stack, and keeps real credentials from them.
pub(crate) fn point_at(command: &mut Command, port: u16) {
    for name in
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]
    {
        command.env_remove(name);
    }
    command
        .env("AWS_ENDPOINT_URL", endpoint(port))
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost");
}

/// Signs in to the local stack as one of its users.
///
/// # Errors
/// If the API refuses.
pub(crate) fn sign_in(outputs: &Map<String, Value>, role: &str) -> Result<Session> {
    let user = outputs.get("Users").and_then(|users| users.get(role));
    let of = |name: &str| user.and_then(|user| user.get(name)).and_then(Value::as_str).unwrap_or_default();
    Session::sign_in(checkout::text(outputs, "ApiUrl")?, of("username"), of("password"))
        .map_err(|error| anyhow!("{error:#}. See: cargo xtask logs users-api"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_made_on_another_port_are_found_on_this_one() {
        for (text, moved) in [
            ("", ""),
            (
                r#"{"http://localhost:4566/0/a": 1, "b": "http://localhost:4700/0/b"}"#,
                r#"{"http://localhost:4960/0/a": 1, "b": "http://localhost:4960/0/b"}"#,
            ),
            ("http://localhost:4960/0/a", "http://localhost:4960/0/a"),
            (
                "http://localhost:/a http://localhost:12 http://localhost",
                "http://localhost:/a http://localhost:12 http://localhost",
            ),
            ("https://sns.us-east-1.amazonaws.com:443/", "https://sns.us-east-1.amazonaws.com:443/"),
        ] {
            assert_eq!(with_port(text, 4960), moved);
        }
    }
}
