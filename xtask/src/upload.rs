//! `cargo xtask upload`: a CSV through the API, with its report as a table.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::api::Session;
use crate::sam::{Environment, Place};
use crate::{api, checkout, sam, ui, up};

/// How long an import may stand still before this program stops watching it.
const PATIENCE: Duration = Duration::from_secs(900);
/// Rejected rows that are shown.
const SHOWN_ROWS: usize = 20;

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
    let size = file.metadata()?.len();
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
            let environment = Environment::read(name)?;
            let outputs = sam::outputs(Place::Aws, &environment.stack)?;
            checkout::text(&outputs, "ApiUrl")
                .with_context(|| format!("is {} deployed?", environment.stack))?
                .to_owned()
        }
        (None, _) => {
            let outputs = checkout::outputs()?;
            return match (user, password) {
                (Ok(user), Ok(password)) => Session::sign_in(checkout::text(&outputs, "ApiUrl")?, &user, &password),
                _ => up::sign_in(&outputs, "operador"),
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
    let mut moved = Instant::now();
    while moved.elapsed() < PATIENCE {
        let (status, import) = session.get(&format!("/imports/{id}"))?;
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
    if let Some(link) = import.get("rejectedUrl").and_then(Value::as_str) {
        rejected(&api::download(link).context("the rejected rows cannot be read")?);
        ui::say(&format!("  rejected rows, to correct and upload again:\n  {link}"));
    }
    if let Some(link) = import.get("reportUrl").and_then(Value::as_str) {
        ui::say(&format!("  report: {link}"));
    }
    if status == "failed" {
        bail!("the file was not imported: {}", of("failure"));
    }
    Ok(())
}

fn rejected(csv: &str) {
    let mut rows = records(csv).into_iter();
    let Some(head) = rows.next() else { return };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let all: Vec<Vec<String>> = rows.collect();
    // The last column is the reason, which is to be read whole; the others only tell which row it is.
    let clip = |(column, cell): (usize, &String)| {
        let width = if column + 1 == head.len() { 160 } else { 24 };
        cell.chars().filter(|c| !c.is_control()).take(width).collect()
    };
    let clipped: Vec<Vec<String>> =
        all.iter().take(SHOWN_ROWS).map(|row| row.iter().enumerate().map(clip).collect()).collect();
    ui::say("");
    for line in ui::table(&head, &clipped) {
        ui::say(&line);
    }
    if all.len() > SHOWN_ROWS {
        ui::say(&format!("  and {} more", all.len() - SHOWN_ROWS));
    }
}

/// The records of a CSV with commas and double quotes, as our own files are.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        let field = record.len() - 1;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut record, field, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\n' if !quoted => all.push(std::mem::replace(&mut record, vec![String::new()])),
            '\r' if !quoted => {}
            other => push(&mut record, field, other),
        }
    }
    if record != [""] {
        all.push(record);
    }
    all
}

fn push(record: &mut [String], field: usize, c: char) {
    if let Some(text) = record.get_mut(field) {
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::{file_name, records};
    use std::path::Path;

    #[test]
    fn records_keep_quoted_commas_quotes_and_line_ends() {
        let read = records("a,b\r\n\"x,\"\"y\"\"\n\",2\n");
        assert_eq!(read, [["a".to_owned(), "b".to_owned()], ["x,\"y\"\n".to_owned(), "2".to_owned()]]);
    }

    #[test]
    fn a_store_by_hand_goes_before_the_name() {
        assert_eq!(file_name(Path::new("/tmp/x.csv"), Some("Berlin")).unwrap(), "stores/Berlin/x.csv");
        assert_eq!(file_name(Path::new("x.csv"), None).unwrap(), "x.csv");
    }
}
