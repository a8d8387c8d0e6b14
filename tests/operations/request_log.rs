//! The request log. That no line holds a secret or a customer's words is checked after every request of every
//! test here (`support/logged.rs`).

use crate::support::flow::{CLIENT, tokens, user};
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, header, request};
use serde_json::{Value, json};
use statibeat_mcp::model::outcome::Outcome;
use statibeat_mcp::telemetry::metrics::{NUMBERS, WORDS};
use std::time::Duration;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-01";

/// A modern read of the page list, with these headers and these members of `_meta`.
fn modern_read(app: &TestApp, token: &str, headers: &[(&str, &str)], more: &Value) -> u16 {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    for (name, value) in more.as_object().expect("an object") {
        meta[name] = value.clone();
    }
    let uri = "statibeat://pages";
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": uri, "_meta": meta },
    });
    let bearer = format!("Bearer {token}");
    let mut all = vec![
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "resources/read"),
        ("mcp-name", uri),
    ];
    all.extend(headers);
    app.send(request("POST", "/mcp", &all, body.to_string())).status().as_u16()
}

/// The headers that the last request to StatiBeat carried.
fn sent(app: &TestApp, name: &str) -> Option<String> {
    let requests = app.upstream.simulator.requests();
    let headers = &requests.last().expect("a request").headers;
    headers.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value.clone())
}

#[test]
fn log_line_names_tool_protocol_version_and_caller() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let arguments = json!({ "page_id": 42, "title": "Slow", "description": "It is slow." });
    let answer = app.call(&token, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    let record = app.last_record();
    let message = record.message.expect("a message");
    assert_eq!((message.method, message.entry), ("tools/call", Some("create_incident")));
    assert_eq!((record.route, record.status, record.outcome), ("/mcp", 200, Outcome::Answered));
    assert_eq!(record.caller.as_ref().map(|caller| caller.client.as_str()), Some(CLIENT));
    assert_eq!(header(&answer, "x-request-id"), record.request_id.as_str());
    assert_eq!(sent(&app, "x-request-id"), Some(record.request_id.to_string()));
    assert!(record.milliseconds > 0 && record.upstream.milliseconds >= record.upstream.slowest_milliseconds);
    let entry = |method: &str, params: Value| {
        app.call(&token, method, params);
        app.last_record().message.expect("a message").entry
    };
    let prompt = json!({ "name": "draft_incident_update", "arguments": { "page_id": "42", "incident_id": "1001" } });
    assert_eq!(entry("prompts/get", prompt), Some("draft_incident_update"));
    assert_eq!(entry("resources/read", json!({ "uri": "statibeat://pages/42/summary" })), Some("summary"));
    assert_eq!(entry("tools/list", json!({})), None);
}

#[test]
fn names_that_are_in_no_catalogue_are_not_repeated() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.call(&token, "tools/call", json!({ "name": "rosebud-tool", "arguments": {} }));
    app.call(&token, "rosebud/method", json!({}));
    app.get("/mcp/rosebud-path");
    assert!(!app.lines().contains("rosebud"), "{}", app.lines());
    assert_eq!(app.last_record().route, "none");
}

#[test]
fn every_end_of_a_refresh_has_its_word() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let word = |refresh: &str, changes: &[(&str, &str)]| {
        app.refresh(refresh, changes);
        app.last_record().reason.expect("a word")
    };
    assert_eq!(word("made-up", &[]), "not_ours");
    assert_eq!(word(&pair.refresh, &[("client_id", "other")]), "other_client");
    let next = tokens(&app.refresh(&pair.refresh, &[]));
    assert_eq!(app.last_record().reason, Some("rotated"));
    assert_eq!(word(&pair.refresh, &[]), "repeated");
    app.refresh(&next.refresh, &[]);
    app.advance(Duration::from_hours(1));
    assert_eq!(word(&pair.refresh, &[]), "replayed");
    assert_eq!(word(&next.refresh, &[]), "revoked");
}

#[test]
fn a_limit_is_named() {
    let app = TestApp::new();
    for _ in 0..60 {
        app.ping("made-up");
    }
    assert_eq!(app.last_record().limit, None);
    app.ping("made-up");
    assert_eq!(app.last_record().limit, Some("bad-bearer:address"));
    assert_eq!(app.last_record().point().words[3], "bad-bearer:address");
}

#[test]
fn client_trace_is_continued_upstream_with_new_spans() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert_eq!(modern_read(&app, &token, &[("traceparent", PARENT), ("tracestate", "v=1")], &json!({})), 200);
    let trace = app.last_record().trace;
    assert_eq!((trace.id(), trace.parent()), (TRACE, Some("00f067aa0ba902b7")));
    let upstream = sent(&app, "traceparent").expect("a header");
    assert!(upstream.starts_with(&format!("00-{TRACE}-")) && upstream.ends_with("-01"), "{upstream}");
    assert!(
        !upstream.contains("00f067aa0ba902b7") && !upstream.contains(trace.span()),
        "a span of its own: {upstream}"
    );
    assert_eq!(sent(&app, "tracestate").as_deref(), Some("v=1"));
}

#[test]
fn line_has_a_span_for_every_request_upstream() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    // The list of the consent page is no longer remembered.
    app.advance(std::time::Duration::from_mins(1));
    app.read(&token, "statibeat://pages/42/incidents/1001");
    let record = app.last_record();
    assert_eq!(record.spans.len(), usize::try_from(record.upstream.count).expect("few"));
    let calls: Vec<&str> = record.spans.iter().map(|span| span.call.as_str()).collect();
    assert!(calls.contains(&"GET /api/v1/me/pages"), "{calls:?}");
    assert!(calls.iter().any(|call| call.ends_with("/incidents/{}")) && !record.line().contains("1001"), "{calls:?}");
    let sent = sent(&app, "traceparent").expect("a header");
    let span = record.spans.iter().find(|span| sent.contains(&span.id)).expect("the span that StatiBeat was told");
    assert!(span.status == Some(200) && span.start_milliseconds + span.milliseconds <= record.milliseconds, "{span:?}");
}

#[test]
fn a_modern_message_may_bring_the_trace_and_its_baggage_stays_here() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let meta = json!({ "traceparent": PARENT, "tracestate": "v=2", "baggage": "user=mara" });
    assert_eq!(modern_read(&app, &token, &[], &meta), 200);
    assert_eq!(app.last_record().trace.id(), TRACE);
    assert!(sent(&app, "traceparent").is_some_and(|parent| parent.contains(TRACE)));
    assert_eq!((sent(&app, "tracestate").as_deref(), sent(&app, "baggage")), (Some("v=2"), None));
    assert_eq!(modern_read(&app, &token, &[("traceparent", OTHER)], &meta), 200);
    assert_eq!(app.last_record().trace.id(), "a".repeat(32), "the header is nearer");
}

#[test]
fn invalid_traceparent_is_replaced_by_a_new_trace() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert_eq!(modern_read(&app, &token, &[("traceparent", "00-xyz")], &json!({ "traceparent": 7 })), 200);
    let record = app.last_record();
    assert!(record.trace.is_ours());
    assert!(sent(&app, "traceparent").is_some_and(|parent| parent.contains(record.trace.id())));
}

#[test]
fn every_place_of_a_point_is_documented() {
    let document = include_str!("../../docs/metrics.md");
    let rows = |column: &str, names: Vec<(&str, &str)>| -> String {
        let row = |(at, (name, meaning)): (usize, &(&str, &str))| {
            format!("| `{column}{}` | `{name}` | {meaning} |\n", at + 1)
        };
        names.iter().enumerate().map(row).collect()
    };
    for table in [
        rows("blob", WORDS.iter().map(|place| (place.name, place.meaning)).collect()),
        rows("double", NUMBERS.iter().map(|place| (place.name, place.meaning)).collect()),
    ] {
        assert!(document.contains(&table), "docs/metrics.md should have:\n{table}");
    }
}
