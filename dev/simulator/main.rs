//! The StatiBeat simulator on loopback, for `npm start` and the tests that need a real socket.
//!
//! Adds to the simulator what only a process has: a socket, a clock, the connector's published keys, a state file.

mod connector_keys;
mod serve;
mod state_file;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use statibeat_simulator::{Settings, Simulator};

/// A small StatiBeat for development: sign-in page, REST API, seeded data.
#[derive(Debug, Parser)]
#[command(name = "simulator")]
struct Arguments {
    /// Port to listen on, at 127.0.0.1.
    #[arg(long, env = "SIMULATOR_PORT", default_value_t = 8687)]
    port: u16,
    /// The connector's issuer and public URL, without a slash at the end.
    #[arg(long, env = "SIMULATOR_CONNECTOR_URL", default_value = "http://localhost:8686")]
    connector_url: String,
    /// The origin that assertions are addressed to; `http://127.0.0.1:<port>` unless given.
    #[arg(long, env = "SIMULATOR_ORIGIN")]
    origin: Option<String>,
    /// Environment name that identity assertions carry.
    #[arg(long, env = "SIMULATOR_ENVIRONMENT", default_value = "local")]
    environment: String,
    /// Keeps created incidents, updates and maintenances in this file.
    #[arg(long, env = "SIMULATOR_STATE")]
    state: Option<PathBuf>,
    /// Also has a large organization: 60 pages and 200 people.
    #[arg(long, env = "SIMULATOR_LARGE")]
    large: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served =
        runtime.map_err(|error| format!("cannot start: {error}")).and_then(|runtime| runtime.block_on(run(arguments)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("StatiBeat simulator: {fault}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "one line on standard output tells whoever started it that it listens")]
async fn run(arguments: Arguments) -> Result<(), String> {
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, arguments.port)).await;
    let listener = listener.map_err(|error| format!("cannot listen on 127.0.0.1:{}: {error}", arguments.port))?;
    let origin = format!("http://{}", listener.local_addr().map_err(|error| error.to_string())?);
    let connector_url = arguments.connector_url.trim_end_matches('/').to_owned();
    let keys = connector_keys::KeySource::new(&connector_url);
    let simulator = Simulator::new(Settings {
        origin: arguments.origin.unwrap_or_else(|| origin.clone()),
        connector_url,
        environment: arguments.environment,
        seed: serve::unpredictable_seed(),
        ..Settings::local(serve::now())
    });
    if arguments.large {
        simulator.add_large_organization();
    }
    let state = state_file::StateFile::open(arguments.state, &simulator)?;
    println!("StatiBeat simulator on {origin}");
    let releases = tokio::sync::watch::Sender::new(0);
    let router = serve::router(Arc::new(serve::Process { simulator, keys, state, releases }));
    axum::serve(listener, router).await.map_err(|error| error.to_string())
}
