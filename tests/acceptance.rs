//! `docs/acceptance.md` against the tests: every assertion has one, and every test named there exists.
//!
//! A Rust test carries its ids in a doc line of nothing else, as in `/// A1, A2`; a test of the worker in a comment of
//! nothing else, or in brackets at the end of its name. `npm test -- --accept` writes the list's last column anew.

#[path = "support/accepted.rs"]
mod accepted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const LIST: &str = "docs/acceptance.md";
const PENDING: &str = "pending: ";

/// Ids to the names of the tests that prove them.
type Proofs = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_assertion_has_a_test_and_every_named_test_exists() {
    let root = Path::new(".");
    let list = fs::read_to_string(root.join(LIST)).expect(LIST);
    let mut proofs = Proofs::new();
    for file in files(&root.join("src")).into_iter().chain(files(&root.join("tests"))) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let relative = file.strip_prefix(root).expect("inside the project").to_owned();
        collect(&relative, &text, &mut proofs);
    }
    let written = with_proofs(&list, &proofs);
    let problems = problems(&written, &proofs);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    accepted::check_file(LIST, &written);
}

/// A promise whose test was renamed or deleted is a promise that nothing holds.
#[test]
fn every_test_named_in_the_security_document_exists() {
    let document = fs::read_to_string("docs/security.md").expect("docs/security.md");
    let (existing, named) = (existing_tests(), named_tests(&document));
    assert!(named.len() > 50, "the document was read: {named:?}");
    let missing: Vec<_> = named.into_iter().filter(|name| !existing.contains(*name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_promise_of_the_security_document_names_its_test_or_is_marked_as_none() {
    let document = fs::read_to_string("docs/security.md").expect("docs/security.md");
    assert_eq!(promises_without_a_test(&document), [""; 0]);
    let bare = "| Promise | Held by |\n|---|---|\n| a | `m::t` |\n| b | not promised |\n| c | soon |\n\n| x | y |\n| 1 | 2 |\n";
    assert_eq!(promises_without_a_test(bare), ["| c | soon |"]);
}

/// Names of all tests: of a native one with its modules, of one of the built worker with its file.
fn existing_tests() -> BTreeSet<String> {
    let mut existing = BTreeSet::new();
    for file in files(Path::new("src")).into_iter().chain(files(Path::new("tests"))) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if file.extension().is_some_and(|extension| extension == "rs") {
            existing.extend(rust_tests(&module_of(&file, &text), &text).into_iter().map(|(_, name)| name));
        } else {
            let of_file = file.file_name().expect("a file").to_string_lossy().into_owned();
            existing.extend(node_tests(&text).into_iter().map(|(_, name)| format!("{of_file}: {name}")));
        }
    }
    for file in files(Path::new("xtask/src")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let module = module_of(file.strip_prefix("xtask").expect("inside"), &text);
        existing.extend(rust_tests(&module, &text).into_iter().map(|(_, name)| format!("xtask::{name}")));
    }
    existing
}

fn named_tests(document: &str) -> Vec<&str> {
    let is_native = |quoted: &str| quoted.contains("::") && !quoted.contains(' ');
    let is_test = |quoted: &&str| is_native(quoted) || quoted.contains(".test.mjs: ");
    document.split('`').skip(1).step_by(2).filter(is_test).collect()
}

/// Rows of tables with a column "Held by" that name neither a test nor "not promised" there.
fn promises_without_a_test(document: &str) -> Vec<&str> {
    let (mut is_promise, mut found) = (false, Vec::new());
    for line in document.lines() {
        let last = line.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
        match line {
            _ if !line.starts_with('|') => is_promise = false,
            _ if last == "Held by" => is_promise = true,
            _ if is_promise && !line.starts_with("|---") && !last.starts_with('`') && last != "not promised" => {
                found.push(line);
            }
            _ => {}
        }
    }
    found
}

/// All files below a folder that can hold tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs" || extension == "mjs") {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn collect(file: &Path, text: &str, proofs: &mut Proofs) {
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    let found = if is_rust { rust_tests(&module_of(file, text), text) } else { node_tests(text) };
    for (ids, name) in found {
        for id in ids {
            proofs.entry(id).or_default().insert(name.clone());
        }
    }
}

/// The prefix of a test's name in cargo's output: the module, without the crate.
fn module_of(file: &Path, text: &str) -> String {
    let parts: Vec<String> = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let inside = if parts[0] == "tests" { &parts[parts.len().min(2)..] } else { &parts[1..] };
    let mut modules: Vec<&str> =
        inside.iter().map(String::as_str).filter(|name| *name != "mod" && *name != "main").collect();
    if parts[0] == "src" && text.contains("#[cfg(test)]\nmod tests {") {
        modules.push("tests");
    }
    modules.into_iter().chain([""]).collect::<Vec<_>>().join("::")
}

fn rust_tests(module: &str, text: &str) -> Vec<(Vec<String>, String)> {
    let (mut ids, mut is_test, mut found) = (Vec::new(), false, Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            ids.extend(read_ids(doc));
        } else if line == "#[test]" || line == "#[tokio::test]" {
            is_test = true;
        } else if let Some(name) = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ").filter(|_| is_test) {
            let name = name.split('(').next().unwrap_or_default();
            found.push((std::mem::take(&mut ids), format!("{module}{name}")));
            is_test = false;
        } else if !line.starts_with("#[") {
            (ids, is_test) = (Vec::new(), false);
        }
    }
    found
}

fn node_tests(text: &str) -> Vec<(Vec<String>, String)> {
    let (mut ids, mut found) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("/** ").and_then(|rest| rest.strip_suffix(" */")) {
            ids = read_ids(comment);
        } else if let Some(name) = line.strip_prefix("test(\"").and_then(|rest| rest.split('"').next()) {
            let in_name = name.strip_suffix(')').and_then(|name| name.rsplit_once('('));
            ids.extend(in_name.map(|(_, ids)| read_ids(ids)).unwrap_or_default());
            found.push((std::mem::take(&mut ids), name.to_owned()));
        } else {
            ids.clear();
        }
    }
    found
}

/// `A1, A20b` and nothing else.
fn read_ids(text: &str) -> Vec<String> {
    let ids: Vec<&str> = text.split(", ").collect();
    if ids.iter().all(|id| is_id(id)) { ids.into_iter().map(str::to_owned).collect() } else { Vec::new() }
}

fn is_id(text: &str) -> bool {
    let mut characters = text.chars();
    let letter = characters.next().is_some_and(|c| "DACTKRVPGFX".contains(c));
    let digits = characters.as_str().trim_end_matches('b');
    letter && !digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The cells of a row of the list: id, sentence, tests.
fn cells(line: &str) -> Option<[&str; 3]> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.trim_end_matches('|').split(" | ").map(str::trim).collect();
    let [id, sentence, rest @ ..] = &cells[..] else { return None };
    is_id(id).then(|| [*id, sentence.trim_end_matches(" |"), rest.first().copied().unwrap_or_default()])
}

fn with_proofs(list: &str, proofs: &Proofs) -> String {
    let mut written = String::new();
    for line in list.lines() {
        match cells(line) {
            Some([id, sentence, tests]) => {
                let named = |tests: &BTreeSet<String>| {
                    tests.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("<br>")
                };
                let pending = tests.starts_with(PENDING).then(|| tests.to_owned());
                let tests = proofs.get(id).map(named).or(pending).unwrap_or_default();
                let _ = writeln!(written, "| {id} | {sentence} | {tests} |");
            }
            None => {
                let _ = writeln!(written, "{line}");
            }
        }
    }
    written
}

fn problems(list: &str, proofs: &Proofs) -> Vec<String> {
    let rows: Vec<[&str; 3]> = list.lines().filter_map(cells).collect();
    let ids: BTreeSet<&str> = rows.iter().map(|[id, ..]| *id).collect();
    let mut problems: Vec<String> = proofs
        .keys()
        .filter(|id| !ids.contains(id.as_str()))
        .map(|id| format!("{id} is in a test and not in the list"))
        .collect();
    problems.extend(rows.iter().filter(|[_, _, tests]| tests.is_empty()).map(|[id, ..]| format!("{id} has no test")));
    if ids.len() != rows.len() {
        problems.push("an id stands twice in the list".to_owned());
    }
    problems
}

#[test]
fn ids_are_read_from_doc_lines_and_names() {
    let rust = "/// A1, A20b\n#[test]\nfn one() {\n}\n/// Words about A2.\n#[tokio::test]\nasync fn two() {}\n/// C3\nfn helper() {}\n#[test]\nfn three() {}";
    let found = rust_tests("m::", rust);
    assert_eq!(found[0], (vec!["A1".into(), "A20b".into()], "m::one".into()));
    assert_eq!(found[1..], [(vec![], "m::two".into()), (vec![], "m::three".into())]);
    assert_eq!(
        node_tests(r#"test("it works (C11, C14)", async"#),
        [(vec!["C11".into(), "C14".into()], "it works (C11, C14)".into())]
    );
    assert!(node_tests(r#"test("it works (mostly)", async"#)[0].0.is_empty());
    assert_eq!(node_tests("/** X6 */\ntest(\"races\", async")[0], (vec!["X6".into()], "races".into()));
}

#[test]
fn a_missing_an_unknown_and_a_repeated_id_are_found() {
    let proofs = Proofs::from([("A2".into(), BTreeSet::from(["t".into()]))]);
    let list = "| A1 | s | |\n| A1 | s | `t` |\n| X3 | s | pending: fuzz |\n";
    assert_eq!(problems(&with_proofs(list, &proofs), &proofs).len(), 4);
    assert!(problems(&with_proofs("| A2 | s | |\n| X3 | s | pending: fuzz |\n", &proofs), &proofs).is_empty());
}
