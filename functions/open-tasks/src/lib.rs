//! Low stock opens a to-do, a refill completes it.
//!
//! Trigger: RestockQueue, which EventsTopic fills with StockBajo, StockAgotado and StockRepuesto, more than once and in
//! any order. Each event carries the version of the line that it happened with. `almacen_domain::stock::task::restock`
//! compares it with the version that was followed last; an event that is not newer does nothing. What was followed
//! (`restock#…` in Tasks) moves in **one transaction** with the to-do, on condition that neither was changed meanwhile.
//! A message that cannot be read is delivered again until it is a dead letter.
//!
//! Invariant: once all events of a line have arrived, in whatever order and however often, it has one open to-do if the
//! newest says low, and none if the newest says refilled, unless a person decided otherwise: a to-do that somebody
//! completed, deleted or rewrote is left so for as long as the line stays low.

pub mod news;

use almacen_aws_client::Aws;
use almacen_clock::now_ms;
use almacen_domain::stock::task::restock;
use almacen_lambda_kit::batch;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_table::stock::tasks::{RestockOutcome, RestockUpdate, Tasks};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Context;

use crate::news::News;

/// How often news are weighed anew because others of the same line came before. A line has few at a time.
const TRIES: u32 = 8;

/// The function and what it talks to.
#[derive(Debug)]
pub struct OpenTasks {
    tasks: Tasks,
}

impl OpenTasks {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self { tasks: Tasks::new(almacen_dynamo::client(aws), env.required("TASKS_TABLE")) }
    }
}

impl Function for OpenTasks {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn handle(&self, event: SqsEvent, _context: Context) -> Result<SqsBatchResponse, Failure> {
        follow_each(&self.tasks, event).await
    }
}

/// Follows the news of each message.
///
/// # Errors
/// When a message without an id failed.
async fn follow_each(tasks: &Tasks, event: SqsEvent) -> Result<SqsBatchResponse, Failure> {
    batch::each(event, |message| async move {
        let news = News::read(message.body.as_deref().unwrap_or_default())
            .map_err(|what| Failure { kind: "Unreadable", message: format!("no news of a line: {what}") })?;
        follow(tasks, &news).await
    })
    .await
}

async fn follow(tasks: &Tasks, news: &News) -> Result<(), Failure> {
    let (store, sku) = (news.store.as_str(), news.sku.as_str());
    let content = news.content();
    for _ in 0..TRIES {
        let known = tasks.restock_state(store, sku).await?;
        let Some((to, steps)) = restock(&known, &news.of_line()) else {
            tracing::info!(event = news.id, store, "known already");
            return Ok(());
        };
        let line = RestockUpdate { store, sku, from: &known, to: &to, steps: &steps, content: &content };
        if tasks.apply_restock(&line, now_ms()).await? == RestockOutcome::Done {
            tracing::info!(event = news.id, store, steps = steps.len(), "followed");
            return Ok(());
        }
    }
    Err(Failure { kind: "Contended", message: "other news of the line came before again and again".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::stock::task::{RestockState, TaskStep};

    fn sample(text: &str) -> Vec<String> {
        let event: SqsEvent = serde_json::from_str(text).unwrap();
        event.records.into_iter().map(|message| message.body.unwrap()).collect()
    }

    #[test]
    fn what_the_sample_events_lead_to() {
        let mut known = RestockState::default();
        let mut follow = |text: &str| {
            let news = News::read(&sample(text)[0]).unwrap();
            let (to, steps) = restock(&known, &news.of_line()).unwrap();
            known = to;
            (steps, news.content())
        };
        let (opened, low) = follow(include_str!("../../../events/open-tasks/low.json"));
        let [TaskStep::Open(id)] = opened.as_slice() else { panic!("{opened:?}") };
        assert_eq!(id, "task_5c7b9f6b9d7755f4a5cc4ecd78c9619e");
        assert_eq!(low.title, "Reponer «Echo Dot» en Berlin");
        assert_eq!(
            low.description,
            "Stock bajo: quedan 3 (umbral: 5).\nReservadas por pedidos: 2.\nDesde: 2024-01-21 11:00:00 UTC."
        );
        assert!(!low.completed);

        let (raised, out) = follow(include_str!("../../../events/open-tasks/out.json"));
        assert_eq!(raised, [TaskStep::Raise(id.clone())]);
        assert_eq!(
            out.description,
            "Agotado: no queda ninguna unidad a la venta (umbral: 5).\nDesde: 2024-01-21 11:00:00 UTC."
        );

        let (completed, _) = follow(include_str!("../../../events/open-tasks/refilled.json"));
        assert_eq!(completed, [TaskStep::Complete(id.clone())]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_comes_again() {
        let event: SqsEvent = serde_json::from_str(include_str!("../../../events/open-tasks/unreadable.json")).unwrap();
        let ids: Vec<String> = event.records.iter().filter_map(|message| message.message_id.clone()).collect();
        let tasks = Tasks::new(almacen_dynamo::client(&Aws::from_env()), "Tasks".to_owned());
        let response = follow_each(&tasks, event).await.unwrap();
        let failed: Vec<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(failed, ids);
    }
}
