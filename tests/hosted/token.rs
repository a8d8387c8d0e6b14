//! Code redemption over HTTP: RFC 6749 4.1.3, RFC 7636 4.5, OAuth 2.1 4.1.3.

use crate::support::database::Failure;
use crate::support::flow::{CLIENT, token_error, tokens, user};
use crate::support::{TestApp, header, json, request};
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

/// A refusal that changes no row.
#[track_caller]
fn refused(changes: &[(&str, &str)], status: u16, code: &str) {
    let app = TestApp::new();
    let granted = app.code(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    let answer = app.redeem(&granted, changes);
    assert_eq!(token_error(&answer), (status, code.to_owned()), "{changes:?}");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(app.db.dump(), before, "{changes:?}");
    assert_eq!(app.redeem(&granted, &[]).status(), 200, "the code still works after {changes:?}");
}

/// T13
#[test]
fn a_code_gives_a_pair_of_tokens() {
    let app = TestApp::new();
    let answer = app.redeem(&app.code(user::MARA_ADMIN, SCOPE), &[]);
    let body = json(&answer);
    assert_eq!(answer.status(), 200);
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&"Bearer".into(), &3600.into(), &SCOPE.into())
    );
    assert_eq!((header(&answer, "cache-control"), header(&answer, "pragma")), ("no-store", "no-cache"));
    assert_eq!(app.ping(&tokens(&answer).access), 200);
}

/// K1, K2, K4, K5, K7, T5, T7, T8, T9, T10, T12, T16
#[test]
fn a_request_that_is_wrong_in_any_way_is_refused_and_spends_nothing() {
    refused(&[("code", "")], 400, "invalid_request");
    refused(&[("code", "sbmcp_ac_garbage")], 400, "invalid_grant");
    refused(&[("client_id", "other-client")], 400, "invalid_grant");
    refused(&[("client_id", "")], 400, "invalid_request");
    refused(&[("client_id", "sbmcp_client_x.y")], 400, "invalid_client");
    refused(&[("redirect_uri", "http://127.0.0.1:33419/callback")], 400, "invalid_grant");
    refused(&[("resource", "https://other.example/mcp")], 400, "invalid_target");
    refused(&[("code_verifier", "short")], 400, "invalid_request");
    refused(&[("grant_type", "")], 400, "invalid_request");
    refused(&[("grant_type", "password")], 400, "unsupported_grant_type");
    refused(&[("client_secret", "x")], 400, "invalid_client");
}

/// T1
#[test]
fn the_token_endpoint_takes_posts_only() {
    let app = TestApp::new();
    let get = app.get("/mcp/oauth/token");
    assert_eq!((get.status().as_u16(), header(&get, "allow")), (405, "POST, OPTIONS"));
}

/// T2, T11
#[test]
fn json_bodies_and_basic_authentication_are_refused() {
    let app = TestApp::new();
    let json_body = app.send(request("POST", "/mcp/oauth/token", &[("content-type", "application/json")], "{}"));
    assert_eq!(token_error(&json_body), (400, "invalid_request".into()));
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic eDp5")];
    let basic = app.send(request("POST", "/mcp/oauth/token", &form, "grant_type=refresh_token"));
    assert_eq!(token_error(&basic), (401, "invalid_client".into()));
    assert!(header(&basic, "www-authenticate").starts_with("Basic "));
}

/// K6
#[test]
fn the_redirect_uri_may_be_left_out() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    assert_eq!(app.redeem(&code, &[("redirect_uri", "")]).status(), 200);
}

/// K3
#[test]
fn a_code_lives_ten_minutes_to_the_second() {
    for (seconds, status) in [(599, 200), (600, 400)] {
        let app = TestApp::new();
        let code = app.code(user::MARA_ADMIN, SCOPE);
        app.advance(Duration::from_secs(seconds));
        assert_eq!(app.redeem(&code, &[]).status(), status, "{seconds}");
    }
}

/// K9
#[test]
fn five_wrong_verifiers_end_a_code_and_four_do_not() {
    let wrong = "w".repeat(43);
    for (tries, status) in [(4, 200), (5, 400)] {
        let app = TestApp::new();
        let code = app.code(user::MARA_ADMIN, SCOPE);
        for _ in 0..tries {
            assert_eq!(token_error(&app.redeem(&code, &[("code_verifier", &wrong)])), (400, "invalid_grant".into()));
        }
        assert_eq!(app.redeem(&code, &[]).status(), status, "after {tries}");
    }
}

/// K11
#[test]
fn a_code_is_redeemed_once_and_a_quick_repeat_hurts_nobody() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let first = tokens(&app.redeem(&code, &[]));
    app.advance(Duration::from_secs(9));
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.ping(&first.access), 200);
    assert_eq!(app.db.count("SELECT count(*) FROM refresh_tokens"), 1);
}

/// K12
#[test]
fn a_spent_code_revokes_the_grant() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let first = tokens(&app.redeem(&code, &[]));
    app.advance(Duration::from_secs(10));
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.ping(&first.access), 401);
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'code_replay'"), 1);
}

/// K13
#[test]
fn a_replay_without_the_verifier_or_by_another_client_revokes_nothing() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let first = tokens(&app.redeem(&code, &[]));
    app.advance(Duration::from_secs(60));
    for changes in [
        [("code_verifier", "")],
        [("code_verifier", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww")],
        [("client_id", "other")],
    ] {
        assert_eq!(token_error(&app.redeem(&code, &changes)), (400, "invalid_grant".into()));
    }
    assert_eq!(app.ping(&first.access), 200);
}

/// T14
#[test]
fn a_storage_outage_never_makes_a_client_drop_its_credentials() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    for skip in [0, 1] {
        app.db.fail_after(skip, Failure::Before);
        let answer = app.redeem(&code, &[]);
        assert_eq!(token_error(&answer), (503, "temporarily_unavailable".into()), "batch {skip}");
        assert_ne!(header(&answer, "retry-after"), "");
    }
    app.db.heal();
    assert_eq!(app.redeem(&code, &[]).status(), 200);
}

/// K15
#[test]
fn a_redemption_whose_answer_was_lost_is_denied_and_revokes_nothing() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    app.db.fail_after(1, Failure::After);
    assert_eq!(app.redeem(&code, &[]).status(), 503);
    app.db.heal();
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL"), 0);
    app.connect(user::MARA_ADMIN, SCOPE);
}

/// X2
#[test]
fn no_secret_stands_in_the_database_or_the_log() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let pair = tokens(&app.redeem(&code, &[]));
    let next = tokens(&app.refresh(&pair.refresh, &[]));
    let (dump, log) = (app.db.dump(), app.log.borrow().join("\n"));
    for secret in [&code, &pair.access, &pair.refresh, &next.access, &next.refresh] {
        let random_part = &secret[9..52];
        assert!(!dump.contains(random_part) && !log.contains(random_part));
    }
    assert!(dump.contains(CLIENT), "the dump is a dump");
}
