//! The protocol version of a request ([versioning](https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning)).
//!
//! Requests of versions without a handshake have the version in their envelope (`params._meta`), which is checked in a
//! fixed order. For other requests, the version header decides the format of the response. No state is kept between
//! requests.

use super::headers::TransportHeaders;
use super::message::Request;
use super::protocol_error::ProtocolError;
use super::protocol_version::{ProtocolVersion, name_has_handshake};
use serde_json::{Map, Value};

pub const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
pub const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
pub const CLIENT_KEY: &str = "io.modelcontextprotocol/clientInfo";

/// The version of a request that came over HTTP.
pub fn version_of(request: &Request, headers: &TransportHeaders<'_>) -> Result<ProtocolVersion, ProtocolError> {
    if has_envelope(request) {
        let version = check_envelope(request)?;
        headers.check_agreement(version, &request.method)?;
        let served = served(version)?;
        headers.check_presence(request, version)?;
        return Ok(served);
    }
    // The body negotiates, whatever the header names.
    if request.method == "initialize" {
        return Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE);
    }
    match headers.version()? {
        // Or a client that asked for the version before those served, and goes on with it although `initialize` offered another.
        None | Some(BEFORE_THE_SERVED) => Ok(ProtocolVersion::V2025_03_26),
        // claude.ai names the latest version on requests of the one that its handshake agreed on. A client that means the
        // latest sends `Mcp-Method` too.
        Some(name)
            if name == ProtocolVersion::LATEST.as_str()
                && headers.method.is_none()
                && !is_meant_to_have_envelope(request) =>
        {
            Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE)
        }
        Some(_) if headers.needs_envelope() => Err(ProtocolError::IncompleteEnvelope(missing_keys(request))),
        Some(name) => {
            ProtocolVersion::parse_with_handshake(name).ok_or_else(|| ProtocolError::UnknownVersion(name.to_owned()))
        }
    }
}

const BEFORE_THE_SERVED: &str = "2024-11-05";

/// True if an envelope names a version. An `initialize` that names one with a handshake stays a handshake.
pub fn has_envelope(request: &Request) -> bool {
    match meta(&request.params).and_then(|meta| meta.get(VERSION_KEY)) {
        None => false,
        Some(Value::String(version)) if request.method == "initialize" => name_has_handshake(version) != Some(true),
        Some(_) => true,
    }
}

/// Where no header tells: whether a request can only be of a version without a handshake, even if its envelope names none.
pub fn is_meant_to_have_envelope(request: &Request) -> bool {
    let has_capabilities = meta(&request.params).is_some_and(|meta| meta.contains_key(CAPABILITIES_KEY));
    has_envelope(request) || request.method == "server/discover" || (has_capabilities && request.method != "initialize")
}

/// The version in an envelope that is complete and well-typed.
pub fn check_envelope(request: &Request) -> Result<&str, ProtocolError> {
    let missing = missing_keys(request);
    let version = meta(&request.params).and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str);
    match version {
        Some(version) if missing.is_empty() => Ok(version),
        _ => Err(ProtocolError::IncompleteEnvelope(missing)),
    }
}

pub fn served(version: &str) -> Result<ProtocolVersion, ProtocolError> {
    let known = ProtocolVersion::parse(version).filter(|version| !version.has_handshake());
    known.ok_or_else(|| ProtocolError::UnsupportedVersion(version.to_owned()))
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
