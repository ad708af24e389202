//! The functions: which there are, and their binaries where the template expects them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::python::Venv;
use crate::{checkout, run, ui};

/// Names of all functions: the folders under `functions/`, sorted.
///
/// # Errors
/// If the folder cannot be read.
pub(crate) fn names() -> Result<Vec<String>> {
    let folder = checkout::root().join("functions");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.join("Cargo.toml").exists()
            && let Some(name) = path.file_name()
        {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// A cargo command in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(checkout::root());
    // What `cargo run` sets for this program is about this package and no other's business.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "CARGO_MANIFEST_PATH"
        {
            command.env_remove(name);
        }
    }
    command
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout::root().join("target"), PathBuf::from)
}

/// Where cargo puts binaries of the light profile.
fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// Builds all functions at once with the light profile and puts them where the template's `CodeUri` points.
///
/// # Errors
/// If one does not compile.
pub(crate) fn build() -> Result<()> {
    let names = names()?;
    let mut command = cargo();
    command.arg("build");
    for name in &names {
        command.args(["--package", name]);
    }
    if !run::status(&mut command)? {
        bail!("the functions do not build; cargo's messages above say why");
    }
    for name in &names {
        place(name)?;
    }
    Ok(())
}

/// Copies a binary to `target/lambda/<name>/bootstrap`, unless the same is there.
fn place(name: &str) -> Result<()> {
    let from = built(name);
    let folder = checkout::root().join("target/lambda").join(name);
    let to = folder.join("bootstrap");
    let stamp = checkout::stamp(&from)?;
    let note = checkout::local().join("placed").join(name);
    let same = fs::read_to_string(&note).is_ok_and(|text| text == stamp)
        && fs::metadata(&to).is_ok_and(|there| fs::metadata(&from).is_ok_and(|here| here.len() == there.len()));
    if !same {
        checkout::make(&folder)?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
        checkout::write(&note, stamp.as_bytes())?;
    }
    Ok(())
}

/// Forgets what was placed: another build has put its own binaries there.
pub(crate) fn forget_placed() {
    let _ = fs::remove_dir_all(checkout::local().join("placed"));
}

/// What identifies the placed binaries, for "has anything changed since".
///
/// # Errors
/// If one has not been built.
pub(crate) fn placed() -> Result<Vec<String>> {
    names()?.iter().map(|name| checkout::stamp(&built(name))).collect()
}

/// The processor of this machine as the template names it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// Builds all functions for AWS: release, for the processor that the parameter `Architecture` names, whatever this
/// machine is.
///
/// # Errors
/// If cargo-lambda cannot be installed or a function does not build.
pub(crate) fn build_for_aws(architecture: &str) -> Result<()> {
    let option = processor_option(architecture)?;
    let step = ui::Step::new("cargo-lambda");
    let made = Venv::Build.ready()?;
    step.done(if made { "cargo-lambda installed" } else { "cargo-lambda is installed" });
    forget_placed();
    build_lambda(&names()?, option, None)
}

/// Builds these functions in release with cargo-lambda and the zig of its environment, which must be ready. Into `folder`,
/// or where the template's `CodeUri` points.
///
/// # Errors
/// If one does not build.
pub(crate) fn build_lambda(names: &[String], architecture: &str, folder: Option<&Path>) -> Result<()> {
    let mut command = cargo();
    let bin = Venv::Build.program("");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths)?).args(["lambda", "build", "--release", architecture]);
    if let Some(folder) = folder {
        command.arg("--lambda-dir").arg(folder);
    }
    for name in names {
        command.args(["--package", name]);
    }
    if !run::status(&mut command)? {
        bail!("the functions do not build for AWS; the messages above say why");
    }
    Ok(())
}

/// What cargo-lambda calls a processor of the template.
fn processor_option(architecture: &str) -> Result<&'static str> {
    match architecture {
        "arm64" => Ok("--arm64"),
        "x86_64" => Ok("--x86-64"),
        _ => bail!("Architecture={architecture} is neither arm64 nor x86_64"),
    }
}

#[cfg(test)]
mod tests {
    use super::processor_option;

    #[test]
    fn the_parameter_decides_what_is_built() {
        assert_eq!(processor_option("arm64").unwrap(), "--arm64");
        assert_eq!(processor_option("x86_64").unwrap(), "--x86-64");
        assert!(processor_option("riscv").is_err());
    }
}
