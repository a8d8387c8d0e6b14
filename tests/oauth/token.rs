//! Code redemption over HTTP: RFC 6749 4.1.3, RFC 7636 4.5, OAuth 2.1 4.1.3.

use crate::support::database::Failure;
use crate::support::flow::{CLIENT, VERIFIER, token_error, tokens, user};
use crate::support::simulator::FaultKind;
use crate::support::{TestApp, header, json, request};
use statibeat_mcp::ports::HttpError;
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
    let description = json(&answer)["error_description"].as_str().expect("a description").to_owned();
    assert!(description.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte)), "{description}");
    assert_eq!((header(&answer, "content-type"), header(&answer, "cache-control")), ("application/json", "no-store"));
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(app.db.dump(), before, "{changes:?}");
    assert_eq!(app.redeem(&granted, &[]).status(), 200, "the code still works after {changes:?}");
}

/// T13, K10
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
    assert!(
        body.as_object().is_some_and(|members| members.len() == 5 && members.values().all(|value| !value.is_null()))
    );
    assert_eq!((header(&answer, "cache-control"), header(&answer, "pragma")), ("no-store", "no-cache"));
    assert_eq!(
        (header(&answer, "content-type"), header(&answer, "access-control-allow-origin")),
        ("application/json", "*")
    );
    assert_eq!(app.ping(&tokens(&answer).access), 200);
}

/// K1, K2, K4, K5, T7, T8, T9, T10, T12, T15, T16
#[test]
fn a_request_that_is_wrong_in_any_way_is_refused_and_spends_nothing() {
    refused(&[("code", "")], 400, "invalid_request");
    refused(&[("code", "sbmcp_ac_garbage")], 400, "invalid_grant");
    refused(&[("client_id", "other-client")], 400, "invalid_grant");
    refused(&[("client_id", "")], 400, "invalid_request");
    for client_id in ["sbmcp_client_x.y", "ü", "a\u{7f}b", &"x".repeat(513)] {
        refused(&[("client_id", client_id)], 400, "invalid_client");
    }
    refused(&[("redirect_uri", "http://127.0.0.1:33419/callback")], 400, "invalid_grant");
    refused(&[("resource", "https://other.example/mcp")], 400, "invalid_target");
    refused(&[("code_verifier", "short")], 400, "invalid_request");
    refused(&[("grant_type", "")], 400, "invalid_request");
    refused(&[("grant_type", "password")], 400, "unsupported_grant_type");
    refused(&[("client_secret", "x")], 400, "invalid_client");
}

/// K7
#[test]
fn a_missing_verifier_gives_nothing_and_leaves_the_code() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    assert_eq!(token_error(&app.redeem(&code, &[("code_verifier", "")])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM access_tokens"), 0);
    assert_eq!(app.redeem(&code, &[]).status(), 200);
}

/// T4, T16
#[test]
fn a_repeated_parameter_is_refused() {
    for name in ["grant_type", "client_id", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"] {
        refused(&[(name, "a"), (name, "a")], 400, "invalid_request");
    }
    refused(&[("resource", crate::support::RESOURCE), ("resource", "https://other.example")], 400, "invalid_target");
    refused(&[("resource", "https://mcp.example/mcp#x")], 400, "invalid_target");
}

/// T16
#[test]
fn a_grant_for_another_resource_gives_nothing_here_and_loses_nothing() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    app.db.execute("UPDATE grants SET resource = 'https://old.example/mcp'");
    let before = app.db.dump();
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_target".into()));
    assert_eq!(token_error(&app.redeem(&code, &[("resource", "")])), (400, "invalid_grant".into()), "none was named");
    assert_eq!(app.db.dump(), before);
}

/// T8
#[test]
fn other_grant_types_are_not_supported() {
    for grant_type in [
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        refused(&[("grant_type", grant_type)], 400, "unsupported_grant_type");
    }
}

/// T12
#[test]
fn a_secret_in_the_body_is_refused_and_together_with_basic_it_is_malformed() {
    refused(&[("client_assertion", "x")], 400, "invalid_client");
    let app = TestApp::new();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic eDp5")];
    let both = app.send(request("POST", "/mcp/oauth/token", &headers, "grant_type=refresh_token&client_secret=x"));
    assert_eq!(token_error(&both), (400, "invalid_request".into()));
}

/// T15, X10
#[test]
fn unknown_expired_used_and_foreign_codes_answer_alike_after_the_same_work() {
    let app = TestApp::new();
    app.address.set(Some("160.79.104.1"));
    let answer_to = |code: &str, changes: &[(&str, &str)]| {
        let before = app.db.batches.get();
        let mut answer = app.redeem(code, changes);
        answer.headers_mut().remove("x-request-id");
        (app.db.batches.get() - before, format!("{answer:?}"))
    };
    let [foreign, used, revoked, expired, forgotten] = [(); 5].map(|()| app.code(user::MARA_ADMIN, SCOPE));
    app.redeem(&used, &[]);
    let first = answer_to(&foreign, &[("client_id", "other")]);
    assert_eq!((first.0, first.1.contains("invalid_grant")), (1, true), "{}", first.1);
    assert_eq!(answer_to(&used, &[]), first, "used");
    app.db.execute("DELETE FROM codes WHERE redeemed_at IS NULL AND rowid = (SELECT max(rowid) FROM codes)");
    assert_eq!(answer_to(&forgotten, &[]), first, "unknown");
    app.db.execute("UPDATE grants SET revoked_at = 1 WHERE rowid = (SELECT min(rowid) + 2 FROM grants)");
    assert_eq!(answer_to(&revoked, &[]), first, "revoked");
    app.advance(Duration::from_mins(10));
    assert_eq!(answer_to(&expired, &[]), first, "expired");
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
    for (seconds, expected) in [(599, (200, String::new())), (600, (400, "invalid_grant".into()))] {
        let app = TestApp::new();
        let code = app.code(user::MARA_ADMIN, SCOPE);
        app.advance(Duration::from_secs(seconds));
        assert_eq!(token_error(&app.redeem(&code, &[])), expected, "{seconds}");
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
        // The sixth failure would be told to wait; the code lives longer than that window still lasts.
        app.advance(Duration::from_secs(400));
        assert_eq!(app.redeem(&code, &[]).status(), status, "after {tries}");
    }
}

/// K8, K9
#[test]
fn a_verifier_that_is_malformed_or_the_challenge_itself_gives_nothing_and_leaves_the_code() {
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for shape in [&"a".repeat(42), &"a".repeat(129), &format!("{VERIFIER}="), &format!("{}!", &VERIFIER[1..])] {
        refused(&[("code_verifier", shape)], 400, "invalid_request");
    }
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    assert_eq!(token_error(&app.redeem(&code, &[("code_verifier", CHALLENGE)])), (400, "invalid_grant".into()));
    assert_eq!(app.redeem(&code, &[]).status(), 200, "the example of RFC 7636 appendix B");
}

/// K2
#[test]
fn secrets_of_another_kind_and_made_up_codes_never_reach_the_database() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let good = app.code(user::MARA_ADMIN, SCOPE);
    let (before, batches) = (app.db.dump(), app.db.batches.get());
    let wrong_tag = format!("{}AAAAAAAAAAA", &good[..good.len() - 11]);
    for code in [&pair.access, &pair.refresh, &wrong_tag, "garbage"] {
        assert_eq!(token_error(&app.redeem(code, &[])), (400, "invalid_grant".into()));
    }
    assert_eq!((app.db.dump(), app.db.batches.get()), (before, batches));
}

/// K14
#[test]
fn a_person_disabled_between_consent_and_redemption_gets_no_tokens() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(
        app.db.count("SELECT count(*) FROM access_tokens") + app.db.count("SELECT count(*) FROM refresh_tokens"),
        0
    );
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke' AND detail = 'user_disabled'"), 1);
    app.upstream.simulator.set_user_disabled(1, false).expect("a user");
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()), "the approval is over");
}

/// T14
#[test]
fn an_upstream_outage_hands_out_nothing_and_spends_nothing() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    for code_status in [500, 401, 403, 429] {
        for answer in [
            |app: &TestApp, code: &str, _: &str| app.redeem(code, &[]),
            |app: &TestApp, _: &str, token: &str| app.refresh(token, &[]),
        ] {
            // A read is tried again after a server error, and only then.
            let times = if code_status == 500 { 2 } else { 1 };
            let fault = FaultKind::Status { code: code_status, retry_after: None };
            app.upstream.inject_times(times, None, "/api/v1/me", fault);
            let answer = answer(&app, &code, &pair.refresh);
            assert_eq!(token_error(&answer), (503, "temporarily_unavailable".into()), "{code_status}");
            assert_ne!(header(&answer, "retry-after"), "");
        }
    }
    assert_eq!(app.db.dump(), before);
    assert_eq!(
        (app.redeem(&code, &[]).status().as_u16(), app.refresh(&pair.refresh, &[]).status().as_u16()),
        (200, 200)
    );
}

/// T14
#[test]
fn a_silent_statibeat_hands_out_nothing_and_spends_nothing() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    app.upstream.tamper(|_, _| Err(HttpError::Timeout));
    for answer in [app.redeem(&code, &[]), app.refresh(&pair.refresh, &[])] {
        assert_eq!(token_error(&answer), (503, "temporarily_unavailable".into()));
        assert_ne!(header(&answer, "retry-after"), "");
    }
    assert_eq!(app.db.dump(), before);
}

#[test]
fn authorization_takes_few_round_trips_to_the_database() {
    let app = TestApp::new();
    let count = |work: &dyn Fn()| {
        let before = app.db.batches.get();
        work();
        app.db.batches.get() - before
    };
    let browser = crate::support::browser::Browser::new(&app);
    let opened = std::cell::RefCell::new(None);
    let url = crate::support::flow::authorize_url(&[]);
    assert_eq!(count(&|| *opened.borrow_mut() = Some(browser.open(&url))), 0, "authorize");
    let sign_in = opened.take().expect("a page");
    assert_eq!(
        count(&|| *opened.borrow_mut() = Some(browser.choose_user(&sign_in, user::MARA_ADMIN))),
        2,
        "sign-in and page"
    );
    let consent = opened.take().expect("a page");
    assert_eq!(count(&|| *opened.borrow_mut() = Some(browser.answer(&consent, "approve"))), 2, "consent");
    let left = opened.take().expect("a page").leaves_for();
    let code = crate::support::browser::parameter(&left, "code").expect("a code");
    let pair = std::cell::RefCell::new(None);
    assert_eq!(count(&|| *pair.borrow_mut() = Some(tokens(&app.redeem(&code, &[])))), 2, "exchange");
    let pair = pair.take().expect("tokens");
    assert_eq!(count(&|| assert_eq!(app.ping(&pair.access), 200)), 2, "first use of a grant");
    assert_eq!(count(&|| assert_eq!(app.ping(&pair.access), 200)), 1, "token check");
    assert_eq!(count(&|| drop(app.revoke(&pair.access, &[]))), 1, "revoke an access token");
    assert_eq!(count(&|| drop(app.revoke(&pair.refresh, &[]))), 2, "revoke a grant");
}

/// K11
#[test]
fn code_is_redeemed_once_and_immediate_repeat_revokes_nothing() {
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
fn redeemed_code_sent_again_revokes_the_grant() {
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
fn database_and_log_contain_no_secret() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let pair = tokens(&app.redeem(&code, &[]));
    let next = tokens(&app.refresh(&pair.refresh, &[]));
    let (dump, log) = (app.db.dump(), app.lines());
    for secret in [&code, &pair.access, &pair.refresh, &next.access, &next.refresh] {
        let random_part = &secret[9..52];
        assert!(!dump.contains(random_part) && !log.contains(random_part));
    }
    assert!(dump.contains(CLIENT), "the dump is a dump");
}
