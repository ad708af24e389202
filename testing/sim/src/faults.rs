//! What goes wrong, at which call.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use almacen_testing_aws::cloud::fault::{CallInfo, Failure, Fault, Hook};
use almacen_testing_aws::http::Request;
use tokio::sync::Notify;

use crate::chaos::Chaos;
use crate::plant::Plant;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The service refuses it, and every repetition by the SDK, before it has any effect.
    FailsBefore,
    /// It has its effect, and the connection breaks before the answer.
    AnswerLost,
    /// It has its effect, and the process that made it dies. Dying before a call is dying after the one before it.
    Dies,
}

/// So long a call is refused: longer than the SDK repeats it, shorter than a queue hides its message.
const REFUSED_MS: u64 = 25_000;

/// All of them.
pub const KINDS: [Kind; 3] = [Kind::FailsBefore, Kind::AnswerLost, Kind::Dies];

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The package of the function that made it.
    pub function: String,
    /// What made the function run, as [`crate::trigger`] names it.
    pub trigger: String,
    /// The service.
    pub service: &'static str,
    /// Such as `PutItem`.
    pub operation: String,
    /// Does it change anything, where it is carried out?
    pub writes: bool,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.function, self.service, self.operation)
    }
}

#[derive(Debug, Default)]
struct State {
    planned: Option<(usize, Kind)>,
    calls: Vec<Call>,
    /// The call that is refused, and until when: however often the SDK repeats it, and not when its message comes again.
    refused: Option<(String, u64)>,
    happened: usize,
    /// A long run draws its faults from a seed instead.
    chaos: Option<Chaos>,
}

/// Counts the calls of all functions, and lets one of them fail. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on calls are counted anew, and the one at `position` fails.
    pub fn plan(&self, position: usize, kind: Kind) {
        *self.lock() = State { planned: Some((position, kind)), ..State::default() };
    }

    /// From now on calls are counted anew, and none fails.
    pub fn count(&self) {
        *self.lock() = State::default();
    }

    /// The calls since counting began.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Did the planned fault happen?
    #[must_use]
    pub fn happened(&self) -> bool {
        self.lock().happened > 0
    }

    /// From now on faults are drawn, and calls not counted.
    pub fn draw(&self, chaos: Chaos) {
        *self.lock() = State { chaos: Some(chaos), ..State::default() };
    }

    /// Looks at the faults that are drawn, or changes them.
    pub fn chaos<T>(&self, look: impl FnOnce(&mut Chaos) -> T) -> Option<T> {
        self.lock().chaos.as_mut().map(look)
    }

    /// What happens to a call, and whether its process dies of it.
    fn next(&self, call: &CallInfo, trigger: &str) -> (Fault, bool) {
        let unavailable = Fault::FailBefore(Failure::Internal);
        let mut state = self.lock();
        if let Some(chaos) = &mut state.chaos {
            let fault = chaos.next(call);
            return (fault, matches!(fault, Fault::DieBefore | Fault::DieAfter));
        }
        let position = state.calls.len();
        state.calls.push(Call {
            function: call.caller.clone(),
            trigger: trigger.to_owned(),
            service: call.service,
            operation: call.operation.clone(),
            writes: call.writes,
        });
        if state.refused.as_ref().is_some_and(|(refused, until)| *refused == call.canonical && call.at < *until) {
            return (unavailable, false);
        }
        match state.planned {
            Some((at, kind)) if at == position => {
                state.happened += 1;
                match kind {
                    Kind::FailsBefore => {
                        state.refused = Some((call.canonical.clone(), call.at + REFUSED_MS));
                        (unavailable, false)
                    }
                    Kind::AnswerLost => (Fault::LoseAnswer, false),
                    Kind::Dies => (Fault::DieAfter, true),
                }
            }
            _ => (Fault::None, false),
        }
    }
}

/// What the calls of one execution environment meet.
#[derive(Debug)]
pub(crate) struct InstanceHook {
    pub(crate) faults: Faults,
    pub(crate) killed: Arc<Notify>,
    pub(crate) plant: Option<Plant>,
    /// What made the function run this time.
    pub(crate) trigger: Arc<Mutex<String>>,
}

impl Hook for InstanceHook {
    fn on_call(&self, call: &CallInfo) -> Fault {
        let trigger = self.trigger.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (fault, dies) = self.faults.next(call, &trigger);
        if dies {
            self.killed.notify_one();
        }
        fault
    }

    fn rewrite(&self, request: &mut Request) -> Option<Request> {
        self.plant.and_then(|plant| plant.rewrite(request))
    }
}
