//! A model of everything that can happen between two orders, one unit of stock, workers that run side by side and die at any
//! moment, and a provider that charges, declines, asks for the customer, takes its time, loses its answers and tells of its news
//! early, late, twice or never. The decisions are the real ones: [`Progress::next`] and [`Progress::on`].
//!
//! Every state that can be reached is visited. `cargo test --workspace --test order_model -- --nocapture` prints how many.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a test")]

use almacen_domain::Millis;
use almacen_domain::ordering::order::{
    Event, Failure, Heard, Intent, IntentStatus, OrderState, Progress, Step, StockState, Terms,
};
use stateright::{Checker as _, Expectation, HasDiscoveries, Model, Property};

const ORDERS: usize = 2;
const WORKERS: usize = 2;
const UNITS: u8 = 1;
/// Messages about one order that wait at once.
const MESSAGES: u8 = 3;
const TERMS: Terms = Terms { is_free: false, hold: 1, attempts_max: 2, patience: 1 };
/// How the provider may answer a confirmation.
const ALL: &[IntentStatus] =
    &[IntentStatus::Succeeded, IntentStatus::NeedsMethod, IntentStatus::NeedsAction, IntentStatus::Processing];

/// What decides; a planted mistake takes its place.
type Decide = fn(&Progress, Millis, Option<Heard>) -> Step;

fn real(progress: &Progress, now: Millis, heard: Option<Heard>) -> Step {
    progress.next(&TERMS, now, heard, true)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Provider {
    /// Intents that were made for the order.
    intents: u8,
    status: IntentStatus,
    /// What it answered to each attempt, and answers again under the same key.
    answers: Vec<(u8, IntentStatus)>,
    captures: u8,
    refunds: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Order {
    progress: Progress,
    /// Messages that ask for a look at it.
    messages: u8,
    provider: Provider,
    /// May the customer still take it back?
    cancels: bool,
    /// May the customer still name another card?
    pays_again: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Work {
    order: usize,
    /// As it was read. Where it is the same, so is its version, or a look at it would lead to the same decisions.
    progress: Progress,
    heard: Option<Heard>,
    /// What is to be recorded.
    event: Option<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    now: Millis,
    stock: u8,
    orders: [Order; ORDERS],
    workers: [Option<Work>; WORKERS],
    crashes: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A worker takes a message about an order.
    Take(usize, usize),
    /// It goes one step; the provider answers so, if it has a choice.
    Go(usize, IntentStatus),
    /// It dies. Its message comes again.
    Die(usize),
    /// Time passes.
    Tick,
    /// The schedule finds an order that nobody has said anything of for too long.
    Find(usize),
    /// What the provider or the customer had in hand comes to an end; the webhook may be lost.
    Settle { order: usize, is_paid: bool, is_told: bool },
    /// The customer takes the order back.
    Cancel(usize),
    /// The customer names another card.
    PayAgain(usize),
}

struct Shop {
    decide: Decide,
    ends: Millis,
    crashes: u8,
    /// May the customer of the first order take it back?
    cancels: bool,
    /// May that customer name another card?
    pays_again: bool,
    /// How the provider may answer confirmations of each.
    outcomes: [&'static [IntentStatus]; ORDERS],
}

impl Shop {
    fn new(decide: Decide) -> Self {
        // The other order wants the same unit; of its own troubles it has fewer.
        let outcomes = [ALL, &[IntentStatus::Succeeded, IntentStatus::NeedsMethod][..]];
        Self { decide, ends: 2, crashes: 1, cancels: true, pays_again: true, outcomes }
    }
}

impl State {
    /// Records an event of an order, if nobody else has recorded one since it was read, and reads it anew.
    fn record(&mut self, work: &mut Work, event: &Event) {
        let order = &mut self.orders[work.order];
        if order.progress == work.progress
            && let Ok((next, effects)) = order.progress.on(event, &TERMS, self.now)
        {
            self.stock += u8::from(effects.releases_stock);
            order.progress = next;
        }
        *work = Work { order: work.order, progress: order.progress.clone(), heard: None, event: None };
    }

    /// Somebody who waits for the answer changes an order, and asks for a look at it.
    fn change(&mut self, at: usize, event: &Event) {
        let order = &mut self.orders[at];
        if let Ok((next, effects)) = order.progress.on(event, &TERMS, self.now) {
            self.stock += u8::from(effects.releases_stock);
            order.progress = next;
            order.messages += 1;
        }
    }
}

impl Provider {
    fn is_settled(&self) -> bool {
        matches!(self.status, IntentStatus::Succeeded | IntentStatus::Cancelled | IntentStatus::Processing)
    }

    fn confirm(&mut self, attempt: u8, outcome: IntentStatus) -> Heard {
        if let Some((_, status)) = self.answers.iter().find(|(known, _)| *known == attempt) {
            return Heard::Confirmed(*status);
        }
        if self.is_settled() {
            return Heard::Read(self.status);
        }
        self.status = outcome;
        self.captures += u8::from(outcome == IntentStatus::Succeeded);
        self.answers.push((attempt, outcome));
        Heard::Confirmed(outcome)
    }

    fn cancel(&mut self) -> Heard {
        if matches!(self.status, IntentStatus::Succeeded | IntentStatus::Processing) {
            return Heard::CancelRefused(self.status);
        }
        self.status = IntentStatus::Cancelled;
        Heard::Read(IntentStatus::Cancelled)
    }

    /// Has it a choice how to answer this?
    fn chooses(&self, step: &Step) -> bool {
        let Step::Confirm { attempt } = step else { return false };
        !self.is_settled() && !self.answers.iter().any(|(known, _)| known == attempt)
    }
}

impl Shop {
    fn step(&self, state: &State, work: &Work) -> Step {
        match &work.event {
            Some(event) => Step::Record(event.clone()),
            None => (self.decide)(&work.progress, state.now, work.heard),
        }
    }

    /// One step of a worker; `None` where it is done.
    fn go(&self, state: &mut State, mut work: Work, outcome: IntentStatus) -> Option<Work> {
        if let Some(event) = work.event.clone() {
            state.record(&mut work, &event);
            return Some(work);
        }
        let step = self.step(state, &work);
        let has_changed = state.orders[work.order].progress != work.progress;
        let provider = &mut state.orders[work.order].provider;
        match step {
            // One transaction of stock and order: where the order has changed, nothing is held.
            Step::Reserve if has_changed => state.record(&mut work, &Event::Reserved),
            Step::Reserve if state.stock == 0 => state.record(&mut work, &Event::OutOfStock),
            Step::Reserve => {
                state.stock -= 1;
                state.record(&mut work, &Event::Reserved);
            }
            Step::MakeIntent => {
                if provider.intents == 0 {
                    (provider.intents, provider.status) = (1, IntentStatus::NeedsConfirmation);
                }
                work.event = Some(Event::IntentMade("pi".to_owned()));
            }
            Step::Confirm { attempt } => work.heard = Some(provider.confirm(attempt, outcome)),
            Step::ReadIntent => work.heard = Some(Heard::Read(provider.status)),
            Step::CancelIntent => work.heard = Some(provider.cancel()),
            Step::Refund => {
                provider.refunds = provider.captures;
                work.event = Some(Event::RefundDone);
            }
            // Nothing but the record itself: to die before it is to die before this step.
            Step::Record(event) => state.record(&mut work, &event),
            Step::Wait(_) | Step::Nothing => {
                let messages = &mut state.orders[work.order].messages;
                *messages = messages.saturating_sub(1);
                return None;
            }
        }
        Some(work)
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let order = |at: usize| Order {
            progress: Progress::placed(true),
            messages: 1,
            provider: Provider {
                intents: 0,
                status: IntentStatus::NeedsConfirmation,
                answers: Vec::new(),
                captures: 0,
                refunds: 0,
            },
            cancels: self.cancels && at == 0,
            pays_again: self.pays_again && at == 0,
        };
        let orders = std::array::from_fn(order);
        vec![State { now: 0, stock: UNITS, orders, workers: [const { None }; WORKERS], crashes: self.crashes }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, worker) in state.workers.iter().enumerate() {
            let Some(work) = worker else {
                // Workers are alike: it makes no difference which of the idle ones takes a message.
                let is_first_idle = state.workers[..at].iter().all(Option::is_some);
                for (order, known) in state.orders.iter().enumerate() {
                    let busy = state.workers.iter().flatten().filter(|work| work.order == order).count();
                    if is_first_idle && usize::from(known.messages) > busy {
                        actions.push(Action::Take(at, order));
                    }
                }
                continue;
            };
            if state.orders[work.order].provider.chooses(&self.step(state, work)) {
                actions.extend(self.outcomes[work.order].iter().map(|outcome| Action::Go(at, *outcome)));
            } else {
                actions.push(Action::Go(at, IntentStatus::Succeeded));
            }
            if state.crashes > 0 {
                actions.push(Action::Die(at));
            }
        }
        let waits = |order: &Order| order.progress.wakes_at(&TERMS).is_some_and(|at| at > state.now);
        if state.now < self.ends || state.orders.iter().any(waits) {
            actions.push(Action::Tick);
        }
        for (at, order) in state.orders.iter().enumerate() {
            if order.messages == 0 && order.progress.wakes_at(&TERMS).is_some_and(|at| at <= state.now) {
                actions.push(Action::Find(at));
            }
            if matches!(order.provider.status, IntentStatus::NeedsAction | IntentStatus::Processing) {
                for is_paid in [true, false] {
                    actions.push(Action::Settle { order: at, is_paid, is_told: false });
                    if order.messages < MESSAGES {
                        actions.push(Action::Settle { order: at, is_paid, is_told: true });
                    }
                }
            }
            if order.cancels && order.messages < MESSAGES {
                actions.push(Action::Cancel(at));
            }
            if order.pays_again && order.messages < MESSAGES {
                actions.push(Action::PayAgain(at));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Take(worker, at) => {
                let progress = state.orders[at].progress.clone();
                state.workers[worker] = Some(Work { order: at, progress, heard: None, event: None });
            }
            Action::Go(worker, outcome) => {
                let work = state.workers[worker].take()?;
                state.workers[worker] = self.go(&mut state, work, outcome);
            }
            Action::Die(worker) => {
                state.workers[worker] = None;
                state.crashes -= 1;
            }
            Action::Tick => state.now += 1,
            Action::Find(at) => state.orders[at].messages = 1,
            Action::Settle { order, is_paid, is_told } => {
                let order = &mut state.orders[order];
                order.provider.status = if is_paid { IntentStatus::Succeeded } else { IntentStatus::NeedsMethod };
                order.provider.captures += u8::from(is_paid);
                if is_told {
                    order.messages += 1;
                }
            }
            Action::Cancel(at) => {
                state.orders[at].cancels = false;
                state.change(at, &Event::CancelAsked);
            }
            Action::PayAgain(at) => {
                state.orders[at].pays_again = false;
                state.change(at, &Event::MethodGiven);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is oversold", |_, state: &State| {
                let holds =
                    |order: &&Order| matches!(order.progress.stock, StockState::Reserved | StockState::Consumed);
                let held = state.orders.iter().filter(holds).count();
                usize::from(state.stock) + held == usize::from(UNITS)
            }),
            Property::always("one intent, one charge, and no more given back", |_, state: &State| {
                state.orders.iter().all(|order| {
                    let Provider { intents, captures, refunds, .. } = order.provider;
                    intents <= 1 && captures <= 1 && refunds <= captures
                })
            }),
            Property::always("stock is held before money is taken", |_, state: &State| {
                state.orders.iter().all(|order| {
                    let is_live = !order.progress.state.is_dead();
                    order.provider.captures == 0 || !is_live || order.progress.stock == StockState::Reserved
                })
            }),
            Property::always("what counts as paid was paid", |_, state: &State| {
                let counts = |order: &Order| order.progress.state == OrderState::Processing;
                state.orders.iter().all(|order| !counts(order) || order.provider.captures == 1)
            }),
            Property::always("what has ended cannot be paid any more", |_, state: &State| {
                state.orders.iter().all(|order| {
                    let is_closed = matches!(order.provider.status, IntentStatus::Cancelled | IntentStatus::Succeeded);
                    !order.progress.state.is_dead() || is_closed || order.progress.intent == Intent::None
                })
            }),
            Property::eventually("every order ends, and the money of dead ones is back", |_, state: &State| {
                state.orders.iter().all(|order| {
                    let money = order.provider.captures - order.provider.refunds;
                    match order.progress.state {
                        OrderState::Processing => money == 1,
                        OrderState::Failed(_) | OrderState::Cancelled => money == 0,
                        OrderState::Pending | OrderState::Shipped | OrderState::Delivered => false,
                    }
                })
            }),
            Property::sometimes("an order is paid with the second card", |_, state: &State| {
                let is_paid = |order: &Order| order.progress.state == OrderState::Processing;
                state.orders.iter().any(|order| is_paid(order) && order.progress.attempts == 2)
            }),
            Property::sometimes("a cancelled order was paid, and the money is back", |_, state: &State| {
                let is_dead = |order: &Order| order.progress.state == OrderState::Cancelled;
                state.orders.iter().any(|order| is_dead(order) && order.provider.refunds == 1)
            }),
            Property::sometimes("an order finds nothing left", |_, state: &State| {
                state.orders.iter().any(|order| order.progress.state == OrderState::Failed(Failure::OutOfStock))
            }),
        ]
    }
}

/// Visits everything, and prints how much that was.
fn holds(name: &str, shop: Shop) {
    let crashes = shop.crashes;
    let checker = shop.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {ORDERS} orders, {UNITS} unit, {WORKERS} workers, {} attempts, {MESSAGES} messages, {crashes} crashes: {} \
         states, depth {}",
        TERMS.attempts_max,
        checker.unique_state_count(),
        checker.max_depth()
    );
    for property in checker.model().properties() {
        let found = checker.discovery(property.name);
        match property.expectation {
            Expectation::Always | Expectation::Eventually => {
                let told = found.map(|path| {
                    let last = path.clone().into_states().pop();
                    let actions = path.into_actions().into_iter().map(|action| format!("\n{action:?}"));
                    format!("{}\n{last:?}", actions.collect::<String>())
                });
                assert_eq!(told, None, "{name}: not so: {}", property.name);
            }
            // Each is possible where the customer may do all of it.
            Expectation::Sometimes => assert!(found.is_some() || name != ALL_OF_IT, "{name}: never: {}", property.name),
        }
    }
}

const ALL_OF_IT: &str = "the customer cancels and pays again";

#[test]
fn whatever_happens_the_books_balance() {
    holds(ALL_OF_IT, Shop { crashes: 0, ..Shop::new(real) });
    holds("the customer cancels, and a worker dies", Shop { pays_again: false, ..Shop::new(real) });
    holds("the customer pays again, and a worker dies", Shop { cancels: false, ..Shop::new(real) });
}

/// Everything at once: some minutes.
#[test]
#[ignore = "takes minutes and gigabytes; run by hand after a change of the state machine"]
fn with_larger_bounds_too() {
    holds("everything", Shop::new(real));
}

/// Planted mistakes are found by the property that they break.
fn finds(decide: Decide, property: &'static str) {
    let wanted = HasDiscoveries::AnyOf([property].into());
    let checker = Shop::new(decide).checker().threads(2).finish_when(wanted).spawn_bfs().join();
    println!("{property}: {} states", checker.unique_state_count());
    assert!(checker.discovery(property).is_some(), "{property} was not found broken");
}

/// Stock is not waited for.
fn charges_first(progress: &Progress, now: Millis, heard: Option<Heard>) -> Step {
    let step = real(progress, now, heard);
    if step == Step::Reserve { Step::Confirm { attempt: 1 } } else { step }
}

/// Expiry does not look at the intent.
fn expires_blindly(progress: &Progress, now: Millis, heard: Option<Heard>) -> Step {
    let (step, is_over) = (real(progress, now, heard), progress.is_over(&TERMS, now));
    let ended = Step::Record(Event::Ended(OrderState::Failed(Failure::Expired)));
    if step == Step::ReadIntent && is_over { ended } else { step }
}

/// A webhook is believed: the order counts as paid without a look at the intent.
fn believes(progress: &Progress, now: Millis, heard: Option<Heard>) -> Step {
    let (step, is_over) = (real(progress, now, heard), progress.is_over(&TERMS, now));
    if step == Step::ReadIntent && !is_over { Step::Record(Event::Paid) } else { step }
}

#[test]
fn planted_mistakes_are_found() {
    finds(charges_first, "stock is held before money is taken");
    finds(expires_blindly, "what has ended cannot be paid any more");
    finds(believes, "what counts as paid was paid");
}
