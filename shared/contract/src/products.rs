//! The catalogue on the wire: products, their lists, reviews, categories.

use std::collections::{BTreeMap, BTreeSet};

use almacen_domain::Millis;
use almacen_domain::catalogue::image::{LIST_WIDTH, WIDTHS, rendition_key};
use almacen_domain::catalogue::{
    CATEGORY_CHARS_MAX, COMMENT_CHARS_MAX, Category, DESCRIPTION_CHARS_MAX, Draft, DraftPrice, NAME_CHARS_MAX,
    PriceError, Product, RATING_MAX, Review, SPECIFICATION_NAME_CHARS_MAX, SPECIFICATION_VALUE_CHARS_MAX,
    SPECIFICATIONS_MAX, SkuChange, TAG_CHARS_MAX, TAGS_MAX,
};
use almacen_domain::kernel::id;
use almacen_domain::kernel::money::Currency;
use almacen_domain::kernel::name::{Sku, clean};
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::stock::COUNT_MAX;
use serde::Serialize;
use serde_json::Value;
use twox_hash::XxHash3_64;

use crate::error::{ApiError, Code, Detail, Text};
use crate::json::Fields;
use crate::money::{Amount, amount_refused};
use crate::time::rfc3339;

/// What a list shows of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductBody {
    id: String,
    nombre: String,
    descripcion: String,
    precio: Amount,
    moneda: String,
    categoria: String,
    url_imagen: Option<String>,
    stock: i64,
    calificacion: f64,
    cantidad_resenas: i64,
}

impl ProductBody {
    /// Of a product whose pictures are found under `images_url`.
    #[must_use]
    pub fn of(product: &Product, images_url: &str) -> Self {
        Self {
            id: product.id.clone(),
            nombre: product.name.clone(),
            descripcion: product.description.clone(),
            precio: Amount(product.price),
            moneda: product.price.currency.as_str().to_owned(),
            categoria: product.category.clone(),
            url_imagen: product.images.first().map(|key| image_url(images_url, key, LIST_WIDTH)),
            stock: product.stock,
            // Tenths: never enough digits for a float to get wrong.
            calificacion: product.rating_tenths() as f64 / 10.0,
            cantidad_resenas: product.rating_count,
        }
    }
}

fn image_url(images_url: &str, key: &str, width: u32) -> String {
    format!("{}/{}", images_url.trim_end_matches('/'), rendition_key(key, width))
}

/// One product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OneProductBody {
    #[serde(flatten)]
    listed: ProductBody,
    imagenes: Vec<String>,
    especificaciones: BTreeMap<String, String>,
    sku: Option<String>,
    etiquetas: Vec<String>,
    creado_en: String,
    actualizado_en: String,
}

impl OneProductBody {
    /// Of a product whose pictures are found under `images_url`.
    #[must_use]
    pub fn of(product: &Product, images_url: &str) -> Self {
        let [full, ..] = WIDTHS;
        Self {
            listed: ProductBody::of(product, images_url),
            imagenes: product.images.iter().map(|key| image_url(images_url, key, full)).collect(),
            especificaciones: product.specifications.clone(),
            sku: product.sku.as_ref().map(|sku| sku.as_str().to_owned()),
            etiquetas: product.tags.clone(),
            creado_en: rfc3339(product.created_at),
            actualizado_en: rfc3339(product.updated_at),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct PageBody<T> {
    /// What is on it.
    pub datos: Vec<T>,
    /// Where it stands.
    pub paginacion: Pagination,
}

/// A list that is whole.
#[derive(Debug, Serialize)]
pub struct ListBody<T> {
    /// What is in it.
    pub datos: Vec<T>,
}

/// Where a page stands in its list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    pagina: usize,
    limite: usize,
    total: usize,
    total_paginas: usize,
}

impl Pagination {
    /// Page `page`, counted from 1, of a list of `total` cut after every `limit`.
    #[must_use]
    pub fn new(page: usize, limit: usize, total: usize) -> Self {
        Self { pagina: page, limite: limit, total, total_paginas: total.div_ceil(limit.max(1)) }
    }
}

/// What is answered to `POST /productos`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedBody {
    /// `prod_…`.
    pub id: String,
    /// Its name.
    pub nombre: String,
    /// Where a picture of it can be PUT.
    pub url_carga_imagen: String,
    /// When it was made.
    pub creado_en: String,
}

/// The entity tag of a product as it is shown. Above the lowest 32 bits it is the version, which grows with every change
/// by hand; below, it follows from what changes by itself, so that `If-None-Match` never calls an old stock current.
#[must_use]
pub fn tag(product: &Product) -> i64 {
    let shown: Vec<u8> = [product.stock, product.rating_sum, product.rating_count].map(i64::to_be_bytes).concat();
    let low = XxHash3_64::oneshot(&shown) & 0xffff_ffff;
    ((product.version & 0x7fff_ffff) << 32) | i64::try_from(low).unwrap_or_default()
}

/// The versions that `If-Match` is content with. A sale or a review in between does not stop an editor.
#[must_use]
pub fn versions(expected: Precondition) -> Precondition {
    match expected {
        Precondition::Any => Precondition::Any,
        Precondition::OneOf(tags) => Precondition::OneOf(tags.into_iter().map(|tag| tag >> 32).collect()),
    }
}

/// What `POST /productos` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// What is said of it.
    pub draft: Draft,
    /// Units to begin with, for the default store.
    pub stock: Option<i64>,
}

/// Reads the body of `POST /productos`.
///
/// # Errors
/// 400 naming every bad field.
pub fn new_product(body: &[u8]) -> Result<NewProduct, ApiError> {
    let mut fields = Fields::parse(body)?;
    let stock = fields.integer("stock", &(0..=COUNT_MAX));
    let draft = draft(&mut fields, Some(Currency::USD));
    fields.finish()?;
    Ok(NewProduct { draft: draft.ok_or_else(|| ApiError::new(Code::Validation))?, stock })
}

/// Reads the body of `PUT /productos/{id}`.
///
/// # Errors
/// 400 naming every bad field.
pub fn changed_product(body: &[u8]) -> Result<Draft, ApiError> {
    let mut fields = Fields::parse(body)?;
    if fields.take("stock").is_some() {
        fields.problem(
            "stock",
            Text::fixed("Solo lo cambia el almacén (PATCH /items).", "Only the warehouse changes it (PATCH /items)."),
        );
    }
    let draft = draft(&mut fields, None);
    fields.finish()?;
    draft.ok_or_else(|| ApiError::new(Code::Validation))
}

/// `None` where a problem was named. `default` is the currency of a body that names none.
fn draft(fields: &mut Fields, default: Option<Currency>) -> Option<Draft> {
    let name = line(fields, "nombre", NAME_CHARS_MAX);
    let description = prose(fields, "descripcion", DESCRIPTION_CHARS_MAX);
    let price = price(fields, default);
    let category = line(fields, "categoriaId", CATEGORY_CHARS_MAX);
    let sku = match fields.take("sku") {
        None => SkuChange::Keep,
        Some(Value::Null) => SkuChange::Remove,
        Some(Value::String(text)) => match Sku::parse(&text) {
            Ok(sku) => SkuChange::Sell(sku),
            Err(error) => {
                fields.reject(Detail::name("sku", error));
                SkuChange::Keep
            }
        },
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            fields.problem("sku", Text::fixed("Debe ser un texto.", "Must be a text."));
            SkuChange::Keep
        }
    };
    let tags = tags(fields);
    let specifications = specifications(fields);
    Some(Draft {
        name: name?,
        description: description?,
        price: price?,
        category: category?,
        sku,
        tags,
        specifications,
    })
}

/// The price in the currency that the body names, wherever it stands in it, or else in `default`.
fn price(fields: &mut Fields, default: Option<Currency>) -> Option<DraftPrice> {
    fields.require("precio");
    let named = fields.take("moneda");
    let currency = named.as_ref().map_or(default, |value| value.as_str().and_then(Currency::parse));
    // Without a currency the number alone is looked at: what none could have is refused at once.
    let price = match currency {
        Some(currency) => fields.amount("precio", currency).map(DraftPrice::Money),
        None => fields.amount_of_any("precio").map(DraftPrice::SameCurrency),
    };
    if named.is_some() && currency.is_none() {
        fields.problem(
            "moneda",
            Text::fixed(
                "Debe ser el código ISO 4217 de una moneda, como USD.",
                "Must be the ISO 4217 code of a currency, such as USD.",
            ),
        );
    }
    price
}

/// 400 for a price that is no amount of the currency that the product has.
#[must_use]
pub fn price_refused(refused: PriceError) -> ApiError {
    ApiError::invalid_field("precio", amount_refused(refused.error, Some(refused.currency)))
}

/// A text of one line that must be there.
fn line(fields: &mut Fields, name: &str, max: usize) -> Option<String> {
    // Longer texts are refused by their cleaned form; this only keeps a very long one from being cleaned.
    let text = fields.required_text(name, max.saturating_mul(4))?;
    match clean(&text, max) {
        Ok(text) => Some(text.into_owned()),
        Err(error) => {
            fields.reject(Detail::name(name, error));
            None
        }
    }
}

/// A text that may have several lines, and must be there and not be blank.
fn prose(fields: &mut Fields, name: &str, max: usize) -> Option<String> {
    let text = fields.required_text(name, max)?.trim().to_owned();
    readable(fields, name, text)
}

fn readable(fields: &mut Fields, name: &str, text: String) -> Option<String> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        fields.problem(
            name,
            Text::fixed("Contiene caracteres que no se ven.", "Contains characters that cannot be seen."),
        );
        return None;
    }
    Some(text)
}

fn tags(fields: &mut Fields) -> Vec<String> {
    let list = match fields.take("etiquetas") {
        None => return Vec::new(),
        Some(Value::Array(list)) if list.len() <= TAGS_MAX => list,
        Some(_) => {
            fields.problem(
                "etiquetas",
                Text::made(
                    format!("Debe ser una lista de hasta {TAGS_MAX} textos."),
                    format!("Must be a list of at most {TAGS_MAX} texts."),
                ),
            );
            return Vec::new();
        }
    };
    let mut tags = Vec::with_capacity(list.len());
    let mut known = BTreeSet::new();
    for (position, value) in list.iter().enumerate() {
        let field = format!("etiquetas[{position}]");
        match value.as_str().map(|text| clean(text, TAG_CHARS_MAX)) {
            // The same tag twice is one tag.
            Some(Ok(tag)) => {
                if known.insert(tag.to_lowercase()) {
                    tags.push(tag.into_owned());
                }
            }
            Some(Err(error)) => fields.reject(Detail::name(&field, error)),
            None => fields.problem(&field, Text::fixed("Debe ser un texto.", "Must be a text.")),
        }
    }
    tags
}

fn specifications(fields: &mut Fields) -> BTreeMap<String, String> {
    let map = match fields.take("especificaciones") {
        None => return BTreeMap::new(),
        Some(Value::Object(map)) if map.len() <= SPECIFICATIONS_MAX => map,
        Some(_) => {
            fields.problem(
                "especificaciones",
                Text::made(
                    format!("Debe ser un objeto de hasta {SPECIFICATIONS_MAX} nombres con su valor."),
                    format!("Must be an object of at most {SPECIFICATIONS_MAX} names with their values."),
                ),
            );
            return BTreeMap::new();
        }
    };
    let mut specifications = BTreeMap::new();
    for (name, value) in map {
        let field = format!("especificaciones.{name}");
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                fields.problem(&field, Text::fixed("Debe ser un texto o un número.", "Must be a text or a number."));
                continue;
            }
        };
        match (clean(&name, SPECIFICATION_NAME_CHARS_MAX), clean(&text, SPECIFICATION_VALUE_CHARS_MAX)) {
            (Ok(name), Ok(value)) => {
                if specifications.insert(name.into_owned(), value.into_owned()).is_some() {
                    fields.problem(&field, Text::fixed("Está dos veces.", "Is there twice."));
                }
            }
            (Err(error), _) | (_, Err(error)) => fields.reject(Detail::name(&field, error)),
        }
    }
    specifications
}

/// What the caller is told where a product names a category that is none.
#[must_use]
pub fn no_category() -> ApiError {
    ApiError::invalid_field(
        "categoriaId",
        Text::fixed("No existe esa categoría (GET /categorias).", "There is no such category (GET /categorias)."),
    )
}

/// What the caller is told where another product sells the item.
#[must_use]
pub fn sku_taken() -> ApiError {
    let text = || Text::fixed("Otro producto ya vende este sku.", "Another product sells this sku already.");
    ApiError::new(Code::Conflict).saying(text()).with(Detail::new("sku", text()))
}

/// One review.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewBody {
    id: String,
    producto_id: String,
    calificacion: i64,
    comentario: String,
    creado_en: String,
}

impl ReviewBody {
    /// Of a review. Who wrote it is not told; its id follows from that, and cannot be turned back.
    #[must_use]
    pub fn of(review: Review) -> Self {
        Self {
            id: id::derived("res", &[&review.product, &review.user]),
            producto_id: review.product,
            calificacion: review.rating,
            comentario: review.comment,
            creado_en: rfc3339(review.created_at),
        }
    }
}

/// Reads the body of `POST /productos/{id}/resenas`.
///
/// # Errors
/// 400 naming every bad field.
pub fn review(body: &[u8], product: String, user: String, now: Millis) -> Result<Review, ApiError> {
    let mut fields = Fields::parse(body)?;
    fields.require("calificacion");
    let rating = fields.integer("calificacion", &(1..=RATING_MAX));
    let comment = fields.text("comentario", COMMENT_CHARS_MAX).unwrap_or_default().trim().to_owned();
    let comment = readable(&mut fields, "comentario", comment);
    fields.finish()?;
    match (rating, comment) {
        (Some(rating), Some(comment)) => Ok(Review { product, user, rating, comment, created_at: now }),
        _ => Err(ApiError::new(Code::Validation)),
    }
}

/// 409: the caller has reviewed this product already.
#[must_use]
pub fn reviewed_before() -> ApiError {
    ApiError::new(Code::Conflict)
        .saying(Text::fixed("Ya escribió una reseña de este producto.", "You have reviewed this product already."))
}

/// One category.
#[derive(Debug, Serialize)]
pub struct CategoryBody {
    id: String,
    nombre: String,
}

impl CategoryBody {
    /// Of a category.
    #[must_use]
    pub fn of(category: Category) -> Self {
        Self { id: category.id, nombre: category.name }
    }
}

/// Reads the body of `POST /categorias`.
///
/// # Errors
/// 400 naming every bad field.
pub fn category(body: &[u8]) -> Result<Category, ApiError> {
    let mut fields = Fields::parse(body)?;
    let name = line(&mut fields, "nombre", CATEGORY_CHARS_MAX);
    let category = name.as_deref().and_then(Category::named);
    if name.is_some() && category.is_none() {
        fields.problem("nombre", Text::fixed("Debe tener una letra o una cifra.", "Must have a letter or a digit."));
    }
    fields.finish()?;
    category.ok_or_else(|| ApiError::new(Code::Validation))
}

/// What the caller is told where a category of this id is there.
#[must_use]
pub fn category_taken(id: &str) -> ApiError {
    ApiError::new(Code::Conflict)
        .saying(Text::made(format!("Ya existe la categoría {id}."), format!("There is a category {id} already.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;
    use almacen_domain::kernel::money::{AmountError, Decimal, Money};

    const BODY: &str = r#"{"nombre":" Echo Dot ","descripcion":"Altavoz.\nCon voz.","precio":99.99,"categoriaId":"electronicos",
        "stock":45,"sku":"ECHO","etiquetas":["Voz","voz","casa"],"especificaciones":{"peso":"300 g","vatios":15.5}}"#;

    fn product() -> Product {
        let mut product =
            new_product(BODY.as_bytes()).unwrap().draft.made("prod_1".to_owned(), 1_705_834_800_000).unwrap();
        (product.stock, product.rating_sum, product.rating_count) = (45, 576, 128);
        product.images = vec!["p/prod_1/a".to_owned()];
        product
    }

    #[test]
    fn a_product_as_the_contract_spells_it() {
        assert_eq!(
            serde_json::to_string(&ProductBody::of(&product(), "https://img.example/")).unwrap(),
            r#"{"id":"prod_1","nombre":"Echo Dot","descripcion":"Altavoz.\nCon voz.","precio":99.99,"moneda":"USD","categoria":"electronicos","urlImagen":"https://img.example/p/prod_1/a-800.jpg","stock":45,"calificacion":4.5,"cantidadResenas":128}"#
        );
        assert_eq!(
            serde_json::to_string(&OneProductBody::of(
                &Product { images: vec![], rating_count: 0, ..product() },
                "https://img.example"
            ))
            .unwrap(),
            r#"{"id":"prod_1","nombre":"Echo Dot","descripcion":"Altavoz.\nCon voz.","precio":99.99,"moneda":"USD","categoria":"electronicos","urlImagen":null,"stock":45,"calificacion":0.0,"cantidadResenas":0,"imagenes":[],"especificaciones":{"peso":"300 g","vatios":"15.5"},"sku":"ECHO","etiquetas":["Voz","casa"],"creadoEn":"2024-01-21T11:00:00Z","actualizadoEn":"2024-01-21T11:00:00Z"}"#
        );
        let page: PageBody<()> = PageBody { datos: vec![], paginacion: Pagination::new(1, 20, 156) };
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"datos":[],"paginacion":{"pagina":1,"limite":20,"total":156,"totalPaginas":8}}"#
        );
    }

    #[test]
    fn what_a_body_says() {
        let new = new_product(BODY.as_bytes()).unwrap();
        assert_eq!(new.stock, Some(45));
        assert_eq!(new.draft.sku, SkuChange::Sell(Sku::parse("ECHO").unwrap()));
        let least = r#"{"nombre":"a","descripcion":"b","precio":0,"categoriaId":"c","moneda":"EUR","sku":null}"#;
        let draft = changed_product(least.as_bytes()).unwrap();
        let nothing = DraftPrice::Money(Money::new(0, Currency::parse("EUR").unwrap()));
        assert_eq!((draft.price, draft.sku), (nothing, SkuChange::Remove));
        assert_eq!(
            changed_product(br#"{"stock":1}"#).unwrap_err().body(Language::English, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"stock","mensaje":"Only the warehouse changes it (PATCH /items)."},{"campo":"nombre","mensaje":"Is missing."},{"campo":"descripcion","mensaje":"Is missing."},{"campo":"precio","mensaje":"Is missing."},{"campo":"categoriaId","mensaje":"Is missing."}],"solicitudId":"r"}}"#
        );
    }

    #[test]
    fn a_price_has_at_most_the_decimals_of_its_currency() {
        let body = |price: &str| format!(r#"{{"nombre":"a","descripcion":"b","categoriaId":"c",{price}}}"#);
        let new = |price: &str| {
            let told = |refusal: ApiError| refusal.body(Language::English, "r");
            new_product(body(price).as_bytes()).map(|new| new.draft.price).map_err(told)
        };
        for (price, code, minor) in [
            (r#""precio":19990,"moneda":"CLP""#, "CLP", 19_990),
            (r#""moneda":"CLP","precio":19990.00"#, "CLP", 19_990),
            (r#""precio":1.234,"moneda":"KWD""#, "KWD", 1_234),
            (r#""moneda":"JPY","precio":1E+2"#, "JPY", 100),
            (r#""precio":1E+2"#, "USD", 10_000),
        ] {
            assert_eq!(new(price), Ok(DraftPrice::Money(Money::new(minor, Currency::parse(code).unwrap()))), "{price}");
        }
        for (price, problem) in [
            (r#""precio":19.9,"moneda":"CLP""#, r#"{"campo":"precio","mensaje":"Must have no decimals (CLP)."}"#),
            (r#""moneda":"CLP","precio":19.9"#, r#"{"campo":"precio","mensaje":"Must have no decimals (CLP)."}"#),
            (r#""precio":1.2345,"moneda":"KWD""#, r#"{"campo":"precio","mensaje":"Has more than 3 decimals (KWD)."}"#),
            (r#""precio":1.234"#, r#"{"campo":"precio","mensaje":"Has more than 2 decimals (USD)."}"#),
            (
                r#""precio":10000000.001,"moneda":"KWD""#,
                r#"{"campo":"precio","mensaje":"Must be between 0 and 10000000 (KWD)."}"#,
            ),
            (
                r#""precio":1.2345,"moneda":"XXX""#,
                r#"{"campo":"precio","mensaje":"Has more than 3 decimals."},{"campo":"moneda","#,
            ),
        ] {
            let told = new(price).unwrap_err();
            assert!(told.contains(problem), "{price}: {told}");
        }
        // Which currency the product has is known only where it is read.
        let kept = changed_product(body(r#""precio":1.234"#).as_bytes()).unwrap().price;
        assert_eq!(kept, DraftPrice::SameCurrency(Decimal::parse("1.234").unwrap()));
        let refused = price_refused(PriceError { error: AmountError::TooPrecise, currency: Currency::USD });
        assert_eq!(
            refused.body(Language::Spanish, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"precio","mensaje":"Tiene más de 2 decimales (USD)."}],"solicitudId":"r"}}"#
        );
    }

    #[test]
    fn every_bad_field_is_named() {
        let bad = |field: &str, value: &str| {
            let mut body: serde_json::Map<String, Value> = serde_json::from_str(BODY).unwrap();
            body.insert(field.to_owned(), serde_json::from_str(value).unwrap());
            let told = new_product(&serde_json::to_vec(&body).unwrap()).unwrap_err().body(Language::English, "r");
            assert!(told.contains(&format!(r#""campo":"{field}"#)), "{field} {value}: {told}");
        };
        let long = |n: usize| format!("\"{}\"", "ñ".repeat(n));
        for value in ["1", "null", "\" \"", "\"a\\u0000\"", "\"a\\nb\"", &long(NAME_CHARS_MAX + 1), &long(9_999)] {
            bad("nombre", value);
        }
        for value in ["1", "\"\"", "\"a\\u0007\"", &long(DESCRIPTION_CHARS_MAX + 1)] {
            bad("descripcion", value);
        }
        for value in ["-1", "19.999", "\"1\"", "null", "100000000.01"] {
            bad("precio", value);
        }
        for value in ["\"XXX\"", "\"usd\"", "1", "null"] {
            bad("moneda", value);
        }
        for value in ["-1", "1.5", "\"1\"", "1000000001", "null"] {
            bad("stock", value);
        }
        for value in ["1", "\"\"", &long(201)] {
            bad("sku", value);
        }
        let many = format!("[{}]", vec!["\"a\""; TAGS_MAX + 1].join(","));
        for value in ["1", "null", "[1]", "[\"\"]", "{}", &many, &format!("[{}]", long(TAG_CHARS_MAX + 1))] {
            bad("etiquetas", value);
        }
        for value in ["1", "[]", "null", "{\"a\":null}", "{\"a\":{}}", "{\"\":\"x\"}", "{\"a\":\"x\",\" a\":\"y\"}"] {
            bad("especificaciones", value);
        }
        bad("precioo", "1");
    }

    #[test]
    fn reviews_and_categories() {
        let read = |body: &str| review(body.as_bytes(), "prod_1".to_owned(), "u".to_owned(), 7);
        assert_eq!(read(r#"{"calificacion":5,"comentario":" Muy bueno. "}"#).unwrap().comment, "Muy bueno.");
        assert_eq!(read(r#"{"calificacion":1}"#).unwrap().comment, "");
        for body in [
            "{}",
            r#"{"calificacion":0}"#,
            r#"{"calificacion":6}"#,
            r#"{"calificacion":4.5}"#,
            r#"{"calificacion":"5"}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        assert_eq!(category(br#"{"nombre":"Electr\u00f3nicos"}"#).unwrap().id, "electronicos");
        assert!(category(br#"{"nombre":"!"}"#).is_err());
    }

    #[test]
    fn a_tag_tells_sales_and_an_editor_is_not_stopped_by_them() {
        let before = product();
        let sold = Product { stock: 44, ..product() };
        let edited = Product { version: 2, ..product() };
        let reviewed = Product { rating_count: 129, ..product() };
        let tags = BTreeSet::from([&before, &sold, &edited, &reviewed].map(tag));
        assert_eq!(tags.len(), 4);
        assert!(tags.iter().all(|tag| *tag > 0));
        assert!(versions(Precondition::OneOf(vec![tag(&before)])).allows(sold.version));
        assert!(!versions(Precondition::OneOf(vec![tag(&before)])).allows(edited.version));
        assert!(versions(Precondition::Any).allows(7));
    }

    #[test]
    fn the_event_reads_as_published() {
        let product = Product { price: Money::new(9_999, Currency::USD), ..product() };
        let event = crate::event::product_event(crate::event::name::PRODUCT_CREATED, &product, "req-1", "req-1");
        assert_eq!(
            event.clone().into_outbox().unwrap().body,
            format!(
                r#"{{"id":"{}","evento":"ProductoCreado","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"req-1","causaId":"req-1","agregadoId":"prod_1","datos":{{"productoId":"prod_1","nombre":"Echo Dot","precio":99.99,"moneda":"USD","categoria":"electronicos","sku":"ECHO","imagenes":["p/prod_1/a"],"versionProducto":1}}}}"#,
                event.id
            )
        );
    }
}
