//! `.dev.vars`: the secrets of a local start, made once and kept out of git.

use crate::project::Project;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs::{self, OpenOptions};
use std::io::Write;

/// The file that wrangler reads local secrets from.
const FILE: &str = ".dev.vars";

/// The key rings that the worker needs, each with its own key.
const KEY_RINGS: [&str; 4] =
    ["HOSTED_MCP_TAG_KEYS", "HOSTED_MCP_ROTATION_KEYS", "HOSTED_MCP_CLIENT_KEYS", "HOSTED_MCP_ASSERTION_KEYS"];

/// Adds a random key for every ring that the file does not name yet; says whether there was one.
pub fn ensure(project: &Project) -> Result<bool> {
    let path = project.path(FILE);
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    let missing: Vec<&str> = KEY_RINGS.into_iter().filter(|ring| !has(&text, ring)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for ring in missing {
        text.extend([ring, "=\"local-1:", &random_key()?, "\"\n"]);
    }

    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(|| format!("opening {FILE}"))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {FILE}"))?;
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

/// 32 random bytes, as the worker's key rings write them.
fn random_key() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
