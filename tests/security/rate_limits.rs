//! Rate limits: what is counted, what an answer over the limit says, and what an outage of the limiter means.

use crate::support::browser::{Browser, parameter};
use crate::support::database::Failure;
use crate::support::flow::{authorize_url, token_error, tokens, user};
use crate::support::{RESOURCE, TestApp, header, json, request};
use serde_json::json;
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";
const CLAUDE: &str = "160.79.106.9";

/// 429 with a wait, and no code that makes a client drop what it has.
#[track_caller]
fn told_to_wait(answer: &http::Response<bytes::Bytes>) {
    assert_eq!(token_error(answer), (429, "temporarily_unavailable".into()));
    assert!(header(answer, "retry-after").parse::<u64>().is_ok_and(|wait| (1..=3600).contains(&wait)));
    assert_eq!(header(answer, "cache-control"), "no-store");
    assert_eq!(header(answer, "access-control-allow-origin"), "*");
}

#[test]
fn authorization_request_121_of_an_address_in_a_minute_gets_a_page_that_says_to_wait() {
    let app = TestApp::new();
    app.address.set(Some("2001:db8:1:2::1"));
    for _ in 0..120 {
        assert_eq!(app.get(&authorize_url(&[])).status(), 302);
    }
    app.address.set(Some("2001:db8:1:2:ffff::9"));
    let before = app.db.dump();
    let limited = app.get(&authorize_url(&[]));
    assert_eq!((limited.status().as_u16(), header(&limited, "location")), (429, ""), "the same /64");
    assert_ne!(header(&limited, "retry-after"), "");
    assert_eq!(header(&limited, "x-frame-options"), "DENY");
    assert_eq!(app.db.dump(), before);
    app.address.set(Some("2001:db8:1:3::1"));
    assert_eq!(app.get(&authorize_url(&[])).status(), 302, "another network");
    app.address.set(Some("2001:db8:1:2::1"));
    app.advance(Duration::from_mins(1));
    assert_eq!(app.get(&authorize_url(&[])).status(), 302, "another minute");
}

#[test]
fn the_sixth_answer_to_one_form_ends_the_authorization_request() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let form = [("request", consent.hidden("request")), ("person", "2".into()), ("answer", "approve".into())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let statuses: Vec<u16> = (0..6).map(|_| browser.submit(&consent, "/mcp/oauth/consent", &form).status).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429]);
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 0);
}

#[test]
fn guessing_another_persons_authorization_request_charges_nothing_to_it() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let stranger = Browser::new(&app);
    for _ in 0..20 {
        assert_eq!(stranger.answer(&consent, "approve").status, 403);
    }
    assert!(parameter(&browser.answer(&consent, "approve").leaves_for(), "code").is_some());
}

#[test]
fn failures_of_an_address_are_limited_and_its_successes_are_not() {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    for _ in 0..20 {
        assert_eq!(token_error(&app.redeem("garbage", &[])), (400, "invalid_grant".into()));
    }
    told_to_wait(&app.redeem("garbage", &[]));
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200, "a good token works from a limited address");
    app.address.set(Some("192.0.2.2"));
    assert_eq!(token_error(&app.redeem("garbage", &[])), (400, "invalid_grant".into()));
}

#[test]
fn failures_from_a_network_that_many_people_share_do_not_stop_the_others() {
    let app = TestApp::new();
    app.address.set(Some(CLAUDE));
    for _ in 0..50 {
        assert_eq!(token_error(&app.redeem("garbage", &[])), (400, "invalid_grant".into()));
    }
}

#[test]
fn sixth_failure_with_one_credential_is_rate_limited_and_the_credential_still_works() {
    let app = TestApp::new();
    app.address.set(Some(CLAUDE));
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    let wrong = [("resource", "https://other.example/mcp")];
    for _ in 0..5 {
        assert_eq!(token_error(&app.refresh(&pair.refresh, &wrong)), (400, "invalid_target".into()));
    }
    told_to_wait(&app.refresh(&pair.refresh, &wrong));
    assert_eq!(app.db.dump(), before);
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200);
}

#[test]
fn a_thief_cannot_use_up_a_limit_to_hide_the_reuse_that_ends_the_grant() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    assert_eq!(app.ping(&second.access), 200);
    for _ in 0..6 {
        app.refresh(&first.refresh, &[("scope", "mcp.incidents.write")]);
    }
    told_to_wait(&app.refresh(&first.refresh, &[]));
    assert_eq!(app.ping(&second.access), 401);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_reuse'"), 1);
}

#[test]
fn own_outage_charges_no_rate_limit() {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.limiter.forget();
    app.db.fail_after(0, Failure::Before);
    for _ in 0..25 {
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (503, "temporarily_unavailable".into()));
    }
    assert_eq!(app.limiter.names(), "");
    app.db.heal();
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200);
}

#[test]
fn the_eleventh_rotation_in_a_minute_waits_and_the_grant_is_untouched() {
    let app = TestApp::new();
    let mut pair = app.connect(user::MARA_ADMIN, SCOPE);
    for _ in 0..10 {
        pair = tokens(&app.refresh(&pair.refresh, &[]));
    }
    let before = app.db.dump();
    let limited = app.refresh(&pair.refresh, &[]);
    told_to_wait(&limited);
    assert_eq!(header(&limited, "retry-after"), "60");
    assert_eq!(app.db.dump(), before);
    assert_eq!(app.ping(&pair.access), 200);
    app.advance(Duration::from_secs(59));
    told_to_wait(&app.refresh(&pair.refresh, &[]));
    app.advance(Duration::from_secs(1));
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200);
}

#[test]
fn registration_61_of_an_address_in_ten_minutes_waits() {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    for number in 0..60 {
        assert_eq!(register(&app, &format!("Client {number}")).status(), 201);
    }
    told_to_wait(&register(&app, "Client 60"));
    told_to_wait(&register(&app, "Client 60"));
    app.address.set(Some("192.0.2.2"));
    assert_eq!(register(&app, "Client 60").status(), 201);
}

/// mcporter registers anew at each 401.
#[test]
fn repeated_registration_of_an_address_counts_once_and_passes_beyond_the_limit() {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    for _ in 0..100 {
        assert_eq!(register(&app, "mcporter (statibeat)").status(), 201);
    }
    for number in 1..60 {
        assert_eq!(register(&app, &format!("Client {number}")).status(), 201);
    }
    told_to_wait(&register(&app, "Client 60"));
    assert_eq!(register(&app, "mcporter (statibeat)").status(), 201);
    let rejected = || {
        let headers = [("content-type", "application/json")];
        app.send(request("POST", "/mcp/oauth/register", &headers, json!({"redirect_uris": []}).to_string()))
    };
    told_to_wait(&rejected());
    app.advance(Duration::from_mins(10));
    for _ in 0..100 {
        assert_eq!(rejected().status(), 400);
    }
    assert_eq!(register(&app, "Client 60").status(), 201);
}

fn register(app: &TestApp, name: &str) -> http::Response<bytes::Bytes> {
    let body = json!({"redirect_uris": ["http://localhost:1/cb"], "client_name": name}).to_string();
    app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body))
}

#[test]
fn revocations_of_made_up_tokens_are_limited_and_those_of_real_ones_never() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.address.set(Some("192.0.2.1"));
    for _ in 0..60 {
        assert_eq!(app.revoke("garbage", &[]).status(), 200);
        assert_eq!(app.last_record().database.count, 0, "a made-up token asks no database");
    }
    told_to_wait(&app.revoke("garbage", &[]));
    assert_eq!(app.revoke(&pair.refresh, &[]).status(), 200);
    assert_eq!(app.ping(&pair.access), 401);
    for _ in 0..100 {
        assert_eq!(app.revoke(&pair.access, &[]).status(), 200);
    }
}

#[test]
fn made_up_bearer_tokens_are_limited_and_ended_ones_are_not() {
    let app = TestApp::new();
    let (good, ended) = (app.connect(user::MARA_ADMIN, SCOPE), app.connect(user::MARA_ADMIN, SCOPE));
    app.revoke(&ended.refresh, &[]);
    app.address.set(Some("192.0.2.1"));
    for _ in 0..60 {
        assert_eq!((app.ping("made-up"), app.ping(&ended.access)), (401, 401));
    }
    told_to_wait(&app.call("made-up", "ping", json!({})));
    assert_eq!((app.ping(&ended.access), app.ping(&good.access)), (401, 200));
}

#[test]
fn made_up_bearer_tokens_from_a_shared_network_do_not_stop_the_others() {
    let app = TestApp::new();
    app.address.set(Some(CLAUDE));
    assert!((0..61).all(|_| app.ping("made-up") == 401));
}

#[test]
fn limiter_outage_stops_only_registration() {
    let app = TestApp::new();
    app.limiter.is_down.set(true);
    let body = json!({"redirect_uris": ["http://localhost:1/cb"]}).to_string();
    let registered = app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body));
    assert_eq!(token_error(&registered), (503, "temporarily_unavailable".into()));
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let next = tokens(&app.refresh(&pair.refresh, &[("resource", RESOURCE)]));
    assert_eq!(app.read(&next.access, "statibeat://pages")["pages"].as_array().map(Vec::is_empty), Some(false));
    assert_eq!(token_error(&app.redeem("garbage", &[])), (400, "invalid_grant".into()));
    assert_eq!(app.ping("made-up"), 401);
    assert_eq!(app.revoke(&next.refresh, &[]).status(), 200);
    assert_eq!(app.ping(&next.access), 401);
}

#[test]
fn no_counter_is_named_after_a_secret() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let handle = consent.hidden("request");
    let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
    let pair = tokens(&app.redeem(&code, &[]));
    for failing in [app.redeem(&code, &[("client_id", "other")]), app.refresh(&pair.refresh, &[("client_id", "other")])]
    {
        assert_eq!(json(&failing)["error"], "invalid_grant");
    }
    let names = app.limiter.names();
    assert!(names.contains("token-failure:credential:") && names.contains("authorization-request:"), "{names}");
    for secret in [handle.as_str(), &code[9..52], &pair.refresh[9..52], &pair.access[9..52]] {
        assert!(!names.contains(secret), "{names}");
    }
}

#[test]
fn refused_refresh_over_the_limit_is_not_counted_for_its_connection() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let wrong = [("client_id", "other")];
    let statuses: Vec<u16> = (0..8).map(|_| app.refresh(&pair.refresh, &wrong).status().as_u16()).collect();
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429, 429, 429]);
    app.count_calls();
    assert_eq!(app.db.count("SELECT refresh_failures FROM connections"), 5);
}
