//! Holds the layers: who may import whom, and what may stand in one place only.
//!
//! Reads the source itself. A failure names file and line, what stands there, and the rule that forbids it. The table is
//! in `layering/table.rs`, the absences in `layering/absences.rs`, circles in `layering/circles.rs`; `layering/red.rs` proves that
//! each can fail.

#[path = "layering/absences.rs"]
mod absences;
#[path = "layering/circles.rs"]
mod circles;
#[path = "layering/imports.rs"]
mod imports;
#[path = "layering/red.rs"]
mod red;
#[path = "layering/source.rs"]
mod source;
#[path = "layering/table.rs"]
mod table;

use source::Source;
use std::fmt;
use std::path::Path;

/// One place that breaks a rule.
pub struct Finding {
    file: String,
    line: usize,
    what: String,
    rule: String,
}

impl Finding {
    fn new(source: &Source, line: usize, what: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { file: source.file.clone(), line, what: what.into(), rule: rule.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.rule)
    }
}

#[test]
fn every_module_keeps_to_its_layer() {
    let sources = source::read_all(Path::new("."));
    let paths = absences::our_paths(&sources);
    assert!(
        paths.iter().any(|path| path == "/mcp") || !sources.iter().any(Source::is_routes),
        "no path found in routes"
    );

    let mut findings: Vec<Finding> = sources.iter().flat_map(imports::check).collect();
    findings.extend(sources.iter().flat_map(|source| absences::check(source, &paths)));
    let report: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(report.is_empty(), "\n{}\n", report.join("\n"));
}

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    let circles = circles::find(&source::read_all(Path::new(".")));
    let report: Vec<String> = circles.iter().map(|circle| circle.join(" -> ")).collect();
    assert!(report.is_empty(), "\n{}\n", report.join("\n"));
}
