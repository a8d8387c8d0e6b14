//! Refusals that a model can act on: what the page knows instead, what was probably meant, who can help.

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Value, json};

fn call(app: &TestApp, token: &str, tool: &str, more: Value) -> Value {
    let mut arguments = json!({ "page_id": 42 });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    app.call_tool(token, tool, &arguments)
}

fn incident(more: Value) -> Value {
    let mut arguments = json!({ "title": "Slow", "description": "It is slow." });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

#[track_caller]
fn says(result: &Value, words: &[&str]) {
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(words.iter().all(|words| text.contains(words)), "{words:?}: {result}");
}

#[test]
fn an_unknown_status_is_answered_with_the_pages_own() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    for (tool, arguments) in [
        ("create_incident", incident(json!({ "status": "broken" }))),
        ("add_incident_update", json!({ "incident_id": 1001, "message": "On it.", "status": "broken" })),
    ] {
        let refused = call(&app, &token, tool, arguments.clone());
        assert_eq!(refused["isError"], true, "{refused}");
        says(&refused, &["`status` must be one of: \"operational\", \"degraded\"", "Nothing was published"]);
        let mut preview = arguments;
        preview["preview"] = json!(true);
        says(
            &call(&app, &token, tool, preview),
            &["`status` must be one of: \"operational\", \"degraded\"", "Nothing was published"],
        );
    }
}

#[test]
fn an_unknown_component_is_answered_with_the_closest() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let refused = call(&app, &token, "create_incident", incident(json!({ "affected_items": [{ "slug": "serach" }] })));
    assert_eq!(refused["isError"], true, "{refused}");
    says(
        &refused,
        &[
            "no component of this page has slug \"serach\"; did you mean {\"id\": 113} (\"Search\")?",
            "Nothing was published",
        ],
    );
}

#[test]
fn a_write_that_goes_well_reads_nothing_for_hints() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    app.upstream.take_calls();
    let done = call(
        &app,
        &token,
        "create_incident",
        incident(json!({ "status": "degraded", "affected_items": [{ "slug": "search" }] })),
    );
    assert_ne!(done["isError"], true, "{done}");
    let calls = app.upstream.take_calls();
    assert_eq!(calls.len(), 3, "pages, the effect beside open incidents, the post: {calls:?}");
}

#[test]
fn missing_role_error_names_the_role_and_who_can_change_it() {
    let app = TestApp::new();
    let token = app.connect(user::INES_VIEWER, EVERYTHING).access;
    let refused = call(&app, &token, "create_incident", incident(json!({})));
    says(
        &refused,
        &["does not allow you to manage incidents", "Someone who administers the page can change your role"],
    );
}

#[test]
fn a_missing_scope_says_how_the_user_can_grant_it() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, "mcp.pages.read").access;
    let params = json!({ "name": "create_incident", "arguments": incident(json!({ "page_id": 42 })) });
    let answer = json(&app.call(&token, "tools/call", params));
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(403)), "{answer}");
    let words = answer["error"]["message"].as_str().unwrap_or_default();
    for says in
        ["left \"Publish new incidents", "unticked", "Nothing was published", "connect the app to StatiBeat again"]
    {
        assert!(words.contains(says), "{answer}");
    }
    assert_eq!(answer["error"]["data"]["scope"], "mcp.incidents.read mcp.incidents.write");
}

#[test]
fn stage_that_statibeat_cannot_check_is_recorded_as_failed() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let moved = json!({ "incident_id": 1001, "message": "On it.", "lifecycle_stage_id": 2 });
    let updates = "/api/v1/orgs/*/pages/*/admin/incidents/*/updates?dry_run=true";
    app.upstream.inject_times(2, Some("POST"), updates, FaultKind::Status { code: 503, retry_after: None });
    says(&call(&app, &token, "add_incident_update", moved.clone()), &["cannot be reached", "Nothing was published"]);
    app.upstream.inject(Some("POST"), updates, FaultKind::Status { code: 401, retry_after: None });
    call(&app, &token, "add_incident_update", moved);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'failed'"), 2);
}
