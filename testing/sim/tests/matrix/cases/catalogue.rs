//! Products, categories, reviews and pictures, and the catalogue's snapshot.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::imports::stocked;
use super::{Heard, UseCase, ask, done, nothing};

/// 8 × 6 pixels of one colour.
const PICTURE: &[u8] = include_bytes!("../pictures/red.png");
/// The same in another colour.
const ANOTHER: &[u8] = include_bytes!("../pictures/blue.png");

fn category(name: &str) -> Request {
    Request::new(As::Admin, "POST", "/categorias", &[]).body(&json!({"nombre": name}))
}

fn product(sku: &str) -> Value {
    json!({
        "nombre": "Té verde", "descripcion": "Suelto.", "precio": 4.5, "moneda": "EUR", "categoriaId": "te", "sku": sku,
    })
}

fn new_product(sku: &str) -> Request {
    let mut body = product(sku);
    body["stock"] = json!(9);
    Request::new(As::Admin, "POST", "/productos", &[]).body(&body)
}

fn with_category(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        done(world, category("Te")).await;
        done(world, category("Café")).await
    })
}

fn with_category_and_stock(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        with_category(world).await;
        stocked(world).await
    })
}

/// A product whose item has nine units in the store for new products.
pub(super) fn with_product(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        with_category_and_stock(world).await;
        done(world, new_product("Green")).await
    })
}

/// The same, and another one whose id is `other`.
pub(super) fn with_two_products(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let mut given = with_product(world).await;
        given["other"] = done(world, new_product("Black")).await["id"].clone();
        given
    })
}

fn id(given: &Value) -> &str {
    given["id"].as_str().unwrap()
}

/// A product that somebody has looked at: its entity tag is `etag`.
fn with_shown_product(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let mut given = with_product(world).await;
        let show = Request::new(As::Nobody, "GET", "/productos/{id}", &[id(&given)]);
        given["etag"] = super::send(world, show).await.unwrap().headers["etag"].clone();
        given
    })
}

fn etag(given: &Value) -> &str {
    given["etag"].as_str().unwrap()
}

fn review(customer: &'static str, given: &Value) -> Request {
    let body = json!({"calificacion": 5, "comentario": "Rico."});
    Request::new(As::Customer(customer), "POST", "/productos/{id}/resenas", &[id(given)]).body(&body)
}

fn with_review(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let given = with_product(world).await;
        done(world, review("ana", &given)).await;
        given
    })
}

fn with_picture(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let given = with_review(world).await;
        send(world, &given, PICTURE).await;
        given
    })
}

/// Sends a picture to the link that making the product gave.
async fn send(world: &World, given: &Value, picture: &[u8]) -> Heard {
    assert_eq!(world.upload(given["urlCargaImagen"].as_str().unwrap(), picture).await.unwrap(), 200);
    world.settle().await.unwrap();
    None
}

fn replace(given: &Value, body: &Value) -> Request {
    Request::new(As::Admin, "PUT", "/productos/{id}", &[id(given)]).body(body)
}

async fn snapshot(world: &World) -> Heard {
    world.tick("snapshot-catalogue").await.unwrap();
    None
}

fn with_snapshot_and_news(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        with_product(world).await;
        snapshot(world).await;
        done(world, new_product("Black")).await
    })
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::request("category", nothing, |world, _| Box::pin(ask(world, category("Te")))),
    UseCase::request("new product with stock", with_category_and_stock, |world, _| {
        Box::pin(ask(world, new_product("Green")))
    }),
    UseCase::request("new product of an item in stock", with_category_and_stock, |world, _| {
        Box::pin(ask(world, Request::new(As::Admin, "POST", "/productos", &[]).body(&product("Tea"))))
    }),
    UseCase::request("changed product", with_product, |world, given| {
        let mut body = product("Green");
        (body["precio"], body["categoriaId"]) = (json!(5.25), json!("cafe"));
        Box::pin(ask(world, replace(given, &body)))
    }),
    UseCase::request("changed product with If-Match", with_shown_product, |world, given| {
        let mut body = product("Green");
        body["nombre"] = json!("Té verde de China");
        Box::pin(ask(world, replace(given, &body).header("if-match", etag(given))))
    }),
    UseCase::request("product that sells another item", with_product, |world, given| {
        Box::pin(ask(world, replace(given, &product("Tea"))))
    }),
    UseCase::request("deleted product", with_picture, |world, given| {
        Box::pin(ask(world, Request::new(As::Admin, "DELETE", "/productos/{id}", &[id(given)])))
    }),
    UseCase::request("deleted product with If-Match", with_shown_product, |world, given| {
        let delete = Request::new(As::Admin, "DELETE", "/productos/{id}", &[id(given)]);
        Box::pin(ask(world, delete.header("if-match", etag(given))))
    }),
    UseCase::request("review", with_product, |world, given| Box::pin(ask(world, review("ana", given)))),
    UseCase::request("review of another customer", with_review, |world, given| {
        Box::pin(ask(world, review("eva", given)))
    }),
    UseCase::work("picture", with_product, |world, given| Box::pin(send(world, given, PICTURE))),
    UseCase::work("second picture", with_picture, |world, given| Box::pin(send(world, given, ANOTHER))),
    UseCase::work("two pictures at once", with_product, |world, given| {
        Box::pin(async {
            let key = format!("products/{}/up_2", id(given));
            world.put_object("OriginalsBucket", &key, ANOTHER, &[]).unwrap();
            send(world, given, PICTURE).await
        })
    }),
    UseCase::work("picture that is none", with_product, |world, given| Box::pin(send(world, given, b"not a picture"))),
    UseCase::work("first snapshot", with_product, |world, _| Box::pin(snapshot(world))),
    UseCase::work("snapshot after a change", with_snapshot_and_news, |world, _| Box::pin(snapshot(world))),
];
