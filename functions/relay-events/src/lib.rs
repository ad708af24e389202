//! Publishes events from the Outbox to EventsTopic, and does nothing else.
//!
//! Triggers: the Outbox stream (new events), and every minute a schedule, the sweep: events that are still unpublished
//! after a minute, so that an event survives a stream record that was lost or has expired. The stream gives ids alone;
//! the events are read from the table with their `pending` mark, published in batches of ten, and marked as published.
//! The sweep reads the 17 partitions of the index of pending events (`almacen_table::keys::pending_shards`).
//!
//! A crash between publishing and marking publishes an event again, under the same id. A batch succeeds or fails as a
//! whole. An event that is larger than SNS accepts is marked as published, and a note with its id goes to the failure
//! queue.
//!
//! Invariant: an event is written to the Outbox in the transaction of its change (`almacen_table::outbox`), and is
//! published only from there. The event name is the message attribute `evento`, by which subscriptions filter.

use std::collections::HashSet;
use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_bus::{BATCH_BYTES_MAX, BATCH_MAX, Outgoing, Topic};
use almacen_clock::now_ms;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Deadline, Failure, Function};
use almacen_lambda_kit::stream::{EventName, Image, event_name};
use almacen_queue::Queue;
use almacen_table::outbox::{Outbox, Unpublished};
use futures::future::try_join_all;
use lambda_runtime::Context;
use serde_json::Value;

/// The stream has a minute before the sweeper looks.
const SWEEP_AFTER_MS: i64 = 60_000;
/// Events read at once by the sweeper.
const SWEEP_PAGE: usize = 100;
/// The sweeper begins no new page with less time left than this.
const SWEEP_MARGIN: Duration = Duration::from_secs(10);

/// The function and what it talks to.
#[derive(Debug)]
pub struct RelayEvents {
    outbox: Outbox,
    events: Topic,
    failures: Queue,
}

impl RelayEvents {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            outbox: Outbox::new(almacen_dynamo::client(aws), env.required("OUTBOX_TABLE")),
            events: Topic::new(aws, env.required("EVENTS_TOPIC_ARN")),
            failures: Queue::new(aws, env.required("FAILURES_QUEUE_URL")),
        }
    }
}

impl Function for RelayEvents {
    type Event = Value;
    type Answer = ();

    async fn handle(&self, event: Value, context: Context) -> Result<(), Failure> {
        relay_or_sweep(self, &event, &Deadline::of(&context)).await
    }
}

/// Publishes the events of a stream batch, or, on the schedule, those that were left.
///
/// # Errors
/// The batch comes again; the sweeper comes anyway.
async fn relay_or_sweep(deps: &RelayEvents, event: &Value, deadline: &Deadline) -> Result<(), Failure> {
    match new_event_ids(event) {
        Some(ids) => relay(deps, &ids).await,
        None => sweep(deps, deadline).await,
    }
}

/// The ids of the events that a stream batch tells of; `None` where this is no stream batch. Only the key is read: what
/// is published is read from the table, together with whether it still has to be.
#[must_use]
pub fn new_event_ids(event: &Value) -> Option<Vec<String>> {
    let records = event.get("Records")?.as_array()?;
    let id = |record: &Value| {
        let inserted = event_name(record) == Ok(EventName::Insert);
        let id = Image::keys(record)?.required_text("id").ok()?;
        inserted.then(|| id.to_owned())
    };
    // DynamoDB refuses to read the same key twice in one call.
    let mut seen = HashSet::new();
    Some(records.iter().filter_map(id).filter(|id| seen.insert(id.clone())).collect())
}

async fn sweep(deps: &RelayEvents, deadline: &Deadline) -> Result<(), Failure> {
    while deadline.left() > SWEEP_MARGIN {
        let ids = deps.outbox.pending(now_ms() - SWEEP_AFTER_MS, SWEEP_PAGE).await?;
        if ids.is_empty() {
            break;
        }
        tracing::warn!(events = ids.len(), "events were left unpublished; publishing them now");
        relay(deps, &ids).await?;
    }
    Ok(())
}

async fn relay(deps: &RelayEvents, ids: &[String]) -> Result<(), Failure> {
    let Unpublished { mut events, unreadable } = deps.outbox.unpublished(ids).await?;
    for id in &unreadable {
        tracing::error!(id, "an event's record cannot be read; its id goes to the failure queue");
        set_aside(deps, id, &serde_json::json!({"event": id, "unreadable": true})).await?;
    }
    // In the order in which they happened, as far as a topic keeps one.
    events.sort_by_cached_key(|event| ids.iter().position(|id| *id == event.id));
    let mut left = 0;
    for batch in batches(&events) {
        left += publish(deps, batch).await?;
    }
    if left == 0 {
        Ok(())
    } else {
        Err(Failure { kind: "NotTaken", message: format!("{left} events were not taken by the topic") })
    }
}

/// Publishes one batch, marks what is out, and answers how many are not.
async fn publish(deps: &RelayEvents, batch: &[OutboxEvent]) -> Result<usize, Failure> {
    if let [event] = batch
        && event.body.len() > BATCH_BYTES_MAX
    {
        tracing::error!(id = %event.id, bytes = event.body.len(), "event too large to publish; its id goes to the failure queue");
        let note = serde_json::json!({"event": event.id, "name": event.name, "bytes": event.body.len()});
        return set_aside(deps, &event.id, &note).await.map(|()| 0);
    }
    let outgoing: Vec<Outgoing<'_>> =
        batch.iter().map(|event| Outgoing { name: &event.name, body: &event.body }).collect();
    let not_taken = deps.events.publish(&outgoing).await?;
    let taken = batch.iter().enumerate().filter(|(position, _)| !not_taken.contains(position)).map(|(_, event)| event);
    try_join_all(taken.map(|event| mark(deps, event))).await?;
    Ok(not_taken.len())
}

async fn mark(deps: &RelayEvents, event: &OutboxEvent) -> Result<(), Failure> {
    deps.outbox.mark_published(&event.id, now_ms()).await?;
    tracing::info!(id = %event.id, event = %event.name, "published");
    Ok(())
}

/// An event that can never be published, now or later, is marked, so that it does not hold up the others; a person decides.
async fn set_aside(deps: &RelayEvents, id: &str, note: &Value) -> Result<(), Failure> {
    deps.failures.send(note.to_string(), Duration::ZERO).await?;
    Ok(deps.outbox.mark_published(id, now_ms()).await?)
}

/// Cuts events into batches that SNS takes: ten at most, and not too many bytes together.
fn batches(events: &[OutboxEvent]) -> Vec<&[OutboxEvent]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (position, event) in events.iter().enumerate() {
        if position > start && (position - start == BATCH_MAX || bytes + event.body.len() > BATCH_BYTES_MAX) {
            batches.push(&events[start..position]);
            (start, bytes) = (position, 0);
        }
        bytes += event.body.len();
    }
    if start < events.len() {
        batches.push(&events[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_new_events_of_a_stream_batch() {
        let record = |name: &str, id: &str| json!({"eventName":name,"dynamodb":{"Keys":{"id":{"S":id}}}});
        let batch = json!({"Records":[record("INSERT","evt_1"), record("MODIFY","evt_2"), record("INSERT","evt_3"), record("INSERT","evt_1"), {}]});
        assert_eq!(new_event_ids(&batch), Some(vec!["evt_1".to_owned(), "evt_3".to_owned()]));
        assert_eq!(new_event_ids(&json!({"source":"aws.events"})), None);
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        let ids = |event| new_event_ids(&serde_json::from_str(event).unwrap());
        let new = ["evt_1f0e3dad99908345f7439f8ffabdffc4", "evt_98f13708210194c475687be6106a3b84"];
        assert_eq!(ids(include_str!("../../../events/relay-events/outbox.json")).unwrap(), new);
        assert_eq!(ids(include_str!("../../../events/relay-events/published.json")), Some(Vec::new()));
        assert_eq!(ids(include_str!("../../../events/relay-events/schedule.json")), None);
    }

    #[test]
    fn batches_are_bounded_in_number_and_bytes() {
        let event = |bytes: usize| OutboxEvent { id: String::new(), name: String::new(), body: "x".repeat(bytes) };
        let lengths = |sizes: &[usize]| -> Vec<usize> {
            let events: Vec<OutboxEvent> = sizes.iter().map(|bytes| event(*bytes)).collect();
            batches(&events).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(lengths(&[]), [] as [usize; 0]);
        assert_eq!(lengths(&[1; 23]), [10, 10, 3]);
        assert_eq!(lengths(&[BATCH_BYTES_MAX, 1, BATCH_BYTES_MAX + 1, 1]), [1, 1, 1, 1]);
        assert_eq!(lengths(&[BATCH_BYTES_MAX / 2, BATCH_BYTES_MAX / 2, 2]), [2, 1]);
    }
}
