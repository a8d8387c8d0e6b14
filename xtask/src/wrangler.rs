//! Calls of wrangler: bundle, migrations, SQL, deployed version.
//!
//! Node is started on wrangler's script itself. Its launchers start further processes that outlive them, so that
//! stopping a launcher would leave the server running.

use crate::node;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The local environment, in our own commands; wrangler has no name for it.
pub const LOCAL: &str = "local";

/// Folder of the local environment's bundle, which the tests run.
const BUNDLE: &str = "dist";

/// What wrangler says, and goes on, when an environment lacks a binding that the local one has.
const FORGOTTEN_BINDING: &str = "exists at the top level, but not on";

/// The environments that wrangler.toml has besides the local one.
pub fn environments(project: &Project) -> Result<Vec<String>> {
    Ok(headings(&fs::read_to_string(project.path("wrangler.toml")).context("wrangler.toml")?))
}

/// The names in lines like `[env.staging]`.
fn headings(file: &str) -> Vec<String> {
    let names = file.lines().filter_map(|line| line.trim().strip_prefix("[env.")?.strip_suffix(']'));
    names.filter(|name| !name.contains('.')).map(str::to_owned).collect()
}

/// A wrangler call in the repository.
pub fn command(project: &Project, node: &Path) -> Command {
    let mut command = Command::new(node);
    command.current_dir(&project.root).arg("node_modules/wrangler/bin/wrangler.js").envs(node::QUIET);
    command
}

/// Makes the bundle that a deployment would upload, without uploading it; answers the line that tells its size.
pub fn bundle(project: &Project, node: &Path, environment: &str) -> Result<String> {
    let folder = match environment {
        LOCAL => project.path(BUNDLE),
        other => project.target.join("bundles").join(other),
    };
    if folder.exists() {
        fs::remove_dir_all(&folder).context("removing the old bundle")?;
    }
    let mut wrangler = command(project, node);
    wrangler.args(["deploy", "--dry-run", &environment_option(environment), "--outdir"]).arg(&folder);
    let output = wrangler.stdin(Stdio::null()).output().context("wrangler did not start")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "wrangler cannot bundle the worker:\n{said}");
    size_of_a_whole(&said)
}

/// The size, out of what wrangler said of a bundle that lacks nothing.
fn size_of_a_whole(said: &str) -> Result<String> {
    ensure!(!said.contains(FORGOTTEN_BINDING), "wrangler misses a binding:\n{said}");
    let size = said.lines().find(|line| line.starts_with("Total Upload:"));
    Ok(size.context("wrangler did not tell the bundle's size")?.to_owned())
}

/// Wrangler needs the option even for the local environment, or it warns that there are several.
fn environment_option(environment: &str) -> String {
    if environment == LOCAL { "--env=".to_owned() } else { format!("--env={environment}") }
}

/// Applies the migrations that an environment's database has not seen.
pub fn migrations(project: &Project, node: &Path, environment: &str) -> Command {
    let place = if environment == LOCAL { "--local" } else { "--remote" };
    let mut wrangler = command(project, node);
    wrangler.args(["d1", "migrations", "apply", "DB", &environment_option(environment), place]);
    wrangler
}

/// Runs SQL on an environment's database; the caller adds which.
pub fn execute(project: &Project, node: &Path, environment: &str) -> Command {
    let place = if environment == LOCAL { "--local" } else { "--remote" };
    let mut wrangler = command(project, node);
    wrangler.args(["d1", "execute", "DB", &environment_option(environment), place, "--yes"]);
    wrangler
}

/// The version that an environment runs now, if it runs any.
pub fn deployed_version(project: &Project, node: &Path, environment: &str) -> Option<String> {
    let mut wrangler = command(project, node);
    wrangler.args(["deployments", "status", "--json", &environment_option(environment)]);
    let output = wrangler.output().ok()?;
    first_version(&String::from_utf8_lossy(&output.stdout))
}

/// `"version_id": "…"`, out of JSON.
fn first_version(json: &str) -> Option<String> {
    let (_, rest) = json.split_once("\"version_id\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{environment_option, first_version, headings, size_of_a_whole};

    #[test]
    fn a_bundle_without_a_binding_is_refused() {
        let good = "Total Upload: 1604.97 KiB / gzip: 557.97 KiB\nbindings …";
        assert_eq!(size_of_a_whole(good).expect("whole"), "Total Upload: 1604.97 KiB / gzip: 557.97 KiB");
        let warned = format!("{good}\n- \"d1_databases\" exists at the top level, but not on \"env.staging\".");
        assert!(size_of_a_whole(&warned).is_err());
        assert!(size_of_a_whole("nothing").is_err());
    }

    #[test]
    fn environments_are_read_from_the_headings() {
        assert_eq!(headings("[env.a]\n[env.a.vars]\n[[env.a.d1]]\n  [env.b]\n[other]"), ["a", "b"]);
        assert_eq!(headings(include_str!("../../wrangler.toml")), ["staging", "production"]);
    }

    #[test]
    fn the_running_version_is_read_from_wrangler_s_json() {
        let json = r#"{"id": "d", "versions": [{"version_id": "abc-1", "percentage": 100}]}"#;
        assert_eq!(first_version(json).as_deref(), Some("abc-1"));
        assert_eq!(first_version("This Worker does not exist"), None);
    }

    #[test]
    fn the_local_environment_has_an_empty_name() {
        assert_eq!((environment_option("local").as_str(), environment_option("x").as_str()), ("--env=", "--env=x"));
    }
}
