//! Measures the functions: see `cargo xtask bench`, which builds them and starts this.

mod aws;
mod calls;
mod files;
mod functions;
mod http;
mod imports;
mod lists;
mod parsing;
mod report;
mod sandbox;
mod stats;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use time::OffsetDateTime;
use time::macros::format_description;

use aws::Aws;
use report::Section;
use sandbox::Sandbox;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Start-up to the first answer.
    Start,
    /// Warm calls.
    Warm,
    /// Read units of lists of products.
    Lists,
    /// Parsing of CSV.
    Csv,
    /// Whole imports.
    Ingest,
}

impl Part {
    /// The functions that it measures; `None` where it measures each one.
    fn functions(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Start | Self::Warm => None,
            Self::Lists => Some(&[functions::LISTS]),
            Self::Csv | Self::Ingest => Some(imports::FUNCTIONS),
        }
    }

    /// Is it to run, where only the parts `only` and the functions `asked` are asked for? An empty list asks for all.
    fn chosen(self, only: &[Self], asked: &[String]) -> bool {
        let measures = |name: &String| self.functions().is_none_or(|functions| functions.contains(&name.as_str()));
        (only.is_empty() || only.contains(&self)) && (asked.is_empty() || asked.iter().any(measures))
    }
}

#[derive(Debug, Parser)]
struct Args {
    /// The workspace's folder.
    #[arg(long)]
    root: PathBuf,
    /// Where the functions' binaries are.
    #[arg(long)]
    bin_dir: PathBuf,
    /// A Python interpreter that has boto3.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Where to write the document.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Fewer rounds and smaller files.
    #[arg(long)]
    quick: bool,
    /// Only this part; may be given more than once.
    #[arg(long)]
    only: Vec<Part>,
    /// Only these functions, beside the floor.
    #[arg(long)]
    function: Vec<String>,
    /// Succeed although a target was missed.
    #[arg(long)]
    no_fail: bool,
}

/// What every measurement needs.
struct Bench {
    root: PathBuf,
    bin_dir: PathBuf,
    logs: PathBuf,
    python: Option<PathBuf>,
    quick: bool,
    functions: Vec<String>,
    env: Vec<(String, String)>,
    aws: Aws,
    missed: Mutex<Vec<String>>,
}

impl Bench {
    /// Is this function to be measured?
    fn has(&self, function: &str) -> bool {
        [functions::EMPTY, functions::ONE_CALL].contains(&function)
            || self.functions.is_empty()
            || self.functions.iter().any(|name| name == function)
    }

    fn launch(&self, function: &str) -> sandbox::Launch {
        functions::launch(function, &self.bin_dir, &self.logs, &self.env)
    }

    /// The stand-in as the API's calls want to find it.
    fn fresh(&self) -> Result<()> {
        self.aws.clear();
        functions::seed(&self.aws)?;
        if self.has(functions::LISTS) || self.has(functions::SNAPSHOTS) { self.snapshot() } else { Ok(()) }
    }

    /// Has the catalogue of the stand-in written down, as the schedule does every minute.
    fn snapshot(&self) -> Result<()> {
        let sandbox = Sandbox::start(&self.launch(functions::SNAPSHOTS), None)?;
        let answer = sandbox.invoke(&functions::tick(), functions::CALL_TIMEOUT)?;
        anyhow::ensure!(!answer.failed, "no snapshot: {}{}", answer.excerpt(), sandbox.last_words());
        Ok(())
    }

    /// A bar that is only drawn on a terminal.
    fn bar(&self, what: &str, steps: u64) -> ProgressBar {
        let bar = ProgressBar::new(steps).with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("  {bar:24} {pos}/{len} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        bar
    }

    /// Notes a missed target that stands in no cell.
    fn miss(&self, what: String) {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            sandbox::stop_all();
            let _nobody_listens = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    stop_with_us()?;
    let logs = args.bin_dir.join("bench-logs");
    fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
    let binaries = copies(&args.bin_dir, &args.root)?;
    let aws = Aws::start()?;
    functions::add_user(&aws)?;
    let bench = Bench {
        env: functions::environment(&aws),
        root: args.root.clone(),
        bin_dir: binaries,
        logs,
        python: args.python.clone(),
        quick: args.quick,
        functions: args.function.clone(),
        aws,
        missed: Mutex::default(),
    };
    let load = load_average();
    let mut out = io::stdout();
    let colours = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut sections: Vec<Section> = Vec::new();
    type Measure = fn(&Bench) -> Result<Section>;
    let all: [(Part, Measure); 5] = [
        (Part::Start, calls::starts),
        (Part::Warm, calls::warm),
        (Part::Lists, lists::run),
        (Part::Csv, parsing::run),
        (Part::Ingest, imports::run),
    ];
    let chosen: Vec<Measure> = all
        .into_iter()
        .filter(|(part, _)| part.chosen(&args.only, &args.function))
        .map(|(_, measure)| measure)
        .collect();
    anyhow::ensure!(!chosen.is_empty(), "the parts and the functions that were asked for have nothing in common");
    for measure in chosen {
        let section = measure(&bench)?;
        write!(out, "{}", section.terminal(colours))?;
        out.flush()?;
        sections.push(section);
    }
    let mut missed: Vec<String> = sections.iter().flat_map(Section::missed).collect();
    missed.append(&mut bench.missed.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(path) = &args.report {
        fs::write(path, document(args, &sections, &missed, &load))
            .with_context(|| format!("write {}", path.display()))?;
        writeln!(out, "\nwritten: {}", path.display())?;
    }
    if missed.is_empty() {
        writeln!(out, "\nall targets met")?;
    } else {
        writeln!(out, "\ntargets missed:")?;
        for miss in &missed {
            writeln!(out, "  {miss}")?;
        }
    }
    Ok(missed.is_empty() || args.no_fail)
}

/// Ends this process, and with it every function it runs, on an interrupt.
fn stop_with_us() -> Result<()> {
    ctrlc::set_handler(|| {
        sandbox::stop_all();
        std::process::exit(130);
    })
    .context("listen for interrupts")
}

/// Copies of all binaries, in a folder of their own: a build in the meantime changes nothing, and all lie in memory
/// alike. A file that a linker wrote piece by piece costs a starting process up to twice the page faults of a copy.
fn copies(bin_dir: &Path, root: &Path) -> Result<PathBuf> {
    let folder = bin_dir.join("bench-copies");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut names = vec![functions::EMPTY.to_owned(), functions::ONE_CALL.to_owned()];
    for entry in fs::read_dir(root.join("functions")).context("list functions")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    for name in names {
        let (from, to) = (bin_dir.join(&name), folder.join(&name));
        if from.exists() {
            // Not over a copy of an earlier run, which may still be starting up somewhere.
            if to.exists() {
                fs::remove_file(&to).with_context(|| format!("remove {}", to.display()))?;
            }
            fs::copy(&from, &to).with_context(|| format!("copy {}", from.display()))?;
        }
    }
    Ok(folder)
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn first_line_of(command: &str, args: &[&str], at: &Path) -> String {
    let output = Command::new(command).args(args).current_dir(at).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn document(args: &Args, sections: &[Section], missed: &[String], load: &str) -> String {
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name).map(|rest| rest.trim_start_matches([':', ' ', '\t']).to_owned()));
        line.unwrap_or_else(|| "unknown".to_owned())
    };
    let date = OffsetDateTime::from(SystemTime::now())
        .format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches("kB").trim().parse().unwrap_or(0);
    let mut out = String::from(
        "# Performance\n\nWritten by `cargo xtask bench`; do not edit. ✓ and ✗ say whether a target is met.\n\n",
    );
    for (name, value) in [
        ("When", date),
        ("Commit", first_line_of("git", &["log", "-1", "--format=%h %s"], &args.root)),
        ("Machine", format!("{}, {cores} cores, {} GiB", field("/proc/cpuinfo", "model name"), memory / 1024 / 1024)),
        ("Kernel", format!("Linux {}", kernel.trim())),
        ("Compiler", first_line_of("rustc", &["--version"], &args.root)),
        (
            "Binaries",
            format!(
                "{}; fat LTO, one codegen unit, stripped where it is the release profile",
                args.bin_dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            ),
        ),
        ("Load when it began", load.to_owned()),
        ("Targets missed", if missed.is_empty() { "none".to_owned() } else { missed.join("; ") }),
    ] {
        let _infallible = writeln!(out, "- {name}: {value}");
    }
    out.push_str(METHOD);
    for section in sections {
        out.push_str(&section.markdown());
    }
    out.push_str(NOT_MEASURED);
    out
}

const METHOD: &str = "
## Method

The binaries that are deployed are driven through the Lambda Runtime API, which the harness speaks itself, one process a
function. They talk to `testing/aws` in the harness: DynamoDB, S3, SQS, SNS, Cognito and its keys in memory, over plain
HTTP on 127.0.0.1, with connections kept alive, conditions checked and pages cut as DynamoDB does. It answers in some tens of
microseconds, so that what is measured is the function. Every function is measured beside an empty `lambda_runtime` function, warm
calls also beside one that makes one call of the SDK, in the same run and in turn with them: figures of different machines do not compare, ratios do. A wrong answer ends the run.

";

const NOT_MEASURED: &str = "## What is not measured

- TLS: on AWS each first call to a service also shakes hands. Amazon's root certificates are parsed in these figures, since that
  happens at start-up, whatever the endpoint.
- The network and the services' own latency, some milliseconds a call; throttling; the time Lambda takes to fetch a binary and to
  start a sandbox before the process exists; a fraction of a core, as small memory sizes get.
- Imports with many invocations of ingest-range at once, as a queue on AWS would start them.
- The gateway and its authorizer in front of a call.
";

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::Part;

    fn chosen(only: &[Part], asked: &[&str]) -> Vec<Part> {
        let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
        Part::value_variants().iter().copied().filter(|part| part.chosen(only, &asked)).collect()
    }

    /// Parts about other functions would start binaries that were not built.
    #[test]
    fn a_function_is_measured_by_the_parts_that_are_about_it() {
        assert_eq!(chosen(&[], &[]), [Part::Start, Part::Warm, Part::Lists, Part::Csv, Part::Ingest]);
        assert_eq!(chosen(&[], &["cart-api"]), [Part::Start, Part::Warm]);
        assert_eq!(chosen(&[], &["snapshot-catalogue"]), [Part::Start, Part::Warm]);
        assert_eq!(chosen(&[], &["cart-api", "products-api"]), [Part::Start, Part::Warm, Part::Lists]);
        assert_eq!(chosen(&[], &["ingest-range"]), [Part::Start, Part::Warm, Part::Csv, Part::Ingest]);
        assert_eq!(chosen(&[Part::Warm, Part::Ingest], &["cart-api"]), [Part::Warm]);
        assert_eq!(chosen(&[Part::Ingest], &["cart-api"]), []);
    }
}
