//! Lists of products, which functions keep in memory and in a snapshot, name what the table has.

use std::collections::BTreeSet;

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use serde_json::{Map, Value};

fn ids(products: &[Map<String, Value>]) -> BTreeSet<&str> {
    let is_live = |product: &&Map<String, Value>| {
        product.get("kind").is_some_and(|kind| kind["S"] == "product") && !product.contains_key("deleted_at")
    };
    products.iter().filter(is_live).filter_map(|product| product["id"]["S"].as_str()).collect()
}

/// What is wrong with the first page of all products, of a warm execution environment, where there is one, and of a new one.
pub(crate) async fn listed(world: &World) -> Vec<String> {
    let products = world.items("ProductsTable").unwrap();
    let expected = ids(&products);
    let mut wrong = Vec::new();
    if products.is_empty() {
        return wrong;
    }
    for is_new in [false, true] {
        if is_new {
            world.recycle();
        }
        let request = Request::new(As::Nobody, "GET", "/productos", &[]);
        let Some(reply) = world.request("products-api", request).await.unwrap() else {
            wrong.push("no list of products".to_owned());
            continue;
        };
        let rows = reply.body["datos"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        if named != expected {
            wrong.push(format!("listed, new {is_new}: {named:?} instead of {expected:?}; {}", reply.status));
        }
    }
    wrong
}
