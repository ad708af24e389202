//! To-dos of the warehouse over HTTP: parse the request, call the table, answer.
//!
//! To-dos have no owner: every operator sees and changes all of them. `open-tasks` writes to the same table when a line
//! goes low or is refilled.

use almacen_aws_client::Aws;
use almacen_clock::{now_ms, random};
use almacen_contract::error::{ApiError, Code, RequestError};
use almacen_contract::tasks::{TaskBody, TasksBody};
use almacen_domain::stock::task::Task;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply, etag};
use almacen_lambda_kit::query::PageRequest;
use almacen_table::stock::tasks::Tasks;

pub mod request;

use request::{Request, after_task};

/// The function and what it talks to.
#[derive(Debug)]
pub struct TasksApi {
    tasks: Tasks,
    http: Http,
}

impl TasksApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        Self {
            tasks: Tasks::new(almacen_dynamo::client(aws), env.required("TASKS_TABLE")),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }
}

impl HttpFunction for TasksApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        match Request::read(&request)? {
            Request::List(PageRequest { limit, after }) => {
                let page = self.tasks.list_recent(limit, after).await?;
                let tasks = page.found.into_iter().map(TaskBody::from).collect();
                Reply::json(200, &TasksBody { tasks, next: page.next.as_ref().map(after_task) })
            }
            Request::Add { content, by } => {
                let task = Task::new(random::id("task"), content, now_ms());
                self.tasks.add(&task).await?;
                tracing::info!(task = task.id, by, "task added");
                one(201, task)
            }
            Request::One(id) => {
                let task = self.tasks.get(&id).await?;
                let task = task.ok_or_else(|| ApiError::new(Code::NotFound))?;
                if request.has_already(task.version) {
                    return Ok(Reply::empty(304).with("etag", etag(task.version)));
                }
                one(200, task)
            }
            Request::Replace { id, content, expected, by } => {
                let task = self.tasks.replace(&id, &content, &expected, now_ms()).await?.map_err(ApiError::from)?;
                tracing::info!(task = task.id, version = task.version, by, "task replaced");
                one(200, task)
            }
            Request::Delete { id, expected, by } => {
                self.tasks.delete(&id, &expected).await?.map_err(ApiError::from)?;
                tracing::info!(task = id, by, "task deleted");
                Ok(Reply::empty(204))
            }
        }
    }
}

fn one(status: u16, task: Task) -> Result<Reply, RequestError> {
    let tag = etag(task.version);
    Ok(Reply::json(status, &TaskBody::from(task))?.with("etag", tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_task_and_its_etag() {
        let content = almacen_domain::stock::task::Content {
            title: "Contar".to_owned(),
            description: String::new(),
            completed: false,
        };
        let reply = one(201, Task::new("task_1".to_owned(), content, 0)).unwrap();
        assert!(format!("{reply:?}").contains(r#"("etag", "\"1\"")"#), "{reply:?}");
    }
}
