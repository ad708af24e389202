//! Cargo's tools that the checks use, from crates.io, each installed once under `target/tools`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{checkout, functions, run, ui};

/// A tool at the one version that is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, bans, sources and advisories of all dependencies, as deny.toml wants them.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Dependencies that a package names and its sources do not.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };

impl Tool {
    /// Its path; it is installed first unless it is there.
    ///
    /// # Errors
    /// If it cannot be downloaded or does not compile.
    pub(crate) fn ready(self) -> Result<PathBuf> {
        let Self { name, version } = self;
        let folder = checkout::root().join("target/tools").join(format!("{name}-{version}"));
        let program = folder.join("bin").join(name);
        if program.exists() {
            return Ok(program);
        }
        let step = ui::Step::new(&format!("installing {name}"));
        let mut install = functions::cargo();
        install.args(["install", name, "--version", version, "--locked", "--root"]).arg(&folder);
        // Its release profile, optimised while linking, takes three times as long to build and saves seconds of a run.
        install.arg("--debug").env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR");
        run::logged(&mut install, &checkout::log(name)?, "cargo install")
            .with_context(|| format!("cannot install {name} {version}. Is crates.io reachable?"))?;
        step.done(&format!("{name} {version} installed"));
        Ok(program)
    }
}
