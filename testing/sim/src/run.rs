//! A long run: some days of the shop's life, from one seed, and whether its books balance.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use almacen_testing_aws::Millis;
use almacen_testing_aws::cloud::Settings;
use almacen_testing_aws::cloud::fault::Fault;
use almacen_testing_aws::cloud::trace::TraceEntry;
use almacen_testing_aws::stack::Trigger;
use almacen_testing_aws::{dynamodb, s3, sns, sqs};
use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::actors::customers::{Contents, device, newcomer, reviewer, shopper, visitor};
use crate::actors::managers::{lister, new_product, pricer};
use crate::actors::warehouse::{
    BEGINS_WITH, Files, SHARED, SKUS, Shelf, adjuster, hand, operator, stocktaker, task_keeper,
};
use crate::api::{As, Request};
use crate::books::{Item, broken, is_product, number, published, text};
use crate::chaos::{Chaos, FaultId, drawn};
use crate::plant::Plant;
use crate::shop::{Known, Shop, Step};
use crate::triggers::Triggers;
use crate::world::{Setup, World};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// What each line that is changed by hand begins with.
const OPENING: i64 = 10;
/// After the faults everything comes to rest within this, or it never does.
const RESTS_WITHIN: Millis = 12 * HOUR;

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Everything that is drawn follows from it.
    pub seed: u64,
    /// How long the shop is open.
    pub days: u64,
    /// A fault that must be found.
    pub plant: Option<Plant>,
    /// Only these faults may happen; all that are drawn, where it does not say.
    pub faults: Option<BTreeSet<FaultId>>,
    /// Only these steps are done; all, where it does not say.
    pub steps: Option<BTreeSet<Step>>,
}

impl Plan {
    /// Everything of a seed.
    #[must_use]
    pub fn new(seed: u64, days: u64) -> Self {
        Self { seed, days, plant: None, faults: None, steps: None }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Calls of AWS.
    pub calls: u64,
    /// How many of them went wrong.
    pub faults: u64,
    /// Of all calls, in order.
    pub hash: u64,
    /// What is not as it must be; nothing, where the books balance.
    pub wrong: Vec<String>,
    /// What went wrong.
    pub happened: BTreeSet<FaultId>,
    /// What was done.
    pub done: BTreeSet<Step>,
    /// The last calls that changed something or went wrong, oldest first.
    pub last: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, faults, hash, wrong, .. } = self;
        write!(f, "{calls} calls, {faults} faults, trace {hash:016x}, {} wrong", wrong.len())
    }
}

/// Lagging indexes, late, repeated and reordered messages: as much of them as the seed says.
fn settings(seed: u64) -> Settings {
    let mut rng = drawn(seed, &["settings"], 0);
    let mut up_to = |most: u64| if rng.bool() { rng.u64(0..=most) } else { 0 };
    let dynamodb = dynamodb::Settings {
        index_lag: up_to(3_000),
        read_lag: up_to(1_000),
        partition_units: None,
        transaction_takes: up_to(4),
    };
    let s3 = s3::Settings { notification_lag: up_to(20_000), duplicates_percent: percent(up_to(20)) };
    let sns = sns::Settings { delivery_lag: up_to(5_000), duplicates_percent: percent(up_to(20)) };
    let sqs = sqs::Settings { duplicates_percent: percent(up_to(20)), reorders: up_to(1) == 1 };
    Settings { dynamodb, sqs, s3, sns, latency: 1 + up_to(20), ..Settings::default() }
}

fn percent(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(100)
}

/// What the shop has before it opens.
struct Opening {
    products: Vec<String>,
    prices: BTreeMap<String, Known<i64>>,
}

async fn open(shop: &Shop<'_>, world: &World) -> Result<Opening> {
    let category = Request::new(As::Admin, "POST", "/categorias", &[]).body(&json!({"nombre": "Te"}));
    shop.once(&category).await.context("no category")?;
    let (mut products, mut prices) = (Vec::new(), BTreeMap::new());
    for (sku, cents) in [("Té", 450), ("Mate", 320), ("Chai", 610)] {
        let body = new_product(sku, sku, cents, None);
        let reply = shop.once(&Request::new(As::Admin, "POST", "/productos", &[]).body(&body)).await;
        let reply = reply.context("no product")?;
        let Some(id) = reply.body["id"].as_str() else { bail!("no product: {} {}", reply.status, reply.body) };
        products.push(id.to_owned());
        prices.insert(id.to_owned(), Known::is(cents));
    }
    let mut file = "store,sku,count,threshold\n".to_owned();
    for sku in SKUS {
        file += &format!("Ajustes,{sku},{BEGINS_WITH},{}\n", BEGINS_WITH - 5);
        file += &format!("Mano,{sku},{OPENING},5\n");
    }
    world.put_object("UploadBucket", "opening.csv", &file, &[])?;
    world.settle().await?;
    Ok(Opening { products, prices })
}

/// Runs a plan.
///
/// # Errors
/// Where it cannot be run at all; what goes wrong in it is in the report.
pub fn run(plan: &Plan) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(live(plan))
}

async fn live(plan: &Plan) -> Result<Report> {
    let Plan { seed, days, plant, .. } = *plan;
    let mut rng = drawn(seed, &["setup"], 0);
    let setup = Setup {
        plant,
        clocks_apart: if rng.bool() { 5_000 } else { 0 },
        repeats_percent: [0, 5, 20][rng.usize(..3)],
        cold_percent: [0, 10, 100][rng.usize(..3)],
    };
    // Files of some rows are cut into parts in some runs.
    let environment: &[(&str, &str)] = if rng.bool() { &[("SPLIT_BYTES", "150")] } else { &[] };
    let world = World::with(seed, environment, setup)?;
    let shop = Shop::new(&world, seed, days, plan.steps.clone());
    let opening = open(&shop, &world).await?;

    world.cloud().set(settings(seed));
    let (from, to) = (world.cloud().now(), shop.closes());
    world.faults().draw(Chaos::new(seed, from, to, plan.faults.clone()));
    let model = Model::new(&opening);
    {
        let mut triggers = Triggers::new(&world);
        model.admit(&shop, &opening, &mut triggers);
        triggers.run_people().await?;
        world.faults().chaos(Chaos::end);
        world.cloud().set(Settings::default());
        come_to_rest(&world, &mut triggers).await?;
    }

    let mut wrong = shop.faults();
    wrong.extend(broken(&world, &[])?);
    wrong.extend(model.audit(&world)?);
    let trace = world.cloud().trace();
    let happened = world.faults().chaos(|chaos| chaos.happened().clone()).unwrap_or_default();
    Ok(Report {
        calls: trace.calls(),
        faults: trace.faults(),
        hash: trace.hash(),
        wrong,
        happened,
        done: shop.steps(),
        last: trace.entries().filter(|one| tells(one)).map(ToString::to_string).collect(),
    })
}

/// Most calls are looks that find nothing.
fn tells(entry: &TraceEntry) -> bool {
    entry.call.writes || entry.fault != Fault::None || entry.outcome != "200"
}

/// Waits until nothing is under way; then an operator sends back what lies among the dead letters, until nothing does.
async fn come_to_rest(world: &World, triggers: &mut Triggers<'_>) -> Result<()> {
    let until = world.cloud().now() + RESTS_WITHIN;
    // Leases end, and every schedule has its turn, some of them more than once.
    triggers.run_until(world.cloud().now() + 11 * MINUTE).await?;
    loop {
        while !triggers.is_idle() && world.cloud().now() < until {
            triggers.run_until(world.cloud().now() + MINUTE).await?;
        }
        let mut sent_back = 0;
        for queue in world.cloud().sqs().queues() {
            sent_back += world.cloud().sqs().redrive(&queue, world.cloud().now());
        }
        for (package, spec) in &world.cloud().stack().functions {
            for trigger in &spec.triggers {
                if let Trigger::Stream { failures: Some(queue), .. } = trigger {
                    sent_back += world.cloud().sqs().messages(queue).len();
                    world.redrive_notes(package, trigger).await?;
                }
            }
        }
        if sent_back == 0 || world.cloud().now() >= until {
            break;
        }
    }
    triggers.run_until(world.cloud().now() + 11 * MINUTE).await
}

/// What the actors know.
struct Model {
    shelves: [Shelf; 2],
    adjusted: Shelf,
    files: Files,
    by_hand: RefCell<BTreeMap<&'static str, Known<i64>>>,
    by_hands: RefCell<Known<i64>>,
    tasks: RefCell<BTreeMap<String, Known<Option<bool>>>>,
    prices: RefCell<BTreeMap<String, Known<i64>>>,
    listed: RefCell<BTreeMap<String, Known<bool>>>,
    carts: RefCell<BTreeMap<&'static str, Known<Contents>>>,
}

impl Model {
    fn new(opening: &Opening) -> Self {
        let adjusted = Shelf::new("Ajustes");
        adjusted.counts.borrow_mut().extend(SKUS.map(|sku| (sku, BEGINS_WITH)));
        Self {
            shelves: [Shelf::new("Norte"), Shelf::new("Sur")],
            adjusted,
            files: Files::default(),
            by_hand: RefCell::default(),
            by_hands: RefCell::new(Known::is(OPENING)),
            tasks: RefCell::default(),
            prices: RefCell::new(opening.prices.clone()),
            listed: RefCell::default(),
            carts: RefCell::default(),
        }
    }

    fn admit<'a>(&'a self, shop: &'a Shop<'a>, opening: &'a Opening, triggers: &mut Triggers<'a>) {
        let products = opening.products.as_slice();
        let [north, south] = &self.shelves;
        triggers.admit(stocktaker(shop, "stocktaker of Norte", north, &self.files));
        triggers.admit(stocktaker(shop, "stocktaker of Sur", south, &self.files));
        triggers.admit(adjuster(shop, "adjuster", &self.adjusted, &self.files));
        triggers.admit(operator(shop, "operator", "Mano", &self.by_hand));
        triggers.admit(hand(shop, "one hand", "Mano", &self.by_hands));
        triggers.admit(hand(shop, "other hand", "Mano", &self.by_hands));
        triggers.admit(task_keeper(shop, "task keeper", &self.tasks));
        triggers.admit(pricer(shop, "pricer", products, &self.prices));
        triggers.admit(lister(shop, "lister", &self.listed));
        triggers.admit(shopper(shop, "ana", products, &self.carts));
        triggers.admit(shopper(shop, "ben", products, &self.carts));
        triggers.admit(device(shop, "carla's telephone", "carla", products));
        triggers.admit(device(shop, "carla's computer", "carla", products));
        triggers.admit(reviewer(shop, "ana", products));
        triggers.admit(reviewer(shop, "diego", products));
        triggers.admit(visitor(shop, "visitor"));
        triggers.admit(newcomer(shop, "newcomer"));
    }

    /// What the tables say beside what the actors know.
    fn audit(&self, world: &World) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let lines = world.items("InventoryTable")?;
        let count = |store: &str, sku: &str| {
            let line = lines.iter().find(|line| text(line, "store") == store && text(line, "sku") == sku);
            line.and_then(|line| number(line, "on_hand"))
        };
        for shelf in self.shelves.iter().chain([&self.adjusted]) {
            for (sku, expected) in &*shelf.counts.borrow() {
                let found = count(shelf.name, sku);
                if found != Some(*expected) {
                    wrong.push(format!("{}/{sku} has {found:?} instead of {expected}", shelf.name));
                }
            }
        }
        for (sku, known) in &*self.by_hand.borrow() {
            let found = count("Mano", sku).unwrap_or(i64::MIN);
            if !known.may_be(&found) {
                wrong.push(format!("Mano/{sku} has {found}, and may be {known:?}"));
            }
        }
        let shared = count("Mano", SHARED).unwrap_or(i64::MIN);
        if !self.by_hands.borrow().may_be(&shared) {
            wrong.push(format!("Mano/{SHARED} has {shared}, and may be {:?}", self.by_hands.borrow()));
        }
        self.audit_imports(world, &mut wrong)?;
        let tasks = world.items("TasksTable")?;
        for (title, known) in &*self.tasks.borrow() {
            let task = tasks.iter().find(|task| text(task, "title") == title);
            let found = task.map(|task| task["completed"]["BOOL"] == true);
            if !known.may_be(&found) {
                wrong.push(format!("to-do {title:?} is {found:?}, and may be {known:?}"));
            }
        }
        let products = world.items("ProductsTable")?;
        for (id, known) in &*self.prices.borrow() {
            let product = products.iter().find(|product| text(product, "id") == id);
            let found = product.and_then(|product| number(product, "price_cents")).unwrap_or(i64::MIN);
            if !known.may_be(&found) {
                wrong.push(format!("{id} costs {found}, and may be {known:?}"));
            }
        }
        let told = published(world)?;
        for (sku, known) in &*self.listed.borrow() {
            let product = products.iter().find(|product| text(product, "sku") == sku && is_product(product));
            if !known.may_be(&product.is_some()) {
                wrong.push(format!("{sku} is there: {}, and may be {known:?}", product.is_some()));
            }
            let is_told =
                |id: &str| told.values().any(|event| event["evento"] == "ProductoCreado" && event["agregadoId"] == id);
            if let Some(product) = product.filter(|product| !is_told(text(product, "id"))) {
                wrong.push(format!("{sku} was made and nobody was told: {product:?}"));
            }
        }
        for (name, known) in &*self.carts.borrow() {
            let carts = world.items("CartsTable")?;
            let cart = carts.iter().find(|cart| text(cart, "user") == *name);
            let found = cart.map(contents).unwrap_or_default();
            if !known.may_be(&found) {
                wrong.push(format!("the cart of {name} has {found:?}, and may be {known:?}"));
            }
        }
        Ok(wrong)
    }

    /// Each file became one import, refused exactly where it must be.
    fn audit_imports(&self, world: &World, wrong: &mut Vec<String>) -> Result<()> {
        let imports = world.items("ImportsTable")?;
        for (key, must_be_refused) in &*self.files.uploaded.borrow() {
            let found: Vec<&str> = imports
                .iter()
                .filter(|import| text(import, "part") == "import" && text(import, "key") == key)
                .map(|import| text(import, "state"))
                .collect();
            let expected: &[&str] =
                if *must_be_refused { &["failed"] } else { &["completed", "completed_with_errors"] };
            if !matches!(found.as_slice(), [state] if expected.contains(state)) {
                wrong.push(format!("{key} became {found:?} instead of one of {expected:?}"));
            }
        }
        Ok(())
    }
}

fn contents(cart: &Item) -> Contents {
    let lines = cart.get("lines").and_then(|lines| lines["M"].as_object()).into_iter().flatten();
    lines
        .filter_map(|(product, line)| Some((product.clone(), line["M"]["quantity"]["N"].as_str()?.parse().ok()?)))
        .collect()
}
