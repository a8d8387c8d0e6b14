//! `cargo xtask bench` and `cargo xtask soak`: builds the worker, the floor that it is measured against and a simulator that
//! does not stand in the way, then hands over to the scripts in dev/bench.

use crate::project::Project;
use crate::steps::{self, step};
use crate::test::everything_built;
use crate::{build, node, weights, wrangler};
use anyhow::Result;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The profile in Cargo.toml that the simulator is built with here.
const PROFILE: &str = "bench-tools";

#[derive(Args)]
pub struct Options {
    /// Rounds in which everything takes its turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// The grants that the growth runs end with.
    #[arg(long, default_value_t = 1_000_000)]
    grants: u32,
}

#[derive(Args)]
pub struct SoakOptions {
    /// How long.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

/// Measures, and writes the report.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let node = prepared(project)?;
    let mut script = script(project, &node, "dev/bench/main.mjs");
    step("micro-benchmarks", || {
        let mut cargo = project.cargo();
        steps::run_quietly(cargo.args(["bench", "--locked", "--package", "statibeat-bench-micro"])).map(drop)
    })?;
    let weights = step("weigh the crates", || weighed(project))?;
    script.env("ROUNDS", options.rounds.to_string()).env("GRANTS", options.grants.to_string()).env("WEIGHTS", weights);
    script.env("MICRO", project.target.join("criterion"));
    steps::run(&mut script)
}

/// Keeps clients working.
pub fn soak(project: &Project, options: &SoakOptions) -> Result<()> {
    let node = prepared(project)?;
    steps::run(script(project, &node, "dev/bench/soak.mjs").env("SECONDS", options.seconds.to_string()))
}

/// A file that says which crates the worker's code comes from.
fn weighed(project: &Project) -> Result<PathBuf> {
    let wasm = fs::read(build::compiled_with_names(project)?)?;
    let file = project.target.join("bench/weights.json");
    fs::write(&file, weights::heaviest(&wasm)?.to_string())?;
    Ok(file)
}

fn prepared(project: &Project) -> Result<PathBuf> {
    let node = everything_built(project)?;
    step("build the floor", || {
        build::package(project, "statibeat-bench-floor", &project.target.join("bench/floor"))?;
        let dist = project.target.join("bench/dist");
        fs::remove_dir_all(&dist).or_else(|error| if dist.exists() { Err(error) } else { Ok(()) })?;
        let mut bundle = wrangler::command(project, &node);
        bundle.args(["deploy", "--dry-run", "--env=", "-c", "dev/bench/floor/wrangler.toml", "--outdir"]).arg(&dist);
        steps::run_quietly(&mut bundle)
    })?;
    step("build a fast simulator", || {
        let mut cargo = project.cargo();
        steps::run(cargo.args([
            "build",
            "--locked",
            "--quiet",
            "--package",
            "statibeat-simulator",
            "--profile",
            PROFILE,
        ]))
    })?;
    Ok(node)
}

fn script(project: &Project, node: &Path, path: &str) -> Command {
    let mut script = Command::new(node);
    let simulator = project.target.join(PROFILE).join(format!("simulator{}", std::env::consts::EXE_SUFFIX));
    script.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", simulator);
    script.env("FLOOR", project.target.join("bench/dist")).env("CARGO_TARGET_DIR", &project.target);
    script.arg(path);
    script
}
