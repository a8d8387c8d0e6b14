//! `npm run simulate`, `model`, `races`, `fuzz` and `mutants`: the tests that take their time. `npm test` runs all but the last
//! for a moment only.

#[path = "../../../tests/mutations/rules.rs"]
mod rules;

use super::{PROGRAMS, build_worker};
use crate::node;
use crate::process::{run, run_quietly, step};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

#[derive(Args)]
pub struct Simulate {
    /// Number of stories, one for each seed.
    #[arg(long, default_value_t = 10_000, value_parser = parse_number_of_seeds, allow_hyphen_values = true)]
    seeds: u64,
    /// The first seed; each following story has the next. A run that was stopped says with which one it continues. A story that is
    /// played alone shows each of its steps.
    #[arg(long, visible_alias = "from", default_value_t = 1, value_parser = parse_seed, allow_hyphen_values = true)]
    seed: u64,
    /// Weaken one rule after the other instead, and say which of the seeds from 1 on notices.
    #[arg(long, conflicts_with = "seed")]
    weakened: bool,
}

/// More stories than anybody waits for, and the last seed that begins a run.
const MOST_SEEDS: u64 = 1_000_000_000_000;

fn parse_number_of_seeds(text: &str) -> Result<u64, String> {
    parse_whole_number(text, 1)
}

fn parse_seed(text: &str) -> Result<u64, String> {
    parse_whole_number(text, 0)
}

fn parse_whole_number(text: &str, least: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (least..=MOST_SEEDS).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from {least} to {MOST_SEEDS}, in digits only, as 100000"))
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

/// Optimized: ten thousand stories take two minutes of CPU time instead of seven, and compiling takes ten, once.
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

/// Stories of the whole worker. A seed that breaks a promise is printed with its steps and the command that plays it again.
pub fn simulate(project: &Project, options: &Simulate) -> Result<()> {
    let test = if options.weakened { "weakened_rules_are_found" } else { "no_seed_breaks_a_promise" };
    let mut cargo = project.cargo(&["test", "--locked", "--test", "simulation"]);
    cargo.args(LONG_TESTS).args(["--", "--nocapture", "--format", "terse", test]);
    run(cargo.env("SIMULATION_SEEDS", options.seeds.to_string()).env("SIMULATION_SEED", options.seed.to_string()))
}

/// Every story within wide bounds against the properties.
pub fn model(project: &Project) -> Result<()> {
    let mut cargo = project.cargo(&["test", "--locked", "--test", "exhaustive"]);
    cargo.args(LONG_TESTS).args(["--", "--nocapture"]);
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

/// libFuzzer on every parser of outside bytes, one after the other; corpora are kept. Without a sanitizer it needs no nightly
/// toolchain, and a sanitizer has nothing to find: there is no unsafe code.
pub fn fuzz(project: &Project, options: &Fuzz) -> Result<()> {
    let targets = run_quietly(&mut project.cargo(&["fuzz", "list"]))
        .context("fuzzing needs cargo-fuzz (`cargo install cargo-fuzz`); the pinned stable toolchain is enough")?;
    let chosen: Vec<&str> =
        targets.lines().filter(|target| options.target.as_ref().is_none_or(|only| only == target)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are: {}", targets.lines().collect::<Vec<_>>().join(", "));
    }
    let mut totals = Vec::new();
    for target in chosen {
        let time = format!("-max_total_time={}", options.seconds);
        let mut fuzz = project.cargo(&["fuzz", "run", "--release", "--sanitizer", "none", target]);
        let begun = Instant::now();
        step(target, || run(fuzz.args(["--", &time, "-print_final_stats=1"])))?;
        let inputs = fs::read_dir(project.path("fuzz/corpus").join(target)).map_or(0, Iterator::count);
        totals.push(format!("{target}: {:.1} minutes, {inputs} inputs kept", begun.elapsed().as_secs_f64() / 60.0));
    }
    println!("{}", totals.join("\n"));
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
    fs::write(&file, diff).with_context(|| format!("writing {}", file.display()))?;
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
    let rules = write_rules(&project.root)?;
    let mut cargo = project.cargo(&["mutants", "--in-place", "--no-config", "--file", "src/oauth/**/*.rs"]);
    cargo.current_dir(&rules).args(arguments).env_remove("CARGO_TARGET_DIR");
    run(&mut cargo).context(NEEDS_CARGO_MUTANTS)
}

/// Writes the crate of the rules, as a workspace of its own that cargo-mutants changes in place, and says where it is.
fn write_rules(project: &Path) -> Result<PathBuf> {
    let folder = project.join("target/rules");
    if folder.join("src").exists() {
        fs::remove_dir_all(folder.join("src"))?;
    }
    rules::write(project, &folder, "statibeat-mcp", &|_, text| text)?;
    for file in ["build.rs", "Cargo.lock"] {
        fs::copy(project.join(file), folder.join(file))?;
    }
    let tables = rules::lines(&fs::read_to_string(project.join("Cargo.toml"))?, &rules::TABLES);
    let manifest = folder.join("Cargo.toml");
    let package = fs::read_to_string(&manifest)?;
    fs::write(&manifest, format!("{package}[build-dependencies]\n{tables}\n[workspace]\n{}", rules::PROFILES))?;
    Ok(folder)
}

/// In a copy of the checkout that takes the compiled crates along.
fn run_mutants(project: &Project, selection: &[&str], arguments: &[String]) -> Result<()> {
    let mut cargo = project.cargo(&["mutants", "--package", "statibeat-mcp", "--copy-target", "true"]);
    run(cargo.args(selection).args(arguments)).context(NEEDS_CARGO_MUTANTS)
}
