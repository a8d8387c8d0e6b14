//! Holds the language of names and comments: one word per thing, doc comments that say something, files that exist.
//!
//! Reads the sources themselves. The rules are in `rules.rs`, the retired words in `words.rs`, reasoned exceptions in
//! `exceptions.rs`; `red.rs` proves that each rule can fail.

mod exceptions;
mod red;
mod rules;
mod source;
mod words;

use exceptions::EXCEPTIONS;
use source::{Source, files_below, read_all};
use std::fmt;
use std::fs;
use std::path::Path;

/// One place that breaks a rule.
pub struct Finding {
    rule: &'static str,
    file: String,
    line: usize,
    /// The name, the comment's first line, or the file that is named.
    subject: String,
    advice: String,
}

impl Finding {
    fn new(rule: &'static str, file: &str, line: usize, subject: &str, advice: String) -> Self {
        let subject = subject.lines().next().unwrap_or_default().to_owned();
        Self { rule, file: file.to_owned(), line, subject, advice }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {:?} {}", self.file, self.line, self.rule, self.subject, self.advice)
    }
}

/// Fails where a rule is broken without an exception, and where an exception covers no finding.
fn assert_none(rule: &str, findings: &[Finding]) {
    let excused = |finding: &Finding| EXCEPTIONS.iter().any(|exception| exception.covers(finding));
    let unused =
        EXCEPTIONS.iter().filter(|exception| exception.rule == rule && !findings.iter().any(|f| exception.covers(f)));
    let unused: Vec<String> =
        unused.map(|exception| format!("unused exception: {rule}: {:?}", exception.subject)).collect();
    let report = findings.iter().filter(|finding| !excused(finding)).map(ToString::to_string).chain(unused);
    let report: Vec<String> = report.collect();
    assert!(report.is_empty(), "\n{}\n", report.join("\n"));
}

const CODE: [&str; 5] = ["src", "tests", "dev", "xtask", "fuzz"];

fn all_sources() -> Vec<Source> {
    CODE.iter().flat_map(|folder| read_all(folder)).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(file).expect("readable")
}

#[test]
fn type_names_are_unique_in_the_library() {
    assert_none("repeated type", &rules::repeated_types(&read_all("src")));
}

#[test]
fn doc_comments_say_more_than_the_name() {
    let mut findings: Vec<Finding> = all_sources().iter().flat_map(rules::doc_comments).collect();
    let scripts = CODE
        .iter()
        .flat_map(|folder| files_below(folder))
        .filter(|file| Path::new(file).extension().is_some_and(|extension| extension == "mjs"));
    findings.extend(scripts.flat_map(|file| rules::script_comments(&file, &read(&file))));
    assert_none("doc comment", &findings);
}

#[test]
fn test_name_says_subject_input_and_expectation() {
    let findings: Vec<Finding> = all_sources().iter().flat_map(rules::test_names).collect();
    assert_none("test name", &findings);
}

#[test]
fn log_fields_and_events_are_no_retired_words() {
    let files = ["src/telemetry", "src/cloudflare"].iter().flat_map(|folder| files_below(folder));
    let findings: Vec<Finding> = files.flat_map(|file| rules::logged_names(&file, &read(&file))).collect();
    assert_none("logged name", &findings);
}

#[test]
fn no_identifier_is_a_retired_word() {
    let findings: Vec<Finding> = all_sources().iter().flat_map(rules::retired_words).collect();
    assert_none("retired word", &findings);
}

#[test]
fn comments_and_documents_name_files_that_exist() {
    let files = files_below(".");
    let existing = rules::names_of_files(&files);
    let is_read = |file: &&String| {
        [".rs", ".md", ".mjs", ".sql", ".toml", ".yaml", ".yml", "llms.txt", ".ci/run"]
            .iter()
            .any(|end| file.ends_with(end))
    };
    let findings = files.iter().filter(is_read).flat_map(|file| rules::missing_files(file, &read(file), &existing));
    assert_none("missing file", &findings.collect::<Vec<_>>());
}
