//! The JavaScript test files that `npm test -- <words>` runs, and the tests in them.

use crate::project::Project;
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use walkdir::WalkDir;

#[derive(Default)]
pub struct Selection {
    whole_files: Vec<PathBuf>,
    /// Files in which only tests with one of the words in their name run.
    partial_files: Vec<PathBuf>,
    words: Vec<String>,
}

impl Selection {
    /// Every file below the folders, or those that have one of the words in their path or in a line that names a test.
    pub fn find(project: &Project, folders: &[&str], words: &[String]) -> Result<Self> {
        let mut selection = Self { words: words.to_vec(), ..Self::default() };
        let has_word = |text: &str| words.iter().any(|word| text.contains(word.as_str()));
        for entry in folders.iter().flat_map(|folder| WalkDir::new(project.path(folder)).sort_by_file_name()) {
            let entry = entry?;
            let path = entry.path().strip_prefix(&project.root)?.to_path_buf();
            let name = path.to_string_lossy();
            if !name.ends_with(".test.mjs") {
                continue;
            }
            if words.is_empty() || has_word(&name) {
                selection.whole_files.push(path);
            } else if fs::read_to_string(entry.path())?.lines().any(|line| line.contains("test(") && has_word(line)) {
                selection.partial_files.push(path);
            }
        }
        Ok(selection)
    }

    pub fn is_empty(&self) -> bool {
        self.whole_files.is_empty() && self.partial_files.is_empty()
    }

    /// Options and files of each run of Node.
    pub fn runs(&self) -> Vec<(Vec<String>, &[PathBuf])> {
        let pattern = |word: &String| format!("--test-name-pattern={}", regex_syntax::escape(word));
        let patterns = self.words.iter().map(pattern).collect();
        let mut runs = vec![(Vec::new(), &self.whole_files[..]), (patterns, &self.partial_files[..])];
        runs.retain(|(_, files)| !files.is_empty());
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::Selection;
    use crate::project::Project;
    use std::path::Path;

    #[test]
    fn files_are_selected_by_path_and_tests_by_name() {
        let root = std::env::temp_dir().join(format!("statibeat-selection-{}", std::process::id()));
        std::fs::create_dir_all(root.join("tests/deep")).expect("a folder");
        for (file, text) in [("panic", ""), ("deep/other", "test(\"a panic (A1) is logged\""), ("x", "// panic")] {
            std::fs::write(root.join(format!("tests/{file}.test.mjs")), text).expect("a file");
        }
        let project = Project::new(root.clone(), root.join("target")).expect("a project");
        let select = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Selection::find(&project, &["tests"], &words).expect("readable")
        };
        let panic = select(&["panic", "(A1)"]);
        let runs = panic.runs();
        assert_eq!(runs[0], (vec![], &[Path::new("tests/panic.test.mjs").to_path_buf()][..]));
        let patterns = ["--test-name-pattern=panic", r"--test-name-pattern=\(A1\)"].map(str::to_owned);
        assert_eq!(runs[1], (patterns.to_vec(), &[Path::new("tests/deep/other.test.mjs").to_path_buf()][..]));
        assert_eq!(select(&[]).whole_files.len(), 3);
        assert!(select(&["nothing"]).is_empty());
        std::fs::remove_dir_all(&project.root).expect("removed");
    }
}
