//! `cargo xtask up`: from a clone to a page with stock on it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value, json};

use crate::api::Session;
use crate::python::Venv;
use crate::sam::{Environment, Place};
use crate::stack::Stack;
use crate::{api, checkout, functions, python, run, sam, shop, stack, ui};

/// The sample that a new stack shows, and the stores in it.
const SAMPLE: &str = "samples/berlin-madrid.csv";
const SAMPLE_STORES: [&str; 2] = ["Berlin", "Madrid"];
/// How long the sample may take from the bucket to the API.
const SAMPLE_PATIENCE: Duration = Duration::from_secs(120);
/// Users of the local stack. It answers this machine alone, so their passwords are no secret.
const USERS: [(&str, &str); 3] =
    [("admin", "Almacen-admin1"), ("operador", "Almacen-operador1"), ("cliente", "Almacen-cliente1")];

/// Brings the local stack up, with what has changed since the last time. True if this run started the process.
///
/// # Errors
/// If a step fails; the message says what to do next.
pub(crate) fn up(port: Option<u16>) -> Result<bool> {
    let started = Instant::now();
    checkout::make(&checkout::local())?;
    let lock = std::fs::File::create(checkout::local().join("up.lock")).context("cannot write in target/local")?;
    if lock.try_lock().is_err() {
        ui::note("  another `cargo xtask up` is at work in this checkout; waiting for it");
        lock.lock().context("cannot lock target/local/up.lock")?;
    }
    let port = stack::port(port)?;
    // Now, not after minutes of building.
    stack::check_free(port)?;
    python::check()?;

    // The environments are downloaded while the functions compile.
    let tools = std::thread::spawn(|| Venv::Stack.ready().and_then(|stack| Ok(Venv::Tools.ready()? || stack)));
    ui::note("  building the functions");
    functions::build()?;
    let step = ui::Step::new("Python tools");
    let made = tools.join().map_err(|_| anyhow!("the installation of the Python tools broke off"))??;
    step.done(if made { "Python tools installed" } else { "Python tools are there" });

    let step = ui::Step::new("local stack");
    let (mut running, fresh) = stack::start(port)?;
    step.done(&format!("local stack {} on 127.0.0.1:{port}", if fresh { "started" } else { "is running" }));

    // From here a failure leaves the stack running, so that its logs and its state can be looked at.
    let mut finished = deploy(running).and_then(|outputs| fill(running, outputs));
    if finished.is_err() && stack::is_doubtful() {
        ui::note("  the local stack had died without saving all it held, and cannot go on from there: starting afresh");
        stack::stop(running)?;
        stack::wipe()?;
        running = stack::start(port)?.0;
        finished = deploy(running).and_then(|outputs| fill(running, outputs));
    }
    run::keep(running.pid);
    let outputs = finished?;
    stack::is_sound();
    show(&outputs, started.elapsed());
    Ok(fresh)
}

fn fill(running: Stack, outputs: Map<String, Value>) -> Result<Map<String, Value>> {
    page(running, &outputs)?;
    sample(running, &outputs)?;
    shop(running, &outputs)?;
    Ok(outputs)
}

/// Deploys the template if anything in it has changed; returns what stands in outputs.json.
fn deploy(running: Stack) -> Result<Map<String, Value>> {
    let place = Place::Local(running.port);
    let mut environment = Environment::read("local")?;
    environment.parameters.push(format!("LocalPort={}", running.port));
    environment.parameters.push(format!("Architecture={}", functions::architecture()));

    let template =
        std::fs::read_to_string(checkout::root().join("template.yaml")).context("cannot read template.yaml")?;
    let settings = std::fs::read_to_string(checkout::script("settings.py")).context("cannot read settings.py")?;
    let binaries = functions::placed()?;
    let parts = [template.as_str(), &settings]
        .into_iter()
        .chain(environment.parameters.iter().chain(&binaries).map(String::as_str));
    let wanted = checkout::fingerprint(parts);
    let known = checkout::object(&checkout::outputs_file());
    if deployed("stack") == Some(wanted.clone()) && answers(&known) {
        ui::Step::new("deploy").done("the template is deployed, unchanged");
        return Ok(known);
    }

    let step = ui::Step::new("deploying the template");
    forget("stack")?;
    let bucket = environment.artifacts()?.to_owned();
    api::put_local("s3", &format!("{}/{bucket}", stack::endpoint(running.port)), b"")?;
    sam::deploy(place, &environment)?;
    step.doing("settings");
    local_settings(place, &environment.stack, Path::new("template.yaml"), &environment.parameters)?;
    step.doing("users");
    let outputs = with_access(sam::outputs(place, &environment.stack)?, running);
    users(place, &outputs)?;
    sam::helper(place, "buckets.py", &["empty", &bucket], b"")?;
    let pretty = serde_json::to_vec_pretty(&outputs)?;
    checkout::write(&checkout::outputs_file(), &pretty)?;
    remember("stack", &wanted)?;
    step.done("template deployed");
    Ok(outputs)
}

/// Sets through the API what the local stack's CloudFormation ignores.
///
/// # Errors
/// If a call fails.
pub(crate) fn local_settings(place: Place, stack: &str, template: &Path, parameters: &[String]) -> Result<()> {
    let template = template.display().to_string();
    let arguments: Vec<&str> = [stack, &template].into_iter().chain(parameters.iter().map(String::as_str)).collect();
    sam::helper(place, "settings.py", &arguments, b"").map(drop)
}

/// Whether the API of the last deploy is still there: any answer of its own to a route that needs a token.
fn answers(known: &Map<String, Value>) -> bool {
    checkout::text(known, "ApiUrl").is_ok_and(|url| api::status(&format!("{url}/stores")) == Some(401))
}

fn with_access(mut outputs: Map<String, Value>, running: Stack) -> Map<String, Value> {
    outputs.insert("Endpoint".to_owned(), json!(stack::endpoint(running.port)));
    outputs.insert("Region".to_owned(), json!(stack::REGION));
    outputs.insert("Port".to_owned(), json!(running.port));
    let users =
        USERS.iter().map(|&(name, password)| (name.to_owned(), json!({"username": name, "password": password})));
    outputs.insert("Users".to_owned(), Value::Object(users.collect()));
    outputs
}

fn users(place: Place, outputs: &Map<String, Value>) -> Result<()> {
    let list: Vec<Value> = USERS
        .iter()
        .map(|&(name, password)| json!({"username": name, "password": password, "email": format!("{name}@example.com"), "group": name}))
        .collect();
    let input = serde_json::to_vec(&list)?;
    sam::helper(place, "users.py", &[checkout::text(outputs, "UserPoolId")?], &input)?;
    Ok(())
}

fn page(running: Stack, outputs: &Map<String, Value>) -> Result<()> {
    let config = page_config(outputs, stack::REGION, "local")?;
    let folder = checkout::root().join("web");
    let bucket = checkout::text(outputs, "WebBucket")?;
    let listed = checkout::listing(&folder)?;
    let wanted = checkout::fingerprint([config.as_str(), bucket].into_iter().chain(listed.iter().map(String::as_str)));
    let address = checkout::text(outputs, "WebUrl")?;
    if deployed("page") == Some(wanted.clone()) && api::status(address) == Some(200) {
        return Ok(());
    }
    let step = ui::Step::new("uploading the page");
    sam::helper(Place::Local(running.port), "web.py", &[bucket, &folder.display().to_string()], config.as_bytes())?;
    remember("page", &wanted)?;
    step.done("page uploaded");
    Ok(())
}

/// What the page reads to find its API.
///
/// # Errors
/// If the stack has no `ApiUrl`.
pub(crate) fn page_config(outputs: &Map<String, Value>, region: &str, environment: &str) -> Result<String> {
    let config = json!({"apiUrl": checkout::text(outputs, "ApiUrl")?, "region": region, "environment": environment});
    Ok(config.to_string())
}

/// Uploads the sample unless it is there, and waits until the API shows it.
fn sample(running: Stack, outputs: &Map<String, Value>) -> Result<()> {
    let step = ui::Step::new("sample");
    let mut session = stack::sign_in(outputs, "operador")?;
    if visible(&mut session)? {
        step.done("the API answers, and shows the sample");
        return Ok(());
    }
    let path = checkout::root().join(SAMPLE);
    let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let bucket = checkout::text(outputs, "UploadBucket")?;
    api::put_local("s3", &format!("{}/{bucket}/{SAMPLE}", stack::endpoint(running.port)), &content)?;
    step.doing("uploaded; waiting until the API shows it");
    let mut failure = None;
    let shown = run::wait_until(SAMPLE_PATIENCE, || match visible(&mut session) {
        Ok(shown) => shown,
        Err(error) => {
            failure = Some(error);
            true
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    if !shown {
        bail!(
            "{SAMPLE} was uploaded but is not visible through the API after {} s. See: cargo xtask logs ingest-inventory",
            SAMPLE_PATIENCE.as_secs()
        );
    }
    step.done("sample uploaded, imported and visible through the API");
    Ok(())
}

/// Fills the demonstration shop, once: what somebody deletes there stays deleted.
fn shop(running: Stack, outputs: &Map<String, Value>) -> Result<()> {
    let tables = ["ProductsTable", "CategoriesTable", "CouponsTable"].map(|name| checkout::text(outputs, name));
    let tables = tables.into_iter().collect::<Result<Vec<_>>>()?;
    let listed = checkout::listing(&checkout::root().join(shop::FOLDER))?;
    let wanted = checkout::fingerprint(tables.into_iter().chain(listed.iter().map(String::as_str)));
    if deployed("shop") == Some(wanted.clone()) {
        return Ok(());
    }
    shop::fill(Place::Local(running.port), outputs)?;
    remember("shop", &wanted)
}

fn visible(session: &mut Session) -> Result<bool> {
    for store in SAMPLE_STORES {
        let (status, body) = session.get(&format!("/items/{store}"))?;
        match status {
            200 => {}
            404 => return Ok(false),
            _ => bail!("GET /items/{store} answered {}. See: cargo xtask logs items-api", api::refusal(status, &body)),
        }
    }
    Ok(true)
}

fn show(outputs: &Map<String, Value>, took: Duration) {
    let of = |name: &str| outputs.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    ui::say("");
    ui::say(&format!("  {}  {}", ui::bold("Page"), of("WebUrl")));
    ui::say(&format!("  {}   {}", ui::bold("API"), of("ApiUrl")));
    ui::say(&format!("  {}  {}", ui::bold("Docs"), of("DocsUrl")));
    for (position, (name, password)) in USERS.iter().enumerate() {
        let head = if position == 0 { ui::bold("User") } else { "    ".to_owned() };
        ui::say(&format!("  {head}  {name:<9} password {password}"));
    }
    ui::say("");
    ui::say("  Next  cargo xtask upload FILE.csv    import a file");
    ui::say("        cargo xtask logs -f            what the functions say");
    ui::say("        cargo xtask down               stop it; the data stays");
    ui::say(&format!(
        "  {}",
        ui::dim(&format!("up in {:.1} s; all outputs are in target/local/outputs.json", took.as_secs_f64()))
    ));
}

fn deployed_file() -> std::path::PathBuf {
    checkout::local().join("deployed.json")
}
fn deployed(what: &str) -> Option<String> {
    checkout::object(&deployed_file()).get(what).and_then(Value::as_str).map(str::to_owned)
}
fn remember(what: &str, fingerprint: &str) -> Result<()> {
    let mut all = checkout::object(&deployed_file());
    all.insert(what.to_owned(), json!(fingerprint));
    checkout::write(&deployed_file(), &serde_json::to_vec(&all)?)
}
fn forget(what: &str) -> Result<()> {
    let mut all = checkout::object(&deployed_file());
    all.remove(what);
    checkout::write(&deployed_file(), &serde_json::to_vec(&all)?)
}
