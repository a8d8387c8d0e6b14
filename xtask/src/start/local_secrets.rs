//! `.dev.vars`: secrets for `npm start`, generated at the first start and ignored by git.

use crate::files::write_secret;
use crate::operations::key_rings::{RINGS, random};
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;

/// wrangler reads local secrets from this file.
const DEV_VARS: &str = ".dev.vars";

/// Generates a key for each key ring missing from the file. Returns whether any was added.
pub fn add_missing_keys(project: &Project) -> Result<bool> {
    let path = project.path(DEV_VARS);
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    let missing: Vec<&str> =
        RINGS.into_iter().map(|(ring, _)| ring).filter(|ring| !has_variable(&text, ring)).collect();
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

pub fn are_there(project: &Project) -> bool {
    project.path(DEV_VARS).exists()
}

/// Removes the secrets, so that the next start makes new ones.
pub fn remove(project: &Project) -> Result<()> {
    let path = project.path(DEV_VARS);
    if path.exists() {
        fs::remove_file(path).with_context(|| format!("removing {DEV_VARS}"))?;
    }
    Ok(())
}

fn has_variable(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')))
}
