//! The health of the system and its dependencies, without a token: monitors have none.
//!
//! `GET /health` and `GET /liveness` call nothing: they show that gateway and functions run. `GET /health/detailed`
//! checks every dependency, all at once, each with a deadline of its own; `GET /readiness` is the same in one word.
//! Results are kept for five seconds, so that requests cannot be turned into cost. An answer has general names and no
//! cause, so that it says nothing about the deployment; causes go to the log.

use std::future::Future;
use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_clock::{Instant, now_ms};
use almacen_contract::error::{ApiError, Code, RequestError};
use almacen_contract::health::{DetailedBody, StatusBody};
use almacen_domain::Millis;
use almacen_domain::kernel::health::{Check, Overall, overall};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply};
use futures::future::join_all;
use tokio::sync::Mutex;

pub mod dependency;

use dependency::{Asker, Dependency, dependencies};

/// How long one dependency may take. The first calls of a new process open their connections within it.
const CHECK_WITHIN: Duration = Duration::from_secs(2);
/// What was found is told again for this long.
const KEPT_MS: Millis = 5_000;
/// For `Retry-After`: not before there is something new to tell.
const RETRY_AFTER_SECONDS: &str = "5";

/// What was found, and when.
#[derive(Debug, Clone)]
struct Found {
    checks: Vec<Check>,
    at: Millis,
}

impl Found {
    /// By the time of day: a frozen process does not count its sleep.
    fn is_fresh(&self, now: Millis) -> bool {
        (0..KEPT_MS).contains(&(now - self.at))
    }
}

/// The function and what it asks.
#[derive(Debug)]
pub struct HealthApi {
    dependencies: Vec<Dependency>,
    asker: Asker,
    found: Mutex<Option<Found>>,
    http: Http,
}

impl HttpFunction for HealthApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        match (request.method(), request.resource()) {
            ("GET", "/health") => Reply::json(200, &StatusBody { status: "healthy" }),
            ("GET", "/liveness") => Reply::json(200, &StatusBody { status: "alive" }),
            ("GET", "/readiness") => readiness(&self.found().await),
            ("GET", "/health/detailed") => detailed(&self.found().await),
            _ => Err(ApiError::new(Code::NotFound).into()),
        }
    }
}

impl HealthApi {
    /// From the environment. Nothing is called yet.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            dependencies: dependencies(env, aws),
            asker: Asker::new(aws),
            found: Mutex::new(None),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }

    async fn found(&self) -> Found {
        let mut kept = self.found.lock().await;
        if let Some(found) = kept.as_ref().filter(|found| found.is_fresh(now_ms())) {
            return found.clone();
        }
        let asked = self.dependencies.iter().map(|one| ask(one.name, one.essential, CHECK_WITHIN, self.asker.ask(one)));
        let found = Found { checks: join_all(asked).await, at: now_ms() };
        kept.insert(found).clone()
    }
}

/// Waits for one dependency's answer, but not for long.
async fn ask(
    name: &'static str,
    essential: bool,
    within: Duration,
    answer: impl Future<Output = Result<(), String>>,
) -> Check {
    let began = Instant::now();
    let outcome = tokio::time::timeout(within, Box::pin(answer)).await;
    let outcome = outcome.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Err(cause) = &outcome {
        tracing::warn!(check = name, essential, latency_ms, cause, "a dependency does not answer as it should");
    }
    Check { name, essential, answered: outcome.is_ok(), latency_ms }
}

fn readiness(found: &Found) -> Result<Reply, RequestError> {
    match overall(&found.checks) {
        Overall::Healthy | Overall::Degraded => Reply::json(200, &StatusBody { status: "ready" }),
        Overall::Unhealthy => unwell(Reply::json(503, &StatusBody { status: "not_ready" })),
    }
}

fn detailed(found: &Found) -> Result<Reply, RequestError> {
    let body = DetailedBody::of(&found.checks, found.at);
    match overall(&found.checks) {
        Overall::Healthy | Overall::Degraded => Reply::json(200, &body),
        Overall::Unhealthy => unwell(Reply::json(503, &body)),
    }
}

fn unwell(reply: Result<Reply, RequestError>) -> Result<Reply, RequestError> {
    reply.map(|reply| reply.with("retry-after", RETRY_AFTER_SECONDS.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_lambda_kit::start::Deadline;
    use std::future::{pending, ready};

    async fn answer(api: &HealthApi, event: &str) -> String {
        let request = serde_json::from_str(event).unwrap();
        let deadline = Deadline::after(Duration::from_secs(5));
        let answer = api.http.answer(request, deadline, |request| api.answer(request)).await;
        format!("{} {}", answer.status_code, answer.body)
    }

    fn found(checks: &[(bool, bool)]) -> Found {
        let check = |(essential, answered): &(bool, bool)| Check {
            name: "inventario",
            essential: *essential,
            answered: *answered,
            latency_ms: 3,
        };
        Found { checks: checks.iter().map(check).collect(), at: now_ms() }
    }

    /// An API that has just found this.
    fn after(checks: &[(bool, bool)]) -> HealthApi {
        HealthApi {
            dependencies: Vec::new(),
            asker: Asker::new(&Aws::from_env()),
            found: Mutex::new(Some(found(checks))),
            http: Http::new("*".to_owned()),
        }
    }

    const HEALTH: &str = include_str!("../../../events/health-api/health.json");
    const LIVENESS: &str = include_str!("../../../events/health-api/liveness.json");
    const READINESS: &str = include_str!("../../../events/health-api/readiness.json");
    const DETAILED: &str = include_str!("../../../events/health-api/detailed.json");

    #[tokio::test]
    async fn the_sample_events() {
        let bad = after(&[(true, false)]);
        assert_eq!(answer(&bad, HEALTH).await, r#"200 {"status":"healthy"}"#);
        assert_eq!(answer(&bad, LIVENESS).await, r#"200 {"status":"alive"}"#);
        assert_eq!(answer(&bad, READINESS).await, r#"503 {"status":"not_ready"}"#);
        assert_eq!(answer(&after(&[(false, false)]), READINESS).await, r#"200 {"status":"ready"}"#);
        assert_eq!(answer(&after(&[(true, true)]), READINESS).await, r#"200 {"status":"ready"}"#);
        for (checks, status) in [
            ([(true, true), (false, true)], r#"200 {"status":"healthy","checkedAt":""#),
            ([(true, true), (false, false)], r#"200 {"status":"degraded","checkedAt":""#),
            ([(true, false), (false, true)], r#"503 {"status":"unhealthy","checkedAt":""#),
        ] {
            let answer = answer(&after(&checks), DETAILED).await;
            assert!(answer.starts_with(status), "{answer}");
            assert!(answer.contains(r#"{"name":"inventario","status":""#), "{answer}");
        }
    }

    #[tokio::test]
    async fn what_was_found_is_told_for_a_while_and_then_looked_for_again() {
        let api = after(&[(true, false)]);
        assert!(answer(&api, READINESS).await.starts_with("503"));
        for at in [now_ms() - KEPT_MS, now_ms() + 60_000] {
            *api.found.lock().await = Some(Found { at, ..found(&[(true, false)]) });
            // Nothing is asked, so nothing is wrong.
            assert!(answer(&api, READINESS).await.starts_with("200"), "{at}");
        }
    }

    #[tokio::test]
    async fn each_has_its_own_deadline() {
        let within = Duration::from_millis(50);
        let good = ask("good", true, Duration::from_secs(5), ready(Ok(())));
        let bad = ask("bad", false, Duration::from_secs(5), ready(Err("arn:…".to_owned())));
        let (good, bad, late) = tokio::join!(good, bad, ask("late", true, within, pending()));
        assert!(good.answered && !bad.answered && !late.answered);
        assert!(late.latency_ms >= 50 && good.latency_ms < 50, "{late:?} {good:?}");
    }
}
