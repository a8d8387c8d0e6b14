//! `npm test`: every level of tests, or the tests with given words in their names. And the scripts that need the same things
//! built.

pub mod acceptance;
pub mod long;
mod selection;
mod totals;

use crate::build;
use crate::node;
use crate::process::{run, step};
use crate::project::Project;
use crate::wrangler::{LOCAL, Wrangler};
use crate::wrangler_config::WranglerConfig;
use anyhow::{Result, ensure};
use clap::Args;
use selection::Selection;
use std::path::PathBuf;
use std::process::Command;
use totals::Totals;

/// Ends a test that waits for what never comes, and then its process, which the wait would keep alive. No test file takes
/// nearly as long.
const NO_HANGING: [&str; 2] = ["--test-timeout=600000", "--test-force-exit"];

/// The variables that our tests and insta obey.
const ACCEPTING: [(&str, &str); 2] = [("ACCEPT", "1"), ("INSTA_UPDATE", "always")];

/// Programs that the worker and page server tests start.
const PROGRAMS: [&str; 3] = ["simulator", "conformance-fixtures", "statibeat-page-mcp"];

#[derive(Args, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Options {
    /// Only the tests of the built worker and of the page server over pipes.
    #[arg(long)]
    worker: bool,
    /// Only what a real Chromium does with the built worker: journeys, accessibility, headers.
    #[arg(long)]
    browser: bool,
    /// Only real clients from their registries against the built worker; also those that take long to install.
    #[arg(long)]
    clients: bool,
    /// Write the files that tests compare (snapshots, documents, recorded sums) as they would be now. Look at the diff before you commit it.
    #[arg(long)]
    accept: bool,
    /// Only tests with one of these words in their name, and JavaScript files with one in their path.
    words: Vec<String>,
}

#[derive(Args)]
pub struct Screenshots {
    /// Only states with these words in their name.
    #[arg(conflicts_with = "documents")]
    words: Vec<String>,
    /// Take the pictures of the README instead, into docs/images/.
    #[arg(long)]
    documents: bool,
}

impl Screenshots {
    /// Returns the arguments of the script.
    pub fn arguments(&self) -> Vec<String> {
        if self.documents { vec!["--documents".to_owned()] } else { self.words.clone() }
    }
}

pub fn test(project: &Project, options: &Options) -> Result<()> {
    run_levels(project, options)?.check()
}

/// Runs the levels in order; all of them, even when one fails, so that the totals are complete.
fn run_levels(project: &Project, options: &Options) -> Result<Totals> {
    let mut rust = Totals::default();
    let accepting: &[(&str, &str)] = if options.accept { &ACCEPTING } else { &[] };
    let with_rust = !options.worker && !options.browser && !options.clients;
    if with_rust {
        let mut cargo = project.cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]);
        cargo.envs(accepting.iter().copied());
        if !options.words.is_empty() {
            cargo.arg("--").args(&options.words);
        }
        step("cargo tests", || rust.count(&mut cargo, totals::read_cargo))?;
    }
    let (level, folders): (_, &[&str]) = if options.browser {
        ("browser tests", &["tests/worker/browser"])
    } else if options.clients {
        ("real clients", &["tests/worker/clients"])
    } else {
        ("worker and page server tests", &["tests/worker", "tests/agents", "tests/page"])
    };
    let selection = Selection::find(project, folders, &options.words)?;
    let mut worker = Totals::default();
    if !selection.is_empty() {
        let node = build_worker(project)?;
        step("build the programs", || project.build_programs(&PROGRAMS))?;
        if options.words.is_empty() {
            worker.has_failed |= !bundle_every_environment(project)?;
        }
        let every_client = options.clients.then_some(("EVERY_CLIENT", "1"));
        let tests = || {
            let mut tests = node::command(project, &node);
            tests.envs(every_client).envs(accepting.iter().copied());
            tests
        };
        step(level, || run_node_tests(tests, &selection, &mut worker))?;
    }

    println!();
    if with_rust {
        println!("cargo tests: {rust}");
    }
    println!("{level}: {worker}");
    let totals = rust.plus(worker);
    println!("{totals}");
    ensure!(
        options.words.is_empty() || totals.count_all() > 0,
        "no test has one of these words in its name: {}",
        options.words.join(", ")
    );
    Ok(totals)
}

/// Runs the selected files with this Node, whose environment is set.
fn run_node_tests(node: impl Fn() -> Command, selection: &Selection, totals: &mut Totals) -> Result<()> {
    // By default, Node keeps one processor for itself; these tests wait for other processes more than they compute.
    let at_once = std::thread::available_parallelism().map(|processors| format!("--test-concurrency={processors}"));
    for (options, files) in selection.runs() {
        let mut tests = node();
        tests
            .args(["--test", "--test-reporter=spec"])
            .args(NO_HANGING)
            .args(at_once.as_ref())
            .args(options)
            .args(files);
        totals.count(&mut tests, totals::read_node)?;
    }
    Ok(())
}

/// Installs, builds and bundles what the worker tests run on; returns the Node to run them with.
pub fn build_worker(project: &Project) -> Result<PathBuf> {
    let wrangler = Wrangler::new(project)?;
    build::build(project, &build::Options::default())?;
    step("bundle the worker", || wrangler.bundle(LOCAL))?;
    Ok(wrangler.node)
}

/// Bundles what a deployment would upload to each environment: it can be made, lacks no binding, and is so large.
fn bundle_every_environment(project: &Project) -> Result<bool> {
    let wrangler = Wrangler::new(project)?;
    let mut all_good = true;
    for environment in WranglerConfig::read(project)?.names() {
        match step(&format!("bundle for {environment}"), || wrangler.bundle(environment)) {
            Ok(size) => println!("  {size}"),
            Err(error) => {
                println!("  {error:#}");
                all_good = false;
            }
        }
    }
    Ok(all_good)
}

/// Builds everything that the worker tests need, then runs a script.
pub fn run_script(project: &Project, script: &str, arguments: &[String]) -> Result<()> {
    let node = build_worker(project)?;
    step("build the programs", || project.build_programs(&PROGRAMS))?;
    run(node::command(project, &node).arg(script).args(arguments))
}
