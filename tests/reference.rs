//! The documents that follow from the catalog say what the catalog says, and registries take those that are for them.

#[path = "support/accepted.rs"]
mod accepted;
#[path = "../dev/reference/documents.rs"]
mod documents;

use documents::{listed_addresses, listing};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Published by the registry as <https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json>, copied as it is.
const REGISTRY_SCHEMA: &str = include_str!("registry/server.schema.json");
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

#[test]
fn the_documents_are_as_the_command_writes_them() {
    for (path, text) in documents::all() {
        accepted::check_file(&path, &text);
    }
}

#[test]
fn folder_of_plugins_has_no_file_that_the_command_does_not_write() {
    let written: BTreeSet<String> =
        documents::all().into_iter().map(|(path, _)| path).filter(|path| path.starts_with("plugins/")).collect();
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new("plugins").to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.to_str().expect("text").replace('\\', "/"));
            }
        }
    }
    assert_eq!(found, written);
}

/// A file of an environment, as JSON.
fn listed(environment: &str, path: &str) -> Value {
    let files = listing::files(&listed_addresses(environment));
    let (_, text) = files.iter().find(|(known, _)| known == path).unwrap_or_else(|| panic!("no {path}"));
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn registry_entry_of_every_environment_fits_the_registrys_schema_and_has_a_fixed_address() {
    let schema: Value = serde_json::from_str(REGISTRY_SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for environment in ENVIRONMENTS {
        let server = listed(environment, "server.json");
        let problems: Vec<String> = validator.iter_errors(&server).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{environment}: {problems:?}");
        assert_eq!(server["$schema"], schema["$id"]);
        let url = format!("{}/mcp", listed_addresses(environment).public_url);
        assert_eq!(server["remotes"], serde_json::json!([{ "type": "streamable-http", "url": url }]));
        // The registry takes nothing but exact versions.
        assert!(server["version"].as_str().is_some_and(|text| text.split('.').all(|part| part.parse::<u32>().is_ok())));
    }
}

#[test]
fn every_plugin_manifest_leads_to_the_connector_and_to_files_that_are_there() {
    for environment in ENVIRONMENTS {
        let url = format!("{}/mcp", listed_addresses(environment).public_url);
        for path in ["plugins/statibeat/.mcp.json", "plugins/statibeat/mcp.json"] {
            assert_eq!(listed(environment, path)["mcpServers"]["statibeat"]["url"], url, "{path}");
        }
    }
    for host in [".claude-plugin", ".cursor-plugin", ".codex-plugin"] {
        let manifest = listed("production", &format!("plugins/statibeat/{host}/plugin.json"));
        assert_eq!(
            (&manifest["name"], &manifest["version"]),
            (&Value::from("statibeat"), &Value::from(env!("CARGO_PKG_VERSION")))
        );
        for member in ["skills", "mcpServers"] {
            if let Some(path) = manifest[member].as_str() {
                assert!(Path::new("plugins/statibeat").join(path).exists(), "{host}: {path}");
            }
        }
    }
    for (path, source) in [
        ("plugins/.claude-plugin/marketplace.json", "/plugins/0/source"),
        ("plugins/.cursor-plugin/marketplace.json", "/plugins/0/source"),
        ("plugins/.agents/plugins/marketplace.json", "/plugins/0/source/path"),
    ] {
        let catalog = listed("production", path);
        let source = catalog.pointer(source).and_then(Value::as_str).expect("a source");
        assert!(Path::new("plugins").join(source).join("plugin.json").is_file(), "{path}: {source}");
        // Codex describes the plugin alone; without a description, `claude plugin validate --strict` fails.
        let is_described = catalog["metadata"]["description"].is_string();
        assert!(is_described || path.contains(".agents"), "{path}");
    }
}
