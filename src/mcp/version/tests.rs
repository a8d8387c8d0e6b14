//! Every rule of the choice of a version, and the order of the checks of an envelope.

use super::*;
use crate::mcp::message::{self, Message};
use crate::mcp::protocol_error::{HeaderMismatch, VERSION_HEADER};
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

fn mismatch(
    header: &'static str,
    received: Option<&str>,
    body: Option<(&'static str, &str)>,
) -> Result<ProtocolVersion, ProtocolError> {
    let body = body.map(|(member, value)| (member, value.to_owned()));
    Err(ProtocolError::HeaderMismatch(HeaderMismatch { header, received: received.map(str::to_owned), body }))
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
    let unsupported = || Err(ProtocolError::UnsupportedVersion("2027-01-01".to_owned()));
    let version = |received, body| mismatch(VERSION_HEADER, received, Some(("params._meta", body)));
    let method = |received| mismatch("Mcp-Method", received, Some(("method", "tools/list")));
    let future = request("tools/list", json!({}), &envelope("2027-01-01"));
    check(&future, headers(Some(LATEST), Some("other"), None), version(Some(LATEST), "2027-01-01"));
    check(&future, headers(Some("2027-01-01"), Some("other"), None), method(Some("other")));
    check(&future, headers(Some("2027-01-01"), Some("Tools/list"), None), method(Some("Tools/list")));
    check(&future, headers(Some("2027-01-01"), Some("tools/list"), None), unsupported());
    check(&future, headers(None, None, None), unsupported());
    let enveloped = request("tools/list", json!({}), &envelope(LATEST));
    check(&enveloped, headers(None, None, None), version(None, LATEST));
    check(&enveloped, headers(None, Some("tools/list"), None), version(None, LATEST));
    check(&enveloped, headers(Some(LATEST), None, None), method(None));
    check(&enveloped, headers(Some(""), Some("tools/list"), None), version(Some(""), LATEST));
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
    let check = |method: &str, params: Value, name: Option<&str>, expected: Option<Option<(&'static str, &str)>>| {
        let request = request(method, params, &envelope(LATEST));
        let expected = match expected {
            None => Ok(ProtocolVersion::LATEST),
            Some(body) => mismatch("Mcp-Name", name, body),
        };
        check(&request, headers(Some(LATEST), Some(method), name), expected);
    };
    check("tools/call", json!({ "name": "a" }), Some("a"), None);
    check("tools/call", json!({ "name": "a" }), Some("=?base64?YQ==?="), None);
    check("tools/call", json!({ "name": "a" }), Some("a, a"), None);
    check("tools/call", json!({ "name": "a" }), Some("a, b"), Some(Some(("name", "a"))));
    check("tools/call", json!({ "name": "a" }), Some("A"), Some(Some(("name", "a"))));
    check("tools/call", json!({ "name": "a" }), None, Some(Some(("name", "a"))));
    check("tools/call", json!({ "name": "a" }), Some("=?base64?*?="), Some(None));
    check("tools/call", json!({}), Some("a"), None);
    check("prompts/get", json!({ "name": "a" }), Some("b"), Some(Some(("name", "a"))));
    check("resources/read", json!({ "uri": "x://a" }), Some("x://a"), None);
    check("resources/read", json!({ "uri": "x://a,b" }), Some("x://a,b"), None);
    check("resources/read", json!({ "uri": "x://a" }), Some("x://b"), Some(Some(("uri", "x://a"))));
    check("resources/list", json!({}), None, None);
}

#[test]
fn repeated_header_with_one_value_is_that_value() {
    let enveloped = request("tools/list", json!({}), &envelope(LATEST));
    let twice = headers(Some("2026-07-28, 2026-07-28"), Some("tools/list,tools/list"), None);
    check(&enveloped, twice, Ok(ProtocolVersion::LATEST));
    let bare = request("tools/list", json!({}), &Value::Null);
    let version = |value| headers(Some(value), None, None);
    check(&bare, version("2025-11-25,2025-11-25"), Ok(ProtocolVersion::V2025_11_25));
    check(&bare, version("2025-06-18, 2025-06-18 ,2025-06-18"), Ok(ProtocolVersion::V2025_06_18));
    for two in ["2025-06-18, 2025-11-25", "2025-06-18,", ",2025-06-18"] {
        check(&bare, version(two), mismatch(VERSION_HEADER, Some(two), None));
    }
}

#[test]
fn older_request_under_the_latest_header_is_served_in_the_version_of_its_handshake() {
    let bare = request("tools/call", json!({ "name": "a" }), &json!({ "progressToken": 1 }));
    check(&bare, headers(Some(LATEST), None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
    let discover = request("server/discover", json!({}), &Value::Null);
    let missing = Err(ProtocolError::IncompleteEnvelope(vec![VERSION_KEY, CAPABILITIES_KEY]));
    check(&discover, headers(Some(LATEST), None, None), missing);
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
    check(Some("2024-11-05"), Ok(ProtocolVersion::V2025_03_26));
    check(Some("2025-03-26"), Ok(ProtocolVersion::V2025_03_26));
    check(Some("2025-06-18"), Ok(ProtocolVersion::V2025_06_18));
    check(Some(" 2025-11-25 "), Ok(ProtocolVersion::V2025_11_25));
    for version in ["2024-10-07", "banana", "", "9999", "2025-13-01", "20260728"] {
        check(Some(version), Err(version));
    }
}

#[test]
fn initialize_is_a_handshake_unless_its_envelope_names_a_version_without_one() {
    for version in [None, Some("2025-06-18"), Some("2024-11-05"), Some("banana"), Some(LATEST), Some("2027-01-01")] {
        let bare = request("initialize", json!({}), &Value::Null);
        check(&bare, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
        let claiming = request("initialize", json!({}), &json!({ VERSION_KEY: "2025-11-25" }));
        check(&claiming, headers(version, None, None), Ok(ProtocolVersion::LATEST_WITH_HANDSHAKE));
    }
    let enveloped = request("initialize", json!({}), &envelope(LATEST));
    check(&enveloped, headers(Some(LATEST), Some("initialize"), None), Ok(ProtocolVersion::LATEST));
}
