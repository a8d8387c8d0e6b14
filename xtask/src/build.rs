//! `cargo xtask build`: cargo, then wasm-bindgen as a library, into `build/`.
//!
//! Nothing is downloaded besides crates: the wasm-bindgen command line tool and wasm-opt are not needed (wasm-opt
//! makes the compressed size, the one that counts, slightly larger).

use crate::project::{Project, WASM_TARGET};
use crate::remap;
use crate::steps::{self, step};
use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

/// The package that is shipped.
const PACKAGE: &str = "statibeat-mcp";

/// A profile of Cargo.toml, and the folder that its artifacts go to.
#[derive(Clone, Copy)]
struct Profile {
    name: &'static str,
    folder: &'static str,
}

const DEV: Profile = Profile { name: "dev", folder: "debug" };
const RELEASE: Profile = Profile { name: "release", folder: "release" };
const NAMED: Profile = Profile { name: "named", folder: "named" };

#[derive(Args)]
pub struct Options {
    /// Skip optimization and keep function names: quicker to build, readable stacks, several times larger.
    #[arg(long)]
    pub dev: bool,
}

/// Builds `build/index.js` and `build/index_bg.wasm`, and tells the size on the last line.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    require_target(project, WASM_TARGET)?;
    let wasm =
        step("compile the library to wasm", || compile(project, PACKAGE, if options.dev { DEV } else { RELEASE }))?;
    let folder = step("generate the JavaScript side", || bind(&wasm, &project.path("build"), options.dev))?;
    let bytes = fs::read(folder.join("index_bg.wasm")).context("reading the finished wasm")?;
    println!("build/index_bg.wasm: {} bytes, {} bytes gzipped", bytes.len(), gzipped_size(&bytes)?);
    Ok(())
}

/// Builds another package of ours for the runtime, into a folder of its own below `target/`.
pub fn package(project: &Project, package: &str, folder: &Path) -> Result<()> {
    let wasm = compile(project, package, RELEASE)?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    bind(&wasm, folder, false).map(drop)
}

/// Adds a target to the toolchain when it is missing.
pub fn require_target(project: &Project, target: &str) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let print = ["--print", "target-libdir", "--target", target];
    let libraries = steps::run_quietly(rustc.current_dir(&project.root).args(print))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    step(&format!("install the target {target}"), || {
        steps::run(Command::new("rustup").current_dir(&project.root).args(["target", "add", target]))
    })
}

/// The library as it is shipped, but with the names of its functions; not ready for the runtime.
pub fn compiled_with_names(project: &Project) -> Result<PathBuf> {
    compile(project, PACKAGE, NAMED)
}

fn compile(project: &Project, package: &str, profile: Profile) -> Result<PathBuf> {
    let mut cargo = project.cargo();
    cargo.args([
        "build",
        "--locked",
        "--package",
        package,
        "--lib",
        "--target",
        WASM_TARGET,
        "--profile",
        profile.name,
    ]);
    let artifact = format!("{}.wasm", package.replace('-', "_"));
    steps::run(cargo.env("CARGO_ENCODED_RUSTFLAGS", remap::encoded_rustflags(project)?))?;
    Ok(project.target.join(WASM_TARGET).join(profile.folder).join(artifact))
}

/// Writes next to the folder first and swaps at the end: a watching wrangler never sees half a build.
fn bind(wasm: &Path, folder: &Path, dev: bool) -> Result<PathBuf> {
    let (finished, draft) = (folder.to_path_buf(), folder.with_extension("new"));
    remove_folder(&draft)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("index")
        .typescript(false)
        .debug(dev)
        .remove_name_section(!dev)
        .remove_producers_section(true)
        // Both let src/cloudflare/entry.mjs replace an instance that a panic has killed.
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    bindgen.module(true)?;
    bindgen.generate(&draft).context("wasm-bindgen")?;
    import_compiled_module(&draft.join("index.js"))?;
    remove_folder(&finished)?;
    fs::rename(&draft, &finished).context("moving the build into place")?;
    Ok(finished)
}

/// The runtime hands out a compiled module as a plain default import, not as a source phase import.
fn import_compiled_module(script: &Path) -> Result<()> {
    const SOURCE_PHASE: &str = "import source wasmModule from";
    let text = fs::read_to_string(script).context("reading wasm-bindgen's script")?;
    ensure!(text.contains(SOURCE_PHASE), "wasm-bindgen writes another kind of import now; see xtask/src/build.rs");
    fs::write(script, text.replace(SOURCE_PHASE, "import wasmModule from")).context("writing the script")
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

fn gzipped_size(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
