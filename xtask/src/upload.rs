//! `cargo xtask upload`: a CSV through the API, with its report as a table.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::api::Session;
use crate::{api, checkout, sam, stack, ui};

/// How long an import may stand still before this program stops watching it.
const PATIENCE: Duration = Duration::from_secs(900);
/// Rejected rows that are shown.
const SHOWN_ROWS: usize = 20;
/// Characters of a cell that are shown.
const CELL_CHARS: usize = 24;
/// How long nobody may answer while an import is followed.
const SILENCE: Duration = Duration::from_secs(60);

/// What a row's count means.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// The count is what is there.
    Set,
    /// The count is added to what is there.
    Adjust,
}

/// Import a CSV file and show its report
#[derive(Args, Debug)]
pub(crate) struct Upload {
    /// The file
    file: PathBuf,
    /// What a count means
    #[arg(long, value_enum, default_value_t = Mode::Set)]
    mode: Mode,
    /// Only report what would change
    #[arg(long)]
    dry_run: bool,
    /// Store of a file that has no store column
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// Environment on AWS; without it, the local stack
    #[arg(long, value_name = "ENV", conflicts_with = "api")]
    env: Option<String>,
    /// Base of any API, such as https://…/v1
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

/// Uploads the file, follows the import and prints the report.
///
/// # Errors
/// If the import cannot be started or fails.
pub(crate) fn run(arguments: &Upload) -> Result<()> {
    let mut file = File::open(&arguments.file).with_context(|| format!("cannot open {}", arguments.file.display()))?;
    let about = file.metadata()?;
    if !about.is_file() {
        bail!("{} is not a file. Name a CSV file", arguments.file.display());
    }
    let size = about.len();
    let mut session = session(arguments)?;
    let body = json!({
        "fileName": file_name(&arguments.file, arguments.store.as_deref())?,
        "mode": match arguments.mode { Mode::Set => "set", Mode::Adjust => "adjust" },
        "dryRun": arguments.dry_run,
    });
    let (status, started) = session.post("/imports", &body)?;
    if status != 201 {
        bail!("the import was refused: {}", api::refusal(status, &started));
    }
    let id = started.get("importId").and_then(Value::as_str).context("POST /imports gave no importId")?.to_owned();
    let upload = started.get("upload").context("POST /imports gave no upload")?;
    let of = |name: &str| upload.get(name).and_then(Value::as_str).unwrap_or_default();
    let headers = upload.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers: Vec<(String, String)> =
        headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();

    let bar = ui::bytes_bar(size).with_message("upload");
    api::send_file(of("method"), of("url"), &headers, size, &mut bar.wrap_read(&mut file))?;
    bar.finish_and_clear();

    let import = follow(&mut session, &id)?;
    report(&import)
}

fn session(arguments: &Upload) -> Result<Session> {
    let user = std::env::var("ALMACEN_USER");
    let password = std::env::var("ALMACEN_PASSWORD");
    let base = match (&arguments.api, &arguments.env) {
        (Some(url), _) => url.clone(),
        (None, Some(name)) if name != "local" => {
            let (place, environment) = sam::target(Some(name))?;
            let outputs = sam::outputs(place, &environment.stack)?;
            if outputs.is_empty() {
                bail!(
                    "{} is not deployed in this account and region. Run: cargo xtask deploy --env {name}",
                    environment.stack
                );
            }
            checkout::text(&outputs, "ApiUrl")?.to_owned()
        }
        (None, _) => {
            if stack::running().is_none() {
                bail!("the local stack of this checkout is not running. Run: cargo xtask up");
            }
            let outputs = checkout::outputs()?;
            return match (user, password) {
                (Ok(user), Ok(password)) => Session::sign_in(checkout::text(&outputs, "ApiUrl")?, &user, &password),
                _ => stack::sign_in(&outputs, "operador"),
            };
        }
    };
    let (Ok(user), Ok(password)) = (user, password) else {
        bail!("set ALMACEN_USER and ALMACEN_PASSWORD to the sign-in of an operador at {base}");
    };
    Session::sign_in(&base, &user, &password)
}

/// The name that the API gets: a store given by hand goes before it, as it would in the bucket.
fn file_name(path: &Path, store: Option<&str>) -> Result<String> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} has no usable name", path.display()))?;
    Ok(store.map_or_else(|| name.to_owned(), |store| format!("stores/{store}/{name}")))
}

fn follow(session: &mut Session, id: &str) -> Result<Value> {
    let bar = ui::share_bar().with_prefix("import");
    let mut last = Value::Null;
    let (mut moved, mut answered) = (Instant::now(), Instant::now());
    while moved.elapsed() < PATIENCE {
        let (status, import) = match session.get(&format!("/imports/{id}")) {
            Ok(answer) => answer,
            Err(error) if answered.elapsed() >= SILENCE => {
                return Err(error.context(format!("import {id} goes on, but cannot be followed")));
            }
            Err(_) => {
                std::thread::sleep(Duration::from_secs(1));
                continue;
            }
        };
        answered = Instant::now();
        if passes(status) {
            std::thread::sleep(Duration::from_secs(1));
            continue;
        }
        if status != 200 {
            bail!("GET /imports/{id} answered {}", api::refusal(status, &import));
        }
        let state = import.get("status").and_then(Value::as_str).unwrap_or_default();
        let progress = import.get("progress").and_then(Value::as_f64).unwrap_or_default().clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        bar.set_position((progress * 1000.0) as u64);
        bar.set_message(state.to_owned());
        if !["pending", "running"].contains(&state) {
            bar.finish_and_clear();
            return Ok(import);
        }
        if import != last {
            last = import;
            moved = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    bail!("import {id} has not moved for {} minutes. See: cargo xtask logs ingest-inventory", PATIENCE.as_secs() / 60)
}

/// Whether an answer says that the next one may be better: too many calls, or trouble on the other side.
fn passes(status: u16) -> bool {
    status == 429 || (500..600).contains(&status)
}

/// The counters of an import, in the order of the contract.
const COUNTERS: [&str; 6] = ["rows", "changed", "unchanged", "created", "rejected", "stale"];

fn report(import: &Value) -> Result<()> {
    let of = |name: &str| import.get(name).and_then(Value::as_str).unwrap_or_default();
    let status = of("status");
    let good = status == "completed";
    let shown = if good { ui::green(status) } else { ui::red(status) };
    let dry = if import.get("dryRun") == Some(&Value::Bool(true)) { ", nothing was written (dry run)" } else { "" };
    ui::say(&format!("  {}: {shown}{dry}", ui::bold(of("fileName"))));
    let counters = import.get("counters");
    let numbers = COUNTERS
        .map(|name| counters.and_then(|all| all.get(name)).and_then(Value::as_u64).unwrap_or_default().to_string());
    for line in ui::table(&COUNTERS, &[numbers.to_vec()]) {
        ui::say(&line);
    }
    let count = counters.and_then(|all| all.get("rejected")).and_then(Value::as_u64).unwrap_or_default();
    let link = import.get("reportUrl").and_then(Value::as_str);
    let mut report = Value::Null;
    if let Some(link) = link
        && (count > 0 || !good)
    {
        let text = api::download(link).context("the report cannot be read")?;
        report = serde_json::from_str(&text).context("the report is no JSON")?;
    }
    rejected(&report, count);
    if let Some(link) = import.get("rejectedUrl").and_then(Value::as_str) {
        ui::say(&format!("  rejected rows, to correct and upload again:\n  {link}"));
    }
    if let Some(link) = link {
        ui::say(&format!("  report: {link}"));
    }
    if status == "failed" {
        let why = english(report.get("failure"));
        bail!("the file was not imported: {}", if why.is_empty() { of("failure") } else { why });
    }
    Ok(())
}

/// Which rows were not taken and why, from the report: a line of the file in a few columns, however many the file has.
fn rejected(report: &Value, count: u64) {
    let rows: Vec<Vec<String>> = report
        .get("rejected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(SHOWN_ROWS)
        .map(|row| {
            let text = |name: &str| clipped(row.get(name).and_then(Value::as_str).unwrap_or_default());
            let line = row.get("line").and_then(Value::as_u64).unwrap_or_default().to_string();
            vec![line, text("column"), text("value"), english(row.get("reason")).to_owned()]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    ui::say("");
    for line in ui::table(&["line", "column", "value", "reason"], &rows) {
        ui::say(&line);
    }
    let more = count.saturating_sub(rows.len() as u64);
    if more > 0 {
        ui::say(&format!("  and {more} more"));
    }
}

/// The English of a sentence that a report has in Spanish and English.
fn english(sentence: Option<&Value>) -> &str {
    sentence.and_then(|sentence| sentence.get("en")).and_then(Value::as_str).unwrap_or_default()
}

/// The beginning of a cell, which tells which it is, on one line.
fn clipped(cell: &str) -> String {
    let mut kept: String =
        cell.chars().take(CELL_CHARS).map(|shown| if shown.is_control() { ' ' } else { shown }).collect();
    if cell.chars().count() > CELL_CHARS {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{clipped, file_name, passes};
    use std::path::Path;

    #[test]
    fn long_and_broken_cells_stay_on_one_line() {
        assert_eq!(clipped("a\nb\tc"), "a b c");
        assert_eq!(clipped(&"ñ".repeat(40)), format!("{}…", "ñ".repeat(24)));
        assert_eq!(clipped(&"ñ".repeat(24)), "ñ".repeat(24));
    }

    #[test]
    fn what_passes_is_asked_again() {
        for status in [429, 500, 502, 503, 504] {
            assert!(passes(status), "{status}");
        }
        for status in [200, 400, 401, 403, 404] {
            assert!(!passes(status), "{status}");
        }
    }

    #[test]
    fn a_store_by_hand_goes_before_the_name() {
        assert_eq!(file_name(Path::new("/tmp/x.csv"), Some("Berlin")).unwrap(), "stores/Berlin/x.csv");
        assert_eq!(file_name(Path::new("x.csv"), None).unwrap(), "x.csv");
    }
}
