//! The build that `wrangler dev` asks for, at its start and after each change in `src/`: quick, and never without an answer.
//!
//! Wrangler serves nothing while its build command runs, and nothing more once the command has failed. A library that does not compile
//! is therefore replaced by a module that answers every request with the compiler's errors, until the next change.

use super::{DEV_PROFILE, PACKAGE, WASM_TARGET, bind, compiled_file, compiler, require_target, swap};
use crate::node::XTASK;
use crate::project::Project;
use crate::start::missing_parts;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

/// The variable in which wrangler tells its build command which of its own commands runs.
pub const WRANGLER_COMMAND: &str = "WRANGLER_COMMAND";

/// The command of wrangler that watches the source; every other one deploys or uploads.
pub const WATCHING: &str = "dev";

pub fn is_asked_for() -> bool {
    env::var(WRANGLER_COMMAND).is_ok_and(|command| command == WATCHING)
}

/// Builds, and prints how long it took or why the library does not compile. Where a person started wrangler itself, prints what
/// `npm start` would have done for them.
pub fn build(project: &Project) -> Result<()> {
    let started = Instant::now();
    require_target(project, WASM_TARGET)?;
    let folder = project.path("build");
    let output = compiler(project, PACKAGE, DEV_PROFILE)?.arg("--quiet").output().context("cargo did not start")?;
    if output.status.success() {
        bind(&compiled_file(project, PACKAGE, DEV_PROFILE), &folder, true)?;
        println!("rebuilt in {:.1} s", started.elapsed().as_secs_f64());
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        answer_with(&errors, &folder)?;
        println!("{errors}\nThe library does not compile; until it does, every request gets 500 with these errors.");
    }
    if env::var_os(XTASK).is_none() {
        for part in missing_parts(project) {
            println!("{part}");
        }
    }
    Ok(())
}

/// Replaces the build by a module with the same exports.
fn answer_with(errors: &str, folder: &Path) -> Result<()> {
    let text = serde_json::to_string(&format!("The library does not compile.\n\n{errors}"))?;
    let module = format!(
        "const errors = {text};
const headers = JSON.stringify({{ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }});
export const handleRequest = (number) => statibeat.finish(number, 500, headers, new TextEncoder().encode(errors));
export const scheduled = () => console.error(errors);
export const prepareInstance = () => {{}};
export const __wbg_reset_state = () => {{}};
export const settle = () => {{}};
export const countTake = () => {{
  throw new Error(errors);
}};
"
    );
    swap(folder, |draft| {
        fs::create_dir_all(draft).with_context(|| format!("making {}", draft.display()))?;
        fs::write(draft.join("index.js"), module).context("writing the errors")
    })
}

#[cfg(test)]
mod tests {
    use super::answer_with;
    use std::fs;

    /// The names that a module exports, as its lines begin with them.
    fn exports(module: &str) -> Vec<&str> {
        let names = module.lines().filter_map(|line| line.strip_prefix("export const "));
        names.filter_map(|line| line.split(' ').next()).collect()
    }

    #[test]
    fn module_with_the_compilers_errors_has_every_export_that_the_worker_imports() {
        let folder = std::env::temp_dir().join(format!("statibeat-errors-{}", std::process::id()));
        answer_with("error[E0308]: `\"` and\n${x} in the text", &folder).expect("written");
        let module = fs::read_to_string(folder.join("index.js")).expect("a module");
        fs::remove_dir_all(&folder).expect("removed");
        assert!(module.contains(r#"E0308]: `\"` and\n${x}"#), "{module}");
        let entry = include_str!("../../../src/cloudflare/entry.mjs");
        let mut imported: Vec<&str> = entry.split("wasm.").skip(1).filter_map(|rest| rest.split('(').next()).collect();
        imported.sort_unstable();
        imported.dedup();
        let mut exported = exports(&module);
        exported.sort_unstable();
        assert_eq!(exported, imported);
    }
}
