//! `npm run schedules`, `model`, `races`, `fuzz` and `mutants`: the tests that take their time. `npm test` runs all but the last
//! for a moment only.

#[path = "../../../tests/mutations/rules.rs"]
mod rules;

use super::{PROGRAMS, build_worker};
use crate::node;
use crate::process::{run, run_quietly, step};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Schedules {
    /// Number of schedules to run.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The first one's seed; each following schedule has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
pub struct Model {
    /// Number of random stories, with a working and with a failing database each.
    #[arg(long, default_value_t = 10_000)]
    count: u32,
    /// Repeats the run that printed it.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Args)]
pub struct Races {
    /// Number of races with a revocation.
    #[arg(long, default_value_t = 1_000)]
    count: u32,
    /// Repeats the choices of the run that printed it.
    #[arg(long)]
    seed: Option<u32>,
}

#[derive(Args)]
pub struct Fuzz {
    /// Seconds to run each target.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
    /// Run only the target of this name.
    #[arg(long)]
    target: Option<String>,
}

/// Optimized: ten thousand schedules take one minute of CPU time instead of twenty, and compiling takes ten, once.
const LONG_TESTS: [&str; 2] = ["--profile", "long-tests"];

const NEEDS_CARGO_MUTANTS: &str =
    "mutation testing needs cargo-mutants (`cargo install --locked cargo-mutants`), or mutants survived";

#[derive(Args)]
pub struct Mutants {
    /// Only lines that differ from this commit.
    #[arg(long, value_name = "COMMIT")]
    changed: Option<String>,
    /// Further arguments of cargo-mutants, after another `--`: `npm run mutants -- -- --re src/oauth/token.rs`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// The property test of exactly-once writes. Ends with one line that counts duplicates, lost and unaudited writes.
pub fn schedules(project: &Project, options: &Schedules) -> Result<()> {
    let mut cargo = project.cargo(&["test", "--locked", "--test", "schedules"]);
    cargo.args(LONG_TESTS).args(["--", "--nocapture", "--format", "terse"]);
    cargo.env("SCHEDULES", options.count.to_string()).env("SCHEDULES_SEED", options.seed.to_string());
    let mut tests = cargo.stdout(Stdio::piped()).spawn().context("cargo did not start")?;
    let mut totals = String::new();
    for line in BufReader::new(tests.stdout.take().context("no output")?).lines() {
        let line = line?;
        if line.starts_with("schedules ") { totals = line } else { println!("{line}") }
    }
    let is_good = tests.wait()?.success();
    println!("{totals}");
    if !is_good {
        bail!("a schedule published a write twice or not at all, or left no record of it");
    }
    Ok(())
}

/// Random stories against the reference model, and every story within bounds against the properties.
pub fn model(project: &Project, options: &Model) -> Result<()> {
    let mut cargo = project.cargo(&["test", "--locked", "--test", "hosted"]);
    cargo.args(LONG_TESTS).args(["model::", "--", "--nocapture"]);
    cargo.env("MODEL_SEQUENCES", options.count.to_string());
    if let Some(seed) = options.seed {
        cargo.env("MODEL_SEED", seed.to_string());
    }
    run(&mut cargo)?;
    let mut cargo = project.cargo(&["test", "--locked", "--test", "exhaustive", "--", "--nocapture"]);
    run(cargo.env("EXHAUSTIVE", "long"))
}

/// Requests that race on the real D1.
pub fn races(project: &Project, options: &Races) -> Result<()> {
    let node = build_worker(project)?;
    step("build the programs", || project.build_programs(&PROGRAMS))?;
    let mut tests = node::command(project, &node);
    tests.env("RACES", options.count.to_string());
    if let Some(seed) = options.seed {
        tests.env("RACES_SEED", seed.to_string());
    }
    run(tests.args(["--test", "--test-reporter=spec", "tests/worker/concurrency.test.mjs"]))
}

/// libFuzzer on every parser of outside bytes, one after the other. Without a sanitizer it needs no nightly toolchain, and a
/// sanitizer has nothing to find: there is no unsafe code.
pub fn fuzz(project: &Project, options: &Fuzz) -> Result<()> {
    let targets = run_quietly(&mut project.cargo(&["fuzz", "list"]))
        .context("fuzzing needs cargo-fuzz (`cargo install cargo-fuzz`); the pinned stable toolchain is enough")?;
    for target in targets.lines().filter(|target| options.target.as_ref().is_none_or(|only| only == target)) {
        let time = format!("-max_total_time={}", options.seconds);
        let mut fuzz = project.cargo(&["fuzz", "run", "--release", "--sanitizer", "none", target]);
        step(target, || run(fuzz.args(["--", &time, "-print_final_stats=1"])))?;
    }
    Ok(())
}

/// Changes rules one expression at a time and looks whether a test notices. `.cargo/mutants.toml` says which files are examined
/// and names the survivors that are accepted.
pub fn mutants(project: &Project, options: &Mutants) -> Result<()> {
    match &options.changed {
        Some(base) => changed_mutants(project, base, &options.arguments),
        None => authorization_server_mutants(project, &options.arguments)
            .and_then(|()| run_mutants(project, &["--exclude", "src/oauth/**"], &options.arguments)),
    }
}

/// Only what differs from that commit.
fn changed_mutants(project: &Project, base: &str, arguments: &[String]) -> Result<()> {
    let mut git = Command::new("git");
    let diff = run_quietly(git.current_dir(&project.root).args(["diff", "--relative", base, "--", "src"]))?;
    if diff.trim().is_empty() {
        println!("nothing in src differs from {base}: there is nothing to mutate");
        return Ok(());
    }
    let file = project.path("target/changed.diff");
    std::fs::write(&file, diff).with_context(|| format!("writing {}", file.display()))?;
    let selection = ["--in-diff", &file.display().to_string()];
    let mut list = project.cargo(&["mutants", "--package", "statibeat-mcp", "--list"]);
    if run_quietly(list.args(selection).args(arguments)).context(NEEDS_CARGO_MUTANTS)?.trim().is_empty() {
        println!("what differs from {base} in src is no rule that can be mutated: there is nothing to mutate");
        return Ok(());
    }
    run_mutants(project, &selection, arguments)
}

/// The rules of the authorization server as a crate of their own: a second or two for each mutant instead of a minute.
fn authorization_server_mutants(project: &Project, arguments: &[String]) -> Result<()> {
    let rules = rules::write(&project.root)?;
    let mut cargo = project.cargo(&["mutants", "--in-place", "--no-config", "--file", "src/oauth/**/*.rs"]);
    cargo.current_dir(&rules).args(arguments).env_remove("CARGO_TARGET_DIR");
    run(&mut cargo).context(NEEDS_CARGO_MUTANTS)
}

/// In a copy of the checkout that takes the compiled crates along.
fn run_mutants(project: &Project, selection: &[&str], arguments: &[String]) -> Result<()> {
    let mut cargo = project.cargo(&["mutants", "--package", "statibeat-mcp", "--copy-target", "true"]);
    run(cargo.args(selection).args(arguments)).context(NEEDS_CARGO_MUTANTS)
}
