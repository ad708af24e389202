//! To-dos on the wire.

use almacen_domain::kernel::name::NameError;
use almacen_domain::stock::task::{self, Content, DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, Task};
use serde::Serialize;

use crate::error::{ApiError, Text};
use crate::json::Fields;
use crate::time::rfc3339;

/// One to-do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskBody {
    id: String,
    title: String,
    description: String,
    completed: bool,
    created_at: String,
    updated_at: String,
}

impl From<Task> for TaskBody {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            title: task.content.title,
            description: task.content.description,
            completed: task.content.completed,
            created_at: rfc3339(task.created_at),
            updated_at: rfc3339(task.updated_at),
        }
    }
}

/// A page of to-dos.
#[derive(Debug, Serialize)]
pub struct TasksBody {
    /// The to-dos, newest first.
    pub tasks: Vec<TaskBody>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Reads the body of `POST /tasks` and of `PUT /tasks/{id}`, which replaces all of it: a title, and with it a
/// description (none where it is not there) and whether it is completed (not where it is not there).
///
/// # Errors
/// 400 naming every bad field.
pub fn content(body: &[u8]) -> Result<Content, ApiError> {
    let mut fields = Fields::parse(body)?;
    let title = fields.required_text("title", TITLE_CHARS_MAX);
    let title = title.and_then(|text| checked(&mut fields, "title", task::title(&text)));
    let description = fields.text("description", DESCRIPTION_CHARS_MAX);
    let description = description.and_then(|text| checked(&mut fields, "description", task::description(&text)));
    let completed = fields.flag("completed").unwrap_or_default();
    fields.finish()?;
    // A missing or bad title is among the problems, so it has ended above.
    Ok(Content { title: title.unwrap_or_default(), description: description.unwrap_or_default(), completed })
}

fn checked(fields: &mut Fields, field: &str, text: Result<String, NameError>) -> Option<String> {
    text.map_err(|error| fields.problem(field, Text::name(error))).ok()
}

/// The id of a to-do in a path. Anything else is refused before a table is asked: other records live beside the to-dos.
///
/// # Errors
/// 400 naming `id`.
pub fn task_id(text: &str) -> Result<&str, ApiError> {
    let digits = text.strip_prefix("task_").unwrap_or_default();
    let valid = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid {
        Ok(text)
    } else {
        Err(ApiError::invalid_field(
            "id",
            Text::fixed("No es el identificador de una tarea.", "This is not the id of a task."),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;

    #[test]
    fn a_task_as_the_contract_spells_it() {
        let content = Content { title: "Contar".to_owned(), description: "a\nb".to_owned(), completed: true };
        let mut task = Task::new("task_1".to_owned(), content, 1_705_834_800_000);
        task.updated_at += 1_000;
        assert_eq!(
            serde_json::to_string(&TasksBody { tasks: vec![task.into()], next: Some("abc".to_owned()) }).unwrap(),
            r#"{"tasks":[{"id":"task_1","title":"Contar","description":"a\nb","completed":true,"createdAt":"2024-01-21T11:00:00Z","updatedAt":"2024-01-21T11:00:01Z"}],"next":"abc"}"#
        );
        assert_eq!(serde_json::to_string(&TasksBody { tasks: Vec::new(), next: None }).unwrap(), r#"{"tasks":[]}"#);
    }

    fn read(body: &str) -> (String, String, bool) {
        let content = content(body.as_bytes()).unwrap();
        (content.title, content.description, content.completed)
    }

    #[test]
    fn good_contents() {
        let check = |body: &str, title: &str, description: &str, completed: bool| {
            assert_eq!(read(body), (title.to_owned(), description.to_owned(), completed), "{body}");
        };
        check(r#"{"title":" Contar el té "}"#, "Contar el té", "", false);
        check(r#"{"title":"a","description":"b\r\nc","completed":true}"#, "a", "b\nc", true);
        check(r#"{"title":"a","description":"","completed":false}"#, "a", "", false);
    }

    fn told(body: &str) -> String {
        content(body.as_bytes()).unwrap_err().body(Language::English, "r")
    }

    #[test]
    fn every_bad_field_is_named() {
        assert_eq!(
            told(r#"{"title":" ","description":7,"completed":"yes","id":"task_1"}"#),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"title","mensaje":"Must not be blank."},{"campo":"description","mensaje":"Must be a text."},{"campo":"completed","mensaje":"Must be true or false."},{"campo":"id","mensaje":"This field is not known."}],"solicitudId":"r"}}"#
        );
        for (body, part) in [
            ("{}", r#"{"campo":"title","mensaje":"Is missing."}"#),
            (r#"{"title":null}"#, "Must be a text."),
            (r#"{"title":"a\nb"}"#, "cannot be seen"),
            (r#"{"title":"a","description":"\u0000"}"#, "cannot be seen"),
            (r#"{"title":"a","completed":null}"#, "Must be true or false."),
            (r#"{"title":"a","completed":1}"#, "Must be true or false."),
            (r#"{"title":"a","title":"b"}"#, "Is there twice."),
            (&format!(r#"{{"title":"{}"}}"#, "x".repeat(401)), "Has more than 400 characters."),
            (&format!(r#"{{"title":"a","description":"{}"}}"#, "x".repeat(2_001)), "Has more than 2000 characters."),
            ("[]", "Must be a JSON object."),
            ("", "Not valid JSON"),
        ] {
            assert!(told(body).contains(part), "{body}: {}", told(body));
        }
    }

    #[test]
    fn only_the_id_of_a_task_is_one() {
        assert!(task_id("task_0123456789abcdef0123456789abcdef").is_ok());
        for bad in [
            "",
            "task_",
            "task_0123456789ABCDEF0123456789abcdef",
            "task_0123456789abcdef0123456789abcdef0",
            "imp_0123456789abcdef0123456789abcdef",
            "restock#Berlin",
            "../x",
        ] {
            assert!(task_id(bad).is_err(), "{bad}");
        }
    }
}
