//! Health on the wire.

use almacen_domain::Millis;
use almacen_domain::kernel::health::{Check, Overall, overall};
use serde::Serialize;

use crate::time::rfc3339;

/// The answer to `GET /health`, `GET /liveness` and `GET /readiness`.
#[derive(Debug, Serialize)]
pub struct StatusBody {
    /// `healthy`, `alive`, `ready` or `not_ready`.
    pub status: &'static str,
}

/// The answer to `GET /health/detailed`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailedBody {
    status: &'static str,
    checked_at: String,
    checks: Vec<CheckBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckBody {
    name: &'static str,
    status: &'static str,
    latency_ms: u64,
}

impl DetailedBody {
    /// Of these checks, made at `at`.
    #[must_use]
    pub fn of(checks: &[Check], at: Millis) -> Self {
        let check = |check: &Check| CheckBody {
            name: check.name,
            status: if check.answered { "healthy" } else { "unhealthy" },
            latency_ms: check.latency_ms,
        };
        Self { status: word(overall(checks)), checked_at: rfc3339(at), checks: checks.iter().map(check).collect() }
    }
}

fn word(overall: Overall) -> &'static str {
    match overall {
        Overall::Healthy => "healthy",
        Overall::Degraded => "degraded",
        Overall::Unhealthy => "unhealthy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_as_the_contract_spells_it() {
        let checks = [
            Check { name: "inventario", essential: true, answered: true, latency_ms: 4 },
            Check { name: "archivos", essential: false, answered: false, latency_ms: 2_000 },
        ];
        assert_eq!(
            serde_json::to_string(&DetailedBody::of(&checks, 1_705_834_800_000)).unwrap(),
            r#"{"status":"degraded","checkedAt":"2024-01-21T11:00:00Z","checks":[{"name":"inventario","status":"healthy","latencyMs":4},{"name":"archivos","status":"unhealthy","latencyMs":2000}]}"#
        );
        assert_eq!(serde_json::to_string(&StatusBody { status: "healthy" }).unwrap(), r#"{"status":"healthy"}"#);
    }
}
