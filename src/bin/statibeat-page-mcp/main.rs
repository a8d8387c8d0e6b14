//! The page server: MCP for one StatiBeat status page, over standard input and output.
//!
//! Nothing but JSON-RPC is ever written to standard output while serving; the log goes to standard error. Exit codes: 0
//! when the client closed its end or a signal came, 1 when `--check` failed, 2 when the settings or arguments are wrong.

mod arguments;
mod http;
mod lines;
mod log;
mod serve;

use crate::http::Native;
use crate::lines::Input;
use crate::log::Log;
use futures_channel::mpsc::{self, Sender};
use futures_executor::block_on;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::page::names::NAMES;
use statibeat_mcp::page::settings::{LogLevel, Settings};
use statibeat_mcp::page::{PageHandler, PageInputs};
use std::io::{self, BufReader, Write as _};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, thread};

/// Exit code for settings and arguments that are wrong; the one that clap has too.
const WRONG_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let arguments = arguments::command(env!("CARGO_PKG_VERSION"), &NAMES).get_matches();
    let settings = match Settings::from_lookup(&|name| env::var(name).ok()) {
        Ok(settings) => settings,
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(|problem| format!("error: {problem}\n")).collect();
            let _ = io::stderr().write_all(lines.concat().as_bytes());
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
    let log = Log::new(settings.log_level);
    let http = Native::new(&settings);
    let warn = |text: &str| log.line(LogLevel::Warn, text);
    let inputs = PageInputs { http: &http, now: &now, random: &random, log: &warn };
    let handler = PageHandler::new(&settings, inputs);
    if arguments.get_flag(arguments::CHECK) { check(&handler) } else { serve(&handler, log) }
}

fn check(handler: &PageHandler<'_>) -> ExitCode {
    match block_on(handler.check()) {
        Ok(report) => {
            let _ = io::stdout().write_all(report.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(handler: &PageHandler<'_>, log: Log) -> ExitCode {
    let (sender, receiver) = mpsc::channel(serve::MOST_WAITING);
    if let Err(error) = listen_to_signals(sender.clone()) {
        log.line(LogLevel::Warn, &format!("signals end this program at once: {error}"));
    }
    lines::read_on_a_thread(BufReader::with_capacity(64 * 1024, io::stdin()), sender);
    log.line(LogLevel::Info, "serving on standard input and output");
    let end = block_on(serve::serve(handler, receiver, io::stdout().lock(), log));
    log.line(LogLevel::Info, &format!("ended: {end:?}"));
    ExitCode::SUCCESS
}

/// A signal comes in like a line, so that the answer being written is written to its end.
#[cfg(unix)]
fn listen_to_signals(mut sender: Sender<Input>) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            // Each sender has a place of its own in the channel, so a stop gets in even when it is full.
            if sender.try_send(Input::Stop).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Elsewhere the system ends the program itself.
#[cfg(not(unix))]
fn listen_to_signals(_: Sender<Input>) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an edge reads the clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "an edge reads the system's randomness")]
#[expect(clippy::expect_used, reason = "without randomness nothing here is safe to do")]
fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has randomness");
}
