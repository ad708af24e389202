//! One function in its sandbox: the process, and the Lambda Runtime API it asks for events.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::http::{Connection, Response, Server};

/// How to start a function.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The function's name, as Lambda would tell it.
    pub(crate) name: String,
    /// The executable.
    pub(crate) program: PathBuf,
    /// Its arguments; only interpreters have any.
    pub(crate) args: Vec<OsString>,
    /// Its whole environment, beside what Lambda itself sets.
    pub(crate) env: Vec<(String, String)>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// What came of one invocation.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The response body, or the error body.
    pub(crate) body: Vec<u8>,
    /// Was it posted as an error?
    pub(crate) failed: bool,
    /// From the event's first byte sent to the answer's last byte read.
    pub(crate) took: Duration,
    /// When the answer was read.
    pub(crate) at: Instant,
}

impl Answer {
    /// The body as text, shortened for a message.
    pub(crate) fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }
}

struct Event {
    id: u64,
    body: Arc<Vec<u8>>,
    timeout: Duration,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    next_id: u64,
    ready: Option<Instant>,
    sent: Option<(u64, Instant)>,
    answers: VecDeque<Answer>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running function. Dropping it stops its process.
pub(crate) struct Sandbox {
    name: String,
    log: PathBuf,
    spawned: Instant,
    shared: Arc<Shared>,
    child: Tracked,
    _server: Server,
}

impl Sandbox {
    /// Starts the function; `first` is there when it first asks.
    pub(crate) fn start(launch: &Launch, first: Option<(&Arc<Vec<u8>>, Duration)>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let arn = format!("arn:aws:lambda:eu-central-1:000000000000:function:{}", launch.name);
        let server = Server::start("runtime-api", move |connection| serve(&serving, connection, &arn))?;
        if let Some((body, timeout)) = first {
            push(&shared, Arc::clone(body), timeout);
        }
        let log = File::create(&launch.log).with_context(|| format!("create {}", launch.log.display()))?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .env_clear()
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .envs(lambda_environment(&launch.name, server.address()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let spawned = Instant::now();
        let child = command.spawn().with_context(|| format!("start {}", launch.program.display()))?;
        Ok(Self {
            name: launch.name.clone(),
            log: launch.log.clone(),
            spawned,
            shared,
            child: Tracked::new(child),
            _server: server,
        })
    }

    /// From the start of the process until it first asked for an event.
    pub(crate) fn ready(&self, timeout: Duration) -> Result<Duration> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            if let Some(ready) = state.ready {
                return Ok(ready.saturating_duration_since(self.spawned));
            }
            state = self.wait(state, deadline)?;
        }
    }

    /// From the start of the process until its first answer was read.
    pub(crate) fn first_answer(&self, timeout: Duration) -> Result<(Duration, Answer)> {
        let answer = self.answer(timeout)?;
        Ok((answer.at.saturating_duration_since(self.spawned), answer))
    }

    /// One invocation; an answer posted as an error is returned as one.
    pub(crate) fn invoke(&self, body: &Arc<Vec<u8>>, timeout: Duration) -> Result<Answer> {
        push(&self.shared, Arc::clone(body), timeout);
        self.shared.changed.notify_all();
        self.answer(timeout)
    }

    fn answer(&self, timeout: Duration) -> Result<Answer> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            if let Some(answer) = state.answers.pop_front() {
                return Ok(answer);
            }
            state = self.wait(state, deadline)?;
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Instant) -> Result<MutexGuard<'a, State>> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("{} did not answer in time{}", self.name, self.last_words());
        }
        // A process that ended does not notify, so look at it now and then.
        let slice = left.min(Duration::from_millis(200));
        let (state, waited) = self.shared.changed.wait_timeout(state, slice).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out()
            && let Some(status) = self.child.ended()
        {
            bail!("{} ended by itself: {status}{}", self.name, self.last_words());
        }
        Ok(state)
    }

    /// The end of what it wrote, for an error message.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(6)..).unwrap_or(&[]).join("\n  ");
        format!("\n  {tail}\n  ({})", self.log.display())
    }

    /// CPU time that its live threads have used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id))? {
            // A thread may end between the listing and the reading.
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            total += text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }

    /// The most memory it ever held resident, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

fn push(shared: &Shared, body: Arc<Vec<u8>>, timeout: Duration) {
    let mut state = shared.lock();
    state.next_id += 1;
    let id = state.next_id;
    state.events.push_back(Event { id, body, timeout });
}

fn lambda_environment(name: &str, address: SocketAddr) -> Vec<(String, String)> {
    [
        ("AWS_LAMBDA_RUNTIME_API", address.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The Runtime API for one connection: `next` waits for an event, `response` and `error` end it.
fn serve(shared: &Shared, mut connection: Connection, arn: &str) -> io::Result<()> {
    while let Some(request) = connection.read()? {
        let read = Instant::now();
        let path = request.path().trim_start_matches("/2018-06-01/runtime/");
        if path == "invocation/next" {
            let mut state = shared.lock();
            if state.ready.is_none() {
                state.ready = Some(read);
                shared.changed.notify_all();
            }
            let event = loop {
                if state.closed {
                    return Ok(());
                }
                if let Some(event) = state.events.pop_front() {
                    break event;
                }
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            let id = event.id;
            let deadline = SystemTime::now() + event.timeout;
            let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let mut answer = Response::new(200, "application/json", Vec::new())
                .with("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{id:012}"))
                .with("lambda-runtime-deadline-ms", deadline.to_string())
                .with("lambda-runtime-invoked-function-arn", arn)
                .with("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0");
            let length = event.body.len();
            answer.body = crate::http::Body::Part(event.body, 0..length);
            state.sent = Some((id, Instant::now()));
            drop(state);
            connection.write(&answer)?;
        } else {
            let failed = path.ends_with("/error");
            connection.write(&Response::new(202, "application/json", "{\"status\":\"OK\"}"))?;
            let mut state = shared.lock();
            let took = state.sent.take().map_or(Duration::ZERO, |(_, sent)| read.saturating_duration_since(sent));
            state.answers.push_back(Answer { body: request.body, failed, took, at: read });
            shared.changed.notify_all();
        }
    }
    Ok(())
}

/// Every process this harness has running, so that an interrupt can stop them.
static RUNNING: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

/// A process that is stopped, by its id, when this is dropped.
pub(crate) struct Tracked {
    id: u32,
    child: Arc<Mutex<Child>>,
}

impl Tracked {
    /// Takes charge of a started process.
    pub(crate) fn new(child: Child) -> Self {
        let id = child.id();
        let child = Arc::new(Mutex::new(child));
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&child));
        Self { id, child }
    }

    fn ended(&self) -> Option<std::process::ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().ok().flatten()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<std::process::ExitStatus> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("process {} did not end in time", self.id);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn stop(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // Both fail only for a process that is gone.
    let (_killed, _status) = (child.kill(), child.wait());
}

impl Drop for Tracked {
    fn drop(&mut self) {
        stop(&self.child);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|child| !Arc::ptr_eq(child, &self.child));
    }
}

/// Stops every process that is still running, for an interrupt.
pub(crate) fn stop_all() {
    for child in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        stop(&child);
    }
}
