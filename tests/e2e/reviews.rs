//! Reviews: one per customer and product, counted exactly.

use std::thread;

use serde_json::{Value, json};

use crate::api::{As, error_text};
use crate::cart::change;
use crate::products::{body, category, made};
use crate::stack::{root, stack};

const BEFORE: &str = r#"{"error":{"codigo":"CONFLICTO","mensaje":"Ya escribió una reseña de este producto.","detalles":[],"solicitudId":"ID"}}"#;

/// A review by a user of this name, as the gateway would hand it over; status and body of the answer.
pub(crate) fn review_as(user: &str, product: &str, rating: usize) -> (u64, Value) {
    let text = std::fs::read_to_string(root().join("events/products-api/new-review.json")).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["path"] = json!(format!("/productos/{product}/resenas"));
    event["pathParameters"]["id"] = json!(product);
    event["requestContext"]["authorizer"]["usuarioId"] = json!(user);
    event["body"] = json!(json!({"calificacion": rating, "comentario": user}).to_string());
    let (answer, failed) = stack().invoke("products-api", &event);
    assert!(!failed, "{answer}");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

/// Contention passes and is waited for; what DynamoDB refuses for good is told at once.
#[test]
fn a_rating_that_cannot_be_counted_is_no_contention() {
    let product = made(&body(&category(), "Sin media", 1.0));
    let (table, key) = (stack().output("ProductsTable"), json!({"id": {"S": product}}));
    change(table, &key, "rating_sum", json!({"S": "mucho"}));
    let (status, told) = review_as("u-broken", &product, 5);
    stack().dynamodb("DeleteItem", &json!({"TableName": table, "Key": key}));
    assert_eq!((status, &told["error"]["codigo"]), (500, &json!("ERROR_INTERNO")));
}

#[test]
fn a_review_as_the_contract_spells_it() {
    let product = made(&body(&category(), "Reseñado", 1.0));
    let path = format!("/productos/{product}/resenas");
    let answer = As::Cliente.call("POST", &path, &[], r#"{"calificacion":5,"comentario":"Suena muy bien."}"#);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let (id, at) = (made["id"].as_str().unwrap(), made["creadoEn"].as_str().unwrap());
    let literal = format!(
        r#"{{"id":"{id}","productoId":"{product}","calificacion":5,"comentario":"Suena muy bien.","creadoEn":"{at}"}}"#
    );
    assert_eq!(answer.text(), literal);
    assert_eq!(
        As::Nobody.get(&path).text(),
        format!(r#"{{"datos":[{literal}],"paginacion":{{"pagina":1,"limite":20,"total":1,"totalPaginas":1}}}}"#)
    );
    let again = As::Cliente.call("POST", &path, &[], r#"{"calificacion":1}"#);
    assert_eq!((again.status, error_text(&again).as_str()), (409, BEFORE));
    let second = As::Operador.call("POST", &path, &[], r#"{"calificacion":4}"#);
    assert_eq!(second.status, 201);
    let shown = As::Nobody.read(&format!("/productos/{product}"));
    assert_eq!((&shown["calificacion"], &shown["cantidadResenas"]), (&json!(4.5), &json!(2)));
    let bad = As::Admin.call("POST", &path, &[], r#"{"calificacion":6,"comentario":7,"autor":"x"}"#);
    assert_eq!(
        (bad.status, error_text(&bad).as_str()),
        (
            400,
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"calificacion","mensaje":"Debe ser un número entero de 1 a 5."},{"campo":"comentario","mensaje":"Debe ser un texto."},{"campo":"autor","mensaje":"No se conoce este campo."}],"solicitudId":"ID"}}"#
        )
    );
}

#[test]
fn fifty_customers_at_once_are_all_counted() {
    const CUSTOMERS: usize = 50;
    let category = category();
    let product = made(&body(&category, "Muy reseñado", 1.0));
    let rating = |customer: usize| customer % 5 + 1;
    let statuses: Vec<u64> = thread::scope(|scope| {
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|customer| {
                let product = &product;
                // Every fifth sends it twice at the same time.
                let again = (customer % 5 == 0)
                    .then(|| scope.spawn(move || review_as(&format!("c{customer}"), product, rating(customer)).0));
                let first = scope.spawn(move || review_as(&format!("c{customer}"), product, rating(customer)).0);
                (first, again)
            })
            .collect();
        customers
            .into_iter()
            .flat_map(|(first, again)| std::iter::once(first).chain(again))
            .map(|call| call.join().unwrap())
            .collect()
    });
    let of = |wanted: u64| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((of(201), of(409)), (CUSTOMERS, CUSTOMERS / 5), "{statuses:?}");
    let shown = As::Nobody.read(&format!("/productos/{product}"));
    let mean = (0..CUSTOMERS).map(rating).sum::<usize>() as f64 / CUSTOMERS as f64;
    assert_eq!((&shown["cantidadResenas"], &shown["calificacion"]), (&json!(CUSTOMERS), &json!(mean)));
    // The lists show the same.
    let list = As::Nobody.read(&format!("/productos?categoria={category}"));
    assert_eq!(list["datos"][0]["cantidadResenas"], json!(CUSTOMERS));

    // Newest first, every one once.
    let mut seen = Vec::new();
    for page in 1..=4 {
        let answer = As::Nobody.read(&format!("/productos/{product}/resenas?pagina={page}&limite=15"));
        assert_eq!(answer["paginacion"], json!({"pagina": page, "limite": 15, "total": 50, "totalPaginas": 4}));
        seen.extend(
            answer["datos"].as_array().unwrap().iter().map(|one| {
                (one["creadoEn"].as_str().unwrap().to_owned(), one["comentario"].as_str().unwrap().to_owned())
            }),
        );
    }
    assert!(seen.windows(2).all(|two| two[0].0 >= two[1].0), "{seen:?}");
    let mut names: Vec<&String> = seen.iter().map(|(_, name)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), CUSTOMERS);
    assert_eq!(As::Nobody.get(&format!("/productos/{product}/resenas?pagina=21&limite=100")).status, 400);
}
