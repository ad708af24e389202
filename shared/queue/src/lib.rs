//! SQS: work to be done, now or a little later, and what of it nobody could do.

use std::collections::HashSet;
use std::time::Duration;

use almacen_aws_client::{Aws, LazyClient};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

/// The longest SQS delays a message.
pub const DELAY_MAX: Duration = Duration::from_secs(15 * 60);

/// Messages of one call, SQS's own limit.
const RECEIVED_MAX: i32 = 10;
/// A message that was looked at is hidden for so many seconds: or the next call would give the same ones. Short, because it
/// is hidden from people and from the queue's alarm as well.
const HIDDEN_SECONDS: i32 = 2;
/// A call waits so many seconds for a message. One that does not wait asks only some of SQS's servers, and may find nothing
/// where there is something
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>).
const WAIT_SECONDS: i32 = 1;
/// Calls after which looking ends that brought nothing new.
const OLD_NEWS_MAX: u32 = 3;

/// A message that lies in a queue and stays there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What it says.
    pub body: String,
    /// When it was sent, in milliseconds since 1970. Unchanged by its way to the dead letters.
    pub sent: Option<i64>,
}

/// One queue.
#[derive(Debug)]
pub struct Queue {
    client: LazyClient<Client>,
    url: String,
}

/// A message could not be sent, or the queue not be reached.
#[derive(Debug, thiserror::Error)]
#[error("call queue")]
pub struct QueueError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Queue {
    /// The queue with this URL.
    #[must_use]
    pub fn new(aws: &Aws, url: String) -> Self {
        Self { client: LazyClient::new(aws, client), url }
    }

    /// Sends `body`, to be seen after `delay` (at most [`DELAY_MAX`]).
    ///
    /// # Errors
    /// [`QueueError`]; the message may have been sent all the same.
    pub async fn send(&self, body: String, delay: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(delay.min(DELAY_MAX).as_secs()).unwrap_or(i32::MAX);
        self.client
            .get()
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(seconds)
            .send()
            .await
            .map_err(|error| QueueError(Box::new(error)))?;
        Ok(())
    }

    /// Messages that lie in the queue, `max` of them at most; each is hidden for two seconds and stays.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn look(&self, max: usize) -> Result<Vec<Waiting>, QueueError> {
        let (mut found, mut known, mut old_news) = (Vec::new(), HashSet::new(), 0);
        while found.len() < max && old_news < OLD_NEWS_MAX {
            let answer = self
                .client
                .get()
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(RECEIVED_MAX)
                .visibility_timeout(HIDDEN_SECONDS)
                .wait_time_seconds(WAIT_SECONDS)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .send()
                .await
                .map_err(|error| QueueError(Box::new(error)))?;
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            let before = found.len();
            found.extend(messages.into_iter().filter_map(|message| news(message, &mut known)));
            old_news = if found.len() == before { old_news + 1 } else { 0 };
        }
        found.truncate(max);
        Ok(found)
    }

    /// Does the queue answer? Nothing is sent or received.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn ping(&self) -> Result<(), QueueError> {
        let asked = self.client.get().get_queue_attributes().queue_url(&self.url).send().await;
        asked.map(drop).map_err(|error| QueueError(Box::new(error)))
    }
}

/// A message that has not been seen before.
fn news(message: Message, known: &mut HashSet<String>) -> Option<Waiting> {
    let sent = message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    let sent = sent.and_then(|millis| millis.parse().ok());
    known.insert(message.message_id?).then(|| Waiting { body: message.body.unwrap_or_default(), sent })
}

fn client(aws: &Aws) -> Client {
    Client::from_conf(Builder::from(aws.config()).retry_partition(aws.retry_partition("sqs")).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_news_once() {
        let message = |id: &str, sent: &str| {
            Message::builder()
                .message_id(id)
                .body("b")
                .attributes(MessageSystemAttributeName::SentTimestamp, sent)
                .build()
        };
        let mut known = HashSet::new();
        let waiting = |sent| Some(Waiting { body: "b".to_owned(), sent });
        assert_eq!(news(message("1", "1705834800123"), &mut known), waiting(Some(1_705_834_800_123)));
        assert_eq!(news(message("1", "1705834800123"), &mut known), None);
        assert_eq!(news(message("2", "soon"), &mut known), waiting(None));
        assert_eq!(news(Message::builder().build(), &mut known), None);
    }
}
