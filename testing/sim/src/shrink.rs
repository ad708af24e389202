//! What of a run that went wrong matters: as few faults and steps as still go wrong.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::run::{Plan, Report, run};

/// A failing plan and what it came to, with as little as `tries` runs could find.
///
/// # Errors
/// Where a plan cannot be run.
pub fn shortest(plan: &Plan, report: Report, tries: usize) -> Result<(Plan, Report)> {
    let mut best = Plan { faults: Some(report.happened.clone()), steps: Some(report.done.clone()), ..plan.clone() };
    let mut found = report;
    let mut left = tries;
    // Steps first: most of a run is not needed, and a shorter run is faster.
    for _ in 0..2 {
        let (plan, outcome) = reduce(&best, &found, &mut left, Plan::steps_of, Plan::with_steps)?;
        (best, found) = (plan, outcome);
        let (plan, outcome) = reduce(&best, &found, &mut left, Plan::faults_of, Plan::with_faults)?;
        (best, found) = (plan, outcome);
    }
    Ok((best, found))
}

impl Plan {
    fn steps_of(&self) -> BTreeSet<crate::shop::Step> {
        self.steps.clone().unwrap_or_default()
    }

    fn with_steps(&self, steps: BTreeSet<crate::shop::Step>) -> Self {
        Self { steps: Some(steps), ..self.clone() }
    }

    fn faults_of(&self) -> BTreeSet<crate::chaos::FaultId> {
        self.faults.clone().unwrap_or_default()
    }

    fn with_faults(&self, faults: BTreeSet<crate::chaos::FaultId>) -> Self {
        Self { faults: Some(faults), ..self.clone() }
    }
}

/// Leaves parts out, ever smaller ones, as long as it still goes wrong (delta debugging).
fn reduce<T: Ord + Clone>(
    plan: &Plan,
    report: &Report,
    left: &mut usize,
    all: impl Fn(&Plan) -> BTreeSet<T>,
    with: impl Fn(&Plan, BTreeSet<T>) -> Plan,
) -> Result<(Plan, Report)> {
    let (mut best, mut found) = (plan.clone(), report.clone());
    let mut parts = 2;
    loop {
        let kept: Vec<T> = all(&best).into_iter().collect();
        if kept.is_empty() {
            return Ok((best, found));
        }
        let size = kept.len().div_ceil(parts);
        let mut smaller = None;
        for at in (0..kept.len()).step_by(size) {
            if *left == 0 {
                return Ok((best, found));
            }
            *left -= 1;
            let rest = kept.iter().enumerate().filter(|(i, _)| !(at..at + size).contains(i));
            let candidate = with(&best, rest.map(|(_, one)| one.clone()).collect());
            let outcome = run(&candidate)?;
            if !outcome.wrong.is_empty() {
                smaller = Some((candidate, outcome));
                break;
            }
        }
        match smaller {
            Some((plan, outcome)) => {
                (best, found) = (plan, outcome);
                parts = (parts - 1).max(2);
            }
            None if size == 1 => return Ok((best, found)),
            None => parts = (parts * 2).min(kept.len()),
        }
    }
}
