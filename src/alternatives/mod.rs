//! Suggestions, in words for a model, for a call or URI that names something unknown.
//!
//! Looked up only after a refusal; what goes well costs no read. Only what the caller may read is named: each program decides
//! that behind [`PageLists`]. Names that people gave stand in quotation marks.

pub mod components;
pub mod targets;
pub mod uri;

use async_trait::async_trait;
use serde_json::Value;

/// Most entries that a message names; the others are counted.
const ENTRIES_MAX: usize = 10;
/// Longest name that is quoted, in characters.
const NAME_MAX: usize = 100;

/// The lists of one page, as far as its caller may read them.
#[async_trait(?Send)]
pub trait PageLists {
    /// Reads a path below the page's admin root, if the caller may read the resource of that name, which shows it. `None` also
    /// where StatiBeat does not answer.
    async fn read(&self, resource: &str, path: &str) -> Option<Value>;

    /// The URI of a resource of the page that has no other variable.
    fn uri(&self, resource: &str) -> Option<String>;

    /// Returns whether the caller may read the resource of that name on the page.
    fn can_read(&self, resource: &str) -> bool;

    /// The page in a sentence, as in "Page 42".
    fn page_words(&self) -> String;

    /// Says which other page has what the path names, or that no other page has it. `None` where there are no other pages.
    async fn locate(&self, resource: &str, path: &str) -> Option<String>;

    /// Returns whether the program offers the tool, to say who can do what a call can't.
    fn has_tool(&self, name: &str) -> bool;
}

/// The entries of a list, in its envelope or bare.
pub fn entries(list: &Value) -> &[Value] {
    list.get("items").unwrap_or(list).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Entries in a row, at most ten of `total`, and the number of the others.
fn join_some(shown: impl Iterator<Item = String>, total: usize) -> String {
    let shown: Vec<String> = shown.take(ENTRIES_MAX).collect();
    match total.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
