//! `npm run deploy`: checks, migrates, deploys, tests the deployed server.
//!
//! Checks that need no account come first, so that `--dry-run` covers as much as possible.

use super::{deployment_checks, smoke};
use crate::build;
use crate::process::{run, step};
use crate::project::Project;
use crate::wrangler::Wrangler;
use crate::wrangler_config::WranglerConfig;
use anyhow::{Result, bail};
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml.
    #[arg(long)]
    env: String,
    /// Stop before the first step that needs an account. Changes nothing; all problems of the configuration are listed.
    #[arg(long)]
    dry_run: bool,
}

/// Brings an environment to what the source says.
pub fn deploy(project: &Project, options: &Options) -> Result<()> {
    let environment = &options.env;
    let wrangler = Wrangler::new(project)?;
    let problems = deployment_checks::check_configuration(&WranglerConfig::read(project)?, environment)?;
    let checked = step("check the configuration", || deployment_checks::report(&problems, environment));
    if checked.is_err() && !options.dry_run {
        return checked;
    }
    build::build(project, &build::Options::default())?;
    step("bundle the worker", || wrangler.bundle(environment).map(|size| println!("  {size}")))?;
    if options.dry_run {
        checked?;
        println!(
            "\nFrom here on an account is needed: secrets, migrations, deployment, smoke test. Nothing was changed."
        );
        return Ok(());
    }
    deploy_bundled(&wrangler, project, environment)
}

fn deploy_bundled(wrangler: &Wrangler, project: &Project, environment: &str) -> Result<()> {
    step("check the secrets", || {
        let problems = deployment_checks::check_secrets(&stored_secrets(wrangler, environment)?, environment)?;
        deployment_checks::report(&problems, environment)
    })?;
    let version_before = wrangler.deployed_version(environment);
    step("migrate the database", || run(&mut wrangler.migrate(environment)))?;
    step("deploy", || run(&mut wrangler.command(&["deploy"], environment)))?;
    let tested = step("smoke test", || smoke::check_environment(project, environment));
    println!("\n{}", way_back(environment, version_before.as_deref()));
    tested
}

/// Returns the output of `wrangler secret list`; an empty list before the first deployment of a worker, which has no secrets to list.
fn stored_secrets(wrangler: &Wrangler, environment: &str) -> Result<String> {
    let output = wrangler.command(&["secret", "list", "--format", "json"], environment).output()?;
    match String::from_utf8_lossy(&output.stderr) {
        _ if output.status.success() => Ok(String::from_utf8(output.stdout)?),
        stderr if is_missing_worker(&stderr) => Ok("[]".to_owned()),
        stderr => bail!("wrangler cannot list the secrets:\n{stderr}"),
    }
}

fn is_missing_worker(stderr: &str) -> bool {
    stderr.contains("Worker \"") && stderr.contains(" not found.")
}

/// Renders the instructions for a rollback.
fn way_back(environment: &str, version: Option<&str>) -> String {
    let version = version.unwrap_or("<version>");
    format!(
        "To go back: npx wrangler rollback {version} --env {environment}\n\
         (versions: npx wrangler deployments list --env {environment}). Migrations only add, so the version before runs on\n\
         the new database; docs/operations.md says how to restore the data."
    )
}

#[cfg(test)]
mod tests {
    use super::{is_missing_worker, way_back};

    #[test]
    fn the_way_back_names_the_version_that_ran_before() {
        assert!(way_back("staging", Some("abc")).starts_with("To go back: npx wrangler rollback abc --env staging"));
        assert!(way_back("staging", None).contains("rollback <version> --env staging"));
    }

    #[test]
    fn only_a_missing_worker_has_no_secrets() {
        assert!(is_missing_worker(r#"Worker "statibeat-hosted-mcp-staging" (env: staging) not found."#));
        assert!(!is_missing_worker("You are not logged in"));
    }
}
