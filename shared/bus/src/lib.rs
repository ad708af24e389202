//! SNS: events to whoever subscribed, and alerts to people.

use std::collections::HashSet;

use almacen_aws_client::{Aws, LazyClient};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};

/// Messages of one PublishBatch, SNS's own limit.
pub const BATCH_MAX: usize = 10;
/// Bytes of one PublishBatch, all messages together, SNS's own limit, less room for attributes.
pub const BATCH_BYTES_MAX: usize = 256 * 1024 - 16 * 1024;
/// The attribute that subscribers filter by.
pub const EVENT_ATTRIBUTE: &str = "evento";
/// SNS's own limit for a subject: ASCII, one line, under 100 characters.
const SUBJECT_MAX: usize = 99;

/// An event on its way out.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its name, as the attribute that subscribers filter by.
    pub name: &'a str,
    /// Its envelope.
    pub body: &'a str,
}

/// One topic.
#[derive(Debug)]
pub struct Topic {
    client: LazyClient<Client>,
    arn: String,
}

/// A message could not be published, or the topic not be reached.
#[derive(Debug, thiserror::Error)]
#[error("call topic")]
pub struct BusError(#[source] Box<dyn std::error::Error + Send + Sync>);

fn cause<E: std::error::Error + Send + Sync + 'static>(error: E) -> BusError {
    BusError(Box::new(error))
}

impl Topic {
    /// The topic with this ARN.
    #[must_use]
    pub fn new(aws: &Aws, arn: String) -> Self {
        Self { client: LazyClient::new(aws, client), arn }
    }

    /// Publishes up to [`BATCH_MAX`] events in one call and answers which positions were not taken.
    ///
    /// # Errors
    /// [`BusError`] when the call as a whole failed; some events may be out all the same.
    pub async fn publish(&self, events: &[Outgoing<'_>]) -> Result<Vec<usize>, BusError> {
        let mut entries = Vec::with_capacity(events.len());
        for (position, event) in events.iter().enumerate() {
            let name =
                MessageAttributeValue::builder().data_type("String").string_value(event.name).build().map_err(cause)?;
            let entry = PublishBatchRequestEntry::builder()
                .id(position.to_string())
                .message(event.body)
                .message_attributes(EVENT_ATTRIBUTE, name)
                .build()
                .map_err(cause)?;
            entries.push(entry);
        }
        let answer = self
            .client
            .get()
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(entries))
            .send()
            .await
            .map_err(cause)?;
        let taken: HashSet<&str> = answer.successful().iter().filter_map(|entry| entry.id()).collect();
        Ok((0..events.len()).filter(|position| !taken.contains(position.to_string().as_str())).collect())
    }

    /// Publishes a message that people read. The subject is made fit for e-mail.
    ///
    /// # Errors
    /// [`BusError`]; the message may be out all the same.
    pub async fn notify(&self, name: &str, subject: &str, message: &str) -> Result<(), BusError> {
        let attribute =
            MessageAttributeValue::builder().data_type("String").string_value(name).build().map_err(cause)?;
        self.client
            .get()
            .publish()
            .topic_arn(&self.arn)
            .subject(subject_line(subject))
            .message(message)
            .message_attributes(EVENT_ATTRIBUTE, attribute)
            .send()
            .await
            .map_err(cause)?;
        Ok(())
    }

    /// Does the topic answer? Nothing is published.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn ping(&self) -> Result<(), BusError> {
        self.client.get().get_topic_attributes().topic_arn(&self.arn).send().await.map(drop).map_err(cause)
    }
}

/// SNS refuses a subject that is not printable ASCII, starts with a space or is too long: what cannot stay becomes `?`,
/// accented letters lose their accents.
fn subject_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            'á' | 'à' | 'ä' | 'â' | 'ã' => 'a',
            'é' | 'è' | 'ë' | 'ê' => 'e',
            'í' | 'ì' | 'ï' | 'î' => 'i',
            'ó' | 'ò' | 'ö' | 'ô' | 'õ' => 'o',
            'ú' | 'ù' | 'ü' | 'û' => 'u',
            'ñ' => 'n',
            'Á' | 'À' | 'Ä' | 'Â' => 'A',
            'É' => 'E',
            'Í' => 'I',
            'Ó' | 'Ö' => 'O',
            'Ú' | 'Ü' => 'U',
            'Ñ' => 'N',
            'ç' => 'c',
            'ß' => 's',
            _ => '?',
        })
        .take(SUBJECT_MAX)
        .collect();
    plain.trim_start().to_owned()
}

fn client(aws: &Aws) -> Client {
    Client::from_conf(Builder::from(aws.config()).retry_partition(aws.retry_partition("sns")).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        assert_eq!(subject_line("Stock bajo: Jamón (Málaga)"), "Stock bajo: Jamon (Malaga)");
        assert_eq!(subject_line("  東京\n"), "???");
        assert_eq!(subject_line(&"x".repeat(300)).len(), SUBJECT_MAX);
    }
}
