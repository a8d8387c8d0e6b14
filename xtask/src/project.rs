//! Where things are: the checkout, its build folders, the programs that are built from it.

use crate::process::run;
use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use toml::Table;

/// The workspace's root package; a folder whose Cargo.toml names it is a checkout.
pub const PACKAGE: &str = "statibeat-mcp";

/// Variables that `cargo run` sets about the package of the program.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

pub struct Project {
    pub root: PathBuf,
    pub target: PathBuf,
    pub tool: Tool,
}

/// The file of this program as it was at the start. Another npm command in the checkout may build it anew while this one runs; from then on
/// the system names a file that is gone, and this path is the new one's.
pub struct Tool {
    pub path: PathBuf,
    pub built_at: SystemTime,
}

impl Project {
    /// The checkout around the current folder. Never the one that this program was built in: in a copied checkout that would be
    /// the original.
    pub fn find() -> Result<Self> {
        Self::around(&env::current_dir().context("the current folder is gone")?)
    }

    fn around(folder: &Path) -> Result<Self> {
        let root = folder.ancestors().find(|folder| is_checkout(folder)).with_context(|| {
            let folder = folder.display();
            format!(
                "{folder} is not inside a checkout of {PACKAGE}: change to one and run this again. Nothing was changed."
            )
        })?;
        let root = root.to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Self::new(root, target)
    }

    pub fn new(root: PathBuf, target: PathBuf) -> Result<Self> {
        let path = env::current_exe().context("finding this program's own file")?;
        let built_at =
            fs::metadata(&path).and_then(|file| file.modified()).with_context(|| path.display().to_string())?;
        Ok(Self { root, target, tool: Tool { path, built_at } })
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A cargo call in the checkout; the same cargo that runs this tool. What cargo told this tool about its own package stays here:
    /// some build scripts read it, and they and all that needs them would be built anew by each command from inside and outside.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| OF_THIS_PACKAGE.iter().any(|start| name.starts_with(start))) {
                command.env_remove(name);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::{PACKAGE, Project};
    use crate::node;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use walkdir::WalkDir;

    #[test]
    fn copied_checkout_is_found_and_another_package_of_the_name_is_refused() {
        let copy = std::env::temp_dir().join(format!("statibeat-copy-{}", std::process::id()));
        let rules = copy.join("target/rules/src");
        for folder in [copy.join("xtask/src"), rules.clone()] {
            fs::create_dir_all(folder).expect("a folder");
        }
        for folder in [&copy, &copy.join("target/rules")] {
            fs::write(folder.join("Cargo.toml"), format!("[package]\nname = \"{PACKAGE}\"\n")).expect("a manifest");
        }
        for inside in [copy.join("xtask/src"), rules] {
            assert_eq!(Project::around(&inside).expect("a checkout").root, copy);
        }
        fs::remove_dir_all(copy.join("xtask")).expect("removed");
        let error = Project::around(&copy).err().expect("no checkout").to_string();
        assert!(error.contains("is not inside a checkout of statibeat-mcp"), "{error}");
        fs::remove_dir_all(copy).expect("removed");
    }

    #[test]
    fn cargo_hears_nothing_of_the_package_that_calls_it() {
        let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this test"));
        let project = Project::around(&root).expect("a checkout");
        let call = project.cargo(&["build"]);
        let removed: Vec<_> = call.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION_MAJOR"] {
            assert!(removed.iter().any(|removed| *removed == name), "{name}: {removed:?}");
        }
    }

    /// Marks the process in which the test below loses its own file.
    const LOSES_ITS_FILE: &str = "LOSES_ITS_FILE";

    /// Stands for another npm command that builds the tool anew: cargo removes the file, then puts the new one in its place.
    #[test]
    #[cfg(unix)]
    fn tool_that_is_built_anew_while_it_runs_is_still_found() {
        if std::env::var_os(LOSES_ITS_FILE).is_some() {
            let path = std::env::current_exe().expect("a path");
            let project = Project::new("/".into(), "/".into()).expect("a project");
            fs::remove_file(&path).expect("removed");
            let command = node::command(&project, Path::new("node"));
            let named = command.get_envs().find(|(name, _)| *name == node::XTASK).and_then(|(_, value)| value);
            assert_eq!(named, Some(path.as_os_str()));
            return;
        }
        let copy = std::env::temp_dir().join(format!("statibeat-tool-{}", std::process::id()));
        fs::copy(std::env::current_exe().expect("a path"), &copy).expect("copied");
        let test = "project::tests::tool_that_is_built_anew_while_it_runs_is_still_found";
        let output = Command::new(&copy).args([test, "--exact"]).env(LOSES_ITS_FILE, "1").output().expect("started");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
        fs::remove_file(&copy).expect_err("it has removed itself");
    }

    /// A copied checkout brings along what was built in the original, and cargo sees no reason to build it anew.
    #[test]
    fn no_source_has_the_folder_built_in_that_it_was_compiled_in() {
        const FOLDERS: [&str; 4] = ["MANIFEST_DIR", "BIN_EXE_", "TARGET_TMPDIR", "WORKSPACE_DIR"];
        let sources = ["src", "tests", "dev", "fuzz", "xtask"].map(|part| WalkDir::new(format!("../{part}")));
        let sources = sources.into_iter().flatten().map(|entry| entry.expect("an entry").into_path());
        let sources: Vec<PathBuf> = sources.filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect();
        assert!(sources.len() > 100);
        let has_folder = |path: &&PathBuf| {
            let text = fs::read_to_string(path).unwrap_or_default();
            FOLDERS.iter().any(|name| text.contains(&format!("env!(\"CARGO_{name}")))
        };
        let found: Vec<&PathBuf> = sources.iter().filter(has_folder).collect();
        assert!(found.is_empty(), "read the variable with std::env::var_os when the program runs: {found:?}");
    }
}
