//! Keeps this machine's folders out of the wasm.
//!
//! Every panic location carries a source path. With these flags the artifact names neither the builder's home nor the
//! checkout, and is the same wherever it is built.

use crate::process::run_quietly;
use crate::project::Project;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// The compiler flags, in the form that `CARGO_ENCODED_RUSTFLAGS` wants.
pub fn encoded_rustflags(project: &Project) -> Result<String> {
    let standard_library = rustc(project, &["--print", "sysroot"])?.trim().to_owned() + "/lib/rustlib/src/rust";
    let version = rustc(project, &["-vV"])?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))
        .context("rustc does not tell its commit")?;

    let mut flags =
        vec![flag(&project.root.to_string_lossy(), "."), flag(&standard_library, &format!("/rustc/{commit}"))];
    for folder in crate_sources()? {
        flags.push(flag(&folder.to_string_lossy(), ""));
    }
    Ok(flags.join("\x1f"))
}

fn flag(from: &str, to: &str) -> String {
    format!("--remap-path-prefix={from}={to}")
}

/// The folders into which cargo unpacks what it downloaded, in a fixed order.
fn crate_sources() -> Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("neither CARGO_HOME nor a home folder is known")?;
    let Ok(entries) = fs::read_dir(home.join("registry/src")) else { return Ok(Vec::new()) };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    Ok(folders)
}

fn rustc(project: &Project, arguments: &[&str]) -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    run_quietly(Command::new(rustc).current_dir(&project.root).args(arguments))
}
