//! The Python programs that this project uses, each set in a virtual environment of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{checkout, run, ui};

/// A virtual environment; the sets cannot share one, because their pins conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Venv {
    /// The local AWS stack.
    Stack,
    /// SAM, cfn-lint and boto3.
    Tools,
    /// cargo-lambda, only for deploying to AWS.
    Build,
    /// Schemathesis, only for testing.
    Contract,
}

impl Venv {
    fn name(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Tools => "tools",
            Self::Build => "build",
            Self::Contract => "contract",
        }
    }

    fn folder(self) -> PathBuf {
        checkout::local().join("py").join(self.name())
    }

    /// The path of one of its programs.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        self.folder().join("bin").join(name)
    }

    /// Makes it, unless it is there with the same requirements. True if it had to be made.
    ///
    /// # Errors
    /// If Python is missing, too old or without `venv`, or an installation fails.
    pub(crate) fn ready(self) -> Result<bool> {
        let wanted_file = checkout::script(&format!("{}.txt", self.name()));
        let wanted =
            std::fs::read_to_string(&wanted_file).with_context(|| format!("cannot read {}", wanted_file.display()))?;
        let stamp = self.folder().join("requirements.stamp");
        let python = self.program("python");
        if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && python.exists() {
            return Ok(false);
        }
        let base = find()?;
        let log = checkout::log(&format!("python-{}", self.name()))?;
        checkout::make(&checkout::local().join("py"))?;
        let folder = self.folder();
        let mut make = Command::new(&base);
        make.args(["-m", "venv", "--clear"]).arg(&folder);
        run::logged(&mut make, &log, "making a virtual environment")?;
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&wanted_file);
        run::logged(&mut install, &log, "pip install").with_context(|| {
            format!("cannot install {}. Is the Python package index reachable?", wanted_file.display())
        })?;
        checkout::write(&stamp, wanted.as_bytes())?;
        Ok(true)
    }
}

/// Makes the tools' environment, and shows it where that takes a while.
///
/// # Errors
/// As [`Venv::ready`].
pub(crate) fn tools() -> Result<()> {
    let step = ui::Step::new("installing the Python tools");
    if Venv::Tools.ready()? {
        step.done("Python tools installed");
    }
    Ok(())
}

/// Is there a Python, or everything that it would be needed for? Asked before minutes of building.
///
/// # Errors
/// If there is none; the message says what to do.
pub(crate) fn check() -> Result<()> {
    let made = |venv: Venv| venv.program("python").exists();
    if made(Venv::Stack) && made(Venv::Tools) { Ok(()) } else { find().map(|_found| ()) }
}

/// A Python 3.10 or later that can make virtual environments: `ALMACEN_PYTHON` if set, else the first on the path.
fn find() -> Result<String> {
    let chosen = std::env::var("ALMACEN_PYTHON").ok();
    let usual = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.14", "python"];
    let candidates = match &chosen {
        Some(path) => vec![path.as_str()],
        None => usual.to_vec(),
    };
    let can = |candidate: &str, check: &str| {
        Command::new(candidate).args(["-c", check]).output().is_ok_and(|out| out.status.success())
    };
    let mut without_venv = None;
    for &candidate in &candidates {
        if can(candidate, "import sys; sys.exit(sys.version_info < (3, 10))") {
            // Debian has both in a package of their own.
            if can(candidate, "import venv, ensurepip") {
                return Ok(candidate.to_owned());
            }
            without_venv.get_or_insert(candidate);
        }
    }
    if let Some(python) = without_venv {
        bail!("{python} cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv");
    }
    if let Some(path) = chosen {
        bail!("ALMACEN_PYTHON={path} is no Python 3.10 or later. Point it at one, or unset it.");
    }
    bail!("no Python 3.10 or later was found. Install one, or set ALMACEN_PYTHON to its path.")
}
