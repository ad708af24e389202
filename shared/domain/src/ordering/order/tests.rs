use super::*;

const TERMS: Terms = Terms { is_free: false, hold: 900, attempts_max: 5, patience: 10_000 };
const NOW: Millis = 1_000;

/// An order after these events, one by one, all of which must be possible.
fn after(events: &[Event]) -> Progress {
    events.iter().fold(Progress::placed(true), |order, event| {
        order.on(event, &TERMS, NOW).unwrap_or_else(|refusal| panic!("{event:?}: {refusal}: {order:?}")).0
    })
}

fn made() -> Event {
    Event::IntentMade("pi_1".to_owned())
}

fn confirmed() -> Vec<Event> {
    vec![Event::Reserved, Event::IntentAsked, made(), Event::AttemptBegun]
}

fn with(mut events: Vec<Event>, more: &[Event]) -> Progress {
    events.extend_from_slice(more);
    after(&events)
}

fn next(order: &Progress, heard: Option<Heard>) -> Step {
    order.next(&TERMS, NOW, heard, false)
}

#[test]
fn an_order_that_is_paid_at_once() {
    let mut order = Progress::placed(true);
    let record = |order: &mut Progress, event: &Event| {
        let (next, effects) = order.on(event, &TERMS, NOW).unwrap();
        assert_eq!(effects, Effects::default());
        *order = next;
    };
    assert_eq!(next(&order, None), Step::Reserve);
    record(&mut order, &Event::Reserved);
    assert_eq!(order.clock, Clock::Runs { until: 1_900 });
    assert_eq!(next(&order, None), Step::Record(Event::IntentAsked));
    record(&mut order, &Event::IntentAsked);
    assert_eq!(next(&order, None), Step::MakeIntent);
    record(&mut order, &made());
    assert_eq!(next(&order, None), Step::Record(Event::AttemptBegun));
    record(&mut order, &Event::AttemptBegun);
    assert_eq!(next(&order, None), Step::Confirm { attempt: 1 });
    assert_eq!(next(&order, Some(Heard::Confirmed(IntentStatus::Succeeded))), Step::Record(Event::Paid));
    record(&mut order, &Event::Paid);
    assert_eq!((order.state, order.payment, order.clock), (OrderState::Processing, PaymentState::Captured, Clock::Off));
    assert_eq!(next(&order, None), Step::Nothing);
    record(&mut order, &Event::AllShipped);
    assert_eq!((order.state, order.stock), (OrderState::Shipped, StockState::Consumed));
    record(&mut order, &Event::AllDelivered);
    assert_eq!(order.state, OrderState::Delivered);
}

#[test]
fn what_is_done_after_what_the_provider_says() {
    use IntentStatus::{Cancelled, NeedsAction, NeedsConfirmation, NeedsMethod, Processing, Succeeded};
    let attempting = after(&confirmed());
    let asked = with(confirmed(), &[Event::ActionRequired]);
    let declined = with(confirmed(), &[Event::Declined]);
    let slow = with(confirmed(), &[Event::TakesTime]);
    let again = with(confirmed(), &[Event::Declined, Event::MethodGiven]);
    let ended = Event::Ended(OrderState::Failed(Failure::Expired));
    let cases: &[(&str, &Progress, Heard, Step)] = &[
        ("paid", &attempting, Heard::Read(Succeeded), Step::Record(Event::Paid)),
        ("declined", &attempting, Heard::Confirmed(NeedsMethod), Step::Record(Event::Declined)),
        ("nobody has confirmed it yet", &attempting, Heard::Read(NeedsMethod), Step::Confirm { attempt: 1 }),
        ("nor now", &attempting, Heard::Read(NeedsConfirmation), Step::Confirm { attempt: 1 }),
        ("the customer is needed", &attempting, Heard::Confirmed(NeedsAction), Step::Record(Event::ActionRequired)),
        ("still needed", &asked, Heard::Read(NeedsAction), Step::Wait(Some(1_900))),
        ("the customer failed", &asked, Heard::Read(NeedsMethod), Step::Record(Event::Declined)),
        ("it takes time", &attempting, Heard::Confirmed(Processing), Step::Record(Event::TakesTime)),
        ("it takes more", &slow, Heard::Read(Processing), Step::Wait(Some(11_000))),
        ("it came to nothing", &slow, Heard::Read(NeedsMethod), Step::Record(Event::Declined)),
        ("cancelled by somebody", &attempting, Heard::Read(Cancelled), Step::Record(ended)),
        ("another card is waited for", &declined, Heard::Read(NeedsMethod), Step::Wait(Some(1_900))),
        ("another card", &again, Heard::Read(NeedsMethod), Step::Record(Event::AttemptBegun)),
    ];
    for (name, order, heard, expected) in cases {
        assert_eq!(&next(order, Some(*heard)), expected, "{name}");
    }
}

#[test]
fn an_order_whose_time_is_over_reads_the_intent_before_it_ends() {
    let order = after(&confirmed());
    let late = |heard| order.next(&TERMS, 1_900, heard, false);
    assert_eq!(order.next(&TERMS, 1_899, None, false), Step::Confirm { attempt: 1 });
    assert_eq!(late(None), Step::ReadIntent);
    assert_eq!(late(Some(Heard::Read(IntentStatus::Succeeded))), Step::Record(Event::Paid));
    for unpaid in [IntentStatus::NeedsMethod, IntentStatus::NeedsConfirmation, IntentStatus::NeedsAction] {
        assert_eq!(late(Some(Heard::Read(unpaid))), Step::CancelIntent);
    }
    assert_eq!(late(Some(Heard::CancelRefused(IntentStatus::Succeeded))), Step::Record(Event::Paid));
    let ended = Event::Ended(OrderState::Failed(Failure::Expired));
    assert_eq!(late(Some(Heard::Read(IntentStatus::Cancelled))), Step::Record(ended.clone()));
    let (order, effects) = order.on(&ended, &TERMS, 1_900).unwrap();
    assert_eq!(effects, Effects { releases_stock: true, returns_coupon: true });
    assert_eq!((order.stock, order.payment), (StockState::Released, PaymentState::Voided));
    // Nobody knows whether there is an intent: it is made, to be cancelled.
    let asked = after(&[Event::Reserved, Event::IntentAsked]);
    assert_eq!(asked.next(&TERMS, 1_900, None, false), Step::MakeIntent);
    assert_eq!(asked.on(&ended, &TERMS, 1_900), Err(Refusal::Illegal));
}

#[test]
fn a_declined_order_may_try_until_its_attempts_are_used_up() {
    let mut order = after(&[Event::Reserved, Event::IntentAsked, made()]);
    for attempt in 1..=TERMS.attempts_max {
        assert_eq!(next(&order, None), Step::Record(Event::AttemptBegun), "{attempt}");
        order = order.on(&Event::AttemptBegun, &TERMS, NOW).unwrap().0;
        assert_eq!(order.on(&Event::MethodGiven, &TERMS, NOW), Err(Refusal::Attempting));
        order = order.on(&Event::Declined, &TERMS, NOW).unwrap().0;
        if attempt < TERMS.attempts_max {
            order = order.on(&Event::MethodGiven, &TERMS, NOW).unwrap().0;
        }
    }
    assert_eq!(order.on(&Event::MethodGiven, &TERMS, NOW), Err(Refusal::NoAttemptLeft));
    assert_eq!(next(&order, None), Step::ReadIntent);
    assert_eq!(next(&order, Some(Heard::Read(IntentStatus::NeedsMethod))), Step::CancelIntent);
    let ended = Event::Ended(OrderState::Failed(Failure::Payment));
    assert_eq!(next(&order, Some(Heard::Read(IntentStatus::Cancelled))), Step::Record(ended));
}

#[test]
fn the_clock_stands_while_the_provider_has_it_in_hand_or_is_down() {
    let order = after(&confirmed());
    let at = |order: &Progress, event: &Event, now| order.on(event, &TERMS, now).unwrap().0;
    let slow = at(&order, &Event::TakesTime, 1_500);
    assert_eq!(slow.clock, Clock::Stands { left: 400, since: 1_500 });
    assert!(!slow.is_over(&TERMS, 9_000));
    assert_eq!(slow.wakes_at(&TERMS), Some(11_500));
    assert_eq!(slow.on(&Event::ProviderBack, &TERMS, 9_000), Err(Refusal::Illegal));
    assert_eq!(at(&slow, &Event::Declined, 9_000).clock, Clock::Runs { until: 9_400 });
    let patient = |now, heard| slow.next(&TERMS, now, Some(heard), false);
    assert_eq!(patient(11_500, Heard::Read(IntentStatus::Processing)), Step::CancelIntent);
    assert_eq!(patient(11_500, Heard::CancelRefused(IntentStatus::Processing)), Step::Wait(None));
    let down = at(&order, &Event::ProviderDown, 1_500);
    assert_eq!(at(&down, &Event::ProviderBack, 5_000).clock, Clock::Runs { until: 5_400 });
}

#[test]
fn an_order_that_is_taken_back() {
    let cancel = |order: &Progress| order.on(&Event::CancelAsked, &TERMS, NOW);
    // Before anything is held, while it is held, and while it is being paid.
    let placed = cancel(&Progress::placed(true)).unwrap().0;
    assert_eq!(next(&placed, None), Step::Record(Event::Ended(OrderState::Cancelled)));
    let reserved = cancel(&after(&[Event::Reserved])).unwrap().0;
    assert_eq!(next(&reserved, None), Step::Record(Event::Ended(OrderState::Cancelled)));
    let paying = cancel(&after(&confirmed())).unwrap().0;
    assert_eq!(next(&paying, None), Step::ReadIntent);
    assert_eq!(cancel(&paying), Err(Refusal::Already));
    // It was paid before the cancellation came through: the money goes back.
    let (order, effects) = paying.on(&Event::Paid, &TERMS, NOW).unwrap();
    assert_eq!((order.state, order.refund), (OrderState::Cancelled, RefundState::Due));
    assert_eq!(effects, Effects { releases_stock: true, returns_coupon: true });
    assert_eq!(next(&order, None), Step::Refund);
    // After it was paid.
    let (order, effects) = cancel(&with(confirmed(), &[Event::Paid])).unwrap();
    assert_eq!(
        (order.state, order.stock, order.refund),
        (OrderState::Cancelled, StockState::Released, RefundState::Due)
    );
    assert!(effects.releases_stock);
    let done = order.on(&Event::RefundDone, &TERMS, NOW).unwrap().0;
    assert_eq!((done.payment, next(&done, None)), (PaymentState::Refunded, Step::Nothing));
    assert_eq!(cancel(&done), Err(Refusal::Already));
    // A refund that fails, perhaps days later, leaves the money with us, and is a person's matter.
    for before in [&order, &done] {
        let failed = before.on(&Event::RefundFailed, &TERMS, NOW).unwrap().0;
        assert_eq!((failed.payment, next(&failed, None)), (PaymentState::Captured, Step::Nothing));
        assert_eq!(failed.on(&Event::RefundDone, &TERMS, NOW).unwrap().0.payment, PaymentState::Refunded);
    }
    // Once a parcel has gone.
    assert_eq!(cancel(&with(confirmed(), &[Event::Paid, Event::AllShipped])), Err(Refusal::Sent));
}

#[test]
fn a_late_success_of_a_dead_order_goes_back_once() {
    let dead = with(confirmed(), &[Event::Ended(OrderState::Failed(Failure::Expired))]);
    assert_eq!(next(&dead, None), Step::Nothing);
    assert_eq!(dead.next(&TERMS, NOW, None, true), Step::ReadIntent);
    assert_eq!(next(&dead, Some(Heard::Read(IntentStatus::Cancelled))), Step::Nothing);
    assert_eq!(next(&dead, Some(Heard::Read(IntentStatus::Succeeded))), Step::Record(Event::Paid));
    let (paid, effects) = dead.on(&Event::Paid, &TERMS, NOW).unwrap();
    assert_eq!((paid.state, paid.refund, effects), (dead.state, RefundState::Due, Effects::default()));
    let done = paid.on(&Event::RefundDone, &TERMS, NOW).unwrap().0;
    assert_eq!(done.next(&TERMS, NOW, None, true), Step::Nothing);
    assert!(done.on(&Event::Paid, &TERMS, NOW).is_err());
}

#[test]
fn an_order_for_which_there_is_nothing_to_pay_or_nothing_left() {
    let free = Terms { is_free: true, ..TERMS };
    let order = Progress::placed(false);
    assert_eq!(order.next(&free, NOW, None, false), Step::Reserve);
    let order = order.on(&Event::Reserved, &free, NOW).unwrap().0;
    assert_eq!(order.next(&free, NOW, None, false), Step::Record(Event::Paid));
    let order = order.on(&Event::Paid, &free, NOW).unwrap().0;
    assert_eq!((order.state, order.payment), (OrderState::Processing, PaymentState::Pending));
    let (short, effects) = Progress::placed(true).on(&Event::OutOfStock, &TERMS, NOW).unwrap();
    assert_eq!(short.state, OrderState::Failed(Failure::OutOfStock));
    assert_eq!(effects, Effects { releases_stock: false, returns_coupon: true });
}

#[test]
fn the_same_again_is_told_apart_from_what_cannot_be() {
    let paid = with(confirmed(), &[Event::Paid]);
    let on = |order: &Progress, event: Event| order.on(&event, &TERMS, NOW).unwrap_err();
    assert_eq!(on(&paid, Event::Paid), Refusal::Already);
    assert_eq!(on(&paid, Event::Reserved), Refusal::Already);
    assert_eq!(on(&paid, Event::Declined), Refusal::Illegal);
    assert_eq!(on(&paid, Event::AllDelivered), Refusal::Illegal);
    assert_eq!(on(&paid, Event::Ended(OrderState::Cancelled)), Refusal::Illegal);
    assert_eq!(on(&Progress::placed(true), Event::Paid), Refusal::Illegal);
    assert_eq!(on(&Progress::placed(true), Event::AttemptBegun), Refusal::Illegal);
    let delivered = with(confirmed(), &[Event::Paid, Event::AllShipped, Event::AllDelivered]);
    assert_eq!(on(&delivered, Event::AllShipped), Refusal::Already);
    assert_eq!(on(&delivered, Event::AllDelivered), Refusal::Already);
    // Ending with something that is no end.
    assert_eq!(on(&after(&[Event::Reserved]), Event::Ended(OrderState::Processing)), Refusal::Illegal);
}
