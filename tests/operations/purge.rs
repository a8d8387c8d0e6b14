//! The purge: rows that are deleted, and rows that must be kept until then.

use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::flow::{authorize_url, token_error, tokens, user};
use crate::support::json as json_of;
use crate::support::surface::EVERYTHING;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use statibeat_mcp::storage::purge::{self, MAX_STEPS, PurgeReport};
use std::cell::Cell;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn purge(app: &TestApp, has_time: &dyn Fn() -> bool) -> PurgeReport {
    purge::run(&*app.db, app.now(), has_time).now_or_never().expect("no waiting")
}

fn run(app: &TestApp) -> usize {
    let report = purge(app, &|| true);
    assert!(report.failures.is_empty() && report.unfinished.is_empty(), "{report:?}");
    report.removed.iter().map(|(_, count)| count).sum()
}

fn fill(app: &TestApp, rows: usize) {
    app.db.execute(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO sessions (cookie_hash, user_id, user_name, user_email, created_at, last_seen_at, expires_at)
         SELECT i, 'u', 'n', 'e', 0, 0, 1 FROM n"
    ));
}

#[test]
fn backlog_of_many_steps_is_removed_in_one_run() {
    let app = TestApp::new();
    fill(&app, 1_250);
    assert_eq!(run(&app), 1_250, "three steps");
    fill(&app, 25_000);
    assert_eq!(run(&app), 25_000, "a flood of one address for an hour is gone after one run");
}

#[test]
fn session_that_is_alive_stays() {
    let app = TestApp::new();
    Browser::new(&app).open_admin_page(user::MARA_ADMIN);
    fill(&app, 10);
    assert_eq!(run(&app), 10);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions WHERE user_id = '1'"), 1);
}

#[test]
fn run_removes_nothing_that_is_still_needed() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    Browser::new(&app).open_admin_page(user::MARA_ADMIN);
    Browser::new(&app).sign_in(&authorize_url(&[]), user::THEO_MANAGER);
    app.code(user::THEO_MANAGER, EVERYTHING);
    app.get("/mcp/oauth/authorize?client_id=x&redirect_uri=https://unlisted.example/cb");
    let call = |more: Value| {
        let mut arguments = json!({ "page_id": 42, "title": "t", "description": "d" });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json_of(&app.call(&access, "tools/call", json!({ "name": "create_incident", "arguments": arguments })))
    };
    let shown = call(json!({ "preview": true }));
    call(json!({ "confirm": shown["result"]["structuredContent"]["preview"]["confirm"] }));
    app.count_calls();
    let before = app.db.dump_everything();
    assert_eq!(run(&app), 0);
    assert_eq!(app.db.dump_everything(), before);
}

#[test]
fn run_that_reaches_its_bound_says_so_and_the_next_one_continues() {
    let app = TestApp::new();
    fill(&app, 2_000);
    app.db.execute("INSERT INTO used_nonces (nonce, expires_at) VALUES ('n', 1)");
    let steps = Cell::new(0);
    let has_time = || steps.replace(steps.get() + 1) < 15;
    let report = purge(&app, &has_time);
    assert_eq!(report.unfinished, ["sessions"], "{report:?}");
    assert_eq!(
        app.db.count("SELECT count(*) FROM sessions"),
        500,
        "thirteen kinds, then two steps of the one that is left"
    );
    assert_eq!(app.db.count("SELECT count(*) FROM used_nonces"), 0, "a flood of one kind delays no other");
    assert_eq!(run(&app), 500);
}

#[test]
fn run_makes_no_more_statements_than_d1_allows() {
    let app = TestApp::new();
    fill(&app, 500 * MAX_STEPS);
    let report = purge(&app, &|| true);
    assert_eq!(report.unfinished, ["sessions"]);
    let left = app.db.count("SELECT count(*) FROM sessions");
    assert!((500..=500 * 13).contains(&left), "{left}");
}

#[test]
fn kind_that_cannot_be_removed_is_reported_and_stops_no_other() {
    let app = TestApp::new();
    fill(&app, 700);
    app.db.execute("INSERT INTO used_nonces (nonce, expires_at) VALUES ('n', 1)");
    app.db.execute("CREATE TRIGGER planned BEFORE DELETE ON used_nonces BEGIN SELECT raise(ABORT, 'planned'); END");
    let report = purge(&app, &|| true);
    assert!(
        matches!(&report.failures[..], [("used_nonces", error)] if error.to_string().contains("planned")),
        "{report:?}"
    );
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 0);
}

#[test]
fn a_fresh_connection_loses_nothing() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    assert_eq!(run(&app), 0);
}

#[test]
fn redeemed_code_is_still_recognized_for_a_day() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, "mcp.pages.read");
    let pair = tokens(&app.redeem(&code, &[]));
    app.advance(DAY);
    run(&app);
    assert_eq!(token_error(&app.redeem(&code, &[])).0, 400);
    assert_eq!(
        token_error(&app.refresh(&pair.refresh, &[])),
        (400, "invalid_grant".into()),
        "the late replay ended the grant"
    );
}

#[test]
fn a_connection_in_use_survives_and_its_history_does_not_grow() {
    let app = TestApp::new();
    let mut pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    for _ in 0..20 {
        app.advance(10 * DAY);
        pair = tokens(&app.refresh(&pair.refresh, &[]));
        run(&app);
    }
    assert_eq!(app.ping(&pair.access), 200);
    assert!(app.db.count("SELECT count(*) FROM refresh_tokens") <= 5);
    assert_eq!(
        app.db.count("SELECT count(*) FROM codes") + app.db.count("SELECT count(*) FROM authorization_requests"),
        0
    );
}

#[test]
fn unused_connection_is_deleted_90_days_after_its_last_token_expired() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.code(user::MARA_ADMIN, "mcp.pages.read");
    app.advance(119 * DAY);
    run(&app);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 1, "the one without tokens went with its code");
    app.advance(DAY);
    run(&app);
    assert_eq!(app.db.count("SELECT count(*) FROM grants") + app.db.count("SELECT count(*) FROM refresh_tokens"), 0);
}

#[test]
fn revoked_connection_is_deleted_with_its_tokens_after_90_days() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.revoke(&pair.refresh, &[]);
    for (passed, rows) in [(Duration::from_secs(90 * 86_400 - 1), 2), (Duration::from_secs(1), 0)] {
        app.advance(passed);
        run(&app);
        let count = "SELECT (SELECT count(*) FROM grants) + (SELECT count(*) FROM refresh_tokens)";
        assert_eq!(app.db.count(count), rows, "{passed:?}");
    }
}
