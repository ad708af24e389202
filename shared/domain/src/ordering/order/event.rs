//! What can happen to an order, and what each event makes of it.

use thiserror::Error;

use super::{Clock, Failure, Intent, OrderState, PaymentState, Progress, RefundState, StockState, Terms};
use crate::Millis;

/// What has happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// All of its stock is held.
    Reserved,
    /// There was not enough of it.
    OutOfStock,
    /// An intent will be asked for.
    IntentAsked,
    /// The intent is there.
    IntentMade(String),
    /// An attempt begins, with the payment method that waits.
    AttemptBegun,
    /// The customer has to do something.
    ActionRequired,
    /// The provider needs time.
    TakesTime,
    /// The attempt was declined.
    Declined,
    /// It was paid, or there is nothing to pay.
    Paid,
    /// It ends unpaid: its intent, if there was one, can never be paid any more.
    Ended(OrderState),
    /// The customer names another payment method.
    MethodGiven,
    /// The customer or an administrator takes it back.
    CancelAsked,
    /// The provider does not answer: the clock stands.
    ProviderDown,
    /// It answers again.
    ProviderBack,
    /// The provider has the refund in hand.
    RefundPending,
    /// It is done.
    RefundDone,
    /// It failed.
    RefundFailed,
    /// The last parcel has gone.
    AllShipped,
    /// The last parcel has arrived.
    AllDelivered,
}

/// What is to be written together with the new progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Give back what the stores hold.
    pub releases_stock: bool,
    /// Give back the use of the coupon.
    pub returns_coupon: bool,
}

/// Why an event cannot happen to an order as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It has happened: the answer is the same, and nothing changes.
    #[error("it has happened already")]
    Already,
    /// The order is not in a state where it can happen.
    #[error("an order in this state does not allow it")]
    Illegal,
    /// A parcel is on its way: what comes back is refunded by line.
    #[error("a parcel has been sent")]
    Sent,
    /// No further attempt is allowed.
    #[error("all attempts are used up")]
    NoAttemptLeft,
    /// An attempt is under way.
    #[error("an attempt is under way")]
    Attempting,
}

const NONE: Effects = Effects { releases_stock: false, returns_coupon: false };

impl Progress {
    /// What an event makes of it, and what is written with that.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changes then.
    pub fn on(&self, event: &Event, terms: &Terms, now: Millis) -> Result<(Self, Effects), Refusal> {
        let mut next = self.clone();
        let effects = next.happen(event, terms, now)?;
        Ok((next, effects))
    }

    fn happen(&mut self, event: &Event, terms: &Terms, now: Millis) -> Result<Effects, Refusal> {
        let is_pending = self.state == OrderState::Pending;
        let is_held = is_pending && self.stock == StockState::Reserved;
        match event {
            Event::Reserved if is_pending && self.stock == StockState::Unreserved => {
                self.stock = StockState::Reserved;
                self.clock = Clock::Runs { until: now + terms.hold };
                Ok(NONE)
            }
            Event::OutOfStock if is_pending && self.stock == StockState::Unreserved => {
                Ok(self.end(OrderState::Failed(Failure::OutOfStock)))
            }
            Event::IntentAsked if is_held && self.intent == Intent::None => {
                self.intent = Intent::Asked;
                Ok(NONE)
            }
            Event::IntentMade(id) if is_held && self.intent == Intent::Asked => {
                self.intent = Intent::Made(id.clone());
                Ok(NONE)
            }
            Event::AttemptBegun if is_held && matches!(self.intent, Intent::Made(_)) && self.may_attempt(terms) => {
                self.attempts += 1;
                self.is_attempting = true;
                self.has_method = false;
                Ok(NONE)
            }
            Event::ActionRequired if is_held && self.awaits_or_attempts() => {
                self.settle_attempt(PaymentState::ActionRequired, now);
                Ok(NONE)
            }
            Event::TakesTime if is_held && self.awaits_or_attempts() => {
                self.is_attempting = false;
                self.payment = PaymentState::InProgress;
                self.stop_clock(now);
                Ok(NONE)
            }
            Event::Declined if is_held && self.awaits_or_attempts() => {
                self.settle_attempt(PaymentState::Declined, now);
                Ok(NONE)
            }
            Event::Paid => self.paid(is_held, terms),
            Event::Ended(how) if is_pending && how.is_dead() && self.intent != Intent::Asked => Ok(self.end(*how)),
            Event::MethodGiven if is_held => self.method_given(terms, now),
            Event::CancelAsked => self.cancel_asked(),
            Event::ProviderDown if is_held => {
                self.stop_clock(now);
                Ok(NONE)
            }
            // What the provider has in hand keeps the clock standing.
            Event::ProviderBack if is_held && self.payment != PaymentState::InProgress => {
                self.start_clock(now);
                Ok(NONE)
            }
            Event::RefundPending | Event::RefundDone | Event::RefundFailed => self.refunded(event),
            Event::AllShipped if self.state == OrderState::Processing && self.stock == StockState::Reserved => {
                (self.state, self.stock) = (OrderState::Shipped, StockState::Consumed);
                Ok(NONE)
            }
            Event::AllDelivered if self.state == OrderState::Shipped => {
                self.state = OrderState::Delivered;
                Ok(NONE)
            }
            Event::Reserved
            | Event::OutOfStock
            | Event::IntentAsked
            | Event::IntentMade(_)
            | Event::AttemptBegun
            | Event::ActionRequired
            | Event::TakesTime
            | Event::Declined
            | Event::Ended(_)
            | Event::MethodGiven
            | Event::ProviderDown
            | Event::ProviderBack
            | Event::AllShipped
            | Event::AllDelivered => Err(if self.has_had(event) { Refusal::Already } else { Refusal::Illegal }),
        }
    }

    /// Does the order already stand where the event would bring it?
    fn has_had(&self, event: &Event) -> bool {
        match event {
            Event::Reserved => self.stock == StockState::Reserved,
            Event::IntentAsked => self.intent != Intent::None,
            Event::IntentMade(id) => self.intent == Intent::Made(id.clone()),
            Event::Ended(how) => self.state == *how,
            Event::OutOfStock => self.state == OrderState::Failed(Failure::OutOfStock),
            Event::AllShipped => matches!(self.state, OrderState::Shipped | OrderState::Delivered),
            Event::AllDelivered => self.state == OrderState::Delivered,
            Event::ProviderBack => matches!(self.clock, Clock::Runs { .. }),
            Event::AttemptBegun
            | Event::ActionRequired
            | Event::TakesTime
            | Event::Declined
            | Event::Paid
            | Event::MethodGiven
            | Event::CancelAsked
            | Event::ProviderDown
            | Event::RefundPending
            | Event::RefundDone
            | Event::RefundFailed => false,
        }
    }

    fn paid(&mut self, is_held: bool, terms: &Terms) -> Result<Effects, Refusal> {
        let was_charged = matches!(self.intent, Intent::Made(_));
        if is_held && (terms.is_free || was_charged) {
            self.is_attempting = false;
            if was_charged {
                self.payment = PaymentState::Captured;
            }
            // Taken back while it was being paid: it ends, and the money goes back.
            if self.is_cancelling {
                return Ok(self.end(OrderState::Cancelled));
            }
            self.state = OrderState::Processing;
            self.clock = Clock::Off;
            return Ok(NONE);
        }
        if self.state.is_dead() && was_charged && self.refund == RefundState::None {
            (self.payment, self.refund) = (PaymentState::Captured, RefundState::Due);
            return Ok(NONE);
        }
        Err(if self.payment == PaymentState::Captured { Refusal::Already } else { Refusal::Illegal })
    }

    fn method_given(&mut self, terms: &Terms, now: Millis) -> Result<Effects, Refusal> {
        if self.is_attempting || self.has_method || self.payment == PaymentState::InProgress {
            return Err(Refusal::Attempting);
        }
        if self.is_over(terms, now) {
            return Err(if self.has_used_up(terms) { Refusal::NoAttemptLeft } else { Refusal::Illegal });
        }
        if self.attempts >= terms.attempts_max {
            return Err(Refusal::NoAttemptLeft);
        }
        self.has_method = true;
        // What the customer did not finish is given up: the next attempt confirms the intent anew.
        if self.payment == PaymentState::ActionRequired {
            self.payment = PaymentState::Declined;
        }
        Ok(NONE)
    }

    fn cancel_asked(&mut self) -> Result<Effects, Refusal> {
        match self.state {
            OrderState::Pending if self.is_cancelling => Err(Refusal::Already),
            OrderState::Pending => {
                self.is_cancelling = true;
                Ok(NONE)
            }
            OrderState::Processing => Ok(self.end(OrderState::Cancelled)),
            OrderState::Cancelled => Err(Refusal::Already),
            OrderState::Shipped | OrderState::Delivered => Err(Refusal::Sent),
            OrderState::Failed(_) => Err(Refusal::Illegal),
        }
    }

    fn refunded(&mut self, event: &Event) -> Result<Effects, Refusal> {
        if !self.state.is_dead() {
            return Err(Refusal::Illegal);
        }
        let next = match (event, self.refund) {
            (Event::RefundPending, RefundState::Due) => RefundState::Pending,
            (Event::RefundDone, RefundState::Due | RefundState::Pending | RefundState::Failed) => RefundState::Done,
            // A refund that was done may come back later.
            (Event::RefundFailed, RefundState::Due | RefundState::Pending | RefundState::Done) => RefundState::Failed,
            (Event::RefundDone, RefundState::Done)
            | (Event::RefundFailed, RefundState::Failed)
            | (Event::RefundPending, RefundState::Pending) => return Err(Refusal::Already),
            _ => return Err(Refusal::Illegal),
        };
        self.refund = next;
        self.payment = if next == RefundState::Done { PaymentState::Refunded } else { PaymentState::Captured };
        Ok(NONE)
    }

    fn end(&mut self, how: OrderState) -> Effects {
        let releases_stock = self.stock == StockState::Reserved;
        self.state = how;
        self.clock = Clock::Off;
        self.is_attempting = false;
        self.has_method = false;
        if releases_stock {
            self.stock = StockState::Released;
        }
        if self.payment == PaymentState::Captured {
            self.refund = RefundState::Due;
        } else {
            self.payment = PaymentState::Voided;
        }
        Effects { releases_stock, returns_coupon: true }
    }

    fn awaits_or_attempts(&self) -> bool {
        self.is_attempting || self.awaits_outcome()
    }

    fn settle_attempt(&mut self, payment: PaymentState, now: Millis) {
        self.is_attempting = false;
        self.payment = payment;
        self.start_clock(now);
    }

    fn stop_clock(&mut self, now: Millis) {
        if let Clock::Runs { until } = self.clock {
            self.clock = Clock::Stands { left: (until - now).max(0), since: now };
        }
    }

    fn start_clock(&mut self, now: Millis) {
        if let Clock::Stands { left, .. } = self.clock {
            self.clock = Clock::Runs { until: now + left };
        }
    }
}
