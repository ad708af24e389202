//! What can stop an import's work. What is wrong with a *file* is no error: see [`FileRefusal`].

use almacen_contract::error::Unserialisable;
use almacen_dynamo::DynamoError;
use almacen_files::FilesError;
use almacen_queue::QueueError;
use almacen_stock_csv::{FileProblem, Lang};

/// The work stopped; the message comes again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A table.
    #[error("import: table")]
    Table(#[from] DynamoError),
    /// An object.
    #[error("import: object")]
    Files(#[from] FilesError),
    /// A queue.
    #[error("import: queue")]
    Queue(#[from] QueueError),
    /// An event that cannot be written as JSON: a bug in this code.
    #[error("import: event")]
    Event(#[from] Unserialisable),
    /// The invocation's time is nearly up. What was done is kept.
    #[error("import: out of time; the rest comes again")]
    OutOfTime,
    /// Somebody else has worked on the part since it was given to us: its lease ran out, or a person meddled.
    #[error("import: another worker has worked on the part")]
    Overtaken,
    /// A message or a record that our own programs wrote is not what they write.
    #[error("import: malformed {0}")]
    Malformed(&'static str),
}

/// Why a file is refused whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRefusal {
    /// A stable name for programs.
    pub code: &'static str,
    /// For people, in Spanish.
    pub es: String,
    /// For people, in English.
    pub en: String,
}

impl From<FileProblem> for FileRefusal {
    fn from(problem: FileProblem) -> Self {
        Self { code: problem.code(), es: problem.text(Lang::Es), en: problem.text(Lang::En) }
    }
}

impl FileRefusal {
    /// More bytes than a file may have.
    #[must_use]
    pub fn too_large(max: u64) -> Self {
        let mib = max / (1024 * 1024);
        Self {
            code: "FILE_TOO_LARGE",
            es: format!(
                "El archivo es demasiado grande: se admiten hasta {mib} MiB, ya descomprimido. Divídalo y suba las partes."
            ),
            en: format!(
                "The file is too large: up to {mib} MiB are taken, decompressed. Split it and upload the parts."
            ),
        }
    }

    /// The file could not be read through in the time that one invocation has, several times.
    #[must_use]
    pub fn too_slow() -> Self {
        Self {
            code: "FILE_TOO_SLOW",
            es: "El archivo no se pudo leer entero en el tiempo previsto. Divídalo y suba las partes.".to_owned(),
            en: "The file could not be read to its end in time. Split it and upload the parts.".to_owned(),
        }
    }

    /// So many stores with such long names that the plan of the work finds no place in a record.
    #[must_use]
    pub fn too_many_names() -> Self {
        Self {
            code: "TOO_MANY_NAMES",
            es: "Los nombres de columnas y tiendas son demasiados o demasiado largos. Divida el archivo por tiendas."
                .to_owned(),
            en: "The names of columns and stores are too many or too long. Split the file by store.".to_owned(),
        }
    }

    /// The work failed at its last try.
    #[must_use]
    pub fn broken_off() -> Self {
        Self {
            code: "BROKEN_OFF",
            es: "La importación falló una y otra vez y se dio por perdida. Lo que ya estaba escrito se queda; mire la tienda antes de subir el archivo otra vez.".to_owned(),
            en: "The import failed again and again and was given up. What was written stays; look at the store before you upload the file again.".to_owned(),
        }
    }

    /// All messages that asked for the work were given up before a function had taken them.
    #[must_use]
    pub fn not_worked_on() -> Self {
        Self {
            code: "NOT_WORKED_ON",
            es: "No se trabajó en la importación hasta el final: el sistema estaba demasiado ocupado y la dio por perdida. Al archivo no le pasa nada, y lo que ya estaba escrito se queda. Un administrador puede reanudarla; si no, mire la tienda antes de subir el archivo otra vez.".to_owned(),
            en: "The import was not worked on to its end: the system was too busy and gave it up. Nothing is wrong with the file, and what was written stays. An administrator can resume it; else look at the store before you upload the file again.".to_owned(),
        }
    }

    /// The gzip stream ends early or is damaged.
    #[must_use]
    pub fn damaged_gzip() -> Self {
        Self {
            code: "DAMAGED_GZIP",
            es: "El archivo gzip está dañado o incompleto. Vuelva a comprimirlo y súbalo otra vez.".to_owned(),
            en: "The gzip file is damaged or incomplete. Compress it again and upload it again.".to_owned(),
        }
    }

    /// The object's metadata asks for something that there is not.
    #[must_use]
    pub fn bad_metadata() -> Self {
        Self {
            code: "BAD_METADATA",
            es: "Los metadatos del objeto no se entienden: `mode` es `set` o `adjust`, `dry-run` es `true` o `false`."
                .to_owned(),
            en: "The object's metadata is not understood: `mode` is `set` or `adjust`, `dry-run` is `true` or `false`."
                .to_owned(),
        }
    }

    /// A second file under an import that has its file: a repeated upload must not add twice.
    #[must_use]
    pub fn surplus() -> Self {
        Self {
            code: "ALREADY_UPLOADED",
            es: "Esta importación ya tenía su archivo. Cree otra importación para subir otro.".to_owned(),
            en: "This import already had its file. Create another import to upload another.".to_owned(),
        }
    }

    /// The object was removed before it was read.
    #[must_use]
    pub fn gone() -> Self {
        Self {
            code: "FILE_GONE",
            es: "El archivo fue borrado antes de poder leerlo.".to_owned(),
            en: "The file was deleted before it could be read.".to_owned(),
        }
    }
}
