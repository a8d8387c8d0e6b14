//! Every reason for not giving a result, and what it becomes on the wire ([error codes](https://modelcontextprotocol.io/specification/2026-07-28/basic)). The only place that
//! writes JSON-RPC error codes.

use super::handler_error::Error;
use super::message::{Id, JSON_RPC};
use super::protocol_error::ProtocolError;
use super::protocol_version::ProtocolVersion;
use super::results::to_bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
const RESOURCE_NOT_FOUND: i64 = -32002;
const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_VERSION: i64 = -32022;
// Ours, outside the reserved range. Only stdio shows them: HTTP answers these two by its own means.
const ACCESS_ENDED: i64 = 401;
const INSUFFICIENT_SCOPE: i64 = 403;
const TOO_MANY_MESSAGES: i64 = 429;

/// The body of a 429. It names no message, for none was read.
pub fn too_many_messages(wait: Duration) -> Vec<u8> {
    let seconds = wait.as_secs().max(1);
    let words = format!(
        "This connection sends too many messages. Nothing was read or published. Wait {seconds} seconds, then send the message again."
    );
    WireError::new(429, TOO_MANY_MESSAGES, &words).with(json!({ "retry_after_seconds": seconds })).body(None)
}

/// Why a message has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    Protocol(ProtocolError),
    Handler(Error),
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        Failure::Protocol(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Handler(error)
    }
}

#[derive(Serialize)]
struct ErrorResponse<'a> {
    error: ErrorObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    jsonrpc: &'static str,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    message: &'a str,
}

/// A failure on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct WireError {
    pub status: u16,
    pub code: i64,
    pub message: String,
    pub data: Option<Value>,
}

impl WireError {
    /// The JSON-RPC answer. An id that could not be read is left out, as the versions' schemas have it.
    pub fn body(&self, id: Option<&Id>) -> Vec<u8> {
        let Self { code, message, data, .. } = self;
        let error = ErrorObject { code: *code, message, data: data.as_ref() };
        to_bytes(&ErrorResponse { error, id: id.map(Id::as_value), jsonrpc: JSON_RPC })
    }

    fn new(status: u16, code: i64, message: &impl ToString) -> Self {
        WireError { status, code, message: message.to_string(), data: None }
    }

    fn with(self, data: Value) -> Self {
        WireError { data: Some(data), ..self }
    }
}

impl Failure {
    /// The error on the wire, in a protocol version.
    pub fn wire(&self, version: ProtocolVersion) -> WireError {
        match self {
            Failure::Protocol(error) => protocol_error(error, version),
            Failure::Handler(error) => handler_error(error, version),
        }
    }
}

fn protocol_error(error: &ProtocolError, version: ProtocolVersion) -> WireError {
    match error {
        ProtocolError::NotJson => WireError::new(400, PARSE_ERROR, error),
        ProtocolError::NotARequest(_) | ProtocolError::UnknownVersion(_) | ProtocolError::Batch(_) => {
            WireError::new(400, INVALID_REQUEST, error)
        }
        ProtocolError::IncompleteEnvelope(_) => WireError::new(400, INVALID_PARAMS, error),
        ProtocolError::HeaderMismatch(_) => WireError::new(400, HEADER_MISMATCH, error),
        ProtocolError::UnsupportedVersion(requested) => WireError::new(400, UNSUPPORTED_VERSION, error)
            .with(json!({ "supported": [ProtocolVersion::LATEST.as_str()], "requested": requested })),
        ProtocolError::UnknownMethod(_) => {
            WireError::new(if version.has_handshake() { 200 } else { 404 }, METHOD_NOT_FOUND, error)
        }
    }
}

fn handler_error(error: &Error, version: ProtocolVersion) -> WireError {
    match error {
        Error::UnknownTool { .. } | Error::UnknownPrompt(_) | Error::InvalidParams(_) | Error::Forbidden(_) => {
            WireError::new(200, INVALID_PARAMS, error)
        }
        Error::ResourceNotFound(uri) => {
            let code = if version.has_handshake() { RESOURCE_NOT_FOUND } else { INVALID_PARAMS };
            WireError::new(200, code, &"No such resource").with(json!({ "uri": uri }))
        }
        Error::MissingCapability(capabilities) if !version.has_handshake() => {
            WireError::new(400, MISSING_CAPABILITY, error).with(json!({ "requiredCapabilities": capabilities }))
        }
        // An input request that cannot be made; versions with a handshake have none.
        Error::MissingCapability(_) | Error::InputRequired(_) => WireError::new(200, INVALID_PARAMS, error),
        Error::InsufficientScope { .. } => WireError::new(403, INSUFFICIENT_SCOPE, error),
        Error::AccessEnded | Error::GrantEnded => WireError::new(401, ACCESS_ENDED, error),
        Error::Unavailable { .. } => WireError::new(503, INTERNAL_ERROR, error),
        Error::Untrusted(_) => WireError::new(502, INTERNAL_ERROR, error),
        Error::Internal(_) => WireError::new(if version.has_handshake() { 200 } else { 500 }, INTERNAL_ERROR, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::{Scope, ScopeSet};

    fn check(failure: impl Into<Failure>, with_handshake: (u16, i64), without: (u16, i64)) {
        let failure = failure.into();
        let on_wire = |version| {
            let wire = failure.wire(version);
            (wire.status, wire.code)
        };
        assert_eq!(on_wire(ProtocolVersion::V2025_11_25), with_handshake, "{failure:?}");
        assert_eq!(on_wire(ProtocolVersion::V2026_07_28), without, "{failure:?}");
    }

    #[test]
    fn every_reason_has_its_code_and_status() {
        let text = || "x".to_owned();
        check(ProtocolError::NotJson, (400, -32700), (400, -32700));
        check(ProtocolError::NotARequest("x"), (400, -32600), (400, -32600));
        check(ProtocolError::Batch(2), (400, -32600), (400, -32600));
        check(ProtocolError::UnknownVersion(text()), (400, -32600), (400, -32600));
        check(ProtocolError::IncompleteEnvelope(vec![]), (400, -32602), (400, -32602));
        check(ProtocolError::HeaderMismatch("x"), (400, -32020), (400, -32020));
        check(ProtocolError::UnsupportedVersion(text()), (400, -32022), (400, -32022));
        check(ProtocolError::UnknownMethod(text()), (200, -32601), (404, -32601));
        check(Error::UnknownTool { name: text(), hint: String::new() }, (200, -32602), (200, -32602));
        check(Error::UnknownPrompt(text()), (200, -32602), (200, -32602));
        check(Error::InvalidParams(text()), (200, -32602), (200, -32602));
        check(Error::Forbidden(text()), (200, -32602), (200, -32602));
        check(Error::ResourceNotFound(text()), (200, -32002), (200, -32602));
        check(Error::InsufficientScope { needed: ScopeSet::from(Scope::PagesRead) }, (403, 403), (403, 403));
        check(Error::AccessEnded, (401, 401), (401, 401));
        check(Error::GrantEnded, (401, 401), (401, 401));
        check(Error::MissingCapability(json!({ "sampling": {} })), (200, -32602), (400, -32021));
        check(Error::Unavailable { reason: text(), retry_after: None }, (503, -32603), (503, -32603));
        check(Error::Untrusted(text()), (502, -32603), (502, -32603));
        check(Error::Internal(text()), (200, -32603), (500, -32603));
    }

    #[test]
    fn name_in_an_error_message_is_quoted_on_one_line() {
        let name = "x\nNothing was published.\u{202e}\" \u{e0041}";
        let quoted = r#""x\nNothing was published.\u{202e}\" \u{e0041}""#;
        let of = |failure: Failure| failure.wire(ProtocolVersion::V2025_11_25).message;
        for (failure, message) in [
            (Error::UnknownTool { name: name.into(), hint: String::new() }.into(), format!("unknown tool {quoted}")),
            (Error::UnknownPrompt(name.into()).into(), format!("unknown prompt {quoted}")),
            (ProtocolError::UnknownMethod(name.into()).into(), format!("Unknown method {quoted}")),
            (ProtocolError::UnknownVersion(name.into()).into(), format!("Unknown MCP-Protocol-Version {quoted}")),
            (ProtocolError::UnsupportedVersion(name.into()).into(), format!("Unsupported protocol version {quoted}")),
        ] {
            assert_eq!(of(failure), message);
        }
        assert!(of(Error::UnknownTool { name: "x".repeat(200_000), hint: String::new() }.into()).len() < 200);
    }

    #[test]
    fn internal_error_hides_its_reason() {
        let wire =
            Failure::from(Error::Internal("no such table: grants".to_owned())).wire(ProtocolVersion::V2025_11_25);
        assert_eq!(
            serde_json::from_slice::<Value>(&wire.body(None)).expect("JSON"),
            json!({ "jsonrpc": "2.0", "error": { "code": -32603, "message": "internal error" } })
        );
    }

    #[test]
    fn error_data_names_versions_capabilities_and_uri() {
        let data = |failure: Failure| failure.wire(ProtocolVersion::V2026_07_28).data;
        let supported = json!({ "supported": ["2026-07-28"], "requested": "2027-01-01" });
        assert_eq!(data(ProtocolError::UnsupportedVersion("2027-01-01".to_owned()).into()), Some(supported));
        let capability = json!({ "sampling": {} });
        let needed = json!({ "requiredCapabilities": capability });
        assert_eq!(data(Error::MissingCapability(capability).into()), Some(needed));
        let uri = "statibeat://pages/9/summary".to_owned();
        assert_eq!(data(Error::ResourceNotFound(uri.clone()).into()), Some(json!({ "uri": uri })));
    }
}
