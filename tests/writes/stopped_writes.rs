//! Revoked, paused or blocked means stopped: whatever a write waits for meanwhile.

use crate::support::faults::Failure;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::{EVERYTHING, tools};
use crate::support::{TestApp, json, request};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use serde_json::{Value, json};

const REVOKE: &str = "UPDATE grants SET revoked_at = 1, revoke_reason = 'user'";
const PAUSE: &str = "UPDATE connections SET writes_paused_at = 1";
const BLOCK: &str = "INSERT INTO page_blocks SELECT user_id, client_id, 42, 0, user_name, client_name, 1, 'admin', 'Ada' FROM grants LIMIT 1";
/// More than any tool needs.
const MOST_BATCHES: usize = 12;

fn call(token: &str, tool: &str, arguments: &Value) -> Request<Bytes> {
    let params = json!({ "name": tool, "arguments": arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    request("POST", "/mcp", &[("authorization", &format!("Bearer {token}"))], body)
}

fn posts(app: &TestApp) -> usize {
    app.upstream
        .calls
        .borrow()
        .iter()
        .filter(|call| call.starts_with("POST /api/v1/orgs") && !call.ends_with("?dry_run=true"))
        .count()
}

/// Runs a call and executes `meanwhile` after `batches` of its database batches. Returns the response and the number of
/// POSTs.
fn interrupted(app: &TestApp, call: Request<Bytes>, batches: usize, meanwhile: &str) -> (Response<Bytes>, usize) {
    app.db.is_stepwise.set(true);
    let mut running = Box::pin(app.start(call));
    let mut answer = None;
    for _ in 0..=batches {
        answer = answer.or_else(|| running.as_mut().now_or_never());
    }
    let posted = posts(app);
    app.db.execute(meanwhile);
    while answer.is_none() {
        answer = running.as_mut().now_or_never();
    }
    app.db.is_stepwise.set(false);
    (answer.expect("an answer"), posted)
}

/// Stops every tool before each of its database batches; whatever was not posted by then is not posted, and says so.
fn check(meanwhile: &str, says: impl Fn(&Response<Bytes>) -> bool) {
    let mut stopped = 0;
    for (tool, arguments) in tools() {
        for batches in 0..MOST_BATCHES {
            let app = TestApp::new();
            let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
            app.ping(&token);
            let (answer, posted) = interrupted(&app, call(&token, tool, &arguments), batches, meanwhile);
            assert_eq!(posts(&app), posted, "{tool} after {batches}: {meanwhile}");
            if posted == 0 {
                stopped += 1;
                assert!(says(&answer), "{tool} after {batches}: {answer:?}");
                assert_eq!(app.db.count("SELECT count(*) FROM idempotency"), 0, "{tool} after {batches}");
            }
            let open =
                app.db.count("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome NOT IN ('done', 'refused')");
            assert_eq!(open, 0, "{tool} after {batches}");
        }
    }
    assert!(stopped >= 4 * 3, "before the bearer check, the lease and the last check: {stopped}");
}

#[test]
fn write_under_way_when_the_connection_is_revoked_is_not_published() {
    check(REVOKE, |answer| {
        let challenge = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        answer.status() == 401 && challenge.is_some_and(|text| text.contains("invalid_token"))
    });
}

#[test]
fn write_under_way_when_its_writes_are_paused_is_not_published() {
    check(PAUSE, |answer| json(answer).to_string().contains("has paused this connection's writes, so nothing"));
}

#[test]
fn write_under_way_when_the_connection_is_blocked_is_not_published() {
    check(BLOCK, |answer| json(answer).to_string().contains("There is no page 42 that you can access"));
}

/// The reason of the grant's end stays what it was, and nobody's user counts as disabled.
#[test]
fn write_stopped_by_a_revocation_ends_nothing_else() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.ping(&token);
    let (tool, arguments) = tools().into_iter().next().expect("a tool");
    interrupted(&app, call(&token, tool, &arguments), 2, REVOKE);
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoke_reason = 'user'"), 1);
    let detail = "SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'refused' AND detail = 'grant_ended'";
    assert_eq!(app.db.count(detail), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke'"), 0);
}

/// The lost attempt may have published; a paused connection learns that it did not, and publishes nothing.
#[test]
fn taken_over_write_of_a_paused_connection_is_not_posted() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let (tool, arguments) = tools().into_iter().next().expect("a tool");
    app.upstream.inject(Some("POST"), "/api/v1/orgs/*/pages/*/admin/incidents", FaultKind::DropBefore);
    app.send(call(&token, tool, &arguments));
    assert_eq!(app.db.count("SELECT count(*) FROM idempotency WHERE outcome = 'unknown'"), 1);
    app.db.execute(PAUSE);
    app.upstream.take_calls();
    let (counted, answer) = (app.limiter.names(), json(&app.send(call(&token, tool, &arguments))));
    assert!(answer.to_string().contains("has paused this connection's writes"), "{answer}");
    assert_eq!((posts(&app), app.limiter.names()), (0, counted), "neither posted nor counted");
    assert_eq!(app.db.count("SELECT count(*) FROM idempotency WHERE outcome = 'running'"), 0);
    app.db.execute("UPDATE connections SET writes_paused_at = NULL");
    let resumed = json(&app.send(call(&token, tool, &arguments)));
    assert_eq!((resumed["result"]["isError"].as_bool(), posts(&app)), (Some(false), 1), "{resumed}");
}

/// The attempt slept through its lease, another one holds it now and may have posted.
#[test]
fn write_whose_lease_was_taken_over_before_the_post_is_not_posted() {
    let mut taken_over = 0;
    for (tool, arguments) in tools() {
        for batches in 0..MOST_BATCHES {
            let app = TestApp::new();
            let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
            app.ping(&token);
            let other = "UPDATE idempotency SET owner = 'another attempt'";
            let (answer, posted) = interrupted(&app, call(&token, tool, &arguments), batches, other);
            let is_taken_over = app.db.count("SELECT count(*) FROM idempotency WHERE owner = 'another attempt'") == 1;
            if is_taken_over && posted == 0 {
                taken_over += 1;
                assert_eq!(posts(&app), 0, "{tool} after {batches}");
                assert!(json(&answer).to_string().contains("already being carried out by another call"), "{answer:?}");
            }
        }
    }
    assert!(taken_over >= 4, "each tool between its lease and the last check: {taken_over}");
}

#[test]
fn write_is_not_posted_where_storage_does_not_answer_the_last_check() {
    let mut unchecked = 0;
    for (tool, arguments) in tools() {
        for batches in 0..MOST_BATCHES {
            let app = TestApp::new();
            let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
            app.ping(&token);
            app.db.faults.once(batches, Failure::Before);
            let answer = json(&app.send(call(&token, tool, &arguments)));
            let failed = app.db.faults.take_failed().unwrap_or_default();
            if failed.contains("AS is_held") {
                unchecked += 1;
                assert_eq!(posts(&app), 0, "{tool}");
                assert!(answer.to_string().contains("othing was published"), "{answer}");
            }
        }
    }
    assert_eq!(unchecked, 4, "once for each tool");
}

/// A key that stands for another write says nothing about this one, even if that write goes away before the lease.
#[test]
fn another_write_under_a_used_key_is_not_published_without_confirmation() {
    for batches in 0..MOST_BATCHES {
        let app = TestApp::with(|name| (name == "HOSTED_MCP_CONFIRM_WRITES").then_some("always"));
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        app.ping(&token);
        let arguments =
            |title: &str| json!({ "page_id": 42, "title": title, "description": "d", "idempotency_key": "k" });
        let mut confirmed = arguments("One");
        confirmed["preview"] = json!(true);
        let shown = json(&app.send(call(&token, "create_incident", &confirmed)));
        let confirm =
            shown["result"]["structuredContent"]["preview"]["confirm"].as_str().expect("a confirm token").to_owned();
        confirmed = arguments("One");
        confirmed["confirm"] = json!(confirm);
        app.send(call(&token, "create_incident", &confirmed));
        assert_eq!(posts(&app), 1, "the confirmed one is published");
        let another = call(&token, "create_incident", &arguments("Another"));
        let (answer, _) = interrupted(&app, another, batches, "DELETE FROM idempotency");
        assert_eq!(posts(&app), 1, "after {batches}: {answer:?}");
    }
}

#[test]
fn unknown_stored_confirm_word_counts_as_the_strictest() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_CONFIRM_WRITES").then_some("never"));
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.db.execute("PRAGMA ignore_check_constraints = ON");
    app.db.execute("UPDATE connections SET confirm_writes = 'sometimes'");
    let (tool, arguments) = tools().into_iter().next().expect("a tool");
    let answer = json(&app.send(call(&token, tool, &arguments)));
    assert!(answer["result"]["isError"] == true && answer.to_string().contains("preview"), "{answer}");
    assert_eq!(posts(&app), 0);
}
