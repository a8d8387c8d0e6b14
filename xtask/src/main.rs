//! The project's own commands: build the wasm, run everything locally, test it, deploy it, operate it.
//!
//! `npm start` and its siblings end here. Whatever goes wrong is said in one sentence, with exit code 1.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::disallowed_methods, reason = "a command-line tool has the machine's clock and random source")]

mod bench;
mod build;
mod files;
mod node;
mod operations;
mod process;
mod project;
mod start;
mod test;
mod wrangler;
mod wrangler_config;

use anyhow::Result;
use clap::{Parser, Subcommand};
use operations::{deploy, revoke, secrets, smoke, upstream};
use project::Project;
use std::process::ExitCode;
use test::{acceptance, long};

/// Builds, runs, tests, deploys and operates StatiBeat Hosted MCP.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile the library to wasm, into build/.
    Build(build::Options),
    /// Run the connector and the StatiBeat simulator on this machine.
    Start(start::Options),
    /// Forget what earlier starts stored: database, counters, simulator.
    Reset(start::ResetOptions),
    /// Run every test, or those whose names match.
    Test(test::Options),
    /// Interleave, restart and break writes, and count what was published twice or not at all.
    Schedules(long::Schedules),
    /// Run every test, then count the assertions of docs/acceptance.md that are proven.
    Acceptance,
    /// Hold random stories against a model of the authorization server.
    Model(long::Model),
    /// Let requests race with revocations on the real D1.
    Races(long::Races),
    /// Feed every parser of outside bytes with libFuzzer.
    Fuzz(long::Fuzz),
    /// Change the authorization server and check whether a test fails.
    Mutants(long::Mutants),
    /// Measure the worker against the least that a worker does, and write docs/performance.md.
    Bench(bench::Options),
    /// Let clients work at half of the measured peak while the purge runs, and look for errors and growing memory.
    Soak(bench::SoakOptions),
    /// Build everything, then run the official MCP conformance suite.
    Conformance,
    /// Build everything, then take a picture of every page and state, into screenshots/.
    Screenshots(test::Screenshots),
    /// Build everything, then tell the whole story on the terminal.
    Demo,
    /// Build the page server for others: optimized, with size, checksum, man page and completions, into target/page/.
    Page(build::page_server::Options),
    /// Check, migrate and deploy an environment, then check the deployed server as a client sees it.
    Deploy(deploy::Options),
    /// Make, rotate or store the secrets of an environment.
    Secrets(secrets::Options),
    /// End everybody's connections, or those of one client or person, from outside.
    Revoke(revoke::Options),
    /// Check a deployed server as a client sees it.
    Smoke(smoke::Options),
    /// Check a StatiBeat server against docs/statibeat-api.yaml.
    UpstreamCheck(upstream::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match Project::find().and_then(|project| run(&project, &arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(project: &Project, command: &Command) -> Result<()> {
    match command {
        Command::Build(options) => build::run_command(project, options),
        Command::Start(options) => start::start(project, options),
        Command::Reset(options) => start::reset(project, options),
        Command::Test(options) => test::test(project, options),
        Command::Schedules(options) => long::schedules(project, options),
        Command::Acceptance => acceptance::run(project),
        Command::Model(options) => long::model(project, options),
        Command::Races(options) => long::races(project, options),
        Command::Fuzz(options) => long::fuzz(project, options),
        Command::Mutants(options) => long::mutants(project, options),
        Command::Bench(options) => bench::bench(project, options),
        Command::Soak(options) => bench::soak(project, options),
        Command::Conformance => test::run_script(project, "dev/conformance/run.mjs", &[]),
        Command::Screenshots(options) => test::run_script(project, "dev/screenshots.mjs", &options.arguments()),
        Command::Demo => test::run_script(project, "dev/demo.mjs", &[]),
        Command::Page(options) => build::page_server::build(project, options),
        Command::Deploy(options) => deploy::deploy(project, options),
        Command::Secrets(options) => secrets::secrets(project, options),
        Command::Revoke(options) => revoke::revoke(project, options),
        Command::Smoke(options) => smoke::smoke(project, options),
        Command::UpstreamCheck(options) => upstream::run(project, options),
    }
}
