//! Every rule of the dispatch between the eras, and the order of the checks within the modern one.

use super::*;
use crate::mcp::message::{self, Message};
use serde_json::json;

const MODERN: &str = "2026-07-28";

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
fn a_complete_modern_request_is_modern() {
    let agreeing = headers(Some(MODERN), Some("tools/list"), None);
    check(&request("tools/list", json!({}), &envelope(MODERN)), agreeing, Ok(ProtocolVersion::LATEST));
    let padded = headers(Some(" 2026-07-28\t"), Some(" tools/list "), Some("ignored"));
    check(&request("tools/list", json!({}), &envelope(MODERN)), padded, Ok(ProtocolVersion::LATEST));
}

#[test]
fn an_incomplete_envelope_is_named_before_any_header_is_looked_at() {
    let check = |meta: Value, missing: Vec<&'static str>| {
        let wrong = headers(Some("2025-11-25"), Some("other"), None);
        check(&request("tools/list", json!({}), &meta), wrong, Err(ProtocolError::IncompleteEnvelope(missing)));
    };
    check(json!({ VERSION_KEY: MODERN }), vec![CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: MODERN, CAPABILITIES_KEY: [] }), vec![CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: 1, CAPABILITIES_KEY: {} }), vec![VERSION_KEY]);
    check(json!({ VERSION_KEY: null }), vec![VERSION_KEY, CAPABILITIES_KEY]);
    check(json!({ VERSION_KEY: MODERN, CAPABILITIES_KEY: {}, CLIENT_KEY: "x" }), vec![CLIENT_KEY]);
}

#[test]
fn modern_checks_come_in_order() {
    let mismatch = |reason| Err(ProtocolError::HeaderMismatch(reason));
    let unsupported = || Err(ProtocolError::UnsupportedVersion("2027-01-01".to_owned()));
    let version_differs = "MCP-Protocol-Version does not match the version in params._meta";
    let method_differs = "Mcp-Method does not match method";
    let future = request("tools/list", json!({}), &envelope("2027-01-01"));
    check(&future, headers(Some(MODERN), Some("other"), None), mismatch(version_differs));
    check(&future, headers(Some("2027-01-01"), Some("other"), None), mismatch(method_differs));
    check(&future, headers(Some("2027-01-01"), Some("Tools/list"), None), mismatch(method_differs));
    check(&future, headers(Some("2027-01-01"), Some("tools/list"), None), unsupported());
    check(&future, headers(None, None, None), unsupported());
    let modern = request("tools/list", json!({}), &envelope(MODERN));
    check(&modern, headers(None, None, None), mismatch("MCP-Protocol-Version is missing"));
    check(&modern, headers(None, Some("tools/list"), None), mismatch("MCP-Protocol-Version is missing"));
    check(&modern, headers(Some(MODERN), None, None), mismatch("Mcp-Method is missing"));
    check(&modern, headers(Some(""), Some("tools/list"), None), mismatch(version_differs));
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
        let request = request(method, params, &envelope(MODERN));
        let expected = expected.map(|()| ProtocolVersion::LATEST).map_err(ProtocolError::HeaderMismatch);
        check(&request, headers(Some(MODERN), Some(method), name), expected);
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
fn a_modern_header_alone_is_told_what_is_missing() {
    let both = vec![VERSION_KEY, CAPABILITIES_KEY];
    for version in [MODERN, "2027-01-01"] {
        let given = headers(Some(version), Some("tools/list"), None);
        let bare = request("tools/list", json!({}), &Value::Null);
        check(&bare, given, Err(ProtocolError::IncompleteEnvelope(both.clone())));
        let half = request("tools/list", json!({}), &json!({ CAPABILITIES_KEY: {} }));
        check(&half, given, Err(ProtocolError::IncompleteEnvelope(vec![VERSION_KEY])));
        let handshake = request("initialize", json!({}), &Value::Null);
        let expected = "MCP-Protocol-Version names a revision without initialize";
        check(&handshake, given, Err(ProtocolError::HeaderMismatch(expected)));
    }
}

#[test]
fn a_legacy_request_speaks_what_its_header_says() {
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
fn a_handshake_is_legacy_unless_it_claims_to_be_modern() {
    for version in [None, Some("2025-06-18"), Some("2024-11-05"), Some("banana")] {
        let bare = request("initialize", json!({}), &Value::Null);
        check(&bare, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
        let claiming = request("initialize", json!({}), &json!({ VERSION_KEY: "2025-11-25" }));
        check(&claiming, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
    }
    let modern = request("initialize", json!({}), &envelope(MODERN));
    check(&modern, headers(Some(MODERN), Some("initialize"), None), Ok(ProtocolVersion::LATEST));
}
