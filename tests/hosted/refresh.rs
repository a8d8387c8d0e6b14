//! Refresh with rotation: RFC 6749 6, RFC 9700 4.14, OAuth 2.1 4.3.

use crate::support::database::Failure;
use crate::support::flow::{token_error, tokens, user};
use crate::support::{RESOURCE, TestApp};
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

/// R4
#[test]
fn a_refresh_gives_new_tokens_and_leaves_the_old_access_token_alone() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[("resource", RESOURCE)]));
    assert_ne!((&first.access, &first.refresh), (&second.access, &second.refresh));
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (200, 200));
}

/// R5, R9
#[test]
fn a_repeat_within_a_minute_of_the_first_use_gets_the_same_successor() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.advance(Duration::from_secs(59));
    let again = tokens(&app.refresh(&first.refresh, &[]));
    assert_eq!(again.refresh, second.refresh);
    assert_ne!(again.access, second.access);
    app.advance(Duration::from_secs(1));
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant(), "repeats do not move the window");
}

/// R7
#[test]
fn reuse_after_the_window_revokes_the_grant() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.advance(Duration::from_secs(60));
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant());
    assert_eq!(app.ping(&second.access), 401);
    assert_eq!(token_error(&app.refresh(&second.refresh, &[])), invalid_grant());
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_reuse'"), 1);
}

/// R8
#[test]
fn a_token_two_generations_back_revokes_the_grant_even_within_the_window() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    let third = tokens(&app.refresh(&second.refresh, &[]));
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant());
    assert_eq!(app.ping(&third.access), 401);
}

/// R1, R2, R3, R11
#[test]
fn a_request_that_is_wrong_in_any_way_rotates_nothing() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    assert_eq!(token_error(&app.refresh("", &[("refresh_token", "")])), (400, "invalid_request".into()));
    assert_eq!(token_error(&app.refresh(&pair.access, &[])), invalid_grant());
    assert_eq!(token_error(&app.refresh("garbage", &[])), invalid_grant());
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[("client_id", "other")])), invalid_grant());
    assert_eq!(
        token_error(&app.refresh(&pair.refresh, &[("scope", "mcp.incidents.write")])),
        (400, "invalid_scope".into())
    );
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[("scope", "openid")])), (400, "invalid_scope".into()));
    assert_eq!(
        token_error(&app.refresh(&pair.refresh, &[("resource", "https://other.example")])),
        (400, "invalid_target".into())
    );
    assert_eq!(app.db.dump(), before);
}

/// R10
#[test]
fn a_narrowed_access_token_does_not_narrow_the_grant() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let narrow = tokens(&app.refresh(&pair.refresh, &[("scope", "mcp.pages.read")]));
    assert_eq!(narrow.scope, "mcp.pages.read");
    assert_eq!(tokens(&app.refresh(&narrow.refresh, &[])).scope, SCOPE);
}

/// R12
#[test]
fn a_refresh_token_lives_thirty_days_to_the_second() {
    const THIRTY_DAYS: u64 = 30 * 24 * 3600;
    for (seconds, status) in [(THIRTY_DAYS - 1, 200), (THIRTY_DAYS, 400)] {
        let app = TestApp::new();
        let pair = app.connect(user::MARA_ADMIN, SCOPE);
        app.advance(Duration::from_secs(seconds));
        assert_eq!(app.refresh(&pair.refresh, &[]).status(), status, "{seconds}");
    }
}

/// R16, T14
#[test]
fn a_refresh_whose_answer_was_lost_can_be_repeated() {
    for failure in [Failure::Before, Failure::After] {
        let app = TestApp::new();
        let pair = app.connect(user::MARA_ADMIN, SCOPE);
        app.db.fail_after(1, failure);
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (503, "temporarily_unavailable".into()));
        app.db.heal();
        let next = tokens(&app.refresh(&pair.refresh, &[]));
        assert_eq!(app.ping(&next.access), 200, "{failure:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM refresh_tokens"), 2, "one successor after {failure:?}");
    }
}

#[test]
fn an_access_token_lives_an_hour_to_the_second() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.advance(Duration::from_secs(3599));
    assert_eq!(app.ping(&pair.access), 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.ping(&pair.access), 401);
}

#[test]
fn a_refresh_takes_two_round_trips_to_the_database() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.batches.get();
    tokens(&app.refresh(&pair.refresh, &[]));
    assert_eq!(app.db.batches.get() - before, 2);
}
