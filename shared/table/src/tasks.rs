//! To-dos, and what is known of each line's restocking, which is kept beside them and moved together with them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use almacen_domain::Millis;
use almacen_domain::patch::Expected;
use almacen_domain::task::{Content, Known, Opened, Step, Task};

use crate::attr::{Item, b, n, number, required_number, required_text, s, text, truth};
use crate::calls::{Transaction, build, made, transact};
use crate::items::Page;
use crate::{TableError, keys};

/// What the index of to-dos has as its partition: all of them. A warehouse's to-dos are few; one partition takes a
/// thousand writes a second.
const KIND: &str = "task";

/// Why a to-do was not changed.
#[derive(Debug)]
pub enum ChangeError {
    /// There is no such to-do.
    NoSuchTask,
    /// It is there in another version.
    OtherVersion,
    /// The table failed.
    Table(TableError),
    /// The table did not say whether the change was made, and asking again could not tell.
    Unknown(TableError),
}

/// What came of a line's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
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
    /// [`TableError`].
    pub async fn add(&self, task: &Task) -> Result<(), TableError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(encode(task)))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await;
        // Where it is there already, it is by an earlier try of this very call, whose answer was lost.
        made(result, "add task").map(drop)
    }

    /// One to-do, as it is now.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn get(&self, id: &str) -> Result<Option<Task>, TableError> {
        self.read(id, "read task").await?.as_ref().map(decode).transpose()
    }

    async fn read(&self, id: &str, doing: &'static str) -> Result<Option<Item>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::from_sdk(doing))?;
        Ok(answer.item)
    }

    /// A page of to-dos, newest first.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn newest(
        &self,
        limit: usize,
        after: Option<(Millis, String)>,
    ) -> Result<Page<Task, (Millis, String)>, TableError> {
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
            // One more than asked for tells whether there is another page.
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(TableError::from_sdk("query tasks"))?;
        let mut found: Vec<Task> = answer.items().iter().map(decode).collect::<Result<_, _>>()?;
        let more = found.len() > limit || answer.last_evaluated_key().is_some();
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|task| (task.created_at, task.id.clone()));
        Ok(Page { examined: !found.is_empty(), found, next })
    }

    /// Replaces a to-do's content in one conditional write, and answers it as it is then.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn replace(
        &self,
        id: &str,
        content: &Content,
        expected: &Expected,
        now: Millis,
    ) -> Result<Task, ChangeError> {
        // The SDK repeats a write whose answer was lost. Replacing twice is harmless unless a version is expected: then
        // the second would find the first and report a version that does not match.
        let once = *expected != Expected::Any;
        let (condition, versions) = condition(expected);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .update_expression(
                "SET title = :title, description = :description, completed = :completed, \
                 version = version + :one, updated_at = :now",
            )
            .condition_expression(condition)
            .expression_attribute_values(":title", s(&content.title))
            .expression_attribute_values(":description", s(&content.description))
            .expression_attribute_values(":completed", b(content.completed))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, version) in versions {
            update = update.expression_attribute_values(name, version);
        }
        let error = match update.customize().config_override(retries(once)).send().await {
            Ok(answer) => {
                let task = answer.attributes().map(decode);
                return task.unwrap_or(Err(TableError::Corrupt { attribute: keys::ID })).map_err(ChangeError::Table);
            }
            Err(error) => error,
        };
        Err(match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => refused(failed.item()),
            _ => failed("replace task", once, error),
        })
    }

    /// Deletes a to-do in one conditional write.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn delete(&self, id: &str, expected: &Expected) -> Result<(), ChangeError> {
        let (condition, versions) = condition(expected);
        let mut delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, version) in versions {
            delete = delete.expression_attribute_values(name, version);
        }
        // Repeated after a lost answer it would find nothing to delete.
        let Err(error) = delete.customize().config_override(retries(true)).send().await else { return Ok(()) };
        Err(match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(failed)) => refused(failed.item()),
            _ => failed("delete task", true, error),
        })
    }

    /// What is known of a line's restocking.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn known(&self, store: &str, sku: &str) -> Result<Known, TableError> {
        let item = self.read(&keys::restock(store, sku), "read restocking").await?;
        item.as_ref().map(decode_known).transpose().map(Option::unwrap_or_default)
    }

    /// Makes `steps` and moves what is known of the line from `from` to `to`, in one transaction. A step that a person
    /// came before (who completed, deleted or rewrote the to-do) is left out.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn follow(&self, line: &Followable<'_>, now: Millis) -> Result<Followed, TableError> {
        let mut writes = vec![self.know(line)?];
        for step in line.steps {
            writes.push(self.step(step, line.content, now)?);
        }
        // Each round leaves at least one step out, so there is an end.
        loop {
            match transact(&self.client, "follow stock news", &writes).await? {
                Transaction::Written => return Ok(Followed::Done),
                Transaction::Refused(at) if at.contains(&0) => return Ok(Followed::Overtaken),
                Transaction::Refused(at) => {
                    let mut position = 0;
                    writes.retain(|_| {
                        position += 1;
                        !at.contains(&(position - 1))
                    });
                }
            }
        }
    }

    fn know(&self, line: &Followable<'_>) -> Result<TransactWriteItem, TableError> {
        let mut put = Put::builder()
            .table_name(&self.table)
            .item(keys::ID, s(keys::restock(line.store, line.sku)))
            .item("line_version", n(line.to.line_version));
        if let Some(open) = &line.to.open {
            put = put.item("task", s(&open.task)).item("since", s(&open.since));
        }
        put = if line.from.line_version == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            put.condition_expression("line_version = :seen")
                .expression_attribute_values(":seen", n(line.from.line_version))
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(build("build restocking"))?).build())
    }

    fn step(&self, step: &Step, content: &Content, now: Millis) -> Result<TransactWriteItem, TableError> {
        let update = |id: &str| {
            Update::builder()
                .table_name(&self.table)
                .key(keys::ID, s(id))
                .expression_attribute_values(":one", n(1))
                .expression_attribute_values(":no", b(false))
                .expression_attribute_values(":now", n(now))
        };
        let update = match step {
            Step::Open(id) => {
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(encode(&Task::new(id.clone(), content.clone(), now))))
                    .condition_expression("attribute_not_exists(id)")
                    .build()
                    .map_err(build("build task"))?;
                return Ok(TransactWriteItem::builder().put(put).build());
            }
            // Still as it was made: nobody has written in it.
            Step::Raise(id) => update(id)
                .update_expression("SET description = :description, version = version + :one, updated_at = :now")
                .condition_expression("version = :one AND completed = :no")
                .expression_attribute_values(":description", s(&content.description)),
            Step::Complete(id) => update(id)
                .update_expression("SET completed = :yes, version = version + :one, updated_at = :now")
                .condition_expression("completed = :no")
                .expression_attribute_values(":yes", b(true)),
        };
        Ok(TransactWriteItem::builder().update(update.build().map_err(build("build task"))?).build())
    }
}

/// A line's news, ready to be followed.
#[derive(Debug, Clone, Copy)]
pub struct Followable<'a> {
    /// Which store.
    pub store: &'a str,
    /// Which item.
    pub sku: &'a str,
    /// What was known.
    pub from: &'a Known,
    /// What is to be known.
    pub to: &'a Known,
    /// What is to be done.
    pub steps: &'a [Step],
    /// What the news say, as a to-do.
    pub content: &'a Content,
}

fn retries(once: bool) -> aws_sdk_dynamodb::config::Builder {
    let mut config = Config::builder();
    config.set_retry_config(once.then(RetryConfig::disabled));
    config
}

/// The condition that a to-do is there in one of these versions, and its values.
fn condition(expected: &Expected) -> (String, Vec<(String, AttributeValue)>) {
    match expected {
        Expected::Any => ("attribute_exists(id)".to_owned(), Vec::new()),
        // No version can match; the write is still asked for, to learn whether there is such a to-do.
        Expected::OneOf(versions) if versions.is_empty() => {
            ("attribute_exists(id) AND attribute_not_exists(id)".to_owned(), Vec::new())
        }
        Expected::OneOf(versions) => {
            let values: Vec<(String, AttributeValue)> =
                versions.iter().enumerate().map(|(at, version)| (format!(":version{at}"), n(version))).collect();
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            (format!("attribute_exists(id) AND version IN ({})", names.join(", ")), values)
        }
    }
}

fn refused(held: Option<&Item>) -> ChangeError {
    if held.is_some() { ChangeError::OtherVersion } else { ChangeError::NoSuchTask }
}

/// Codes of a write that was certainly not made.
const REJECTED: [&str; 3] = ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

fn failed<E, R>(doing: &'static str, once: bool, error: SdkError<E, R>) -> ChangeError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let rejected =
        error.as_service_error().and_then(|service| service.code()).is_some_and(|code| REJECTED.contains(&code));
    let error = TableError::from_sdk(doing)(error);
    if once && !rejected && error.is_transient() { ChangeError::Unknown(error) } else { ChangeError::Table(error) }
}

fn encode(task: &Task) -> Item {
    [
        (keys::ID, s(&task.id)),
        ("kind", s(KIND)),
        ("title", s(&task.content.title)),
        ("description", s(&task.content.description)),
        ("completed", b(task.content.completed)),
        ("version", n(task.version)),
        ("created_at", n(task.created_at)),
        ("updated_at", n(task.updated_at)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn decode(item: &Item) -> Result<Task, TableError> {
    Ok(Task {
        id: required_text(item, keys::ID)?,
        content: Content {
            title: required_text(item, "title")?,
            description: text(item, "description").unwrap_or_default(),
            completed: truth(item, "completed"),
        },
        version: required_number(item, "version")?,
        created_at: required_number(item, "created_at")?,
        updated_at: required_number(item, "updated_at")?,
    })
}

fn decode_known(item: &Item) -> Result<Known, TableError> {
    let open = text(item, "task").map(|task| Opened { task, since: text(item, "since").unwrap_or_default() });
    // Never 0, which would mean that there is no record.
    let line_version = number(item, "line_version").filter(|version| *version > 0);
    Ok(Known { line_version: line_version.ok_or(TableError::Corrupt { attribute: "line_version" })?, open })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for to in [Known { line_version: 7, open: Some(open) }, Known { line_version: 8, open: None }] {
            let line = Followable {
                store: "Berlin",
                sku: "Té",
                from: &Known::default(),
                to: &to,
                steps: &[],
                content: &task().content,
            };
            let write = tasks().know(&line).unwrap();
            assert_eq!(decode_known(write.put().unwrap().item()).unwrap(), to);
        }
        assert!(decode_known(&Item::new()).is_err());
    }

    #[test]
    fn what_is_known_moves_from_what_was_known() {
        let check = |from: i64, expected: &str| {
            let (from, to) = (Known { line_version: from, open: None }, Known { line_version: 9, open: None });
            let content = task().content;
            let line = Followable { store: "Berlin", sku: "Té", from: &from, to: &to, steps: &[], content: &content };
            let write = tasks().know(&line).unwrap();
            assert_eq!(write.put().unwrap().condition_expression(), Some(expected));
        };
        check(0, "attribute_not_exists(id)");
        check(4, "line_version = :seen");
    }

    #[test]
    fn versions_are_conditions() {
        let check = |expected, condition_text: &str, values: usize| {
            let (text, found) = condition(&expected);
            assert_eq!((text.as_str(), found.len()), (condition_text, values));
        };
        check(Expected::Any, "attribute_exists(id)", 0);
        check(Expected::OneOf(vec![3]), "attribute_exists(id) AND version IN (:version0)", 1);
        check(Expected::OneOf(vec![3, 5]), "attribute_exists(id) AND version IN (:version0, :version1)", 2);
        check(Expected::OneOf(Vec::new()), "attribute_exists(id) AND attribute_not_exists(id)", 0);
    }
}
