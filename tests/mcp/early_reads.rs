//! Reads beside the question whether the person may see the page: only of pages that their own list had a moment ago.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use serde_json::json;
use std::time::Duration;

const PAGES: &str = "GET /api/v1/me/pages";

/// Sam has page 77, of another organization, and nobody else has.
fn app() -> TestApp {
    let app = TestApp::new();
    app.upstream.simulator.set_role(4, 77, Some("page_admin")).expect("a role");
    app
}

/// Paths that StatiBeat is asked for when that page is read.
fn calls_for(app: &TestApp, token: &str, page: &str) -> Vec<String> {
    app.upstream.take_calls();
    app.call(token, "resources/read", json!({ "uri": format!("statibeat://pages/{page}/incidents/active") }));
    app.upstream.take_calls()
}

fn prompt_calls(app: &TestApp, token: &str, page: &str) -> Vec<String> {
    app.upstream.take_calls();
    let arguments = json!({ "page_id": page });
    app.call(token, "prompts/get", json!({ "name": "summarize_current_beat_health", "arguments": arguments }));
    app.upstream.take_calls()
}

fn is_early(calls: &[String]) -> bool {
    let at = |what: &dyn Fn(&str) -> bool| calls.iter().position(|call| what(call));
    at(&|call| call.contains("/admin/")).is_some() && calls.len() > 1 && calls[0] == PAGES
}

#[test]
fn page_of_others_is_asked_about_like_a_page_that_does_not_exist() {
    let app = app();
    let sam = app.connect(user::SAM_WITHOUT_PAGE, EVERYTHING).access;
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for _ in 0..2 {
        assert!(is_early(&calls_for(&app, &mara, "42")), "her own");
    }
    for page in ["42", "999999"] {
        assert_eq!(calls_for(&app, &sam, page), [PAGES], "{page}");
        assert_eq!(prompt_calls(&app, &sam, page), [PAGES], "{page}");
    }
}

#[test]
fn list_is_too_old_for_early_reads_after_a_minute() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    calls_for(&app, &mara, "42");
    app.upstream.simulator.set_role(1, 42, None).expect("a role");
    app.advance(Duration::from_secs(60));
    assert_eq!(calls_for(&app, &mara, "42"), [PAGES], "nobody asks in the name of somebody who lost access");
}

#[test]
fn page_that_left_the_list_is_not_read_early_again() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    calls_for(&app, &mara, "42");
    app.upstream.simulator.set_role(1, 42, None).expect("a role");
    assert!(is_early(&calls_for(&app, &mara, "42")), "the list was a moment old");
    assert_eq!(calls_for(&app, &mara, "42"), [PAGES]);
}

#[test]
fn page_whose_early_read_failed_is_not_read_early_until_a_read_succeeds() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let fault = FaultKind::Status { code: 503, retry_after: Some(7) };
    app.upstream.inject_times(2, None, "/api/v1/orgs/*/pages/42/admin/**", fault);
    let status = || {
        let uri = "statibeat://pages/42/incidents/active";
        app.call(&mara, "resources/read", json!({ "uri": uri })).status().as_u16()
    };
    let (early, counted, later) = (status(), status(), status());
    assert_eq!((early, counted, later), (503, 503, 200));
}

#[test]
fn page_whose_early_read_failed_waits_for_permission_the_next_time() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    calls_for(&app, &mara, "42");
    let fault = FaultKind::Status { code: 503, retry_after: Some(7) };
    app.upstream.inject(None, "/api/v1/orgs/*/pages/42/admin/**", fault);
    calls_for(&app, &mara, "42");
    app.upstream.simulator.set_role(1, 42, None).expect("a role");
    assert_eq!(calls_for(&app, &mara, "42"), [PAGES], "though the list was a moment old");
}
