//! `cargo xtask schedules`: the property test of exactly-once writes, as long as one likes.

use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[derive(Args)]
pub struct Options {
    /// How many schedules.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The first one's seed; each following schedule has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Ends with one line that counts duplicates, lost and unaudited writes.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["test", "--locked", "--quiet", "--package", "statibeat-mcp", "--test", "schedules", "--"]);
    cargo.args(["--nocapture", "--format", "terse"]);
    cargo.env("SCHEDULES", options.count.to_string()).env("SCHEDULES_SEED", options.seed.to_string());
    let mut tests = cargo.stdout(Stdio::piped()).spawn().context("cargo did not start")?;
    let mut verdict = String::new();
    for line in BufReader::new(tests.stdout.take().context("no output")?).lines() {
        let line = line?;
        if line.starts_with("schedules ") { verdict = line } else { println!("{line}") }
    }
    let is_good = tests.wait()?.success();
    println!("{verdict}");
    if !is_good {
        bail!("a schedule published a write twice or not at all, or left no record of it");
    }
    Ok(())
}
