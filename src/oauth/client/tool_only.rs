//! Clients whose model sees tools, but neither resources nor prompts; the consent page proposes the resource tools to them.
//!
//! A self-declared name counts as well as an id: resource tools allow nothing beyond the granted scopes.

use super::ResolvedClient;

/// Ids of clients that use a metadata document. Claude Desktop connects through Claude's servers.
const IDS: [&str; 3] = [
    "https://claude.ai/oauth/mcp-oauth-client-metadata",
    "https://chatgpt.com/oauth/client.json",
    "https://github.com/copilot/cli/client-metadata.json",
];
/// Names of the same clients when they register.
const NAMES: [&str; 6] = ["Claude", "Claude Desktop", "Claude.ai", "ChatGPT", "Copilot CLI", "GitHub Copilot CLI"];

impl ResolvedClient {
    /// Returns whether the client is known to support only tools.
    pub fn is_tool_only(&self) -> bool {
        IDS.contains(&self.id.as_str()) || NAMES.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }
}
