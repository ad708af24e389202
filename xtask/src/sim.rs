//! `cargo xtask sim`: days of a shop's life in the simulator (`testing/sim`).

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::{functions, run};

/// Run days of a shop's life by seed, with faults, and audit the books
///
/// The same arguments give the same last line. Where the books of a seed do not balance, the shortest failing run that could be
/// found is printed, and how to run it again. docs/reliability.md says what is simulated.
#[derive(Args, Debug)]
pub(crate) struct Sim {
    /// The first seed; each run has the next one
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many runs
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Days of each run
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=365))]
    days: u64,
    /// Build it optimised: takes some minutes once, and each run a quarter of the time
    #[arg(long)]
    optimised: bool,
}

/// Builds the simulator and runs it.
///
/// # Errors
/// If the books of a seed do not balance.
pub(crate) fn run(arguments: &Sim) -> Result<()> {
    let Sim { seed, runs, days, optimised } = arguments;
    let (profile, folder) = if *optimised { ("sim", "sim") } else { ("dev", "debug") };
    // Of the whole workspace, so that what is built for the tests serves here too.
    let build = ["build", "--quiet", "--workspace", "--bin", "simulate", "--profile", profile];
    if !run::status(functions::cargo().args(build))? {
        bail!("the simulator was not built");
    }
    let mut command = Command::new(functions::target().join(folder).join("simulate"));
    command.args(["--seed", &seed.to_string(), "--runs", &runs.to_string(), "--days", &days.to_string()]);
    if run::status(&mut command)? { Ok(()) } else { bail!("the books do not balance") }
}
