//! Customers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::{As, Request};
use crate::shop::{Known, Shop};

const ITEMS: &str = "/carrito/items";
const ITEM: &str = "/carrito/items/{productoId}";

/// What is in a cart.
pub(crate) type Contents = BTreeMap<String, i64>;

/// One change of a cart: the request, and what it does.
fn change(who: As, rng: &mut fastrand::Rng, products: &[String]) -> (Request, String, Option<i64>, bool) {
    let product = products[rng.usize(..products.len())].clone();
    let quantity = rng.i64(1..4);
    let request = |method, resource, parameters: &[&str]| Request::new(who, method, resource, parameters);
    match rng.u8(..5) {
        0 | 1 => {
            let body = json!({"productoId": product, "cantidad": quantity});
            (request("POST", ITEMS, &[]).body(&body), product, Some(quantity), true)
        }
        2 | 3 => {
            let put = request("PUT", ITEM, &[&product]).body(&json!({"cantidad": quantity}));
            (put, product, Some(quantity), false)
        }
        _ => (request("DELETE", ITEM, &[&product]), product, None, false),
    }
}

/// Has one device, and knows what is in the cart.
pub(crate) async fn shopper(
    shop: &Shop<'_>,
    name: &'static str,
    products: &[String],
    carts: &RefCell<BTreeMap<&'static str, Known<Contents>>>,
) {
    let who = As::Customer(name);
    let mut known = Known::is(Contents::new());
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let (request, product, quantity, adds) = change(who, &mut rng, products);
        let after = |cart: &Contents| {
            let mut cart = cart.clone();
            match quantity {
                Some(quantity) if adds => *cart.entry(product.clone()).or_default() += quantity,
                // What is not in the cart cannot be set.
                Some(quantity) => {
                    if let Some(was) = cart.get_mut(&product) {
                        *was = quantity;
                    }
                }
                None => drop(cart.remove(&product)),
            }
            cart
        };
        // Adding twice adds twice: a client does not ask again, it looks.
        match shop.once(&request).await {
            Some(reply) if reply.status < 300 => known.changed(after),
            Some(reply) => drop(shop.expect("a change of a cart", &reply, &[404])),
            None => known.perhaps(after),
        }
        if let Some(reply) = shop.insist(&Request::new(who, "GET", "/carrito", &[])).await
            && shop.expect("GET /carrito", &reply, &[200])
        {
            let lines = reply.body["items"].as_array().cloned().unwrap_or_default();
            let line = |line: &Value| Some((line["productoId"].as_str()?.to_owned(), line["cantidad"].as_i64()?));
            let seen: Contents = lines.iter().filter_map(line).collect();
            let before = known.clone();
            if !known.seen(seen.clone()) {
                shop.wrong(format!("the cart of {name} has {seen:?}, which it cannot: {before:?}"));
            }
        }
        carts.borrow_mut().insert(name, known.clone());
    }
}

/// One of several devices of a customer, which are used at the same moments.
pub(crate) async fn device(shop: &Shop<'_>, name: &str, customer: &'static str, products: &[String]) {
    for when in shop.times(customer) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        sleep(Duration::from_millis(rng.u64(..30))).await;
        let (request, ..) = change(As::Customer(customer), &mut rng, products);
        if let Some(reply) = shop.once(&request).await {
            shop.expect("a change of a cart", &reply, &[200, 204, 404, 409]);
        }
    }
}

/// Writes reviews, each product's once.
pub(crate) async fn reviewer(shop: &Shop<'_>, name: &'static str, products: &[String]) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let id = &products[rng.usize(..products.len())];
        let body = json!({"calificacion": rng.i64(1..=5), "comentario": "Rico."});
        let request = Request::new(As::Customer(name), "POST", "/productos/{id}/resenas", &[id]).body(&body);
        if let Some(reply) = shop.insist(&request).await {
            shop.expect("POST a review", &reply, &[201, 409]);
        }
    }
}

/// Looks around.
pub(crate) async fn visitor(shop: &Shop<'_>, name: &str) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let request = match rng.u8(..3) {
            0 => Request::new(As::Nobody, "GET", "/productos", &[]).query("limite", "5"),
            1 => Request::new(As::Nobody, "GET", "/categorias", &[]),
            _ => Request::new(As::Operator, "GET", "/items", &[]),
        };
        if let Some(reply) = shop.insist(&request).await {
            shop.expect("a look", &reply, &[200]);
        }
    }
}

/// Signs up, and in.
pub(crate) async fn newcomer(shop: &Shop<'_>, name: &str) {
    for when in shop.times(name) {
        let Some(_rng) = shop.step(name, when).await else { continue };
        let username = format!("visitante{}", shop.number());
        let password = "Secreto123";
        let body = json!({"username": username, "email": format!("{username}@example.com"), "password": password});
        let Some(reply) = shop.insist(&Request::new(As::Nobody, "POST", "/users", &[]).body(&body)).await else {
            continue;
        };
        if !shop.expect("POST /users", &reply, &[201, 409]) {
            continue;
        }
        let body = json!({"username": username, "password": password});
        if let Some(reply) = shop.insist(&Request::new(As::Nobody, "POST", "/token", &[]).body(&body)).await {
            shop.expect("POST /token", &reply, &[200]);
        }
    }
}
