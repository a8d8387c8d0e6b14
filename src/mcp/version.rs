//! Which revision of the protocol a request speaks ([versioning](https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning)).
//!
//! A modern request says so itself, in `params._meta`, and is checked in a fixed order. Everything else is
//! legacy, and the version header then says which revision the answer is shaped for. Nothing is remembered between
//! requests.

use super::headers::TransportHeaders;
use super::message::Request;
use super::protocol_error::ProtocolError;
use super::protocol_version::{ProtocolVersion, names_legacy};
use serde_json::{Map, Value};

/// Where a modern request names its revision.
pub const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// Where a modern request says what its client can do.
pub const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
/// Where a modern request says which program sends it.
pub const CLIENT_KEY: &str = "io.modelcontextprotocol/clientInfo";

/// The revision of a request that came alone over HTTP.
pub fn version_of(request: &Request, headers: &TransportHeaders<'_>) -> Result<ProtocolVersion, ProtocolError> {
    if is_modern(request) {
        let version = check_envelope(request)?;
        headers.check_agreement(version, &request.method)?;
        let revision = served(version)?;
        headers.check_presence(request)?;
        return Ok(revision);
    }
    if headers.names_modern() {
        return Err(modern_header_alone(request));
    }
    if request.method == "initialize" {
        return Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE);
    }
    match headers.version() {
        None => Ok(ProtocolVersion::V2025_03_26),
        Some(name) => {
            ProtocolVersion::parse_with_handshake(name).ok_or_else(|| ProtocolError::UnknownVersion(name.to_owned()))
        }
    }
}

/// Rule 7: a modern request names a version; but a handshake that names one from before stays a handshake.
pub fn is_modern(request: &Request) -> bool {
    match meta(&request.params).and_then(|meta| meta.get(VERSION_KEY)) {
        None => false,
        Some(Value::String(version)) if request.method == "initialize" => !names_legacy(version),
        Some(_) => true,
    }
}

/// Where no header tells: whether a request can only be meant as a modern one, even if its envelope names no version.
pub fn is_meant_modern(request: &Request) -> bool {
    let has_capabilities = meta(&request.params).is_some_and(|meta| meta.contains_key(CAPABILITIES_KEY));
    is_modern(request) || request.method == "server/discover" || (has_capabilities && request.method != "initialize")
}

/// Rule 7a: the envelope is complete and well-typed; its version.
pub fn check_envelope(request: &Request) -> Result<&str, ProtocolError> {
    let missing = missing_keys(request);
    let version = meta(&request.params).and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str);
    match version {
        Some(version) if missing.is_empty() => Ok(version),
        _ => Err(ProtocolError::IncompleteEnvelope(missing)),
    }
}

/// Rule 7d.
pub fn served(version: &str) -> Result<ProtocolVersion, ProtocolError> {
    let revision = ProtocolVersion::parse(version).filter(|revision| !revision.has_handshake());
    revision.ok_or_else(|| ProtocolError::UnsupportedVersion(version.to_owned()))
}

/// Rule 8.
fn modern_header_alone(request: &Request) -> ProtocolError {
    if request.method == "initialize" {
        return ProtocolError::HeaderMismatch("MCP-Protocol-Version names a revision without initialize");
    }
    ProtocolError::IncompleteEnvelope(missing_keys(request))
}

/// Keys of the envelope that are absent or of the wrong type.
fn missing_keys(request: &Request) -> Vec<&'static str> {
    let get = |key| meta(&request.params).and_then(|meta| meta.get(key));
    let mut missing = Vec::new();
    if !get(VERSION_KEY).is_some_and(Value::is_string) {
        missing.push(VERSION_KEY);
    }
    if !get(CAPABILITIES_KEY).is_some_and(Value::is_object) {
        missing.push(CAPABILITIES_KEY);
    }
    if get(CLIENT_KEY).is_some_and(|client| !client.is_object()) {
        missing.push(CLIENT_KEY);
    }
    missing
}

fn meta(params: &Map<String, Value>) -> Option<&Map<String, Value>> {
    params.get("_meta")?.as_object()
}

#[cfg(test)]
mod tests;
