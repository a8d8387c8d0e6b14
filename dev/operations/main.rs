//! What an operator needs besides wrangler: a look at the configuration before it is deployed, keys, a look at the server
//! afterwards, and a test of the StatiBeat behind it.
//!
//! `npm run deploy`, `secrets`, `revoke` and `upstream:check` end here. Nothing here talks to Cloudflare: that is wrangler's,
//! and xtask calls it.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::disallowed_methods, reason = "a command-line tool has the machine's clock and random source")]

mod check;
mod environment;
mod network;
mod revoke;
mod rings;
mod secrets_file;
mod smoke;
mod upstream;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "operations", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say everything that stands between wrangler.toml and a deployment of an environment.
    Check(check::Options),
    /// Make the secrets of an environment, or rotate its key rings.
    Secrets(secrets_file::Options),
    /// Look at a deployed server as a client does.
    Smoke(smoke::Options),
    /// Print the SQL that ends connections.
    Revoke(revoke::Options),
    /// Hold a StatiBeat server against docs/statibeat-api.yaml.
    Upstream(upstream::Options),
}

fn main() -> ExitCode {
    let outcome = run(&Arguments::parse().command);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Check(options) => check::run(options),
        Command::Secrets(options) => secrets_file::run(options),
        Command::Smoke(options) => smoke::run(options),
        Command::Revoke(options) => {
            revoke::run(options);
            Ok(())
        }
        Command::Upstream(options) => upstream::run(options),
    }
}
