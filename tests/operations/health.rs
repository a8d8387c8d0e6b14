//! The health route: what strangers learn, what operators learn, and what it must not touch.

use crate::support::database::Failure;
use crate::support::simulator::FaultKind;
use crate::support::{HEALTH_TOKEN, TestApp, header, json, request};
use bytes::Bytes;
use http::Response;
use serde_json::json;
use std::time::Duration;

fn ask(app: &TestApp, token: &str) -> Response<Bytes> {
    app.send(request("GET", "/mcp/health", &[("x-health-token", token)], ""))
}

/// Checks the readiness answer when one part is broken.
fn check_broken(break_it: impl Fn(&TestApp), part: &str) {
    let app = TestApp::new();
    break_it(&app);
    let answer = ask(&app, HEALTH_TOKEN);
    assert_eq!(answer.status(), 503, "{part}");
    let mut expected = json!({"status": "not ready", "database": "ok", "counters": "ok", "upstream": "ok"});
    expected[part] = json!("failed");
    assert_eq!(json(&answer), expected);
    assert!(app.log.borrow().iter().any(|line| line.starts_with(&format!("health: {part}: "))), "{part}");
    assert_eq!(app.get("/mcp/health").status(), 200, "alive all the same");
}

#[test]
fn strangers_learn_that_the_server_runs_and_nothing_else() {
    let app = TestApp::new();
    app.upstream.calls.borrow_mut().clear();
    let batches = app.db.batches.get();
    let answer = app.get("/mcp/health");
    assert_eq!((answer.status().as_u16(), json(&answer)), (200, json!({"status": "alive"})));
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(app.db.batches.get(), batches, "costs no query");
    assert!(app.upstream.calls.borrow().is_empty() && app.limiter.names().is_empty(), "and no call");
}

#[test]
fn operators_learn_whether_database_counters_and_upstream_answer() {
    let app = TestApp::new();
    let answer = ask(&app, HEALTH_TOKEN);
    let ready = json!({"status": "ready", "database": "ok", "counters": "ok", "upstream": "ok"});
    assert_eq!((answer.status().as_u16(), json(&answer)), (200, ready));
    assert!(app.limiter.names().is_empty(), "looking takes nothing");
}

#[test]
fn operators_learn_which_variables_are_misconfigured_and_the_server_stays_ready() {
    let app = TestApp::with(|name| match name {
        "HOSTED_MCP_REGISTRATION" => Some("of"),
        "HOSTED_MCP_TEXT_RULES" => Some("blmae=off"),
        "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS" => Some("nonsense"),
        _ => None,
    });
    let answer = ask(&app, HEALTH_TOKEN);
    assert_eq!(answer.status(), 200);
    let names = json!(["HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS", "HOSTED_MCP_REGISTRATION", "HOSTED_MCP_TEXT_RULES"]);
    assert_eq!(json(&answer)["misconfigured"], names);
    assert_eq!(json(&app.get("/mcp/health")), json!({"status": "alive"}), "strangers do not learn it");
}

#[test]
fn each_broken_part_is_named_and_its_reason_goes_to_the_log() {
    check_broken(|app| app.db.fail_after(0, Failure::Before), "database");
    check_broken(|app| app.limiter.is_down.set(true), "counters");
    check_broken(|app| app.upstream.inject(None, "/api/v1/me", FaultKind::DropBefore), "upstream");
    check_broken(
        |app| app.upstream.inject(None, "/api/v1/me", FaultKind::Status { code: 503, retry_after: None }),
        "upstream",
    );
    check_broken(|app| app.upstream.inject(None, "/api/v1/me", FaultKind::Html { code: 200 }), "upstream");
}

#[test]
fn statibeat_is_asked_once_in_five_seconds_unless_a_new_answer_is_demanded() {
    let app = TestApp::new();
    let upstream = |headers: &[(&str, &str)]| {
        let headers = [&[("x-health-token", HEALTH_TOKEN)], headers].concat();
        json(&app.send(request("GET", "/mcp/health", &headers, "")))["upstream"].clone()
    };
    assert_eq!(upstream(&[]), "ok");
    app.upstream.inject(None, "/api/v1/me", FaultKind::Status { code: 503, retry_after: None });
    app.advance(Duration::from_secs(4));
    assert_eq!(upstream(&[]), "ok", "known for five seconds");
    assert_eq!(upstream(&[("cache-control", "no-cache")]), "failed");
    assert_eq!(upstream(&[]), "failed", "the newest result is the known one");
    app.advance(Duration::from_secs(5));
    app.upstream.inject(None, "/api/v1/me", FaultKind::Status { code: 503, retry_after: None });
    assert_eq!(upstream(&[]), "failed");
}

#[test]
fn wrong_health_token_is_refused_and_calls_nothing() {
    for app in [TestApp::new(), TestApp::with(|name| (name == "HOSTED_MCP_HEALTH_TOKEN").then_some(""))] {
        app.upstream.calls.borrow_mut().clear();
        for wrong in ["", "x", &HEALTH_TOKEN[1..]] {
            assert_eq!(ask(&app, wrong).status(), 403, "{wrong:?}");
        }
        assert!(app.upstream.calls.borrow().is_empty());
    }
    let without = TestApp::with(|name| (name == "HOSTED_MCP_HEALTH_TOKEN").then_some(""));
    assert_eq!(ask(&without, HEALTH_TOKEN).status(), 403, "no token is set, so none is right");
}

#[test]
fn a_switched_off_connector_has_no_health_route() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_ENABLED").then_some("false"));
    assert_eq!(app.get("/mcp/health").status(), 404);
    assert_eq!(ask(&app, HEALTH_TOKEN).status(), 404);
}
