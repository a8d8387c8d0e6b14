//! Where things are: the repository, its build folders, and the programs that build it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only target that the library is shipped for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The repository this tool was compiled in.
pub struct Project {
    /// Its top folder.
    pub root: PathBuf,
    /// Cargo's build folder.
    pub target: PathBuf,
}

impl Project {
    /// The repository around this tool's own source.
    pub fn here() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Self { root, target }
    }

    /// A path below the top folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A cargo call in the repository; the same cargo that runs this tool.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// The compiled simulator.
    pub fn simulator(&self) -> PathBuf {
        self.program("simulator")
    }

    /// The compiled program for operators.
    pub fn operations(&self) -> PathBuf {
        self.program("operations")
    }

    /// The compiled fixtures of the conformance suite.
    pub fn conformance_fixtures(&self) -> PathBuf {
        self.program("conformance-fixtures")
    }

    /// The compiled page server.
    pub fn page_server(&self) -> PathBuf {
        self.program("statibeat-page-mcp")
    }

    fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}
