//! SQS: standard and FIFO queues, over its JSON protocol
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html>).

mod protocol;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{Millis, ServiceError};

/// A message and its attributes have at most so many bytes, and so do the messages of one batch together.
const BYTES_MAX: usize = 1024 * 1024;
/// The longest delay and the longest visibility time-out.
const DELAY_MAX: Millis = 15 * 60 * 1000;
const VISIBILITY_MAX: Millis = 12 * 3600 * 1000;
/// A deduplication id is remembered for five minutes.
const DEDUPLICATED: Millis = 5 * 60 * 1000;
/// Messages of one receive.
const RECEIVED_MAX: usize = 10;

/// How a queue is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Its name; a FIFO queue's ends with `.fifo`.
    pub name: String,
    /// How long a received message is hidden.
    pub visibility: Millis,
    /// How long a message is kept.
    pub retention: Millis,
    /// How long a new message is hidden.
    pub delay: Millis,
    /// The name of the queue for dead letters, and how often a message is received before it goes there.
    pub redrive: Option<(String, u32)>,
    /// A FIFO queue takes the body's hash where no deduplication id is given.
    pub content_based_deduplication: bool,
}

impl QueueSettings {
    /// With AWS's defaults: 30 s, four days, no delay.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visibility: 30_000,
            retention: 4 * 24 * 3600 * 1000,
            delay: 0,
            redrive: None,
            content_based_deduplication: false,
        }
    }
}

/// How far standard queues are from ideal ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Of a hundred received messages of a standard queue, how many are delivered once more although they were deleted.
    pub duplicates_percent: u8,
    /// Does a standard queue deliver in any order? Else in the order of sending.
    pub reorders: bool,
}

/// A message to be sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outgoing {
    /// What it says.
    pub body: String,
    /// `MessageAttributes` as the request has them.
    pub attributes: BTreeMap<String, Value>,
    /// How long it is hidden at first; the queue's own delay where none is given.
    pub delay: Option<Millis>,
    /// FIFO: the group.
    pub group: Option<String>,
    /// FIFO: the deduplication id.
    pub deduplication: Option<String>,
}

impl Outgoing {
    /// Of this text alone.
    #[must_use]
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.to_string().len());
        self.body.len() + attributes.sum::<usize>()
    }
}

/// A message as it lies in a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id, the same at every delivery.
    pub id: String,
    /// What it says.
    pub body: String,
    /// Its `MessageAttributes`.
    pub attributes: BTreeMap<String, Value>,
    /// When it was sent; a standard queue's dead letters keep it.
    pub sent: Millis,
    /// When it was first received.
    pub first_received: Option<Millis>,
    /// How often it was received.
    pub receive_count: u32,
    /// From when on it can be received.
    pub visible_at: Millis,
    /// FIFO: the group.
    pub group: Option<String>,
    /// FIFO: the deduplication id.
    pub deduplication: Option<String>,
    /// The queue that it came from as a dead letter.
    pub came_from: Option<String>,
    /// The handle of the last delivery.
    receipt: Option<String>,
}

/// A delivery of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Proves the delivery to `delete` and `change_visibility`.
    pub receipt: String,
    /// The message.
    pub message: Message,
    /// Its order in a FIFO queue.
    pub sequence: u64,
}

/// How many messages a queue has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// That can be received now.
    pub visible: usize,
    /// That were received and may come back.
    pub in_flight: usize,
    /// That were never received and are hidden yet.
    pub delayed: usize,
}

#[derive(Debug, Clone)]
struct Queue {
    settings: QueueSettings,
    /// In the order of sending.
    messages: BTreeMap<u64, Message>,
    /// Deduplication ids that were seen, with the message's id and sequence number, and until when.
    seen: BTreeMap<String, (String, u64, Millis)>,
    /// No message and no id ends before this.
    next_end: Millis,
}

impl Queue {
    fn is_fifo(&self) -> bool {
        self.settings.name.ends_with(".fifo")
    }

    /// Messages that can be received now, in the order of sending. A FIFO group that has a message in flight has none.
    fn visible(&self, now: Millis) -> Vec<u64> {
        let is_fifo = self.is_fifo();
        let mut blocked: BTreeSet<&str> = BTreeSet::new();
        let mut visible = Vec::new();
        if is_fifo {
            let hidden = self.messages.values().filter(|message| message.visible_at > now);
            blocked.extend(hidden.filter_map(|message| message.group.as_deref()));
        }
        for (sequence, message) in &self.messages {
            let is_blocked = is_fifo && message.group.as_deref().is_some_and(|group| blocked.contains(group));
            if message.visible_at <= now && !is_blocked {
                visible.push(*sequence);
            }
        }
        visible
    }

    fn expire(&mut self, now: Millis) {
        if now < self.next_end {
            return;
        }
        let kept = self.settings.retention;
        self.messages.retain(|_, message| message.sent + kept > now);
        self.seen.retain(|_, (_, _, until)| *until > now);
        let messages = self.messages.values().map(|message| message.sent + kept);
        self.next_end = messages.chain(self.seen.values().map(|(_, _, until)| *until)).min().unwrap_or(Millis::MAX);
    }

    fn add(&mut self, sequence: u64, message: Message) {
        self.next_end = self.next_end.min(message.sent + self.settings.retention);
        self.messages.insert(sequence, message);
    }
}

#[derive(Debug, Clone)]
struct State {
    queues: BTreeMap<String, Queue>,
    settings: Settings,
    rng: fastrand::Rng,
    sequence: u64,
    receipts: u64,
}

/// All queues.
#[derive(Debug)]
pub struct Sqs {
    state: Mutex<State>,
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterValue", message)
}

fn no_such_queue() -> ServiceError {
    ServiceError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

impl State {
    fn queue(&mut self, name: &str) -> Result<&mut Queue, ServiceError> {
        self.queues.get_mut(name).ok_or_else(no_such_queue)
    }

    fn send(&mut self, name: &str, message: Outgoing, now: Millis) -> Result<(String, u64), ServiceError> {
        let next = self.sequence + 1;
        let queue = self.queue(name)?;
        queue.expire(now);
        if message.body.is_empty() {
            return Err(ServiceError::new("MissingParameter", "The request must contain the parameter MessageBody."));
        }
        if message.bytes() > BYTES_MAX {
            return Err(invalid(
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
            ));
        }
        if message.delay.is_some_and(|delay| delay > DELAY_MAX) {
            return Err(invalid("Value for parameter DelaySeconds is invalid. Reason: Must be between 0 and 900."));
        }
        let deduplication = queue.check_fifo(&message)?;
        let id = format!("00000000-0000-4000-9000-{next:012x}");
        if let Some(key) = &deduplication {
            // The answer is that of the message that was taken.
            if let Some((id, sequence, _)) = queue.seen.get(key) {
                return Ok((id.clone(), *sequence));
            }
            queue.seen.insert(key.clone(), (id.clone(), next, now + DEDUPLICATED));
            queue.next_end = queue.next_end.min(now + DEDUPLICATED);
        }
        let delay = message.delay.unwrap_or(queue.settings.delay);
        queue.add(
            next,
            Message {
                id: id.clone(),
                body: message.body,
                attributes: message.attributes,
                sent: now,
                first_received: None,
                receive_count: 0,
                visible_at: now + delay,
                group: message.group,
                deduplication,
                came_from: None,
                receipt: None,
            },
        );
        self.sequence = next;
        Ok((id, next))
    }

    fn receive(
        &mut self,
        name: &str,
        max: usize,
        visibility: Option<Millis>,
        now: Millis,
    ) -> Result<Vec<Received>, ServiceError> {
        let settings = self.settings;
        let queue = self.queues.get_mut(name).ok_or_else(no_such_queue)?;
        queue.expire(now);
        let visibility = visibility.unwrap_or(queue.settings.visibility);
        let (is_fifo, redrive) = (queue.is_fifo(), queue.settings.redrive.clone());
        let mut visible = queue.visible(now);
        if settings.reorders && !is_fifo {
            self.rng.shuffle(&mut visible);
        }
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        for sequence in visible {
            if received.len() == max {
                break;
            }
            let Some(message) = queue.messages.get_mut(&sequence) else { continue };
            if let Some((_, most)) = &redrive
                && message.receive_count >= *most
            {
                dead.extend(queue.messages.remove(&sequence));
                continue;
            }
            self.receipts += 1;
            let receipt = format!("receipt-{name}-{}", self.receipts);
            message.receive_count += 1;
            message.first_received.get_or_insert(now);
            message.visible_at = now + visibility;
            message.receipt = Some(receipt.clone());
            received.push(Received { receipt, message: message.clone(), sequence });
        }
        let percent = settings.duplicates_percent;
        if percent > 0 && !is_fifo {
            for delivery in &received {
                if self.rng.u8(0..100) < percent {
                    // A server that was not there when the message was deleted still has it, and shows it again.
                    self.sequence += 1;
                    let again = Message { receipt: None, ..delivery.message.clone() };
                    queue.messages.insert(self.sequence, again);
                }
            }
        }
        if let Some((target, _)) = redrive {
            for message in dead {
                self.bury(&target, name, message, now);
            }
        }
        Ok(received)
    }

    /// Moves a message to a queue for dead letters. There it has the time of its first sending in a standard queue, and a
    /// new one in a FIFO queue ("Amazon SQS dead-letter queues", Configuring message retention).
    fn bury(&mut self, target: &str, from: &str, message: Message, now: Millis) {
        self.sequence += 1;
        let sequence = self.sequence;
        let Ok(queue) = self.queue(target) else { return };
        let sent = if queue.is_fifo() { now } else { message.sent };
        let came_from = Some(from.to_owned());
        let message = Message {
            sent,
            came_from,
            receive_count: 0,
            first_received: None,
            visible_at: now,
            receipt: None,
            ..message
        };
        queue.add(sequence, message);
    }

    fn delete(&mut self, name: &str, receipt: &str) -> Result<(), ServiceError> {
        check_receipt(name, receipt)?;
        // The handle of an older delivery deletes nothing, and is no error ("DeleteMessage").
        let queue = self.queue(name)?;
        queue.messages.retain(|_, message| message.receipt.as_deref() != Some(receipt));
        Ok(())
    }

    fn change_visibility(
        &mut self,
        name: &str,
        receipt: &str,
        visibility: Millis,
        now: Millis,
    ) -> Result<(), ServiceError> {
        check_receipt(name, receipt)?;
        if visibility > VISIBILITY_MAX {
            return Err(invalid("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
        }
        let queue = self.queue(name)?;
        let found = queue.messages.values_mut().find(|message| message.receipt.as_deref() == Some(receipt));
        match found {
            Some(message) if message.visible_at > now => {
                message.visible_at = now + visibility;
                Ok(())
            }
            Some(_) => {
                let told = "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
                            available for visibility timeout change.";
                Err(ServiceError::new("MessageNotInflight", told))
            }
            None => Err(invalid("Value for parameter ReceiptHandle is invalid. Reason: Message does not exist.")),
        }
    }
}

impl Queue {
    /// The deduplication id of a message; `None` in a standard queue.
    fn check_fifo(&self, message: &Outgoing) -> Result<Option<String>, ServiceError> {
        if !self.is_fifo() {
            return match (&message.group, &message.deduplication) {
                (_, None) => Ok(None),
                (_, Some(_)) => Err(invalid(
                    "The request includes a parameter that is not valid for this queue type: MessageDeduplicationId",
                )),
            };
        }
        if message.group.is_none() {
            return Err(ServiceError::new(
                "MissingParameter",
                "The request must contain the parameter MessageGroupId.",
            ));
        }
        if message.delay.is_some_and(|delay| delay > 0) {
            let told = "The request include parameter that is not valid for this queue type: DelaySeconds";
            return Err(invalid(told));
        }
        match &message.deduplication {
            Some(id) => Ok(Some(id.clone())),
            None if self.settings.content_based_deduplication => {
                Ok(Some(format!("{:032x}", twox_hash::XxHash3_128::oneshot(message.body.as_bytes()))))
            }
            None => Err(invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            )),
        }
    }
}

/// A receipt is good for the queue that it was made by.
fn check_receipt(queue: &str, receipt: &str) -> Result<(), ServiceError> {
    let rest = receipt.strip_prefix("receipt-").and_then(|rest| rest.strip_prefix(queue));
    if rest.is_some_and(|rest| rest.starts_with('-')) {
        return Ok(());
    }
    Err(ServiceError::new("ReceiptHandleIsInvalid", "The input receipt handle is invalid."))
}

/// A copy is of its own: what happens to one does not happen to the other.
impl Clone for Sqs {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl Sqs {
    /// With these queues, all empty.
    #[must_use]
    pub fn new(queues: impl IntoIterator<Item = QueueSettings>, settings: Settings, seed: u64) -> Self {
        let queue = |settings: QueueSettings| {
            let name = settings.name.clone();
            (name, Queue { settings, messages: BTreeMap::new(), seen: BTreeMap::new(), next_end: Millis::MAX })
        };
        let queues = queues.into_iter().map(queue).collect();
        let rng = fastrand::Rng::with_seed(seed);
        Self { state: Mutex::new(State { queues, settings, rng, sequence: 0, receipts: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the settings from now on.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// The names of all queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        self.lock().queues.keys().cloned().collect()
    }

    /// How a queue is set up.
    #[must_use]
    pub fn settings(&self, queue: &str) -> Option<QueueSettings> {
        self.lock().queues.get(queue).map(|queue| queue.settings.clone())
    }

    /// Sends a message; its id.
    ///
    /// # Errors
    /// As SQS refuses it.
    pub fn send(&self, queue: &str, message: Outgoing, now: Millis) -> Result<String, ServiceError> {
        self.lock().send(queue, message, now).map(|(id, _)| id)
    }

    /// Receives at most `max` messages and hides them, for as long as the queue says where `visibility` says nothing.
    /// Messages that were received too often go to the dead letters instead.
    ///
    /// # Errors
    /// Where there is no such queue.
    pub fn receive(
        &self,
        queue: &str,
        max: usize,
        visibility: Option<Millis>,
        now: Millis,
    ) -> Result<Vec<Received>, ServiceError> {
        self.lock().receive(queue, max, visibility, now)
    }

    /// Deletes a received message.
    ///
    /// # Errors
    /// For a receipt that is none.
    pub fn delete(&self, queue: &str, receipt: &str) -> Result<(), ServiceError> {
        self.lock().delete(queue, receipt)
    }

    /// Hides a received message for so long from now on; 0 shows it at once.
    ///
    /// # Errors
    /// For a receipt of no message in flight.
    pub fn change_visibility(
        &self,
        queue: &str,
        receipt: &str,
        visibility: Millis,
        now: Millis,
    ) -> Result<(), ServiceError> {
        self.lock().change_visibility(queue, receipt, visibility, now)
    }

    /// How many messages a queue has.
    #[must_use]
    pub fn depth(&self, queue: &str, now: Millis) -> Depth {
        let mut state = self.lock();
        let Ok(queue) = state.queue(queue) else { return Depth::default() };
        queue.expire(now);
        let mut depth = Depth::default();
        for message in queue.messages.values() {
            match (message.visible_at <= now, message.receive_count) {
                (true, _) => depth.visible += 1,
                (false, 0) => depth.delayed += 1,
                (false, _) => depth.in_flight += 1,
            }
        }
        depth
    }

    /// When the next message of a queue can be received; it may be now. `None` for an empty queue.
    #[must_use]
    pub fn next_visible(&self, queue: &str, now: Millis) -> Option<Millis> {
        let mut state = self.lock();
        let queue = state.queue(queue).ok()?;
        queue.expire(now);
        if !queue.visible(now).is_empty() {
            return Some(now);
        }
        queue.messages.values().map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    /// All messages of a queue, hidden ones too, in the order of sending.
    #[must_use]
    pub fn messages(&self, queue: &str) -> Vec<Message> {
        self.lock().queues.get(queue).map_or(Vec::new(), |queue| queue.messages.values().cloned().collect())
    }

    /// Moves all dead letters back to the queues that they came from, as new messages; how many.
    pub fn redrive(&self, queue: &str, now: Millis) -> usize {
        let mut state = self.lock();
        let Ok(dead) = state.queue(queue) else { return 0 };
        let all = std::mem::take(&mut dead.messages);
        let mut moved = 0;
        for (sequence, message) in all {
            let Some(target) = message.came_from.clone().filter(|target| state.queues.contains_key(target)) else {
                if let Ok(dead) = state.queue(queue) {
                    dead.messages.insert(sequence, message);
                }
                continue;
            };
            state.bury(&target, queue, Message { sent: now, ..message }, now);
            moved += 1;
        }
        moved
    }

    /// Deletes all messages of a queue.
    pub fn purge(&self, queue: &str) {
        if let Ok(queue) = self.lock().queue(queue) {
            queue.messages.clear();
        }
    }

    /// Answers one call. A `ReceiveMessage` does not wait here: the connector asks again.
    ///
    /// # Errors
    /// As SQS refuses it.
    pub fn call(&self, operation: &str, body: &[u8], now: Millis) -> Result<Vec<u8>, ServiceError> {
        protocol::answer(&mut self.lock(), operation, body, now, false)
    }

    /// Answers one call; every other entry of a batch fails.
    ///
    /// # Errors
    /// As SQS refuses it.
    pub fn call_partly(&self, operation: &str, body: &[u8], now: Millis) -> Result<Vec<u8>, ServiceError> {
        protocol::answer(&mut self.lock(), operation, body, now, true)
    }
}

#[cfg(test)]
mod tests;
