//! Runs the fuzz target that has the name of this binary under libFuzzer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use statibeat_mcp_fuzz as targets;
use std::path::Path;

const NAME: &str = env!("CARGO_BIN_NAME");

fuzz_target!(init: write_seeds(), |bytes: &[u8]| (targets::find(NAME).run)(bytes));

/// Writes the seeds into the corpus directory of libFuzzer.
fn write_seeds() {
    // Read at run time: a copied checkout may contain binaries that were built in the original one.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| "fuzz".into());
    let corpus = Path::new(&package).join("corpus").join(NAME);
    std::fs::create_dir_all(&corpus).expect("a folder");
    for (at, seed) in (targets::find(NAME).seeds)().iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{at}")), seed).expect("a file");
    }
}
