//! The build tool acts on the checkout around the current folder, wherever it was built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("statibeat-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    /// What stands for a checkout with the state of an earlier start.
    fn checkout(name: &str) -> Self {
        let folder = Self::new(name);
        fs::create_dir_all(folder.0.join("xtask/src")).expect("a folder");
        fs::create_dir_all(folder.0.join(".wrangler/state")).expect("a folder");
        fs::write(folder.0.join("Cargo.toml"), "[package]\nname = \"statibeat-mcp\"\n").expect("a manifest");
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn xtask(folder: &Path, arguments: &[&str]) -> Output {
    let program = env::var_os("CARGO_BIN_EXE_xtask").expect("cargo names the program");
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).env_remove("CARGO_TARGET_DIR").output().expect("it runs")
}

#[test]
fn copied_checkout_is_reset_and_the_original_is_not() {
    let copy = Folder::checkout("copy");
    let output = xtask(&copy.0.join("xtask/src"), &["reset"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!copy.0.join(".wrangler").exists(), "the copy keeps its state: {output:?}");
    assert!(copy.0.join("target").exists(), "the lock is the copy's");
}

#[test]
fn command_outside_a_checkout_is_refused() {
    let folder = Folder::new("outside");
    // The mutation tests write such packages.
    fs::write(folder.0.join("Cargo.toml"), "[package]\nname = \"statibeat-mcp\"\n").expect("a manifest");
    fs::create_dir_all(folder.0.join(".wrangler")).expect("a folder");
    let output = xtask(&folder.0, &["reset"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("is not inside a checkout of statibeat-mcp"), "{error}");
    assert!(folder.0.join(".wrangler").exists());
}

/// A copied checkout brings along what was built in the original, and cargo sees no reason to build it anew.
#[test]
fn no_program_and_no_test_has_the_folder_built_in_that_it_was_compiled_in() {
    const FOLDERS: [&str; 4] = ["MANIFEST_DIR", "BIN_EXE_", "TARGET_TMPDIR", "WORKSPACE_DIR"];
    let mut files = Vec::new();
    for part in ["src", "tests", "dev", "fuzz", "xtask"] {
        find_sources(&Path::new("..").join(part), &mut files);
    }
    assert!(files.len() > 100);
    let has_it = |file: &&PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        FOLDERS.iter().any(|name| text.contains(&format!("env!(\"CARGO_{name}")))
    };
    let found: Vec<&PathBuf> = files.iter().filter(has_it).collect();
    assert!(found.is_empty(), "read the variable with std::env::var_os when the program runs: {found:?}");
}

fn find_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && !entry.ends_with("target") {
            find_sources(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}
