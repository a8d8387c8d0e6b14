//! Reads of pages that the person's own list had within the last minute: StatiBeat checks their role on each read, so no list is
//! read before. What one person's list says is never used for another person.

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json as json_of};
use serde_json::{Value, json};
use std::time::Duration;

const PAGES: &str = "GET /api/v1/me/pages";
const INCIDENTS: &str = "GET /api/v1/orgs/7/pages/42/admin/incidents?status=active&limit=50";

/// Sam has page 77, of another organization, and nobody else has.
fn app() -> TestApp {
    let app = TestApp::new();
    app.upstream.simulator.set_role(4, 77, Some("page_admin")).expect("a role");
    app
}

/// The answer to a read of a page's incidents, and the paths that StatiBeat was asked for.
fn read(app: &TestApp, token: &str, page: &str) -> (Value, Vec<String>) {
    app.upstream.take_calls();
    let uri = format!("statibeat://pages/{page}/incidents/active");
    let answer = json_of(&app.call(token, "resources/read", json!({ "uri": uri })));
    (answer, app.upstream.take_calls())
}

fn prompt(app: &TestApp, token: &str, page: &str) -> (Value, Vec<String>) {
    app.upstream.take_calls();
    let arguments = json!({ "page_id": page });
    let call = json!({ "name": "summarize_current_beat_health", "arguments": arguments });
    let answer = json_of(&app.call(token, "prompts/get", call));
    (answer, app.upstream.take_calls())
}

#[test]
fn page_seen_within_the_minute_is_read_with_one_request() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.advance(Duration::from_mins(1));
    assert_eq!(read(&app, &mara, "42").1, [PAGES, INCIDENTS]);
    assert_eq!(read(&app, &mara, "42").1, [INCIDENTS]);
    assert!(!prompt(&app, &mara, "42").1.contains(&PAGES.to_owned()));
}

#[test]
fn page_of_others_is_asked_about_like_a_page_that_does_not_exist() {
    let app = app();
    let sam = app.connect(user::SAM_WITHOUT_PAGE, EVERYTHING).access;
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for _ in 0..2 {
        assert_eq!(read(&app, &mara, "42").1, [INCIDENTS], "her own");
    }
    for page in ["42", "999999"] {
        for (answer, calls) in [read(&app, &sam, page), prompt(&app, &sam, page)] {
            assert!(answer["error"].is_object(), "{answer}");
            assert_eq!(calls, [PAGES], "{page}");
        }
    }
}

#[test]
fn role_that_was_taken_away_within_the_minute_is_refused_by_the_next_read() {
    for (role, words) in [(None, "no page 42"), (Some("page_viewer"), "does not allow you to see analytics")] {
        let app = app();
        let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        let analytics = || {
            app.upstream.take_calls();
            json_of(&app.call(&mara, "resources/read", json!({ "uri": "statibeat://pages/42/analytics/summary" })))
        };
        assert!(analytics()["result"].is_object());
        app.upstream.simulator.set_role(1, 42, role).expect("a role");
        let refused = analytics().to_string();
        assert!(refused.contains(words), "{refused}");
        let calls = app.upstream.take_calls();
        assert!(calls.len() == 2 && calls[0].contains("/analytics") && calls[1] == PAGES, "{calls:?}");
        analytics();
        assert_eq!(app.upstream.take_calls(), [PAGES], "the list says it from then on");
    }
}

#[test]
fn list_is_too_old_after_a_minute() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    read(&app, &mara, "42");
    app.upstream.simulator.set_role(1, 42, None).expect("a role");
    app.advance(Duration::from_secs(60));
    assert_eq!(read(&app, &mara, "42").1, [PAGES], "nobody asks in the name of somebody who lost access");
}

#[test]
fn page_that_is_blocked_or_was_not_chosen_is_never_read() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert_eq!(read(&app, &mara, "42").1, [INCIDENTS]);
    app.db.execute("UPDATE grants SET pages = '43'");
    let (answer, calls) = read(&app, &mara, "42");
    assert!(answer["error"].is_object(), "{answer}");
    assert_eq!(calls, [PAGES]);
}

#[test]
fn outage_is_reported_and_counted_like_that_of_any_read() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let fault = FaultKind::Status { code: 503, retry_after: Some(7) };
    app.upstream.inject_times(2, None, "/api/v1/orgs/*/pages/42/admin/**", fault);
    let status = || {
        let uri = "statibeat://pages/42/incidents/active";
        app.call(&mara, "resources/read", json!({ "uri": uri })).status().as_u16()
    };
    assert_eq!([status(), status(), status()], [503, 503, 200]);
}

/// The settings of a page as a writer reads them are those that publishing uses.
#[test]
fn writing_shows_settings_that_changed_within_the_minute() {
    let app = app();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.rewrite(|document| {
        let is_summary = document["overall_status"].is_object();
        let listed = document["items"].as_array_mut().into_iter().flatten().find(|item| item["id"] == 42);
        if let Some(page) = if is_summary { Some(document) } else { listed } {
            page["time_zone"] = json!("Asia/Tokyo");
            page["visibility"] = json!("private");
        }
    });
    app.upstream.take_calls();
    let shown = app.read(&mara, "statibeat://pages/42/writing");
    assert_eq!((&shown["page"]["time_zone"], &shown["page"]["visibility"]), (&json!("Asia/Tokyo"), &json!("private")));
    assert_eq!(shown["as_of"]["time_zone"], "Asia/Tokyo", "the clock beside them is of the same zone");
    assert!(!app.upstream.take_calls().contains(&PAGES.to_owned()), "the list need not be read for it");
}

/// A denial never rests on a remembered list, neither of a prompt's extras nor of a resource's parts.
#[test]
fn role_gained_within_the_minute_is_seen_in_every_part() {
    let app = app();
    let ines = app.connect(user::INES_VIEWER, EVERYTHING).access;
    let text_of = |answer: Value| answer.to_string();
    let health = || text_of(prompt(&app, &ines, "42").0);
    let writing = || app.read(&ines, "statibeat://pages/42/writing");
    assert!(health().contains("Not available now: Pending Beat actions"), "{}", health());
    assert!(writing()["missing"]["recipients"].is_string(), "{}", writing());
    app.upstream.simulator.set_role(3, 42, Some("page_manager")).expect("a role");
    assert!(!health().contains("Not available now"), "{}", health());
    app.upstream.simulator.set_role(3, 42, Some("page_viewer")).expect("a role");
    assert!(writing()["missing"]["recipients"].is_string(), "the list says it again");
    app.upstream.simulator.set_role(3, 42, Some("page_manager")).expect("a role");
    assert!(writing()["recipients"].is_object(), "{}", writing());
    for (code, reason) in
        [(403, "Your role on the page does not allow it."), (400, "StatiBeat did not answer this part.")]
    {
        let fault = FaultKind::Status { code, retry_after: None };
        app.upstream.inject(Some("GET"), "/api/v1/orgs/*/pages/42/admin/subscribers/summary", fault);
        assert_eq!(writing()["missing"]["recipients"], reason);
    }
}

#[test]
fn part_that_was_not_granted_costs_no_list() {
    let app = app();
    let ines = app.connect(user::INES_VIEWER, "mcp.pages.read mcp.incidents.read").access;
    app.upstream.take_calls();
    assert!(app.read(&ines, "statibeat://pages/42/writing")["missing"]["recipients"].is_string());
    assert!(!app.upstream.take_calls().contains(&PAGES.to_owned()));
}
