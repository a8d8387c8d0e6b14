//! The project's own commands: build the wasm, run everything locally, test it, deploy it, operate it.
//!
//! `npm start` and its siblings end here. Whatever goes wrong is said on the last lines, with exit code 1; a wrong command
//! line has exit code 2.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::disallowed_methods, reason = "a command-line tool has the machine's clock and random source")]

mod arguments;
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
use arguments::{Arguments, Command};
use operations::{deploy, erase, listing, revoke, secrets, smoke, upstream};
use project::Project;
use std::process::ExitCode;
use test::{acceptance, long};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match Arguments::read(&words, |name| std::env::var(name).ok()) {
        Ok(arguments) => arguments,
        Err((text, 0)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err((text, code)) => {
            eprint!("{text}");
            return ExitCode::from(code);
        }
    };
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
        Command::Build(options) => {
            deploy::check_wranglers_deployment(project, options.env.as_deref())?;
            build::run_command(project, options)
        }
        Command::Start(options) => start::start(project, options),
        Command::Reset(options) => start::reset(project, options),
        Command::Test(options) => test::test(project, options),
        Command::Simulate(options) => long::simulate(project, options),
        Command::Acceptance => acceptance::run(project),
        Command::Model => long::model(project),
        Command::Races(options) => long::races(project, options),
        Command::Fuzz(options) => long::fuzz(project, options),
        Command::Mutants(options) => long::mutants(project, options),
        Command::Bench(options) => bench::bench(project, options),
        Command::Soak(options) => bench::soak(project, options),
        Command::Conformance => test::run_script(project, "dev/conformance/run.mjs", &[]),
        Command::Screenshots(options) => test::run_script(project, "dev/screenshots.mjs", &options.arguments()),
        Command::Demo => test::run_script(project, "dev/demo.mjs", &[]),
        Command::Page(options) => build::page_server::build(project, options),
        Command::BenchPage(options) => bench::bench_page(project, options),
        Command::Deploy(options) => deploy::deploy(project, options),
        Command::Secrets(options) => secrets::secrets(project, options),
        Command::Revoke(options) => revoke::revoke(project, options),
        Command::Erase(options) => erase::erase(project, options),
        Command::AuditTrim(options) => erase::trim(project, options),
        Command::Smoke(options) => smoke::smoke(project, options),
        Command::Listing(options) => listing::listing(project, options),
        Command::UpstreamCheck(options) => upstream::run(project, options),
    }
}
