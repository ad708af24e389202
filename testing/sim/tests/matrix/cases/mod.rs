//! The use cases that write.

mod catalogue;
mod events;
mod imports;
mod shop;
mod stock;
mod users;

use almacen_testing_sim::api::{Reply, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

/// What a client was answered, where it was.
pub(crate) type Heard = Option<u16>;

/// Makes what is there before; what the act needs to know of it.
pub(crate) type Prepare = for<'a> fn(&'a World) -> LocalBoxFuture<'a, Value>;

/// The step that is tried with faults. It gets what the preparation answered.
pub(crate) type Act = for<'a> fn(&'a World, &'a Value) -> LocalBoxFuture<'a, Heard>;

/// A use case.
#[derive(Clone, Copy)]
pub(crate) struct UseCase {
    pub(crate) name: &'static str,
    /// Variables of the environment that are otherwise than in the template.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) prepare: Prepare,
    pub(crate) act: Act,
    /// Is it a client's request? Then it happens wholly or not at all; else it happens in the end.
    pub(crate) request: bool,
    /// Queues, by logical id, in which messages stay for a person.
    pub(crate) leaves: &'static [&'static str],
    /// Places of the state that tell in which order things happened, where any order is right.
    pub(crate) any_order: &'static [&'static str],
    /// Is each line written as often as without a fault? Its versions tell.
    pub(crate) writes_once: bool,
}

impl UseCase {
    /// Work that a queue, a stream or a schedule asks for: it is done in the end, whatever fails.
    const fn work(name: &'static str, prepare: Prepare, act: Act) -> Self {
        Self { name, environment: &[], prepare, act, request: false, leaves: &[], any_order: &[], writes_once: true }
    }

    /// A client's request.
    const fn request(name: &'static str, prepare: Prepare, act: Act) -> Self {
        Self { request: true, ..Self::work(name, prepare, act) }
    }

    const fn with(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Self { environment, ..self }
    }

    const fn in_any_order(self, any_order: &'static [&'static str]) -> Self {
        Self { any_order, writes_once: false, ..self }
    }

    /// It says what there is to be, so the SDK may write it twice.
    const fn repeatable(self) -> Self {
        Self { writes_once: false, ..self }
    }

    const fn leaving(self, leaves: &'static [&'static str]) -> Self {
        Self { leaves, ..self }
    }
}

/// All of them.
pub(crate) fn all() -> Vec<UseCase> {
    [imports::ALL, stock::ALL, catalogue::ALL, shop::ALL, events::ALL, users::ALL].concat()
}

/// Sends a request to the function of its route; nothing else happens yet.
async fn send(world: &World, request: Request) -> Option<Reply> {
    let event = request.clone().event("");
    let is_its = |method: &str, path: &str| event["httpMethod"] == method && event["resource"] == path;
    let routes = &world.cloud().stack().routes;
    let package = routes.iter().find(|route| is_its(&route.method, &route.path)).unwrap().function.clone();
    world.request(&package, request).await.unwrap()
}

/// Sends a request, and lets happen what follows from it.
async fn ask(world: &World, request: Request) -> Heard {
    let reply = send(world, request).await;
    world.settle().await.unwrap();
    reply.map(|reply| reply.status)
}

/// The same for a preparation, in which nothing fails: the answer's body.
async fn done(world: &World, request: Request) -> Value {
    let reply = send(world, request).await.unwrap();
    assert!((200..300).contains(&reply.status), "{}: {}", reply.status, reply.body);
    world.settle().await.unwrap();
    reply.body
}

fn nothing(_world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async { Value::Null })
}

/// A call to DynamoDB by hand.
fn by_hand(world: &World, operation: &str, logical: &str, mut body: Value) {
    body["TableName"] = json!(world.cloud().stack().name(logical).unwrap());
    world.cloud().dynamodb().call(operation, body.to_string().as_bytes(), world.cloud().now()).unwrap();
}
