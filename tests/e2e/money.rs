//! Prices of currencies with two decimals, with none and with three, from the product to the cart.

use serde_json::{Value, json};

use crate::api::As;
use crate::cart::Customer;
use crate::copy::{Copy, policy_of};
use crate::products::{body, category, made};
use crate::stack::{Answer, root};
use crate::wait::{PATIENCE, eventually};

/// A product with 10 pieces; its id. Field by field, so that the price stands before its currency in the text.
fn priced(category: &str, price: &str, currency: &str) -> String {
    let mut new = body(category, &format!("{price} {currency}"), 1.0);
    new["precio"] = serde_json::from_str(price).unwrap();
    (new["moneda"], new["stock"]) = (json!(currency), json!(10.0));
    made(&new)
}

/// Puts two pieces into the cart of somebody new, once the product has its stock. What is answered, as text.
fn two_of(product: &str) -> String {
    let customer = Customer::new();
    let two = format!(r#"{{"productoId":"{product}","cantidad":2.0}}"#);
    eventually(PATIENCE, "the stock of a new product", || {
        let answer = customer.call("POST", "/carrito/items", &two);
        if answer.status == 200 { Ok(answer.text()) } else { Err(answer.text()) }
    });
    customer.call("GET", "/carrito", "").text()
}

#[track_caller]
fn says(text: &str, part: &str) {
    assert!(text.contains(part), "{part} is not in {text}");
}

#[test]
fn money_of_every_currency_is_sold_with_its_own_decimals() {
    let category = category();
    let pesos = priced(&category, "19990", "CLP");
    let dinars = priced(&category, "1.234", "KWD");
    let yen = priced(&category, "500.00", "JPY");

    says(&As::Nobody.get(&format!("/productos/{pesos}")).text(), r#""precio":19990,"moneda":"CLP""#);
    let list = |query: &str, total: u64| {
        eventually(PATIENCE, "the list to have them", || {
            let answer = As::Nobody.get(&format!("/productos?categoria={category}&orden=precio_asc{query}"));
            let found: Value = answer.json();
            if found["paginacion"]["total"].as_u64() == Some(total) { Ok(answer.text()) } else { Err(answer.text()) }
        })
    };
    // In the order of their numbers.
    let all = list("", 3);
    let places =
        [r#""precio":1.234,"moneda":"KWD""#, r#""precio":500,"moneda":"JPY""#, r#""precio":19990,"moneda":"CLP""#]
            .map(|price| all.find(price));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{all}");
    says(&list("&precioMin=1.234&precioMax=500", 2), r#""precio":1.234"#);
    says(&list("&precioMin=1.235&precioMax=5e2", 1), r#""precio":500"#);

    says(&two_of(&pesos), r#""subtotal":39980,"descuento":0,"impuesto":3198,"envio":0,"total":43178,"moneda":"CLP""#);
    says(
        &two_of(&dinars),
        r#""subtotal":2.468,"descuento":0.000,"impuesto":0.197,"envio":0.000,"total":2.665,"moneda":"KWD""#,
    );
    says(&two_of(&yen), r#""subtotal":1000,"descuento":0,"impuesto":80,"envio":0,"total":1080,"moneda":"JPY""#);
}

#[test]
fn money_with_more_decimals_than_its_currency_is_refused() {
    let category = category();
    let text =
        |price: &str| format!(r#"{{"nombre":"Taza","descripcion":"Para probar.","categoriaId":"{category}",{price}}}"#);
    let refused = |answer: Answer, problem: &str| {
        assert_eq!(answer.status, 400, "{}", answer.text());
        says(&answer.text(), &format!(r#""detalles":[{{"campo":"precio","mensaje":"{problem}"}}]"#));
    };
    for (price, problem) in [
        (r#""precio":19.9,"moneda":"CLP""#, "Debe ir sin decimales (CLP)."),
        (r#""moneda":"KWD","precio":1.2345"#, "Tiene más de 3 decimales (KWD)."),
        (r#""precio":1E-3"#, "Tiene más de 2 decimales (USD)."),
        (r#""precio":1e999999999"#, "Debe estar entre 0 y 100000000 (USD)."),
    ] {
        refused(As::Admin.call("POST", "/productos", &[], &text(price)), problem);
    }

    // Without a currency, a price is in the one that the product has.
    let product = priced(&category, "19990", "CLP");
    let path = format!("/productos/{product}");
    let changed = As::Admin.call("PUT", &path, &[], &text(r#""precio":2.5e4"#));
    says(&changed.text(), r#""precio":25000,"moneda":"CLP""#);
    refused(As::Admin.call("PUT", &path, &[], &text(r#""precio":99.99"#)), "Debe ir sin decimales (CLP).");
    let dollars = As::Admin.call("PUT", &path, &[], &text(r#""precio":1E+2,"moneda":"USD""#));
    says(&dollars.text(), r#""precio":100.00,"moneda":"USD""#);
}

#[test]
fn shipping_costs_what_its_currency_says_and_what_has_no_rate_is_not_sold() {
    let category = category();
    let (pesos, euros) = (priced(&category, "19990", "CLP"), priced(&category, "10", "EUR"));
    let copy = Copy::of(
        "cart-api",
        &policy_of("cart-api"),
        &json!({"SHIPPING_RATES": "USD:4.99,CLP:3990", "FREE_SHIPPING_FROM": "CLP:50000"}),
    );
    let customer = Customer::new();
    let ask = |file: &str, change: &dyn Fn(&mut Value)| {
        let event = std::fs::read_to_string(root().join("events/cart-api").join(file)).unwrap();
        let mut event: Value = serde_json::from_str(&event).unwrap();
        event["requestContext"]["authorizer"]["usuarioId"] = json!(customer.id);
        change(&mut event);
        let answer = copy.answers(&event);
        (answer["statusCode"].as_u64(), answer["body"].as_str().unwrap_or_default().to_owned())
    };
    let add = |product: &str, count: u32| {
        let body = json!({"productoId": product, "cantidad": count}).to_string();
        ask("add.json", &|event| event["body"] = json!(body))
    };
    eventually(PATIENCE, "the stock of a new product", || {
        let (status, body) = add(&pesos, 2);
        if status == Some(200) { Ok(()) } else { Err(body) }
    });
    let cart = || ask("show.json", &|_| {}).1;
    says(&cart(), r#""subtotal":39980,"descuento":0,"impuesto":3198,"envio":3990,"total":47168,"moneda":"CLP""#);
    assert_eq!(add(&pesos, 1).0, Some(200));
    says(&cart(), r#""subtotal":59970,"descuento":0,"impuesto":4798,"envio":0,"total":64768,"moneda":"CLP""#);

    let (status, body) = add(&euros, 1);
    assert_eq!(status, Some(409), "{body}");
    says(&body, r#""codigo":"CONFLICTO","mensaje":"No hay envío para lo que se vende en EUR.""#);
}
