//! `npm run deploy`: checks, migrates, deploys, tests the deployed server. Plain `wrangler deploy` builds with [`check_wranglers_deployment`]
//! before, so that it stops at the same problems.
//!
//! Checks that need no account come first, so that `--dry-run` covers as much as possible.

use super::{deployment_checks, smoke};
use crate::build;
use crate::node::XTASK;
use crate::process::{run, step};
use crate::project::Project;
use crate::wrangler::{LOCAL, Wrangler};
use crate::wrangler_config::WranglerConfig;
use anyhow::{Result, bail, ensure};
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml.
    #[arg(long, value_name = "NAME")]
    env: String,
    /// Stop before the first step that needs an account. Changes nothing; all problems of the configuration are listed.
    #[arg(long)]
    dry_run: bool,
}

/// Brings an environment to what the source says.
pub fn deploy(project: &Project, options: &Options) -> Result<()> {
    let environment = &options.env;
    ensure!(environment != LOCAL, "{LOCAL} is not deployed: `npm start` runs it on this machine. Nothing was changed");
    let wrangler = Wrangler::new(project)?;
    let problems = deployment_checks::check_configuration(&WranglerConfig::read(project)?, environment)?;
    let checked = step("check the configuration", || deployment_checks::report(&problems, environment));
    if let (Err(problems), true) = (&checked, options.dry_run) {
        println!("  {problems}");
    } else {
        checked.as_ref().map_err(|problems| anyhow::anyhow!("{problems}"))?;
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

/// Stops wrangler, which calls this program to build, before it deploys or uploads what the checks refuse. Does nothing when this program
/// called wrangler, after its own checks. What cannot be asked of Cloudflare is named and left to wrangler: a dry run needs no account.
pub fn check_wranglers_deployment(project: &Project, environment: Option<&str>) -> Result<()> {
    let command = std::env::var(build::WRANGLER_COMMAND).unwrap_or_default();
    if command.is_empty() || command == build::WATCHING || std::env::var_os(XTASK).is_some() {
        return Ok(());
    }
    let file = WranglerConfig::read(project)?;
    let Some(environment) = environment else {
        let names = file.names().join(" or ");
        bail!(
            "`wrangler {command}` without --env would publish the local environment, whose sign-in anybody can forge: add --env {names}"
        );
    };
    let mut problems = deployment_checks::check_configuration(&file, environment)?;
    if problems.is_empty() {
        let wrangler = Wrangler::new(project)?;
        let (secrets, migrations) =
            (missing_secrets(&wrangler, environment), pending_migrations(&wrangler, environment));
        for (what, found) in [("secrets", secrets), ("migrations", migrations)] {
            match found {
                Ok(found) => problems.extend(found),
                Err(error) => println!("{what} not checked: {error:#}"),
            }
        }
    }
    deployment_checks::report(&problems, environment)
}

fn missing_secrets(wrangler: &Wrangler<'_>, environment: &str) -> Result<Vec<String>> {
    deployment_checks::check_secrets(&stored_secrets(wrangler, environment)?, environment)
}

/// Migrations that the database lacks; the new code would fail on it.
fn pending_migrations(wrangler: &Wrangler<'_>, environment: &str) -> Result<Vec<String>> {
    let output = wrangler.list_migrations(environment).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "wrangler cannot list the migrations:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(deployment_checks::check_migrations(&text, environment))
}

fn deploy_bundled(wrangler: &Wrangler, project: &Project, environment: &str) -> Result<()> {
    step("check the secrets", || deployment_checks::report(&missing_secrets(wrangler, environment)?, environment))?;
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
