//! Writes the documents that follow from the catalogue: `cargo run --example reference`. A test fails when they drift.

mod documents;

fn main() -> std::io::Result<()> {
    for (path, text) in documents::all() {
        std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path), text)?;
    }
    Ok(())
}
