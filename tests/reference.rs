//! The documents that follow from the catalog say what the catalog says.

#[path = "support/accepted.rs"]
mod accepted;
#[path = "../dev/reference/documents.rs"]
mod documents;

use serde_json::Value;

#[test]
fn the_documents_are_as_the_command_writes_them() {
    for (path, text) in documents::all() {
        accepted::check_file(path, &text);
    }
}

/// The limits of the registry's schema that our texts could break.
#[test]
fn the_registry_would_take_the_entry() {
    let [_, (_, server), _] = documents::all();
    let server: Value = serde_json::from_str(&server).expect("JSON");
    let text = |name: &str| server[name].as_str().unwrap_or_default();
    assert!((1..=100).contains(&text("description").chars().count()) && (1..=100).contains(&text("title").len()));
    assert_eq!(text("name").matches('/').count(), 1);
    assert!(text("version").split('.').all(|part| part.parse::<u32>().is_ok()));
}
