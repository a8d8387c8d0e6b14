//! The authorization server's rules as a crate of their own: small enough to be built anew for every change of them. That this
//! works is what the layering promises: the rules import two modules and no runtime.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The files of the rules and of their imports, below `src`.
const PARTS: [&str; 3] = ["oauth", "keyring.rs", "model"];
const MODULES: &str = "pub mod keyring;\npub mod model;\npub mod oauth;\n";
const USED: [&str; 16] = [
    "base64",
    "form_urlencoded",
    "hmac",
    "http",
    "idna_adapter",
    "jiff",
    "serde",
    "serde_json",
    "sha2",
    "strum",
    "subtle",
    "thiserror",
    "unicode-general-category",
    "unicode-normalization",
    "unicode-properties",
    "url",
];

/// Writes the crate below `target` and says where it is.
pub fn write(project: &Path) -> io::Result<PathBuf> {
    let folder = project.join("target/rules");
    if folder.join("src").exists() {
        fs::remove_dir_all(folder.join("src"))?;
    }
    fs::create_dir_all(folder.join("src"))?;
    for part in PARTS {
        copy(&project.join("src").join(part), &folder.join("src").join(part))?;
    }
    fs::write(folder.join("src/lib.rs"), MODULES)?;
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("Cargo.toml"), manifest(&fs::read_to_string(project.join("Cargo.toml"))?))?;
    Ok(folder)
}

/// The versions are the project's own lines.
fn manifest(project: &str) -> String {
    let is_used = |line: &&str| line.split_once(" = ").is_some_and(|(name, _)| USED.contains(&name));
    let dependencies: Vec<&str> = project.lines().filter(is_used).collect();
    format!(
        "[package]\nname = \"statibeat-mcp\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\n{}\n[profile.dev]\ndebug = false\n[profile.dev.package.idna_adapter]\ndebug-assertions = false\n",
        dependencies.join("\n")
    )
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
