//! The headers that repeat parts of a message ([Streamable
//! HTTP](https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http)), and how they must agree with it.
//!
//! They let proxies route without reading bodies. A header that contradicts the body is rejected, because the two could
//! be used to bypass checks. Transports without HTTP don't use this file.

use super::message::Request;
use super::protocol_error::{HeaderMismatch, ProtocolError, VERSION_HEADER};
use super::protocol_version::name_has_handshake;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

const METHOD_HEADER: &str = "Mcp-Method";
const NAME_HEADER: &str = "Mcp-Name";

/// The headers of a POST that the protocol gives a meaning; absent ones are `None`, the lines of a repeated one are joined by commas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportHeaders<'a> {
    pub protocol_version: Option<&'a str>,
    pub method: Option<&'a str>,
    pub name: Option<&'a str>,
}

impl TransportHeaders<'_> {
    /// The version that the header names. Proxies join lines that a client sent twice (RFC 9110 5.3): one value said twice is
    /// that value.
    pub fn version(&self) -> Result<Option<&str>, ProtocolError> {
        let Some(header) = self.protocol_version else { return Ok(None) };
        let mut values = header.split(',').map(trim);
        let version = values.next().unwrap_or_default();
        if values.all(|value| value == version) {
            Ok(Some(version))
        } else {
            mismatch(VERSION_HEADER, Some(header), None)
        }
    }

    /// `true` if the version is one without a handshake.
    pub fn needs_envelope(&self) -> bool {
        self.version().ok().flatten().and_then(name_has_handshake) == Some(false)
    }

    /// Checks that the headers present agree with the body.
    pub fn check_agreement(&self, version: &str, method: &str) -> Result<(), ProtocolError> {
        if self.version()?.is_some_and(|given| given != version) {
            return mismatch(VERSION_HEADER, self.protocol_version, Some(("params._meta", version)));
        }
        match self.method {
            Some(given) if !says(given, method) => mismatch(METHOD_HEADER, Some(given), Some(("method", method))),
            _ => Ok(()),
        }
    }

    /// Checks that a request without a handshake has its required headers, and that they agree with the body.
    pub fn check_presence(&self, request: &Request, version: &str) -> Result<(), ProtocolError> {
        if self.protocol_version.is_none() {
            return mismatch(VERSION_HEADER, None, Some(("params._meta", version)));
        }
        if self.method.is_none() {
            return mismatch(METHOD_HEADER, None, Some(("method", &request.method)));
        }
        let Some(member) = named_member(&request.method) else {
            return Ok(());
        };
        // A body without the name is invalid by itself, and is told so when the method is performed.
        let in_body = request.params.get(member).and_then(serde_json::Value::as_str);
        let expected = in_body.map(|name| (member, name));
        match (self.name, in_body) {
            (None, _) => mismatch(NAME_HEADER, None, expected),
            (Some(given), _) if decode(given).is_none() => mismatch(NAME_HEADER, Some(given), None),
            (Some(given), Some(name)) if !says(given, name) => mismatch(NAME_HEADER, Some(given), expected),
            (Some(_), _) => Ok(()),
        }
    }
}

/// True if the header has that value, once or repeated.
fn says(header: &str, value: &str) -> bool {
    let is_value = |part: &str| decode(part).is_some_and(|part| part == value);
    is_value(header) || header.split(',').all(is_value)
}

fn named_member(method: &str) -> Option<&'static str> {
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

fn mismatch<T>(
    header: &'static str,
    received: Option<&str>,
    body: Option<(&'static str, &str)>,
) -> Result<T, ProtocolError> {
    let (received, body) = (received.map(str::to_owned), body.map(|(member, value)| (member, value.to_owned())));
    Err(ProtocolError::HeaderMismatch(HeaderMismatch { header, received, body }))
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
