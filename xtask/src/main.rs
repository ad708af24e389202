//! `cargo xtask …`: everything one does with this project. `cargo xtask --help` lists it.
//!
//! Links no AWS SDK: what needs one is done by the Python helpers in `xtask/local`, which the deploy tools bring anyway.

mod api;
mod bench;
mod check;
mod checkout;
mod deploy;
mod functions;
mod python;
mod redrive;
mod run;
mod sam;
mod sample;
mod shop;
mod sim;
mod stack;
mod tools;
mod ui;
mod up;
mod upload;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use serde_json::Value;

/// Run, test and deploy Almacén
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Bring the local stack up, with page, users, stock and a shop
    Up {
        /// Port on 127.0.0.1 [default: ALMACEN_PORT, the last one, 4566]
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
    },
    /// Stop the local stack; its data stays
    Down {
        /// Delete its data too
        #[arg(long)]
        wipe: bool,
    },
    /// Print the port of the running local stack of this checkout, or nothing
    #[command(hide = true)]
    Running,
    /// Print the outputs of a stack as JSON
    Outputs {
        /// Environment on AWS; without it, the local stack
        #[arg(long, value_name = "ENV")]
        env: Option<String>,
    },
    Upload(upload::Upload),
    Logs(Logs),
    Test(check::Test),
    Bench(bench::Bench),
    Sim(sim::Sim),
    Sample(sample::Sample),
    Redrive(redrive::Redrive),
    Deploy(deploy::Deploy),
    Destroy(deploy::Destroy),
    AddUser(deploy::AddUser),
}

/// Show what the functions log
#[derive(Args, Debug)]
struct Logs {
    /// Only this function, such as items-api
    function: Option<String>,
    /// Keep showing new lines
    #[arg(short, long)]
    follow: bool,
    /// Start this many minutes ago
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    since: u32,
    /// Environment on AWS; without it, the local stack
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = run::end_all_on_interrupt().and_then(|()| dispatch(&cli.task));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::note(&format!("{} {error:#}", ui::red("error:")));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: &Task) -> Result<()> {
    match task {
        Task::Up { port } => up::up(*port).map(|_started| ()),
        Task::Down { wipe } => down(*wipe),
        Task::Running => {
            if let Some(running) = stack::running() {
                ui::say(&running.port.to_string());
            }
            Ok(())
        }
        Task::Outputs { env } => outputs(env.as_deref()),
        Task::Upload(arguments) => upload::run(arguments),
        Task::Logs(arguments) => logs(arguments),
        Task::Test(arguments) => check::run(arguments),
        Task::Bench(arguments) => bench::run(arguments),
        Task::Sim(arguments) => sim::run(arguments),
        Task::Sample(arguments) => sample::run(arguments),
        Task::Redrive(arguments) => redrive::run(arguments),
        Task::Deploy(arguments) => deploy::deploy(arguments),
        Task::Destroy(arguments) => deploy::destroy(arguments),
        Task::AddUser(arguments) => deploy::add_user(arguments),
    }
}

/// Stops the local stack.
fn down(wipe: bool) -> Result<()> {
    match stack::running() {
        None => ui::note("  the local stack of this checkout is not running"),
        Some(running) => {
            let step = ui::Step::new(if wipe { "stopping" } else { "saving what the local stack holds" });
            let forced = if wipe { stack::kill(running).map(|()| false)? } else { stack::stop(running)? };
            step.done("local stack stopped");
            if forced {
                ui::note("  it did not end by itself and was forced to, so its last changes may not be saved");
            }
        }
    }
    if wipe {
        stack::wipe()?;
        ui::note("  its data is deleted");
    }
    Ok(())
}

fn outputs(env: Option<&str>) -> Result<()> {
    let found = match env {
        None | Some("local") => {
            let known = checkout::outputs()?;
            if stack::running().is_none() {
                ui::note("  the stack is not running; this is what it was. Start it: cargo xtask up");
            }
            known
        }
        Some(_) => {
            let (place, environment) = sam::target(env)?;
            let found = sam::outputs(place, &environment.stack)?;
            if found.is_empty() {
                bail!("{} is not deployed. Run: cargo xtask deploy --env {}", environment.stack, environment.name);
            }
            found
        }
    };
    ui::say(&serde_json::to_string_pretty(&Value::Object(found))?);
    Ok(())
}

fn logs(arguments: &Logs) -> Result<()> {
    let (place, environment) = sam::target(arguments.env.as_deref())?;
    if let Some(function) = &arguments.function {
        let names = functions::names()?;
        if !names.contains(function) {
            bail!("there is no function {function}. There are: {}", names.join(", "));
        }
    }
    let since = arguments.since.to_string();
    let mut list = vec![environment.stack.as_str()];
    list.extend(arguments.function.as_deref());
    list.extend(["--since", &since]);
    if arguments.follow {
        list.push("--follow");
    }
    if run::status(&mut sam::helper_command(place, "logs.py", &list))? {
        Ok(())
    } else {
        bail!("the logs cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
