//! `cargo xtask deploy`: checks, migrates, deploys, looks at the result. And its siblings that need wrangler and an account.
//!
//! Everything that can be checked without an account comes first, so that `--dry-run` says as much as it can.

use crate::build;
use crate::project::Project;
use crate::steps::{self, step};
use crate::{node, operations, wrangler};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml.
    #[arg(long)]
    env: String,
    /// Stop where an account is needed; say what is still to be settled, but go on past it.
    #[arg(long)]
    dry_run: bool,
}

/// Brings an environment to what the source says.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let node = node::require(project)?;
    operations::build(project)?;
    let settled = step("check the configuration", || check(project, &options.env, None));
    if let (Err(error), false) = (&settled, options.dry_run) {
        bail!("{error:#}");
    }
    build::run(project, &build::Options { dev: false })?;
    step("bundle the worker", || wrangler::bundle(project, &node, &options.env).map(|size| println!("  {size}")))?;
    if options.dry_run {
        settled?;
        println!(
            "\nFrom here on an account is needed: secrets, migrations, deployment, smoke test. Nothing was changed."
        );
        return Ok(());
    }

    step("check the secrets", || check_secrets(project, &node, &options.env))?;
    let before = wrangler::deployed_version(project, &node, &options.env);
    step("migrate the database", || steps::run(&mut wrangler::migrations(project, &node, &options.env)))?;
    step("deploy", || {
        steps::run(wrangler::command(project, &node).args(["deploy", &format!("--env={}", options.env)]))
    })?;
    let works = step("smoke test", || smoke(project, &options.env));
    println!("\n{}", way_back(&options.env, before.as_deref()));
    works
}

fn check(project: &Project, environment: &str, secret_list: Option<&Path>) -> Result<()> {
    let mut check = operations::command(project, "check");
    check.args(["--env", environment]);
    if let Some(list) = secret_list {
        check.arg("--secret-list").arg(list);
    }
    // It has said what is wrong by itself.
    if check.status().context("the operator's program did not start")?.success() {
        Ok(())
    } else {
        bail!("{environment} is not ready to be deployed")
    }
}

fn check_secrets(project: &Project, node: &Path, environment: &str) -> Result<()> {
    let mut list = wrangler::command(project, node);
    list.args(["secret", "list", "--format", "json", "--env", environment]);
    let printed = list.output().context("wrangler did not start")?;
    let list = project.target.join(format!("secrets-of-{environment}.json"));
    // Before its first deployment a worker has no secrets that could be listed.
    let text = if printed.status.success() { printed.stdout } else { not_there_yet(&printed.stderr)? };
    fs::write(&list, text).context("noting the names of the secrets")?;
    check(project, environment, Some(&list))
}

/// An empty list when wrangler says that there is no such worker; otherwise its words.
fn not_there_yet(said: &[u8]) -> Result<Vec<u8>> {
    let said = String::from_utf8_lossy(said);
    if said.contains("Worker \"") && said.contains(" not found.") {
        Ok(b"[]".to_vec())
    } else {
        bail!("wrangler cannot list the secrets:\n{said}")
    }
}

fn smoke(project: &Project, environment: &str) -> Result<()> {
    steps::run(operations::command(project, "smoke").args(["--env", environment]))
}

/// What to do when the new version turns out bad.
fn way_back(environment: &str, before: Option<&str>) -> String {
    let version = before.unwrap_or("<version>");
    format!(
        "To go back: npx wrangler rollback {version} --env {environment}\n\
         (versions: npx wrangler deployments list --env {environment}). Migrations only add, so the version before runs on\n\
         the new database; docs/operations.md says how to restore the data."
    )
}

#[derive(Args)]
pub struct SecretOptions {
    /// The environment, as in wrangler.toml.
    #[arg(long)]
    env: String,
    /// Store them on Cloudflare.
    #[arg(long)]
    store: bool,
    /// Take one step of a rotation: prepare, promote, retire or replace.
    #[arg(long, conflicts_with = "store")]
    rotate: Option<String>,
    /// Rotate only this key ring, by its variable.
    #[arg(long, requires = "rotate")]
    ring: Option<String>,
}

/// Makes, rotates or stores the secrets of an environment. They pass from one program to the other and never a screen.
pub fn secrets(project: &Project, options: &SecretOptions) -> Result<()> {
    operations::build(project)?;
    let mut secrets = operations::command(project, "secrets");
    secrets.args(["--env", &options.env]);
    if !options.store {
        secrets.args(given("--rotate", options.rotate.as_deref())).args(given("--ring", options.ring.as_deref()));
        return steps::run(&mut secrets);
    }
    let node = node::require(project)?;
    let values = steps::run_quietly(secrets.arg("--print"))?;
    step("store the secrets", || store(&mut wrangler::command(project, &node), &options.env, &values))
}

fn store(wrangler: &mut Command, environment: &str, values: &str) -> Result<()> {
    let mut child = wrangler
        .args(["secret", "bulk", "--env", environment])
        .stdin(Stdio::piped())
        .spawn()
        .context("wrangler did not start")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(values.as_bytes()).context("handing over the secrets")?;
    }
    if child.wait()?.success() { Ok(()) } else { bail!("wrangler did not store the secrets") }
}

/// An option with its value, where there is one.
fn given<'a>(option: &'a str, value: Option<&'a str>) -> Vec<&'a str> {
    value.map_or_else(Vec::new, |value| vec![option, value])
}

#[derive(Args)]
pub struct RevokeOptions {
    /// The environment, as in wrangler.toml; `local` for the database of `npm start`.
    #[arg(long)]
    env: String,
    #[command(flatten)]
    whose: Whose,
}

/// One of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Every connection of everybody, every open sign-in, every session of the Hosted MCP page.
    #[arg(long)]
    everything: bool,
    /// Every connection of one client, by its client id.
    #[arg(long)]
    client: Option<String>,
    /// Every connection of one person, by their StatiBeat user id.
    #[arg(long)]
    user: Option<String>,
}

/// Ends connections from outside, in an emergency.
pub fn revoke(project: &Project, options: &RevokeOptions) -> Result<()> {
    let node = node::require(project)?;
    operations::build(project)?;
    let mut revoke = operations::command(project, "revoke");
    revoke.args(given("--client", options.whose.client.as_deref()));
    revoke.args(given("--user", options.whose.user.as_deref()));
    if options.whose.everything {
        revoke.arg("--everything");
    }
    let statements = steps::run_quietly(&mut revoke)?;
    step("end the connections", || {
        steps::run(wrangler::execute(project, &node, &options.env).args(["--command", statements.trim()]))
    })
}

#[cfg(test)]
mod tests {
    use super::{not_there_yet, way_back};

    #[test]
    fn the_way_back_names_the_version_that_ran_before() {
        assert!(way_back("staging", Some("abc")).starts_with("To go back: npx wrangler rollback abc --env staging"));
        assert!(way_back("staging", None).contains("rollback <version> --env staging"));
    }

    #[test]
    fn only_a_worker_that_is_not_there_has_no_secrets() {
        let said = br#"Worker "statibeat-hosted-mcp-staging" (env: staging) not found."#;
        assert_eq!(not_there_yet(said).expect("empty"), b"[]");
        assert!(not_there_yet(b"You are not logged in").is_err());
    }
}
