//! Calls of wrangler: bundle, local schema, local server.
//!
//! Node is started on wrangler's script itself. Its launchers start further processes that outlive them, so that
//! stopping a launcher would leave the server running.

use crate::project::Project;
use crate::{node, steps};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Folder of the deployable bundle.
const BUNDLE: &str = "dist";

/// A wrangler call in the repository.
pub fn command(project: &Project, node: &Path) -> Command {
    let mut command = Command::new(node);
    command.current_dir(&project.root).arg("node_modules/wrangler/bin/wrangler.js").envs(node::QUIET);
    command
}

/// Makes the bundle that a deployment would upload, without uploading it.
pub fn bundle(project: &Project, node: &Path) -> Result<()> {
    let folder = project.path(BUNDLE);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("removing the old bundle")?;
    }
    steps::run_quietly(command(project, node).args(["deploy", "--dry-run", "--env=", "--outdir", BUNDLE])).map(|_| ())
}

/// Brings the local database up to schema.sql, which creates only what is missing. Skipped when nothing changed.
pub fn apply_schema(project: &Project, node: &Path) -> Result<()> {
    let schema = fs::read(project.path("schema.sql")).context("reading schema.sql")?;
    let applied = project.path(".wrangler/state/schema.sql");
    if fs::read(&applied).is_ok_and(|earlier| earlier == schema) {
        return Ok(());
    }
    steps::run_quietly(command(project, node).args([
        "d1",
        "execute",
        "DB",
        "--local",
        "--yes",
        "--file",
        "schema.sql",
    ]))?;
    fs::write(applied, schema).context("noting the applied schema")
}
