//! `cargo xtask test`: every level of tests, and `cargo xtask demo`, which needs the same things built.

use crate::build;
use crate::node;
use crate::operations;
use crate::project::Project;
use crate::steps::{self, step};
use crate::wrangler;
use anyhow::{Result, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Ends a test that waits for what never comes, and then its process, which the wait would keep alive. No test file takes
/// nearly as long.
const NO_HANGING: [&str; 2] = ["--test-timeout=600000", "--test-force-exit"];

#[derive(Args)]
pub struct Options {
    /// Only the tests of the built worker.
    #[arg(long)]
    worker: bool,
    /// Only what a real Chromium does with the built worker: journeys, accessibility, headers.
    #[arg(long)]
    browser: bool,
}

#[derive(Args)]
pub struct Screenshots {
    /// Only states with these words in their name.
    words: Vec<String>,
}

/// Passed and failed tests of one level.
#[derive(Default)]
struct Totals {
    passed: u32,
    failed: u32,
    /// The names of those that passed.
    names: BTreeSet<String>,
}

/// What came of all levels.
pub struct Outcome {
    all_good: bool,
    /// The names of the tests that passed.
    pub passed: BTreeSet<String>,
}

impl Outcome {
    /// An error when a test failed.
    pub fn check(&self) -> Result<()> {
        if !self.all_good {
            bail!("not every test passed");
        }
        Ok(())
    }
}

/// Runs the levels that were asked for.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    run_levels(project, options)?.check()
}

/// Runs all levels.
pub fn everything(project: &Project) -> Result<Outcome> {
    run_levels(project, &Options { worker: false, browser: false })
}

/// Runs the levels in order; all of them, even when one fails, so that the totals are complete.
fn run_levels(project: &Project, options: &Options) -> Result<Outcome> {
    let mut all_good = true;
    let mut rust = Totals::default();
    let with_rust = !options.worker && !options.browser;
    if with_rust {
        let mut cargo = project.cargo();
        cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
        all_good &= step("cargo tests", || counted(&mut cargo, &mut rust, cargo_totals))?;
    }

    let node = everything_built(project)?;
    build_fixtures(project)?;
    operations::build(project)?;
    build_page_server(project)?;
    all_good &= bundles_of_every_environment(project, &node)?;
    let mut worker = Totals::default();
    let mut tests = Command::new(node);
    tests.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", project.simulator());
    tests.env("STATIBEAT_CONFORMANCE", project.conformance_fixtures());
    tests.env("STATIBEAT_OPERATIONS", project.operations());
    let (level, files): (_, &[&str]) = if options.browser {
        ("browser tests", &["tests/worker/browser/*.test.mjs"])
    } else {
        ("worker and page server tests", &["tests/worker/**/*.test.mjs", "tests/page/**/*.test.mjs"])
    };
    tests.env("STATIBEAT_PAGE_MCP", project.page_server());
    tests.args(["--test", "--test-reporter=spec"]).args(NO_HANGING).args(files);
    all_good &= step(level, || counted(&mut tests, &mut worker, node_totals))?;

    println!();
    if with_rust {
        println!("cargo tests: {} passed, {} failed", rust.passed, rust.failed);
    }
    println!("{level}: {} passed, {} failed", worker.passed, worker.failed);
    println!("{} passed, {} failed", rust.passed + worker.passed, rust.failed + worker.failed);
    let passed = rust.names.into_iter().chain(worker.names).collect();
    Ok(Outcome { all_good, passed })
}

/// What a deployment would upload to each environment: it can be made, lacks no binding, and is so large.
fn bundles_of_every_environment(project: &Project, node: &Path) -> Result<bool> {
    let mut all_good = true;
    for environment in wrangler::environments(project)? {
        match step(&format!("bundle for {environment}"), || wrangler::bundle(project, node, &environment)) {
            Ok(size) => println!("  {size}"),
            Err(error) => {
                println!("  {error:#}");
                all_good = false;
            }
        }
    }
    Ok(all_good)
}

/// Tells the story of `dev/demo.mjs` against the built worker.
pub fn demo(project: &Project) -> Result<()> {
    let node = everything_built(project)?;
    let mut demo = Command::new(node);
    demo.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", project.simulator());
    steps::run(demo.arg("dev/demo.mjs"))
}

/// Takes a picture of every page and state.
pub fn screenshots(project: &Project, options: &Screenshots) -> Result<()> {
    let node = everything_built(project)?;
    let mut camera = Command::new(node);
    camera.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", project.simulator());
    steps::run(camera.arg("dev/screenshots.mjs").args(&options.words))
}

/// Runs the official conformance suite on the fixtures, the built worker and the page server.
pub fn conformance(project: &Project) -> Result<()> {
    let node = everything_built(project)?;
    build_fixtures(project)?;
    build_page_server(project)?;
    let mut suite = Command::new(node);
    suite.current_dir(&project.root).envs(node::QUIET).env("STATIBEAT_SIMULATOR", project.simulator());
    suite.env("STATIBEAT_CONFORMANCE", project.conformance_fixtures());
    suite.env("STATIBEAT_PAGE_MCP", project.page_server());
    steps::run(suite.arg("dev/conformance/run.mjs"))
}

/// Builds the server that has what the conformance suite asks for.
fn build_fixtures(project: &Project) -> Result<()> {
    step("build the conformance fixtures", || {
        steps::run(project.cargo().args(["build", "--locked", "--quiet", "--package", "statibeat-conformance"]))
    })
}

/// Builds the page server, as the tests over real pipes run it.
fn build_page_server(project: &Project) -> Result<()> {
    step("build the page server", || {
        steps::run(project.cargo().args(["build", "--locked", "--quiet", "--bin", "statibeat-page-mcp"]))
    })
}

/// Installs, builds and bundles what the worker tests run on; hands back the Node to run them with.
pub fn everything_built(project: &Project) -> Result<PathBuf> {
    let node = node::require(project)?;
    build::run(project, &build::Options { dev: false })?;
    step("bundle the worker", || wrangler::bundle(project, &node, wrangler::LOCAL).map(drop))?;
    step("build the simulator", || {
        steps::run(project.cargo().args(["build", "--locked", "--quiet", "--package", "statibeat-simulator"]))
    })?;
    Ok(node)
}

/// Runs a test program, showing and reading its output; tells whether it succeeded.
fn counted(command: &mut Command, totals: &mut Totals, read: fn(&str, &mut Totals)) -> Result<bool> {
    let program = Path::new(command.get_program()).display().to_string();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| anyhow::anyhow!("{program}: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            read(&line, totals);
        }
    }
    Ok(child.wait()?.success())
}

/// `test a::b ... ok`, and `test result: ok. 12 passed; 0 failed; …`, once per test binary.
fn cargo_totals(line: &str, totals: &mut Totals) {
    let passed = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... ok"));
    totals.names.extend(passed.map(str::to_owned));
    if !line.starts_with("test result: ") {
        return;
    }
    for part in line.split([';', '.']) {
        match part.trim().split_once(' ') {
            Some((number, "passed")) => totals.passed += number.parse().unwrap_or(0),
            Some((number, "failed")) => totals.failed += number.parse().unwrap_or(0),
            _ => {}
        }
    }
}

/// `✔ a test (12.3ms)`, and `ℹ pass 7` and `ℹ fail 0` at the end.
fn node_totals(line: &str, totals: &mut Totals) {
    let passed = line.trim_start().strip_prefix("✔ ").and_then(|rest| rest.rsplit_once(" ("));
    totals.names.extend(passed.map(|(name, _)| name.to_owned()));
    let mut words = line.split_whitespace();
    if words.next() != Some("ℹ") {
        return;
    }
    match (words.next(), words.next().and_then(|number| number.parse().ok())) {
        (Some("pass"), Some(number)) => totals.passed = number,
        (Some("fail" | "cancelled"), Some(number)) => totals.failed += number,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Totals, cargo_totals, node_totals};

    #[test]
    fn totals_of_cargo_add_up() {
        let mut totals = Totals::default();
        for line in [
            "test a ... ok",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            cargo_totals(line, &mut totals);
        }
        assert_eq!((totals.passed, totals.failed), (15, 2));
        assert_eq!(totals.names.into_iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn totals_of_node_are_read_from_its_summary() {
        let mut totals = Totals::default();
        for line in ["  ✔ passes (A1) (1.5ms)", "ℹ tests 8", "ℹ pass 7", "ℹ fail 1", "ℹ cancelled 0"] {
            node_totals(line, &mut totals);
        }
        assert_eq!((totals.passed, totals.failed), (7, 1));
        assert_eq!(totals.names.into_iter().collect::<Vec<_>>(), ["passes (A1)"]);
    }
}
