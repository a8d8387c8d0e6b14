//! What dies when, and what must be kept until then.

use crate::support::TestApp;
use crate::support::flow::{token_error, tokens, user};
use futures_util::FutureExt as _;
use statibeat_mcp::storage::purge;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn run(app: &TestApp) -> usize {
    let purged = purge::run(&app.db, app.now()).now_or_never().expect("no waiting").expect("a working database");
    purged.0.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_run_goes_on_step_by_step_and_ends() {
    let app = TestApp::new();
    let fill = |rows: usize| {
        app.db.execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO transactions (handle_hash, browser_hash, client_id, request, created_at, expires_at)
             SELECT i, 'b', 'c', '', 0, 1 FROM n"
        ));
    };
    fill(1_250);
    assert_eq!(run(&app), 1_250, "three steps");
    fill(10_001);
    assert_eq!(run(&app), 10_000, "a run has a bound");
    assert_eq!(run(&app), 1, "and the next goes on");
}

#[test]
fn a_fresh_connection_loses_nothing() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    assert_eq!(run(&app), 0);
}

#[test]
fn a_spent_code_is_still_recognized_for_a_day() {
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
    assert_eq!(app.db.count("SELECT count(*) FROM codes") + app.db.count("SELECT count(*) FROM transactions"), 0);
}

#[test]
fn a_forgotten_connection_is_gone_after_its_last_token_and_ninety_days() {
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
