//! Circuits open for calls that keep failing, and nobody pays for the failures of others.

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, header, json};
use serde_json::json;
use std::time::Duration;

const DOWN: FaultKind = FaultKind::Status { code: 500, retry_after: None };
const MANY: u32 = 10_000;

/// Sam has page 77, of another organization, and nobody else has.
fn app() -> TestApp {
    let app = TestApp::new();
    app.upstream.simulator.set_role(4, 77, Some("page_admin")).expect("a role");
    app
}

fn read(app: &TestApp, token: &str, uri: &str) -> u16 {
    app.call(token, "resources/read", json!({ "uri": uri })).status().as_u16()
}

fn pages_of(page: u32) -> String {
    format!("statibeat://pages/{page}/incidents/active")
}

#[test]
fn failing_page_is_refused_and_everything_else_is_served() {
    let app = app();
    let token = |user_id| app.connect(user_id, EVERYTHING).access;
    let (mara, theo, sam) = (token(user::MARA_ADMIN), token(user::THEO_MANAGER), token(user::SAM_WITHOUT_PAGE));
    app.upstream.inject_times(MANY, None, "/api/v1/orgs/*/pages/42/admin/**", DOWN);
    for _ in 0..10 {
        assert_eq!(read(&app, &mara, &pages_of(42)), 503);
        assert_eq!(read(&app, &theo, &pages_of(42)), 503);
    }
    app.upstream.take_calls();
    assert_eq!(read(&app, &mara, &pages_of(42)), 503);
    assert!(app.upstream.take_calls().is_empty(), "the page itself is left alone");
    assert_eq!((read(&app, &mara, &pages_of(43)), read(&app, &sam, &pages_of(77))), (200, 200));
    assert_eq!(read(&app, &theo, "statibeat://me"), 200);
}

#[test]
fn person_who_cannot_see_a_failing_page_does_not_affect_its_circuit() {
    let app = app();
    let (mara, sam) =
        (app.connect(user::MARA_ADMIN, EVERYTHING).access, app.connect(user::SAM_WITHOUT_PAGE, EVERYTHING).access);
    assert_eq!(read(&app, &mara, &pages_of(42)), 200);
    app.upstream.inject_times(MANY, None, "/api/v1/orgs/*/pages/42/admin/**", DOWN);
    for _ in 0..20 {
        let arguments = json!({ "page_id": "42" });
        app.call(&sam, "prompts/get", json!({ "name": "summarize_current_beat_health", "arguments": arguments }));
        read(&app, &sam, &pages_of(42));
    }
    app.upstream.simulator.clear_faults();
    assert_eq!(read(&app, &mara, &pages_of(42)), 200);
    assert_eq!((read(&app, &mara, &pages_of(43)), read(&app, &sam, &pages_of(77))), (200, 200));
}

#[test]
fn several_people_whose_calls_fail_spare_everybody_the_wait() {
    let app = app();
    let token = |user_id| app.connect(user_id, EVERYTHING).access;
    let failing = [user::MARA_ADMIN, user::THEO_MANAGER, user::INES_VIEWER].map(token);
    let sam = token(user::SAM_WITHOUT_PAGE);
    app.upstream.inject_times(MANY, None, "/api/v1/me", DOWN);
    for one in &failing[..2] {
        assert_eq!(read(&app, one, "statibeat://me"), 503);
    }
    app.upstream.take_calls();
    assert_eq!(read(&app, &failing[2], "statibeat://me"), 503);
    assert!(!app.upstream.take_calls().is_empty());
    assert_eq!(read(&app, &sam, "statibeat://me"), 503);
    assert!(app.upstream.take_calls().is_empty(), "the fourth is told at once");
    app.upstream.simulator.clear_faults();
    app.advance(Duration::from_secs(6));
    assert_eq!(read(&app, &sam, "statibeat://me"), 200);
    assert_eq!(read(&app, &failing[0], "statibeat://me"), 200);
}

/// Each read tries twice and counts once.
#[test]
fn person_with_an_open_circuit_gets_the_wait_and_others_are_served() {
    let app = app();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let sam = app.connect(user::SAM_WITHOUT_PAGE, EVERYTHING).access;
    app.upstream.inject_times(6, None, "/api/v1/me", DOWN);
    let me = || app.call(&token, "resources/read", json!({ "uri": "statibeat://me" }));
    for _ in 0..3 {
        assert_eq!(me().status(), 503);
    }
    app.upstream.take_calls();
    let answer = me();
    assert_eq!(answer.status(), 503);
    assert!(header(&answer, "retry-after").parse::<u64>().is_ok_and(|wait| (1..=6).contains(&wait)));
    assert!(json(&answer)["error"]["message"].as_str().is_some_and(|text| text.contains("not called")));
    let arguments = json!({ "page_id": 42, "title": "Slow", "description": "It is slow." });
    let told = app.call(&token, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    assert_eq!(told.status(), 503, "{:?}", told.body());
    assert!(app.upstream.take_calls().is_empty(), "nothing was asked, and nothing written");
    assert_eq!(read(&app, &sam, "statibeat://me"), 200, "nobody else's business");

    app.advance(Duration::from_secs(6));
    assert_eq!(me().status(), 200, "one goes ahead, and all is well");
    assert_eq!(me().status(), 200);
    assert_eq!(app.last_record().upstream.failed, 0);
}

#[test]
fn page_of_a_list_of_a_moment_ago_is_read_although_the_list_fails() {
    let app = app();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert_eq!(read(&app, &token, &pages_of(42)), 200);
    app.upstream.inject_times(MANY, None, "/api/v1/me/pages", DOWN);
    assert_eq!(read(&app, &token, &pages_of(42)), 200);
    app.advance(Duration::from_mins(1));
    assert_eq!(read(&app, &token, &pages_of(42)), 503);
}

#[test]
fn exchange_of_sign_in_codes_moves_no_circuit() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.inject_times(MANY, None, "/api/v1/connector/sign-in/exchange", DOWN);
    for _ in 0..10 {
        let browser = crate::support::browser::Browser::new(&app);
        browser.sign_in(&crate::support::flow::authorize_url(&[]), user::THEO_MANAGER);
    }
    assert_eq!(read(&app, &mara, "statibeat://me"), 200);
}

#[test]
fn answer_that_is_no_outage_opens_no_circuit() {
    let status = |code| FaultKind::Status { code, retry_after: None };
    for fault in [status(400), status(403), status(404), status(418), status(429), FaultKind::Html { code: 200 }] {
        let app = app();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        app.upstream.inject_times(5, None, "/api/v1/orgs/*/pages/42/admin/**", fault.clone());
        for _ in 0..5 {
            assert_ne!(read(&app, &token, &pages_of(42)), 0);
        }
        assert_eq!(read(&app, &token, &pages_of(42)), 200, "{fault:?}");
    }
}
