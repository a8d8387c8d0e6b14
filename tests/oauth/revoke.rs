//! Revocation: RFC 7009. Effective on the very next request.

use crate::support::database::Failure;
use crate::support::flow::{CLIENT, token_error, tokens, user};
use crate::support::{TestApp, header, request};
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read";

/// V2, V8
#[test]
fn revoking_a_refresh_token_ends_the_whole_grant() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    let answer = app.revoke(&second.refresh, &[]);
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (401, 401));
    assert_eq!(token_error(&app.refresh(&second.refresh, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke'"), 1);
}

/// V3
#[test]
fn revoking_an_access_token_ends_just_that_one() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(app.revoke(&pair.access, &[]).status(), 200);
    assert_eq!(app.ping(&pair.access), 401);
    assert_eq!(app.ping(&tokens(&app.refresh(&pair.refresh, &[])).access), 200);
}

/// V4, V6
#[test]
fn unknown_and_foreign_tokens_answer_200_and_change_nothing() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    for token in [&pair.access, &pair.refresh] {
        assert_eq!(app.revoke(token, &[("client_id", "other")]).status(), 200);
    }
    let wrong_tag = format!("{}AAAAAAAAAAA", &pair.refresh[..pair.refresh.len() - 11]);
    for unknown in ["garbage", &wrong_tag] {
        assert_eq!(app.revoke(unknown, &[]).status(), 200);
    }
    assert_eq!(app.db.dump(), before);
    assert_eq!(app.revoke(&pair.refresh, &[("token_type_hint", "access_token")]).status(), 200);
    assert_eq!(app.ping(&pair.access), 401, "a wrong hint does not matter");
    assert_eq!(app.revoke(&pair.refresh, &[]).status(), 200, "already revoked");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke'"), 1, "one revoke, one row");
}

/// V4
#[test]
fn expired_tokens_answer_200() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.advance(Duration::from_secs(30 * 24 * 3600));
    for token in [&pair.access, &pair.refresh] {
        let answer = app.revoke(token, &[]);
        assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    }
}

/// V5
#[test]
fn a_wrong_or_unknown_hint_is_as_good_as_none() {
    for hint in ["access_token", "refresh_token", "made-up", ""] {
        let app = TestApp::new();
        let pair = app.connect(user::MARA_ADMIN, SCOPE);
        let next = tokens(&app.refresh(&pair.refresh, &[]));
        assert_eq!(app.revoke(&pair.access, &[("token_type_hint", hint)]).status(), 200);
        assert_eq!((app.ping(&pair.access), app.ping(&next.access)), (401, 200), "{hint}");
        assert_eq!(app.revoke(&next.refresh, &[("token_type_hint", hint)]).status(), 200);
        assert_eq!(app.ping(&next.access), 401, "{hint}");
    }
}

/// V1, V7
#[test]
fn malformed_revocations_are_refused() {
    let app = TestApp::new();
    assert_eq!(token_error(&app.revoke("", &[("token", "")])), (400, "invalid_request".into()));
    assert_eq!(token_error(&app.revoke("a", &[("token", "a"), ("token", "b")])), (400, "invalid_request".into()));
    let get = app.get("/mcp/oauth/revoke");
    assert_eq!((get.status().as_u16(), header(&get, "allow")), (405, "POST, OPTIONS"));
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let good = format!("client_id={CLIENT}&token={}", pair.refresh);
    for body in ["{}".to_owned(), good] {
        let json = app.send(request("POST", "/mcp/oauth/revoke", &[("content-type", "application/json")], body));
        assert_eq!(token_error(&json), (400, "invalid_request".into()));
    }
    assert_eq!(app.ping(&pair.access), 200);
}

#[test]
fn a_storage_outage_says_that_the_token_may_still_live() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.db.fail_after(0, Failure::Before);
    let answer = app.revoke(&pair.refresh, &[]);
    assert_eq!(answer.status(), 503);
    assert_ne!(header(&answer, "retry-after"), "");
}

/// K14
#[test]
fn a_revoke_between_consent_and_redemption_ends_the_code() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    app.db.execute("UPDATE grants SET revoked_at = 1, revoke_reason = 'user'");
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM access_tokens"), 0);
}

#[test]
fn revocation_with_a_repeated_parameter_ends_nothing() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let hints = [("token_type_hint", "access_token"), ("token_type_hint", "refresh_token")];
    let repeated = app.revoke(&pair.access, &hints);
    assert_eq!(token_error(&repeated), (400, "invalid_request".into()));
    assert_eq!(app.ping(&pair.access), 200);
}

#[test]
fn revoking_an_access_token_ends_no_token_of_another_connection() {
    let app = TestApp::new();
    let others = [user::THEO_MANAGER, user::MARA_ADMIN].map(|user_id| app.connect(user_id, SCOPE));
    app.advance(Duration::from_secs(1));
    let revoked = app.connect(user::MARA_ADMIN, SCOPE);
    app.revoke(&revoked.access, &[]);
    assert_eq!((others.map(|pair| app.ping(&pair.access)), app.ping(&revoked.access)), ([200, 200], 401));
    let row = "SELECT count(*) FROM audit WHERE kind = 'access_token_revoke'
        AND grant_id = (SELECT id FROM grants ORDER BY created_at DESC LIMIT 1)";
    assert_eq!(app.db.count(row), 1, "of the connection that it belonged to");
}
