//! The one place where a failure below becomes an answer. The caller is told the code; the cause goes to the log, once.

use almacen_contract::error::{Code, Refusal, Text};
use almacen_lambda_kit::log::chain;
use almacen_table::TableError;

/// For a table that did not do what it should.
pub(crate) fn table(error: TableError) -> Refusal {
    tracing::error!(error = chain(&error), "table failed");
    Refusal::new(match error {
        TableError::Unavailable { .. } => Code::Unavailable,
        TableError::Refused { .. } | TableError::Corrupt { .. } => Code::Internal,
    })
}

/// For a cart that was not stored, or perhaps was.
pub(crate) fn save(error: TableError) -> Refusal {
    let unknown = error.is_transient();
    table(error).saying_if(
        unknown,
        Text::fixed(
            "No se sabe si el cambio se hizo; lea el carrito antes de repetirlo.",
            "It is not known whether the change was made; read the cart before you repeat it.",
        ),
    )
}

/// For a change that was made, and then could not be shown.
pub(crate) fn after_change(refusal: Refusal) -> Refusal {
    refusal.saying(Text::fixed(
        "El cambio se hizo, pero el carrito no se puede mostrar ahora; léalo en un momento.",
        "The change was made, but the cart cannot be shown now; read it in a moment.",
    ))
}

/// For a cart that others changed faster, again and again. Nothing was written.
pub(crate) fn contended() -> Refusal {
    tracing::warn!("others were faster");
    Refusal::new(Code::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;

    #[test]
    fn causes_stay_inside() {
        let cause = || "arn:aws:dynamodb:eu-west-1:123456789012:table/Carts is throttled".into();
        let unavailable = || TableError::Unavailable { doing: "save cart", source: cause() };
        let refused = TableError::Refused { doing: "save cart", source: cause() };
        let check = |refusal: Refusal, status, code: &str| {
            let body = refusal.body(Language::English, "r");
            assert_eq!(refusal.code().status(), status);
            assert!(body.contains(code) && !body.contains("arn:") && !body.contains("save cart"), "{body}");
        };
        check(table(unavailable()), 503, "NO_DISPONIBLE");
        check(save(unavailable()), 503, "not known whether");
        check(save(refused), 500, "ERROR_INTERNO");
        check(table(TableError::Corrupt { attribute: "lines" }), 500, "ERROR_INTERNO");
        check(contended(), 503, "NO_DISPONIBLE");
        check(after_change(table(unavailable())), 503, "The change was made");
    }
}
