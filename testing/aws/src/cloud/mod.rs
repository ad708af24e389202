//! All services of a stack together, and how clients reach them.

pub mod admission;
mod call;
mod connector;
pub mod fault;
pub mod trace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use bytes::Bytes;

use crate::clock::AwsClock;
use crate::cognito::{Cognito, PoolSettings};
use crate::dynamodb::{self, DynamoDb};
use crate::http::{Request, Response};
use crate::iam::Statement;
use crate::s3::{self, Event, S3};
use crate::sns::{self, Delivery, Sns};
use crate::sqs::{self, Outgoing, Sqs};
use crate::stack::Stack;
use crate::{Millis, ServiceError};
use admission::Asks;
use aws_smithy_runtime_api::client::result::ConnectorError;
use fault::{Hook, NoFaults};
use trace::Trace;

pub use fault::CallInfo;

pub(crate) use connector::respond;

/// The longest that a message can be delayed in a queue.
const DELAY_MAX: Millis = 15 * 60 * 1000;

/// How far the services are from ideal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// DynamoDB's lags and limits.
    pub dynamodb: dynamodb::Settings,
    /// How standard queues repeat and reorder.
    pub sqs: sqs::Settings,
    /// How notifications of objects come.
    pub s3: s3::Settings,
    /// How deliveries to queues come.
    pub sns: sns::Settings,
    /// The longest way of a request to a service, and of the answer back, each drawn by itself; zero for none at all.
    pub latency: Millis,
    /// How many calls the trace keeps, beside its hash.
    pub trace: usize,
    /// Calls are carried out and nothing more: the hook and the trace do not see what they are about, everybody may do
    /// everything, and a long poll does not wait. For measurements.
    pub bare: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dynamodb: dynamodb::Settings::default(),
            sqs: sqs::Settings::default(),
            s3: s3::Settings::default(),
            sns: sns::Settings::default(),
            latency: 3,
            trace: 5_000,
            bare: false,
        }
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    /// What its role allows; everything, where there is none.
    statements: Option<Arc<[Statement]>>,
}

impl Caller {
    /// Somebody who may do everything.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self { name: name.to_owned(), statements: None }
    }

    /// Does its role name partition keys?
    fn names_keys(&self) -> bool {
        let statements = self.statements.as_deref().unwrap_or_default();
        statements.iter().any(|statement| statement.leading_keys.is_some())
    }

    /// Its name: a function's package.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

struct Inner {
    stack: Stack,
    clock: AwsClock,
    dynamodb: DynamoDb,
    sqs: Sqs,
    s3: S3,
    sns: Sns,
    cognito: Cognito,
    admissions: Mutex<Option<Asks>>,
    trace: Mutex<Trace>,
    rng: Mutex<fastrand::Rng>,
    latency: Mutex<Millis>,
    bare: bool,
}

/// A stack's services. Cloning it is cheap, and both are the same.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cloud({})", self.0.stack.place.stack)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// Everything that the stack has, empty. `start` is the time of day now; all chance comes from the seed.
    #[must_use]
    pub fn new(stack: Stack, settings: Settings, seed: u64, start: Millis) -> Self {
        // Each service has a sequence of its own: one that draws more often does not change the others.
        let mut seeds = fastrand::Rng::with_seed(seed);
        let mut next = || seeds.u64(..);
        let tables = stack.tables.values().cloned();
        let dynamodb = DynamoDb::new(tables, settings.dynamodb, next());
        let sqs = Sqs::new(stack.queues.values().cloned(), settings.sqs, next());
        let s3 = S3::new(stack.buckets.values().cloned(), &stack.place.region, settings.s3, next());
        let sns = Sns::new(stack.topics.values().cloned(), settings.sns, next());
        let none = || PoolSettings { id: String::new(), client_id: String::new(), confirms: true };
        let cognito = Cognito::new(stack.pool.clone().unwrap_or_else(none));
        Self(Arc::new(Inner {
            clock: AwsClock::starting_at(start),
            dynamodb,
            sqs,
            s3,
            sns,
            cognito,
            admissions: Mutex::default(),
            trace: Mutex::new(Trace::new(settings.trace)),
            rng: Mutex::new(fastrand::Rng::with_seed(next())),
            latency: Mutex::new(settings.latency),
            bare: settings.bare,
            stack,
        }))
    }

    /// All services as they are now, of their own from now on, at a time of day: what happens to one does not happen to the
    /// other.
    #[must_use]
    pub fn copy(&self, at: Millis) -> Self {
        let Inner { stack, dynamodb, sqs, s3, sns, cognito, trace, rng, latency, bare, .. } = &*self.0;
        Self(Arc::new(Inner {
            clock: AwsClock::starting_at(at),
            dynamodb: dynamodb.clone(),
            sqs: sqs.clone(),
            s3: s3.clone(),
            sns: sns.clone(),
            cognito: cognito.clone(),
            admissions: Mutex::default(),
            trace: Mutex::new(lock(trace).clone()),
            rng: Mutex::new(lock(rng).clone()),
            latency: Mutex::new(*lock(latency)),
            bare: *bare,
            stack: stack.clone(),
        }))
    }

    /// Changes the settings from now on; not how much the trace keeps, nor whether calls are bare.
    pub fn set(&self, settings: Settings) {
        self.0.dynamodb.set(settings.dynamodb);
        self.0.sqs.set(settings.sqs);
        self.0.s3.set(settings.s3);
        self.0.sns.set(settings.sns);
        *lock(&self.0.latency) = settings.latency;
    }

    /// What it was made from.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> AwsClock {
        self.0.clock
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    /// Its tables.
    #[must_use]
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.0.dynamodb
    }

    /// Its queues.
    #[must_use]
    pub fn sqs(&self) -> &Sqs {
        &self.0.sqs
    }

    /// Its buckets. What is put there directly tells nobody; [`Cloud::put_object`] does.
    #[must_use]
    pub fn s3(&self) -> &S3 {
        &self.0.s3
    }

    /// Its topics.
    #[must_use]
    pub fn sns(&self) -> &Sns {
        &self.0.sns
    }

    /// Its user pool.
    #[must_use]
    pub fn cognito(&self) -> &Cognito {
        &self.0.cognito
    }

    /// A function as a caller, with what its role allows.
    #[must_use]
    pub fn function(&self, package: &str) -> Option<Caller> {
        let function = self.0.stack.functions.get(package)?;
        Some(Caller { name: package.to_owned(), statements: Some(function.statements.as_slice().into()) })
    }

    /// What a caller's clients send their requests on. The hook decides of each call what goes wrong.
    #[must_use]
    pub fn connector(&self, caller: Caller, hook: Arc<dyn Hook>) -> SharedHttpConnector {
        connector::shared(self.clone(), caller, hook)
    }

    /// Answers a request that somebody makes without an SDK, such as a browser with a presigned link.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn request(&self, caller: Caller, request: Request) -> Result<Response, ConnectorError> {
        respond(self.clone(), caller, Arc::new(NoFaults), request).await
    }

    /// Puts an object as somebody outside would, and lets the queues hear of it; its version.
    ///
    /// # Errors
    /// Where there is no such bucket.
    pub fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: impl Into<Bytes>,
        headers: BTreeMap<String, String>,
    ) -> Result<String, ServiceError> {
        let (version, events) = self.0.s3.put(bucket, key, body.into(), headers, self.now())?;
        self.notify(events);
        Ok(version)
    }

    fn notify(&self, events: Vec<Event>) {
        for event in events {
            let delay = Some(event.delay.min(DELAY_MAX));
            self.deliver(&event.queue, Outgoing { delay, ..Outgoing::new(event.body) });
        }
    }

    fn deliver_all(&self, deliveries: Vec<Delivery>) {
        for Delivery { queue, message } in deliveries {
            let delay = message.delay.map(|delay| delay.min(DELAY_MAX));
            self.deliver(&queue, Outgoing { delay, ..message });
        }
    }

    /// A message that a queue does not take is lost, as on AWS, and stands in the trace.
    fn deliver(&self, queue: &str, message: Outgoing) {
        let now = self.now();
        if let Err(error) = self.0.sqs.send(queue, message, now) {
            lock(&self.0.trace).undelivered(queue, &error);
        }
    }

    /// Calls that were refused since this was last asked, the last hundred: neither by a condition nor because something is
    /// absent.
    #[must_use]
    pub fn take_refused(&self) -> Vec<String> {
        lock(&self.0.trace).take_refused()
    }

    /// The trace of all calls so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        lock(&self.0.trace).clone()
    }
}

#[cfg(test)]
mod tests;
