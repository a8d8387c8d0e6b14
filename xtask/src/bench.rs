//! `npm run bench` and `npm run soak`: build the worker, the floor that it is measured against and an optimized simulator, then
//! run the scripts in dev/bench.

use crate::build::{self, weights};
use crate::files::remove_folder;
use crate::node;
use crate::process::{run, run_quietly, step};
use crate::project::Project;
use crate::test::build_worker;
use crate::wrangler::{LOCAL, Wrangler};
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
    /// Milliseconds that each target is measured per round and number of callers.
    #[arg(long, default_value_t = 700)]
    turn: u32,
    /// Only print where the size of the wasm comes from: its crates and its heaviest functions.
    #[arg(long)]
    size: bool,
}

#[derive(Args)]
pub struct SoakOptions {
    /// Duration of the run in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

#[derive(Args)]
pub struct PageOptions {
    /// Starts of each server, alternating.
    #[arg(long, default_value_t = 30)]
    rounds: u32,
}

/// Builds the page server, and measures it beside one on Node.
pub fn bench_page(project: &Project, options: &PageOptions) -> Result<()> {
    let node = node::require(project)?;
    build::page_server::build(project, &build::page_server::Options::default())?;
    let mut script = node::command(project, &node);
    run(script.env("ROUNDS", options.rounds.to_string()).arg("dev/bench_page/main.mjs"))
}

/// Measures, and writes the report.
pub fn bench(project: &Project, options: &Options) -> Result<()> {
    if options.size {
        return print_weights(project);
    }
    let node = build_all(project)?;
    let mut micro = project.cargo(&["bench", "--locked", "--package", "statibeat-bench-micro"]);
    step("micro-benchmarks", || run_quietly(&mut micro))?;
    let weights = step("weigh the crates", || write_weights(project))?;
    let mut script = script(project, &node, "dev/bench/main.mjs");
    script.env("ROUNDS", options.rounds.to_string()).env("GRANTS", options.grants.to_string()).env("WEIGHTS", weights);
    script.env("TURN", options.turn.to_string());
    run(script.env("MICRO", project.target.join("criterion")))
}

pub fn soak(project: &Project, options: &SoakOptions) -> Result<()> {
    let node = build_all(project)?;
    run(script(project, &node, "dev/bench/soak.mjs").env("SECONDS", options.seconds.to_string()))
}

fn print_weights(project: &Project) -> Result<()> {
    let found = weights::heaviest(&fs::read(build::compile_with_names(project)?)?)?;
    println!("{} bytes of code", found["all"]);
    for part in ["crates", "functions"] {
        println!("\n{part}:");
        for one in found[part].as_array().into_iter().flatten() {
            println!("{:>9}  {}", one["bytes"].to_string(), one["name"].as_str().unwrap_or_default());
        }
    }
    Ok(())
}

/// A file that says which crates the worker's code comes from.
fn write_weights(project: &Project) -> Result<PathBuf> {
    let wasm = fs::read(build::compile_with_names(project)?)?;
    let file = project.target.join("bench/weights.json");
    fs::write(&file, weights::heaviest(&wasm)?.to_string())?;
    Ok(file)
}

fn build_all(project: &Project) -> Result<PathBuf> {
    let node = build_worker(project)?;
    step("build the floor", || {
        build::build_package(project, "statibeat-bench-floor", &project.target.join("bench/floor"))?;
        let dist = project.target.join("bench/dist");
        remove_folder(&dist)?;
        let arguments = ["deploy", "--dry-run", "-c", "dev/bench/floor/wrangler.toml", "--outdir"];
        run_quietly(Wrangler::new(project)?.command(&arguments, LOCAL).arg(&dist))
    })?;
    let mut simulator = project.cargo(&["build", "--locked", "--quiet", "--package", "statibeat-simulator"]);
    step("build a fast simulator", || run(simulator.args(["--profile", PROFILE])))?;
    Ok(node)
}

fn script(project: &Project, node: &Path, path: &str) -> Command {
    let mut script = node::command(project, node);
    let simulator = project.target.join(PROFILE).join(format!("simulator{}", std::env::consts::EXE_SUFFIX));
    script.env("STATIBEAT_SIMULATOR", simulator).env("FLOOR", project.target.join("bench/dist")).arg(path);
    script
}
