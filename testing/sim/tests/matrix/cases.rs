//! The use cases that write.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::json;

/// What a client was answered, where it was.
pub(crate) type Heard = Option<u16>;

/// A step of a use case.
pub(crate) type Act = for<'a> fn(&'a World) -> LocalBoxFuture<'a, Heard>;

/// A use case.
#[derive(Clone, Copy)]
pub(crate) struct UseCase {
    pub(crate) name: &'static str,
    /// Variables of the environment that are otherwise than in the template.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// What is there before.
    pub(crate) prepare: Act,
    pub(crate) act: Act,
    /// Is it a client's request? Then it happens wholly or not at all; else it happens in the end.
    pub(crate) request: bool,
}

const STOCK: &str = "store,sku,count,threshold\nBerlin,Tea,40,5\nBerlin,Mate,7,5\nMadrid,Tea,3,5\n";
const RECOUNT: &str = "store,sku,count,threshold\nBerlin,Tea,4,5\nBerlin,Mate,7,5\nMadrid,Tea,30,5\nMadrid,Chai,1,5\n";
const CHANGES: &str = "store,sku,count\nBerlin,Tea,-36\nBerlin,Mate,2\nMadrid,Chai,8\n";

async fn drop_file(world: &World, key: &str, text: &str) -> Heard {
    drop_with(world, key, text, &[]).await
}

async fn drop_with(world: &World, key: &str, text: &str, metadata: &[(&str, &str)]) -> Heard {
    world.put_object("UploadBucket", key, text, metadata).unwrap();
    world.settle().await.unwrap();
    None
}

async fn ask(world: &World, package: &str, request: Request) -> Heard {
    let reply = world.request(package, request).await.unwrap();
    world.settle().await.unwrap();
    reply.map(|reply| reply.status)
}

fn nothing(_world: &World) -> LocalBoxFuture<'_, Heard> {
    Box::pin(async { None })
}

fn stocked(world: &World) -> LocalBoxFuture<'_, Heard> {
    Box::pin(drop_file(world, "first.csv", STOCK))
}

fn category() -> Request {
    Request::new(As::Admin, "POST", "/categorias", &[]).body(&json!({"nombre": "Te"}))
}

fn new_product() -> Request {
    Request::new(As::Admin, "POST", "/productos", &[]).body(&json!({
        "nombre": "Té verde", "descripcion": "Suelto.", "precio": 4.5, "moneda": "EUR", "categoriaId": "te", "sku": "Green",
        "stock": 9,
    }))
}

fn with_category(world: &World) -> LocalBoxFuture<'_, Heard> {
    Box::pin(async {
        let heard = ask(world, "products-api", category()).await;
        assert_eq!(heard, Some(201));
        heard
    })
}

fn product_id(world: &World) -> String {
    let products = world.items("ProductsTable").unwrap();
    let mut ids = products.iter().filter_map(|item| item["id"]["S"].as_str());
    ids.rfind(|id| id.starts_with("prod_")).unwrap_or_default().to_owned()
}

fn with_product(world: &World) -> LocalBoxFuture<'_, Heard> {
    Box::pin(async {
        with_category(world).await;
        let heard = ask(world, "products-api", new_product()).await;
        assert_eq!(heard, Some(201));
        heard
    })
}

fn patch(body: serde_json::Value) -> Request {
    Request::new(As::Operator, "PATCH", "/items/{store}/{item+}", &["Berlin", "Tea"]).body(&body)
}

/// All of them.
pub(crate) const ALL: &[UseCase] = &[
    UseCase { name: "first import", environment: &[], prepare: nothing, act: stocked, request: false },
    UseCase {
        name: "recount",
        environment: &[],
        prepare: stocked,
        act: |world| Box::pin(drop_file(world, "second.csv", RECOUNT)),
        request: false,
    },
    UseCase {
        name: "import in parts",
        environment: &[("SPLIT_BYTES", "40")],
        prepare: stocked,
        act: |world| Box::pin(drop_file(world, "second.csv", RECOUNT)),
        request: false,
    },
    UseCase {
        name: "adjustment",
        environment: &[],
        prepare: stocked,
        act: |world| Box::pin(drop_with(world, "changes.csv", CHANGES, &[("mode", "adjust")])),
        request: false,
    },
    UseCase {
        name: "refused file",
        environment: &[],
        prepare: stocked,
        act: |world| Box::pin(drop_file(world, "poem.csv", "roses,are,red\n")),
        request: false,
    },
    UseCase {
        name: "PATCH, a count",
        environment: &[],
        prepare: stocked,
        act: |world| Box::pin(ask(world, "items-api", patch(json!({"count": 2})))),
        request: true,
    },
    UseCase {
        name: "PATCH, an adjustment",
        environment: &[],
        prepare: stocked,
        act: |world| Box::pin(ask(world, "items-api", patch(json!({"adjust": -39})))),
        request: true,
    },
    UseCase {
        name: "new product with stock",
        environment: &[],
        prepare: with_category,
        act: |world| Box::pin(ask(world, "products-api", new_product())),
        request: true,
    },
    UseCase {
        name: "deleted product",
        environment: &[],
        prepare: with_product,
        act: |world| {
            Box::pin(async {
                let id = product_id(world);
                ask(world, "products-api", Request::new(As::Admin, "DELETE", "/productos/{id}", &[&id])).await
            })
        },
        request: true,
    },
    UseCase {
        name: "review",
        environment: &[],
        prepare: with_product,
        act: |world| {
            Box::pin(async {
                let id = product_id(world);
                let body = json!({"calificacion": 5, "comentario": "Rico."});
                let request = Request::new(As::Customer("ana"), "POST", "/productos/{id}/resenas", &[&id]).body(&body);
                ask(world, "products-api", request).await
            })
        },
        request: true,
    },
    UseCase {
        name: "cart",
        environment: &[],
        prepare: with_product,
        act: |world| {
            Box::pin(async {
                let body = json!({"productoId": product_id(world), "cantidad": 2});
                ask(world, "cart-api", Request::new(As::Customer("ana"), "POST", "/carrito/items", &[]).body(&body))
                    .await
            })
        },
        request: true,
    },
    UseCase {
        name: "to-do of a person",
        environment: &[],
        prepare: nothing,
        act: |world| {
            let body = json!({"title": "Contar", "description": "", "completed": false});
            Box::pin(ask(world, "tasks-api", Request::new(As::Operator, "POST", "/tasks", &[]).body(&body)))
        },
        request: true,
    },
];
