//! Tables and commands in README and docs agree with the code.

use statibeat_mcp::config::{VARIABLES, Variable};
use statibeat_mcp::page::names::NAMES;

const README: &str = include_str!("../README.md");
const PAGE_SERVER: &str = include_str!("../docs/page-server.md");
const OPERATIONS: &str = include_str!("../docs/operations.md");

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
    assert_eq!(shown, table, "README.md should have this table:\n{table}");
}

#[test]
fn the_operators_table_says_of_every_variable_where_it_comes_from() {
    let rows = OPERATIONS.split("| Name | Comes from | A change |\n|---|---|---|\n").nth(1).expect("a table");
    let rows = rows.lines().take_while(|line| line.starts_with('|'));
    let listed: Vec<&str> = rows.map(|row| row.split('`').nth(1).expect("a name")).collect();
    assert_eq!(listed, VARIABLES.each_ref().map(|variable| variable.name));
}

/// Wherever an npm command is named to somebody, it exists.
#[test]
fn every_npm_command_that_a_document_names_exists() {
    let scripts: serde_json::Value = serde_json::from_str(include_str!("../package.json")).expect("JSON");
    let documents = [README, OPERATIONS, include_str!("../docs/security.md"), include_str!("../docs/upstream.md")];
    for document in documents {
        for command in document.split("npm run ").skip(1) {
            let name: String = command.chars().take_while(|c| c.is_ascii_lowercase() || *c == ':').collect();
            assert!(scripts["scripts"][&name].is_string(), "npm run {name}");
        }
    }
}

#[test]
fn what_a_newcomer_reads_first_fits_one_screen() {
    let lines = README.lines().take_while(|line| *line != "## Configuration").count();
    assert!(lines <= 50, "{lines} lines");
}

#[test]
fn the_page_servers_table_lists_every_setting_as_its_help_does() {
    let table = NAMES.iter().map(|(name, meaning)| format!("| `{name}` | {meaning} |")).collect::<Vec<_>>().join("\n");
    assert!(PAGE_SERVER.contains(&table), "docs/page-server.md should have this table:\n{table}");
}
