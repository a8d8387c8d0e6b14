//! The outcome of a call in each of its records: the log, the usage counts, the audit row, the answer to the model.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use serde_json::{Value, json};

const POSTS: &str = "/api/v1/orgs/*/pages/*/admin/incidents";
const PAGES: &str = "/api/v1/me/pages";

fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None }
}

/// Level, outcome and reason of the line; usage outcome; outcome of the newest audit row.
type Expected = [&'static str; 5];

/// Calls `create_incident` once in a world that `prepare` has changed. The text that the model gets contains `says`.
fn check(prepare: impl FnOnce(&TestApp), changes: &Value, told: Expected, says: &str) {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    app.ping(&token);
    app.count_calls();
    app.db.execute("DELETE FROM usage");
    prepare(&app);
    let mut arguments = json!({ "page_id": 42, "title": "API down", "description": "Requests fail." });
    for (name, value) in changes.as_object().expect("an object") {
        arguments[name] = value.clone();
    }
    let answer = app.call(&token, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    let answer = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(answer.contains(says), "{answer}");
    let line: Value = serde_json::from_str(&app.last_record().line()).expect("JSON");
    app.limiter.is_down.set(false);
    app.count_calls();
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    assert_eq!([word("level"), word("outcome"), word("reason")], told[..3], "{line} {answer}");
    let [.., usage, audited] = told;
    assert_eq!(app.db.count(&format!("SELECT count(*) FROM usage WHERE outcome = '{usage}'")), 1, "{usage}");
    let rows = format!("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = '{audited}'");
    assert_eq!(app.db.count(&rows), 1, "{audited}");
}

#[test]
fn write_of_unknown_outcome_is_a_warning_and_says_unknown() {
    let lost = |app: &TestApp| app.upstream.inject(Some("POST"), POSTS, FaultKind::DropBefore);
    let told = ["warn", "unknown", "outcome_unknown", "failed", "unknown"];
    check(lost, &json!({}), told, "may or may not have been published");
}

#[test]
fn write_during_a_limiter_outage_is_a_failure() {
    let uncounted = |app: &TestApp| app.limiter.is_down.set(true);
    let told = ["warn", "failed", "limiter_unavailable", "failed", "failed"];
    check(
        uncounted,
        &json!({}),
        told,
        "The rate limit of writes cannot be checked at the moment, so nothing was published.",
    );
}

#[test]
fn outcome_of_a_write_is_the_same_in_the_log_the_usage_and_the_audit() {
    let nothing = |_: &TestApp| ();
    let none = json!({});
    check(nothing, &none, ["info", "answered", "", "answered", "done"], "Created incident");
    check(nothing, &json!({ "preview": true }), ["info", "answered", "requested", "answered", "previewed"], "preview");
    check(nothing, &json!({ "title": "" }), ["info", "refused", "arguments", "refused", "refused"], "title");
    check(nothing, &json!({ "page_id": 999 }), ["info", "refused", "page", "refused", "refused"], "no page 999");
    let refusing = |app: &TestApp| app.upstream.inject(Some("POST"), POSTS, status(403));
    check(refusing, &none, ["info", "refused", "upstream_forbidden", "refused", "refused"], "StatiBeat refused");
    let busy = |app: &TestApp| app.upstream.inject(Some("POST"), POSTS, status(429));
    check(
        busy,
        &none,
        ["info", "refused", "upstream_rate_limited", "refused", "limited"],
        "StatiBeat is limiting requests",
    );
    let down = |app: &TestApp| app.upstream.inject_times(4, Some("GET"), PAGES, status(500));
    check(down, &none, ["warn", "failed", "upstream_unavailable", "failed", "failed"], "Nothing was published");
}
