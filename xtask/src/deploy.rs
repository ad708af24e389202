//! AWS: deploy, destroy, users.

use std::io::Write;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::python::Venv;
use crate::sam::{Environment, Place};
use crate::{checkout, functions, python, run, sam, ui, up};

/// An environment on AWS.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Env {
    Dev,
    Staging,
    Prod,
}

impl Env {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }
}

/// Build for AWS and deploy, with the credentials of the environment
#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// Where to
    #[arg(long, value_enum)]
    env: Env,
    /// A parameter of the template, besides those in samconfig.toml
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// Delete a stack on AWS and its data
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

/// Builds, deploys and uploads the page.
///
/// # Errors
/// If a step fails.
pub(crate) fn deploy(arguments: &Deploy) -> Result<()> {
    let mut environment = Environment::read(arguments.env.name())?;
    for pair in &arguments.set {
        let (name, _) = pair.split_once('=').with_context(|| format!("--set {pair} is not NAME=VALUE"))?;
        environment.parameters.retain(|known| known.split_once('=').is_none_or(|(other, _)| other != name));
        environment.parameters.push(pair.clone());
    }
    python::tools()?;
    signed_in()?;
    functions::build_for_aws()?;
    sam::deploy(Place::Aws, &environment)?;
    let outputs = sam::outputs(Place::Aws, &environment.stack)?;
    let bucket = checkout::text(&outputs, "WebBucket")?;
    let step = ui::Step::new("uploading the page");
    let config = up::page_config(&outputs, &region(&environment)?, &environment.name)?;
    let folder = checkout::root().join("web").display().to_string();
    let mut list = vec![bucket, folder.as_str()];
    if let Ok(distribution) = checkout::text(&outputs, "WebDistributionId") {
        list.extend(["--invalidate", distribution]);
    }
    sam::helper(Place::Aws, "web.py", &list, config.as_bytes())?;
    step.done("page uploaded");
    ui::say(&format!("\n  {}  {}", ui::bold("Page"), checkout::text(&outputs, "WebUrl")?));
    ui::say(&format!("  {}   {}", ui::bold("API"), checkout::text(&outputs, "ApiUrl")?));
    let name = arguments.env.name();
    ui::say(&format!("\n  Next  cargo xtask add-user NAME --email ADDRESS --role admin --env {name}"));
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

/// Empties the buckets and deletes the stack.
///
/// # Errors
/// If the name is not confirmed or a step fails.
pub(crate) fn destroy(arguments: &Destroy) -> Result<()> {
    let environment = Environment::read(arguments.env.name())?;
    python::tools()?;
    signed_in()?;
    let outputs = sam::outputs(Place::Aws, &environment.stack)?;
    if outputs.is_empty() {
        bail!("{} is not deployed in this account and region", environment.stack);
    }
    // Before anything is touched: what is protected stops the deletion when the buckets are empty already.
    let protected = sam::helper(Place::Aws, "protection.py", &[&environment.stack], b"")?;
    if !protected.trim().is_empty() {
        bail!(
            "these are protected against deletion; turn that off first, one by one: {}",
            protected.split_whitespace().collect::<Vec<_>>().join(", ")
        );
    }
    if !arguments.yes {
        ui::note(&format!(
            "  This deletes {} with every stock line, import, report and user in it.",
            ui::bold(&environment.stack)
        ));
        let _ = write!(std::io::stderr(), "  Type its name to go on: ");
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed)?;
        if typed.trim() != environment.stack {
            bail!("not deleted: that was not its name");
        }
    }
    let step = ui::Step::new("emptying the buckets");
    let buckets = ["UploadBucket", "ReportsBucket", "WebBucket", "OriginalsBucket", "ImagesBucket", "CatalogueBucket"];
    let buckets = buckets.iter().map(|name| checkout::text(&outputs, name)).collect::<Result<Vec<_>>>()?;
    let list: Vec<&str> = std::iter::once("empty").chain(buckets).collect();
    sam::helper(Place::Aws, "buckets.py", &list, b"")?;
    step.done("buckets emptied");
    let mut command = std::process::Command::new(Venv::Tools.program("sam"));
    command.current_dir(checkout::root()).args(["delete", "--no-prompts", "--stack-name", &environment.stack]);
    command.args(["--region", &region(&environment)?]);
    Place::Aws.aim(&mut command);
    if run::status(&mut command)? {
        Ok(())
    } else {
        bail!("the stack could not be deleted; its events in CloudFormation say why")
    }
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
    let (place, environment) = crate::target(arguments.env.as_deref())?;
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
    use super::is_email;

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
