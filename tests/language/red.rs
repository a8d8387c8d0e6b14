//! Proof that every rule can fail, and that what looks similar passes.

use super::Finding;
use super::exceptions::EXCEPTIONS;
use super::rules;
use super::source::Source;
use std::collections::BTreeSet;

fn subjects(findings: &[Finding]) -> Vec<(usize, &str)> {
    findings.iter().map(|finding| (finding.line, finding.subject.as_str())).collect()
}

fn doc_lines(text: &str) -> Vec<usize> {
    rules::doc_comments(&Source::parse("src/a.rs", text)).iter().map(|finding| finding.line).collect()
}

fn retired(text: &str) -> Vec<String> {
    let findings = rules::retired_words(&Source::parse("src/a.rs", text));
    findings.into_iter().map(|finding| finding.subject).collect()
}

fn missing(file: &str, text: &str) -> Vec<String> {
    let existing = ["src/web/mod.rs", "src/web/routes.rs", "docs/security.md"].map(str::to_owned);
    let findings = rules::missing_files(file, text, &rules::names_of_files(&existing));
    findings.into_iter().map(|finding| finding.subject).collect()
}

#[test]
fn type_name_defined_twice_is_found_at_the_first() {
    let first = Source::parse("src/a.rs", "struct Alone;\nenum Outcome { Done }");
    let second = Source::parse("src/b.rs", "trait Outcome {}\nfn outcome() {}");
    let findings = rules::repeated_types(&[first, second]);
    assert_eq!(subjects(&findings), [(2, "Outcome")]);
    assert_eq!(findings[0].to_string(), "src/a.rs:2: repeated type: \"Outcome\" also in src/b.rs");
}

#[test]
fn short_doc_comment_is_found_on_every_kind_of_item() {
    assert_eq!(doc_lines("/// The id.\nstruct Id;"), [1]);
    assert_eq!(doc_lines("struct Page {\n    /// Its id.\n    id: u8,\n}"), [2]);
    assert_eq!(doc_lines("enum Stage {\n    /// A stage.\n    Open,\n}"), [2]);
    assert_eq!(doc_lines("impl Page {\n    /// Its id.\n    fn id(&self) {}\n}"), [2]);
    assert_eq!(doc_lines("//! Four words or fewer.\nfn f() {}"), [1]);
    assert_eq!(doc_lines("/// The page's numeric identifier upstream.\nstruct Id;"), [] as [usize; 0]);
    assert_eq!(doc_lines("/// `GET beats`\nfn list() {}"), [] as [usize; 0]);
    assert_eq!(doc_lines("/// Two\n/// lines of a sentence.\nstruct Id;"), [] as [usize; 0]);
}

#[test]
fn doc_comment_that_begins_with_a_question_word_is_found() {
    for word in ["What", "Whether", "Who", "How"] {
        assert_eq!(doc_lines(&format!("/// {word} the caller is allowed to read.\nfn f() {{}}")), [1], "{word}");
    }
    assert_eq!(doc_lines("/// Why is a bearer token rejected here?\nenum BearerError {}"), [1]);
    assert_eq!(doc_lines("/// Why a bearer token was rejected.\nenum BearerError {}"), [] as [usize; 0]);
    assert_eq!(doc_lines("/// Whatever the caller is allowed to read.\nfn f() {}"), [] as [usize; 0]);
}

#[test]
fn paragraph_that_begins_with_a_question_word_is_found() {
    assert_eq!(
        doc_lines("//! Scopes, tools and prompts as data.\n//!\n//! Who may use one is decided elsewhere.\n"),
        [1]
    );
    assert_eq!(
        doc_lines("//! Scopes, tools and prompts as data,\n//! Who was the author of them all.\n"),
        [] as [usize; 0]
    );
}

#[test]
fn count_without_a_number_is_found() {
    assert_eq!(doc_lines("/// Free text of at most so many characters.\nfn f() {}"), [1]);
    assert_eq!(doc_lines("/// Free text of at most `limit` characters.\nfn f() {}"), [] as [usize; 0]);
}

#[test]
fn script_comment_that_begins_with_a_question_word_is_found() {
    let lines = |text: &str| -> Vec<usize> {
        rules::script_comments("dev/a.mjs", text).iter().map(|finding| finding.line).collect()
    };
    assert_eq!(lines("// What the suite needs.\nf();\n  /** Whether it has started. */"), [1, 3]);
    assert_eq!(lines("/**\n * How it ended,\n * for so many seconds.\n */"), [2, 3]);
    assert_eq!(lines("// Needed by the suite.\n// What follows is its second line."), [] as [usize; 0]);
}

#[test]
fn test_name_without_subject_or_with_a_retired_word_is_found() {
    let found = |text: &str| -> Vec<String> {
        rules::test_names(&Source::parse("src/a.rs", text)).into_iter().map(|finding| finding.subject).collect()
    };
    assert_eq!(found("#[test]\nfn what_is_over_stays() {}"), ["what_is_over_stays"]);
    assert_eq!(found("#[tokio::test]\nasync fn forged_visit_is_rejected() {}"), ["forged_visit_is_rejected"]);
    assert_eq!(found("fn of_page() {}\n#[test]\nfn whatsapp_link_is_rejected() {}"), [""; 0]);
}

#[test]
fn logged_name_that_is_a_retired_word_is_found() {
    let found =
        rules::logged_names("src/cloudflare/mod.rs", "log::event(Level::Warn, \"tally\", \"the tally is lost\");");
    assert_eq!(subjects(&found), [(1, "tally")]);
    assert!(rules::logged_names("src/cloudflare/mod.rs", "log::event(Level::Warn, \"usage\", message);").is_empty());
}

#[test]
fn ids_of_the_acceptance_list_are_no_sentence() {
    assert_eq!(doc_lines("/// A1, A20b\n#[test]\nfn code_is_redeemed_once() {}"), [] as [usize; 0]);
}

#[test]
fn retired_word_is_found_in_every_kind_of_name() {
    assert_eq!(retired("struct ParsedMandate;"), ["ParsedMandate"]);
    assert_eq!(
        retired("fn parse_mandate() {}\nmod tally {}\nconst SPENT: u8 = 1;"),
        ["parse_mandate", "tally", "SPENT"]
    );
    assert_eq!(retired("enum E { CodeSpent }\nstruct S { is_trouble: bool }"), ["CodeSpent", "is_trouble"]);
    assert_eq!(retired("trait T { fn dress(&self); }\nimpl S { fn doctor() {} }"), ["dress", "doctor"]);
    assert_eq!(retired("fn general() {}\nfn address() {}\nstruct Splinter;"), [""; 0]);
}

#[test]
fn bare_name_is_found_and_a_longer_one_passes() {
    assert_eq!(retired("enum Kind {}\nfn told() {}\nstruct S { at: u8 }"), ["Kind", "told", "at"]);
    assert_eq!(retired("enum ErrorKind {}\nfn call() {}\nstruct S { expires_at: u8 }"), [""; 0]);
}

#[test]
fn file_that_does_not_exist_is_found_in_comments_and_documents() {
    assert_eq!(
        missing("src/a.rs", "//! See `web/pages.rs` and web/routes.rs.\nfn f() {} // in docs/gone.md."),
        ["web/pages.rs", "docs/gone.md"]
    );
    assert_eq!(missing("docs/a.md", "`src/web/` holds [security](security.md), not `src/oauth`"), ["src/oauth"]);
    assert_eq!(missing("schema.sql", "SELECT 'x.sql'; -- written by storage.rs"), ["storage.rs"]);
    assert_eq!(missing("src/a.rs", "fn f() { \"web/pages.rs\" } // target/x.json, https://a.example/x.json"), [""; 0]);
}

#[test]
fn every_exception_has_a_reason_and_is_unique() {
    let places: BTreeSet<_> = EXCEPTIONS.iter().map(|e| (e.rule, e.path_prefix, e.subject)).collect();
    assert_eq!(places.len(), EXCEPTIONS.len());
    assert!(EXCEPTIONS.iter().all(|exception| exception.reason.split(' ').count() > 1));
}
