//! Passed and failed tests, counted from what the test programs print.

use crate::process::start_error;
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[derive(Default)]
pub struct Totals {
    passed: u32,
    failed: u32,
    /// Files in which no test ran: Node counts each as one that passed.
    empty_files: u32,
    /// Also set where a test program did not get as far as counting.
    pub has_failed: bool,
    /// The names of the tests that passed.
    pub names: BTreeSet<String>,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Totals {
    pub fn count_all(&self) -> u32 {
        self.passed + self.failed
    }

    pub fn plus(mut self, other: Self) -> Self {
        self.passed += other.passed;
        self.failed += other.failed;
        self.has_failed |= other.has_failed;
        self.names.extend(other.names);
        self
    }

    /// An error when a test failed.
    pub fn check(&self) -> Result<()> {
        if self.has_failed {
            bail!("not every test passed");
        }
        Ok(())
    }

    /// Runs a test program, showing and reading its output.
    pub fn count(&mut self, command: &mut Command, read: fn(&str, &mut Self)) -> Result<()> {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| start_error(command, &error))?;
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let line = line?;
            println!("{line}");
            read(&line, self);
        }
        self.has_failed |= !child.wait()?.success();
        Ok(())
    }
}

/// `test a::b ... ok`, and `test result: ok. 12 passed; 0 failed; …`, once per test binary.
pub fn read_cargo(line: &str, totals: &mut Totals) {
    let passed = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... ok"));
    totals.names.extend(passed.map(str::to_owned));
    if !line.starts_with("test result: ") {
        return;
    }
    for part in line.split([';', '.']) {
        match part.trim().split_once(' ') {
            Some((number, "passed")) => totals.passed += number.parse().unwrap_or(0),
            Some((number, "failed")) => totals.failed += number.parse().unwrap_or(0),
            _ => {}
        }
    }
}

/// `✔ a test (12.3ms)`, and `ℹ pass 7` and `ℹ fail 0` at the end.
pub fn read_node(line: &str, totals: &mut Totals) {
    let passed = line.trim_start().strip_prefix("✔ ").and_then(|rest| rest.rsplit_once(" ("));
    match passed {
        Some((name, _)) if name.ends_with(".test.mjs") => totals.empty_files += 1,
        passed => totals.names.extend(passed.map(|(name, _)| name.to_owned())),
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["ℹ", what, number] = words[..] else { return };
    match (what, number.parse::<u32>()) {
        ("pass", Ok(number)) => totals.passed += number.saturating_sub(std::mem::take(&mut totals.empty_files)),
        ("fail" | "cancelled", Ok(number)) => totals.failed += number,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Totals, read_cargo, read_node};

    fn read(lines: &[&str], read: fn(&str, &mut Totals)) -> Totals {
        let mut totals = Totals::default();
        for line in lines {
            read(line, &mut totals);
        }
        totals
    }

    #[test]
    fn totals_of_cargo_add_up() {
        let totals = read(
            &[
                "test a ... ok",
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            ],
            read_cargo,
        );
        assert_eq!(totals.to_string(), "15 passed, 2 failed");
        assert_eq!(totals.names.into_iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn totals_of_node_are_read_from_its_summary() {
        let lines =
            ["  ✔ passes (A1) (1.5ms)", "✔ tests/worker/x.test.mjs (2ms)", "ℹ pass 8", "ℹ fail 1", "ℹ cancelled 0"];
        let totals = read(&lines, read_node);
        assert_eq!(totals.to_string(), "7 passed, 1 failed");
        assert_eq!(totals.names.into_iter().collect::<Vec<_>>(), ["passes (A1)"]);
    }
}
