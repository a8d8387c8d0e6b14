//! Which tools the page server offers: all of the catalog's, as far as its operator lets them.

use crate::catalog::tools::all_tools;
use crate::catalog::{Effect, Tool};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolSelection {
    All,
    /// Only those of these names.
    Only(Vec<&'static str>),
    ReadOnly,
}

impl ToolSelection {
    /// The enabled tools, in the order of lists.
    pub fn on(&self) -> impl Iterator<Item = &'static Tool> {
        all_tools().filter(|tool| self.off(tool).is_none())
    }

    /// Returns whether the tool of that name is enabled.
    pub fn has(&self, name: &str) -> bool {
        self.on().any(|tool| tool.name == name)
    }

    /// A text that says of each tool that is off that it is: a description names what other tools do.
    pub fn mark_off(&self, text: &str) -> String {
        let off = all_tools().filter(|tool| self.off(tool).is_some());
        off.fold(text.to_owned(), |text, tool| mark_word(&text, tool.name, " (switched off here)"))
    }

    /// The reason why a tool is off; `None`: it is on.
    pub fn off(&self, tool: &Tool) -> Option<&'static str> {
        match self {
            ToolSelection::All => None,
            ToolSelection::Only(names) if names.contains(&tool.name) => None,
            ToolSelection::Only(_) => Some("its operator did not put it on the list STATIBEAT_MCP_ALLOWED_TOOLS"),
            ToolSelection::ReadOnly if tool.effect == Effect::Reads => None,
            ToolSelection::ReadOnly => Some("STATIBEAT_MCP_READ_ONLY is set"),
        }
    }
}

/// The text with `mark` behind each whole word like this one.
fn mark_word(text: &str, word: &str, mark: &str) -> String {
    let is_inside = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let mut parts = text.split(word).peekable();
    let mut marked = String::with_capacity(text.len());
    while let Some(part) = parts.next() {
        marked.push_str(part);
        if let Some(next) = parts.peek() {
            marked.push_str(word);
            let is_whole = !is_inside(part.chars().next_back()) && !is_inside(next.chars().next());
            marked.push_str(if is_whole { mark } else { "" });
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_that_is_off_is_marked_where_it_is_named_as_a_word() {
        let only = ToolSelection::Only(vec!["create_incident"]);
        let marked = only.mark_off("create_incident, not resolve_incident; resolve_incidents stays, run_beat.");
        let off = "(switched off here)";
        assert_eq!(
            marked,
            format!("create_incident, not resolve_incident {off}; resolve_incidents stays, run_beat {off}.")
        );
    }
}
