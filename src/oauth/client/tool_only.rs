//! Clients whose model sees tools, but neither resources nor prompts; the consent page proposes the resource tools to them.
//!
//! A name counts as well as an id, although a client chooses its name itself: the proposal allows nothing that the granted
//! scopes do not allow.

use super::ResolvedClient;

/// `client_id` of the clients that name themselves by a metadata document. Claude Desktop connects through Claude's servers.
const IDS: [&str; 3] = [
    "https://claude.ai/oauth/mcp-oauth-client-metadata",
    "https://chatgpt.com/oauth/client.json",
    "https://github.com/copilot/cli/client-metadata.json",
];
/// `client_name` of the same clients where they register.
const NAMES: [&str; 6] = ["Claude", "Claude Desktop", "Claude.ai", "ChatGPT", "Copilot CLI", "GitHub Copilot CLI"];

impl ResolvedClient {
    /// Returns whether the client is known to offer its model nothing but tools.
    pub fn is_tool_only(&self) -> bool {
        IDS.contains(&self.id.as_str()) || NAMES.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }
}
