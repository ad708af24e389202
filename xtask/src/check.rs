//! `cargo xtask test`: every check, and one table of what came of them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::python::Venv;
use crate::{checkout, functions, run, stack, tools, ui, up};

/// Run the tests
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Which ones
    #[arg(value_enum, default_value_t = Suite::All)]
    suite: Suite,
    /// Port of the local stack, as for `up`
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Leave the local stack running if this run starts it
    #[arg(long)]
    keep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Format, lints and every test that needs no stack
    Unit,
    /// The template, and licences and sources of all dependencies
    Lint,
    /// One function as it is deployed: release, arm64
    Release,
    /// The deployed system, on the local stack
    E2e,
    /// Made-up requests from the API's document, against the local stack
    Contract,
    /// The page, in Chromium
    Web,
    /// Everything
    All,
}

impl Suite {
    fn includes(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

/// What came of one check.
struct Outcome {
    name: &'static str,
    error: Option<String>,
    took: Duration,
}

#[derive(Default)]
struct Report(Vec<Outcome>);

impl Report {
    fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        ui::note(&format!("\n{}", ui::bold(&format!("── {name}"))));
        let started = Instant::now();
        let error = work().err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            ui::note(&format!("{} {error}", ui::red("failed:")));
        }
        let good = error.is_none();
        self.0.push(Outcome { name, error, took: started.elapsed() });
        good
    }

    fn close(&self) -> Result<()> {
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .map(|outcome| {
                let result = if outcome.error.is_none() { "ok" } else { "FAILED" };
                vec![outcome.name.to_owned(), result.to_owned(), format!("{:.1} s", outcome.took.as_secs_f64())]
            })
            .collect();
        ui::say("");
        for line in ui::table(&["check", "result", "time"], &rows) {
            ui::say(&line);
        }
        let failed = self.0.iter().filter(|outcome| outcome.error.is_some()).count();
        match (self.0.len(), failed) {
            (0, _) => bail!("nothing was checked"),
            (all, 0) => {
                ui::say(&format!("\n  {}", ui::green(&format!("all {all} checks passed"))));
                Ok(())
            }
            (all, failed) => bail!("{failed} of {all} checks failed"),
        }
    }
}

/// Runs the chosen checks, all of them even if one fails.
///
/// # Errors
/// If one failed, or there was nothing to run.
pub(crate) fn run(arguments: &Test) -> Result<()> {
    let mut report = Report::default();
    if arguments.suite.includes(Suite::Unit) {
        report.check("format", || cargo(&["fmt", "--all", "--check"], "not formatted. Run: cargo fmt --all"));
        report.check("clippy", || {
            cargo(
                &["clippy", "--workspace", "--all-targets", "--keep-going", "--", "--deny", "warnings"],
                "clippy found something",
            )
        });
        report.check("unit tests", || {
            cargo(&["test", "--workspace", "--exclude", "e2e", "--no-fail-fast"], "a unit test failed")
        });
    }
    if arguments.suite.includes(Suite::Lint) {
        report.check("template", template);
        report.check("dependencies", dependencies);
        report.check("unused dependencies", unused_dependencies);
    }
    if arguments.suite.includes(Suite::Release) {
        report.check("release build", release_build);
    }
    if [Suite::E2e, Suite::Contract, Suite::Web].into_iter().any(|suite| arguments.suite.includes(suite)) {
        with_stack(arguments, &mut report);
    }
    report.close()
}

fn cargo(arguments: &[&str], failure: &str) -> Result<()> {
    if run::status(functions::cargo().args(arguments))? { Ok(()) } else { bail!("{failure}") }
}

fn template() -> Result<()> {
    Venv::Tools.ready()?;
    let run_tool = |tool: &str, arguments: &[&str]| {
        let mut command = Command::new(Venv::Tools.program(tool));
        command.current_dir(checkout::root()).args(arguments);
        stack::point_at(&mut command, 1);
        command.env("SAM_CLI_TELEMETRY", "0");
        match run::output(&mut command, b"") {
            Ok(said) => {
                ui::note(said.trim_end());
                Ok(())
            }
            Err(error) => bail!("{tool} found something:\n{error}"),
        }
    };
    let mut lint = Command::new(Venv::Tools.program("cfn-lint"));
    lint.current_dir(checkout::root()).arg("template.yaml");
    if !run::status(&mut lint)? {
        bail!("cfn-lint found something");
    }
    run_tool("sam", &["validate", "--lint", "--template", "template.yaml"])?;
    let script = checkout::script("expanded.py");
    run_tool("python", &[&script.to_string_lossy(), "template.yaml"])
}

/// What cargo-deny says where the list of advisories cannot be downloaded.
const NO_ADVISORIES: &str = "failed to fetch advisory database";

/// Licences, bans and sources by deny.toml; advisories too where their list can be downloaded.
fn dependencies() -> Result<()> {
    let program = tools::DENY.ready()?;
    let deny = |what: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(checkout::root()).args(["--locked", "check", "--hide-inclusion-graph"]).args(what);
        command
    };
    if !run::status(&mut deny(&["licenses", "bans", "sources"]))? {
        bail!("cargo-deny found something; deny.toml holds the rules");
    }
    match run::output(&mut deny(&["advisories"]), b"") {
        Ok(_) => ui::note("advisories ok"),
        Err(error) if error.to_string().contains(NO_ADVISORIES) => {
            ui::note("advisories were NOT checked: RustSec's list of them could not be downloaded");
        }
        Err(error) => bail!("cargo-deny found something:\n{error}"),
    }
    Ok(())
}

fn unused_dependencies() -> Result<()> {
    let mut machete = Command::new(tools::MACHETE.ready()?);
    machete.current_dir(checkout::root());
    if run::status(&mut machete)? { Ok(()) } else { bail!("cargo-machete found dependencies that are not used") }
}

/// Builds a function that has what breaks across processors, the C and assembly of `ring`, and little of the SDK.
fn release_build() -> Result<()> {
    const FUNCTION: &str = "authorize";
    /// Where an ELF file names its processor, and the number of 64-bit ARM.
    const MACHINE: std::ops::Range<usize> = 18..20;
    const AARCH64: [u8; 2] = [0xb7, 0];
    Venv::Build.ready()?;
    let mut target = Command::new("rustup");
    target.current_dir(checkout::root()).args(["target", "add", "aarch64-unknown-linux-gnu"]);
    run::output(&mut target, b"").context("the standard library for arm64 cannot be fetched with rustup")?;
    // Not beside the binaries of the local stack.
    let folder = checkout::root().join("target/lambda-release");
    functions::build_lambda(&[FUNCTION.to_owned()], "--arm64", Some(&folder))?;
    let built = folder.join(FUNCTION).join("bootstrap");
    let content = std::fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    if content.get(MACHINE) == Some(AARCH64.as_slice()) {
        Ok(())
    } else {
        bail!("{} is not for arm64", built.display())
    }
}

/// The checks that need the deployed system. What this run starts, it stops.
fn with_stack(arguments: &Test, report: &mut Report) {
    let mut started = false;
    let ready = report.check("local stack", || {
        let before = stack::running().is_some();
        let up = up::up(Some(stack::any_port(arguments.port)?));
        started = !before && stack::running().is_some();
        up.map(|_started| ())
    });
    if started
        && !arguments.keep
        && let Some(running) = stack::running()
    {
        run::answer_for(running.pid);
    }
    if ready && arguments.suite.includes(Suite::E2e) {
        report.check("end to end", end_to_end);
    }
    if ready && arguments.suite.includes(Suite::Contract) {
        report.check("contract", contract);
    }
    if ready && arguments.suite.includes(Suite::Web) {
        report.check("page", page);
    }
    if started
        && !arguments.keep
        && let Some(running) = stack::running()
    {
        let step = ui::Step::new("stopping the local stack");
        match stack::stop(running) {
            Ok(_) => step.done("local stack stopped"),
            Err(error) => ui::note(&format!("{} {error:#}", ui::red("error:"))),
        }
    }
}

/// Most of these tests wait for the stack, so more of them run at once than there are processors.
fn end_to_end() -> Result<()> {
    cargo(&["test", "--package", "e2e", "--", "--test-threads=6"], "an end-to-end test failed")
}

/// Schemathesis over the document that the stack answers with; tests/contract says how.
fn contract() -> Result<()> {
    Venv::Contract.ready()?;
    let mut test = Command::new(Venv::Contract.program("python"));
    test.arg(checkout::root().join("tests/contract/run.py"))
        .arg(checkout::outputs_file())
        .arg(Venv::Contract.program("schemathesis"))
        .arg(checkout::local().join("contract"))
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost");
    if run::status(&mut test)? { Ok(()) } else { bail!("the API does not do what docs/openapi.yaml says") }
}

fn page() -> Result<()> {
    let folder = checkout::root().join("tests/web");
    if Command::new("npm").arg("--version").output().is_err() {
        bail!("npm was not found. Install Node.js 20 or later.");
    }
    let browser = chromium()?;
    let mut install = Command::new("npm");
    install.current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]);
    if !run::status(&mut install)? {
        bail!("npm ci failed in tests/web");
    }
    let mut test = Command::new("npm");
    test.current_dir(&folder).args(["test"]).env("CHROMIUM", browser).env("ALMACEN_OUTPUTS", checkout::outputs_file());
    if run::status(&mut test)? { Ok(()) } else { bail!("a test of the page failed") }
}

/// The browser: `CHROMIUM` if set, else the first on the path, else Debian's, installed now where that needs no password.
fn chromium() -> Result<String> {
    if let Ok(path) = std::env::var("CHROMIUM") {
        return Ok(path);
    }
    if let Some(path) = installed_browser() {
        return Ok(path);
    }
    install_chromium();
    installed_browser().context(
        "no Chromium was found. On Debian and Ubuntu: sudo apt-get install chromium; elsewhere set CHROMIUM to its path",
    )
}

fn installed_browser() -> Option<String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<_> = std::env::split_paths(&paths).collect();
    let on_path = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mac = std::path::PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    on_path.chain([mac]).find(|path| path.is_file()).map(|path| path.display().to_string())
}

/// Tries Debian's package. Whether it worked is seen by looking for the browser again.
fn install_chromium() {
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    let may_sudo = || Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|out| out.status.success());
    let program: &[&str] = if root {
        &["apt-get"]
    } else if may_sudo() {
        &["sudo", "-n", "apt-get"]
    } else {
        return;
    };
    let apt = |arguments: &[&str]| {
        let (first, rest) = (program[0], &program[1..]);
        Command::new(first)
            .args(rest)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .is_ok_and(|out| out.status.success())
    };
    let step = ui::Step::new("installing Chromium with apt-get");
    if apt(&["update", "-qq"]) && apt(&["install", "-y", "-qq", "--no-install-recommends", "chromium"]) {
        step.done("Chromium installed");
    }
}
