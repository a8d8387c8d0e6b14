//! `cargo xtask model`, `races`, `fuzz` and `mutants`: the tests that take their time. `cargo xtask test` runs the first
//! three for a moment only.

#[path = "../../tests/mutations/rules.rs"]
mod rules;

use crate::node;
use crate::project::Project;
use crate::steps;
use crate::test::everything_built;
use anyhow::{Context, Result};
use clap::Args;
use std::process::Command;

#[derive(Args)]
pub struct Model {
    /// How many random stories, with a working and with a failing database each.
    #[arg(long, default_value_t = 10_000)]
    count: u32,
    /// Repeats the run that printed it.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Args)]
pub struct Races {
    /// How many races with a revocation.
    #[arg(long, default_value_t = 1_000)]
    count: u32,
    /// Repeats the choices of the run that printed it.
    #[arg(long)]
    seed: Option<u32>,
}

#[derive(Args)]
pub struct Fuzz {
    /// Seconds for each target.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
    /// Only this one.
    #[arg(long)]
    target: Option<String>,
}

#[derive(Args)]
pub struct Mutants {
    /// Further arguments of cargo-mutants, such as `--file src/oauth/token.rs`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Random stories against the reference model.
pub fn model(project: &Project, options: &Model) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["test", "--locked", "--test", "hosted", "model::", "--", "--nocapture"]);
    cargo.env("MODEL_SEQUENCES", options.count.to_string());
    if let Some(seed) = options.seed {
        cargo.env("MODEL_SEED", seed.to_string());
    }
    steps::run(&mut cargo)
}

/// Requests that race on the real D1.
pub fn races(project: &Project, options: &Races) -> Result<()> {
    let node = everything_built(project)?;
    let mut tests = Command::new(node);
    tests.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", project.simulator());
    tests.env("RACES", options.count.to_string());
    if let Some(seed) = options.seed {
        tests.env("RACES_SEED", seed.to_string());
    }
    steps::run(tests.args(["--test", "--test-reporter=spec", "tests/worker/concurrency.test.mjs"]))
}

/// libFuzzer on every parser of outside bytes, one after the other. Without a sanitizer it needs no nightly toolchain, and a
/// sanitizer has nothing to find: there is no unsafe code.
pub fn fuzz(project: &Project, options: &Fuzz) -> Result<()> {
    let fuzz = || {
        let mut cargo = project.cargo();
        cargo.arg("fuzz");
        cargo
    };
    let targets = steps::run_quietly(fuzz().arg("list"))
        .context("fuzzing needs cargo-fuzz (`cargo install cargo-fuzz`); the pinned stable toolchain is enough")?;
    for target in targets.lines().filter(|target| options.target.as_ref().is_none_or(|only| only == target)) {
        steps::step(target, || {
            let time = format!("-max_total_time={}", options.seconds);
            let run = ["run", "--release", "--sanitizer", "none", target, "--", &time, "-print_final_stats=1"];
            steps::run(fuzz().args(run))
        })?;
    }
    Ok(())
}

/// Changes the authorization server's rules one expression at a time and looks whether their tests notice. They are built as
/// a crate of their own for it, which takes a second or two instead of a minute.
pub fn mutants(project: &Project, options: &Mutants) -> Result<()> {
    let rules = rules::write(&project.root)?;
    let mut cargo = project.cargo();
    cargo.current_dir(&rules).args(["mutants", "--in-place"]);
    let names_files = options.arguments.iter().any(|argument| argument == "-f" || argument.starts_with("--file"));
    if !names_files {
        cargo.args(["--file", "src/oauth/**/*.rs"]);
    }
    cargo.args(&options.arguments).env_remove("CARGO_TARGET_DIR");
    steps::run(&mut cargo).context("mutation testing needs cargo-mutants: `cargo install cargo-mutants`")
}
