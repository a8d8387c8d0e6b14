//! StatiBeat in trouble: each kind has an answer of its own kind, and a read is repeated once where that may help.

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, header, json};
use serde_json::json;

const SUMMARY: &str = "/api/v1/orgs/*/pages/*/admin/summary";

/// Status, JSON-RPC code, `Retry-After`, and how often StatiBeat was asked for the summary.
fn outcome(kind: &FaultKind, times: u32) -> (u16, i64, String, usize) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.inject_times(times, None, SUMMARY, kind.clone());
    app.upstream.take_calls();
    let answer = app.call(&token, "resources/read", json!({"uri": "statibeat://pages/42/summary"}));
    let asked = app.upstream.take_calls().iter().filter(|call| call.ends_with("/summary")).count();
    let body = if answer.body().is_empty() { json!({}) } else { json(&answer) };
    let code = body["error"]["code"].as_i64().unwrap_or_default();
    (answer.status().as_u16(), code, header(&answer, "retry-after").to_owned(), asked)
}

fn status(code: u16, retry_after: Option<u32>) -> FaultKind {
    FaultKind::Status { code, retry_after }
}

fn check(kind: &FaultKind, expected: (u16, i64, &str, usize)) {
    let (status, code, wait, asked) = outcome(kind, 9);
    assert_eq!((status, code, wait.as_str(), asked), expected, "{kind:?}");
}

#[test]
fn lasting_upstream_failure_is_answered_by_its_kind() {
    check(&FaultKind::DropBefore, (503, -32603, "5", 2));
    check(&FaultKind::DropAfter, (503, -32603, "5", 2));
    check(&status(500, None), (503, -32603, "5", 2));
    check(&status(502, None), (503, -32603, "5", 2));
    check(&status(503, Some(7)), (503, -32603, "7", 1));
    check(&status(429, Some(7)), (503, -32603, "7", 1));
    check(&status(404, None), (200, -32002, "", 1));
    check(&status(403, None), (200, -32602, "", 1));
    check(&status(400, None), (200, -32602, "", 1));
    check(&status(401, None), (502, -32603, "", 1));
    check(&status(302, None), (200, -32603, "", 1));
    check(&FaultKind::MalformedBody, (503, -32603, "5", 1));
    check(&FaultKind::HugeBody { bytes: 10_000_000 }, (503, -32603, "5", 1));
    // Whoever waited that long is not made to wait once more.
    check(&FaultKind::Delay { milliseconds: 10_000 }, (503, -32603, "5", 1));
}

#[test]
fn transient_upstream_failure_is_retried_unnoticed() {
    for kind in [FaultKind::DropBefore, FaultKind::DropAfter, status(500, None), status(503, None)] {
        assert_eq!(outcome(&kind, 1), (200, 0, String::new(), 2), "{kind:?}");
    }
}

#[test]
fn the_part_of_a_result_that_did_not_come_is_named() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let levels = "/api/v1/orgs/*/pages/*/admin/hierarchy/levels";
    for kind in [
        status(500, None),
        status(429, Some(7)),
        FaultKind::DropBefore,
        FaultKind::MalformedBody,
        FaultKind::HugeBody { bytes: 10_000_000 },
        FaultKind::Delay { milliseconds: 10_000 },
    ] {
        app.upstream.inject_times(2, None, levels, kind.clone());
        let tree = app.read(&token, "statibeat://pages/42/hierarchy");
        assert_eq!(tree["partial"]["missing"], json!(["hierarchy/levels"]), "{kind:?}");
        assert!(tree.get("levels").is_none() && tree["tree"].is_array(), "{kind:?}");
        app.upstream.simulator.clear_faults();
    }
    assert!(app.read(&token, "statibeat://pages/42/hierarchy").get("partial").is_none());
    let items = "/api/v1/orgs/*/pages/*/admin/hierarchy/items";
    app.upstream.inject_times(2, None, items, status(500, None));
    let answer = app.call(&token, "resources/read", json!({"uri": "statibeat://pages/42/hierarchy"}));
    assert_eq!(answer.status(), 503, "without the items there is no tree");
}
