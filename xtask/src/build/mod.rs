//! `npm run build`: cargo, then wasm-bindgen as a library, into `build/`.
//!
//! Nothing is downloaded besides crates: the wasm-bindgen command line tool and wasm-opt are not needed (wasm-opt
//! makes the compressed size, the one that counts, 11 % larger: with Binaryen 132, both -Oz and -O2, while the module itself
//! shrinks by 9 and 6 %).

mod order;
pub mod page_server;
mod remap;
mod similar;
mod watched;
pub mod weights;

use crate::files::remove_folder;
use crate::process::{run, run_quietly, step};
use crate::project::{PACKAGE, Project};
use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use wasm_bindgen_cli_support::Bindgen;

pub use watched::{WATCHING, WRANGLER_COMMAND};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The profile of Cargo.toml that compiles quickest.
const DEV_PROFILE: &str = "wasm-dev";

#[derive(Args, Default)]
pub struct Options {
    /// Skip optimization and keep function names: quicker to build, readable stacks, several times larger.
    #[arg(long)]
    dev: bool,
    /// The environment that wrangler deploys; wrangler.toml passes it, and the deployment's checks run first.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
}

impl Options {
    pub fn quick() -> Self {
        Self { dev: true, env: None }
    }
}

/// Builds as `npm run build` is asked to: completely, or quickly under `wrangler dev`.
pub fn run_command(project: &Project, options: &Options) -> Result<()> {
    if watched::is_asked_for() { watched::build(project) } else { build(project, options) }
}

/// Builds `build/index.js` and `build/index_bg.wasm`, and prints the size on the last line.
pub fn build(project: &Project, options: &Options) -> Result<()> {
    require_target(project, WASM_TARGET)?;
    let profile = if options.dev { DEV_PROFILE } else { "release" };
    let wasm = step("compile the library to wasm", || compile(project, PACKAGE, profile))?;
    let folder = project.path("build");
    // Wrangler builds once more before each bundle.
    let stamp = format!("{} {:?} {:?}\n", wasm.display(), modified(&wasm)?, project.tool.built_at);
    let stamp_file = folder.join("built-from.txt");
    if let Some(size) = fs::read_to_string(&stamp_file).ok().as_deref().and_then(|text| text.strip_prefix(&stamp)) {
        println!("{size}");
        return Ok(());
    }
    step("generate the JavaScript side", || bind(&wasm, &folder, options.dev))?;
    let bytes = fs::read(folder.join("index_bg.wasm")).context("reading the finished wasm")?;
    let gzipped = if options.dev { String::new() } else { format!(", {} bytes gzipped", gzipped_size(&bytes)?) };
    let size = format!("build/index_bg.wasm: {} bytes{gzipped}", bytes.len());
    println!("{size}");
    fs::write(stamp_file, stamp + &size).context("noting what was built")
}

fn modified(path: &Path) -> Result<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).with_context(|| path.display().to_string())
}

/// Builds another package of ours for the runtime, into a folder of its own below `target/`.
pub fn build_package(project: &Project, package: &str, folder: &Path) -> Result<()> {
    let wasm = compile(project, package, "release")?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    bind(&wasm, folder, false)
}

/// The library as it is shipped, but with the names of its functions; not ready for the runtime.
pub fn compile_with_names(project: &Project) -> Result<PathBuf> {
    compile(project, PACKAGE, "release")
}

/// Adds a target to the toolchain when it is missing.
fn require_target(project: &Project, target: &str) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let print = ["--print", "target-libdir", "--target", target];
    let libraries = run_quietly(rustc.current_dir(&project.root).args(print))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    step(&format!("install the target {target}"), || {
        run(Command::new("rustup").current_dir(&project.root).args(["target", "add", target]))
    })
}

/// Compiles a library with a profile of Cargo.toml.
fn compile(project: &Project, package: &str, profile: &str) -> Result<PathBuf> {
    run(&mut compiler(project, package, profile)?)?;
    Ok(compiled_file(project, package, profile))
}

fn compiler(project: &Project, package: &str, profile: &str) -> Result<Command> {
    let mut cargo = project.cargo(&["build", "--locked", "--lib", "--target", WASM_TARGET]);
    cargo.args(["--package", package, "--profile", profile]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remap::encoded_rustflags(project)?);
    Ok(cargo)
}

fn compiled_file(project: &Project, package: &str, profile: &str) -> PathBuf {
    project.target.join(WASM_TARGET).join(profile).join(format!("{}.wasm", package.replace('-', "_")))
}

fn bind(wasm: &Path, folder: &Path, dev: bool) -> Result<()> {
    swap(folder, |draft| {
        let mut bindgen = Bindgen::new();
        bindgen
            .input_path(wasm)
            .out_name("index")
            .typescript(false)
            .debug(dev)
            .remove_producers_section(true)
            // Both let src/cloudflare/entry.mjs replace an instance that a panic has killed.
            .reset_state_function(true)
            .force_enable_abort_handler(true);
        bindgen.module(true)?;
        bindgen.generate(draft).context("wasm-bindgen")?;
        import_compiled_module(&draft.join("index.js"))?;
        if !dev {
            let module = draft.join("index_bg.wasm");
            let arranged = order::arrange(&fs::read(&module).context("reading wasm-bindgen's module")?)?;
            fs::write(&module, arranged).context("writing the reordered module")?;
        }
        Ok(())
    })
}

/// Fills a new folder, then puts it in the place of the old one: a watching wrangler never sees half a build.
fn swap(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let draft = folder.with_extension("new");
    remove_folder(&draft)?;
    fill(&draft)?;
    remove_folder(folder)?;
    fs::rename(&draft, folder).context("moving the build into place")
}

/// The runtime hands out a compiled module as a plain default import, not as a source phase import.
fn import_compiled_module(script: &Path) -> Result<()> {
    const SOURCE_PHASE: &str = "import source wasmModule from";
    let text = fs::read_to_string(script).context("reading wasm-bindgen's script")?;
    ensure!(text.contains(SOURCE_PHASE), "wasm-bindgen writes another kind of import now; see xtask/src/build/mod.rs");
    fs::write(script, text.replace(SOURCE_PHASE, "import wasmModule from")).context("writing the script")
}

fn gzipped_size(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
