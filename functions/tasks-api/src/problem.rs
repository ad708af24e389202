//! The one place where a failure below becomes an answer. The caller is told the code; the cause goes to the log, once.

use almacen_contract::error::{Code, Refusal, Text};
use almacen_lambda_kit::log::chain;
use almacen_table::TableError;
use almacen_table::tasks::ChangeError;

/// For a table that did not do what it should.
pub(crate) fn table(error: TableError) -> Refusal {
    tracing::error!(error = chain(&error), "table failed");
    Refusal::new(match error {
        TableError::Unavailable { .. } => Code::Unavailable,
        TableError::Refused { .. } | TableError::Corrupt { .. } => Code::Internal,
    })
}

/// For a change that was not made, or perhaps was.
pub(crate) fn change(error: ChangeError) -> Refusal {
    match error {
        ChangeError::NoSuchTask => Refusal::new(Code::NotFound),
        ChangeError::OtherVersion => Refusal::new(Code::PreconditionFailed),
        ChangeError::Table(error) => table(error),
        ChangeError::Unknown(error) => table(error).saying(Text::fixed(
            "No se sabe si el cambio se hizo; lea la tarea antes de repetirlo.",
            "It is not known whether the change was made; read the task before you repeat it.",
        )),
    }
}

/// For a to-do that was not added, or perhaps was.
pub(crate) fn added(error: TableError) -> Refusal {
    let unknown = error.is_transient();
    table(error).saying_if(
        unknown,
        Text::fixed(
            "No se sabe si la tarea se creó; búsquela antes de repetirla.",
            "It is not known whether the task was added; look for it before you repeat it.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;

    #[test]
    fn causes_stay_inside() {
        let cause = || "arn:aws:dynamodb:eu-west-1:123456789012:table/Tasks is throttled".into();
        let unavailable = || TableError::Unavailable { doing: "read task", source: cause() };
        let check = |refusal: Refusal, status, text: &str| {
            let body = refusal.body(Language::English, "r");
            assert_eq!(refusal.code().status(), status);
            assert!(body.contains(text) && !body.contains("arn:") && !body.contains("read task:"), "{body}");
        };
        check(table(unavailable()), 503, "NO_DISPONIBLE");
        check(table(TableError::Refused { doing: "read task", source: cause() }), 500, "ERROR_INTERNO");
        check(table(TableError::Corrupt { attribute: "title" }), 500, "ERROR_INTERNO");
        check(added(unavailable()), 503, "not known whether");
        check(added(TableError::Refused { doing: "read task", source: cause() }), 500, "ERROR_INTERNO");
        check(change(ChangeError::NoSuchTask), 404, "NO_ENCONTRADO");
        check(change(ChangeError::OtherVersion), 412, "PRECONDICION_FALLIDA");
        check(change(ChangeError::Table(unavailable())), 503, "NO_DISPONIBLE");
        check(change(ChangeError::Unknown(unavailable())), 503, "not known whether");
    }
}
