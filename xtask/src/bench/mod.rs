//! `cargo xtask bench`: builds the functions as they are deployed, and lets `bench/harness` measure them. What it measures and
//! how stands in docs/performance.md, which it writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::python::Venv;
use crate::{checkout, functions, run, ui};

/// Measure the release binaries and write docs/performance.md
///
/// Needs no local stack and touches nothing outside this folder. About ten minutes on two cores without the building; with
/// --quick about one. Ends with 1 where a target is missed.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Fewer rounds and smaller files; the document is not written
    #[arg(long)]
    quick: bool,
    /// Only this part, may be repeated; the document is not written
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Only this function beside its floors, by the parts that are about it; may be repeated; the document is not written
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Succeed although a target is missed
    #[arg(long)]
    no_fail: bool,
    /// Leave the comparison with Python out; the document is not written
    #[arg(long)]
    no_python: bool,
    /// Measure the binaries that are there, without building
    #[arg(long)]
    no_build: bool,
    /// Which binaries; `dev` only shows whether the measuring itself works, so no target counts
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Start-up to the first answer
    Start,
    /// Latency, CPU and memory of warm calls
    Warm,
    /// Read units of lists of products
    Lists,
    /// Reading CSV
    Csv,
    /// Whole imports of ten thousand, a hundred thousand and a million rows
    Ingest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    Release,
    Dev,
}

/// Measures everything that was asked for.
///
/// # Errors
/// If something cannot be built or measured, or a target is missed.
pub(crate) fn run(arguments: &Bench) -> Result<()> {
    let root = checkout::root();
    let functions = functions(&root)?;
    if let Some(unknown) = arguments.function.iter().find(|name| !functions.contains(name)) {
        bail!("there is no function {unknown}; there are {}", functions.join(", "));
    }
    if !arguments.no_build {
        build(arguments.profile, &wanted(&functions, &arguments.function))?;
    }
    let python = if arguments.no_python || !compared(&arguments.function) { None } else { python() };
    let folder = match arguments.profile {
        Profile::Release => "release",
        Profile::Dev => "debug",
    };
    let binaries = target(&root).join(folder);
    let mut harness = Command::new(binaries.join("bench-harness"));
    harness.arg("--root").arg(&root).arg("--bin-dir").arg(&binaries);
    if let Some(python) = &python {
        harness.arg("--python").arg(python);
    }
    if arguments.quick {
        harness.arg("--quick");
    }
    // The targets are for what is deployed.
    if arguments.no_fail || arguments.profile == Profile::Dev {
        harness.arg("--no-fail");
    }
    for part in &arguments.only {
        if let Some(value) = part.to_possible_value() {
            harness.arg("--only").arg(value.get_name());
        }
    }
    for name in &arguments.function {
        harness.arg("--function").arg(name);
    }
    let whole = !arguments.quick && arguments.only.is_empty() && arguments.function.is_empty() && python.is_some();
    if whole && arguments.profile == Profile::Release {
        harness.arg("--report").arg(root.join("docs/performance.md"));
    }
    if run::status(&mut harness)? { Ok(()) } else { bail!("the bench found something to look at; see above") }
}

/// The functions among `all` that measuring those that were `asked` for starts. None asked for means all.
fn wanted<'a>(all: &'a [String], asked: &[String]) -> Vec<&'a String> {
    let starts = |name: &str, asked: &String| asked == name || beside(asked).contains(&name);
    all.iter().filter(|name| asked.is_empty() || asked.iter().any(|asked| starts(name, asked))).collect()
}

/// What else has to run when a function is measured.
fn beside(function: &str) -> &'static [&'static str] {
    match function {
        // Lists begin with what it has written.
        "products-api" => &["snapshot-catalogue"],
        // An import goes through both.
        "ingest-inventory" => &["ingest-range"],
        "ingest-range" => &["ingest-inventory"],
        _ => &[],
    }
}

/// Is one of these functions compared with the same work in Python? None asked for means all.
fn compared(asked: &[String]) -> bool {
    let with = ["items-api", "ingest-inventory", "ingest-range"];
    asked.is_empty() || asked.iter().any(|name| with.contains(&name.as_str()))
}

/// The names of all functions: the folders under `functions/`.
fn functions(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("functions");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// One cargo run for all, so that what they share is compiled once.
fn build(profile: Profile, names: &[&String]) -> Result<()> {
    let name = match profile {
        Profile::Release => "release",
        Profile::Dev => "dev",
    };
    ui::note(&format!("  building {} functions ({name}); the first time this takes minutes", names.len()));
    let mut cargo = functions::cargo();
    cargo.args(["build", "--profile", name]);
    for package in
        ["bench-empty", "bench-harness", "bench-one-call"].into_iter().chain(names.iter().map(|name| name.as_str()))
    {
        cargo.arg("--package").arg(package);
    }
    if run::status(&mut cargo)? { Ok(()) } else { bail!("building failed; see above") }
}

/// Where cargo builds to.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// A Python with boto3, or a word on why there is none.
fn python() -> Option<PathBuf> {
    let venv = Venv::Stack;
    let found = venv.ready().and_then(|_| {
        let python = venv.program("python");
        let has_boto3 = Command::new(&python).args(["-c", "import boto3"]).output()?.status.success();
        if has_boto3 { Ok(python) } else { bail!("boto3 is not installed there") }
    });
    match found {
        Ok(python) => Some(python),
        Err(error) => {
            ui::note(&format!("  no comparison with Python: {error:#}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{compared, functions, wanted};
    use crate::checkout;

    fn built(asked: &[&str]) -> Vec<String> {
        let all = functions(&checkout::root()).unwrap();
        let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
        wanted(&all, &asked).into_iter().cloned().collect()
    }

    /// A binary that is not built cannot be measured, and building takes minutes.
    #[test]
    fn what_measuring_a_function_starts_is_built_and_no_more() {
        assert_eq!(built(&["cart-api"]), ["cart-api"]);
        assert_eq!(built(&["products-api"]), ["products-api", "snapshot-catalogue"]);
        assert_eq!(built(&["snapshot-catalogue"]), ["snapshot-catalogue"]);
        assert_eq!(built(&["ingest-inventory"]), ["ingest-inventory", "ingest-range"]);
        assert_eq!(built(&["cart-api", "ingest-range"]), ["cart-api", "ingest-inventory", "ingest-range"]);
        assert_eq!(built(&[]), functions(&checkout::root()).unwrap());
    }

    #[test]
    fn python_is_set_up_only_where_it_is_compared_with() {
        let asked = |name: &str| compared(&[name.to_owned()]);
        assert!(compared(&[]) && asked("items-api") && asked("ingest-range"));
        assert!(!asked("cart-api"));
    }
}
