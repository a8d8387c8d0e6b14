//! Calls of wrangler: bundle, migrations, SQL, secrets, deployed version.
//!
//! Node is started on wrangler's script itself. Its launchers start further processes that outlive them, so that
//! stopping a launcher would leave the server running.

use crate::files::remove_folder;
use crate::node;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The local environment, in our own commands; wrangler has no name for it.
pub const LOCAL: &str = "local";

/// Wrangler's warning when an environment lacks a binding that the local one has.
const FORGOTTEN_BINDING: &str = "exists at the top level, but not on";

pub struct Wrangler<'a> {
    project: &'a Project,
    pub node: PathBuf,
}

impl<'a> Wrangler<'a> {
    /// Installs the npm packages where they are missing.
    pub fn new(project: &'a Project) -> Result<Self> {
        Ok(Self { project, node: node::require(project)? })
    }

    /// A call for an environment, in the repository.
    pub fn command(&self, arguments: &[&str], environment: &str) -> Command {
        let mut command = node::command(self.project, &self.node);
        command.arg("node_modules/wrangler/bin/wrangler.js");
        // Without an empty name for the local one, wrangler warns that there are several environments.
        let name = if environment == LOCAL { "" } else { environment };
        command.arg(format!("--env={name}")).args(arguments);
        command
    }

    /// Makes the bundle that a deployment would upload, without uploading it. Returns the line that tells its size.
    /// Workers of the tests run the local environment's, in `dist/`.
    pub fn bundle(&self, environment: &str) -> Result<String> {
        let folder = match environment {
            LOCAL => self.project.root.join("dist"),
            other => self.project.target.join("bundles").join(other),
        };
        remove_folder(&folder)?;
        let mut wrangler = self.command(&["deploy", "--dry-run", "--outdir"], environment);
        let output = wrangler.arg(&folder).stdin(Stdio::null()).output().context("wrangler did not start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "wrangler cannot bundle the worker:\n{text}");
        bundle_size(&text)
    }

    /// Applies the migrations that an environment's database has not seen.
    pub fn migrate(&self, environment: &str) -> Command {
        self.command(&["d1", "migrations", "apply", "DB", place(environment)], environment)
    }

    /// Lists the migrations that an environment's database has not seen.
    pub fn list_migrations(&self, environment: &str) -> Command {
        self.command(&["d1", "migrations", "list", "DB", place(environment)], environment)
    }

    /// Runs SQL on an environment's database.
    pub fn execute(&self, environment: &str, sql: &str) -> Command {
        self.command(&["d1", "execute", "DB", place(environment), "--yes", "--command", sql], environment)
    }

    /// Runs an SQL file of the repository on an environment's database.
    pub fn execute_file(&self, environment: &str, path: &str) -> Command {
        self.command(&["d1", "execute", "DB", place(environment), "--yes", "--file", path], environment)
    }

    /// The version that an environment runs now, if it runs any.
    pub fn deployed_version(&self, environment: &str) -> Option<String> {
        let output = self.command(&["deployments", "status", "--json"], environment).output().ok()?;
        first_version(&String::from_utf8_lossy(&output.stdout))
    }
}

fn place(environment: &str) -> &'static str {
    if environment == LOCAL { "--local" } else { "--remote" }
}

/// The size, from wrangler's output about a bundle with all bindings.
fn bundle_size(output: &str) -> Result<String> {
    ensure!(!output.contains(FORGOTTEN_BINDING), "wrangler misses a binding:\n{output}");
    let size = output.lines().find(|line| line.starts_with("Total Upload:"));
    Ok(size.context("wrangler did not tell the bundle's size")?.to_owned())
}

fn first_version(status: &str) -> Option<String> {
    let status: Value = serde_json::from_str(status).ok()?;
    status["versions"][0]["version_id"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{bundle_size, first_version};

    #[test]
    fn bundle_without_a_binding_is_refused() {
        let good = "Total Upload: 1604.97 KiB / gzip: 557.97 KiB\nbindings …";
        assert_eq!(bundle_size(good).expect("whole"), "Total Upload: 1604.97 KiB / gzip: 557.97 KiB");
        let warned = format!("{good}\n- \"d1_databases\" exists at the top level, but not on \"env.staging\".");
        assert!(bundle_size(&warned).is_err());
        assert!(bundle_size("nothing").is_err());
    }

    #[test]
    fn running_version_is_read_from_wranglers_json() {
        let json = r#"{"id": "d", "versions": [{"version_id": "abc-1", "percentage": 100}]}"#;
        assert_eq!(first_version(json).as_deref(), Some("abc-1"));
        assert_eq!(first_version("This Worker does not exist"), None);
    }
}
