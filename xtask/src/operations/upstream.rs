//! Holds a StatiBeat server against `docs/statibeat-api.yaml`, with the suite that the simulator's tests run as well.
//! Nothing is written unless `--write` allows it.

mod key_file;

use crate::operations::network;
use crate::project::Project;
use crate::wrangler_config::WranglerConfig;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use statibeat_contract::suite::{Outcome, Session, check};
use std::path::PathBuf;

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml, whose StatiBeat and issuer are meant; `local` for the simulator of `npm start`.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The server's API origin, as in `https://api.example.com`, instead of the environment's.
    #[arg(long)]
    url: Option<String>,
    /// The connector's issuer that the server knows, instead of the environment's; its keys must be known there as well.
    #[arg(long)]
    issuer: Option<String>,
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
    let (env, url, issuer) = (options.env.as_deref(), options.url.as_ref(), options.issuer.as_ref());
    let url = option_or_variable(project, env, "--url", url, "HOSTED_MCP_UPSTREAM_URL")?;
    let issuer = option_or_variable(project, env, "--issuer", issuer, "HOSTED_MCP_PUBLIC_URL")?;
    let (signer, is_new) = key_file::open(&project.root.join(&options.key))?;
    if is_new {
        println!(
            "Made {}. Let the server know this key set for {}, then run this again:",
            options.key.display(),
            issuer
        );
        println!("\n{}", signer.key_set());
        return Ok(());
    }
    let now = || jiff::Timestamp::now().as_second();
    let session = Session::new(&network::ask, &now, signer, url.trim_end_matches('/'), &issuer, options.user);
    let outcomes = check(&session, options.page, options.write);
    report(&outcomes)
}

/// The option's value, or else the environment's variable.
fn option_or_variable(
    project: &Project,
    env: Option<&str>,
    option: &str,
    given: Option<&String>,
    name: &str,
) -> Result<String> {
    if let Some(value) = given {
        return Ok(value.clone());
    }
    let env = env.with_context(|| {
        format!("{option} is missing: give it, or --env with the environment in wrangler.toml whose {name} is meant")
    })?;
    WranglerConfig::read(project)?.environment(env)?.variable(name).with_context(|| format!("{env} has no {name}"))
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
mod tests {
    use super::*;

    #[test]
    fn missing_url_or_issuer_names_its_own_option_and_the_environment() {
        let project = Project::new("/".into(), "/".into()).expect("a project");
        let missing = option_or_variable(&project, None, "--issuer", None, "HOSTED_MCP_PUBLIC_URL");
        let message = missing.expect_err("no issuer").to_string();
        assert!(message.starts_with("--issuer is missing: give it, or --env"), "{message}");
        let given = "https://connector.example".to_owned();
        let found = option_or_variable(&project, None, "--issuer", Some(&given), "HOSTED_MCP_PUBLIC_URL");
        assert_eq!(found.expect("it was given"), given);
    }
}
