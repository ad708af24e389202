//! `sam deploy` of the real template, here or on AWS.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};

use crate::python::Venv;
use crate::{checkout, python, run, stack};

/// Where a stack is: on this machine or on AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The local stack on this port.
    Local(u16),
    /// AWS, with the credentials of the environment.
    Aws,
}

impl Place {
    /// Points a program at this place.
    pub(crate) fn aim(self, command: &mut Command) {
        command.env("SAM_CLI_TELEMETRY", "0");
        match self {
            Self::Local(port) => stack::point_at(command, port),
            // boto3 and sam read only the older name.
            Self::Aws => {
                if let Some(region) = std::env::var_os("AWS_REGION").filter(|region| !region.is_empty()) {
                    command.env("AWS_DEFAULT_REGION", region);
                }
            }
        }
    }
}

/// One environment of samconfig.toml.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// local, dev, staging or prod.
    pub(crate) name: String,
    /// Name of the CloudFormation stack.
    pub(crate) stack: String,
    /// `NAME=VALUE` of the template's parameters.
    pub(crate) parameters: Vec<String>,
    /// Region, if samconfig.toml sets one.
    pub(crate) region: Option<String>,
    /// Whether a person is asked before changes are made.
    pub(crate) confirm: bool,
    artifacts: Option<String>,
}

impl Environment {
    /// Reads an environment from samconfig.toml.
    ///
    /// # Errors
    /// If the file is not readable or has no such environment.
    pub(crate) fn read(name: &str) -> Result<Self> {
        let path = checkout::root().join("samconfig.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(name, &text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads an environment from the text of samconfig.toml.
    ///
    /// # Errors
    /// If it has no such environment.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let all: toml::Table = text.parse()?;
        let section = all.get(name).and_then(|env| env.get("deploy")).and_then(|deploy| deploy.get("parameters"));
        let section = section.with_context(|| format!("there is no section [{name}.deploy.parameters]"))?;
        let word = |key: &str| section.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let listed = section.get("parameter_overrides").and_then(toml::Value::as_array);
        Ok(Self {
            name: name.to_owned(),
            stack: word("stack_name").with_context(|| format!("[{name}.deploy.parameters] has no stack_name"))?,
            parameters: listed.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect(),
            region: word("region"),
            confirm: section.get("confirm_changeset").and_then(toml::Value::as_bool).unwrap_or(false),
            artifacts: word("s3_bucket"),
        })
    }

    /// The bucket that `sam deploy` uploads to, where samconfig.toml names one.
    ///
    /// # Errors
    /// If it names none.
    pub(crate) fn artifacts(&self) -> Result<&str> {
        self.artifacts.as_deref().with_context(|| format!("[{}.deploy.parameters] has no s3_bucket", self.name))
    }
}

/// The place and stack name of an environment; without one, the running local stack.
///
/// # Errors
/// If there is no such environment, or the local stack is not running.
pub(crate) fn target(env: Option<&str>) -> Result<(Place, Environment)> {
    let name = env.unwrap_or("local");
    let environment = Environment::read(name)?;
    if name != "local" {
        python::tools()?;
        return Ok((Place::Aws, environment));
    }
    match stack::running() {
        Some(running) => Ok((Place::Local(running.port), environment)),
        None => bail!("the local stack of this checkout is not running. Run: cargo xtask up"),
    }
}

fn sam_deploy(place: Place, environment: &Environment, template: &Path) -> Command {
    let mut command = Command::new(Venv::Tools.program("sam"));
    // sam looks for a relative configuration beside the template.
    let configuration = checkout::root().join("samconfig.toml");
    command.current_dir(checkout::root()).args(["deploy", "--config-file"]).arg(configuration);
    command.arg("--template-file").arg(template).args(["--config-env", &environment.name, "--no-progressbar"]);
    place.aim(&mut command);
    command
}

/// Deploys the template of the local stack, with its output in a log.
///
/// # Errors
/// If the deploy fails.
pub(crate) fn deploy(place: Place, environment: &Environment) -> Result<()> {
    let mut command = sam_deploy(place, environment, Path::new("template.yaml"));
    command.arg("--parameter-overrides").args(&environment.parameters);
    run::logged(&mut command, &checkout::log("deploy")?, "sam deploy").context(
        "the template could not be deployed to the local stack. If its state is damaged: cargo xtask down --wipe",
    )
}

/// Uploads the functions and makes a change set, which sam shows and nobody has carried out yet.
///
/// # Errors
/// If the template or a parameter is refused.
pub(crate) fn make_change_set(
    place: Place,
    environment: &Environment,
    template: &Path,
    parameters: &Map<String, Value>,
) -> Result<()> {
    // On the command line sam refuses a parameter with an empty value and cuts one at a space; in a file it does neither.
    // JSON is YAML, and sam goes by the ending of the name.
    let file = checkout::local().join(format!("parameters-{}.yaml", environment.name));
    checkout::write(&file, &serde_json::to_vec_pretty(parameters)?)?;
    let mut command = sam_deploy(place, environment, template);
    command.args(["--no-execute-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides"]);
    command.arg(format!("file://{}", file.display()));
    if run::status(&mut command)? { Ok(()) } else { bail!("sam deploy failed; its messages above say why") }
}

/// Runs one of the Python helpers of `xtask/local` and returns what it printed.
///
/// # Errors
/// If it fails; the error holds what it said.
pub(crate) fn helper(place: Place, script: &str, arguments: &[&str], input: &[u8]) -> Result<String> {
    let mut command = helper_command(place, script, arguments);
    run::output(&mut command, input).map_err(|error| match explained(&error.to_string()) {
        Some(known) => anyhow!(known),
        None => error.context(format!("{script} failed")),
    })
}

/// What to do about a failure that is no fault of the program: the last line of a Python traceback, in words.
fn explained(said: &str) -> Option<String> {
    let last = said.lines().rev().find(|line| !line.trim().is_empty())?;
    let (name, message) = last.split_once(": ").unwrap_or((last, ""));
    let has = |words: &[&str]| words.iter().any(|word| last.contains(word));
    if has(&["NoRegionError"]) {
        return Some("no AWS region is set. Set AWS_REGION, such as AWS_REGION=eu-west-1".to_owned());
    }
    if has(&["NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"]) {
        return Some("there are no AWS credentials. Sign in (aws sso login) or set AWS_PROFILE or the keys".to_owned());
    }
    if has(&["Expired", "UnauthorizedSSOToken", "SSOTokenLoad", "TokenRetrieval", "SSOError"]) {
        return Some(format!("the AWS sign-in has expired. Sign in again (aws sso login): {message}"));
    }
    if has(&["InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "InvalidAccessKeyId"]) {
        return Some(format!("AWS does not know these credentials. Set AWS_PROFILE or the keys anew: {message}"));
    }
    if has(&["ProfileNotFound"]) {
        return Some(format!("{message}. AWS_PROFILE has to name one of: aws configure list-profiles"));
    }
    if has(&["AccessDenied", "not authorized to perform"]) {
        return Some(format!("these AWS credentials may not do this: {message}"));
    }
    if has(&["EndpointConnectionError", "ConnectTimeoutError", "InvalidRegionError"]) {
        return Some(format!("AWS cannot be reached; is AWS_REGION right? {message}"));
    }
    // A service's refusal says itself what it is about, and no line of a helper adds to it.
    (name.starts_with("botocore.")).then(|| message.to_owned())
}

/// A command that runs one of the Python helpers.
pub(crate) fn helper_command(place: Place, script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(Venv::Tools.program("python"));
    command.arg(checkout::script(script)).args(arguments).current_dir(checkout::root());
    place.aim(&mut command);
    command
}

/// The outputs of a stack; empty where there is no such stack.
///
/// # Errors
/// If they cannot be asked for.
pub(crate) fn outputs(place: Place, stack: &str) -> Result<Map<String, Value>> {
    let printed = helper(place, "outputs.py", &[stack], b"")?;
    serde_json::from_str(&printed).context("outputs.py printed no JSON object")
}

#[cfg(test)]
mod tests {
    use super::{Environment, explained};

    #[test]
    fn failures_of_aws_in_words() {
        let of = |last: &str| explained(&format!("Traceback (most recent call last):\n  File …\n{last}\n"));
        for (last, start) in [
            ("botocore.exceptions.NoRegionError: You must specify a region.", "no AWS region is set"),
            ("botocore.exceptions.NoCredentialsError: Unable to locate credentials", "there are no AWS credentials"),
            (
                "botocore.exceptions.ClientError: An error occurred (ExpiredToken) when calling the X operation: The …",
                "the AWS sign-in has expired",
            ),
            (
                "botocore.errorfactory.InvalidParameterException: An error occurred (…) when calling …: Bad",
                "An error occurred",
            ),
        ] {
            assert!(of(last).is_some_and(|told| told.starts_with(start)), "{last}: {:?}", of(last));
        }
        assert_eq!(of("KeyError: 'x'"), None);
    }

    #[test]
    fn an_environment_is_a_section() {
        let text = "[dev.deploy.parameters]\nstack_name = \"x\"\nparameter_overrides = [\"A=1\", \"B=2\"]\n";
        let read = Environment::parse("dev", text).unwrap();
        assert_eq!((read.stack.as_str(), read.parameters.join(" ").as_str()), ("x", "A=1 B=2"));
        assert!(!read.confirm);
        assert!(Environment::parse("dev", &format!("{text}confirm_changeset = true\n")).unwrap().confirm);
        assert!(Environment::parse("prod", text).is_err());
    }
}
