//! Carts and their coupons.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::catalogue::{with_product, with_two_products};
use super::{UseCase, ask, by_hand, done};

const ANA: As = As::Customer("ana");

fn add(product: &Value, quantity: u32) -> Request {
    Request::new(ANA, "POST", "/carrito/items", &[]).body(&json!({"productoId": product, "cantidad": quantity}))
}

fn line(method: &str, product: &Value) -> Request {
    Request::new(ANA, method, "/carrito/items/{productoId}", &[product.as_str().unwrap()])
}

fn coupon(method: &str) -> Request {
    Request::new(ANA, method, "/carrito/cupon", &[])
}

/// A cart with one product; another product, and a coupon, that are not in it.
fn with_cart(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let given = with_two_products(world).await;
        let item = json!({
            "code": {"S": "VERANO10"}, "part": {"S": "coupon"}, "benefit": {"S": "percent"}, "basis_points": {"N": "1000"},
        });
        by_hand(world, "PutItem", "CouponsTable", json!({"Item": item}));
        done(world, add(&given["id"], 2)).await;
        given
    })
}

fn with_full_cart(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let given = with_cart(world).await;
        done(world, add(&given["other"], 1)).await;
        done(world, coupon("POST").body(&json!({"codigo": "verano10"}))).await;
        given
    })
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::request("first line of a cart", with_product, |world, given| Box::pin(ask(world, add(&given["id"], 2)))),
    UseCase::request("second line of a cart", with_cart, |world, given| Box::pin(ask(world, add(&given["other"], 1)))),
    UseCase::request("more of a line of a cart", with_cart, |world, given| Box::pin(ask(world, add(&given["id"], 1)))),
    UseCase::request("changed line of a cart", with_full_cart, |world, given| {
        Box::pin(ask(world, line("PUT", &given["id"]).body(&json!({"cantidad": 5}))))
    }),
    UseCase::request("removed line of a cart", with_full_cart, |world, given| {
        Box::pin(ask(world, line("DELETE", &given["other"])))
    }),
    UseCase::request("coupon of a cart", with_cart, |world, _| {
        Box::pin(ask(world, coupon("POST").body(&json!({"codigo": "VERANO10"}))))
    }),
    UseCase::request("cart without its coupon", with_full_cart, |world, _| Box::pin(ask(world, coupon("DELETE")))),
];
