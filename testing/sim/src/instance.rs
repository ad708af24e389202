//! The functions, by the names of their packages: the same values that their `main`s make.

use std::future::Future;
use std::pin::Pin;

use almacen_aws_client::Aws;
use almacen_identity::keys::PublishedKeys;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Function, Instance};
use anyhow::{Result, bail};
use lambda_runtime::{Context, Diagnostic};

/// What an invocation answers: the bytes that the Runtime API would carry.
pub type Answered<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Diagnostic>> + 'a>>;

/// One execution environment of any function.
pub trait Invoke {
    /// One invocation.
    fn invoke<'a>(&'a self, event: &'a [u8], context: Context) -> Answered<'a>;
}

impl<F: Function> Invoke for Instance<F> {
    fn invoke<'a>(&'a self, event: &'a [u8], context: Context) -> Answered<'a> {
        Box::pin(self.invoke_bytes(event, context))
    }
}

fn boxed<F: Function + 'static>(env: Env, make: impl FnOnce(&mut Env) -> F) -> Result<Box<dyn Invoke>> {
    Ok(Box::new(Instance::new(env, make)?))
}

/// Starts a function.
///
/// # Errors
/// Where its environment lacks something, or there is no such function.
pub fn start(package: &str, env: Env, aws: &Aws) -> Result<Box<dyn Invoke>> {
    match package {
        "admit-user" => boxed(env, admit_user::AdmitUser::new),
        "authorize" => boxed(env, |env| authorize::Authorize::new(env, |url| PublishedKeys::at(aws, url))),
        "cart-api" => boxed(env, |env| cart_api::CartApi::new(env, aws)),
        "close-imports" => boxed(env, |env| close_imports::CloseImports::new(env, aws)),
        "docs-api" => boxed(env, docs_api::DocsApi::new),
        "health-api" => boxed(env, |env| health_api::HealthApi::new(env, aws)),
        "ingest-inventory" => boxed(env, |env| ingest_inventory::IngestInventory::new(env, aws)),
        "ingest-range" => boxed(env, |env| ingest_range::IngestRange::new(env, aws)),
        "items-api" => boxed(env, |env| items_api::ItemsApi::new(env, aws)),
        "notify" => boxed(env, |env| notify::Notify::new(env, aws)),
        "open-tasks" => boxed(env, |env| open_tasks::OpenTasks::new(env, aws)),
        "process-image" => boxed(env, |env| process_image::ProcessImage::new(env, aws)),
        "products-api" => boxed(env, |env| products_api::ProductsApi::new(env, aws)),
        "relay-events" => boxed(env, |env| relay_events::RelayEvents::new(env, aws)),
        "snapshot-catalogue" => boxed(env, |env| snapshot_catalogue::SnapshotCatalogue::new(env, aws)),
        "tasks-api" => boxed(env, |env| tasks_api::TasksApi::new(env, aws)),
        "users-api" => boxed(env, |env| users_api::UsersApi::new(env, aws)),
        "watch-stock" => boxed(env, |env| watch_stock::WatchStock::new(env, aws)),
        other => bail!("no function {other}"),
    }
}
