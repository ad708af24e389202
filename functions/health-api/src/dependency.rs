//! What the system depends on, and how each is asked: by the cheapest real call that a role with nothing else may make.

use almacen_aws_client::{Aws, LazyClient};
use almacen_bus::Topic;
use almacen_dynamo::ping::ping;
use almacen_files::Files;
use almacen_identity::keys::{KeySource as _, PublishedKeys};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::log::error_chain;
use almacen_queue::Queue;
use aws_sdk_dynamodb::Client;

/// One dependency.
#[derive(Debug)]
pub struct Dependency {
    /// What it is called to everybody.
    pub name: &'static str,
    /// Does most of what the API does stand still without it?
    pub essential: bool,
    what: What,
}

/// What is asked.
#[derive(Debug)]
enum What {
    /// A table, and the attributes of its key: a record that is not there is read.
    Table(String, &'static [&'static str]),
    /// A bucket: is it there?
    Bucket(String),
    /// A queue: its attributes.
    Queue(Queue),
    /// A topic: its attributes.
    Topic(Topic),
    /// The user pool's keys, where everybody may read them.
    Keys(PublishedKeys),
}

/// A table of each capability and each service once, from the environment: a service that fails, fails for all its buckets,
/// queues or topics. Without an essential one the shop or the warehouse stands still: nothing is sold
/// without products and carts, no change is made without the outbox, and nobody gets in without the user pool.
pub fn dependencies(env: &mut Env, aws: &Aws) -> Vec<Dependency> {
    let essential = |name, what| Dependency { name, essential: true, what };
    let useful = |name, what| Dependency { name, essential: false, what };
    vec![
        essential("inventario", What::Table(env.required("INVENTORY_TABLE"), &["store", "sku"])),
        essential("productos", What::Table(env.required("PRODUCTS_TABLE"), &["id"])),
        essential("carritos", What::Table(env.required("CARTS_TABLE"), &["user"])),
        essential("salida", What::Table(env.required("OUTBOX_TABLE"), &["id"])),
        essential("identidad", What::Keys(PublishedKeys::at(aws, env.required("JWKS_URL")))),
        useful("importaciones", What::Table(env.required("IMPORTS_TABLE"), &["id", "part"])),
        useful("tareas", What::Table(env.required("TASKS_TABLE"), &["id"])),
        useful("archivos", What::Bucket(env.required("UPLOAD_BUCKET"))),
        useful("recepcion", What::Queue(Queue::new(aws, env.required("UPLOADS_QUEUE_URL")))),
        useful("eventos", What::Topic(Topic::new(aws, env.required("EVENTS_TOPIC_ARN")))),
    ]
}

/// Who asks. Clients are made with the first question that needs them: `GET /health` asks nobody.
#[derive(Debug)]
pub struct Asker {
    tables: LazyClient<Client>,
    files: Files,
}

impl Asker {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { tables: LazyClient::new(aws, almacen_dynamo::client), files: Files::new(aws) }
    }

    /// Does the dependency answer as it should?
    ///
    /// # Errors
    /// Why not, for the log alone.
    pub async fn ask(&self, one: &Dependency) -> Result<(), String> {
        match &one.what {
            What::Table(table, key) => ping(self.tables.get(), table, key).await.map_err(|error| error_chain(&error)),
            What::Bucket(bucket) => {
                almacen_files::ping::bucket(&self.files, bucket).await.map_err(|error| error_chain(&error))
            }
            What::Queue(queue) => queue.ping().await.map_err(|error| error_chain(&error)),
            What::Topic(topic) => topic.ping().await.map_err(|error| error_chain(&error)),
            What::Keys(keys) => keys.fetch().await.map(drop).map_err(|error| error_chain(&error)),
        }
    }
}
