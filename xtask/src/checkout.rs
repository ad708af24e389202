//! Where things are in this checkout, and what one run leaves for the next.
//!
//! Everything that a run makes lies under `target/`, so two checkouts share nothing but the ports of the machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value};

/// The folder that holds the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// `target/local`: virtual environments, state of the local stack, logs and outputs.
pub(crate) fn local() -> PathBuf {
    root().join("target/local")
}

/// A file or folder of the local helpers in Python.
pub(crate) fn script(name: &str) -> PathBuf {
    root().join("xtask/local").join(name)
}

/// A log file under `target/local/log`; its folder exists afterwards.
///
/// # Errors
/// If the folder cannot be made.
pub(crate) fn log(name: &str) -> Result<PathBuf> {
    let folder = local().join("log");
    make(&folder)?;
    Ok(folder.join(format!("{name}.log")))
}

/// Makes a folder and those above it.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file whole: a reader sees the old content or the new.
///
/// # Errors
/// If the folder or the file cannot be written.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    make(path.parent().context("a file has a folder")?)?;
    let beside = path.with_extension("new");
    fs::write(&beside, content).with_context(|| format!("cannot write {}", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}

/// A JSON object from a file; empty where there is none or it is not readable.
pub(crate) fn object(path: &Path) -> Map<String, Value> {
    let read = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.unwrap_or_default()
}

/// What `up` wrote: every output of the stack and how to reach and enter it.
///
/// # Errors
/// If the local stack was never brought up.
pub(crate) fn outputs() -> Result<Map<String, Value>> {
    let found = object(&outputs_file());
    if found.is_empty() {
        return Err(anyhow!("the local stack has not been brought up here. Run: cargo xtask up"));
    }
    Ok(found)
}

/// `target/local/outputs.json`.
pub(crate) fn outputs_file() -> PathBuf {
    local().join("outputs.json")
}

/// A text of an object.
///
/// # Errors
/// If it is missing.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    object
        .get(name)
        .and_then(Value::as_str)
        .with_context(|| format!("the output {name} is missing. Run: cargo xtask up"))
}

/// One hash over texts, for "has anything changed since". Not for security.
pub(crate) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    // FNV-1a: stable over toolchains, unlike the standard hasher.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

/// Path, size and time of every file under a folder, sorted: changes when a file does.
///
/// # Errors
/// If the folder cannot be read.
pub(crate) fn listing(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(stamp(&path)?);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Path, size and time of last change of a file.
///
/// # Errors
/// If there is no such file.
pub(crate) fn stamp(path: &Path) -> Result<String> {
    let about = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{} {} {}", path.display(), about.len(), changed.as_nanos()))
}
