//! Refresh with rotation: RFC 6749 6, RFC 9700 4.14, OAuth 2.1 4.3.

use crate::support::browser::{Browser, parameter};
use crate::support::database::Failure;
use crate::support::flow::{authorize_url, token_error, tokens, user};
use crate::support::{RESOURCE, TestApp, header, json as json_of};
use futures_util::FutureExt as _;
use serde_json::json;
use statibeat_mcp::storage::purge;
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
    assert!(first.access != second.access && first.refresh != second.refresh);
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (200, 200));
    app.advance(Duration::from_secs(3599));
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (200, 200), "each until its own end");
}

/// R5
#[test]
fn token_whose_answer_was_lost_gets_the_same_successor_at_any_delay() {
    for delay in [1, 59, 61, 3_600, 4 * 86_400, 30 * 86_400 - 1] {
        let app = TestApp::new();
        let first = app.connect(user::MARA_ADMIN, SCOPE);
        let lost = tokens(&app.refresh(&first.refresh, &[]));
        app.advance(Duration::from_secs(delay));
        let again = tokens(&app.refresh(&first.refresh, &[]));
        assert_eq!(again.refresh, lost.refresh, "after {delay} s");
        assert_ne!(again.access, lost.access);
        assert_eq!(app.ping(&again.access), 200);
        assert_eq!(app.refresh(&again.refresh, &[]).status(), 200, "after {delay} s");
    }
}

/// R5
#[test]
fn repeated_refresh_is_audited_and_waits_beyond_thirty_two_living_access_tokens() {
    let app = TestApp::new();
    let count = || app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_repeat' AND outcome = 'done'");
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    app.refresh(&first.refresh, &[]);
    assert_eq!(count(), 0, "a first use is no repeat");
    for repeats in 1..=31 {
        assert_eq!(app.refresh(&first.refresh, &[]).status(), 200);
        assert_eq!(count(), repeats);
    }
    let limited = app.refresh(&first.refresh, &[]);
    assert_eq!(
        (token_error(&limited), header(&limited, "retry-after")),
        ((429, "temporarily_unavailable".into()), "3600")
    );
    assert_eq!(count(), 31);
    app.advance(Duration::from_hours(1));
    assert_eq!(app.refresh(&first.refresh, &[]).status(), 200, "its grant lives on");
}

#[test]
fn eleventh_rotation_in_a_minute_waits_until_the_first_is_a_minute_old() {
    let app = TestApp::new();
    let mut pair = app.connect(user::MARA_ADMIN, SCOPE);
    for _ in 0..10 {
        pair = tokens(&app.refresh(&pair.refresh, &[]));
    }
    for (seconds, wait) in [(0, "60"), (59, "1")] {
        app.advance(Duration::from_secs(seconds));
        let limited = app.refresh(&pair.refresh, &[]);
        let answer = (token_error(&limited), header(&limited, "retry-after"));
        assert_eq!(answer, ((429, "temporarily_unavailable".into()), wait));
    }
    app.advance(Duration::from_secs(1));
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200);
}

/// R7
#[test]
fn reuse_after_an_access_token_of_the_answer_was_used_revokes_the_grant() {
    for delay in [0, 60, 86_400] {
        let app = TestApp::new();
        let first = app.connect(user::MARA_ADMIN, SCOPE);
        let second = tokens(&app.refresh(&first.refresh, &[]));
        assert_eq!(app.ping(&second.access), 200);
        app.advance(Duration::from_secs(delay));
        assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant(), "after {delay} s");
        assert_eq!(app.ping(&second.access), 401);
        assert_eq!(token_error(&app.refresh(&second.refresh, &[])), invalid_grant());
        assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_reuse'"), 1);
    }
}

/// R7
#[test]
fn use_of_an_access_token_is_evidence_also_after_it_expired_and_was_purged() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    assert_eq!(app.ping(&second.access), 200);
    app.advance(Duration::from_hours(3));
    purge::run(&*app.db, app.now(), &|| true).now_or_never().expect("no waiting");
    assert_eq!(app.db.count("SELECT count(*) FROM access_tokens"), 0);
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant());
}

/// R9
#[test]
fn use_of_the_older_access_token_is_no_evidence_of_the_answer() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let lost = tokens(&app.refresh(&first.refresh, &[]));
    assert_eq!(app.ping(&first.access), 200);
    assert_eq!(tokens(&app.refresh(&first.refresh, &[])).refresh, lost.refresh);
}

#[test]
fn use_that_could_not_be_recorded_is_recorded_by_the_next_call() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.db.faults.once(1, Failure::Before);
    assert_eq!(app.ping(&second.access), 200, "the record is not worth a refused call");
    assert_eq!(app.refresh(&first.refresh, &[]).status(), 200, "errs to the generous side");
    assert_eq!(app.ping(&second.access), 200);
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant());
}

/// R8
#[test]
fn token_two_generations_back_revokes_the_grant() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    let third = tokens(&app.refresh(&second.refresh, &[]));
    assert_eq!(token_error(&app.refresh(&first.refresh, &[])), invalid_grant());
    assert_eq!(app.ping(&third.access), 401);
    assert_eq!(token_error(&app.refresh(&third.refresh, &[])), invalid_grant());
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_reuse'"), 1);
}

/// R7. A thief and the owner hold one token, use what they get, and take turns in any order: the grant ends with the second's turn.
#[test]
fn two_holders_of_one_token_who_both_use_it_lose_the_grant_at_any_pace() {
    for pace in [0, 30, 3_000] {
        let app = TestApp::new();
        let stolen = app.connect(user::MARA_ADMIN, SCOPE);
        let mut owner = tokens(&app.refresh(&stolen.refresh, &[]));
        let thief = tokens(&app.refresh(&stolen.refresh, &[]));
        assert_eq!(owner.refresh, thief.refresh, "nobody has used the answer yet");
        assert_eq!((app.ping(&owner.access), app.ping(&thief.access)), (200, 200));
        app.advance(Duration::from_secs(pace));
        owner = tokens(&app.refresh(&owner.refresh, &[]));
        assert_eq!(app.ping(&owner.access), 200);
        app.advance(Duration::from_secs(pace));
        assert_eq!(token_error(&app.refresh(&thief.refresh, &[])), invalid_grant(), "at a pace of {pace} s");
        assert_eq!(app.ping(&owner.access), 401);
    }
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
    let twice = [("refresh_token", pair.refresh.as_str()), ("refresh_token", &pair.refresh)];
    assert_eq!(token_error(&app.refresh("", &twice)), (400, "invalid_request".into()));
    assert_eq!(
        token_error(&app.refresh(&pair.refresh, &[("resource", "https://other.example")])),
        (400, "invalid_target".into())
    );
    assert_eq!(app.db.dump(), before);
}

/// R11
#[test]
fn a_refresh_that_repeats_the_first_request_gets_what_the_person_left_ticked() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let asked = format!("{SCOPE} mcp.incidents.write");
    let consent = browser.sign_in(&authorize_url(&[("scope", &asked)]), user::MARA_ADMIN);
    let left = browser.answer_with(&consent, "approve", &["mcp.pages.read".to_owned()]).leaves_for();
    let mut pair = tokens(&app.redeem(&parameter(&left, "code").expect("a code"), &[]));
    for scope in [asked.as_str(), "mcp.pages.read openid", "openid email profile", "mcp.beats.read openid"] {
        pair = tokens(&app.refresh(&pair.refresh, &[("scope", scope)]));
        assert_eq!((pair.scope.as_str(), app.ping(&pair.access)), ("mcp.pages.read", 200), "{scope}");
    }
}

/// R11. The client asks for a permission to post alone, its person leaves that unticked and keeps the reads that are offered beside it.
#[test]
fn refresh_that_repeats_a_write_scope_whose_person_allowed_reads_alone_gets_the_reads() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let asked = "mcp.incidents.write";
    let consent = browser.sign_in(&authorize_url(&[("scope", asked)]), user::MARA_ADMIN);
    let reads = ["mcp.pages.read".to_owned(), "mcp.incidents.read".to_owned()];
    let left = browser.answer_with(&consent, "approve", &reads).leaves_for();
    let granted = reads.join(" ");
    let pair = tokens(&app.redeem(&parameter(&left, "code").expect("a code"), &[]));
    assert_eq!(pair.scope, granted);
    let answer = app.refresh(&pair.refresh, &[("scope", asked)]);
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    let pair = tokens(&answer);
    assert_eq!((pair.scope, app.ping(&pair.access)), (granted, 200));
}

/// R3
#[test]
fn another_client_with_a_used_token_triggers_no_reuse_handling() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    assert_eq!(app.ping(&second.access), 200);
    let before = app.db.dump();
    assert_eq!(token_error(&app.refresh(&first.refresh, &[("client_id", "other")])), invalid_grant());
    assert_eq!(app.db.dump(), before);
    assert_eq!(app.ping(&second.access), 200);
}

/// X10
#[test]
fn unknown_expired_revoked_and_foreign_tokens_answer_alike_after_the_same_work() {
    let app = TestApp::new();
    app.address.set(Some("160.79.104.1"));
    let answer_to = |token: &str, changes: &[(&str, &str)]| {
        let before = app.db.batches.get();
        let mut answer = app.refresh(token, changes);
        answer.headers_mut().remove("x-request-id");
        (app.db.batches.get() - before, format!("{answer:?}"))
    };
    let check_of = |token: &str| {
        let before = app.db.batches.get();
        assert_eq!(app.ping(token), 401);
        app.db.batches.get() - before
    };
    let [foreign, revoked, expired, unknown] = [(); 4].map(|()| app.connect(user::MARA_ADMIN, SCOPE));
    app.revoke(&revoked.refresh, &[]);
    app.db.execute("DELETE FROM access_tokens WHERE rowid = (SELECT max(rowid) FROM access_tokens)");
    app.db.execute("DELETE FROM refresh_tokens WHERE rowid = (SELECT max(rowid) FROM refresh_tokens)");
    let first = answer_to(&foreign.refresh, &[("client_id", "other")]);
    assert_eq!((first.0, first.1.contains("invalid_grant")), (1, true), "{}", first.1);
    assert_eq!(answer_to(&unknown.refresh, &[]), first, "unknown");
    assert_eq!(answer_to(&revoked.refresh, &[]), first, "revoked");
    assert_eq!((check_of(&unknown.access), check_of(&revoked.access)), (1, 1));
    app.advance(Duration::from_hours(30 * 24));
    assert_eq!(answer_to(&expired.refresh, &[]), first, "expired");
    assert_eq!(check_of(&expired.access), 1);
}

/// R6
#[test]
fn twenty_refreshes_of_one_token_get_one_successor_and_twenty_access_tokens() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let answers: Vec<_> = (0..20).map(|_| tokens(&app.refresh(&pair.refresh, &[]))).collect();
    assert!(answers.iter().all(|answer| answer.refresh == answers[0].refresh));
    assert!(answers.iter().all(|answer| app.ping(&answer.access) == 200));
    let access: std::collections::BTreeSet<_> = answers.iter().map(|answer| &answer.access).collect();
    assert_eq!((access.len(), app.db.count("SELECT count(*) FROM refresh_tokens")), (20, 2));
}

/// R13
#[test]
fn a_person_who_was_disabled_can_refresh_no_more() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), invalid_grant());
    app.upstream.simulator.set_user_disabled(1, false).expect("a user");
    assert_eq!(app.ping(&pair.access), 401, "the grant has ended with the person");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE detail = 'user_disabled'"), 1);
}

/// R13, R14
#[test]
fn revoked_grant_cannot_be_refreshed_with_any_of_its_tokens() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.revoke(&second.refresh, &[]);
    let before = app.db.dump();
    for token in [&first.refresh, &second.refresh] {
        assert_eq!(token_error(&app.refresh(token, &[])), invalid_grant());
    }
    assert_eq!(app.db.dump(), before);
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (401, 401));
}

/// R17, P7
#[test]
fn a_permission_taken_away_upstream_stops_the_next_call_and_not_the_refresh() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let read = |token: &str| app.call(token, "resources/read", json!({"uri": "statibeat://pages/42/incidents/active"}));
    assert!(json_of(&read(&pair.access))["result"].is_object());
    app.upstream.simulator.set_role(1, 42, None).expect("a role");
    let next = tokens(&app.refresh(&pair.refresh, &[]));
    assert_eq!(next.scope, SCOPE);
    for token in [&next.access, &pair.access] {
        let refused = read(token);
        assert!(json_of(&refused)["error"].is_object(), "effective on the next call");
        assert_eq!((refused.status().as_u16(), header(&refused, "www-authenticate")), (200, ""), "no step-up can help");
    }
}

/// R10
#[test]
fn a_narrowed_access_token_does_not_narrow_the_grant() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let narrow = tokens(&app.refresh(&pair.refresh, &[("scope", "mcp.pages.read")]));
    assert_eq!(narrow.scope, "mcp.pages.read");
    let wide = tokens(&app.refresh(&narrow.refresh, &[]));
    assert_eq!(wide.scope, SCOPE);
    let incidents = |token: &str| {
        app.call(token, "resources/read", json!({"uri": "statibeat://pages/42/incidents/active"})).status()
    };
    assert_eq!((incidents(&narrow.access).as_u16(), incidents(&wide.access).as_u16()), (403, 200));
}

/// R12
#[test]
fn a_refresh_token_lives_thirty_days_to_the_second() {
    const THIRTY_DAYS: u64 = 30 * 24 * 3600;
    for (seconds, expected) in [(THIRTY_DAYS - 1, (200, String::new())), (THIRTY_DAYS, invalid_grant())] {
        let app = TestApp::new();
        let pair = app.connect(user::MARA_ADMIN, SCOPE);
        app.advance(Duration::from_secs(seconds));
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), expected, "{seconds}");
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
fn unconfirmed_rotation_is_read_again_at_once() {
    for failure in [Failure::Before, Failure::After] {
        let app = TestApp::new();
        let pair = app.connect(user::MARA_ADMIN, SCOPE);
        app.db.faults.once(1, failure);
        let next = tokens(&app.refresh(&pair.refresh, &[]));
        assert_eq!(app.ping(&next.access), 200, "{failure:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM refresh_tokens"), 2, "one successor after {failure:?}");
    }
}

/// P4
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
