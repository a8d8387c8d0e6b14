//! The project's own commands: build the wasm, run everything locally, test it, deploy it.
//!
//! `npm start` and its siblings end here. Whatever goes wrong is said in one sentence, with exit code 1.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::disallowed_methods, reason = "this tool measures how long its steps take")]

mod acceptance;
mod bench;
mod build;
mod children;
mod database;
mod deploy;
mod long;
mod node;
mod operations;
mod page;
mod project;
mod ready;
mod remap;
mod running;
mod schedules;
mod secrets;
mod start;
mod steps;
mod test;
mod weights;
mod welcome;
mod wrangler;

use clap::{Parser, Subcommand};
use project::Project;
use std::process::ExitCode;

/// Builds, runs, tests and deploys StatiBeat Hosted MCP.
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
    /// Run every test.
    Test(test::Options),
    /// Interleave, restart and break writes, and count what was published twice or not at all.
    Schedules(schedules::Options),
    /// Run every test, then count the assertions of docs/acceptance.md that are proven.
    Acceptance,
    /// Hold random stories against a model of the authorization server.
    Model(long::Model),
    /// Let requests race with revocations on the real D1.
    Races(long::Races),
    /// Feed every parser of outside bytes with libFuzzer.
    Fuzz(long::Fuzz),
    /// Change the authorization server and look whether a test notices.
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
    Page(page::Options),
    /// Check, migrate, deploy an environment, then look at it as a client does.
    Deploy(deploy::Options),
    /// Make, rotate or store the secrets of an environment.
    Secrets(deploy::SecretOptions),
    /// End everybody's connections, or those of one client or person, from outside.
    Revoke(deploy::RevokeOptions),
    /// Look at a deployed server as a client does.
    Smoke(operations::Options),
    /// Hold a StatiBeat server against docs/statibeat-api.yaml.
    UpstreamCheck(operations::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let project = Project::here();
    let result = match &arguments.command {
        Command::Build(options) => build::run(&project, options),
        Command::Start(options) => start::run(&project, options),
        Command::Reset(options) => start::reset(&project, options),
        Command::Test(options) => test::run(&project, options),
        Command::Schedules(options) => schedules::run(&project, options),
        Command::Acceptance => acceptance::run(&project),
        Command::Model(options) => long::model(&project, options),
        Command::Races(options) => long::races(&project, options),
        Command::Fuzz(options) => long::fuzz(&project, options),
        Command::Mutants(options) => long::mutants(&project, options),
        Command::Bench(options) => bench::run(&project, options),
        Command::Soak(options) => bench::soak(&project, options),
        Command::Conformance => test::conformance(&project),
        Command::Screenshots(options) => test::screenshots(&project, options),
        Command::Demo => test::demo(&project),
        Command::Page(options) => page::run(&project, options),
        Command::Deploy(options) => deploy::run(&project, options),
        Command::Secrets(options) => deploy::secrets(&project, options),
        Command::Revoke(options) => deploy::revoke(&project, options),
        Command::Smoke(options) => operations::smoke(&project, options),
        Command::UpstreamCheck(options) => operations::check_upstream(&project, options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
