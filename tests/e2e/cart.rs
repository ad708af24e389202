//! The cart as its customer sees it, on every device.

use std::thread;

use serde_json::{Value, json};

use crate::api::{As, error_text};
use crate::listen::Listener;
use crate::stack::{Answer, stack};
use crate::users::newcomer;
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{now_ms, tag};

const DAY_SECONDS: i64 = 24 * 3600;

/// Somebody with an empty cart.
#[derive(Debug)]
pub(crate) struct Customer {
    authorization: String,
    pub(crate) id: String,
}

impl Customer {
    pub(crate) fn new() -> Self {
        let authorization = format!("Bearer {}", newcomer("cesta"));
        let me = As::Nobody.call("GET", "/users/me", &[("authorization", &authorization)], "");
        Self { id: me.json()["id"].as_str().expect("an id").to_owned(), authorization }
    }

    /// A call, made again for as long as the gateway says that there were too many: it has reached no function then.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        eventually(PATIENCE, "its turn", || {
            let answer = As::Nobody.call(method, path, &[("authorization", &self.authorization)], body);
            if answer.status == 429 { Err(answer.text()) } else { Ok(answer) }
        })
    }

    pub(crate) fn cart(&self) -> Value {
        let answer = self.call("GET", "/carrito", "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) fn add(&self, product: &str, quantity: i64) -> Answer {
        let body = json!({"productoId": product, "cantidad": quantity});
        self.call("POST", "/carrito/items", &body.to_string())
    }

    fn set(&self, product: &str, quantity: i64) -> Answer {
        self.call("PUT", &format!("/carrito/items/{product}"), &json!({"cantidad": quantity}).to_string())
    }

    fn remove(&self, product: &str) -> Answer {
        self.call("DELETE", &format!("/carrito/items/{product}"), "")
    }

    /// The cart's record.
    fn record(&self) -> Value {
        let key = json!({"user": {"S": self.id}});
        let read = json!({"TableName": stack().output("CartsTable"), "Key": key, "ConsistentRead": true});
        stack().dynamodb("GetItem", &read)["Item"].clone()
    }

    fn change_record(&self, name: &str, value: Value) {
        change(stack().output("CartsTable"), &json!({"user": {"S": self.id}}), name, value);
    }
}

/// Sets one attribute of a record.
pub(crate) fn change(table: &str, key: &Value, name: &str, value: Value) {
    let update = json!({
        "TableName": table, "Key": key, "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": {"#name": name}, "ExpressionAttributeValues": {":value": value},
    });
    stack().dynamodb("UpdateItem", &update);
}

/// A product that only this test knows; lists do not show it, because it has no time of change. Its id.
pub(crate) fn product(name: &str, minor: i64, stock: i64) -> String {
    product_in(name, minor, "USD", stock)
}

fn product_in(name: &str, minor: i64, currency: &str, stock: i64) -> String {
    let id = format!("prod_{}{}", tag(), tag());
    let number = |number: i64| json!({"N": number.to_string()});
    let item = json!({
        "id": {"S": id}, "kind": {"S": "product"}, "name": {"S": name}, "price_cents": number(minor),
        "currency": {"S": currency}, "category": {"S": "pruebas"}, "stock": number(stock), "version": number(1),
        "created_at": number(now_ms()), "updated_at": number(now_ms()),
    });
    stack().dynamodb("PutItem", &json!({"TableName": stack().output("ProductsTable"), "Item": item}));
    id
}

fn change_product(id: &str, name: &str, value: Value) {
    change(stack().output("ProductsTable"), &json!({"id": {"S": id}}), name, value);
}

fn lines(cart: &Value) -> Vec<(&str, i64)> {
    let items = cart["items"].as_array().expect("items").iter();
    items.map(|line| (line["productoId"].as_str().unwrap(), line["cantidad"].as_i64().unwrap())).collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, expected: &str) {
    assert_eq!(
        (answer.status, error_text(answer)),
        (status, format!(r#"{{"error":{{{expected},"solicitudId":"ID"}}}}"#))
    );
}

const NOT_IN_CART: &str = r#""codigo":"NO_ENCONTRADO","mensaje":"El producto no está en el carrito.","detalles":[]"#;
const NO_PRODUCT: &str =
    r#""codigo":"NO_ENCONTRADO","mensaje":"El producto no existe o ya no está a la venta.","detalles":[]"#;

#[test]
fn the_contracts_example_to_the_cent() {
    let customer = Customer::new();
    let id = &customer.id;
    let empty = customer.call("GET", "/carrito", "");
    assert_eq!((empty.status, empty.header("content-type")), (200, "application/json; charset=utf-8"));
    assert_eq!(
        empty.text(),
        format!(
            r#"{{"usuarioId":"{id}","items":[],"subtotal":0.00,"descuento":0.00,"impuesto":0.00,"envio":0.00,"total":0.00,"moneda":"USD","actualizadoEn":null}}"#
        )
    );
    let product = product("Auriculares", 9_999, 45);
    let added = customer.call("POST", "/carrito/items", &format!(r#"{{"productoId":"{product}","cantidad":2}}"#));
    assert_eq!((added.status, added.header("cache-control")), (200, "no-store"), "{}", added.text());
    let when = added.json()["carrito"]["actualizadoEn"].clone();
    let cart = format!(
        r#"{{"usuarioId":"{id}","items":[{{"productoId":"{product}","nombre":"Auriculares","precio":99.99,"cantidad":2,"urlImagen":null}}],"subtotal":199.98,"descuento":0.00,"impuesto":16.00,"envio":0.00,"total":215.98,"moneda":"USD","actualizadoEn":{when}}}"#
    );
    assert_eq!(added.text(), format!(r#"{{"carrito":{cart},"mensaje":"Producto agregado al carrito."}}"#));
    assert_eq!(customer.call("GET", "/carrito", "").text(), cart);

    let set = customer.call("PUT", &format!("/carrito/items/{product}"), r#"{"cantidad":3}"#);
    assert_eq!((set.status, lines(&set.json())), (200, vec![(product.as_str(), 3)]));
    assert!(set.text().contains(r#""subtotal":299.97,"descuento":0.00,"impuesto":24.00,"envio":0.00,"total":323.97,"#));
    // The same again changes nothing, not even when it was changed.
    assert_eq!(customer.set(&product, 3).text(), set.text());
    assert_eq!(customer.record()["version"]["N"], "2");

    let removed = customer.remove(&product);
    assert_eq!((removed.status, removed.text().as_str()), (204, ""));
    refused(&customer.remove(&product), 404, NOT_IN_CART);
    refused(&customer.set(&product, 1), 404, NOT_IN_CART);
    assert!(lines(&customer.cart()).is_empty());
}

#[test]
fn two_devices_never_lose_each_others_lines() {
    let products: Vec<String> = (0..40).map(|n| product(&format!("Artículo {n}"), 100 + n, 10)).collect();
    // One request after another on each device.
    let customer = Customer::new();
    thread::scope(|scope| {
        for device in products.chunks(20) {
            let customer = &customer;
            scope.spawn(move || {
                for product in device {
                    let answer = customer.add(product, 1);
                    assert_eq!(answer.status, 200, "{}", answer.text());
                }
            });
        }
    });
    let all_there = |customer: &Customer| {
        let cart = customer.cart();
        let mut found = lines(&cart);
        found.sort_unstable();
        let mut expected: Vec<(&str, i64)> = products.iter().map(|product| (product.as_str(), 1)).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(customer.record()["version"]["N"], "40");
    };
    all_there(&customer);
    // All at the very same moment, and there is no room for one more.
    let customer = Customer::new();
    thread::scope(|scope| {
        for product in &products {
            let customer = &customer;
            scope.spawn(move || {
                let answer = customer.add(product, 1);
                assert_eq!(answer.status, 200, "{}", answer.text());
            });
        }
    });
    all_there(&customer);
    refused(
        &customer.add(&product("Uno más", 100, 10), 1),
        409,
        r#""codigo":"CONFLICTO","mensaje":"El carrito ya tiene 40 productos distintos, que es el máximo.","detalles":[]"#,
    );
    assert_eq!(customer.add(&products[0], 1).status, 200);
}

#[test]
fn pieces_added_at_the_same_moment_add_up() {
    let customer = Customer::new();
    let product = product("Lápiz", 50, 1_000);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| assert_eq!(customer.add(&product, 3).status, 200));
        }
    });
    assert_eq!(lines(&customer.cart()), [(product.as_str(), 30)]);
}

#[test]
fn how_many_there_may_be() {
    let customer = Customer::new();
    let (many, few) = (product("Tornillo", 10, 100_000), product("Cuadro", 10, 5));
    assert_eq!(customer.add(&many, 998).status, 200);
    refused(
        &customer.add(&many, 2),
        409,
        r#""codigo":"CONFLICTO","mensaje":"El carrito pasaría de la cantidad máxima.","detalles":[{"campo":"cantidad","mensaje":"Ya hay 998 en el carrito; el máximo es 999."}]"#,
    );
    assert_eq!(customer.add(&many, 1).status, 200);
    assert_eq!(customer.add(&few, 3).status, 200);
    const SHORT: &str = r#""codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"cantidad","mensaje":"De Cuadro solo hay 5."}]"#;
    refused(&customer.add(&few, 3), 409, SHORT);
    refused(&customer.set(&few, 6), 409, SHORT);
    assert_eq!(customer.set(&few, 5).status, 200);
    // The shelf empties: the cart says so, and may hold less.
    change_product(&few, "stock", json!({"N": "2"}));
    let line = customer.cart()["items"][1].to_string();
    assert!(line.contains(r#""existencias":2"#) && line.contains(r#""aviso":"Solo hay 2.""#), "{line}");
    let fewer = customer.set(&few, 4);
    assert_eq!((fewer.status, &fewer.json()["items"][1]["existencias"]), (200, &json!(2)), "{}", fewer.text());
    assert_eq!(customer.set(&few, 2).json()["items"][1].get("existencias"), None);
    change_product(&few, "stock", json!({"N": "0"}));
    assert_eq!(customer.cart()["items"][1]["aviso"], "Se agotó.");
    refused(
        &customer.add(&few, 1),
        409,
        r#""codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"cantidad","mensaje":"De Cuadro no queda ninguna unidad."}]"#,
    );
    assert_eq!(lines(&customer.cart()), [(many.as_str(), 999), (few.as_str(), 2)]);
}

#[test]
fn prices_are_the_catalogues_and_what_is_gone_does_not_count() {
    let customer = Customer::new();
    let (lamp, chair) = (product("Lámpara", 2_000, 10), product("Silla", 5_000, 10));
    assert_eq!(customer.add(&lamp, 1).status, 200);
    assert_eq!(customer.add(&chair, 2).status, 200);
    change_product(&lamp, "price_cents", json!({"N": "1550"}));
    change_product(&lamp, "name", json!({"S": "Lámpara LED"}));
    change_product(&lamp, "images", json!({"L": [{"S": format!("{lamp}/abc")}]}));
    change_product(&chair, "deleted_at", json!({"N": "1"}));
    let answer = customer.call("GET", "/carrito", "");
    let cart = answer.json();
    let image = cart["items"][0]["urlImagen"].clone();
    assert!(image.as_str().unwrap().contains(&format!("{lamp}/abc")), "{image}");
    assert_eq!(
        answer.text(),
        format!(
            r#"{{"usuarioId":"{}","items":[{{"productoId":"{lamp}","nombre":"Lámpara LED","precio":15.50,"cantidad":1,"urlImagen":{image},"precioAnterior":20.00}},{{"productoId":"{chair}","nombre":"Silla","precio":50.00,"cantidad":2,"urlImagen":null,"disponible":false,"aviso":"Ya no está a la venta."}}],"subtotal":15.50,"descuento":0.00,"impuesto":1.24,"envio":0.00,"total":16.74,"moneda":"USD","actualizadoEn":{}}}"#,
            customer.id, cart["actualizadoEn"]
        )
    );
    refused(&customer.add(&chair, 1), 404, NO_PRODUCT);
    refused(&customer.set(&chair, 1), 404, NO_PRODUCT);
    assert_eq!(customer.remove(&chair).status, 204);
    // Whoever adds more has seen the price.
    let more = customer.add(&lamp, 1).json();
    assert_eq!((more["carrito"]["items"][0].get("precioAnterior"), &more["carrito"]["subtotal"]), (None, &json!(31.0)));
    refused(&customer.add(&format!("prod_{}", tag()), 1), 404, NO_PRODUCT);
    // Records of the same table that are no products.
    assert_eq!(customer.add("sku#Lámpara", 1).status, 400);
}

#[test]
fn one_cart_one_currency() {
    let customer = Customer::new();
    let (dollars, euros) = (product("Taza", 1_000, 10), product_in("Plato", 700, "EUR", 10));
    assert_eq!(customer.add(&dollars, 1).status, 200);
    refused(
        &customer.add(&euros, 1),
        409,
        r#""codigo":"CONFLICTO","mensaje":"El carrito está en USD y este producto se vende en EUR; pídalo aparte.","detalles":[]"#,
    );
    assert_eq!(customer.remove(&dollars).status, 204);
    let cart = customer.add(&euros, 1).json()["carrito"].clone();
    assert_eq!((&cart["moneda"], &cart["subtotal"]), (&json!("EUR"), &json!(7.0)));
}

#[test]
fn everybody_has_a_cart_and_nobody_anothers() {
    let (one, other) = (Customer::new(), Customer::new());
    let product = product("Libro", 1_500, 10);
    assert_eq!(one.add(&product, 1).status, 200);
    assert!(lines(&other.cart()).is_empty());
    for body in [
        format!(r#"{{"productoId":"{product}","cantidad":1,"usuarioId":"{}"}}"#, one.id),
        format!(r#"{{"productoId":"{product}","cantidad":1,"precio":0.01}}"#),
    ] {
        assert_eq!(other.call("POST", "/carrito/items", &body).status, 400, "{body}");
    }
    refused(&other.set(&product, 5), 404, NOT_IN_CART);
    refused(&other.remove(&product), 404, NOT_IN_CART);
    for path in [format!("/carrito?usuarioId={}", one.id), "/carrito?user=x".to_owned()] {
        assert_eq!(other.call("GET", &path, "").json()["usuarioId"], json!(other.id), "{path}");
    }
    assert_eq!(lines(&one.cart()), [(product.as_str(), 1)]);
    for caller in [As::Cliente, As::Operador, As::Admin] {
        assert_eq!(caller.get("/carrito").status, 200, "{caller:?}");
    }
    for caller in [As::Nobody, As::Stranger] {
        assert_eq!(caller.get("/carrito").status, 401, "{caller:?}");
        assert_eq!(caller.call("DELETE", "/carrito/cupon", &[], "").status, 401, "{caller:?}");
    }
}

#[test]
fn every_bad_field_is_named_and_nothing_is_changed() {
    let customer = Customer::new();
    let product = product("Reloj", 1_500, 10);
    refused(
        &customer.call("POST", "/carrito/items", r#"{"productoId":"a b","cantidad":0,"precio":1}"#),
        400,
        r#""codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"cantidad","mensaje":"Debe ser un número entero de 1 a 999."},{"campo":"productoId","mensaje":"No es el identificador de un producto."},{"campo":"precio","mensaje":"No se conoce este campo."}]"#,
    );
    let with = |quantity: &str| format!(r#"{{"productoId":"{product}","cantidad":{quantity}}}"#);
    let long = format!(r#"{{"productoId":"{}","cantidad":1}}"#, "x".repeat(65));
    for body in [
        "{}",
        "[]",
        "null",
        "{",
        "\"x\"",
        &with("1000"),
        &with("-1"),
        &with("1.5"),
        &with("\"1\""),
        &with("null"),
        &with("true"),
        &with("1e3"),
        &with("1e-1"),
        &with("99999999999999999999"),
        &with("1,\"cantidad\":2"),
        &long,
        r#"{"productoId":null,"cantidad":1}"#,
        r#"{"productoId":{"S":"x"},"cantidad":1}"#,
        r#"{"productoId":"x\u0000","cantidad":1}"#,
        &"[".repeat(9_000),
    ] {
        let answer = customer.call("POST", "/carrito/items", body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(customer.call("POST", "/carrito/items", &format!("{{{}", " ".repeat(140_000))).status, 413);
    let text = [("authorization", customer.authorization.as_str()), ("content-type", "text/plain")];
    assert_eq!(As::Nobody.call("POST", "/carrito/items", &text, &with("1")).status, 415);
    for id in ["a%20b", "%00", "..%2F..", "sku%23x", &"x".repeat(65), "%C3%B1"] {
        let path = format!("/carrito/items/{id}");
        for (method, body) in [("PUT", r#"{"cantidad":1}"#), ("DELETE", "")] {
            let answer = customer.call(method, &path, body);
            assert!([400, 404].contains(&answer.status), "{method} {path}: {}", answer.text());
        }
    }
    for body in ["{}", r#"{"cantidad":0}"#, r#"{"cantidad":1,"productoId":"x"}"#] {
        assert_eq!(customer.call("PUT", &format!("/carrito/items/{product}"), body).status, 400, "{body}");
    }
    let english = [("authorization", customer.authorization.as_str()), ("accept-language", "en")];
    let answer = As::Nobody.call("DELETE", &format!("/carrito/items/{product}"), &english, "");
    refused(&answer, 404, r#""codigo":"NO_ENCONTRADO","mensaje":"The product is not in the cart.","detalles":[]"#);
    assert_eq!(customer.cart()["actualizadoEn"], Value::Null);
}

#[test]
fn a_cart_lives_thirty_days_from_its_last_change() {
    let customer = Customer::new();
    let product = product("Bufanda", 900, 10);
    assert_eq!(customer.add(&product, 2).status, 200);
    let expires: i64 = customer.record()["expires_at"]["N"].as_str().unwrap().parse().unwrap();
    let left = expires - now_ms() / 1000;
    assert!((30 * DAY_SECONDS - 600..=30 * DAY_SECONDS).contains(&left), "{left}");
    // Its time is over, and DynamoDB has not come round to deleting it, or has.
    customer.change_record("expires_at", json!({"N": (now_ms() / 1000 - 1).to_string()}));
    let cart = customer.cart();
    assert_eq!((lines(&cart).len(), &cart["actualizadoEn"]), (0, &Value::Null));
    refused(&customer.remove(&product), 404, NOT_IN_CART);
    let again = customer.add(&product, 1);
    assert_eq!((again.status, lines(&again.json()["carrito"])), (200, vec![(product.as_str(), 1)]));
    let renewed: i64 = customer.record()["expires_at"]["N"].as_str().unwrap().parse().unwrap();
    assert!(renewed >= expires, "{renewed} {expires}");
}

#[test]
fn every_change_is_told_once_and_in_order() {
    let customer = Customer::new();
    let product = product("Mochila", 4_000, 10);
    let events = Listener::to("EventsTopicArn");
    assert_eq!(customer.add(&product, 2).status, 200);
    assert_eq!(customer.set(&product, 2).status, 200); // nothing changes, nothing is told
    assert_eq!(customer.set(&product, 1).status, 200);
    assert_eq!(customer.add(&product, 10).status, 409);
    assert_eq!(customer.remove(&product).status, 204);
    let heard = events.wait_for(&customer.id, |heard| heard.len() >= 3);
    let told: Vec<(String, Value)> = heard
        .iter()
        .map(|heard| {
            let event: Value = serde_json::from_str(&heard.text).unwrap();
            assert_eq!((&event["evento"], &event["agregadoId"]), (&json!("CarritoActualizado"), &json!(customer.id)));
            (heard.event.clone(), event["datos"].clone())
        })
        .collect();
    let mut told: Vec<Value> = told.into_iter().map(|(name, data)| json!([name, data])).collect();
    told.sort_by_key(|event| event[1]["versionCarrito"].as_i64());
    let expected = |items: Value, version: i64| json!(["CarritoActualizado", {"usuarioId": customer.id, "items": items, "versionCarrito": version}]);
    assert_eq!(
        told,
        [
            expected(json!([{"productoId": product, "cantidad": 2}]), 1),
            expected(json!([{"productoId": product, "cantidad": 1}]), 2),
            expected(json!([]), 3),
        ]
    );
}

#[test]
fn stock_that_the_warehouse_counts_is_what_the_cart_says() {
    // A product as an administrator makes it, from the sku to the cart.
    let customer = Customer::new();
    let sku = format!("CARRITO-{}", tag());
    let category =
        As::Admin.call("POST", "/categorias", &[], &json!({"nombre": format!("Cestas {}", tag())}).to_string());
    assert_eq!(category.status, 201, "{}", category.text());
    let body = json!({
        "nombre": format!("Cesta {}", tag()), "descripcion": "De mimbre", "precio": 99.99,
        "categoriaId": category.json()["id"], "stock": 3, "sku": sku,
    });
    let made = As::Admin.call("POST", "/productos", &[], &body.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let cart = eventually(PATIENCE, "the stock of a new product", || {
        let answer = customer.add(&id, 2);
        if answer.status == 200 { Ok(answer.json()) } else { Err(answer.text()) }
    });
    assert_eq!(cart["carrito"]["total"], json!(215.98));
    assert_eq!(customer.add(&id, 2).status, 409);
}
