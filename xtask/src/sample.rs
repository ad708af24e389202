//! `cargo xtask sample`: a large CSV to try things with.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::ui;

/// Write a large CSV to try things with
#[derive(Args, Debug)]
pub(crate) struct Sample {
    /// Rows without the head
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    rows: u64,
    /// Stores that the rows are spread over
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    stores: u64,
    /// The same number gives the same file
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File to write
    file: PathBuf,
}

/// Writes the file.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn run(arguments: &Sample) -> Result<()> {
    let path = arguments.file.display();
    let file = File::create(&arguments.file).with_context(|| format!("cannot write {path}"))?;
    write(arguments.rows, arguments.stores, arguments.seed, BufWriter::new(file))
        .with_context(|| format!("cannot write {path}"))?;
    ui::say(&format!("  {path}: {} rows, {} bytes", arguments.rows, std::fs::metadata(&arguments.file)?.len()));
    Ok(())
}

fn write(rows: u64, stores: u64, seed: u64, mut out: impl Write) -> std::io::Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    out.write_all(b"store,item,count\n")?;
    for row in 0..rows {
        writeln!(out, "Tienda {:03},SKU-{:08},{}", row % stores, row / stores, random.u32(0..1000))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn rows_are_distinct_lines_of_about_29_bytes() {
        let mut out = Vec::new();
        write(1000, 3, 1, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines: Vec<&str> = text.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 1000);
        assert!((26..=30).contains(&(text.len() / 1000)), "{} bytes a row", text.len() / 1000);
    }
}
