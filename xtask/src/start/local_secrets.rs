//! `.dev.vars`: secrets for `npm start`, generated at the first start and ignored by git.

use crate::files::write_secret;
use crate::operations::key_rings::{RINGS, random};
use crate::project::Project;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
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

/// Replaces the named secrets in the file and keeps everything else.
pub fn store(project: &Project, values: &BTreeMap<&str, String>) -> Result<()> {
    let path = project.path(DEV_VARS);
    let text = fs::read_to_string(&path).unwrap_or_default();
    write_secret(&path, &replace_values(&text, values))
}

fn replace_values(text: &str, values: &BTreeMap<&str, String>) -> String {
    let kept = text.lines().filter(|line| !values.keys().any(|name| has_variable(line, name)));
    let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
    values.iter().fold(kept, |text, (name, value)| format!("{text}{name}=\"{value}\"\n"))
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

#[cfg(test)]
mod tests {
    use super::replace_values;

    #[test]
    fn stored_secrets_replace_their_old_values_and_nothing_else() {
        let text = "# mine\nHOSTED_MCP_CLIENT_KEYS=\"old\"\nHOSTED_MCP_LOG_LEVEL=warn";
        let stored = replace_values(text, &[("HOSTED_MCP_CLIENT_KEYS", "new:x".to_owned())].into());
        assert_eq!(stored, "# mine\nHOSTED_MCP_LOG_LEVEL=warn\nHOSTED_MCP_CLIENT_KEYS=\"new:x\"\n");
    }
}
