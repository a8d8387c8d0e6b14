//! The rules: type names, doc comments, retired words, and files that are named.

use super::Finding;
use super::source::{Doc, Name, NameKind, Source};
use super::words;
use std::collections::{BTreeMap, BTreeSet};

/// Types of one crate that share a name.
pub fn repeated_types(sources: &[Source]) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<(&Source, &Name)>> = BTreeMap::new();
    for source in sources {
        for name in source.names.iter().filter(|name| name.kind == NameKind::Type) {
            places.entry(&name.text).or_default().push((source, name));
        }
    }
    let repeated = places.into_iter().filter(|(_, places)| places.len() > 1);
    let finding = |(name, places): (&str, Vec<(&Source, &Name)>)| {
        let others: Vec<&str> = places[1..].iter().map(|(source, _)| source.file.as_str()).collect();
        let (source, first) = places[0];
        Finding::new("repeated type", &source.file, first.line, name, format!("also in {}", others.join(", ")))
    };
    repeated.map(finding).collect()
}

pub fn retired_words(source: &Source) -> Vec<Finding> {
    let retired = source.names.iter().filter_map(|name| Some((name, words::replacement(&name.text)?)));
    retired
        .map(|(name, instead)| {
            Finding::new("retired word", &source.file, name.line, &name.text, format!("say {instead}"))
        })
        .collect()
}

pub fn test_names(source: &Source) -> Vec<Finding> {
    let tests = source.names.iter().filter(|name| name.kind == NameKind::Test);
    tests
        .filter_map(|test| {
            Some(Finding::new("test name", &source.file, test.line, &test.text, words::fault_of_test(&test.text)?))
        })
        .collect()
}

/// Fields and events of the log and the metrics that are retired words. `text` is a file that writes them as quoted words.
pub fn logged_names(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for quoted in line.split('"').skip(1).step_by(2) {
            let is_name = !quoted.is_empty() && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if let Some(instead) = words::replacement(quoted).filter(|_| is_name) {
                findings.push(Finding::new("logged name", file, index + 1, quoted, format!("say {instead}")));
            }
        }
    }
    findings
}

/// Comments of a script that begin with a question word, or count without a number.
pub fn script_comments(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_inside = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let comment = ["/**", "//", "*"].iter().find_map(|sign| trimmed.strip_prefix(sign)).map(str::trim);
        let Some(comment) = comment else {
            is_inside = false;
            continue;
        };
        let starts = !is_inside && !comment.is_empty();
        is_inside = !comment.is_empty() || is_inside;
        let fault = if starts { question_word(comment) } else { None }.or_else(|| vague_count(comment));
        if let Some(fault) = fault {
            findings.push(Finding::new("doc comment", file, index + 1, comment, fault));
        }
    }
    findings
}

fn question_word(text: &str) -> Option<String> {
    let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ':']);
    ["What", "Whether", "Who", "How"]
        .contains(&first)
        .then(|| format!("begins with {first}: use a noun phrase, or a verb for a function"))
}

fn vague_count(text: &str) -> Option<String> {
    ["so many", "So many", "so long", "so much"]
        .iter()
        .find(|vague| text.contains(*vague))
        .map(|vague| format!("says {vague}: name the parameter or the number"))
}

pub fn doc_comments(source: &Source) -> Vec<Finding> {
    source
        .docs
        .iter()
        .filter_map(|doc| Some(Finding::new("doc comment", &source.file, doc.line, &doc.text, fault_of(doc)?)))
        .collect()
}

fn fault_of(doc: &Doc) -> Option<String> {
    let words: Vec<&str> = doc.text.split_whitespace().collect();
    // Ids of docs/acceptance.md stand alone above the test that proves them.
    let is_id = |word: &&str| {
        word.trim_end_matches(',')
            .strip_prefix(|c: char| c.is_ascii_uppercase())
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if words.iter().all(is_id) {
        return None;
    }
    let first = words.first().map_or("", |word| word.trim_end_matches([',', ':']));
    let by_paragraph = doc.text.split("\n\n").find_map(question_word);
    if let Some(fault) = by_paragraph.or_else(|| vague_count(&doc.text.replace('\n', " "))) {
        return Some(fault);
    }
    // "Why a bearer token was rejected." is the guide's own example of a reason; a question is not.
    if first == "Why" && doc.text.contains('?') {
        return Some("asks: name the reason".to_owned());
    }
    // A route, a claim or a variable in backquotes is a wire name that the Rust name does not say.
    let is_wire_name = doc.text.starts_with('`');
    (words.len() <= 4 && !is_wire_name).then(|| "has four words or fewer: it says no more than the name".to_owned())
}

/// Files that a comment or a document names and that are not there.
pub fn missing_files(file: &str, text: &str, existing: &BTreeSet<String>) -> Vec<Finding> {
    let is_document = ["md", "txt", "yaml"].contains(&extension_of(file));
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let prose = if is_document { Some(line) } else { comment_in(file, line) };
        for name in prose.into_iter().flat_map(named_files) {
            let is_built = BUILT_FOLDERS.iter().any(|folder| name.starts_with(folder));
            if !is_built && !existing.contains(name) {
                findings.push(Finding::new(
                    "missing file",
                    file,
                    index + 1,
                    name,
                    "names a file that does not exist".to_owned(),
                ));
            }
        }
    }
    findings
}

pub fn extension_of(file: &str) -> &str {
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn comment_in<'a>(file: &str, line: &'a str) -> Option<&'a str> {
    let extension = extension_of(file);
    let sign = match extension {
        "rs" | "mjs" => "//",
        "sql" => "--",
        _ => "#",
    };
    let trimmed = line.trim_start();
    if extension == "mjs" && trimmed.starts_with(['*', '/']) {
        return Some(trimmed);
    }
    let start =
        line.match_indices(sign).find(|(at, _)| line[..*at].is_empty() || line[..*at].ends_with([' ', '\t']))?.0;
    Some(&line[start..])
}

const EXTENSIONS: [&str; 10] = [".rs", ".md", ".mjs", ".sql", ".toml", ".json", ".yaml", ".yml", ".snap", ".txt"];
const FOLDERS: [&str; 8] = ["src/", "tests/", "docs/", "dev/", "xtask/", "fuzz/", "migrations/", ".ci/"];
/// Written by commands and never committed.
const BUILT_FOLDERS: [&str; 5] = ["target/", "dist/", "build/", "build.new/", "node_modules/"];

fn named_files(prose: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/:*{}<>@".contains(c);
    let words = prose.split(move |c| !is_part(c)).map(|word| word.trim_end_matches(['.', ':', '/']));
    words.filter(|word| {
        let is_path = !word.contains(['*', '{', '<', '@', ':']) && !word.starts_with('/') && !word.starts_with('.');
        let is_file = EXTENSIONS.iter().any(|extension| word.len() > extension.len() && word.ends_with(extension));
        is_path && (is_file || FOLDERS.iter().any(|folder| word.starts_with(folder)))
    })
}

/// Every way to name a file or folder of the package: its path, the ends of the path, and both without `.rs` for a module.
pub fn names_of_files(files: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files {
        let parts: Vec<&str> = file.split('/').collect();
        for start in 0..parts.len() {
            names.extend((start + 1..=parts.len()).map(|end| parts[start..end].join("/")));
            names.extend(parts[start..].join("/").strip_suffix(".rs").map(str::to_owned));
        }
    }
    names
}
