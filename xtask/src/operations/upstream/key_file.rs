//! The key that the checks are signed with, in a file.

use anyhow::{Context, Result};
use statibeat_contract::Signer;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Reads the key, or makes one; says whether it is new.
pub fn open(path: &Path) -> Result<(Signer, bool)> {
    if path.exists() {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let signer =
            Signer::parse(ring_in(&text)).with_context(|| format!("{} is not kid:base64url(seed)", path.display()))?;
        return Ok((signer, false));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let text = format!("upstream-check:{}", crate::operations::key_rings::random());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("creating {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
    Ok((Signer::parse(&text).context("a fresh key")?, true))
}

/// The key ring in a file that holds nothing else, or in the `.dev.vars` of a local start.
fn ring_in(text: &str) -> &str {
    let line = text.lines().find_map(|line| line.strip_prefix("HOSTED_MCP_ASSERTION_KEYS="));
    line.unwrap_or(text).trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::open;
    use std::path::Path;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = std::env::temp_dir().join(format!("statibeat-check-{}", std::process::id()));
        let path = Path::new(&folder).join("check.key");
        let (made, is_new) = open(&path).expect("a key");
        let (read, is_new_again) = open(&path).expect("a key");
        assert!(is_new && !is_new_again);
        assert_eq!(made.key_set(), read.key_set());
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, format!("OTHER=\"x\"\nHOSTED_MCP_ASSERTION_KEYS=\"{text}\"\n")).expect("written");
        assert_eq!(open(&path).expect("a local start's file").0.key_set(), made.key_set());
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
