//! SQS: work to be done, now or a little later.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_sqs::Client;

/// The longest SQS delays a message.
pub const DELAY_MAX: Duration = Duration::from_secs(15 * 60);

/// One queue. Its client is made with the first message: most invocations send none, and a client costs a cold start
/// about a fifth of a millisecond.
#[derive(Debug)]
pub struct Queue {
    client: LazyLock<Client>,
    url: String,
}

/// A message could not be sent, or the queue not be reached.
#[derive(Debug)]
pub struct QueueError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("call queue")
    }
}

impl std::error::Error for QueueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

impl Queue {
    /// The queue with this URL, over a client configured as every client here is.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { client: LazyLock::new(|| Client::new(almacen_aws_client::sdk_config())), url }
    }

    /// Sends `body`, to be seen after `delay` (at most [`DELAY_MAX`]).
    ///
    /// # Errors
    /// [`QueueError`]; the message may have been sent all the same.
    pub async fn send(&self, body: String, delay: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(delay.min(DELAY_MAX).as_secs()).unwrap_or(i32::MAX);
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(seconds)
            .send()
            .await
            .map_err(|error| QueueError(Box::new(error)))?;
        Ok(())
    }

    /// Does the queue answer? Nothing is sent or received.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn reach(&self) -> Result<(), QueueError> {
        let asked = self.client.get_queue_attributes().queue_url(&self.url).send().await;
        asked.map(drop).map_err(|error| QueueError(Box::new(error)))
    }
}
