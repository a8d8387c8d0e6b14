//! Every rule of the choice of a version, and the order of the checks of an envelope.

use super::*;
use crate::mcp::message::{self, Message};
use serde_json::json;

const LATEST: &str = "2026-07-28";

fn request(method: &str, mut params: Value, meta: &Value) -> Request {
    if !meta.is_null() {
        params["_meta"] = meta.clone();
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    match message::parse(body.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("a request, not {other:?}"),
    }
}

fn envelope(version: &str) -> Value {
    json!({ VERSION_KEY: version, CAPABILITIES_KEY: {} })
}

fn headers<'a>(version: Option<&'a str>, method: Option<&'a str>, name: Option<&'a str>) -> TransportHeaders<'a> {
    TransportHeaders { protocol_version: version, method, name }
}

#[expect(clippy::needless_pass_by_value, reason = "each case makes its own")]
fn check(request: &Request, headers: TransportHeaders<'_>, expected: Result<ProtocolVersion, ProtocolError>) {
    assert_eq!(version_of(request, &headers), expected, "{request:?} with {headers:?}");
}

#[test]
fn complete_envelope_names_the_version() {
    let agreeing = headers(Some(LATEST), Some("tools/list"), None);
    check(&request("tools/list", json!({}), &envelope(LATEST)), agreeing, Ok(ProtocolVersion::LATEST));
    let padded = headers(Some(" 2026-07-28\t"), Some(" tools/list "), Some("ignored"));
    check(&request("tools/list", json!({}), &envelope(LATEST)), padded, Ok(ProtocolVersion::LATEST));
}

#[test]
fn incomplete_envelope_is_rejected_before_headers() {
    let check = |meta: Value, missing: Vec<&'static str>| {
        let wrong = headers(Some("2025-11-25"), Some("other"), None);
        check(&request("tools/list", json!({}), &meta), wrong, Err(ProtocolError::IncompleteEnvelope(missing)));
    };
    check(json!({ VERSION_KEY: LATEST }), vec![CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: LATEST, CAPABILITIES_KEY: [] }), vec![CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: 1, CAPABILITIES_KEY: {} }), vec![VERSION_KEY]);
    check(json!({ VERSION_KEY: null }), vec![VERSION_KEY, CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: LATEST, CAPABILITIES_KEY: {}, CLIENT_KEY: "x" }), vec![CLIENT_KEY]);
}

#[test]
fn envelope_is_checked_in_order() {
    let mismatch = |reason| Err(ProtocolError::HeaderMismatch(reason));
    let unsupported = || Err(ProtocolError::UnsupportedVersion("2027-01-01".to_owned()));
    let version_differs = "MCP-Protocol-Version does not match the version in params._meta";
    let method_differs = "Mcp-Method does not match method";
    let future = request("tools/list", json!({}), &envelope("2027-01-01"));
    check(&future, headers(Some(LATEST), Some("other"), None), mismatch(version_differs));
    check(&future, headers(Some("2027-01-01"), Some("other"), None), mismatch(method_differs));
    check(&future, headers(Some("2027-01-01"), Some("Tools/list"), None), mismatch(method_differs));
    check(&future, headers(Some("2027-01-01"), Some("tools/list"), None), unsupported());
    check(&future, headers(None, None, None), unsupported());
    let enveloped = request("tools/list", json!({}), &envelope(LATEST));
    check(&enveloped, headers(None, None, None), mismatch("MCP-Protocol-Version is missing"));
    check(&enveloped, headers(None, Some("tools/list"), None), mismatch("MCP-Protocol-Version is missing"));
    check(&enveloped, headers(Some(LATEST), None, None), mismatch("Mcp-Method is missing"));
    check(&enveloped, headers(Some(""), Some("tools/list"), None), mismatch(version_differs));
}

#[test]
fn an_envelope_may_name_only_what_is_served() {
    for version in ["2025-11-25", "2024-11-05", "", "2026-07-28 ", "draft"] {
        let expected = Err(ProtocolError::UnsupportedVersion(version.to_owned()));
        check(&request("tools/list", json!({}), &envelope(version)), headers(None, None, None), expected);
    }
}

#[test]
fn the_name_header_repeats_the_name_or_uri() {
    let check = |method: &str, params: Value, name: Option<&str>, expected: Result<(), &'static str>| {
        let request = request(method, params, &envelope(LATEST));
        let expected = expected.map(|()| ProtocolVersion::LATEST).map_err(ProtocolError::HeaderMismatch);
        check(&request, headers(Some(LATEST), Some(method), name), expected);
    };
    check("tools/call", json!({ "name": "a" }), Some("a"), Ok(()));
    check("tools/call", json!({ "name": "a" }), Some("=?base64?YQ==?="), Ok(()));
    check("tools/call", json!({ "name": "a" }), Some("A"), Err("Mcp-Name does not match the body"));
    check("tools/call", json!({ "name": "a" }), None, Err("Mcp-Name is missing"));
    check("tools/call", json!({ "name": "a" }), Some("=?base64?*?="), Err("Mcp-Name is not readable"));
    check("tools/call", json!({}), Some("a"), Ok(()));
    check("prompts/get", json!({ "name": "a" }), Some("b"), Err("Mcp-Name does not match the body"));
    check("resources/read", json!({ "uri": "x://a" }), Some("x://a"), Ok(()));
    check("resources/read", json!({ "uri": "x://a" }), Some("x://b"), Err("Mcp-Name does not match the body"));
    check("resources/list", json!({}), None, Ok(()));
}

#[test]
fn header_without_envelope_is_rejected_naming_the_missing_keys() {
    let both = vec![VERSION_KEY, CAPABILITIES_KEY];
    for version in [LATEST, "2027-01-01"] {
        let given = headers(Some(version), Some("tools/list"), None);
        let bare = request("tools/list", json!({}), &Value::Null);
        check(&bare, given, Err(ProtocolError::IncompleteEnvelope(both.clone())));
        let half = request("tools/list", json!({}), &json!({ CAPABILITIES_KEY: {} }));
        check(&half, given, Err(ProtocolError::IncompleteEnvelope(vec![VERSION_KEY])));
        let handshake = request("initialize", json!({}), &Value::Null);
        let expected = "MCP-Protocol-Version names a version without initialize";
        check(&handshake, given, Err(ProtocolError::HeaderMismatch(expected)));
    }
}

#[test]
fn request_without_envelope_has_the_version_of_its_header() {
    let request = request("tools/list", json!({}), &json!({ "progressToken": 1 }));
    let check = |version: Option<&str>, expected: Result<ProtocolVersion, &str>| {
        let expected = expected.map_err(|name| ProtocolError::UnknownVersion(name.to_owned()));
        check(&request, headers(version, None, None), expected);
    };
    check(None, Ok(ProtocolVersion::V2025_03_26));
    check(Some("2025-03-26"), Ok(ProtocolVersion::V2025_03_26));
    check(Some("2025-06-18"), Ok(ProtocolVersion::V2025_06_18));
    check(Some(" 2025-11-25 "), Ok(ProtocolVersion::V2025_11_25));
    for version in ["2024-11-05", "banana", "", "9999", "2025-13-01", "20260728"] {
        check(Some(version), Err(version));
    }
}

#[test]
fn initialize_is_a_handshake_unless_its_envelope_names_a_version_without_one() {
    for version in [None, Some("2025-06-18"), Some("2024-11-05"), Some("banana")] {
        let bare = request("initialize", json!({}), &Value::Null);
        check(&bare, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
        let claiming = request("initialize", json!({}), &json!({ VERSION_KEY: "2025-11-25" }));
        check(&claiming, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
    }
    let enveloped = request("initialize", json!({}), &envelope(LATEST));
    check(&enveloped, headers(Some(LATEST), Some("initialize"), None), Ok(ProtocolVersion::LATEST));
}
