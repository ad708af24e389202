//! Files in, lines and imports out.

use std::collections::BTreeMap;
use std::time::Duration;

use almacen_testing_aws::Millis;
use almacen_testing_aws::calendar::iso;
use almacen_testing_sim::api::{As, Reply, Request};
use almacen_testing_sim::books::{Item, broken, number, text};
use almacen_testing_sim::world::World;
use serde_json::{Value, json};

/// A version of an object, and the message that S3 would send of it.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) key: String,
    pub(crate) version: String,
    /// When it was put.
    pub(crate) at: Millis,
    message: Value,
}

/// Puts a file without telling the queue, so that a test can tell when, how often and in which order it likes. Later files
/// have later times and greater sequencers.
pub(crate) async fn put_quietly(world: &World, key: &str, content: &str) -> Arrived {
    world.pass(Duration::from_millis(2)).await;
    let (at, bucket) = (world.cloud().now(), &world.cloud().stack().buckets["UploadBucket"].name);
    let content = content.as_bytes().to_vec().into();
    let (version, events) = world.cloud().s3().put(bucket, key, content, BTreeMap::new(), at).unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    Arrived { key: key.to_owned(), version, at, message: serde_json::from_str(&events[0].body).unwrap() }
}

impl Arrived {
    /// As if it had been put at another time.
    pub(crate) fn at(mut self, at: Millis) -> Self {
        self.at = at;
        self.message["Records"][0]["eventTime"] = json!(iso(at));
        self
    }

    /// With another sequencer.
    pub(crate) fn sequencer(mut self, sequencer: &str) -> Self {
        self.message["Records"][0]["s3"]["object"]["sequencer"] = json!(sequencer);
        self
    }

    /// Puts the message into the queue of uploads; nothing else happens yet.
    pub(crate) fn send(&self, world: &World) {
        world.send("UploadsQueue", &self.message.to_string()).unwrap();
    }

    /// Delivers the message, and lets happen what follows from it; the import as the API shows it then.
    pub(crate) async fn deliver(&self, world: &World) -> Value {
        self.send(world);
        world.settle().await.unwrap();
        self.import(world).await
    }

    /// Ids of all imports of this version.
    pub(crate) fn imports(&self, world: &World) -> Vec<String> {
        let is_its = |import: &Item| {
            text(import, "part") == "import"
                && text(import, "key") == self.key
                && text(import, "version_id") == self.version
        };
        let imports = world.items("ImportsTable").unwrap();
        imports.iter().filter(|import| is_its(import)).map(|import| text(import, "id").to_owned()).collect()
    }

    /// The one import of this version, as the API shows it.
    pub(crate) async fn import(&self, world: &World) -> Value {
        let ids = self.imports(world);
        let [id] = ids.as_slice() else { panic!("{} has not one import: {ids:?}", self.key) };
        import(world, id).await
    }

    /// Has its import begun, and ended?
    pub(crate) fn is_done(&self, world: &World) -> bool {
        let imports = world.items("ImportsTable").unwrap();
        let ended = |id: &String| {
            let is_it = |import: &&Item| text(import, "id") == id && text(import, "part") == "import";
            imports.iter().find(is_it).is_some_and(|import| !matches!(text(import, "state"), "pending" | "running"))
        };
        self.imports(world).iter().any(ended)
    }
}

/// Puts a file, lets it be imported, and answers the import.
pub(crate) async fn upload(world: &World, key: &str, content: &str) -> Value {
    put_quietly(world, key, content).await.deliver(world).await
}

/// A request to the function of its route, which answers; nothing else happens yet.
pub(crate) async fn ask(world: &World, request: Request) -> Reply {
    let (method, resource) = request.route();
    let routes = &world.cloud().stack().routes;
    let route = routes.iter().find(|route| route.method == method && route.path == resource).unwrap();
    world.request(&route.function, request).await.unwrap().unwrap()
}

/// An operator changes a line.
pub(crate) async fn patch(world: &World, store: &str, sku: &str, body: &Value) -> Reply {
    ask(world, Request::new(As::Operator, "PATCH", "/items/{store}/{item+}", &[store, sku]).body(body)).await
}

/// The same, where it must be possible, and lets happen what follows from it.
pub(crate) async fn change(world: &World, store: &str, sku: &str, body: &Value) {
    world.pass(Duration::from_millis(2)).await;
    let reply = patch(world, store, sku, body).await;
    assert_eq!(reply.status, 200, "{sku}: {}", reply.body);
    world.settle().await.unwrap();
}

/// An import as the API shows it.
pub(crate) async fn import(world: &World, id: &str) -> Value {
    let request = Request::new(As::Operator, "GET", "/imports/{id}", &[id]).header("accept-language", "es");
    let reply = ask(world, request).await;
    assert_eq!(reply.status, 200, "{id}: {}", reply.body);
    reply.body
}

/// The counters of an import: rows, changed, unchanged, created, rejected, stale.
pub(crate) fn counters(import: &Value) -> [u64; 6] {
    ["rows", "changed", "unchanged", "created", "rejected", "stale"]
        .map(|name| import["counters"][name].as_u64().unwrap_or_else(|| panic!("no counter {name}: {import}")))
}

/// Asserts how an import ended: its status, and rows, changed, unchanged, created, rejected, stale.
#[track_caller]
pub(crate) fn ended(import: &Value, status: &str, expected: [u64; 6]) {
    assert_eq!((import["status"].as_str().unwrap(), counters(import)), (status, expected), "{import}");
}

/// A call to DynamoDB by hand.
pub(crate) fn by_hand(world: &World, operation: &str, table: &str, mut body: Value) {
    body["TableName"] = json!(world.cloud().stack().name(table).unwrap());
    world.cloud().dynamodb().call(operation, body.to_string().as_bytes(), world.cloud().now()).unwrap();
}

/// Every line of a store, by item.
pub(crate) fn held(world: &World, store: &str) -> BTreeMap<String, Item> {
    let lines = world.items("InventoryTable").unwrap();
    let of_store = lines.into_iter().filter(|line| text(line, "store") == store);
    of_store.map(|line| (text(&line, "sku").to_owned(), line)).collect()
}

/// Every line of a store: `item on_hand`.
pub(crate) fn lines(world: &World, store: &str) -> Vec<String> {
    held(world, store).iter().map(|(sku, line)| format!("{sku} {}", number(line, "on_hand").unwrap())).collect()
}

/// Asserts the invariants of the books: among them that a store counts the lines that it has and keeps no lease, that every
/// import has ended and was told, and that nothing waits in a queue or in the Outbox.
#[track_caller]
pub(crate) fn books_balance(world: &World) {
    assert_eq!(broken(world, &[]).unwrap(), [] as [String; 0]);
}
