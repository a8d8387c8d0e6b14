//! Holds a StatiBeat server against `docs/statibeat-api.yaml`: what the connector will ask of it, and what it must refuse.
//!
//! Every exchange goes through the contract's own checker, the one that the simulator's tests use. Nothing is written unless
//! `--write` allows it; what is written says in its title that it is a check.

mod reads;
mod refusals;
mod session;
mod signer;
mod writes;

use crate::operations::network;
use crate::project::Project;
use anyhow::{Result, bail, ensure};
use clap::Args;
use session::{Outcome, Session};
use signer::Signer;
use std::path::PathBuf;

#[derive(Args)]
pub struct Options {
    /// The server's API origin, as in `https://api.example.com`.
    #[arg(long)]
    url: String,
    /// The connector's issuer that the server knows; its keys must be known there as well.
    #[arg(long)]
    issuer: String,
    /// A file with the key to sign with, `kid:base64url(seed)`, or a local start's .dev.vars; made when it is not there.
    #[arg(long, default_value = ".secrets/upstream-check.key")]
    key: PathBuf,
    /// The user in whose name pages are read: somebody who may do everything on a page.
    #[arg(long)]
    user: u64,
    /// The page to read; otherwise the user's first.
    #[arg(long)]
    page: Option<u64>,
    /// Also publish a test incident and a test maintenance on that page.
    #[arg(long)]
    write: bool,
}

/// Prints one line for each check, then the count.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let (signer, is_new) = Signer::open(&project.root.join(&options.key))?;
    if is_new {
        println!(
            "Made {}. Let the server know this key set for {}, then run this again:",
            options.key.display(),
            options.issuer
        );
        println!("\n{}", signer.key_set());
        return Ok(());
    }
    let now = || jiff::Timestamp::now().as_second();
    let session =
        Session::new(&network::ask, &now, signer, options.url.trim_end_matches('/'), &options.issuer, options.user);
    let outcomes = check(&session, options.page, options.write);
    report(&outcomes)
}

/// All checks in order; the later ones use what the earlier ones found.
fn check(session: &Session<'_>, page: Option<u64>, may_write: bool) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    let page = reads::person(session, page, &mut outcomes);
    refusals::without_page(session, &mut outcomes);
    let Some(page) = page else {
        outcomes.push(("everything of a page".to_owned(), Outcome::Failed("the user has no such page".to_owned())));
        return outcomes;
    };
    reads::page(session, &page, &mut outcomes);
    refusals::on_page(session, &page, &mut outcomes);
    if may_write {
        writes::all(session, &page, &mut outcomes);
    } else {
        outcomes.push(("writes".to_owned(), Outcome::Skipped("run with --write on a page for tests".to_owned())));
    }
    outcomes
}

fn report(outcomes: &[(String, Outcome)]) -> Result<()> {
    let mut counts = [0_usize; 3];
    for (what, outcome) in outcomes {
        let (at, word, reason) = match outcome {
            Outcome::Passed => (0, "ok     ", ""),
            Outcome::Skipped(reason) => (1, "skipped", reason.as_str()),
            Outcome::Failed(reason) => (2, "FAILED ", reason.as_str()),
        };
        counts[at] += 1;
        println!("  {word}  {what}{}{reason}", if reason.is_empty() { "" } else { ": " });
    }
    let [passed, skipped, failed] = counts;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    ensure!(passed > 0, "nothing was checked");
    if failed > 0 {
        bail!("the server does not keep docs/statibeat-api.yaml");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
