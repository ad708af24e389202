//! What was called, in order: a hash of all of it, and the last calls themselves.

use std::collections::VecDeque;
use std::fmt;
use std::hash::Hasher as _;

use twox_hash::XxHash3_64;

use super::fault::{CallInfo, Fault};
use crate::ServiceError;

/// Refused calls that are kept.
const REFUSED_MAX: usize = 100;

/// Was a call refused, other than by a condition or because something is absent?
fn is_refusal(outcome: &str) -> bool {
    let is_error = outcome.starts_with('4') || outcome.starts_with('5');
    let usual = ["ConditionalCheckFailedException", "TransactionCanceledException"];
    is_error && !outcome.starts_with("404") && !usual.iter().any(|code| outcome.ends_with(code))
}

/// A call and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEntry {
    /// The call.
    pub call: CallInfo,
    /// What went wrong.
    pub fault: Fault,
    /// HTTP status and error code of the answer, whether it arrived or not; none where nothing was carried out.
    pub outcome: String,
}

impl fmt::Display for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, fault, outcome } = self;
        let CallInfo { number, at, caller, service, operation, canonical, .. } = call;
        write!(f, "{number} {at} {caller} {service}.{operation} {canonical} -> {outcome} {}", fault.name())
    }
}

/// The trace of a run. The same run gives the same hash.
#[derive(Clone)]
pub struct Trace {
    hash: XxHash3_64,
    calls: u64,
    faults: u64,
    keep: usize,
    kept: VecDeque<TraceEntry>,
    denied: Vec<String>,
    undelivered: Vec<String>,
    refused: VecDeque<String>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({} calls, {} faults, {:016x})", self.calls, self.faults, self.hash())
    }
}

impl Trace {
    pub(super) fn new(keep: usize) -> Self {
        let (kept, refused, denied, undelivered) = (VecDeque::new(), VecDeque::new(), Vec::new(), Vec::new());
        Self { hash: XxHash3_64::default(), calls: 0, faults: 0, keep, kept, denied, undelivered, refused }
    }

    /// The next call's number.
    pub(super) fn next(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    pub(super) fn add(&mut self, call: CallInfo, fault: Fault, outcome: String) {
        if is_refusal(&outcome) {
            if self.refused.len() == REFUSED_MAX {
                self.refused.pop_front();
            }
            self.refused.push_back(format!("{}.{}: {outcome}", call.service, call.operation));
        }
        let entry = TraceEntry { call, fault, outcome };
        self.hash.write(entry.to_string().as_bytes());
        self.faults += u64::from(entry.fault != Fault::None);
        if self.kept.len() == self.keep {
            self.kept.pop_front();
        }
        if self.keep > 0 {
            self.kept.push_back(entry);
        }
    }

    pub(super) fn take_refused(&mut self) -> Vec<String> {
        std::mem::take(&mut self.refused).into()
    }

    pub(super) fn denied(&mut self, told: String) {
        self.denied.push(told);
    }

    pub(super) fn undelivered(&mut self, queue: &str, error: &ServiceError) {
        self.undelivered.push(format!("{queue}: {error}"));
    }

    /// Of all calls so far, with their time, their canonical content, and how they ended.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How many of them something went wrong with.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// The last calls, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &TraceEntry> {
        self.kept.iter()
    }

    /// What callers were not allowed to do: a mistake in the template or in the code.
    #[must_use]
    pub fn access_denied(&self) -> &[String] {
        &self.denied
    }

    /// Notifications and deliveries that a queue did not take.
    #[must_use]
    pub fn not_delivered(&self) -> &[String] {
        &self.undelivered
    }
}
