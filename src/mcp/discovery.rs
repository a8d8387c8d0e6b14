//! A client's first view of the server: the results of `initialize` and `server/discover`.

use super::handler_values::ServerInfo;
use super::protocol_version::ProtocolVersion;
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult<'a> {
    capabilities: ServerCapabilities,
    instructions: Cow<'static, str>,
    protocol_version: &'static str,
    server_info: ServerInfo<'a>,
}

/// Versions with a handshake are not listed: those are found by `initialize`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverResult {
    capabilities: ExtendedCapabilities,
    instructions: Cow<'static, str>,
    supported_versions: [&'static str; 1],
}

#[derive(Default, Serialize)]
struct ServerCapabilities {
    completions: Supported,
    prompts: Supported,
    resources: Supported,
    tools: Supported,
}

/// With the extensions, which only versions without a handshake have.
#[derive(Default, Serialize)]
struct ExtendedCapabilities {
    #[serde(flatten)]
    capabilities: ServerCapabilities,
    extensions: ServerExtensions,
}

#[derive(Default, Serialize)]
struct ServerExtensions {
    #[serde(rename = "io.modelcontextprotocol/skills")]
    skills: Supported,
}

#[derive(Default, Serialize)]
struct Supported {}

impl<'a> InitializeResult<'a> {
    pub fn new(server_info: ServerInfo<'a>, instructions: Cow<'static, str>, version: ProtocolVersion) -> Self {
        let capabilities = ServerCapabilities::default();
        Self { protocol_version: version.as_str(), capabilities, server_info, instructions }
    }
}

impl DiscoverResult {
    pub fn new(instructions: Cow<'static, str>) -> Self {
        let capabilities = ExtendedCapabilities::default();
        Self { supported_versions: [ProtocolVersion::LATEST.as_str()], capabilities, instructions }
    }
}
