//! `npm run acceptance`: runs every test, then says how many assertions of `docs/acceptance.md` are proven.
//!
//! An assertion is proven when every test that the list names beside it has passed in this very run.

use super::{Options, run_levels};
use crate::project::Project;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;

const LIST: &str = "docs/acceptance.md";

/// One row of the list.
#[derive(Debug, PartialEq, Eq)]
struct Assertion<'a> {
    id: &'a str,
    tests: Vec<&'a str>,
}

/// Runs everything and counts. Fails when a test does; what is pending is only counted.
pub fn run(project: &Project) -> Result<()> {
    let list = fs::read_to_string(project.path(LIST)).context(LIST)?;
    let outcome = run_levels(project, &Options::default())?;
    let assertions = read(&list);
    let open: Vec<String> = assertions.iter().filter_map(|assertion| unproven(assertion, &outcome.names)).collect();
    println!();
    for line in &open {
        println!("not proven: {line}");
    }
    println!("{} of {} assertions proven", assertions.len() - open.len(), assertions.len());
    outcome.check()
}

/// The rows of the list's tables: id, sentence, tests in backticks.
fn read(list: &str) -> Vec<Assertion<'_>> {
    list.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Assertion<'_>> {
    let (id, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
    let is_id = id.len() >= 2
        && id.starts_with(|c: char| c.is_ascii_uppercase())
        && id[1..].starts_with(|c: char| c.is_ascii_digit());
    let tests = rest.trim_end_matches(" |").rsplit(" | ").next()?;
    let names = if tests.starts_with('`') {
        tests.split("<br>").map(|name| name.trim_matches('`')).collect()
    } else {
        Vec::new()
    };
    is_id.then_some(Assertion { id, tests: names })
}

/// Why an assertion is not proven; `None`: it is.
fn unproven(assertion: &Assertion<'_>, passed: &BTreeSet<String>) -> Option<String> {
    if assertion.tests.is_empty() {
        return Some(format!("{}: no test yet", assertion.id));
    }
    let missing = assertion.tests.iter().find(|name| !passed.contains(**name))?;
    Some(format!("{}: {missing} did not pass", assertion.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_with_an_id_are_assertions() {
        let list = "# Title\n| id | what | tests |\n|---|---|---|\n| A1 | one | `a::b`<br>`it works (A1)` |\n| X3 | later | pending: x |\n";
        let expected =
            [Assertion { id: "A1", tests: vec!["a::b", "it works (A1)"] }, Assertion { id: "X3", tests: vec![] }];
        assert_eq!(read(list), expected);
    }

    #[test]
    fn an_assertion_is_proven_when_all_its_tests_have_passed() {
        let assertion = Assertion { id: "A1", tests: vec!["a", "b"] };
        let passed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(unproven(&assertion, &passed(&["a", "b", "c"])), None);
        assert_eq!(unproven(&assertion, &passed(&["a"])), Some("A1: b did not pass".into()));
        assert!(unproven(&Assertion { id: "X3", tests: vec![] }, &passed(&[])).is_some());
    }
}
