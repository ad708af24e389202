//! The one place where a failure below becomes an answer. The caller is told the code; the cause goes to the log, once.

use almacen_contract::error::{Code, Refusal, Text};
use almacen_contract::items::patch_refused;
use almacen_files::FilesError;
use almacen_lambda_kit::log::chain;
use almacen_table::TableError;
use almacen_table::items::PatchError;

/// For a table that did not do what it should.
pub(crate) fn table(error: TableError) -> Refusal {
    tracing::error!(error = chain(&error), "table failed");
    Refusal::new(match error {
        TableError::Unavailable { .. } => Code::Unavailable,
        TableError::Refused { .. } | TableError::Corrupt { .. } => Code::Internal,
    })
}

/// For a patch of `item` that was not made, or perhaps was.
pub(crate) fn patch(item: &str, error: PatchError) -> Refusal {
    match error {
        PatchError::Refused(reason) => patch_refused(item, reason),
        PatchError::Table(error) => table(error),
        PatchError::Unknown(error) => table(error).saying(Text::fixed(
            "No se sabe si el cambio se hizo; lea la línea antes de repetirlo.",
            "It is not known whether the change was made; read the line before you repeat it.",
        )),
    }
}

/// For a link that could not be made.
pub(crate) fn files(error: FilesError) -> Refusal {
    tracing::error!(error = chain(&error), "link could not be made");
    match error {
        FilesError::Missing | FilesError::TooLarge | FilesError::Failed { .. } => Refusal::new(Code::Internal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::patch::PatchRefusal;

    #[test]
    fn causes_stay_inside() {
        let cause = || "arn:aws:dynamodb:eu-west-1:123456789012:table/Inventory is throttled".into();
        let unavailable = || TableError::Unavailable { doing: "read line", source: cause() };
        let refused = TableError::Refused { doing: "read line", source: cause() };
        let check = |refusal: Refusal, status, code: &str| {
            let body = refusal.body(Language::English, "r");
            assert_eq!(refusal.code().status(), status);
            assert!(body.contains(code) && !body.contains("arn:") && !body.contains("read line:"), "{body}");
        };
        check(table(unavailable()), 503, "NO_DISPONIBLE");
        check(table(refused), 500, "ERROR_INTERNO");
        check(table(TableError::Corrupt { attribute: "sku" }), 500, "ERROR_INTERNO");
        check(patch("Té", PatchError::Unknown(unavailable())), 503, "not known whether");
        check(patch("Té", PatchError::Table(unavailable())), 503, "NO_DISPONIBLE");
        check(patch("Té", PatchError::Refused(PatchRefusal::OtherVersion)), 412, "PRECONDICION_FALLIDA");
        check(patch("Té", PatchError::Refused(PatchRefusal::NotEnough { on_hand: 1 })), 409, "SIN_STOCK");
        check(files(FilesError::Missing), 500, "ERROR_INTERNO");
    }
}
