//! `dev/operations`, the program that knows configuration, keys and contract; a package of its own, compiled when asked for.

use crate::project::Project;
use crate::steps::{self, step};
use anyhow::Result;
use clap::Args;
use std::process::Command;

/// Arguments that are its own to read.
#[derive(Args)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Compiles it.
pub fn build(project: &Project) -> Result<()> {
    step("build the operator's program", || {
        steps::run(project.cargo().args(["build", "--locked", "--quiet", "--package", "statibeat-operations"]))
    })
}

/// One of its commands, in the repository.
pub fn command(project: &Project, name: &str) -> Command {
    let mut command = Command::new(project.operations());
    command.current_dir(&project.root).arg(name);
    command
}

/// `npm run upstream:check`.
pub fn check_upstream(project: &Project, options: &Options) -> Result<()> {
    build(project)?;
    steps::run(command(project, "upstream").args(&options.arguments))
}

/// `npm run smoke`.
pub fn smoke(project: &Project, options: &Options) -> Result<()> {
    build(project)?;
    steps::run(command(project, "smoke").args(&options.arguments))
}
