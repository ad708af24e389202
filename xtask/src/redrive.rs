//! `cargo xtask redrive`: what lies in a queue of failures, and back with it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::{checkout, run, sam, ui};

/// List the messages of a queue of failures, look at one, change it, or send it back
///
/// Without an option it lists them. Sending back means, for uploads, ranges, restock, pictures and notify: into the queue that the
/// message failed in. For watch-stock: the record, or the records that Lambda's note names, are handed to the function again;
/// a stream keeps them for 24 hours. For relay: the sweep of the Outbox runs, which publishes all that is unpublished. A
/// message is deleted once it is sent, so what breaks off in between is sent twice, and never lost.
#[derive(Args, Debug)]
pub(crate) struct Redrive {
    /// Which queue
    #[arg(value_enum)]
    queue: Queue,
    #[command(flatten)]
    action: Action,
    /// Environment on AWS; without it, the local stack
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
struct Action {
    /// Print a message
    #[arg(long, value_name = "ID")]
    show: Option<String>,
    /// Change a message in $EDITOR, and send it back
    #[arg(long, value_name = "ID")]
    edit: Option<String>,
    /// Send a message back
    #[arg(long, value_name = "ID")]
    send: Option<String>,
    /// Send back all that is there
    #[arg(long)]
    send_all: bool,
    /// Delete a message for good, once what it tells of is settled
    #[arg(long, value_name = "ID")]
    delete: Option<String>,
}

/// A queue of failures.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Queue {
    /// Uploaded files
    Uploads,
    /// Parts of large files
    Ranges,
    /// News of stock for the to-dos
    Restock,
    /// Pictures of products
    Pictures,
    /// Alerts for people
    Notify,
    /// Changes of stock that were not watched
    WatchStock,
    /// Events that were not published
    Relay,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Ranges => "ranges",
            Self::Restock => "restock",
            Self::Pictures => "pictures",
            Self::Notify => "notify",
            Self::WatchStock => "watch-stock",
            Self::Relay => "relay",
        }
    }
}

/// Does what the options say.
///
/// # Errors
/// If there is no such message, or one could not be sent.
pub(crate) fn run(arguments: &Redrive) -> Result<()> {
    let (place, environment) = sam::target(arguments.env.as_deref())?;
    let (stack, queue, action) = (environment.stack.as_str(), arguments.queue.name(), &arguments.action);
    let ask = |list: &[&str]| {
        let all: Vec<&str> = [stack, queue].into_iter().chain(list.iter().copied()).collect();
        sam::helper(place, "redrive.py", &all, b"")
    };
    if let Some(id) = &action.show {
        ui::say(ask(&["show", id])?.trim_end());
    } else if let Some(id) = &action.send {
        ask(&["send", id])?;
        ui::say(&format!("  {id} was sent back and is deleted here"));
    } else if let Some(id) = &action.delete {
        ask(&["delete", id])?;
        ui::say(&format!("  {id} is deleted"));
    } else if let Some(id) = &action.edit {
        let before = ask(&["show", id])?;
        let Some(file) = edited(id, &before)? else {
            ui::say("  unchanged, so nothing was sent");
            return Ok(());
        };
        ask(&["edit", id, &file.display().to_string()])
            .with_context(|| format!("not sent; what you wrote is in {}", file.display()))?;
        std::fs::remove_file(&file).with_context(|| format!("cannot delete {}", file.display()))?;
        ui::say(&format!("  the changed message was sent back, and {id} is deleted"));
    } else if action.send_all {
        let mut command = sam::helper_command(place, "redrive.py", &[stack, queue, "send-all"]);
        if !run::status(&mut command)? {
            bail!("not all could be sent; what was not is still there");
        }
    } else {
        list(&ask(&["list"])?);
    }
    Ok(())
}

fn list(printed: &str) {
    let rows: Vec<Vec<String>> =
        printed.lines().map(|line| line.splitn(4, '\t').map(str::to_owned).collect()).collect();
    if rows.is_empty() {
        ui::say("  nothing is there");
        return;
    }
    for line in ui::table(&["id", "age", "received", "about"], &rows) {
        ui::say(&line);
    }
}

/// Lets a person change the text; the file with the result, or none where it is as it was.
fn edited(id: &str, before: &str) -> Result<Option<PathBuf>> {
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let editor = editor.context("set EDITOR to the program that is to show the message")?;
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let file = checkout::local().join(format!("message-{}.json", id.chars().map(safe).collect::<String>()));
    checkout::write(&file, before.as_bytes())?;
    // By the shell, as git does it: an editor may come with options.
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&file);
    if !run::status(&mut command)? {
        bail!("{editor} failed, so nothing was sent");
    }
    let after = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    if after == before {
        return Ok(None);
    }
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(&after);
    if let Err(error) = parsed {
        bail!("this is no JSON, so nothing was sent: {error}. What you wrote is in {}", file.display());
    }
    Ok(Some(file))
}
