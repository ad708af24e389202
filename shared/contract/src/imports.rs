//! Imports on the wire.

use std::collections::BTreeMap;

use almacen_domain::kernel::name::{NameError, clean};
use almacen_domain::stock::import::{Counters, Import, Mode};
use serde::{Serialize, Serializer};

use crate::error::{ApiError, Detail, Text};
use crate::json::Fields;
use crate::time::rfc3339;

/// The longest file name, in characters.
pub const FILE_NAME_CHARS_MAX: usize = 200;

/// What `POST /imports` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// The file's name; it may stand below `stores/<store>/`, which names the store of a file without a store column.
    pub file_name: String,
    /// Set or adjust.
    pub mode: Mode,
    /// Only say what would change.
    pub dry_run: bool,
}

/// Reads the body of `POST /imports`.
///
/// # Errors
/// 400 naming every bad field.
pub fn new_import(body: &[u8]) -> Result<NewImport, ApiError> {
    let mut fields = Fields::parse(body)?;
    let given = fields.required_text("fileName", FILE_NAME_CHARS_MAX);
    let mode = fields.word("mode", "set | adjust", Mode::parse).unwrap_or_default();
    let dry_run = fields.flag("dryRun").unwrap_or_default();
    let file_name = given.and_then(|name| match file_name(&name) {
        Ok(name) => Some(name),
        Err(text) => {
            fields.problem("fileName", text);
            None
        }
    });
    fields.finish()?;
    // A missing or bad name is among the problems, so it has ended above.
    Ok(NewImport { file_name: file_name.unwrap_or_default(), mode, dry_run })
}

/// A name that is one segment of an object's key, or one below `stores/<store>/`.
fn file_name(name: &str) -> Result<String, Text> {
    let cleaned = clean(name, FILE_NAME_CHARS_MAX).map_err(|error| match error {
        NameError::Blank => Text::fixed("No puede quedar vacío.", "Must not be blank."),
        NameError::TooLong { max } => {
            Text::made(format!("Tiene más de {max} caracteres."), format!("Has more than {max} characters."))
        }
        NameError::Control => {
            Text::fixed("Contiene caracteres que no se ven.", "Contains characters that cannot be seen.")
        }
    })?;
    let segments: Vec<&str> = cleaned.split('/').collect();
    let shape = match segments.as_slice() {
        [file] => is_segment(file),
        ["stores", store, file] => is_segment(store) && is_segment(file),
        _ => false,
    };
    if shape && !cleaned.contains('\\') {
        Ok(cleaned.into_owned())
    } else {
        Err(Text::fixed(
            "Debe ser un nombre de archivo, o stores/<tienda>/<archivo>.",
            "Must be a file name, or stores/<store>/<file>.",
        ))
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.trim().is_empty() && !segment.contains("..") && segment != "."
}

/// Where the file is to be sent.
#[derive(Debug, Serialize)]
pub struct UploadBody {
    /// A presigned address.
    pub url: String,
    /// `PUT`.
    pub method: &'static str,
    /// Headers that must go with it.
    pub headers: BTreeMap<String, String>,
}

/// The answer to `POST /imports`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedBody {
    /// `imp_…`.
    pub import_id: String,
    /// Where the file is to be sent.
    pub upload: UploadBody,
    /// Until when that works.
    pub expires_at: String,
}

/// Links to what an import left behind; each valid for a few minutes.
#[derive(Debug, Default)]
pub struct Links {
    /// The report, JSON.
    pub report: Option<String>,
    /// The rejected rows, CSV.
    pub rejected: Option<String>,
}

/// One import.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportBody {
    import_id: String,
    file_name: String,
    mode: &'static str,
    dry_run: bool,
    status: &'static str,
    #[serde(serialize_with = "permille")]
    progress: u64,
    counters: CountersBody,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct CountersBody {
    rows: u64,
    changed: u64,
    unchanged: u64,
    created: u64,
    rejected: u64,
    stale: u64,
}

impl From<Counters> for CountersBody {
    fn from(Counters { rows, changed, unchanged, created, rejected, stale }: Counters) -> Self {
        Self { rows, changed, unchanged, created, rejected, stale }
    }
}

/// Thousandths as 0..1; whole where they are.
fn permille<S: Serializer>(permille: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match *permille {
        0 => serializer.serialize_u8(0),
        1000.. => serializer.serialize_u8(1),
        part => serializer.serialize_f64(part as f64 / 1000.0),
    }
}

impl ImportBody {
    /// Of an import, with links to what it left behind.
    #[must_use]
    pub fn of(import: Import, links: Links) -> Self {
        Self {
            progress: import.progress_permille(),
            mode: import.mode.as_str(),
            status: import.state.as_str(),
            import_id: import.id,
            file_name: import.file_name,
            dry_run: import.dry_run,
            counters: import.counters.into(),
            created_at: rfc3339(import.created_at),
            finished_at: import.finished_at.map(rfc3339),
            failure: import.failure,
            report_url: links.report,
            rejected_url: links.rejected,
        }
    }
}

/// A page of imports.
#[derive(Debug, Serialize)]
pub struct ImportsBody {
    /// The imports, newest first.
    pub imports: Vec<ImportBody>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The path parameter `{id}`.
///
/// # Errors
/// 400 where it cannot be an import's id.
pub fn import_id(id: &str) -> Result<&str, ApiError> {
    let tail = id.strip_prefix("imp_").unwrap_or_default();
    if (1..=64).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id)
    } else {
        let text = Text::fixed("No es el número de una importación.", "This is not an import's id.");
        Err(ApiError::invalid(vec![Detail::new("id", text)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;
    use almacen_domain::stock::import::State;

    #[test]
    fn an_import_as_the_contract_spells_it() {
        let mut import = Import {
            id: "imp_1".to_owned(),
            file_name: "a.csv".to_owned(),
            mode: Mode::Set,
            dry_run: false,
            state: State::Running,
            counters: Counters { rows: 5, changed: 1, unchanged: 1, created: 1, rejected: 1, stale: 1 },
            rows_total: Some(8),
            created_at: 1_705_834_800_000,
            finished_at: None,
            failure: None,
            report_key: None,
            rejected_key: None,
        };
        let text = |import: &Import, links| serde_json::to_string(&ImportBody::of(import.clone(), links)).unwrap();
        assert_eq!(
            text(&import, Links::default()),
            r#"{"importId":"imp_1","fileName":"a.csv","mode":"set","dryRun":false,"status":"running","progress":0.625,"counters":{"rows":5,"changed":1,"unchanged":1,"created":1,"rejected":1,"stale":1},"createdAt":"2024-01-21T11:00:00Z"}"#
        );
        import.state = State::Failed;
        import.mode = Mode::Adjust;
        import.finished_at = Some(1_705_834_801_000);
        import.failure = Some("no header".to_owned());
        assert_eq!(
            text(&import, Links { report: Some("https://r".to_owned()), rejected: Some("https://x".to_owned()) }),
            r#"{"importId":"imp_1","fileName":"a.csv","mode":"adjust","dryRun":false,"status":"failed","progress":1,"counters":{"rows":5,"changed":1,"unchanged":1,"created":1,"rejected":1,"stale":1},"createdAt":"2024-01-21T11:00:00Z","finishedAt":"2024-01-21T11:00:01Z","failure":"no header","reportUrl":"https://r","rejectedUrl":"https://x"}"#
        );
    }

    #[test]
    fn good_requests() {
        let read = |body: &str| new_import(body.as_bytes()).unwrap();
        assert_eq!(
            read(r#"{"fileName":"x.csv"}"#),
            NewImport { file_name: "x.csv".to_owned(), mode: Mode::Set, dry_run: false }
        );
        assert_eq!(
            read(r#"{"fileName":"stores/São Paulo/stock.csv","mode":"adjust","dryRun":true}"#),
            NewImport { file_name: "stores/São Paulo/stock.csv".to_owned(), mode: Mode::Adjust, dry_run: true }
        );
    }

    #[test]
    fn bad_names_are_refused() {
        for name in [
            "",
            " ",
            "../x.csv",
            "a/b.csv",
            "stores/x.csv",
            "stores//x.csv",
            "stores/../x.csv",
            "stores/a/b/x.csv",
            "/x.csv",
            "x/",
            ".",
            "a\\b.csv",
            "a\\u0000.csv",
            "a\\u202e.csv",
            &"x".repeat(201),
        ] {
            let name = name.replace("\\b", "\\\\b");
            assert!(new_import(format!(r#"{{"fileName":"{name}"}}"#).as_bytes()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        assert_eq!(
            new_import(br#"{"mode":"add","dryRun":"yes","file":"x"}"#).unwrap_err().body(Language::English, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"fileName","mensaje":"Is missing."},{"campo":"mode","mensaje":"Must be set | adjust."},{"campo":"dryRun","mensaje":"Must be true or false."},{"campo":"file","mensaje":"This field is not known."}],"solicitudId":"r"}}"#
        );
        assert!(import_id("imp_8d5f").is_ok());
        for id in ["", "imp_", "8d5f", "imp_a/b", "imp_ñ", &format!("imp_{}", "a".repeat(65))] {
            assert!(import_id(id).is_err(), "{id}");
        }
    }
}
