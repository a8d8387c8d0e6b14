//! The StatiBeat simulator on loopback, for `npm start` and the tests that need a real socket.
//!
//! Adds to the simulator what only a process has: a socket, a clock, the connector's published keys, a state file.

use std::path::PathBuf;
use std::sync::Arc;

mod process;
#[path = "mod.rs"]
mod simulator;

use clap::Parser;
use process::{connector, server, state_file};

/// A small StatiBeat for development: sign-in page, REST API, seeded data.
#[derive(Debug, Parser)]
#[command(name = "simulator")]
struct Arguments {
    /// Port on 127.0.0.1.
    #[arg(long, env = "SIMULATOR_PORT", default_value_t = 8687)]
    port: u16,
    /// The connector's issuer and public URL, without a slash at the end.
    #[arg(long, env = "SIMULATOR_CONNECTOR_URL", default_value = "http://localhost:8686")]
    connector_url: String,
    /// The origin that assertions are addressed to; `http://127.0.0.1:<port>` unless given.
    #[arg(long, env = "SIMULATOR_ORIGIN")]
    origin: Option<String>,
    /// Name of the environment.
    #[arg(long, env = "SIMULATOR_ENVIRONMENT", default_value = "local")]
    environment: String,
    /// Keeps created incidents, updates and maintenances in this file.
    #[arg(long, env = "SIMULATOR_STATE")]
    state: Option<PathBuf>,
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(format!("cannot start: {error}")),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("StatiBeat simulator: {fault}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "one line on standard output tells whoever started it that it listens")]
async fn run(arguments: Arguments) -> Result<(), String> {
    let address = (std::net::Ipv4Addr::LOCALHOST, arguments.port);
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on 127.0.0.1:{}: {error}", arguments.port))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let origin = format!("http://{address}");
    let simulator = simulator::Simulator::new(simulator::Settings {
        origin: arguments.origin.unwrap_or_else(|| origin.clone()),
        connector_url: arguments.connector_url.trim_end_matches('/').to_owned(),
        environment: arguments.environment,
        seed: server::unpredictable_seed(),
        ..simulator::Settings::local(server::now())
    });
    let state = state_file::StateFile::open(arguments.state, &simulator)?;
    let keys = connector::KeySource::new(arguments.connector_url.trim_end_matches('/'));
    println!("StatiBeat simulator on {origin}");
    server::serve(
        listener,
        Arc::new(server::Shared { simulator, keys, state, releases: tokio::sync::watch::Sender::new(0) }),
    )
    .await
}
