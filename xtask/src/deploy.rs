//! AWS: deploy, destroy, users.

use std::io::Write;
use std::path::{Path, PathBuf};

use almacen_domain::ordering::shipping::Shipping;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::python::Venv;
use crate::sam::{Environment, Place};
use crate::{api, checkout, functions, python, run, sam, stack, ui, up};

/// An environment that can be deployed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Env {
    Dev,
    Staging,
    Prod,
    /// A second stack on the local AWS
    #[value(hide = true)]
    Test,
}

impl Env {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
            Self::Test => "test",
        }
    }

    /// Where it is; asks AWS who is signed in.
    fn place(self) -> Result<Place> {
        python::tools()?;
        if self == Self::Test {
            let running = stack::running().context("the local stack is not running. Run: cargo xtask up")?;
            return Ok(Place::Local(running.port));
        }
        signed_in()?;
        Ok(Place::Aws)
    }
}

/// Build for AWS, show what changes, deploy, check that a signed-in call works, and upload the page
///
/// Every parameter gets a value on every deploy: that of --set, else of samconfig.toml, else the template's default.
#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// Where to
    #[arg(long, value_enum)]
    env: Env,
    /// A parameter of the template, for this deploy alone; what is to last stands in samconfig.toml
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Do not ask before changes are made
    #[arg(long)]
    yes: bool,
    /// Another template
    #[arg(long, hide = true, value_name = "FILE", default_value = "template.yaml")]
    template: PathBuf,
}

/// Delete a stack and its data, whatever state it is in
#[derive(Args, Debug)]
pub(crate) struct Destroy {
    /// Which one
    #[arg(long, value_enum)]
    env: Env,
    /// Do not ask for the name
    #[arg(long)]
    yes: bool,
}

/// Create a user, or give one a new password
#[derive(Args, Debug)]
pub(crate) struct AddUser {
    /// 3 to 50 letters and digits
    username: String,
    /// E-mail address
    #[arg(long)]
    email: String,
    /// What the user may do
    #[arg(long, value_enum)]
    role: Role,
    /// How fast the user may call the API; without it, as before
    #[arg(long, value_enum)]
    tier: Option<Tier>,
    /// Environment on AWS; without it, the local stack
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Cliente,
    Operador,
    Admin,
}

/// The usage plans of the template.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tier {
    /// 10 calls a second, as everybody
    Gratuito,
    /// 50
    Basico,
    /// 200
    Premium,
    /// 1000
    Empresarial,
}

fn signed_in() -> Result<()> {
    const ASK: &str = "import boto3; i = boto3.client('sts').get_caller_identity(); print(i['Account'])";
    let mut command = std::process::Command::new(Venv::Tools.program("python"));
    Place::Aws.aim(&mut command);
    let account = run::output(command.args(["-c", ASK]), b"").map_err(|_| {
        anyhow::anyhow!("no usable AWS credentials. Sign in (aws sso login, or AWS_PROFILE=…) and set AWS_REGION")
    })?;
    ui::note(&format!("  AWS account {}", account.trim()));
    Ok(())
}

/// What CloudFormation says of a stack.
#[derive(Debug)]
struct State {
    status: Option<String>,
    parameters: Map<String, Value>,
    change_sets: Vec<String>,
    left: usize,
}

impl State {
    fn read(place: Place, stack: &str) -> Result<Self> {
        let printed = sam::helper(place, "lifecycle.py", &["state", stack], b"")?;
        Self::parse(&printed).context("lifecycle.py printed no state of a stack")
    }

    fn parse(printed: &str) -> Option<Self> {
        let found: Value = serde_json::from_str(printed).ok()?;
        let sets = found.get("change_sets")?.as_array()?;
        Some(Self {
            status: found.get("status")?.as_str().map(str::to_owned),
            parameters: found.get("parameters")?.as_object()?.clone(),
            change_sets: sets.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            left: found.get("left")?.as_array()?.len(),
        })
    }

    /// Whether the first creation of the stack has been completed.
    fn is_created(&self) -> bool {
        self.status.as_deref().is_some_and(|status| {
            status != "REVIEW_IN_PROGRESS" && !status.starts_with("CREATE_") && !status.starts_with("ROLLBACK_")
                || status == "CREATE_COMPLETE"
        })
    }
}

/// What a deploy does about the state that it finds.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    /// There is nothing, or nothing but a change set that was never carried out.
    Create,
    /// A failed first creation has left an empty stack, which cannot be updated.
    ClearAndCreate,
    Update,
    /// A person has to act first.
    Stuck(String),
}

fn start(state: &State, environment: &Environment) -> Start {
    let (stack, env) = (&environment.stack, &environment.name);
    let again = format!("cargo xtask deploy --env {env}");
    let destroy = format!("cargo xtask destroy --env {env}");
    match state.status.as_deref() {
        None | Some("REVIEW_IN_PROGRESS") => Start::Create,
        Some("ROLLBACK_COMPLETE") if state.left == 0 => Start::ClearAndCreate,
        Some(status @ ("ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED")) => Start::Stuck(format!(
            "{stack} is {status}: its first deploy failed and left {} resources. Delete them: {destroy}; then: {again}",
            state.left
        )),
        Some("DELETE_FAILED") => {
            Start::Stuck(format!("{stack} is DELETE_FAILED: it is half deleted. Finish that: {destroy}; then: {again}"))
        }
        Some("UPDATE_ROLLBACK_FAILED") => Start::Stuck(format!(
            "{stack} is UPDATE_ROLLBACK_FAILED: an update failed, and so did the way back. Its events in CloudFormation \
             name the resource. Mend that, then: aws cloudformation continue-update-rollback --stack-name {stack}; once \
             it is UPDATE_ROLLBACK_COMPLETE: {again}"
        )),
        Some(status) if status.ends_with("_IN_PROGRESS") => {
            Start::Stuck(format!("{stack} is {status}: somebody else is at work on it. Wait until that has ended"))
        }
        Some(_) => Start::Update,
    }
}

/// A value for every parameter of the template: the default, over it samconfig.toml, over it what `--set` says.
fn all_parameters(defaults: &Map<String, Value>, configured: &[String], set: &[String]) -> Result<Map<String, Value>> {
    let mut all = defaults.clone();
    let mut unknown = Vec::new();
    for pair in configured.iter().chain(set) {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair} is not NAME=VALUE"))?;
        match all.get_mut(name) {
            Some(known) => *known = json!(value),
            None => unknown.push(name),
        }
    }
    if unknown.is_empty() {
        return Ok(all);
    }
    let names: Vec<&str> = defaults.keys().map(String::as_str).collect();
    bail!("the template has no parameter {}. It has: {}", unknown.join(", "), names.join(", "))
}

/// Reads the rates of shipping as `cart-api` will at its start, where a bad one would be too late to tell.
fn check_shipping(parameters: &Map<String, Value>) -> Result<()> {
    let (rates, free_from) = ("ShippingRates", "FreeShippingFrom");
    let of = |name: &str| parameters.get(name).and_then(Value::as_str).unwrap_or_default();
    let Err(error) = Shipping::parse(of(rates), of(free_from)) else { return Ok(()) };
    let named = [(rates, error.rates), (free_from, error.free_from)];
    let problems: Vec<String> =
        named.iter().flat_map(|(name, entries)| entries.iter().map(move |entry| format!("{name}: {entry}"))).collect();
    bail!("{}", problems.join("\n"))
}

/// Tells which parameters get another value than the stack has: what is not set any more goes back to its default.
fn show_changed_parameters(before: &Map<String, Value>, after: &Map<String, Value>) {
    for (name, value) in after {
        if let Some(known) = before.get(name).filter(|&known| known != value) {
            ui::note(&format!("  {name}: {known} becomes {value}"));
        }
    }
}

/// Compares what the account lets run at once with what the template needs.
fn check_capacity(place: Place, env: Env, template: &str) -> Result<()> {
    let printed = sam::helper(place, "capacity.py", &[template], b"")?;
    let found: Value = serde_json::from_str(&printed).context("capacity.py printed no JSON")?;
    let of = |name: &str| found.get(name).and_then(Value::as_u64).context("capacity.py printed no number");
    match too_little(of("needed")?, of("unreserved")?, of("limit")?) {
        Some(why) if env == Env::Prod => bail!("{why}"),
        Some(why) => ui::note(&format!("  {} {why}", ui::red("warning:"))),
        None => {}
    }
    Ok(())
}

fn too_little(needed: u64, unreserved: u64, limit: u64) -> Option<String> {
    (unreserved < needed).then(|| {
        format!(
            "this account lets {unreserved} functions run at once (of {limit}, less what others have reserved), and the \
             workers of the queues and the API need {needed} together: calls would be refused while files are imported. \
             Ask for more: Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)"
        )
    })
}

/// Asks a yes or no; anything but yes, and the end of the input, is no.
fn agrees(question: &str) -> bool {
    let _ = write!(std::io::stderr(), "  {question} [y/N] ");
    let mut typed = String::new();
    let read = std::io::stdin().read_line(&mut typed);
    read.is_ok() && ["y", "yes"].contains(&typed.trim().to_ascii_lowercase().as_str())
}

/// One change set from its making to its end. `ask` is whether a person decides.
fn change(
    place: Place,
    environment: &Environment,
    template: &Path,
    parameters: &Map<String, Value>,
    ask: bool,
) -> Result<()> {
    let name = environment.stack.as_str();
    let before = State::read(place, name)?.change_sets;
    sam::make_change_set(place, environment, template, parameters)?;
    let after = State::read(place, name)?.change_sets;
    let new: Vec<&str> = after.iter().filter(|&set| !before.contains(set)).map(String::as_str).collect();
    let set = match new.as_slice() {
        [] => return Ok(()),
        [one] => one,
        _ => bail!("somebody else deploys {name} too; deploy again when that has ended"),
    };
    if ask && !agrees(&format!("Make these changes to {name}?")) {
        sam::helper(place, "lifecycle.py", &["discard", name, set], b"")?;
        bail!("not deployed: the changes were refused. The stack and its page are as they were");
    }
    let step = ui::Step::new("making the changes");
    if !run::status(&mut sam::helper_command(place, "lifecycle.py", &["execute", name, set]))? {
        let state = State::read(place, name)?;
        match start(&state, environment) {
            Start::Stuck(what) => bail!("{what}"),
            Start::Create | Start::ClearAndCreate | Start::Update => {
                bail!("the deploy failed for the reasons above, and was taken back. Mend the cause and deploy again")
            }
        }
    }
    step.done("changes made");
    Ok(())
}

/// `NAME=VALUE` of each.
fn pairs(parameters: &Map<String, Value>) -> Vec<String> {
    parameters.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect()
}

/// Builds, deploys, checks, and uploads the page.
///
/// # Errors
/// If a step fails or a person refuses the changes; then the page stays as it is.
pub(crate) fn deploy(arguments: &Deploy) -> Result<()> {
    let env = arguments.env;
    let environment = Environment::read(env.name())?;
    let place = env.place()?;
    let name = environment.stack.as_str();
    let template = arguments.template.display().to_string();
    let defaults = sam::helper(place, "lifecycle.py", &["parameters", &template], b"")?;
    let defaults = serde_json::from_str(&defaults).context("lifecycle.py printed no parameters")?;
    let mut configured = environment.parameters.clone();
    if let Place::Local(port) = place {
        configured.extend([format!("LocalPort={port}"), format!("Architecture={}", functions::architecture())]);
        configured.retain(|pair| pair.split_once('=').is_some_and(|(name, _)| has(&defaults, name)));
    }
    let mut parameters = all_parameters(&defaults, &configured, &arguments.set)?;
    check_shipping(&parameters)?;

    let state = State::read(place, name)?;
    let begun = start(&state, &environment);
    if let Start::Stuck(what) = begun {
        bail!("{what}");
    }
    // A table that is protected would keep a first creation that failed from being taken back.
    let protects = env == Env::Prod && !arguments.set.iter().any(|pair| pair.starts_with("Protected="));
    if protects && state.is_created() {
        parameters.insert("Protected".to_owned(), json!("true"));
    }
    check_capacity(place, env, &template)?;
    match place {
        Place::Local(port) => {
            functions::build()?;
            api::put_local("s3", &format!("{}/{}", stack::endpoint(port), environment.artifacts()?), b"")?;
        }
        Place::Aws => functions::build_for_aws(checkout::text(&parameters, "Architecture")?)?,
    }
    if begun == Start::ClearAndCreate {
        sam::helper(place, "lifecycle.py", &["clear", name], b"")?;
        ui::note("  the empty remains of a failed first deploy are deleted");
    }
    show_changed_parameters(&state.parameters, &parameters);
    change(place, &environment, &arguments.template, &parameters, environment.confirm && !arguments.yes)?;
    if protects {
        if !state.is_created() {
            ui::note("  created; now its tables and users are protected against deletion");
            parameters.insert("Protected".to_owned(), json!("true"));
            change(place, &environment, &arguments.template, &parameters, false)?;
        }
        sam::helper(place, "lifecycle.py", &["protect", name], b"")?;
    }
    if let Place::Local(_) = place {
        up::local_settings(place, &environment.stack, &arguments.template, &pairs(&parameters))?;
    }
    let outputs = sam::outputs(place, name)?;
    let of = |output: &str| checkout::text(&outputs, output);
    let step = ui::Step::new("a signed-in call");
    sam::helper(place, "signed_in.py", &[of("ApiId")?, of("ApiUrl")?, of("UserPoolId")?], b"")?;
    step.done("a signed-in call works");
    upload_page(place, &environment, &outputs)?;
    ui::say(&format!("\n  {}  {}", ui::bold("Page"), of("WebUrl")?));
    ui::say(&format!("  {}   {}", ui::bold("API"), of("ApiUrl")?));
    ui::say(&format!("\n  Next  cargo xtask add-user NAME --email ADDRESS --role admin --env {}", env.name()));
    Ok(())
}

fn has(parameters: &Map<String, Value>, name: &str) -> bool {
    parameters.contains_key(name)
}

fn upload_page(place: Place, environment: &Environment, outputs: &Map<String, Value>) -> Result<()> {
    let step = ui::Step::new("uploading the page");
    let config = up::page_config(outputs, &region(environment)?, &environment.name)?;
    let folder = checkout::root().join("web").display().to_string();
    let mut list = vec![checkout::text(outputs, "WebBucket")?, folder.as_str()];
    if let Ok(distribution) = checkout::text(outputs, "WebDistributionId") {
        list.extend(["--invalidate", distribution]);
    }
    sam::helper(place, "web.py", &list, config.as_bytes())?;
    step.done("page uploaded");
    Ok(())
}

fn region(environment: &Environment) -> Result<String> {
    if let Some(region) = &environment.region {
        return Ok(region.clone());
    }
    const ASK: &str = "import boto3; print(boto3.Session().region_name or '')";
    let mut command = std::process::Command::new(Venv::Tools.program("python"));
    Place::Aws.aim(&mut command);
    let region = run::output(command.args(["-c", ASK]), b"")?.trim().to_owned();
    if region.is_empty() { bail!("no AWS region is set; set AWS_REGION") } else { Ok(region) }
}

/// Says what will be lost, asks, and deletes the stack with what it holds, from whatever state it is in.
///
/// # Errors
/// If something is protected, the name is not confirmed, or a step fails.
pub(crate) fn destroy(arguments: &Destroy) -> Result<()> {
    let environment = Environment::read(arguments.env.name())?;
    let place = arguments.env.place()?;
    let name = environment.stack.as_str();
    let state = State::read(place, name)?;
    let Some(status) = &state.status else {
        bail!("{name} is not deployed in this account and region");
    };
    // Before anything is touched: what is protected would stop the deletion when the buckets are empty already.
    let protected = sam::helper(place, "destroy.py", &["protected", name], b"")?;
    let protected: Vec<&str> = protected.lines().filter(|line| !line.is_empty()).collect();
    if !protected.is_empty() {
        bail!("{}", how_to_unprotect(&environment, &protected));
    }
    let holdings = sam::helper(place, "destroy.py", &["holdings", name], b"")?;
    ui::note(&format!("  {} is {status}. This deletes it, and with it:", ui::bold(name)));
    for line in holdings.lines().filter(|line| !line.is_empty()) {
        ui::note(&format!("  {line}"));
    }
    ui::note("  Numbers are approximate: DynamoDB and Cognito count some hours late.");
    if !arguments.yes {
        let _ = write!(std::io::stderr(), "  Type its name to go on: ");
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed)?;
        if typed.trim() != name {
            bail!("not deleted: that was not its name");
        }
    }
    let step = ui::Step::new("deleting the stack");
    if run::status(&mut sam::helper_command(place, "destroy.py", &["delete", name]))? {
        step.done("stack and data deleted");
        Ok(())
    } else {
        bail!(
            "the stack could not be deleted for the reasons above. What is gone is gone; run the command again to go on"
        )
    }
}

fn how_to_unprotect(environment: &Environment, protected: &[&str]) -> String {
    let (stack, env) = (&environment.stack, &environment.name);
    let mut words = format!("{stack} is protected against deletion, and nothing was touched.");
    let rest: Vec<&str> = protected.iter().copied().filter(|&name| name != "stack").collect();
    if !rest.is_empty() {
        words += &format!(
            "\n  Protected are: {}. To take that away: cargo xtask deploy --env {env} --set Protected=false",
            rest.join(", ")
        );
    }
    if protected.contains(&"stack") {
        words += &format!(
            "\n  Termination protection is on. To turn it off: aws cloudformation update-termination-protection \
             --stack-name {stack} --no-enable-termination-protection"
        );
    }
    words + &format!("\n  Then: cargo xtask destroy --env {env}")
}

/// Creates the user and prints a new password once.
///
/// # Errors
/// If the name is not usable or Cognito refuses.
pub(crate) fn add_user(arguments: &AddUser) -> Result<()> {
    let name = &arguments.username;
    if !(3..=50).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        bail!("{name:?} is no user name: 3 to 50 letters and digits");
    }
    if !is_email(&arguments.email) {
        bail!("{:?} is no e-mail address", arguments.email);
    }
    let (place, environment) = sam::target(arguments.env.as_deref())?;
    let outputs = sam::outputs(place, &environment.stack)?;
    let group = match arguments.role {
        Role::Cliente => "cliente",
        Role::Operador => "operador",
        Role::Admin => "admin",
    };
    let password = new_password(place)?;
    let tier = arguments.tier.map(|tier| match tier {
        Tier::Gratuito => "gratuito",
        Tier::Basico => "basico",
        Tier::Premium => "premium",
        Tier::Empresarial => "empresarial",
    });
    let plan = |name: &str| checkout::text(&outputs, name).map(str::to_owned);
    let plans = json!({
        "gratuito": plan("GratuitoPlan")?,
        "basico": plan("BasicoPlan")?,
        "premium": plan("PremiumPlan")?,
        "empresarial": plan("EmpresarialPlan")?,
    });
    let list = json!([{
        "username": name, "password": password, "email": arguments.email, "group": group, "tier": tier, "plans": plans,
    }]);
    sam::helper(place, "users.py", &[checkout::text(&outputs, "UserPoolId")?], list.to_string().as_bytes())?;
    ui::say(&format!("  {name} ({group}), password {password}"));
    Ok(())
}

/// Whether it may be an address; the local stack would take anything, and Cognito would not.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '@';
    !name.is_empty()
        && text.len() <= 254
        && !name.contains(bad)
        && !host.contains(bad)
        && host.split('.').count() > 1
        && host.split('.').all(|label| !label.is_empty())
}

/// A password from the operating system's randomness, by Python's `secrets`.
fn new_password(place: Place) -> Result<String> {
    const MAKE: &str = "import secrets, string; a = string.ascii_letters + string.digits; \
                        print('Aa1' + ''.join(secrets.choice(a) for _ in range(17)))";
    let mut command = std::process::Command::new(Venv::Tools.program("python"));
    place.aim(&mut command);
    Ok(run::output(command.args(["-c", MAKE]), b"")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Start, State, all_parameters, check_shipping, how_to_unprotect, is_email, start, too_little};
    use crate::sam::Environment;
    use serde_json::json;

    fn environment() -> Environment {
        Environment::parse("prod", "[prod.deploy.parameters]\nstack_name = \"almacen-prod\"\n").unwrap()
    }

    fn state(status: Option<&str>, left: usize) -> State {
        let left = vec!["A"; left];
        let printed = json!({"status": status, "parameters": {}, "change_sets": [], "left": left});
        State::parse(&printed.to_string()).unwrap()
    }

    #[test]
    fn what_a_deploy_does_about_each_state() {
        let of = |status, left| start(&state(status, left), &environment());
        assert_eq!(of(None, 0), Start::Create);
        assert_eq!(of(Some("REVIEW_IN_PROGRESS"), 0), Start::Create);
        assert_eq!(of(Some("ROLLBACK_COMPLETE"), 0), Start::ClearAndCreate);
        for status in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"] {
            assert_eq!(of(Some(status), 9), Start::Update, "{status}");
        }
        for (status, left, says) in [
            ("ROLLBACK_COMPLETE", 1, "cargo xtask destroy --env prod"),
            ("ROLLBACK_FAILED", 2, "cargo xtask destroy --env prod"),
            ("CREATE_FAILED", 2, "cargo xtask destroy --env prod"),
            ("DELETE_FAILED", 2, "cargo xtask destroy --env prod"),
            ("UPDATE_ROLLBACK_FAILED", 9, "aws cloudformation continue-update-rollback --stack-name almacen-prod"),
            ("UPDATE_IN_PROGRESS", 9, "Wait"),
        ] {
            let Start::Stuck(words) = of(Some(status), left) else { panic!("{status} is deployed over") };
            assert!(words.contains(says) && words.contains(status), "{words}");
        }
    }

    #[test]
    fn protection_waits_for_the_first_creation() {
        for status in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"] {
            assert!(state(Some(status), 9).is_created(), "{status}");
        }
        for status in ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "CREATE_IN_PROGRESS"] {
            assert!(!state(Some(status), 0).is_created(), "{status}");
        }
        assert!(!state(None, 0).is_created());
    }

    #[test]
    fn every_parameter_gets_a_value_the_empty_ones_too() {
        let defaults = json!({"AlertEmail": "", "DefaultStore": "central", "LogRetentionDays": "30"});
        let defaults = defaults.as_object().unwrap();
        let of = |configured: &[&str], set: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|&pair| pair.to_owned()).collect::<Vec<_>>();
            all_parameters(defaults, &owned(configured), &owned(set))
        };
        assert_eq!(
            json!(of(&["LogRetentionDays=14", "AlertEmail=a@b.c"], &["AlertEmail=", "DefaultStore=a, b=c"]).unwrap()),
            json!({"AlertEmail": "", "DefaultStore": "a, b=c", "LogRetentionDays": "14"})
        );
        let said = of(&["Alert=x"], &["Log=1"]).unwrap_err().to_string();
        assert_eq!(
            said,
            "the template has no parameter Alert, Log. It has: AlertEmail, DefaultStore, LogRetentionDays"
        );
        assert!(of(&[], &["AlertEmail"]).is_err());
    }

    #[test]
    fn rates_of_shipping_that_cannot_be_read_are_named() {
        let check = |rates: &str, free_from: &str| {
            let parameters = json!({"ShippingRates": rates, "FreeShippingFrom": free_from});
            check_shipping(parameters.as_object().unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(check("", ""), Ok(()));
        assert_eq!(check("USD:4.99,CLP:3990", "CLP:50000"), Ok(()));
        assert_eq!(
            check("USD:4.999,XXX:1", "EUR:0.001"),
            Err("ShippingRates: \"USD:4.999\": has more decimals than USD (2)\n\
                 ShippingRates: \"XXX:1\": is not of a currency of ISO 4217\n\
                 FreeShippingFrom: \"EUR:0.001\": has more decimals than EUR (2)"
                .to_owned())
        );
    }

    #[test]
    fn concurrency_below_what_is_needed_is_said() {
        assert_eq!(too_little(94, 94, 1000), None);
        assert!(too_little(94, 10, 10).is_some_and(|why| why.contains("lets 10 functions run at once")));
    }

    #[test]
    fn what_is_protected_is_named_with_the_way_to_take_that_away() {
        let words = how_to_unprotect(&environment(), &["stack", "almacen-prod-InventoryTable-1"]);
        for part in [
            "nothing was touched",
            "almacen-prod-InventoryTable-1",
            "cargo xtask deploy --env prod --set Protected=false",
            "update-termination-protection --stack-name almacen-prod --no-enable-termination-protection",
        ] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn addresses() {
        for good in ["a@b.c", "maría.o'neil+stock@example.com"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "notmail", "@b.c", "a@", "a@b", "a@b..c", "a@b@c.d", "a b@c.d", "a@b.c\n"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
