//! The JavaScript test files that `npm test -- <words>` runs, and the tests in them.

use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Files, and the tests to run in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    whole_files: Vec<PathBuf>,
    /// Only tests whose names match one of the patterns.
    some_tests: Vec<PathBuf>,
    patterns: Vec<String>,
}

impl Selection {
    /// Every file below the folders, or those whose path or text has one of the words.
    pub fn of(project: &Project, folders: &[&str], words: &[String]) -> Result<Self> {
        let mut selection = Self { patterns: words.iter().map(|word| pattern(word)).collect(), ..Self::default() };
        let mut files = Vec::new();
        for folder in folders {
            find_test_files(&project.path(folder), &mut files)?;
        }
        for file in files {
            let relative = file.strip_prefix(&project.root).unwrap_or(&file).to_path_buf();
            let has_word = |text: &str| words.iter().any(|word| text.contains(word.as_str()));
            if words.is_empty() || has_word(&relative.to_string_lossy()) {
                selection.whole_files.push(relative);
            } else if has_word(&fs::read_to_string(&file).with_context(|| file.display().to_string())?) {
                selection.some_tests.push(relative);
            }
        }
        Ok(selection)
    }

    pub fn is_empty(&self) -> bool {
        self.whole_files.is_empty() && self.some_tests.is_empty()
    }

    /// Files and further arguments of each run of Node.
    pub fn runs(&self) -> impl Iterator<Item = (&[PathBuf], &[String])> {
        let runs = [(&self.whole_files[..], &[][..]), (&self.some_tests[..], &self.patterns[..])];
        runs.into_iter().filter(|(files, _)| !files.is_empty())
    }
}

fn find_test_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find_test_files(&path, files)?;
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Node's option for tests with a word in their name; the word is text, not a regular expression.
fn pattern(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-');
    let escaped: String =
        word.chars().flat_map(|c| [(!is_plain(c)).then_some('\\'), Some(c)].into_iter().flatten()).collect();
    format!("--test-name-pattern={escaped}")
}

#[cfg(test)]
mod tests {
    use super::{Selection, pattern};
    use crate::project::Project;
    use std::path::PathBuf;

    #[test]
    fn files_are_selected_by_path_and_tests_by_name() {
        let root = std::env::temp_dir().join(format!("statibeat-selection-{}", std::process::id()));
        std::fs::create_dir_all(root.join("tests/deep")).expect("a folder");
        for (file, text) in
            [("panic.test.mjs", ""), ("deep/other.test.mjs", "test(\"a panic is logged\""), ("x.test.mjs", "")]
        {
            std::fs::write(root.join("tests").join(file), text).expect("a file");
        }
        let project = Project { target: root.join("target"), root };
        let select = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Selection::of(&project, &["tests"], &words).expect("readable")
        };
        let paths = |files: &[&str]| files.iter().map(PathBuf::from).collect::<Vec<_>>();
        let panic = select(&["panic"]);
        assert_eq!(panic.whole_files, paths(&["tests/panic.test.mjs"]));
        assert_eq!(panic.some_tests, paths(&["tests/deep/other.test.mjs"]));
        assert_eq!(select(&[]).whole_files.len(), 3);
        assert!(select(&["nothing"]).is_empty());
        std::fs::remove_dir_all(&project.root).expect("removed");
    }

    #[test]
    fn words_are_no_regular_expressions() {
        assert_eq!(pattern("works (A1)"), r"--test-name-pattern=works \(A1\)");
    }
}
