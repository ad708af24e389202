//! Stock lines and stores on the wire.

use almacen_domain::stock::patch::{CountChange, Patch, PatchRefusal, ThresholdChange};
use almacen_domain::stock::{COUNT_MAX, Level, StockLine};
use serde::Serialize;

use crate::error::{ApiError, Code, Detail, Text};
use crate::json::Fields;
use crate::time::rfc3339;

/// The longest reason kept, in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// One stock line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineBody {
    store: String,
    item: String,
    count: i64,
    available: i64,
    reserved: i64,
    threshold: i64,
    low: bool,
    updated_at: String,
}

impl LineBody {
    /// Of a line, where lines without a threshold of their own warn at `default_threshold`.
    #[must_use]
    pub fn of(line: StockLine, default_threshold: i64) -> Self {
        Self {
            low: line.level(default_threshold) != Level::Enough,
            threshold: line.threshold.unwrap_or(default_threshold),
            store: line.store.into(),
            item: line.sku.into(),
            count: line.on_hand,
            available: line.available,
            reserved: line.reserved,
            updated_at: rfc3339(line.updated_at),
        }
    }
}

/// A page of stock lines.
#[derive(Debug, Serialize)]
pub struct LinesBody {
    /// The lines.
    pub items: Vec<LineBody>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One store.
#[derive(Debug, Serialize)]
pub struct StoreBody {
    /// Its name.
    pub store: String,
    /// How many lines it has.
    pub lines: u64,
    /// How many of them are low.
    pub low: u64,
}

/// A page of stores.
#[derive(Debug, Serialize)]
pub struct StoresBody {
    /// The stores.
    pub stores: Vec<StoreBody>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Reads the body of `PATCH /items/{store}/{item}`.
///
/// # Errors
/// 400 naming every bad field.
pub fn patch(body: &[u8]) -> Result<Patch, ApiError> {
    let mut fields = Fields::parse(body)?;
    let set = fields.integer("count", &(0..=COUNT_MAX));
    let adjust = fields.integer("adjust", &(-COUNT_MAX..=COUNT_MAX));
    let threshold = fields.integer_or_null("threshold", &(0..=COUNT_MAX));
    let reason = fields.text("reason", REASON_CHARS_MAX).map(|text| text.trim().to_owned());
    if reason.as_deref().is_some_and(|text| text.chars().any(char::is_control)) {
        fields.problem(
            "reason",
            Text::fixed("Contiene caracteres que no se ven.", "Contains characters that cannot be seen."),
        );
    }
    if set.is_some() && adjust.is_some() {
        let text = Text::fixed("O count o adjust, no ambos.", "Either count or adjust, not both.");
        fields.problem("count", text.clone());
        fields.problem("adjust", text);
    }
    if fields.fine() && set.is_none() && adjust.is_none() && threshold.is_none() {
        fields.problem(
            "count",
            Text::fixed("Falta count, adjust o threshold.", "One of count, adjust and threshold is needed."),
        );
    }
    fields.finish()?;
    Ok(Patch {
        count: set.map(CountChange::Set).or(adjust.map(CountChange::Adjust)),
        threshold: threshold.map(|own| own.map_or(ThresholdChange::Default, ThresholdChange::Own)),
        reason: reason.filter(|text| !text.is_empty()),
    })
}

/// What the caller is told when a patch of `item` was not made.
#[must_use]
pub fn patch_refused(item: &str, refusal: PatchRefusal) -> ApiError {
    match refusal {
        PatchRefusal::NoSuchLine => ApiError::new(Code::NotFound),
        PatchRefusal::OtherVersion => ApiError::new(Code::PreconditionFailed),
        PatchRefusal::NotEnough { on_hand } => ApiError::new(Code::OutOfStock).with(Detail::new(
            "adjust",
            Text::made(format!("De {item} solo hay {on_hand}."), format!("Of {item} there are only {on_hand}.")),
        )),
        PatchRefusal::TooMany { on_hand } => ApiError::new(Code::Conflict)
            .saying(Text::fixed("La línea pasaría de la cantidad máxima.", "The line would hold more than a line may."))
            .with(Detail::new(
                "adjust",
                Text::made(
                    format!("De {item} ya hay {on_hand}; el máximo es {COUNT_MAX}."),
                    format!("Of {item} there are {on_hand} already; the most is {COUNT_MAX}."),
                ),
            )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;
    use almacen_domain::kernel::name::{Sku, StoreId};

    #[test]
    fn a_line_as_the_contract_spells_it() {
        let line = StockLine {
            store: StoreId::parse("Berlin").unwrap(),
            sku: Sku::parse("Coffee beans").unwrap(),
            on_hand: 12,
            reserved: 8,
            available: 4,
            threshold: None,
            edit_version: 3,
            moved: false,
            updated_at: 1_705_834_800_000,
        };
        assert_eq!(
            serde_json::to_string(&LinesBody { items: vec![LineBody::of(line, 5)], next: None }).unwrap(),
            r#"{"items":[{"store":"Berlin","item":"Coffee beans","count":12,"available":4,"reserved":8,"threshold":5,"low":true,"updatedAt":"2024-01-21T11:00:00Z"}]}"#
        );
        let stores = StoresBody {
            stores: vec![StoreBody { store: "Berlin".to_owned(), lines: 4, low: 1 }],
            next: Some("abc".to_owned()),
        };
        assert_eq!(
            serde_json::to_string(&stores).unwrap(),
            r#"{"stores":[{"store":"Berlin","lines":4,"low":1}],"next":"abc"}"#
        );
    }

    fn read(body: &str) -> (Option<CountChange>, Option<ThresholdChange>, Option<String>) {
        let patch = patch(body.as_bytes()).unwrap();
        (patch.count, patch.threshold, patch.reason)
    }

    #[test]
    fn good_patches() {
        assert_eq!(read(r#"{"count":0}"#), (Some(CountChange::Set(0)), None, None));
        assert_eq!(read(r#"{"adjust":-3}"#), (Some(CountChange::Adjust(-3)), None, None));
        assert_eq!(read(r#"{"threshold":7}"#), (None, Some(ThresholdChange::Own(7)), None));
        assert_eq!(read(r#"{"threshold":null}"#), (None, Some(ThresholdChange::Default), None));
        assert_eq!(
            read(r#"{"count":1000000000,"threshold":0,"reason":" roto "}"#),
            (Some(CountChange::Set(1_000_000_000)), Some(ThresholdChange::Own(0)), Some("roto".to_owned()))
        );
        assert_eq!(read(r#"{"count":1,"reason":"  "}"#).2, None);
    }

    fn told(body: &str) -> String {
        patch(body.as_bytes()).unwrap_err().body(Language::English, "r")
    }

    #[test]
    fn every_bad_field_is_named() {
        assert_eq!(
            told(r#"{"count":-1,"adjust":"x","threshold":1.5,"reason":7,"stock":1}"#),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"count","mensaje":"Must be a whole number from 0 to 1000000000."},{"campo":"adjust","mensaje":"Must be a whole number from -1000000000 to 1000000000."},{"campo":"threshold","mensaje":"Must be a whole number from 0 to 1000000000."},{"campo":"reason","mensaje":"Must be a text."},{"campo":"stock","mensaje":"This field is not known."}],"solicitudId":"r"}}"#
        );
        for (body, part) in [
            ("{}", "One of count, adjust and threshold is needed."),
            (r#"{"reason":"x"}"#, "One of count, adjust and threshold is needed."),
            (r#"{"count":1,"adjust":1}"#, "Either count or adjust, not both."),
            (r#"{"count":null}"#, "Must be a whole number"),
            (r#"{"count":1000000001}"#, "Must be a whole number"),
            (r#"{"count":1.5}"#, "Must be a whole number"),
            (r#"{"count":9223372036854775808}"#, "Must be a whole number"),
            (r#"{"count":1,"reason":"a\u0000"}"#, "cannot be seen"),
            (&format!(r#"{{"count":1,"reason":"{}"}}"#, "x".repeat(201)), "Has more than 200 characters."),
            ("[]", "Must be a JSON object."),
            ("", "Not valid JSON (line 1, column 0)."),
            ("{", "Not valid JSON"),
            (r#"{"count":1}x"#, "Not valid JSON"),
        ] {
            assert!(told(body).contains(part), "{body}: {}", told(body));
        }
        assert!(patch(b"{\"count\":\xff}").is_err());
        assert!(patch("[".repeat(10_000).as_bytes()).is_err());
    }

    #[test]
    fn a_refused_patch_says_what_there_is() {
        assert_eq!(
            patch_refused("Té", PatchRefusal::NotEnough { on_hand: 2 }).body(Language::Spanish, "r"),
            r#"{"error":{"codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"adjust","mensaje":"De Té solo hay 2."}],"solicitudId":"r"}}"#
        );
        assert_eq!(patch_refused("Té", PatchRefusal::NoSuchLine).code(), Code::NotFound);
        assert_eq!(patch_refused("Té", PatchRefusal::OtherVersion).code(), Code::PreconditionFailed);
        assert_eq!(patch_refused("Té", PatchRefusal::TooMany { on_hand: 2 }).code(), Code::Conflict);
    }
}
