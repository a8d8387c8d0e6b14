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

pub fn all() -> impl Iterator<Item = &'static Tool> {
    all_tools()
}

impl ToolSelection {
    /// The enabled tools, in the order of lists.
    pub fn on(&self) -> impl Iterator<Item = &'static Tool> {
        all().filter(|tool| self.off(tool).is_none())
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
