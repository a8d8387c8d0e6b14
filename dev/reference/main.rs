//! Writes the documents that follow from the catalog: `cargo run --example reference`. A test fails when they drift.

mod documents;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    // Asked for when it runs: a copied checkout may bring along what was built in the original.
    let checkout = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    for (path, text) in documents::all() {
        let path = checkout.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&checkout))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}
