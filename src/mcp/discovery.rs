//! A client's first view of the server: the results of `initialize` and `server/discover`.

use super::handler_values::ServerInfo;
use super::protocol_version::ProtocolVersion;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    capabilities: ServerCapabilities,
    instructions: &'static str,
    protocol_version: &'static str,
    server_info: ServerInfo,
}

/// Versions with a handshake are not listed: those are found by `initialize`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverResult {
    capabilities: ServerCapabilities,
    instructions: &'static str,
    supported_versions: [&'static str; 1],
}

#[derive(Default, Serialize)]
struct ServerCapabilities {
    completions: Supported,
    prompts: Supported,
    resources: Supported,
    tools: Supported,
}

#[derive(Default, Serialize)]
struct Supported {}

impl InitializeResult {
    pub fn new(server: ServerInfo, version: ProtocolVersion) -> Self {
        let (capabilities, instructions) = (ServerCapabilities::default(), server.instructions);
        Self { protocol_version: version.as_str(), capabilities, server_info: server, instructions }
    }
}

impl DiscoverResult {
    pub fn new(server: ServerInfo) -> Self {
        let (capabilities, instructions) = (ServerCapabilities::default(), server.instructions);
        Self { supported_versions: [ProtocolVersion::LATEST.as_str()], capabilities, instructions }
    }
}
