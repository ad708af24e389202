//! The cart on the wire.
//!
//! Fields beyond those that are always there appear only where they apply:
//!
//! | field | where |
//! |---|---|
//! | `precioAnterior` | the price has changed since the line was added |
//! | `disponible` (always `false`) | the product is no longer offered, in another currency, or not shipped: the line does not count |
//! | `existencias` | fewer units are left than the line has; their number |
//! | `aviso` | what is wrong with a line, or with the coupon, in words |
//! | `cupon` | the cart has a coupon; `aplicado` says whether it counts |

use almacen_domain::catalogue::image::{LIST_WIDTH, rendition_key};
use almacen_domain::kernel::money::{Currency, Money};
use almacen_domain::ordering::cart::{
    Cart, CartChange, CartRefusal, LINES_MAX, QUANTITY_MAX, ShownCart, ShownLine, Supply,
};
use almacen_domain::ordering::coupon::{CODE_CHARS, Code as CouponCode, Why};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, Code, Detail, Language, Text};
use crate::json::Fields;
use crate::money::Amount;
use crate::time::rfc3339;

/// The longest id of a product, in characters.
pub const PRODUCT_ID_CHARS_MAX: usize = 64;
/// What an empty cart is in: the catalogue's own default.
const NO_CURRENCY: Currency = Currency::USD;
const PRODUCT_ID: &str = "productoId";
const QUANTITY: &str = "cantidad";
const CODE: &str = "codigo";

/// A cart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CartBody {
    usuario_id: String,
    items: Vec<LineBody>,
    subtotal: Amount,
    descuento: Amount,
    impuesto: Amount,
    envio: Amount,
    total: Amount,
    moneda: String,
    /// `null` for a cart that nothing was ever put into.
    actualizado_en: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cupon: Option<CouponBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineBody {
    producto_id: String,
    nombre: String,
    precio: Amount,
    cantidad: i64,
    url_imagen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precio_anterior: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disponible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    existencias: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aviso: Option<String>,
}

#[derive(Debug, Serialize)]
struct CouponBody {
    codigo: String,
    aplicado: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    aviso: Option<String>,
}

/// A cart and what was done to it: what POST answers.
#[derive(Debug, Serialize)]
pub struct ChangedBody {
    carrito: CartBody,
    mensaje: String,
}

impl CartBody {
    /// Of `user`'s cart, with images below `images_url` and its words in `language`.
    #[must_use]
    pub fn of(user: &str, cart: ShownCart, images_url: &str, language: Language) -> Self {
        let totals = cart.totals;
        let currency = cart.currency.unwrap_or(NO_CURRENCY);
        let amount = |minor| Amount(Money::new(minor, currency));
        Self {
            usuario_id: user.to_owned(),
            items: cart.lines.into_iter().map(|line| line_body(line, images_url, language)).collect(),
            subtotal: amount(totals.subtotal),
            descuento: amount(totals.discount),
            impuesto: amount(totals.tax),
            envio: amount(totals.shipping),
            total: amount(totals.total),
            moneda: currency.as_str().to_owned(),
            actualizado_en: cart.updated_at.map(rfc3339),
            cupon: cart.coupon.map(|(code, checked)| CouponBody {
                codigo: code.as_str().to_owned(),
                aplicado: checked.is_ok(),
                aviso: checked.err().map(|why| why_text(why).get(language).to_owned()),
            }),
        }
    }
}

impl ChangedBody {
    /// Of a cart after `change`.
    #[must_use]
    pub fn of(carrito: CartBody, change: &CartChange, language: Language) -> Self {
        let text = match change {
            CartChange::Add { .. } => Text::fixed("Producto agregado al carrito.", "Product added to the cart."),
            CartChange::Apply(_) => Text::fixed("Cupón aplicado.", "Coupon applied."),
            CartChange::Set { .. } | CartChange::Remove { .. } | CartChange::RemoveCoupon => {
                Text::fixed("Carrito actualizado.", "Cart updated.")
            }
        };
        Self { carrito, mensaje: text.get(language).to_owned() }
    }
}

fn line_body(line: ShownLine, images_url: &str, language: Language) -> LineBody {
    let (available, left, notice) = match line.supply {
        Supply::Enough => (None, None, None),
        Supply::Short { stock: 0 } => (None, Some(0), Some(Text::fixed("Se agotó.", "It is sold out."))),
        Supply::Short { stock } => {
            let text = Text::made(format!("Solo hay {stock}."), format!("There are only {stock}."));
            (None, Some(stock), Some(text))
        }
        Supply::Gone => (Some(false), None, Some(Text::fixed("Ya no está a la venta.", "It is no longer for sale."))),
        Supply::OtherCurrency => {
            let text = Text::made(
                format!("Ahora se vende en {}; pídalo aparte.", line.price.currency.as_str()),
                format!("It is now sold in {}; order it separately.", line.price.currency.as_str()),
            );
            (Some(false), None, Some(text))
        }
        Supply::NotShipped => (Some(false), None, Some(not_shipped(line.price.currency))),
    };
    LineBody {
        producto_id: line.product,
        nombre: line.name,
        precio: Amount(line.price),
        cantidad: line.quantity,
        url_imagen: line
            .image
            .map(|key| format!("{}/{}", images_url.trim_end_matches('/'), rendition_key(&key, LIST_WIDTH))),
        precio_anterior: line.previous.map(Amount),
        disponible: available,
        existencias: left,
        aviso: notice.map(|text| text.get(language).to_owned()),
    }
}

/// Could this be the id of a product?
///
/// # Errors
/// 400 naming `productoId`.
pub fn product_id(text: &str) -> Result<String, ApiError> {
    checked_product_id(text).map_err(|text| ApiError::invalid_field(PRODUCT_ID, text))
}

fn checked_product_id(text: &str) -> Result<String, Text> {
    let fits = (1..=PRODUCT_ID_CHARS_MAX).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        Ok(text.to_owned())
    } else {
        Err(Text::fixed("No es el identificador de un producto.", "Is not the id of a product."))
    }
}

/// Reads the body of `POST /carrito/items`.
///
/// # Errors
/// 400 naming every bad field.
pub fn addition(body: &[u8]) -> Result<CartChange, ApiError> {
    let mut fields = Fields::parse(body)?;
    let quantity = required_quantity(&mut fields);
    // As long as it may be in a body; whether it is one is checked below, with the same words as in a path.
    let product = fields
        .required_text(PRODUCT_ID, usize::MAX)
        .and_then(|text| checked_product_id(&text).map_err(|text| fields.problem(PRODUCT_ID, text)).ok());
    fields.finish()?;
    match (product, quantity) {
        (Some(product), Some(quantity)) => Ok(CartChange::Add { product, quantity }),
        // What is missing is among the problems, so it has ended above.
        _ => Err(ApiError::new(Code::Validation)),
    }
}

/// Reads the body of `PUT /carrito/items/{productoId}`: how many pieces.
///
/// # Errors
/// 400 naming every bad field.
pub fn quantity(body: &[u8]) -> Result<i64, ApiError> {
    let mut fields = Fields::parse(body)?;
    let quantity = required_quantity(&mut fields);
    fields.finish()?;
    quantity.ok_or_else(|| ApiError::new(Code::Validation))
}

fn required_quantity(fields: &mut Fields) -> Option<i64> {
    let fine = fields.fine();
    let quantity = fields.integer(QUANTITY, &(1..=QUANTITY_MAX));
    if quantity.is_none() && fine && fields.fine() {
        fields.problem(QUANTITY, Text::fixed("Falta.", "Is missing."));
    }
    quantity
}

/// Reads the body of `POST /carrito/cupon`.
///
/// # Errors
/// 400 naming every bad field.
pub fn coupon(body: &[u8]) -> Result<CouponCode, ApiError> {
    let mut fields = Fields::parse(body)?;
    let code = fields.required_text(CODE, usize::MAX).and_then(|text| {
        let code = CouponCode::parse(&text);
        if code.is_none() {
            let (from, to) = (CODE_CHARS.start(), CODE_CHARS.end());
            fields.problem(
                CODE,
                Text::made(
                    format!("Debe tener de {from} a {to} letras sin acento, cifras, guiones o guiones bajos."),
                    format!("Must have {from} to {to} unaccented letters, digits, hyphens or underscores."),
                ),
            );
        }
        code
    });
    fields.finish()?;
    code.ok_or_else(|| ApiError::new(Code::Validation))
}

/// What the caller is told when the cart was not changed.
#[must_use]
pub fn refused(refusal: CartRefusal) -> ApiError {
    match refusal {
        CartRefusal::NoSuchProduct => ApiError::new(Code::NotFound).saying(Text::fixed(
            "El producto no existe o ya no está a la venta.",
            "There is no such product, or it is no longer for sale.",
        )),
        CartRefusal::NoSuchLine => ApiError::new(Code::NotFound)
            .saying(Text::fixed("El producto no está en el carrito.", "The product is not in the cart.")),
        CartRefusal::TooManyLines => ApiError::new(Code::Conflict).saying(Text::made(
            format!("El carrito ya tiene {LINES_MAX} productos distintos, que es el máximo."),
            format!("The cart has {LINES_MAX} different products already, which is the most."),
        )),
        CartRefusal::TooManyPieces { held } => ApiError::new(Code::Conflict)
            .saying(Text::fixed("El carrito pasaría de la cantidad máxima.", "The cart would hold more than it may."))
            .with(Detail::new(
                QUANTITY,
                Text::made(
                    format!("Ya hay {held} en el carrito; el máximo es {QUANTITY_MAX}."),
                    format!("There are {held} in the cart already; the most is {QUANTITY_MAX}."),
                ),
            )),
        CartRefusal::NotEnough { name, stock: 0 } => ApiError::new(Code::OutOfStock).with(Detail::new(
            QUANTITY,
            Text::made(format!("De {name} no queda ninguna unidad."), format!("Of {name} none is left.")),
        )),
        CartRefusal::NotEnough { name, stock } => ApiError::new(Code::OutOfStock).with(Detail::new(
            QUANTITY,
            Text::made(format!("De {name} solo hay {stock}."), format!("Of {name} there are only {stock}.")),
        )),
        CartRefusal::OtherCurrency { cart, product } => ApiError::new(Code::Conflict).saying(Text::made(
            format!(
                "El carrito está en {} y este producto se vende en {}; pídalo aparte.",
                cart.as_str(),
                product.as_str()
            ),
            format!(
                "The cart is in {} and this product is sold in {}; order it separately.",
                cart.as_str(),
                product.as_str()
            ),
        )),
        CartRefusal::NotShipped { product } => ApiError::new(Code::Conflict).saying(not_shipped(product)),
        CartRefusal::NoCoupon => {
            ApiError::new(Code::NotFound).saying(Text::fixed("El carrito no tiene cupón.", "The cart has no coupon."))
        }
        CartRefusal::Coupon(Why::Unknown) => ApiError::new(Code::NotFound).saying(why_text(Why::Unknown)),
        CartRefusal::Coupon(why) => ApiError::new(Code::Conflict).saying(why_text(why)),
    }
}

fn not_shipped(currency: Currency) -> Text {
    let code = currency.as_str();
    Text::made(
        format!("No hay envío para lo que se vende en {code}."),
        format!("There is no shipping for what is sold in {code}."),
    )
}

fn why_text(why: Why) -> Text {
    match why {
        Why::Unknown => Text::fixed("Este cupón no existe.", "There is no such coupon."),
        Why::NotYet { from } => {
            let from = rfc3339(from);
            Text::made(format!("Este cupón vale a partir de {from}."), format!("This coupon counts from {from} on."))
        }
        Why::Ended => Text::fixed("Este cupón ya caducó.", "This coupon has expired."),
        Why::UsedUp => Text::fixed("Este cupón ya se agotó.", "This coupon is used up."),
        Why::UsedByCustomer => Text::fixed("Ya usó este cupón.", "You have used this coupon already."),
        Why::OtherCurrency => Text::fixed("Este cupón es para otra moneda.", "This coupon is for another currency."),
        Why::BelowMinimum { minimum } => {
            let minimum = minimum.decimal();
            Text::made(
                format!("Este cupón vale para compras desde {minimum}."),
                format!("This coupon counts for purchases from {minimum} on."),
            )
        }
    }
}

/// What CarritoActualizado says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartData {
    /// Whose cart.
    pub usuario_id: String,
    /// What is in it.
    pub items: Vec<CartLineData>,
    /// The coupon it names, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cupon: Option<String>,
    /// Grows with every change: of two events, the one with the higher version tells of the later cart. A cart that was
    /// forgotten, thirty days after its last change, begins again with 1.
    #[serde(rename = "versionCarrito")]
    pub version: i64,
}

/// A line in CarritoActualizado. Prices are the catalogue's to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartLineData {
    /// Which product.
    pub producto_id: String,
    /// How many pieces.
    pub cantidad: i64,
}

impl CartData {
    /// Of a cart as it is stored.
    #[must_use]
    pub fn of(user: &str, cart: &Cart) -> Self {
        let line = |line: &almacen_domain::ordering::cart::Line| CartLineData {
            producto_id: line.product.clone(),
            cantidad: line.quantity,
        };
        Self {
            usuario_id: user.to_owned(),
            items: cart.lines.iter().map(line).collect(),
            cupon: cart.coupon.as_ref().map(|code| code.as_str().to_owned()),
            version: cart.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::ordering::pricing::Totals;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn line(product: &str, minor: i64, quantity: i64, supply: Supply) -> ShownLine {
        ShownLine {
            product: product.to_owned(),
            name: "Café".to_owned(),
            price: usd(minor),
            previous: None,
            quantity,
            image: Some(format!("{product}/abc")),
            supply,
        }
    }

    fn written(cart: ShownCart, language: Language) -> String {
        serde_json::to_string(&CartBody::of("u1", cart, "https://shop.example/img", language)).unwrap()
    }

    #[test]
    fn the_contracts_example_to_the_cent() {
        let cart = ShownCart {
            lines: vec![line("prod_1", 9_999, 2, Supply::Enough)],
            coupon: None,
            totals: Totals { subtotal: 19_998, discount: 0, tax: 1_600, shipping: 0, total: 21_598 },
            currency: Some(Currency::USD),
            updated_at: Some(1_705_834_800_000),
        };
        let image = rendition_key("prod_1/abc", LIST_WIDTH);
        assert_eq!(
            written(cart, Language::Spanish),
            format!(
                r#"{{"usuarioId":"u1","items":[{{"productoId":"prod_1","nombre":"Café","precio":99.99,"cantidad":2,"urlImagen":"https://shop.example/img/{image}"}}],"subtotal":199.98,"descuento":0.00,"impuesto":16.00,"envio":0.00,"total":215.98,"moneda":"USD","actualizadoEn":"2024-01-21T11:00:00Z"}}"#
            )
        );
    }

    #[test]
    fn amounts_have_the_decimals_of_the_carts_currency() {
        for (code, minor, totals, expected) in [
            (
                "CLP",
                19_990,
                [39_980, 7_596, 47_576],
                r#""subtotal":39980,"descuento":0,"impuesto":7596,"envio":0,"total":47576,"moneda":"CLP""#,
            ),
            (
                "KWD",
                1_234,
                [2_468, 469, 2_937],
                r#""subtotal":2.468,"descuento":0.000,"impuesto":0.469,"envio":0.000,"total":2.937,"moneda":"KWD""#,
            ),
        ] {
            let currency = Currency::parse(code).unwrap();
            let line = line("prod_1", 0, 2, Supply::Enough);
            let price = Money::new(minor, currency);
            let [subtotal, tax, total] = totals;
            let cart = ShownCart {
                lines: vec![ShownLine { price, previous: Some(Money::new(minor + 1, currency)), ..line }],
                coupon: CouponCode::parse("MIL").map(|code| (code, Err(Why::BelowMinimum { minimum: price }))),
                totals: Totals { subtotal, discount: 0, tax, shipping: 0, total },
                currency: Some(currency),
                updated_at: None,
            };
            let body = written(cart, Language::English);
            assert!(body.contains(expected), "{body}");
            let (price, previous) = (price.decimal(), Money::new(minor + 1, currency).decimal());
            assert!(body.contains(&format!(r#""precio":{price},"cantidad":2"#)), "{body}");
            assert!(body.contains(&format!(r#""precioAnterior":{previous}"#)), "{body}");
            assert!(body.contains(&format!("purchases from {price} on.")), "{body}");
        }
    }

    #[test]
    fn an_empty_cart() {
        let cart =
            ShownCart { lines: Vec::new(), coupon: None, totals: Totals::default(), currency: None, updated_at: None };
        assert_eq!(
            written(cart, Language::Spanish),
            r#"{"usuarioId":"u1","items":[],"subtotal":0.00,"descuento":0.00,"impuesto":0.00,"envio":0.00,"total":0.00,"moneda":"USD","actualizadoEn":null}"#
        );
    }

    #[test]
    fn a_line_says_what_is_wrong_with_it() {
        let check = |line: ShownLine, spanish: &str, english: &str| {
            for (language, expected) in [(Language::Spanish, spanish), (Language::English, english)] {
                let body = serde_json::to_string(&line_body(ShownLine { image: None, ..line.clone() }, "", language));
                let expected = format!(
                    r#"{{"productoId":"p","nombre":"Café","precio":1.00,"cantidad":3,"urlImagen":null{expected}}}"#
                );
                assert_eq!(body.unwrap(), expected);
            }
        };
        check(line("p", 100, 3, Supply::Enough), "", "");
        let moved = ShownLine { previous: Some(usd(120)), ..line("p", 100, 3, Supply::Enough) };
        check(moved, r#","precioAnterior":1.20"#, r#","precioAnterior":1.20"#);
        check(
            line("p", 100, 3, Supply::Short { stock: 2 }),
            r#","existencias":2,"aviso":"Solo hay 2.""#,
            r#","existencias":2,"aviso":"There are only 2.""#,
        );
        check(
            line("p", 100, 3, Supply::Short { stock: 0 }),
            r#","existencias":0,"aviso":"Se agotó.""#,
            r#","existencias":0,"aviso":"It is sold out.""#,
        );
        check(
            line("p", 100, 3, Supply::Gone),
            r#","disponible":false,"aviso":"Ya no está a la venta.""#,
            r#","disponible":false,"aviso":"It is no longer for sale.""#,
        );
        let euros = Money::new(100, Currency::parse("EUR").unwrap());
        check(
            ShownLine { price: euros, ..line("p", 100, 3, Supply::OtherCurrency) },
            r#","disponible":false,"aviso":"Ahora se vende en EUR; pídalo aparte.""#,
            r#","disponible":false,"aviso":"It is now sold in EUR; order it separately.""#,
        );
        check(
            ShownLine { price: euros, ..line("p", 100, 3, Supply::NotShipped) },
            r#","disponible":false,"aviso":"No hay envío para lo que se vende en EUR.""#,
            r#","disponible":false,"aviso":"There is no shipping for what is sold in EUR.""#,
        );
    }

    #[test]
    fn a_coupon_says_whether_it_counts_and_why_not() {
        let check = |checked: Result<(), Why>, expected: &str| {
            let cart = ShownCart {
                lines: Vec::new(),
                coupon: CouponCode::parse("verano10").map(|code| (code, checked)),
                totals: Totals::default(),
                currency: None,
                updated_at: None,
            };
            let body = written(cart, Language::Spanish);
            let expected = format!(r#","cupon":{{"codigo":"VERANO10",{expected}}}}}"#);
            assert!(body.ends_with(&expected), "{body}");
        };
        check(Ok(()), r#""aplicado":true"#);
        check(Err(Why::Unknown), r#""aplicado":false,"aviso":"Este cupón no existe.""#);
        let not_yet = Why::NotYet { from: 1_705_834_800_000 };
        check(Err(not_yet), r#""aplicado":false,"aviso":"Este cupón vale a partir de 2024-01-21T11:00:00Z.""#);
        check(Err(Why::Ended), r#""aplicado":false,"aviso":"Este cupón ya caducó.""#);
        check(Err(Why::UsedUp), r#""aplicado":false,"aviso":"Este cupón ya se agotó.""#);
        check(Err(Why::UsedByCustomer), r#""aplicado":false,"aviso":"Ya usó este cupón.""#);
        check(Err(Why::OtherCurrency), r#""aplicado":false,"aviso":"Este cupón es para otra moneda.""#);
        let low = Why::BelowMinimum { minimum: usd(2_000) };
        check(Err(low), r#""aplicado":false,"aviso":"Este cupón vale para compras desde 20.00.""#);
    }

    fn told(refusal: ApiError) -> (u16, String) {
        (refusal.code().status(), refusal.body(Language::English, "r"))
    }

    #[test]
    fn good_bodies() {
        let added = addition(br#"{"productoId":"prod_1","cantidad":999}"#).unwrap();
        assert_eq!(added, CartChange::Add { product: "prod_1".to_owned(), quantity: 999 });
        assert_eq!(quantity(br#"{"cantidad":1}"#).unwrap(), 1);
        assert_eq!(coupon(br#"{"codigo":" verano10 "}"#).unwrap().as_str(), "VERANO10");
        assert_eq!(product_id(&"x".repeat(PRODUCT_ID_CHARS_MAX)).unwrap().len(), PRODUCT_ID_CHARS_MAX);
    }

    #[test]
    fn every_bad_field_is_named() {
        assert_eq!(
            told(addition(br#"{"productoId":"sku#x","cantidad":0,"precio":1}"#).unwrap_err()).1,
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"cantidad","mensaje":"Must be a whole number from 1 to 999."},{"campo":"productoId","mensaje":"Is not the id of a product."},{"campo":"precio","mensaje":"This field is not known."}],"solicitudId":"r"}}"#
        );
        assert_eq!(
            told(addition(b"{}").unwrap_err()).1,
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"cantidad","mensaje":"Is missing."},{"campo":"productoId","mensaje":"Is missing."}],"solicitudId":"r"}}"#
        );
        for body in [
            r#"{"productoId":"p","cantidad":1000}"#,
            r#"{"productoId":"p","cantidad":-1}"#,
            r#"{"productoId":"p","cantidad":1.5}"#,
            r#"{"productoId":"p","cantidad":"1"}"#,
            r#"{"productoId":"p","cantidad":null}"#,
            r#"{"productoId":"p","cantidad":1,"cantidad":2}"#,
            r#"{"productoId":7,"cantidad":1}"#,
            r#"{"productoId":"","cantidad":1}"#,
            r#"{"productoId":"p/q","cantidad":1}"#,
            "[]",
            "",
        ] {
            assert_eq!(told(addition(body.as_bytes()).unwrap_err()).0, 400, "{body}");
        }
        assert_eq!(told(addition(&[b'['; 10_000]).unwrap_err()).0, 400);
        for body in ["{}", r#"{"cantidad":0}"#, r#"{"cantidad":1,"productoId":"p"}"#, "null"] {
            assert_eq!(told(quantity(body.as_bytes()).unwrap_err()).0, 400, "{body}");
        }
        for body in ["{}", r#"{"codigo":""}"#, r#"{"codigo":"a b"}"#, r#"{"codigo":5}"#, r#"{"code":"VERANO10"}"#] {
            assert_eq!(told(coupon(body.as_bytes()).unwrap_err()).0, 400, "{body}");
        }
        for id in ["", "a b", "é", &"x".repeat(PRODUCT_ID_CHARS_MAX + 1)] {
            assert_eq!(told(product_id(id).unwrap_err()).0, 400, "{id}");
        }
    }

    #[test]
    fn refusals_in_words() {
        let check = |refusal: CartRefusal, expected: (u16, &str)| {
            let body = refused(refusal.clone()).body(Language::Spanish, "r");
            let told = (refused(refusal).code().status(), body.as_str());
            let (status, middle) = expected;
            assert_eq!(told, (status, format!(r#"{{"error":{{{middle},"solicitudId":"r"}}}}"#).as_str()));
        };
        check(
            CartRefusal::NoSuchProduct,
            (
                404,
                r#""codigo":"NO_ENCONTRADO","mensaje":"El producto no existe o ya no está a la venta.","detalles":[]"#,
            ),
        );
        check(
            CartRefusal::NoSuchLine,
            (404, r#""codigo":"NO_ENCONTRADO","mensaje":"El producto no está en el carrito.","detalles":[]"#),
        );
        check(
            CartRefusal::TooManyLines,
            (
                409,
                r#""codigo":"CONFLICTO","mensaje":"El carrito ya tiene 40 productos distintos, que es el máximo.","detalles":[]"#,
            ),
        );
        check(
            CartRefusal::TooManyPieces { held: 2 },
            (
                409,
                r#""codigo":"CONFLICTO","mensaje":"El carrito pasaría de la cantidad máxima.","detalles":[{"campo":"cantidad","mensaje":"Ya hay 2 en el carrito; el máximo es 999."}]"#,
            ),
        );
        check(
            CartRefusal::NotEnough { name: "Café".to_owned(), stock: 5 },
            (
                409,
                r#""codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"cantidad","mensaje":"De Café solo hay 5."}]"#,
            ),
        );
        check(
            CartRefusal::NotEnough { name: "Café".to_owned(), stock: 0 },
            (
                409,
                r#""codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"cantidad","mensaje":"De Café no queda ninguna unidad."}]"#,
            ),
        );
        check(
            CartRefusal::OtherCurrency { cart: Currency::USD, product: Currency::parse("EUR").unwrap() },
            (
                409,
                r#""codigo":"CONFLICTO","mensaje":"El carrito está en USD y este producto se vende en EUR; pídalo aparte.","detalles":[]"#,
            ),
        );
        check(
            CartRefusal::NotShipped { product: Currency::parse("EUR").unwrap() },
            (409, r#""codigo":"CONFLICTO","mensaje":"No hay envío para lo que se vende en EUR.","detalles":[]"#),
        );
        check(
            CartRefusal::NoCoupon,
            (404, r#""codigo":"NO_ENCONTRADO","mensaje":"El carrito no tiene cupón.","detalles":[]"#),
        );
        check(
            CartRefusal::Coupon(Why::Unknown),
            (404, r#""codigo":"NO_ENCONTRADO","mensaje":"Este cupón no existe.","detalles":[]"#),
        );
        check(
            CartRefusal::Coupon(Why::Ended),
            (409, r#""codigo":"CONFLICTO","mensaje":"Este cupón ya caducó.","detalles":[]"#),
        );
    }

    #[test]
    fn the_event_reads_as_published() {
        let line = almacen_domain::ordering::cart::Line {
            product: "prod_1".to_owned(),
            name: "Café".to_owned(),
            quantity: 2,
            price: usd(9_999),
            added_at: 1,
        };
        let cart = Cart { lines: vec![line], coupon: CouponCode::parse("VERANO10"), version: 3, updated_at: Some(1) };
        assert_eq!(
            serde_json::to_string(&CartData::of("u1", &cart)).unwrap(),
            r#"{"usuarioId":"u1","items":[{"productoId":"prod_1","cantidad":2}],"cupon":"VERANO10","versionCarrito":3}"#
        );
    }
}
