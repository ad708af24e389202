//! Turns docs/openapi.yaml into the JSON that the function answers with, so that it parses nothing when it runs.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use serde_yaml_ng::Value;

const SOURCE: &str = "../../docs/openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let mut document: Value = serde_yaml_ng::from_str(&fs::read_to_string(SOURCE)?)?;
    document.apply_merge()?;
    let whole = document.as_mapping_mut().ok_or("docs/openapi.yaml is no object")?;
    // What the file keeps for its own use only.
    whole.retain(|key, _| !key.as_str().is_some_and(|name| name.starts_with("x-")));
    let json = serde_json::to_string(&document)?;
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("openapi.json"), &json)?;
    println!("cargo::rustc-env=DOCUMENT_VERSION={}", version(&json));
    Ok(())
}

/// Another number for another document.
fn version(text: &str) -> i64 {
    i64::try_from(twox_hash::XxHash3_64::oneshot(text.as_bytes()) >> 1).unwrap_or_default()
}
