//! Files that a test compares with what the program makes. `npm test -- --accept` writes them anew, here and in every other test that
//! keeps such a file.

use similar::TextDiff;
use std::fs;

/// True if this run writes files instead of comparing them.
pub fn is_accepting() -> bool {
    std::env::var("ACCEPT").is_ok_and(|value| value == "1")
}

/// Compares a file of the repository with what was made now, or writes it.
pub fn check_file(path: &str, made: &str) {
    let found = fs::read_to_string(path).unwrap_or_default();
    if found == made {
        return;
    }
    if is_accepting() {
        return fs::write(path, made).expect(path);
    }
    panic!("{path} differs. If the change is meant, `npm test -- --accept` writes it:\n{}", diff(&found, made));
}

/// The lines in which two texts differ, with two lines around them.
pub fn diff(found: &str, made: &str) -> String {
    TextDiff::from_lines(found, made)
        .unified_diff()
        .context_radius(2)
        .header("in the repository", "made now")
        .to_string()
}
