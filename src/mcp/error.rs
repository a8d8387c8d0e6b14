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
// Ours, outside the reserved range: the HTTP status of the same meaning.
const ACCESS_ENDED: i64 = 401;
const INSUFFICIENT_SCOPE: i64 = 403;
const TOO_MANY_MESSAGES: i64 = 429;

/// The body of a 429. It names no message, for none was read.
pub fn too_many_messages(wait: Duration) -> Vec<u8> {
    let seconds = wait.as_secs().max(1);
    let words = format!(
        "This connection sends too many messages. Nothing was read or published. Wait {seconds} seconds, then send the message again."
    );
    WireError::new(429, TOO_MANY_MESSAGES, &words).with(json!({ "retry_after_seconds": seconds })).body(&Id::NULL)
}

/// The body of a request that was refused before a message was read; the code is the HTTP status, outside the reserved range.
pub fn refused_request(status: u16, words: &str) -> Vec<u8> {
    WireError::new(status, i64::from(status), &words).body(&Id::NULL)
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
    id: &'a Value,
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
    pub fn body(&self, id: &Id) -> Vec<u8> {
        let Self { code, message, data, .. } = self;
        let error = ErrorObject { code: *code, message, data: data.as_ref() };
        to_bytes(&ErrorResponse { error, id: id.as_value(), jsonrpc: JSON_RPC })
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
        ProtocolError::NotJson(_) => WireError::new(400, PARSE_ERROR, error),
        // The message could be read but for one argument.
        ProtocolError::LoneSurrogate(_) => WireError::new(200, INVALID_PARAMS, error),
        ProtocolError::NotARequest(_) | ProtocolError::Batch(_) => WireError::new(400, INVALID_REQUEST, error),
        ProtocolError::UnknownVersion(requested) => WireError::new(400, INVALID_REQUEST, error)
            .with(json!({ "supported": ProtocolVersion::with_handshake(), "requested": requested })),
        ProtocolError::IncompleteEnvelope(missing) => WireError::new(400, INVALID_PARAMS, error)
            .with(json!({ "supported": [ProtocolVersion::LATEST.as_str()], "missing": missing })),
        ProtocolError::HeaderMismatch(mismatch) => WireError::new(400, HEADER_MISMATCH, error).with(json!({
            "header": mismatch.header,
            "received": mismatch.received,
            "body": mismatch.body.as_ref().map(|(_, value)| value),
            "supported": [ProtocolVersion::LATEST.as_str()],
        })),
        ProtocolError::UnsupportedVersion(requested) => WireError::new(400, UNSUPPORTED_VERSION, error)
            .with(json!({ "supported": [ProtocolVersion::LATEST.as_str()], "requested": requested })),
        ProtocolError::UnknownMethod(_) => {
            WireError::new(if version.has_handshake() { 200 } else { 404 }, METHOD_NOT_FOUND, error)
        }
    }
}

fn handler_error(error: &Error, version: ProtocolVersion) -> WireError {
    match error {
        Error::UnknownTool { .. } | Error::UnknownPrompt { .. } | Error::InvalidParams(_) | Error::Forbidden(_) => {
            WireError::new(200, INVALID_PARAMS, error)
        }
        Error::ResourceNotFound { uri, .. } => {
            let code = if version.has_handshake() { RESOURCE_NOT_FOUND } else { INVALID_PARAMS };
            WireError::new(200, code, error).with(json!({ "uri": uri }))
        }
        Error::MissingCapability(capabilities) if !version.has_handshake() => {
            WireError::new(400, MISSING_CAPABILITY, error).with(json!({ "requiredCapabilities": capabilities }))
        }
        // An input request that cannot be made; versions with a handshake have none.
        Error::MissingCapability(_) | Error::InputRequired(_) => WireError::new(200, INVALID_PARAMS, error),
        Error::InsufficientScope { needed } => {
            WireError::new(403, INSUFFICIENT_SCOPE, error).with(json!({ "scope": needed.to_string() }))
        }
        Error::AccessEnded | Error::GrantEnded => WireError::new(401, ACCESS_ENDED, error),
        Error::Unavailable { .. } => WireError::new(503, INTERNAL_ERROR, error),
        Error::Untrusted(_) => WireError::new(502, INTERNAL_ERROR, error),
        Error::Internal(_) => WireError::new(if version.has_handshake() { 200 } else { 500 }, INTERNAL_ERROR, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::protocol_error::{HeaderMismatch, VERSION_HEADER};
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
        check(ProtocolError::NotJson(text()), (400, -32700), (400, -32700));
        check(ProtocolError::NotARequest("x"), (400, -32600), (400, -32600));
        check(ProtocolError::Batch(2), (400, -32600), (400, -32600));
        check(ProtocolError::UnknownVersion(text()), (400, -32600), (400, -32600));
        check(ProtocolError::IncompleteEnvelope(vec![]), (400, -32602), (400, -32602));
        let mismatch = HeaderMismatch { header: "Mcp-Name", received: None, body: None };
        check(ProtocolError::HeaderMismatch(mismatch), (400, -32020), (400, -32020));
        check(ProtocolError::UnsupportedVersion(text()), (400, -32022), (400, -32022));
        check(ProtocolError::UnknownMethod(text()), (200, -32601), (404, -32601));
        check(Error::UnknownTool { name: text(), hint: String::new() }, (200, -32602), (200, -32602));
        check(Error::UnknownPrompt { name: text(), hint: String::new() }, (200, -32602), (200, -32602));
        check(Error::InvalidParams(text()), (200, -32602), (200, -32602));
        check(Error::Forbidden(text()), (200, -32602), (200, -32602));
        check(Error::ResourceNotFound { uri: text(), message: text() }, (200, -32002), (200, -32602));
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
            (
                Error::UnknownPrompt { name: name.into(), hint: String::new() }.into(),
                format!("unknown prompt {quoted}"),
            ),
            (ProtocolError::UnknownMethod(name.into()).into(), format!("Unknown method {quoted}")),
        ] {
            assert_eq!(of(failure), message);
        }
        let versions = [ProtocolError::UnknownVersion(name.into()), ProtocolError::UnsupportedVersion(name.into())];
        for failure in versions {
            assert!(of(failure.into()).contains(&format!(" {quoted} ")));
        }
        assert!(of(Error::UnknownTool { name: "x".repeat(200_000), hint: String::new() }.into()).len() < 200);
    }

    #[test]
    fn internal_error_hides_its_reason() {
        let wire =
            Failure::from(Error::Internal("no such table: grants".to_owned())).wire(ProtocolVersion::V2025_11_25);
        assert_eq!(
            serde_json::from_slice::<Value>(&wire.body(&Id::NULL)).expect("JSON"),
            json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32603, "message": "internal error" } })
        );
    }

    #[test]
    fn version_error_names_the_received_version_and_the_served_ones_in_words_and_data() {
        let served = "Served: 2025-03-26, 2025-06-18, 2025-11-25 (negotiated by initialize, then named in the header \
                      MCP-Protocol-Version) and 2026-07-28 (named by each request in that header and in params._meta).";
        let check = |error: ProtocolError, message: &str, data: Value| {
            let wire = Failure::from(error).wire(ProtocolVersion::V2026_07_28);
            assert_eq!((wire.message, wire.data), (format!("{message} {served}"), Some(data)));
        };
        check(
            ProtocolError::UnknownVersion("banana".to_owned()),
            r#"MCP-Protocol-Version "banana" is not served."#,
            json!({ "requested": "banana", "supported": ["2025-03-26", "2025-06-18", "2025-11-25"] }),
        );
        check(
            ProtocolError::UnsupportedVersion("2027-01-01".to_owned()),
            r#"Protocol version "2027-01-01" in params._meta is not served."#,
            json!({ "requested": "2027-01-01", "supported": ["2026-07-28"] }),
        );
        let body = Some(("params._meta", "2026-07-28".to_owned()));
        let differs = HeaderMismatch { header: VERSION_HEADER, received: Some("2025-11-25".to_owned()), body };
        check(
            ProtocolError::HeaderMismatch(differs),
            r#"The header MCP-Protocol-Version is "2025-11-25", and the body's params._meta is "2026-07-28": send the same in both."#,
            json!({ "header": VERSION_HEADER, "received": "2025-11-25", "body": "2026-07-28", "supported": ["2026-07-28"] }),
        );
        let two =
            HeaderMismatch { header: VERSION_HEADER, received: Some("2025-06-18, 2025-11-25".to_owned()), body: None };
        check(
            ProtocolError::HeaderMismatch(two),
            r#"The header MCP-Protocol-Version is "2025-06-18, 2025-11-25", which is not one readable value."#,
            json!({ "header": VERSION_HEADER, "received": "2025-06-18, 2025-11-25", "body": null, "supported": ["2026-07-28"] }),
        );
        check(
            ProtocolError::IncompleteEnvelope(vec!["io.modelcontextprotocol/clientCapabilities"]),
            "Missing or invalid in params._meta: io.modelcontextprotocol/clientCapabilities.",
            json!({ "missing": ["io.modelcontextprotocol/clientCapabilities"], "supported": ["2026-07-28"] }),
        );
    }

    #[test]
    fn error_data_names_capabilities_and_uri() {
        let data = |failure: Failure| failure.wire(ProtocolVersion::V2026_07_28).data;
        let capability = json!({ "sampling": {} });
        let needed = json!({ "requiredCapabilities": capability });
        assert_eq!(data(Error::MissingCapability(capability).into()), Some(needed));
        let uri = "statibeat://pages/9/summary".to_owned();
        assert_eq!(
            data(Error::ResourceNotFound { uri: uri.clone(), message: String::new() }.into()),
            Some(json!({ "uri": uri }))
        );
    }
}
