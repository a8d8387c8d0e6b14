//! The limit of messages of one connection: never met by a person's assistant, and free of round trips below it.

use crate::support::flow::user;
use crate::support::{TestApp, header, json};
use serde_json::json;
use statibeat_mcp::hosted::rate_limit::MessageCounts;
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

/// Sends `count` pings and returns their statuses.
fn pings(app: &TestApp, token: &str, count: usize) -> Vec<u16> {
    (0..count).map(|_| app.ping(token)).collect()
}

#[test]
fn message_601_of_a_connection_in_a_minute_is_rate_limited() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let other = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(pings(&app, &pair.access, 600), [200; 600]);
    let before = app.body_bytes_read.get();
    app.upstream.take_calls();
    let answer = app.call(&pair.access, "resources/read", json!({"uri": "statibeat://pages"}));
    let body = json(&answer);
    let wait: u64 = header(&answer, "retry-after").parse().expect("seconds");
    assert_eq!((answer.status().as_u16(), (1..=60).contains(&wait)), (429, true));
    assert_eq!((&body["jsonrpc"], &body["error"]["data"]["retry_after_seconds"]), (&json!("2.0"), &json!(wait)));
    assert!(body["error"]["message"].as_str().expect("text").contains("Nothing was read or published."), "{body}");
    assert_eq!(header(&answer, "www-authenticate"), "", "no client drops its token over this");
    assert_eq!((app.body_bytes_read.get(), app.upstream.take_calls().len()), (before, 0), "nothing is read for it");
    assert_eq!((app.last_record().reason, app.last_record().limit), (Some("limited"), Some("message:grant")));
    assert!(app.last_record().caller.is_some(), "operators see whose connection it is");
    assert_eq!(
        pings(&app, &other.access, 600),
        [200; 600],
        "another connection of the same person, local share and shared"
    );
    app.advance(Duration::from_secs(wait));
    assert_eq!(app.ping(&pair.access), 200, "after the wait");
}

#[test]
fn ordinary_calls_of_a_connection_ask_no_counter() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    for count in 1..=121 {
        assert_eq!(app.ping(&pair.access), 200);
        assert_eq!(app.last_record().objects.count, u32::from(count > 120), "message {count}");
    }
}

#[test]
fn two_instances_let_at_most_their_shares_and_the_shared_limit_through() {
    let mut app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(pings(&app, &pair.access, 600), [200; 600]);
    app.messages = MessageCounts::default();
    let statuses = pings(&app, &pair.access, 130);
    assert_eq!(statuses[..120], [200; 120]);
    assert_eq!(statuses[120..], [429; 10]);
}

#[test]
fn limit_is_of_the_connection_and_not_of_one_token() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(pings(&app, &pair.access, 600), [200; 600]);
    let next = crate::support::flow::tokens(&app.refresh(&pair.refresh, &[]));
    assert_eq!(app.ping(&next.access), 429);
}

#[test]
fn revoked_token_gets_401_even_over_the_limit() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!(pings(&app, &pair.access, 601).last(), Some(&429));
    app.revoke(&pair.refresh, &[]);
    assert_eq!(app.ping(&pair.access), 401);
}

#[test]
fn limiter_outage_does_not_stop_messages() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.limiter.is_down.set(true);
    assert_eq!(pings(&app, &pair.access, 700), [200; 700]);
}

#[test]
fn requests_that_are_no_messages_are_counted_all_the_same() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let authorization = format!("Bearer {}", pair.access);
    let get = || app.send(crate::support::request("GET", "/mcp", &[("authorization", &authorization)], ""));
    let statuses: Vec<u16> = (0..601).map(|_| get().status().as_u16()).collect();
    assert_eq!((statuses[599], statuses[600]), (405, 429));
}
