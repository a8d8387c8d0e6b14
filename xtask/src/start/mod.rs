//! `npm start`: the connector and the StatiBeat simulator on this machine, from nothing to an answer.
//!
//! State is kept in `.wrangler/` from one start to the next; `npm run reset` forgets it.

mod children;
mod database;
pub mod local_secrets;
mod lock;
mod ready;
mod welcome;

use crate::build;
use crate::files::remove_folder;
use crate::process::step;
use crate::project::Project;
use crate::wrangler::{LOCAL, Wrangler};
use anyhow::{Context, Result, bail, ensure};
use children::Children;
use clap::Args;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Folder for the state of a local start.
const STATE: &str = ".wrangler";

/// The longest time that the servers may take to answer once everything is built.
const TIMEOUT: Duration = Duration::from_secs(90);

/// The simulator's port that wrangler.toml names.
const SIMULATOR_PORT: u16 = 8687;

#[derive(Args)]
pub struct Options {
    /// Port of the connector on this machine.
    #[arg(long, default_value_t = 8686)]
    pub port: u16,
    /// Port of the StatiBeat simulator.
    #[arg(long, default_value_t = SIMULATOR_PORT)]
    pub simulator_port: u16,
    /// Also prepare a large organization: 60 pages, 200 people and 600 connections.
    #[arg(long)]
    large: bool,
    /// Show what both servers write, instead of keeping it in .wrangler/.
    #[arg(long)]
    verbose: bool,
}

#[derive(Args)]
pub struct ResetOptions {
    /// Also forget the local keys: every client must be connected anew.
    #[arg(long)]
    keys: bool,
}

impl Options {
    /// Where clients find the connector.
    pub fn connector_url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Where browsers find the simulator.
    pub fn simulator_url(&self) -> String {
        format!("http://localhost:{}", self.simulator_port)
    }
}

/// Starts everything and stays until Ctrl-C or until one of the servers stops.
pub fn start(project: &Project, options: &Options) -> Result<()> {
    ensure!(options.port != options.simulator_port, "the connector and the simulator need two different ports");
    let _lock = lock::lock(project)?;
    ready::require_free(options.port, "--port")?;
    ready::require_free(options.simulator_port, "--simulator-port")?;
    database::check(project)?;

    let wrangler = Wrangler::new(project)?;
    build::build(project, &build::Options::quick())?;
    step("build the simulator", || project.build_programs(&["simulator"]))?;
    if local_secrets::add_missing_keys(project)? {
        println!("» generated keys for this machine in .dev.vars");
    }
    step("prepare the local database", || database::prepare(project, &wrangler))?;
    if options.large {
        step("add a large organization", || database::add_large_organization(&wrangler))?;
    }

    let interrupted = interruptions()?;
    let mut children = Children::default();
    step("start both servers", || {
        children.start("simulator", &mut simulator(project, options), options.log(project, "simulator.log"))?;
        let log = options.log(project, "start.log");
        children.start_showing("connector", &mut connector(&wrangler, options), log, rebuilds)?;
        wait_for_answers(&mut children, options, &interrupted)
    })?;
    welcome::print(options);
    stay(&mut children, &interrupted)
}

/// Returns whether an earlier start, or wrangler, has made a local database.
pub fn has_database(project: &Project) -> bool {
    database::is_there(project)
}

/// Says of each thing that `npm start` prepares and plain `wrangler dev` lacks which command prepares it.
pub fn missing_parts(project: &Project) -> Vec<String> {
    let secrets = (!local_secrets::are_there(project)).then_some(
        "no secrets: run `cp .dev.vars.example .dev.vars`, then start wrangler again; until then every route answers 404",
    );
    let database = (!database::is_there(project))
        .then_some("no database: run `npx wrangler d1 migrations apply DB --local` and start wrangler again");
    let simulator =
        (!ready::answers(SIMULATOR_PORT, "/")).then_some("no StatiBeat: run `cargo run --bin simulator` beside this");
    [secrets, database, simulator]
        .into_iter()
        .flatten()
        .map(|part| format!("{part}. `npm start` does all of it."))
        .collect()
}

/// Forgets the database, the counters and the simulator's changes.
pub fn reset(project: &Project, options: &ResetOptions) -> Result<()> {
    let _lock = lock::lock(project)?;
    remove_folder(&project.path(STATE))?;
    if options.keys {
        local_secrets::remove(project)?;
    }
    println!(
        "Local state removed{}.",
        if options.keys { ", with the keys" } else { "; the keys in .dev.vars are kept" }
    );
    Ok(())
}

impl Options {
    fn log(&self, project: &Project, name: &str) -> Option<PathBuf> {
        (!self.verbose).then(|| project.path(STATE).join(name))
    }
}

fn simulator(project: &Project, options: &Options) -> Command {
    let mut command = Command::new(project.program("simulator"));
    command.current_dir(&project.root).args(["--port", &options.simulator_port.to_string()]);
    command.args(["--connector-url", &options.connector_url(), "--state", ".wrangler/simulator.json"]);
    command.args(options.large.then_some("--large"));
    command
}

fn connector(wrangler: &Wrangler, options: &Options) -> Command {
    let port = options.port.to_string();
    let mut command = wrangler.command(&["dev", "--port", &port, "--show-interactive-dev-session=false"], LOCAL);
    let upstream = format!("http://127.0.0.1:{}", options.simulator_port);
    let variables = [
        ("HOSTED_MCP_PUBLIC_URL", options.connector_url()),
        ("HOSTED_MCP_UPSTREAM_URL", upstream),
        ("HOSTED_MCP_SIGN_IN_URL", format!("{}/connector/sign-in", options.simulator_url())),
    ];
    for (name, value) in variables {
        command.args(["--var", &format!("{name}:{value}")]);
    }
    command
}

/// A message for every Ctrl-C, or polite request to end from elsewhere.
fn interruptions() -> Result<Receiver<()>> {
    let (sender, receiver) = channel();
    ctrlc::set_handler(move || sender.send(()).unwrap_or(())).context("listening for Ctrl-C")?;
    Ok(receiver)
}

/// Takes from a line of wrangler's log how a rebuild went: news for somebody who changes the source.
fn rebuilds(line: &str) -> Option<&str> {
    let text = line.split_once("[custom build]")?.1.trim_end();
    let text = text.strip_prefix(' ').unwrap_or(text);
    (!text.trim().is_empty() && !text.starts_with("Running:")).then_some(text)
}

fn wait_for_answers(children: &mut Children, options: &Options, interrupted: &Receiver<()>) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while !(ready::answers(options.simulator_port, "/") && ready::answers(options.port, "/")) {
        children.check()?;
        ensure!(Instant::now() < deadline, "no answer after {} s; see .wrangler/start.log", TIMEOUT.as_secs());
        if interrupted.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout) {
            bail!("interrupted");
        }
    }
    Ok(())
}

fn stay(children: &mut Children, interrupted: &Receiver<()>) -> Result<()> {
    while interrupted.recv_timeout(Duration::from_millis(250)) == Err(RecvTimeoutError::Timeout) {
        children.check()?;
    }
    println!("\nStopping.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::rebuilds;

    #[test]
    fn only_what_a_rebuild_says_is_shown() {
        assert_eq!(rebuilds("[custom build] rebuilt in 3.1 s"), Some("rebuilt in 3.1 s"));
        assert_eq!(rebuilds("[custom build]   --> src/lib.rs:1:1"), Some("  --> src/lib.rs:1:1"));
        for other in
            ["[custom build] Running: node dev/launch.mjs build", "[custom build] ", "[wrangler:info] GET /mcp 401"]
        {
            assert_eq!(rebuilds(other), None, "{other}");
        }
    }
}
