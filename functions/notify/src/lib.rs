//! Publishes alerts as text for people.
//!
//! An alert's way to an inbox: `watch-stock` writes StockBajo or StockAgotado into the Outbox, `relay-events` publishes
//! it to EventsTopic, whose subscription with a filter fills NotifyQueue; this function makes a subject and a text of
//! it ([`alert`]) and publishes both to AlertsTopic. The template subscribes the address of the parameter `AlertEmail`
//! to that topic; more addresses are more subscriptions. StockRepuesto is not sent to people.
//!
//! SNS has no idempotency key: an event that is delivered twice, which is rare, is sent twice. A message that cannot be
//! read is delivered again until it is a dead letter.

pub mod alert;

use almacen_aws_client::{Aws, OPERATION_TIMEOUT};
use almacen_bus::Topic;
use almacen_lambda_kit::batch;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Deadline, Failure, Function};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Context;

/// The function and what it talks to.
#[derive(Debug)]
pub struct Notify {
    alerts: Topic,
}

impl Notify {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self { alerts: Topic::new(aws, env.required("ALERTS_TOPIC_ARN")) }
    }
}

impl Function for Notify {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn handle(&self, event: SqsEvent, context: Context) -> Result<SqsBatchResponse, Failure> {
        notify_each(&self.alerts, event, Deadline::of(&context)).await
    }
}

/// Sends the alert of each message.
///
/// # Errors
/// When a message without an id failed.
async fn notify_each(alerts: &Topic, event: SqsEvent, deadline: Deadline) -> Result<SqsBatchResponse, Failure> {
    batch::each(event, |message| async move {
        // Stopped in the middle, the whole batch would come again, and what was sent would be sent again.
        if deadline.left() <= OPERATION_TIMEOUT {
            return Err(Failure { kind: "NoTime", message: "too little time is left for a call".to_owned() });
        }
        let message = alert::message(message.body.as_deref().unwrap_or_default())
            .ok_or_else(|| Failure { kind: "Unreadable", message: "no alert of ours".to_owned() })?;
        alerts.notify(&message.event, &message.subject, &message.text).await?;
        tracing::info!(id = message.id, event = message.event, "alert sent");
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LOW: &str = include_str!("../../../events/notify/low.json");
    const UNREADABLE: &str = include_str!("../../../events/notify/unreadable.json");

    #[test]
    fn what_the_sample_event_tells() {
        let event: SqsEvent = serde_json::from_str(LOW).unwrap();
        let message = alert::message(event.records[0].body.as_deref().unwrap()).unwrap();
        assert_eq!(message.subject, "Stock bajo: Echo Dot, Berlin (quedan 3)");
        let expected = ("StockBajo", "evt_8d5f2c1e7b3a4d6f9e0c1a2b3c4d5e6f");
        assert_eq!((message.event.as_str(), message.id.as_str()), expected);
    }

    #[tokio::test]
    async fn what_cannot_be_read_comes_again() {
        let event: SqsEvent = serde_json::from_str(UNREADABLE).unwrap();
        let ids: Vec<String> = event.records.iter().filter_map(|message| message.message_id.clone()).collect();
        let topic = Topic::new(&Aws::from_env(), "arn:aws:sns:eu-west-1:123456789012:alerts".to_owned());
        let response = notify_each(&topic, event, Deadline::after(Duration::from_secs(30))).await.unwrap();
        let failed: Vec<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(failed, ids);
    }

    #[tokio::test]
    async fn without_time_for_a_call_nothing_is_sent_and_all_come_again() {
        let event: SqsEvent = serde_json::from_str(LOW).unwrap();
        let topic = Topic::new(&Aws::from_env(), "arn:aws:sns:eu-west-1:123456789012:alerts".to_owned());
        let response = notify_each(&topic, event.clone(), Deadline::after(OPERATION_TIMEOUT)).await.unwrap();
        let failed: Vec<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(failed, [event.records[0].message_id.clone().unwrap()]);
    }
}
