//! What the README says of the program is what the program says of itself.

use statibeat_mcp::config::{VARIABLES, Variable};

const README: &str = include_str!("../README.md");

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
fn what_a_newcomer_reads_first_fits_one_screen() {
    let lines = README.lines().take_while(|line| *line != "## Configuration").count();
    assert!(lines <= 50, "{lines} lines");
}
