//! `.dev.vars`: the secrets of a local start, made once and kept out of git.

use crate::files::write_secret;
use crate::operations::key_rings::{RINGS, random};
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;

/// The file that wrangler reads local secrets from.
const FILE: &str = ".dev.vars";

/// Adds a random key for every ring that the file does not name yet; says whether there was one.
pub fn ensure(project: &Project) -> Result<bool> {
    let path = project.path(FILE);
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    let missing: Vec<&str> = RINGS.into_iter().map(|(ring, _)| ring).filter(|ring| !has(&text, ring)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for ring in missing {
        text.extend([ring, "=\"local-1:", &random(), "\"\n"]);
    }
    write_secret(&path, &text)?;
    Ok(true)
}

/// Removes the secrets, so that the next start makes new ones.
pub fn remove(project: &Project) -> Result<()> {
    let path = project.path(FILE);
    if path.exists() {
        fs::remove_file(path).with_context(|| format!("removing {FILE}"))?;
    }
    Ok(())
}

fn has(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')))
}
