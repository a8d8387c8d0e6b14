//! The headers that repeat parts of a message ([Streamable
//! HTTP](https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http)), and how they must agree with it.
//!
//! They let the network route without reading bodies; a header that says something else than the body is refused, or
//! the two could be played against each other. A front end without HTTP has no use for this file.

use super::message::Request;
use super::protocol_error::ProtocolError;
use super::protocol_version::name_has_handshake;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The headers of a POST that the protocol gives a meaning; absent ones are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportHeaders<'a> {
    pub protocol_version: Option<&'a str>,
    pub method: Option<&'a str>,
    pub name: Option<&'a str>,
}

impl TransportHeaders<'_> {
    /// The version without the blanks around it.
    pub fn version(&self) -> Option<&str> {
        self.protocol_version.map(trim)
    }

    /// `true` if the version is one without a handshake.
    pub fn needs_envelope(&self) -> bool {
        self.version().and_then(name_has_handshake) == Some(false)
    }

    /// Checks that the headers present agree with the body.
    pub fn check_agreement(&self, version: &str, method: &str) -> Result<(), ProtocolError> {
        if self.version().is_some_and(|given| given != version) {
            return mismatch("MCP-Protocol-Version does not match the version in params._meta");
        }
        if self.method.is_some_and(|given| trim(given) != method) {
            return mismatch("Mcp-Method does not match method");
        }
        Ok(())
    }

    /// Checks that a request without a handshake has its required headers, and that they agree with the body.
    pub fn check_presence(&self, request: &Request) -> Result<(), ProtocolError> {
        if self.protocol_version.is_none() {
            return mismatch("MCP-Protocol-Version is missing");
        }
        if self.method.is_none() {
            return mismatch("Mcp-Method is missing");
        }
        let Some(field) = named_field(&request.method) else {
            return Ok(());
        };
        let Some(given) = self.name else {
            return mismatch("Mcp-Name is missing");
        };
        let Some(given) = decode(given) else {
            return mismatch("Mcp-Name is not readable");
        };
        // A body without the name is invalid by itself, and is told so when the method is performed.
        match request.params.get(field).and_then(serde_json::Value::as_str) {
            Some(name) if name != given => mismatch("Mcp-Name does not match the body"),
            _ => Ok(()),
        }
    }
}

fn named_field(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    }
}

/// A header's value: plain, or between `=?base64?` and `?=` as the Base64 of UTF-8.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    let value = trim(value);
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(value));
    };
    let bytes = STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

fn mismatch(reason: &'static str) -> Result<(), ProtocolError> {
    Err(ProtocolError::HeaderMismatch(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_the_sentinel_is_decoded() {
        let check = |value: &str, expected: Option<&str>| assert_eq!(decode(value).as_deref(), expected, "{value}");
        check("create_incident", Some("create_incident"));
        check(" \tx ", Some("x"));
        check("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, 世界"));
        check("=?base64??=", Some(""));
        check("=?base64?IHBhZGRlZCA=?=", Some(" padded "));
        check("=?base64?SGVsbG8", Some("=?base64?SGVsbG8"));
        check("=?BASE64?SGVsbG8=?=", Some("=?BASE64?SGVsbG8=?="));
        check("=?base64?%%%?=", None);
        check("=?base64?SGVsbG8?=", None);
        check("=?base64?/w==?=", None);
    }
}
