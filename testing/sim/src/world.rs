//! The deployed system in one process: the in-memory AWS, execution environments of the real functions, and the triggers
//! that invoke them as AWS would.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use almacen_aws_client::Aws;
use almacen_clock::Machine;
use almacen_testing_aws::Millis;
use almacen_testing_aws::cloud::admission::{Admission, Admissions};
use almacen_testing_aws::cloud::{Caller, Cloud, Settings};
use almacen_testing_aws::dynamodb::stream::StreamRecord;
use almacen_testing_aws::http::Request as HttpRequest;
use almacen_testing_aws::sqs::{Outgoing, Received};
use almacen_testing_aws::stack::{FunctionSpec, Stack, Trigger, pattern_matches};
use anyhow::{Context as _, Result, anyhow};
use aws_credential_types::Credentials;
use aws_types::region::Region;
use futures::future::LocalBoxFuture;
use lambda_runtime::{Config, Context};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::{sleep_until, timeout};

use crate::api::{Reply, Request};
use crate::chaos::drawn;
use crate::faults::{Faults, InstanceHook};
use crate::instance::{Invoke, start};
use crate::plant::Plant;
use crate::trigger;
use crate::triggers::Triggers;

/// The template of the whole system.
const TEMPLATE: &str = include_str!("../../../template.yaml");
/// When every run begins: 2026-01-05T08:00:00Z, in milliseconds.
pub const START: u64 = 1_767_600_000_000;
/// After a failed batch of a stream the next try comes this much later.
const STREAM_PAUSE_MS: u64 = 1_000;
/// Triggers that [`World::settle`] runs at most; more is a loop.
const ROUNDS_MAX: usize = 2_000;
/// After everybody has gone [`World::run_beside`] comes to rest within this, or it is an error; and how often it looks.
const RESTS_WITHIN_MS: u64 = 12 * 60 * 60_000;
const LOOKS_EVERY_MS: u64 = 5_000;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With an answer.
    Answered(Vec<u8>),
    /// With an error of the function.
    Failed(String),
    /// Lambda stopped it.
    TimedOut,
    /// Its process died.
    Killed,
}

struct Warm {
    function: Box<dyn Invoke>,
    killed: Arc<Notify>,
    /// What its clock shows, beside the time.
    ahead: i64,
    /// What made the function run this time.
    trigger: Arc<Mutex<String>>,
}

/// How far a reader of a stream has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    /// The last record that it is done with.
    pub(crate) after: u64,
    /// When it tries again, after a failure.
    pub(crate) from: Millis,
    /// At most so many records at the next try: half of those that failed.
    at_most: Option<usize>,
}

/// How a world differs from an ideal one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// A fault to be found.
    pub plant: Option<Plant>,
    /// How far clocks of execution environments are apart at most.
    pub clocks_apart: Millis,
    /// Of a hundred batches of a stream, how many come again although they were handled.
    pub repeats_percent: u8,
    /// Of a hundred invocations, how many meet no warm execution environment.
    pub cold_percent: u8,
}

/// A world as it was: services, and how far their triggers had come. Execution environments are not part of it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    cloud: Cloud,
    at: u64,
    readers: BTreeMap<String, Position>,
    invocations: u64,
    seed: u64,
    environment: BTreeMap<String, String>,
}

/// The system.
pub struct World {
    cloud: Cloud,
    faults: Faults,
    /// Those who sign up, as the user pool asks about them.
    admissions: RefCell<Admissions>,
    warm: RefCell<BTreeMap<String, Vec<Warm>>>,
    readers: RefCell<BTreeMap<String, Position>>,
    invocations: Cell<u64>,
    chances: Cell<u64>,
    /// Invocations that are under way.
    running: Cell<usize>,
    /// Something has begun or ended, so that a trigger may be due.
    stirred: Notify,
    /// When somebody outside last did something.
    touched: Cell<Millis>,
    /// Does somebody answer the user pool for all invocations?
    admits_apart: Cell<bool>,
    setup: Setup,
    seed: u64,
    /// Parameters of the environment that a run wants otherwise, for all functions.
    environment: BTreeMap<String, String>,
}

impl World {
    /// Everything deployed and empty. `environment` replaces variables of the template.
    ///
    /// # Errors
    /// Where the template has something that the in-memory AWS does not know.
    pub fn new(seed: u64, environment: &[(&str, &str)]) -> Result<Self> {
        Self::with(seed, environment, Setup::default())
    }

    /// The same, and not ideal.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn with(seed: u64, environment: &[(&str, &str)], setup: Setup) -> Result<Self> {
        // The SDK draws its jitter and its idempotency tokens from the thread's numbers.
        fastrand::seed(seed);
        let cloud = Cloud::new(stack()?.clone(), Settings::default(), seed, START);
        Ok(Self {
            admissions: RefCell::new(cloud.admissions()),
            cloud,
            faults: Faults::default(),
            warm: RefCell::default(),
            readers: RefCell::default(),
            invocations: Cell::new(0),
            chances: Cell::new(0),
            running: Cell::new(0),
            stirred: Notify::new(),
            touched: Cell::new(START),
            admits_apart: Cell::new(false),
            setup,
            seed,
            environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        })
    }

    /// The world as it is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let at = self.cloud.now();
        Snapshot {
            cloud: self.cloud.copy(at),
            at,
            readers: self.readers.borrow().clone(),
            invocations: self.invocations.get(),
            seed: self.seed,
            environment: self.environment.clone(),
        }
    }

    /// Goes on from a snapshot. Functions start anew.
    #[must_use]
    pub fn restore(snapshot: &Snapshot) -> Self {
        let Snapshot { cloud, at, readers, invocations, seed, environment } = snapshot.clone();
        // Not the numbers of the beginning: a token of a transaction must not come twice.
        fastrand::seed(seed ^ at);
        let cloud = cloud.copy(at);
        Self {
            admissions: RefCell::new(cloud.admissions()),
            cloud,
            faults: Faults::default(),
            warm: RefCell::default(),
            readers: RefCell::new(readers),
            invocations: Cell::new(invocations),
            chances: Cell::new(0),
            running: Cell::new(0),
            stirred: Notify::new(),
            touched: Cell::new(at),
            admits_apart: Cell::new(false),
            setup: Setup::default(),
            seed,
            environment,
        }
    }

    /// The in-memory AWS.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    fn spec(&self, package: &str) -> Result<&FunctionSpec> {
        self.cloud.stack().functions.get(package).with_context(|| format!("no function {package}"))
    }

    fn start(&self, package: &str) -> Result<Warm> {
        let spec = self.spec(package)?;
        let (killed, trigger) = (Arc::new(Notify::new()), Arc::<Mutex<String>>::default());
        let hook = InstanceHook {
            faults: self.faults.clone(),
            killed: Arc::clone(&killed),
            trigger: Arc::clone(&trigger),
            plant: self.setup.plant,
        };
        let caller = self.cloud.function(package).with_context(|| format!("no role of {package}"))?;
        let credentials = Credentials::new(package, "simulated", None, None, "simulation");
        let region = Region::new(self.cloud.stack().place.region.clone());
        let aws = Aws::over(self.cloud.connector(caller, Arc::new(hook)), credentials, region);
        let mut environment = spec.environment.clone();
        for (name, value) in &self.environment {
            if let Some(known) = environment.get_mut(name) {
                value.clone_into(known);
            }
        }
        let apart = i64::try_from(self.setup.clocks_apart).unwrap_or(0);
        let ahead = self.chance("clock").i64(-apart / 2..=apart / 2);
        Ok(Warm { function: start(package, environment.into_iter().collect(), &aws)?, killed, ahead, trigger })
    }

    /// Chance of its own, each time.
    fn chance(&self, what: &str) -> fastrand::Rng {
        self.chances.set(self.chances.get() + 1);
        drawn(self.seed, &[what], self.chances.get())
    }

    fn happens(&self, what: &str, percent: u8) -> bool {
        percent > 0 && self.chance(what).u8(..100) < percent
    }

    /// Is an invocation under way?
    pub(crate) fn is_busy(&self) -> bool {
        self.running.get() > 0
    }

    /// When somebody outside last did something.
    pub(crate) fn touched(&self) -> Millis {
        self.touched.get()
    }

    /// Waits until an invocation begins or ends, or somebody outside does something.
    pub(crate) async fn stirs(&self) {
        self.stirred.notified().await;
    }

    fn context(&self, spec: &FunctionSpec, now: Millis) -> Context {
        let mut context = Context::default();
        context.request_id = format!("00000000-0000-4000-8000-{:012}", self.invocations.get());
        context.deadline = now + spec.timeout;
        let config = Config { function_name: spec.name.clone(), ..Config::default() };
        context.env_config = Arc::new(config);
        context
    }

    /// Invokes a function, in an environment that is warm if there is one.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn invoke(&self, package: &str, event: &Value) -> Result<Ended> {
        let spec = self.spec(package)?;
        self.invocations.set(self.invocations.get() + 1);
        let mut idle = self.warm.borrow_mut().get_mut(package).and_then(Vec::pop);
        if self.happens("cold", self.setup.cold_percent) {
            idle = None;
        }
        let instance = match idle {
            Some(instance) => instance,
            None => self.start(package)?,
        };
        *instance.trigger.lock().unwrap_or_else(PoisonError::into_inner) = trigger::of_event(event);
        let now = self.cloud.now().saturating_add_signed(instance.ahead);
        let (context, event) = (self.context(spec, now), event.to_string().into_bytes());
        let time_of_day = UNIX_EPOCH + Duration::from_millis(now);
        let machine = Machine::new(time_of_day, self.seed ^ self.invocations.get());
        let work = machine.run(instance.function.invoke(&event, context));
        self.running.set(self.running.get() + 1);
        self.stirred.notify_one();
        let ended = tokio::select! {
            biased;
            () = instance.killed.notified() => Ended::Killed,
            done = timeout(Duration::from_millis(spec.timeout), work) => match done {
                Ok(Ok(answer)) => Ended::Answered(answer),
                Ok(Err(diagnostic)) => Ended::Failed(format!("{}: {}", diagnostic.error_type, diagnostic.error_message)),
                Err(_) => Ended::TimedOut,
            },
            error = self.admit(), if !self.admits_apart.get() => return Err(error),
        };
        self.running.set(self.running.get() - 1);
        self.stirred.notify_one();
        if matches!(ended, Ended::Answered(_) | Ended::Failed(_)) {
            self.warm.borrow_mut().entry(package.to_owned()).or_default().push(instance);
        }
        Ok(ended)
    }

    /// Answers the user pool for all invocations, which then do not do so themselves: where there are several at once, the
    /// one that asked may not be the one that hears of it.
    pub(crate) async fn admit_apart(&self) -> anyhow::Error {
        self.admits_apart.set(true);
        self.admit().await
    }

    /// Answers the user pool for as long as somebody signs up: asks the function that the template names.
    async fn admit(&self) -> anyhow::Error {
        loop {
            let asked = poll_fn(|context| self.admissions.borrow_mut().poll_next(context)).await;
            let Some(Admission { event, answer }) = asked else { return anyhow!("the user pool asks no more") };
            let Some(package) = self.cloud.stack().admits.as_deref() else { return anyhow!("no function admits") };
            // In a box, because it invokes from within an invocation.
            let invoked: Pin<Box<dyn Future<Output = Result<Ended>> + '_>> = Box::pin(self.invoke(package, &event));
            let told = match invoked.await {
                Ok(Ended::Answered(told)) => serde_json::from_slice(&told).map_err(|error| error.to_string()),
                Ok(Ended::Failed(told)) => Err(told),
                Ok(ended @ (Ended::TimedOut | Ended::Killed)) => Err(format!("{package}: {ended:?}")),
                Err(error) => return error,
            };
            // Who asked may be gone by now.
            let _gone = answer.send(told);
        }
    }

    /// Ends all execution environments that are idle, as Lambda does at will: the next invocations start anew.
    pub fn recycle(&self) {
        self.warm.borrow_mut().clear();
    }

    /// A request through the API. `None`: nobody answered, as behind a gateway whose function died.
    ///
    /// # Errors
    /// Where the function cannot be started.
    pub async fn request(&self, package: &str, request: Request) -> Result<Option<Reply>> {
        self.touched.set(self.cloud.now());
        let id = format!("req-{}", self.invocations.get());
        Ok(match self.invoke(package, &request.event(&id)).await? {
            Ended::Answered(answer) => Reply::read(&answer),
            Ended::Failed(_) | Ended::TimedOut | Ended::Killed => None,
        })
    }

    /// A schedule fires.
    ///
    /// # Errors
    /// Where the function cannot be started.
    pub async fn tick(&self, package: &str) -> Result<Ended> {
        self.invoke(package, &json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})).await
    }

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Puts an object into a bucket, by its logical id, as somebody outside would, with metadata of its own.
    ///
    /// # Errors
    /// Where there is no such bucket.
    pub fn put_object(&self, bucket: &str, key: &str, body: impl AsRef<[u8]>, metadata: &[(&str, &str)]) -> Result<()> {
        let bucket = &self.cloud.stack().buckets.get(bucket).with_context(|| format!("no bucket {bucket}"))?.name;
        let headers =
            metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), (*value).to_owned())).collect();
        let put = self.cloud.put_object(bucket, key, body.as_ref().to_vec(), headers);
        self.touched.set(self.cloud.now());
        self.stirred.notify_one();
        put.map(drop).map_err(|error| anyhow!("{error}"))
    }

    /// Puts a message into a queue, by its logical id, as somebody outside would.
    ///
    /// # Errors
    /// Where there is no such queue, or it does not take the message.
    pub fn send(&self, queue: &str, body: &str) -> Result<()> {
        let name = self.cloud.stack().name(queue).with_context(|| format!("no queue {queue}"))?;
        let sent = self.cloud.sqs().send(name, Outgoing::new(body), self.cloud.now());
        self.touched.set(self.cloud.now());
        self.stirred.notify_one();
        sent.map(drop).map_err(|error| anyhow!("{queue}: {error}"))
    }

    /// Puts a file where a presigned link says, as a browser would; the status.
    ///
    /// # Errors
    /// Where nobody answers.
    pub async fn upload(&self, link: &str, body: impl AsRef<[u8]>) -> Result<u16> {
        let mut request = HttpRequest::new("PUT", link);
        request.body = body.as_ref().to_vec().into();
        let answered = self.cloud.request(Caller::operator("browser"), request).await;
        answered.map(|answer| answer.status).map_err(|error| anyhow!("{link}: {error}"))
    }

    /// Every item of a table, by its logical id, as DynamoDB writes them.
    ///
    /// # Errors
    /// Where there is no such table.
    pub fn items(&self, table: &str) -> Result<Vec<Map<String, Value>>> {
        let name = &self.cloud.stack().tables.get(table).with_context(|| format!("no table {table}"))?.name;
        let item =
            |item: &_| -> Result<Map<String, Value>> { Ok(serde_json::from_value(serde_json::to_value(item)?)?) };
        self.cloud.dynamodb().items(name).iter().map(|one| item(&**one)).collect()
    }

    /// Runs triggers until nothing is due any more: messages that come back are waited for.
    ///
    /// # Errors
    /// Where it does not come to an end.
    pub async fn settle(&self) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            for (package, spec) in self.cloud.stack().functions.clone() {
                for trigger in &spec.triggers {
                    busy |= self.fire(&package, trigger).await?;
                }
            }
            if busy {
                continue;
            }
            match self.next_due() {
                Some(at) => sleep_until(self.cloud.clock().instant(at)).await,
                None => return Ok(()),
            }
        }
        Err(anyhow!("it does not settle: {:?}", self.faults.calls().iter().rev().take(20).collect::<Vec<_>>()))
    }

    /// Runs triggers side by side, as AWS does, beside `people` who use the system, until those have gone and nothing is under
    /// way. Schedules fire, too.
    ///
    /// # Errors
    /// Where it does not come to an end.
    pub async fn run_beside(&self, people: Vec<LocalBoxFuture<'_, ()>>) -> Result<()> {
        let mut triggers = Triggers::new(self);
        for somebody in people {
            triggers.admit(somebody);
        }
        triggers.run_people().await?;
        let until = self.cloud.now() + RESTS_WITHIN_MS;
        while !triggers.is_idle() {
            if self.cloud.now() >= until {
                return Err(anyhow!("it does not come to rest"));
            }
            triggers.run_until(self.cloud.now() + LOOKS_EVERY_MS).await?;
        }
        self.admits_apart.set(false);
        Ok(())
    }

    fn next_due(&self) -> Option<u64> {
        let now = self.cloud.now();
        let mut due = Vec::new();
        for (package, spec) in &self.cloud.stack().functions {
            for trigger in &spec.triggers {
                match trigger {
                    Trigger::Queue { queue, .. } => due.extend(self.cloud.sqs().next_visible(queue, now)),
                    Trigger::Stream { table, .. } => {
                        due.extend(self.next_read(package, table).map(|at| at.max(now)));
                    }
                    Trigger::Schedule { .. } => {}
                }
            }
        }
        due.into_iter().min()
    }

    /// When the reader of a stream reads next; `None` where there is nothing to read.
    pub(crate) fn next_read(&self, package: &str, table: &str) -> Option<Millis> {
        let Position { after, from, .. } = self.position(package, table);
        let waiting = !self.cloud.dynamodb().stream_records(table, after, 1).is_empty();
        waiting.then_some(from)
    }

    fn position(&self, package: &str, table: &str) -> Position {
        self.readers.borrow().get(&format!("{package} {table}")).copied().unwrap_or_default()
    }

    async fn fire(&self, package: &str, trigger: &Trigger) -> Result<bool> {
        match trigger {
            Trigger::Queue { queue, batch, partial, .. } => self.deliver(package, queue, *batch, *partial).await,
            Trigger::Stream { .. } => self.read(package, trigger).await,
            Trigger::Schedule { .. } => Ok(false),
        }
    }

    /// Hands messages of a queue to its function, and deletes those that were done.
    pub(crate) async fn deliver(&self, package: &str, queue: &str, batch: usize, partial: bool) -> Result<bool> {
        let refused = |error| anyhow!("{queue}: {error}");
        let received = self.cloud.sqs().receive(queue, batch, None, self.cloud.now()).map_err(refused)?;
        if received.is_empty() {
            return Ok(false);
        }
        let place = &self.cloud.stack().place;
        let records: Vec<Value> =
            received.iter().map(|one| record(one, &place.arn("sqs", queue), &place.region)).collect();
        let ended = self.invoke(package, &json!({"Records": records})).await?;
        let failed = match ended {
            _ if self.setup.plant == Some(Plant::FailedMessagesAcknowledged) => BTreeSet::new(),
            Ended::Answered(answer) if partial => failures(&answer),
            Ended::Answered(_) => BTreeSet::new(),
            Ended::Failed(_) | Ended::TimedOut | Ended::Killed => return Ok(true),
        };
        for one in received.iter().filter(|one| !failed.contains(&one.message.id)) {
            // Its time in flight may be over: then it comes again.
            let _late = self.cloud.sqs().delete(queue, &one.receipt);
        }
        Ok(true)
    }

    /// Hands records of a stream to its function. What fails comes again, in halves where the trigger says so; what is too
    /// old goes to the queue for failures, as a note.
    pub(crate) async fn read(&self, package: &str, trigger: &Trigger) -> Result<bool> {
        let Trigger::Stream { table, batch, bisects, age, failures, .. } = trigger else { return Ok(false) };
        let Position { after, from, at_most } = self.position(package, table);
        if self.cloud.now() < from {
            return Ok(false);
        }
        let records = self.cloud.dynamodb().stream_records(table, after, at_most.unwrap_or(*batch));
        let Some((first, last)) = records.first().zip(records.last()) else { return Ok(false) };
        let done = Position { after: last.sequence, ..Position::default() };
        let read = self.hand_over(package, trigger, &records).await?;
        let now = self.cloud.now();
        let next = if read {
            let again = self.happens("repeat", self.setup.repeats_percent);
            if again { Position { after, from: now, at_most } } else { done }
        } else if age.is_some_and(|age| first.at + age < now) {
            let note = json!({"DDBStreamBatchInfo": {
                "startSequenceNumber": first.sequence_number(),
                "endSequenceNumber": last.sequence_number(),
                "batchSize": records.len(),
            }});
            if let Some(queue) = failures {
                let sent = self.cloud.sqs().send(queue, Outgoing::new(note.to_string()), now);
                sent.map_err(|error| anyhow!("{queue}: {error}"))?;
            }
            done
        } else {
            let half = (*bisects && records.len() > 1).then_some(records.len() / 2);
            Position { after, from: now + STREAM_PAUSE_MS, at_most: half.or(at_most) }
        };
        self.readers.borrow_mut().insert(format!("{package} {table}"), next);
        Ok(read)
    }

    async fn hand_over(&self, package: &str, trigger: &Trigger, records: &[StreamRecord]) -> Result<bool> {
        let Trigger::Stream { table, filters, .. } = trigger else { return Ok(false) };
        let place = &self.cloud.stack().place;
        let arn = place.arn("dynamodb", &format!("table/{table}/stream/2026-01-01T00:00:00.000"));
        let mut events: Vec<Value> = records.iter().map(|record| record.event(&place.region, &arn)).collect();
        events.retain(|event| filters.is_empty() || filters.iter().any(|pattern| pattern_matches(pattern, event)));
        let ended = match events.is_empty() {
            true => return Ok(true),
            false => self.invoke(package, &json!({"Records": events})).await?,
        };
        Ok(matches!(ended, Ended::Answered(_)))
    }

    /// Hands the records of which a queue for failures has notes to their function again, as `cargo xtask redrive` does; how
    /// many notes are left.
    ///
    /// # Errors
    /// Where the function cannot be started.
    pub(crate) async fn redrive_notes(&self, package: &str, trigger: &Trigger) -> Result<usize> {
        let Trigger::Stream { table, failures: Some(queue), .. } = trigger else { return Ok(0) };
        let mut left = 0;
        for one in self.cloud.sqs().receive(queue, 10, None, self.cloud.now()).map_err(|error| anyhow!("{error}"))? {
            let note: Value = serde_json::from_str(&one.message.body).unwrap_or_default();
            let number = |name: &str| {
                let digits = note.pointer(&format!("/DDBStreamBatchInfo/{name}")).and_then(Value::as_str);
                digits.and_then(|digits| digits.get(1..)?.parse::<u64>().ok())
            };
            let Some((start, end)) = number("startSequenceNumber").zip(number("endSequenceNumber")) else {
                left += 1;
                continue;
            };
            let mut records = self.cloud.dynamodb().stream_records(table, start - 1, usize::MAX);
            records.retain(|record| record.sequence <= end);
            if self.hand_over(package, trigger, &records).await? {
                let _late = self.cloud.sqs().delete(queue, &one.receipt);
            } else {
                left += 1;
            }
        }
        Ok(left)
    }
}

/// The template, read once: it takes longer than a run.
fn stack() -> Result<&'static Stack> {
    static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
    let read = STACK.get_or_init(|| Stack::read(TEMPLATE, &BTreeMap::new()).map_err(|error| format!("{error:?}")));
    read.as_ref().map_err(|error| anyhow!("template.yaml: {error}"))
}

/// A message as Lambda hands it to a function.
fn record(one: &Received, arn: &str, region: &str) -> Value {
    json!({
        "messageId": one.message.id,
        "receiptHandle": one.receipt,
        "body": one.message.body,
        "attributes": {
            "ApproximateReceiveCount": one.message.receive_count.to_string(),
            "SentTimestamp": one.message.sent.to_string(),
            "SenderId": "simulation",
            "ApproximateFirstReceiveTimestamp": one.message.first_received.unwrap_or_default().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    })
}

/// Ids of the messages that a function says have failed.
fn failures(answer: &[u8]) -> BTreeSet<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let failed = answer.get("batchItemFailures").and_then(Value::as_array).cloned().unwrap_or_default();
    failed.iter().filter_map(|one| one.get("itemIdentifier")?.as_str().map(str::to_owned)).collect()
}
