//! To-dos, and the restock record of each line (`restock#…`), which changes in one transaction with its to-do.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValue, ReturnValuesOnConditionCheckFailure, Update};

use almacen_domain::Millis;
use almacen_domain::kernel::precondition::{Precondition, PreconditionFailed};
use almacen_domain::stock::task::{Content, Opened, RestockState, Task, TaskStep};

use crate::keys;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, b, item, n, number, required_number, required_text, s, text, truth};
use almacen_dynamo::calls::{condition_held, retries};
use almacen_dynamo::page::{Page, limit_for};
use almacen_dynamo::transaction::{Commit, Transaction};
use almacen_dynamo::version::{VersionCondition, Versioned as _, why_refused};

/// What the index of to-dos has as its partition: all of them. A warehouse's to-dos are few; one partition takes a
/// thousand writes a second.
const KIND: &str = "task";

/// What came of a line's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestockOutcome {
    /// Everything is as the news say, but for what a person had done before.
    Done,
    /// Other news of the line were followed meanwhile: read what is known again.
    Overtaken,
}

/// The Tasks table.
#[derive(Debug, Clone)]
pub struct Tasks {
    client: Client,
    table: String,
}

impl Tasks {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Keeps a new to-do whose id nobody knows yet.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn add(&self, task: &Task) -> Result<(), DynamoError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(encode(task)))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await;
        // Where it is there already, it is by an earlier try of this very call, whose answer was lost.
        condition_held(result, "add task").map(drop)
    }

    /// One to-do, as it is now.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get(&self, id: &str) -> Result<Option<Task>, DynamoError> {
        self.read(id, "read task").await?.as_ref().map(decode).transpose()
    }

    async fn read(&self, id: &str, doing: &'static str) -> Result<Option<Item>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk(doing))?;
        Ok(answer.item)
    }

    /// A page of to-dos, newest first.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn list_recent(
        &self,
        limit: usize,
        after: Option<(Millis, String)>,
    ) -> Result<Page<Task, (Millis, String)>, DynamoError> {
        let start = after.map(|(created_at, id)| {
            [("kind".to_owned(), s(KIND)), ("created_at".to_owned(), n(created_at)), (keys::ID.to_owned(), s(id))]
                .into()
        });
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::NEWEST_INDEX)
            .key_condition_expression("kind = :task")
            .expression_attribute_values(":task", s(KIND))
            .scan_index_forward(false)
            .limit(limit_for(limit))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(DynamoError::from_sdk("query tasks"))?;
        let found: Vec<Task> = answer.items().iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Page::cut(found, limit, answer.last_evaluated_key.is_some(), |task| (task.created_at, task.id.clone())))
    }

    /// Replaces a to-do's content in one conditional write, and answers it as it is then, or why it was not changed.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn replace(
        &self,
        id: &str,
        content: &Content,
        expected: &Precondition,
        now: Millis,
    ) -> Result<Result<Task, PreconditionFailed>, DynamoError> {
        // The SDK repeats a write whose answer was lost. Replacing twice is harmless unless a version is expected: then
        // the second would find the first and report a version that does not match.
        let once = *expected != Precondition::Any;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .update_expression(
                "SET title = :title, description = :description, completed = :completed, \
                 version = version + :one, updated_at = :now",
            )
            .only_if(VersionCondition::expected("version", expected))
            .expression_attribute_values(":title", s(&content.title))
            .expression_attribute_values(":description", s(&content.description))
            .expression_attribute_values(":completed", b(content.completed))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match update.customize().config_override(retries(!once)).send().await {
            Ok(answer) => {
                let task = answer.attributes().map(decode);
                return task.unwrap_or(Err(DynamoError::Malformed { attribute: keys::ID })).map(Ok);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Err(why_refused(failed.item()))),
            _ if once => Err(DynamoError::from_write("replace task")(error)),
            _ => Err(DynamoError::from_sdk("replace task")(error)),
        }
    }

    /// Deletes a to-do in one conditional write, or says why it was not deleted.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn delete(
        &self,
        id: &str,
        expected: &Precondition,
    ) -> Result<Result<(), PreconditionFailed>, DynamoError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .only_if(VersionCondition::expected("version", expected))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // Repeated after a lost answer it would find nothing to delete.
        let Err(error) = delete.customize().config_override(retries(false)).send().await else { return Ok(Ok(())) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(failed)) => Ok(Err(why_refused(failed.item()))),
            _ => Err(DynamoError::from_write("delete task")(error)),
        }
    }

    /// What is known of a line's restocking.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn restock_state(&self, store: &str, sku: &str) -> Result<RestockState, DynamoError> {
        let item = self.read(&keys::restock(store, sku), "read restocking").await?;
        item.as_ref().map(decode_restock_state).transpose().map(Option::unwrap_or_default)
    }

    /// Makes `steps` and moves what is known of the line from `from` to `to`, in one transaction. A step that a person
    /// came before (who completed, deleted or rewrote the to-do) is left out.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn apply_restock(&self, line: &RestockUpdate<'_>, now: Millis) -> Result<RestockOutcome, DynamoError> {
        let mut transaction = Transaction::new("follow stock news");
        transaction.add(Named::RestockState, self.put_restock_state(line))?;
        for (at, step) in line.steps.iter().enumerate() {
            self.step(&mut transaction, Named::TaskStep(at), step, line.content, now)?;
        }
        // Each round leaves at least one step out, so there is an end.
        loop {
            match transaction.commit(&self.client).await? {
                Commit::Written => return Ok(RestockOutcome::Done),
                Commit::Refused(parts) if parts.contains(&Named::RestockState) => return Ok(RestockOutcome::Overtaken),
                Commit::Refused(parts) => transaction.leave_out(&parts),
            }
        }
    }

    fn put_restock_state(&self, line: &RestockUpdate<'_>) -> PutBuilder {
        let mut put = Put::builder()
            .table_name(&self.table)
            .item(keys::ID, s(keys::restock(line.store, line.sku)))
            .item("line_version", n(line.to.line_version));
        if let Some(open) = &line.to.open {
            put = put.item("task", s(&open.task)).item("since", s(&open.since));
        }
        put.only_if(VersionCondition::seen("line_version", line.from.line_version))
    }

    fn step(
        &self,
        transaction: &mut Transaction<Named>,
        part: Named,
        step: &TaskStep,
        content: &Content,
        now: Millis,
    ) -> Result<(), DynamoError> {
        let update = |id: &str| {
            Update::builder()
                .table_name(&self.table)
                .key(keys::ID, s(id))
                .expression_attribute_values(":one", n(1))
                .expression_attribute_values(":no", b(false))
                .expression_attribute_values(":now", n(now))
        };
        let update = match step {
            TaskStep::Open(id) => {
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(encode(&Task::new(id.clone(), content.clone(), now))))
                    .condition_expression("attribute_not_exists(id)");
                return transaction.add(part, put);
            }
            // Still as it was made: nobody has written in it.
            TaskStep::Raise(id) => update(id)
                .update_expression("SET description = :description, version = version + :one, updated_at = :now")
                .condition_expression("version = :one AND completed = :no")
                .expression_attribute_values(":description", s(&content.description)),
            TaskStep::Complete(id) => update(id)
                .update_expression("SET completed = :yes, version = version + :one, updated_at = :now")
                .condition_expression("completed = :no")
                .expression_attribute_values(":yes", b(true)),
        };
        transaction.add(part, update)
    }
}

/// The writes that follow a line's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// What is known of the line.
    RestockState,
    /// A step, by its position.
    TaskStep(usize),
}

/// A line's news, ready to be followed.
#[derive(Debug, Clone, Copy)]
pub struct RestockUpdate<'a> {
    /// Which store.
    pub store: &'a str,
    /// Which item.
    pub sku: &'a str,
    /// What was known.
    pub from: &'a RestockState,
    /// What is to be known.
    pub to: &'a RestockState,
    /// What is to be done.
    pub steps: &'a [TaskStep],
    /// What the news say, as a to-do.
    pub content: &'a Content,
}

fn encode(task: &Task) -> Item {
    item([
        (keys::ID, s(&task.id)),
        ("kind", s(KIND)),
        ("title", s(&task.content.title)),
        ("description", s(&task.content.description)),
        ("completed", b(task.content.completed)),
        ("version", n(task.version)),
        ("created_at", n(task.created_at)),
        ("updated_at", n(task.updated_at)),
    ])
}

fn decode(item: &Item) -> Result<Task, DynamoError> {
    Ok(Task {
        id: required_text(item, keys::ID)?,
        content: Content {
            title: required_text(item, "title")?,
            description: text(item, "description")?.unwrap_or_default(),
            completed: truth(item, "completed")?,
        },
        version: required_number(item, "version")?,
        created_at: required_number(item, "created_at")?,
        updated_at: required_number(item, "updated_at")?,
    })
}

fn decode_restock_state(item: &Item) -> Result<RestockState, DynamoError> {
    let since = text(item, "since")?.unwrap_or_default();
    let open = text(item, "task")?.map(|task| Opened { task, since });
    // Never 0, which would mean that there is no record.
    let line_version = number(item, "line_version")?.filter(|version| *version > 0);
    Ok(RestockState { line_version: line_version.ok_or(DynamoError::Malformed { attribute: "line_version" })?, open })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::Config;

    fn task() -> Task {
        let content = Content { title: "Contar".to_owned(), description: String::new(), completed: true };
        Task { version: 3, updated_at: 9, ..Task::new("task_1".to_owned(), content, 7) }
    }

    #[test]
    fn a_task_is_read_back_as_it_was() {
        assert_eq!(decode(&encode(&task())).unwrap(), task());
        assert!(decode(&Item::new()).is_err());
    }

    fn tasks() -> Tasks {
        Tasks::new(Client::from_conf(Config::builder().behavior_version_latest().build()), "Tasks".to_owned())
    }

    #[test]
    fn what_is_known_is_read_back_as_it_was() {
        let open = Opened { task: "task_1".to_owned(), since: "2024-01-21T11:00:00Z".to_owned() };
        for to in [RestockState { line_version: 7, open: Some(open) }, RestockState { line_version: 8, open: None }] {
            let line = RestockUpdate {
                store: "Berlin",
                sku: "Té",
                from: &RestockState::default(),
                to: &to,
                steps: &[],
                content: &task().content,
            };
            let put = tasks().put_restock_state(&line).build().unwrap();
            assert_eq!(decode_restock_state(put.item()).unwrap(), to);
        }
        assert!(decode_restock_state(&Item::new()).is_err());
    }

    #[test]
    fn what_is_known_moves_from_what_was_known() {
        let check = |from: i64, expected: &str| {
            let (from, to) =
                (RestockState { line_version: from, open: None }, RestockState { line_version: 9, open: None });
            let content = task().content;
            let line =
                RestockUpdate { store: "Berlin", sku: "Té", from: &from, to: &to, steps: &[], content: &content };
            let put = tasks().put_restock_state(&line).build().unwrap();
            assert_eq!(put.condition_expression(), Some(expected));
        };
        check(0, "attribute_not_exists(line_version)");
        check(4, "line_version = :seen_version");
    }
}
