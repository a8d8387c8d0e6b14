//! Bearer tokens at the resource: RFC 6750, RFC 9728 5.

use crate::support::database::Failure;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::READS;
use crate::support::{TestApp, header, json, request};
use serde_json::json;
use std::time::Duration;

const METADATA: &str = "https://mcp.example/.well-known/oauth-protected-resource/mcp";

fn challenge_of(app: &TestApp, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = app.send(request("POST", "/mcp", headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    (answer.status().as_u16(), header(&answer, "www-authenticate").to_owned())
}

/// D6, P2
#[test]
fn request_without_token_gets_a_challenge_without_error_code() {
    let app = TestApp::new();
    let expected = (401, format!(r#"Bearer resource_metadata="{METADATA}", scope="{}""#, READS.join(" ")));
    assert_eq!(challenge_of(&app, &[]), expected);
    assert_eq!(challenge_of(&app, &[("authorization", "Basic eDp5")]), expected);
    assert_eq!(challenge_of(&app, &[("authorization", "DPoP x")]), expected);
}

/// D6
#[test]
fn request_without_token_gets_the_challenge_for_any_method_and_body() {
    let app = TestApp::new();
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(app.send(request(method, "/mcp", &[], "not json")).status(), 401, "{method}");
    }
}

/// P1
#[test]
fn the_scheme_is_read_in_any_case() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(challenge_of(&app, &[("authorization", &format!("{scheme} {}", pair.access))]).0, 200, "{scheme}");
    }
}

/// P3, P4
#[test]
fn tokens_that_do_not_work_all_answer_alike() {
    let app = TestApp::new();
    let expired = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.advance(Duration::from_hours(1));
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let ended = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let code = format!("Bearer {}", app.code(user::MARA_ADMIN, "mcp.pages.read"));
    app.revoke(&ended.refresh, &[]);
    let answer_to = |value: &str| {
        let message = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let mut answer = app.send(request("POST", "/mcp", &[("authorization", value)], message));
        answer.headers_mut().remove("x-request-id");
        (answer.status().as_u16(), format!("{answer:?}"))
    };
    let expired = format!("Bearer {}", expired.access);
    let two = format!("Bearer {0} {0}", pair.access);
    let listed = format!("Bearer {0},{0}", pair.access);
    let refresh = format!("Bearer {}", pair.refresh);
    let revoked = format!("Bearer {}", ended.access);
    let first = answer_to("Bearer sbmcp_at_x.y");
    assert!(first.0 == 401 && first.1.contains(r#"error=\"invalid_token\""#), "{first:?}");
    for value in ["Bearer", "Bearer ", "Bearer garbage", &two, &listed, &refresh, &code, &expired, &revoked] {
        assert_eq!(answer_to(value), first, "{value}");
    }
}

/// P3
#[test]
fn two_authorization_headers_are_a_malformed_request() {
    let (status, challenge) =
        challenge_of(&TestApp::new(), &[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
    assert!(status == 400 && challenge.contains(r#"error="invalid_request""#), "{challenge}");
}

/// P5
#[test]
fn token_outside_the_authorization_header_is_ignored() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let in_query = request("POST", &format!("/mcp?access_token={}", pair.access), &[], "{}");
    let in_cookie = request("POST", "/mcp", &[("cookie", &format!("access_token={}", pair.access))], "{}");
    let in_body = request(
        "POST",
        "/mcp",
        &[("content-type", "application/x-www-form-urlencoded")],
        format!("access_token={}", pair.access),
    );
    for request in [in_query, in_cookie, in_body] {
        let answer = app.send(request);
        assert_eq!(answer.status(), 401);
        assert!(!header(&answer, "www-authenticate").contains("error="));
    }
}

/// P9
#[test]
fn a_storage_outage_is_never_a_401() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.db.fail_after(0, Failure::Before);
    let answer = app.call(&pair.access, "ping", json!({}));
    assert_eq!(answer.status(), 503);
    assert_ne!(header(&answer, "retry-after"), "");
}

/// P4
#[test]
fn malformed_token_costs_no_query() {
    let app = TestApp::new();
    let before = app.db.batches.get();
    assert_eq!(app.ping("sbmcp_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAA"), 401);
    assert_eq!(app.db.batches.get(), before);
}

/// P12
#[test]
fn answers_and_refusals_are_not_kept_and_vary_by_caller() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let refused = app.call("made-up", "ping", json!({}));
    let short = app.call(&pair.access, "resources/read", json!({"uri": "statibeat://pages/42/incidents/active"}));
    assert_eq!((refused.status().as_u16(), short.status().as_u16()), (401, 403));
    for answer in [app.call(&pair.access, "ping", json!({})), refused, short, app.get("/mcp")] {
        assert_eq!((header(&answer, "cache-control"), header(&answer, "vary")), ("no-store", "Authorization, Origin"));
    }
}

/// P8
#[test]
fn a_token_for_another_resource_does_not_work_here() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.db.execute("UPDATE grants SET resource = 'https://mcp.example/mcp-other'");
    let before = app.db.dump();
    let answer = app.call(&pair.access, "ping", json!({}));
    assert_eq!(answer.status(), 401);
    assert!(header(&answer, "www-authenticate").contains(r#"error="invalid_token""#));
    assert_eq!(app.db.dump(), before);
}

/// P10
#[test]
fn rejected_connector_credential_gets_502_and_ends_no_connection() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    assert_eq!(app.ping(&pair.access), 200);
    app.upstream.inject(None, "/api/v1/me/pages", FaultKind::Status { code: 401, retry_after: None });
    let before = app.db.dump();
    let answer = app.call(&pair.access, "resources/read", json!({"uri": "statibeat://pages"}));
    assert_eq!((answer.status().as_u16(), header(&answer, "www-authenticate")), (502, ""));
    assert!(app.log.borrow().iter().any(|line| line.contains("credential")), "worth an alert");
    assert_eq!(app.db.dump(), before);
    assert_eq!(app.ping(&pair.access), 200);
}

/// P6, P7
#[test]
fn a_missing_scope_is_403_and_names_what_is_held_and_needed_in_one_go() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.beats.read");
    let arguments = json!({"page_id": 42, "title": "t", "description": "d"});
    let answer = app.call(&pair.access, "tools/call", json!({"name": "create_incident", "arguments": arguments}));
    let challenge = header(&answer, "www-authenticate");
    assert_eq!(answer.status(), 403);
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(&format!(r#"resource_metadata="{METADATA}""#)), "{challenge}");
    assert!(
        challenge.contains(r#"scope="mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write""#),
        "{challenge}"
    );
    assert!(
        app.upstream
            .take_calls()
            .iter()
            .all(|call| !call.starts_with("POST /api/v1/orgs") && !call.ends_with("?dry_run=true")),
        "nothing was posted"
    );
}

/// P10
#[test]
fn a_user_who_was_disabled_loses_the_grant_with_the_next_call() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    assert_eq!(app.call(&pair.access, "resources/read", json!({"uri": "statibeat://pages"})).status(), 401);
    app.upstream.simulator.set_user_disabled(1, false).expect("a user");
    assert_eq!(app.ping(&pair.access), 401, "the grant stays ended");
    assert_eq!(app.refresh(&pair.refresh, &[]).status(), 400);
}

/// P11
#[test]
fn the_clients_token_never_leaves_the_worker() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read mcp.incidents.write");
    app.read(&pair.access, "statibeat://pages/42/incidents/active");
    let sent = app.upstream.sent.borrow();
    assert!(sent.contains("/api/v1/orgs/7/pages/42/admin/incidents"), "upstream was asked");
    assert!(!sent.contains(&pair.access[9..52]));
}

#[test]
fn foreign_websites_page_is_refused_and_a_listed_clients_or_a_programs_is_not() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let authorization = format!("Bearer {}", pair.access);
    let with_origin = |origin: &str| challenge_of(&app, &[("authorization", &authorization), ("origin", origin)]).0;
    assert_eq!(with_origin("https://evil.example"), 403);
    for origin in
        ["https://claude.ai", "https://mcp.example", "http://localhost:6274", "null", "file://", "app://obsidian.md"]
    {
        assert_eq!(with_origin(origin), 200, "{origin}");
    }
}

#[test]
fn website_that_the_operator_allows_may_call() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_ALLOWED_ORIGINS").then_some("https://claude.com"));
    assert_eq!(challenge_of(&app, &[("origin", "https://claude.com")]).0, 401);
    assert_eq!(challenge_of(&app, &[("origin", "https://claude.com.evil.example")]).0, 403);
}

#[test]
fn website_may_not_call_a_server_on_loopback() {
    let local = TestApp::with(|name| (name == "HOSTED_MCP_PUBLIC_URL").then_some("http://localhost:8787"));
    for (origin, expected) in [
        ("http://localhost:6274", 401),
        ("http://127.0.0.1:6274", 401),
        ("http://localhost.evil.example", 403),
        ("https://evil.example", 403),
        ("null", 401),
    ] {
        assert_eq!(challenge_of(&local, &[("origin", origin)]).0, expected, "{origin}");
    }
}

#[test]
fn a_message_over_the_limit_is_refused() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let headers = [("authorization", format!("Bearer {}", pair.access))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = app.send(request("POST", "/mcp", &headers, "x".repeat(448 * 1024 + 1)));
    assert_eq!(answer.status(), 413);
    assert!(json(&answer)["error"]["message"].is_string());
}

#[test]
fn token_that_ended_is_looked_up_once_a_minute_and_one_that_lives_each_time() {
    let app = TestApp::new();
    let (ended, other) =
        (app.connect(user::MARA_ADMIN, &READS.join(" ")), app.connect(user::MARA_ADMIN, &READS.join(" ")));
    app.revoke(&ended.refresh, &[]);
    let batches = |token: &str, status: u16| {
        let before = app.db.batches.get();
        assert_eq!(app.ping(token), status);
        app.db.batches.get() - before
    };
    assert_eq!([batches(&ended.access, 401), batches(&ended.access, 401)], [1, 0]);
    app.ping(&other.access);
    assert_eq!([batches(&other.access, 200), batches(&other.access, 200)], [1, 1]);
    app.advance(Duration::from_mins(1));
    assert_eq!(batches(&ended.access, 401), 1, "a minute later");
}

#[test]
fn token_whose_row_could_not_be_read_is_no_ended_one() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, &READS.join(" "));
    app.db.faults.once(0, Failure::Before);
    assert_eq!(app.ping(&pair.access), 503);
    assert_eq!(app.ping(&pair.access), 200);
}
