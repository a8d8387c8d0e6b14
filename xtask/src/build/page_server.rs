//! `npm run page:build`: the page server as others get it, into `target/page/`.

use super::require_target;
use crate::process::{run, run_quietly, step};
use crate::project::{PACKAGE, Project};
use anyhow::{Context, Result};
use clap::Args;
use clap_complete::Shell;
use sha2::{Digest as _, Sha256};
use std::env::consts::EXE_SUFFIX;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

#[path = "../../../src/bin/statibeat-page-mcp/arguments.rs"]
mod arguments;

const NAME: &str = "statibeat-page-mcp";

#[derive(Args, Default)]
pub struct Options {
    /// Another target than this machine's, such as x86_64-unknown-linux-musl; a C compiler for it must be installed.
    #[arg(long)]
    target: Option<String>,
}

/// Builds it, and prints size and checksum on the last line.
pub fn build(project: &Project, options: &Options) -> Result<()> {
    if let Some(target) = &options.target {
        require_target(project, target)?;
    }
    step("build the page server", || compile(project, options))?;
    let folder = project.target.join("page");
    let program = folder.join(format!("{NAME}{EXE_SUFFIX}"));
    let built = options.target.as_ref().map_or(folder.clone(), |target| project.target.join(target).join("page"));
    if options.target.is_some() {
        fs::create_dir_all(&folder).context("target/page")?;
        // It may be a second name of cargo's own file for this machine, which cargo would then take for what it built.
        if program.exists() {
            fs::remove_file(&program).context("the program of an earlier build")?;
        }
        fs::copy(built.join(format!("{NAME}{EXE_SUFFIX}")), &program).context("the built program")?;
    }
    step("write man page and completions", || documents(project, &folder))?;
    let bytes = fs::read(&program).context("the built program")?;
    let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    fs::write(folder.join("SHA256SUMS"), format!("{sum}  {NAME}{EXE_SUFFIX}\n")).context("SHA256SUMS")?;
    println!("target/page/{NAME}{EXE_SUFFIX}: {} bytes, sha256 {sum}", bytes.len());
    Ok(())
}

fn compile(project: &Project, options: &Options) -> Result<()> {
    let mut cargo = project.cargo(&["build", "--locked", "--profile", "page", "--package", PACKAGE, "--bin", NAME]);
    if let Some(target) = &options.target {
        cargo.args(["--target", target]);
    }
    run(&mut cargo)
}

fn documents(project: &Project, folder: &Path) -> Result<()> {
    let id = run_quietly(&mut project.cargo(&["pkgid", "--locked", "--package", PACKAGE]))?;
    let version = id.trim().rsplit(['#', '@']).next().unwrap_or_default().to_owned();
    let mut command = arguments::command(version.leak(), &statibeat_mcp::page::names::NAMES);
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).context("the man page")?;
    fs::write(folder.join(format!("{NAME}.1")), page).context("the man page")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
        clap_complete::generate_to(shell, &mut command, NAME, folder).with_context(|| format!("for {shell}"))?;
    }
    Ok(())
}
