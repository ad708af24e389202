//! Customers sign up and in.

use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::{UseCase, ask, done, nothing};

fn sign_up() -> Request {
    let body = json!({"username": "ana", "email": "ana@example.com", "password": "Secreta123", "age": 34});
    Request::new(As::Nobody, "POST", "/users", &[]).body(&body)
}

fn signed_up(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async { done(world, sign_up()).await })
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::request("sign-up", nothing, |world, _| Box::pin(ask(world, sign_up()))),
    UseCase::request("sign-in", signed_up, |world, _| {
        let body = json!({"username": "ana", "password": "Secreta123"});
        Box::pin(ask(world, Request::new(As::Nobody, "POST", "/token", &[]).body(&body)))
    }),
];
