//! `npm run revoke`: ends connections from outside, in an emergency. Counts before it acts.

mod decision;
mod statements;

use super::confirmation::Confirmation;
use super::database::OperatorDatabase;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use clap::Args;
use decision::{Decision, Impact, decide};
use serde::Deserialize;
use statements::Whose;

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml; `local` for the database of `npm start`.
    #[arg(long, value_name = "NAME")]
    env: String,
    #[command(flatten)]
    whose: Selection,
    /// Count what would be ended, and end nothing.
    #[arg(long)]
    dry_run: bool,
    /// The environment's name again, instead of typing it when asked: for programs.
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// Every connection of everybody, every open sign-in, every session of the Hosted MCP page. Asks for the environment's name.
    #[arg(long)]
    everything: bool,
    /// Every connection of one client, by its client id. Asks for the environment's name.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Every connection and session of one person, by their StatiBeat user id.
    #[arg(long, value_name = "USER_ID")]
    user: Option<String>,
}

impl Selection {
    fn whose(&self) -> Whose<'_> {
        match (&self.client, &self.user) {
            (Some(client), _) => Whose::Client(client),
            (_, Some(user)) => Whose::User(user),
            _ => Whose::Everybody,
        }
    }
}

#[derive(Deserialize)]
struct Remaining {
    still_connected: u64,
}

/// Counts, asks where many people are concerned, ends, and prints what it ended.
pub fn revoke(project: &Project, options: &Options) -> Result<()> {
    let whose = options.whose.whose();
    let database = OperatorDatabase::open(project, &options.env)?;
    let rows = database.query(&statements::counting(&whose)).context("nothing was ended")?;
    let impact: Impact = OperatorDatabase::row(&rows, 0)?;
    let confirmation = Confirmation::new(&options.env, options.confirm.as_deref());
    let needs_confirmation = !matches!(whose, Whose::User(_));
    println!("{}: would end {impact}", options.env);
    match decide(&impact, options.dry_run, needs_confirmation.then_some(&confirmation))? {
        Decision::Stop => return Ok(()),
        Decision::Ask => confirmation.ask()?,
        Decision::Revoke => {}
    }
    let rows = database.query(&statements::ending(&whose)).with_context(|| {
        "it is unknown whether anything was ended: run the same command with --dry-run to see. Running it twice does no harm"
    })?;
    let ended: Impact = OperatorDatabase::row(&rows, 0)?;
    let remaining: Remaining = OperatorDatabase::row(&rows, rows.len() - 1)?;
    println!("{}: ended {ended}", options.env);
    ensure!(
        remaining.still_connected == 0,
        "{} grants are left, made while this ran: run it again, or switch the connector off first",
        remaining.still_connected
    );
    println!(
        "Nobody is left of these. People can connect again: docs/operations.md says how to keep a client or a person out."
    );
    Ok(())
}
