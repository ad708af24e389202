//! An order's way from placing to its end, as one state machine: what is done next, and what each event makes of it.
//!
//! Whoever works on an order reads its [`Progress`], asks [`Progress::next`] for the step, does it, and records what came of it
//! with [`Progress::on`], on condition that nobody else has recorded anything meanwhile. Every step may be done twice, by two
//! at once, or be broken off in between: it is asked for again until it is recorded.
//!
//! The provider has one payment intent for each order, made under a key that follows from the order, and confirmed once for
//! each attempt under a key that follows from the attempt. So a step that is repeated charges nothing twice.
//!
//! Invariants, checked by a model of the whole (`tests/order_model.rs`): stock is held before anything is charged; an order
//! that has ended holds no stock and no coupon, and no money that is not being given back; every order ends.

mod event;

use crate::Millis;

pub use event::{Effects, Event, Refusal};

/// The shop's side of an order (`estado`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Placed, and not paid.
    Pending,
    /// Paid, and to be packed.
    Processing,
    /// All parcels are on their way.
    Shipped,
    /// All parcels have arrived.
    Delivered,
    /// It came to nothing.
    Failed(Failure),
    /// The customer or an administrator took it back.
    Cancelled,
}

impl OrderState {
    /// Did it end without being carried out?
    #[must_use]
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Failed(_) | Self::Cancelled)
    }
}

/// Why an order came to nothing (`motivo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// There was not enough of a product.
    OutOfStock,
    /// It was not paid in time.
    Expired,
    /// No attempt to pay succeeded.
    Payment,
}

/// What the stores hold for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StockState {
    /// Nothing yet.
    Unreserved,
    /// All of it.
    Reserved,
    /// It has left the stores.
    Consumed,
    /// Nothing any more.
    Released,
}

/// The money's side of an order (`estadoPago`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// Nothing was charged, and nothing is known of an attempt.
    Pending,
    /// The customer has to prove that the card is theirs.
    ActionRequired,
    /// The provider needs time.
    InProgress,
    /// The money is ours.
    Captured,
    /// The last attempt was declined.
    Declined,
    /// It cannot be paid any more.
    Voided,
    /// A part was given back.
    PartlyRefunded,
    /// All was given back.
    Refunded,
}

/// The payment intent at the provider: one for each order, at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Nobody has asked for one.
    None,
    /// It was asked for. Where the answer was lost it is asked for again, under the same key.
    Asked,
    /// It is there, under this id.
    Made(String),
}

/// Until when the order's stock is held for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Nothing is held.
    Off,
    /// Until then.
    Runs {
        /// At that very moment it is over.
        until: Millis,
    },
    /// The provider needs time, or does not answer: so much is left when it does.
    Stands {
        /// How long the stock is held once the clock runs again.
        left: Millis,
        /// Since when it stands.
        since: Millis,
    },
}

/// Money that goes back because the order is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// None is due.
    None,
    /// It is due; the provider may have been asked.
    Due,
    /// The provider has it in hand.
    Pending,
    /// The provider could not. A person decides.
    Failed,
    /// It is done.
    Done,
}

/// How far an order has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The shop's side.
    pub state: OrderState,
    /// The stores' side.
    pub stock: StockState,
    /// The money's side.
    pub payment: PaymentState,
    /// The intent at the provider.
    pub intent: Intent,
    /// How many attempts to pay were begun.
    pub attempts: u8,
    /// Is the last attempt under way: confirmed perhaps, its outcome unknown?
    pub is_attempting: bool,
    /// Is there a payment method that no attempt was made with?
    pub has_method: bool,
    /// How long stock is held.
    pub clock: Clock,
    /// Did somebody ask to take it back before it was paid?
    pub is_cancelling: bool,
    /// Money that goes back.
    pub refund: RefundState,
}

/// What holds for all orders of a shop, or for this one from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Is there nothing to be paid?
    pub is_free: bool,
    /// How long stock is held for an order that is not paid.
    pub hold: Millis,
    /// How often one may try to pay.
    pub attempts_max: u8,
    /// How long a provider may take.
    pub patience: Millis,
}

/// What the provider says of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentStatus {
    /// It needs a payment method: it is new, or the last one was declined.
    NeedsMethod,
    /// It waits to be confirmed.
    NeedsConfirmation,
    /// The customer has to do something.
    NeedsAction,
    /// The provider needs time.
    Processing,
    /// It was paid.
    Succeeded,
    /// It was cancelled, and can never be paid.
    Cancelled,
}

/// What the provider was heard to say in this very turn. Older news decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// In answer to this attempt's confirmation.
    Confirmed(IntentStatus),
    /// In answer to a cancellation that it refused.
    CancelRefused(IntentStatus),
    /// In answer to anything else.
    Read(IntentStatus),
}

impl Heard {
    /// The status.
    #[must_use]
    pub fn status(self) -> IntentStatus {
        match self {
            Self::Confirmed(status) | Self::CancelRefused(status) | Self::Read(status) => status,
        }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hold all of its stock, or find out what is short.
    Reserve,
    /// Make the intent, under the order's key.
    MakeIntent,
    /// Confirm it with the order's payment method, under the key of this attempt.
    Confirm {
        /// The how-manieth.
        attempt: u8,
    },
    /// Ask the provider how the intent stands.
    ReadIntent,
    /// Cancel it. Where the provider refuses, it is read again.
    CancelIntent,
    /// Give all of the money back, under the order's key.
    Refund,
    /// Record this: nothing has to be done for it.
    Record(Event),
    /// Nothing can be done before somebody says something, or before that moment.
    Wait(Option<Millis>),
    /// Nothing is left to do.
    Nothing,
}

impl Progress {
    /// An order that was just placed. `has_method`: with a payment method.
    #[must_use]
    pub fn placed(has_method: bool) -> Self {
        Self {
            state: OrderState::Pending,
            stock: StockState::Unreserved,
            payment: PaymentState::Pending,
            intent: Intent::None,
            attempts: 0,
            is_attempting: false,
            has_method,
            clock: Clock::Off,
            is_cancelling: false,
            refund: RefundState::None,
        }
    }

    /// What is to be done next. `heard` is what the provider said in this turn, if anything. `is_hinted`: somebody says that
    /// there are news of the payment.
    #[must_use]
    pub fn next(&self, terms: &Terms, now: Millis, heard: Option<Heard>, is_hinted: bool) -> Step {
        match (self.state, self.stock) {
            (OrderState::Pending, StockState::Unreserved) if self.is_cancelling => {
                Step::Record(Event::Ended(self.ending(terms)))
            }
            (OrderState::Pending, StockState::Unreserved) => Step::Reserve,
            (OrderState::Pending, _) if terms.is_free => self.next_of_free(terms),
            (OrderState::Pending, _) => self.next_of_unpaid(terms, now, heard),
            (state, _) if state.is_dead() => self.next_of_dead(heard, is_hinted),
            _ => Step::Nothing,
        }
    }

    fn next_of_free(&self, terms: &Terms) -> Step {
        if self.is_cancelling { Step::Record(Event::Ended(self.ending(terms))) } else { Step::Record(Event::Paid) }
    }

    fn next_of_unpaid(&self, terms: &Terms, now: Millis, heard: Option<Heard>) -> Step {
        let is_over = self.is_over(terms, now);
        match (&self.intent, heard) {
            (Intent::None, _) if is_over => Step::Record(Event::Ended(self.ending(terms))),
            (Intent::None, _) => Step::Record(Event::IntentAsked),
            // Also of an order that is over: nobody knows whether there is an intent, and what is there must be cancelled.
            (Intent::Asked, _) => Step::MakeIntent,
            (Intent::Made(_), Some(heard)) => self.next_after(heard, terms, now, is_over),
            (Intent::Made(_), None) if is_over => Step::ReadIntent,
            (Intent::Made(_), None) if self.is_attempting => Step::Confirm { attempt: self.attempts },
            (Intent::Made(_), None) if self.may_attempt(terms) => Step::Record(Event::AttemptBegun),
            (Intent::Made(_), None) => Step::ReadIntent,
        }
    }

    fn next_after(&self, heard: Heard, terms: &Terms, now: Millis, is_over: bool) -> Step {
        match heard.status() {
            IntentStatus::Succeeded => Step::Record(Event::Paid),
            IntentStatus::Cancelled => Step::Record(Event::Ended(self.ending(terms))),
            IntentStatus::Processing if self.payment != PaymentState::InProgress => Step::Record(Event::TakesTime),
            IntentStatus::Processing => match self.clock {
                // It can do neither: a person has to ask, and until then its news are waited for.
                Clock::Stands { .. } if matches!(heard, Heard::CancelRefused(_)) => Step::Wait(None),
                Clock::Stands { since, .. } if since + terms.patience <= now => Step::CancelIntent,
                Clock::Stands { since, .. } => Step::Wait(Some(since + terms.patience)),
                Clock::Runs { .. } | Clock::Off => Step::Record(Event::TakesTime),
            },
            // Refused, and not for a reason that lasts: it is asked again with the next message.
            _ if is_over && matches!(heard, Heard::CancelRefused(_)) => Step::Wait(Some(now)),
            _ if is_over => Step::CancelIntent,
            IntentStatus::NeedsAction if self.payment != PaymentState::ActionRequired => {
                Step::Record(Event::ActionRequired)
            }
            IntentStatus::NeedsAction => self.wait(),
            // Only the answer to the confirmation says that this attempt was declined: an intent needs a method before it, too.
            IntentStatus::NeedsMethod if matches!(heard, Heard::Confirmed(_)) => Step::Record(Event::Declined),
            // It needed the customer, or time, and was declined then.
            IntentStatus::NeedsMethod if !self.is_attempting && self.awaits_outcome() => Step::Record(Event::Declined),
            IntentStatus::NeedsMethod | IntentStatus::NeedsConfirmation if self.is_attempting => {
                Step::Confirm { attempt: self.attempts }
            }
            IntentStatus::NeedsMethod | IntentStatus::NeedsConfirmation if self.may_attempt(terms) => {
                Step::Record(Event::AttemptBegun)
            }
            IntentStatus::NeedsMethod | IntentStatus::NeedsConfirmation => self.wait(),
        }
    }

    fn next_of_dead(&self, heard: Option<Heard>, is_hinted: bool) -> Step {
        match self.refund {
            RefundState::Due => return Step::Refund,
            RefundState::Pending | RefundState::Failed | RefundState::Done => return Step::Nothing,
            RefundState::None => {}
        }
        match (&self.intent, heard) {
            (Intent::Made(_), Some(heard)) if heard.status() == IntentStatus::Succeeded => Step::Record(Event::Paid),
            (Intent::Made(_), None) if is_hinted => Step::ReadIntent,
            _ => Step::Nothing,
        }
    }

    /// Must it end, as far as it was not paid? Its time is over, its attempts are used up, or somebody took it back.
    #[must_use]
    pub fn is_over(&self, terms: &Terms, now: Millis) -> bool {
        let has_expired = matches!(self.clock, Clock::Runs { until } if until <= now);
        has_expired || self.is_cancelling || self.has_used_up(terms)
    }

    /// When somebody has to look at it at the latest although nobody says anything: its time is over, or the provider had it in
    /// hand for long enough. `None`: never.
    #[must_use]
    pub fn wakes_at(&self, terms: &Terms) -> Option<Millis> {
        match self.clock {
            Clock::Runs { until } => Some(until),
            Clock::Stands { since, .. } => Some(since + terms.patience),
            Clock::Off => None,
        }
    }

    fn has_used_up(&self, terms: &Terms) -> bool {
        self.attempts >= terms.attempts_max && self.payment == PaymentState::Declined && !self.is_attempting
    }

    /// How it ends, as far as it was not paid.
    fn ending(&self, terms: &Terms) -> OrderState {
        if self.is_cancelling {
            OrderState::Cancelled
        } else if self.has_used_up(terms) {
            OrderState::Failed(Failure::Payment)
        } else {
            OrderState::Failed(Failure::Expired)
        }
    }

    fn may_attempt(&self, terms: &Terms) -> bool {
        self.has_method && !self.is_attempting && !self.awaits_outcome() && self.attempts < terms.attempts_max
    }

    /// Is an attempt at the customer or at the provider?
    fn awaits_outcome(&self) -> bool {
        matches!(self.payment, PaymentState::ActionRequired | PaymentState::InProgress)
    }

    fn wait(&self) -> Step {
        match self.clock {
            Clock::Runs { until } => Step::Wait(Some(until)),
            Clock::Stands { .. } | Clock::Off => Step::Wait(None),
        }
    }
}

#[cfg(test)]
mod tests;
