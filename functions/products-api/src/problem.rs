//! The one place where a failure below becomes an answer. The caller is told the code; the cause goes to the log, once.

use almacen_contract::error::{Code, Refusal, Text};
use almacen_contract::products::{no_category, sku_taken, store_busy};
use almacen_files::FilesError;
use almacen_lambda_kit::log::chain;
use almacen_table::TableError;
use almacen_table::products::Outcome;

/// For a table that did not do what it should.
pub(crate) fn table(error: TableError) -> Refusal {
    tracing::error!(error = chain(&error), "table failed");
    Refusal::new(match error {
        TableError::Unavailable { .. } => Code::Unavailable,
        TableError::Refused { .. } | TableError::Corrupt { .. } => Code::Internal,
    })
}

/// For a product that was not made, or perhaps was: whoever makes it again would have it twice.
pub(crate) fn unknown(error: TableError) -> Refusal {
    let unknown = error.is_transient();
    table(error).saying_if(
        unknown,
        Text::fixed(
            "No se sabe si el producto se creó; búsquelo antes de repetirlo.",
            "It is not known whether the product was made; look for it before you repeat it.",
        ),
    )
}

/// For a link that could not be made.
pub(crate) fn files(error: FilesError) -> Refusal {
    tracing::error!(error = chain(&error), "link could not be made");
    match error {
        FilesError::Missing | FilesError::TooLarge | FilesError::Failed { .. } => Refusal::new(Code::Internal),
    }
}

/// For a change that was not made; `Ok` for one that was.
pub(crate) fn outcome(outcome: Outcome) -> Result<(), Refusal> {
    match outcome {
        Outcome::Made => Ok(()),
        Outcome::NoCategory => Err(no_category()),
        Outcome::SkuTaken => Err(sku_taken()),
        Outcome::StoreBusy => Err(store_busy()),
        Outcome::Moved => Err(Refusal::new(Code::Conflict)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;

    #[test]
    fn causes_stay_inside() {
        let cause = || "arn:aws:dynamodb:eu-west-1:123456789012:table/Products is throttled".into();
        let check = |refusal: Refusal, status| {
            let body = refusal.body(Language::English, "r");
            assert_eq!(refusal.code().status(), status);
            assert!(!body.contains("arn:") && !body.contains("read product"), "{body}");
        };
        check(table(TableError::Unavailable { doing: "read product", source: cause() }), 503);
        check(table(TableError::Refused { doing: "read product", source: cause() }), 500);
        check(table(TableError::Corrupt { attribute: "name" }), 500);
        check(files(FilesError::Missing), 500);
        check(unknown(TableError::Unavailable { doing: "create product", source: cause() }), 503);
        check(unknown(TableError::Refused { doing: "create product", source: cause() }), 500);
    }

    #[test]
    fn what_a_refused_change_is_called() {
        let status = |one| outcome(one).err().map(|refusal| refusal.code().status());
        assert_eq!(status(Outcome::Made), None);
        assert_eq!(status(Outcome::NoCategory), Some(400));
        assert_eq!(status(Outcome::SkuTaken), Some(409));
        assert_eq!(status(Outcome::StoreBusy), Some(503));
        assert_eq!(status(Outcome::Moved), Some(409));
    }
}
