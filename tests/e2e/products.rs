//! Products: made, read, changed, deleted; and their stock, which is the warehouse's.

use std::thread;

use serde_json::{Value, json};

use crate::api::{As, error_text};
use crate::stack::{Answer, segment, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{ended, finished, now_ms, put_quietly, store_record, tag, unique, upload};

const NOT_FOUND: &str =
    r#"{"error":{"codigo":"NO_ENCONTRADO","mensaje":"No existe.","detalles":[],"solicitudId":"ID"}}"#;
const MOVED_ON: &str = r#"{"error":{"codigo":"PRECONDICION_FALLIDA","mensaje":"La versión indicada en If-Match ya no es la actual.","detalles":[],"solicitudId":"ID"}}"#;
const SKU_TAKEN: &str = r#"{"error":{"codigo":"CONFLICTO","mensaje":"Otro producto ya vende este sku.","detalles":[{"campo":"sku","mensaje":"Otro producto ya vende este sku."}],"solicitudId":"ID"}}"#;

/// A category of its own; its id.
pub(crate) fn category() -> String {
    let name = format!("Electrónicos {}", tag());
    let answer = As::Admin.call("POST", "/categorias", &[], &json!({"nombre": name}).to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.text(), format!(r#"{{"id":"{id}","nombre":"{name}"}}"#));
    assert_eq!(id, name.to_lowercase().replace('ó', "o").replace(' ', "-"));
    id
}

fn post(body: &Value) -> Answer {
    As::Admin.call("POST", "/productos", &[], &body.to_string())
}

/// Makes a product; its id. Where a test keeps the store of new products to itself for a moment, it is made after that.
pub(crate) fn made(body: &Value) -> String {
    let answer = eventually(PATIENCE, "the store to be free", || match post(body) {
        busy if busy.status == 503 => Err(busy.text()),
        answer => Ok(answer),
    });
    assert_eq!(answer.status, 201, "{body}: {}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) fn body(category: &str, name: &str, price: f64) -> Value {
    json!({"nombre": name, "descripcion": "Para probar.", "precio": price, "categoriaId": category})
}

fn path(id: &str) -> String {
    format!("/productos/{id}")
}

fn put(id: &str, tag: Option<&str>, body: &Value) -> Answer {
    let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", *tag)).collect();
    As::Admin.call("PUT", &path(id), &headers, &body.to_string())
}

fn read(id: &str) -> (Value, String) {
    let answer = As::Nobody.get(&path(id));
    assert_eq!(answer.status, 200, "{}", answer.text());
    (answer.json(), answer.header("etag").to_owned())
}

fn stock_becomes(id: &str, expected: i64) {
    eventually(PATIENCE, &format!("{expected} in stock of {id}"), || {
        let stock = read(id).0["stock"].as_i64();
        if stock == Some(expected) { Ok(()) } else { Err(format!("{stock:?}")) }
    });
}

fn record(id: &str) -> Value {
    let get = json!({"TableName": stack().output("ProductsTable"), "Key": {"id": {"S": id}}, "ConsistentRead": true});
    stack().dynamodb("GetItem", &get)["Item"].clone()
}

/// The names of the events about a product, as they were written, in order of its versions.
fn events(id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut scan = json!({"TableName": stack().output("OutboxTable"), "ConsistentRead": true,
            "FilterExpression": "contains(body, :id)", "ExpressionAttributeValues": {":id": {"S": id}}});
        if start.is_object() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = stack().dynamodb("Scan", &scan);
        for item in page["Items"].as_array().unwrap() {
            let envelope: Value = serde_json::from_str(item["body"]["S"].as_str().unwrap()).unwrap();
            assert_eq!(envelope["agregadoId"], id);
            found
                .push((envelope["datos"]["versionProducto"].as_i64(), envelope["evento"].as_str().unwrap().to_owned()));
        }
        start = page["LastEvaluatedKey"].clone();
        if !start.is_object() {
            break;
        }
    }
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_examples_of_the_contract() {
    let category = category();
    let (sku, name) = (unique("SKU"), unique("Echo Dot"));
    let new = json!({"nombre": name, "descripcion": "Altavoz con voz.", "precio": 99.99, "moneda": "USD",
        "categoriaId": category, "stock": 45, "sku": sku, "etiquetas": ["voz"], "especificaciones": {"peso": "300 g"}});
    let answer = eventually(PATIENCE, "the store to be free", || match post(&new) {
        busy if busy.status == 503 => Err(busy.text()),
        answer => Ok(answer),
    });
    assert_eq!(answer.status, 201, "{}", answer.text());
    let new = answer.json();
    let (id, at) = (new["id"].as_str().unwrap(), new["creadoEn"].as_str().unwrap());
    assert!(id.starts_with("prod_") && answer.header("location") == format!("productos/{id}"));
    let link = new["urlCargaImagen"].as_str().unwrap();
    assert!(link.contains(id) && link.contains("X-Amz-Expires="), "{link}");
    assert_eq!(
        answer.text(),
        format!(r#"{{"id":"{id}","nombre":"{name}","urlCargaImagen":"{link}","creadoEn":"{at}"}}"#)
    );

    stock_becomes(id, 45);
    let one = As::Nobody.get(&path(id));
    let listed = format!(
        r#""id":"{id}","nombre":"{name}","descripcion":"Altavoz con voz.","precio":99.99,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":45,"calificacion":0.0,"cantidadResenas":0"#
    );
    assert_eq!(
        one.text(),
        format!(
            r#"{{{listed},"imagenes":[],"especificaciones":{{"peso":"300 g"}},"sku":"{sku}","etiquetas":["voz"],"creadoEn":"{at}","actualizadoEn":"{at}"}}"#
        )
    );
    let list = As::Nobody.get(&format!(
        "/productos?pagina=1&limite=20&categoria={category}&orden=precio_asc&q=echo&precioMin=1&precioMax=99.99"
    ));
    assert_eq!(
        (list.status, list.text()),
        (
            200,
            format!(r#"{{"datos":[{{{listed}}}],"paginacion":{{"pagina":1,"limite":20,"total":1,"totalPaginas":1}}}}"#)
        )
    );
    let categories = As::Nobody.read("/categorias");
    assert!(categories["datos"].as_array().unwrap().iter().any(|one| one["id"] == category.as_str()));

    // Nothing has changed: nothing is sent.
    let tag = one.header("etag");
    let same = As::Nobody.call("GET", &path(id), &[("if-none-match", tag)], "");
    assert_eq!((same.status, same.text().as_str(), same.header("etag")), (304, "", tag));
    assert_eq!(events(id), ["ProductoCreado"]);
}

#[test]
fn every_bad_field_is_named() {
    let answer = As::Admin.call(
        "POST",
        "/productos",
        &[],
        r#"{"nombre":" ","descripcion":7,"precio":19.9999,"moneda":"XXX","categoriaId":null,"stock":-1,"sku":"","etiquetas":[1],"especificaciones":{"a":[]},"color":"rojo"}"#,
    );
    assert_eq!(
        (answer.status, error_text(&answer).as_str()),
        (
            400,
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"stock","mensaje":"Debe ser un número entero de 0 a 1000000000."},{"campo":"nombre","mensaje":"No puede quedar vacío."},{"campo":"descripcion","mensaje":"Debe ser un texto."},{"campo":"precio","mensaje":"Tiene más de 3 decimales."},{"campo":"moneda","mensaje":"Debe ser el código ISO 4217 de una moneda, como USD."},{"campo":"categoriaId","mensaje":"Debe ser un texto."},{"campo":"sku","mensaje":"No puede quedar vacío."},{"campo":"etiquetas[0]","mensaje":"Debe ser un texto."},{"campo":"especificaciones.a","mensaje":"Debe ser un texto o un número."},{"campo":"color","mensaje":"No se conoce este campo."}],"solicitudId":"ID"}}"#
        )
    );
    let answer = post(&body(&unique("nadie"), "Algo", 1.0));
    assert_eq!(
        (answer.status, error_text(&answer).as_str()),
        (
            400,
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"categoriaId","mensaje":"No existe esa categoría (GET /categorias)."}],"solicitudId":"ID"}}"#
        )
    );
    let answer = As::Nobody.get("/productos?limite=0&pagina=x&orden=precio&precioMin=2&precioMax=1");
    let text = answer.text();
    assert_eq!(answer.status, 400);
    for field in ["limite", "pagina", "orden", "precioMin"] {
        assert!(text.contains(&format!(r#""campo":"{field}""#)), "{text}");
    }
}

#[test]
fn every_text_may_be_as_long_as_it_may_be() {
    let letters = |count: usize| "😀".repeat(count);
    let mut new = body(&category(), &letters(150), 1.0);
    new["descripcion"] = json!(letters(4_000));
    new["etiquetas"] = (0..20).map(|number| format!("{number:02}{}", letters(38))).collect();
    let one = |number| (format!("{number:02}{}", letters(48)), json!(letters(300)));
    new["especificaciones"] = Value::Object((0..50).map(one).collect());
    assert_eq!(read(&made(&new)).0["especificaciones"], new["especificaciones"]);
    // What one letter too many is too long is named, all of it.
    let one = |number| (format!("{number:02}"), json!(letters(301)));
    new["especificaciones"] = Value::Object((0..50).map(one).collect());
    let answer = post(&new);
    assert_eq!((answer.status, answer.json()["error"]["detalles"].as_array().unwrap().len()), (400, 50));
    let answer = post(&json!({"nombre": letters(40_000)}));
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[test]
fn a_category_may_be_in_any_script() {
    for name in ["전자 제품", "电子产品", "Ηλεκτρονικά", "إلكترونيات"] {
        let name = unique(name);
        let answer = As::Admin.call("POST", "/categorias", &[], &json!({"nombre": name}).to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        let category = answer.json()["id"].as_str().unwrap().to_owned();
        let id = made(&body(&category, "Radio", 1.0));
        let list = As::Nobody.read(&format!("/productos?categoria={}", segment(&category)));
        assert_eq!(list["datos"][0]["id"], id);
    }
}

#[test]
fn nothing_that_is_sent_breaks_it() {
    let id = made(&body(&category(), "Duro", 1.0));
    let deep = "[".repeat(5_000);
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{}",
        "\u{feff}{}",
        r#"{"precio":1e999}"#,
        r#"{"nombre":"\ud800"}"#,
        &deep,
    ];
    for (method, path) in [
        ("POST", "/productos".to_owned()),
        ("PUT", path(&id)),
        ("POST", format!("{}/resenas", path(&id))),
        ("POST", "/categorias".to_owned()),
    ] {
        for body in bodies {
            let status = As::Admin.call(method, &path, &[("content-type", "application/json")], body).status;
            assert_eq!(status, 400, "{method} {path} {body:.20}");
        }
        let large = format!(r#"{{"nombre":"{}"}}"#, "x".repeat(140_000));
        assert_eq!(As::Admin.call(method, &path, &[], &large).status, 413, "{method} {path}");
        assert_eq!(As::Admin.call(method, &path, &[("content-type", "text/plain")], "{}").status, 415);
        for (caller, status) in [(As::Nobody, 401), (As::Stranger, 401)] {
            assert_eq!(caller.call(method, &path, &[], "{}").status, status, "{method} {path}");
        }
    }
    for id in ["prod_0123456789abcdef0123456789abcdef", "x", "sku%23A", "..%2Fx", "%00", "prod_%27%22%3C"] {
        for path in [path(id), format!("{}/resenas", path(id)), format!("{}/relacionados", path(id))] {
            let answer = As::Nobody.get(&path);
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
    }
    for query in
        ["q=%00%F0%9F%98%80", "q=%27%3B--", "categoria=%22", "precioMin=NaN", "precioMax=1e9", "pagina=1000000"]
    {
        let status = As::Nobody.get(&format!("/productos?{query}")).status;
        assert!([200, 400].contains(&status), "{query}: {status}");
    }
    // A text is a text, whatever it looks like.
    let name = "<script>alert(1)</script> '; DROP TABLE \"x\" {{7*7}} ${x}";
    let id = made(&json!({"nombre": name, "descripcion": "a\n\tb", "precio": 0, "categoriaId": category(),
        "especificaciones": {"a.b": "c", "#n": ":v"}}));
    let (product, _) = read(&id);
    assert_eq!((&product["nombre"], &product["descripcion"]), (&json!(name), &json!("a\n\tb")));
    assert_eq!(product["especificaciones"], json!({"#n": ":v", "a.b": "c"}));
}

#[test]
fn a_product_is_replaced_and_what_others_keep_stays() {
    let (category, other) = (category(), category());
    let sku = unique("A");
    let id = made(&json!({"nombre": "Uno", "descripcion": "d", "precio": 10, "moneda": "EUR", "categoriaId": category,
        "stock": 7, "sku": sku, "etiquetas": ["x"], "especificaciones": {"a": "b"}}));
    stock_becomes(&id, 7);
    let (_, tag) = read(&id);
    let answer = put(&id, Some(&tag), &body(&other, "Dos", 12.5));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let product = answer.json();
    assert_ne!(answer.header("etag"), tag);
    assert_eq!(
        json!([
            product["nombre"],
            product["precio"],
            product["moneda"],
            product["categoria"],
            product["sku"],
            product["stock"],
            product["etiquetas"],
            product["especificaciones"]
        ]),
        json!(["Dos", 12.5, "EUR", other, sku, 7, [], {}])
    );
    let late = put(&id, Some(&tag), &body(&other, "Tarde", 1.0));
    assert_eq!((late.status, error_text(&late).as_str()), (412, MOVED_ON));
    let late = As::Admin.call("DELETE", &path(&id), &[("if-match", &tag)], "");
    assert_eq!((late.status, error_text(&late).as_str()), (412, MOVED_ON));
    assert_eq!(put(&id, Some("nada"), &body(&other, "Mal", 1.0)).status, 400);
    assert_eq!(put(&id, None, &body(&other, "Tres", 1.0)).status, 200);
    // The lists know it under its new category alone.
    for (category, total) in [(&category, 0), (&other, 1)] {
        assert_eq!(As::Nobody.read(&format!("/productos?categoria={category}"))["paginacion"]["total"], total);
    }
    let stock =
        put(&id, None, &json!({"nombre": "x", "descripcion": "d", "precio": 1, "categoriaId": other, "stock": 9}));
    assert!(stock.status == 400 && stock.text().contains("Solo lo cambia el almacén"), "{}", stock.text());
    assert_eq!(events(&id), ["ProductoCreado", "ProductoActualizado", "ProductoActualizado"]);
    // A sale or a review in between does not stop an editor.
    let (_, tag) = read(&id);
    As::Operador.change("central", &sku, r#"{"adjust":-2}"#);
    stock_becomes(&id, 5);
    assert_eq!(As::Nobody.call("GET", &path(&id), &[("if-none-match", &tag)], "").status, 200, "an old stock");
    assert_eq!(put(&id, Some(&tag), &body(&other, "Cuatro", 1.0)).status, 200);
}

#[test]
fn of_two_editors_with_the_same_tag_one_is_late() {
    let category = category();
    let id = made(&body(&category, "Carrera", 1.0));
    for round in 0..5 {
        let (_, tag) = read(&id);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let editors: Vec<_> = (0..4)
                .map(|editor| {
                    let (id, tag, category) = (&id, &tag, &category);
                    scope.spawn(move || put(id, Some(tag), &body(category, &format!("R{round} E{editor}"), 1.0)).status)
                })
                .collect();
            editors.into_iter().map(|editor| editor.join().unwrap()).collect()
        });
        let of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((of(200), of(412)), (1, 3), "{statuses:?}");
    }
    assert_eq!(events(&id).len(), 6);
}

#[test]
fn one_product_sells_an_item() {
    let category = category();
    let (a, b) = (unique("A"), unique("B"));
    let with = |sku: &str| {
        let mut body = body(&category, "Con sku", 1.0);
        body["sku"] = json!(sku);
        body
    };
    let id = made(&with(&a));
    let taken = post(&with(&a));
    assert_eq!((taken.status, error_text(&taken).as_str()), (409, SKU_TAKEN));
    // Of several at once one gets it.
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = (0..6).map(|_| scope.spawn(|| post(&with(&b)).status)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    let taken = put(&id, None, &with(&b));
    assert_eq!((taken.status, error_text(&taken).as_str()), (409, SKU_TAKEN));
    // What a product lets go of another may sell.
    let c = unique("C");
    assert_eq!(put(&id, None, &with(&c)).json()["sku"], json!(c));
    let second = made(&with(&a));
    let mut none = with(&a);
    none["sku"] = Value::Null;
    assert_eq!(put(&second, None, &none).json()["sku"], Value::Null);
    let third = made(&with(&a));
    assert_eq!(As::Admin.call("DELETE", &path(&third), &[], "").status, 204);
    made(&with(&a));
}

#[test]
fn what_is_deleted_is_gone() {
    let category = category();
    let id = made(&body(&category, "Adiós", 1.0));
    let list = format!("/productos?categoria={category}");
    assert_eq!(As::Nobody.read(&list)["paginacion"]["total"], 1);
    // Whoever has reviewed it is told the same as everybody else.
    let reviewed = As::Cliente.call("POST", &format!("{}/resenas", path(&id)), &[], r#"{"calificacion":5}"#);
    assert_eq!(reviewed.status, 201, "{}", reviewed.text());
    let answer = As::Admin.call("DELETE", &path(&id), &[], "");
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    assert_eq!(As::Nobody.read(&list)["paginacion"]["total"], 0);
    for answer in [
        As::Nobody.get(&path(&id)),
        As::Nobody.get(&format!("{}/resenas", path(&id))),
        As::Nobody.get(&format!("{}/relacionados", path(&id))),
        As::Admin.call("DELETE", &path(&id), &[], ""),
        put(&id, None, &body(&category, "Otra vez", 1.0)),
        As::Cliente.call("POST", &format!("{}/resenas", path(&id)), &[], r#"{"calificacion":5}"#),
    ] {
        assert_eq!((answer.status, error_text(&answer).as_str()), (404, NOT_FOUND));
    }
    assert_eq!(events(&id), ["ProductoCreado", "ProductoEliminado"]);
    // The mark goes when every list has heard of it.
    let days = (record(&id)["expires_at"]["N"].as_str().unwrap().parse::<i64>().unwrap() - now_ms() / 1000) / 3600;
    assert!((7 * 24 - 1..=7 * 24).contains(&days), "{days}");
}

#[test]
fn stock_is_what_all_stores_have() {
    let sku = unique("Té");
    let store = unique("Norte");
    // It is there before the product: the product begins with it.
    ended(
        &upload(&format!("{store}.csv"), format!("store,item,count\n{store},{sku},30\n").as_bytes()),
        "completed",
        [1, 0, 0, 1, 0, 0],
    );
    let mut new = body(&category(), "Té", 3.5);
    new["sku"] = json!(sku);
    new["stock"] = json!(12);
    let before = store_record("central")["lines"].parse::<i64>().unwrap_or(0);
    let id = made(&new);
    assert_eq!(read(&id).0["stock"], 42, "both stores, at once");
    let line = As::Operador.read(&format!("/items/central/{}", segment(&sku)));
    assert_eq!((&line["count"], &line["available"], &line["threshold"]), (&json!(12), &json!(12), &json!(5)));
    assert!(store_record("central")["lines"].parse::<i64>().unwrap() > before);
    // The warehouse changes it, by hand and by file.
    As::Operador.change("central", &sku, r#"{"adjust":-10}"#);
    stock_becomes(&id, 32);
    let import = upload(&format!("{store}.csv"), format!("store,item,count\n{store},{sku},5\n").as_bytes());
    ended(&import, "completed", [1, 1, 0, 0, 0, 0]);
    stock_becomes(&id, 7);

    // A line that is there is the warehouse's: `stock` of a new product does not touch it.
    assert_eq!(As::Admin.call("DELETE", &path(&id), &[], "").status, 204);
    new["stock"] = json!(1000);
    let again = made(&new);
    assert_eq!(read(&again).0["stock"], 7);
    // Another item, another stock.
    let other = unique("Otro");
    new["sku"] = json!(other);
    new.as_object_mut().unwrap().remove("stock");
    assert_eq!(put(&again, None, &new).json()["stock"], 0);
    As::Operador.change("central", &sku, r#"{"adjust":1}"#);
    new["sku"] = json!(sku);
    assert_eq!(put(&again, None, &new).status, 200);
    stock_becomes(&again, 8);
}

#[test]
fn what_comes_with_stock_can_be_sold() {
    let mut new = body(&category(), "Sin sku", 1.0);
    new["stock"] = json!(3);
    let id = made(&new);
    let (product, _) = read(&id);
    assert_eq!((&product["sku"], &product["stock"]), (&json!(id), &json!(3)));
}

#[test]
fn many_changes_at_once_end_in_the_right_stock() {
    let sku = unique("Mucho");
    let mut new = body(&category(), "Mucho", 1.0);
    new["sku"] = json!(sku);
    new["stock"] = json!(1000);
    let id = made(&new);
    let stores: Vec<String> = (0..4).map(|_| unique("Tienda")).collect();
    let file: String = stores.iter().map(|store| format!("{store},{sku},100\n")).collect();
    ended(
        &upload(&format!("{}.csv", tag()), format!("store,item,count\n{file}").as_bytes()),
        "completed",
        [4, 0, 0, 4, 0, 0],
    );
    thread::scope(|scope| {
        for store in stores.iter().map(String::as_str).chain(["central"]) {
            let sku = &sku;
            scope.spawn(move || (0..10).for_each(|_| drop(As::Operador.change(store, sku, r#"{"adjust":-1}"#))));
        }
    });
    stock_becomes(&id, 1400 - 50);
}

#[test]
fn a_products_first_line_is_made_beside_an_import_of_its_store() {
    // The lease as an import would take it, on the store of new products.
    let lease = |until: i64, expression: &str| {
        let update = json!({"TableName": stack().output("StoresTable"), "Key": {"store": {"S": "central"}},
            "UpdateExpression": expression, "ConditionExpression": "attribute_not_exists(lease_owner) OR lease_owner = :me",
            "ExpressionAttributeValues": {":me": {"S": "imp_test"}, ":until": {"N": until.to_string()}}});
        stack().dynamodb("UpdateItem", &update);
    };
    let sku = unique("Ocupado");
    let mut new = body(&category(), "Ocupado", 1.0);
    new["sku"] = json!(sku);
    new["stock"] = json!(5);
    lease(now_ms() + 3_000, "SET lease_owner = :me, lease_until = :until");
    let id = made(&new);
    lease(0, "SET lease_until = :until REMOVE lease_owner");
    let line = As::Operador.read(&format!("/items/central/{}", segment(&sku)));
    assert_eq!(line["count"], 5, "{line}");
    // A file that was counted before leaves it alone, and one that is counted later changes it.
    let file = format!("store,item,count\ncentral,{sku},7\n");
    let mut early = put_quietly(&format!("{sku} a.csv"), 1, file.as_bytes());
    early.at_ms = now_ms() - 3_600_000;
    early.deliver();
    ended(&finished(&early.import()), "completed", [1, 0, 0, 0, 0, 1]);
    ended(&upload(&format!("{sku} b.csv"), file.as_bytes()), "completed", [1, 1, 0, 0, 0, 0]);
    stock_becomes(&id, 7);
}

#[test]
fn who_may_change_the_shop() {
    let id = made(&body(&category(), "De todos", 1.0));
    for (method, path) in [
        ("POST", "/productos".to_owned()),
        ("PUT", path(&id)),
        ("DELETE", path(&id)),
        ("POST", "/categorias".to_owned()),
    ] {
        for (caller, status) in [(As::Nobody, 401), (As::Stranger, 401), (As::Cliente, 403), (As::Operador, 403)] {
            assert_eq!(caller.call(method, &path, &[], "{}").status, status, "{caller:?} {method} {path}");
        }
    }
    for path in [
        "/productos",
        "/categorias",
        &path(&id),
        &format!("/productos/{id}/resenas"),
        &format!("/productos/{id}/relacionados"),
    ] {
        assert_eq!(As::Nobody.get(path).status, 200, "{path}");
    }
    let twice = json!({"nombre": unique("Única")}).to_string();
    assert_eq!(As::Admin.call("POST", "/categorias", &[], &twice).status, 201);
    let again = As::Admin.call("POST", "/categorias", &[], &twice);
    assert!(again.status == 409 && again.text().contains("CONFLICTO"), "{}", again.text());
}
