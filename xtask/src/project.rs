//! Where things are: the checkout, its build folders, the programs that are built from it.

use crate::process::run;
use anyhow::{Context, Result, ensure};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Table;

/// The workspace's root package; a folder whose Cargo.toml names it is a checkout.
pub const PACKAGE: &str = "statibeat-mcp";

/// A checkout.
pub struct Project {
    pub root: PathBuf,
    /// Cargo's build folder.
    pub target: PathBuf,
}

impl Project {
    /// The checkout around the current folder. Never the one that this program was built in: in a copied checkout that would be
    /// the original.
    pub fn find() -> Result<Self> {
        let folder = env::current_dir().context("the current folder is gone")?;
        let root = folder.ancestors().find(|folder| is_checkout(folder)).map(Path::to_path_buf);
        ensure!(
            root.is_some(),
            "{} is not inside a checkout of {PACKAGE}: change to one and run this again. Nothing was changed.",
            folder.display()
        );
        let root = root.unwrap_or(folder);
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Self { root, target })
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A cargo call in the checkout; the same cargo that runs this tool.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        command
    }

    /// Builds programs of the workspace.
    pub fn build_programs(&self, names: &[&str]) -> Result<()> {
        let mut cargo = self.cargo(&["build", "--locked", "--quiet", "--workspace"]);
        run(cargo.args(names.iter().flat_map(|name| ["--bin", name])))
    }

    /// A program of the workspace, as `cargo build` leaves it.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

fn is_checkout(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let manifest = manifest.parse::<Table>().unwrap_or_default();
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    // The mutation tests write packages of the same name, which have no build tool.
    name == Some(PACKAGE) && folder.join("xtask").is_dir()
}
