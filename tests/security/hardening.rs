//! Corners that look harmless and are not: cost, leftovers, and browsers that look ahead.

use crate::support::browser::Browser;
use crate::support::flow::{CLIENT, authorize_url, token_error, tokens, user};
use crate::support::{RESOURCE, TestApp, header, request};
use futures_util::FutureExt as _;
use statibeat_mcp::storage::purge;
use std::time::Duration;
use url::Url;

#[test]
fn a_purge_with_a_backlog_leaves_no_grant_behind() {
    let app = TestApp::new();
    let at = app.now().as_seconds();
    for n in 0..21000 {
        app.db.execute(&format!("INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, is_loopback, resource, scope, created_at)
            VALUES ('g{n}', '1', 'n', 'c', 'c', 'unverified', 'h', 1, 'r', 's', {at})"));
        app.db.execute(&format!(
            "INSERT INTO codes (code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
            VALUES ('c{n}', 'g{n}', 'r', 'c', {at}, {at} + 600 + {n})"
        ));
    }
    for _ in 0..10 {
        app.advance(Duration::from_secs(40 * 86400));
        purge::run(&*app.db, app.now(), &|| true).now_or_never().expect("there");
    }
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 0);
}

#[test]
fn foreign_cookie_with_any_bytes_does_not_hide_our_cookie() {
    let app = TestApp::new();
    let start = app.get(&authorize_url(&[]));
    let ours = header(&start, "set-cookie").split(';').next().expect("there").to_owned();
    let state = Url::parse(header(&start, "location"))
        .expect("there")
        .query_pairs()
        .find(|(n, _)| n == "state")
        .expect("there")
        .1
        .into_owned();
    let cookie = format!("name=Ren\u{e9}; {ours}");
    let callback = http::Request::builder()
        .uri(format!("/mcp/oauth/callback?state={state}"))
        .header("cookie", http::HeaderValue::from_bytes(cookie.as_bytes()).expect("there"))
        .body(bytes::Bytes::new())
        .expect("there");
    assert_eq!(app.send(callback).status(), 200, "canceled, not 403");
}

#[test]
fn looking_ahead_with_head_spends_nothing() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let state = sign_in.hidden("state");
    let callback = Url::parse(&format!("https://mcp.example/mcp/oauth/callback?state={state}&code=x")).expect("there");
    let before = app.db.dump();
    browser.request("HEAD", &callback, String::new(), "");
    assert_eq!(app.db.dump(), before);
}

#[test]
fn a_repeat_over_the_cap_stores_nothing() {
    use statibeat_mcp::model::scope::ScopeSet;
    use statibeat_mcp::oauth::secret::{self, RefreshToken};
    use statibeat_mcp::ports::Statement;
    use statibeat_mcp::storage::{Redemption, tokens as store};
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let second = tokens(&app.refresh(&first.refresh, &[]));
    let hash = |t: &str| RefreshToken::parse(t, &app.config.checksum_keys).expect("there").hash();
    let record = store::find_refresh(&*app.db, &hash(&first.refresh))
        .now_or_never()
        .expect("there")
        .expect("there")
        .expect("there");
    // Siblings were faster.
    app.db.execute(
        "WITH RECURSIVE sibling (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM sibling WHERE at < 31)
         INSERT INTO access_tokens SELECT at, grant_id, generation, scope, created_at, a.expires_at FROM sibling, access_tokens a
         WHERE a.generation = 2",
    );
    let new = store::NewTokens {
        access: secret::hash("mine"),
        scopes: ScopeSet::baseline(),
        access_expires_at: app.now() + Duration::from_hours(1),
        refresh: hash(&second.refresh),
        refresh_expires_at: app.now() + Duration::from_hours(1),
    };
    let audit = Statement { sql: "DELETE FROM grants WHERE id = 'none'", values: Vec::new() };
    let repeat = store::repeat_refresh(&*app.db, &record, &new, audit, app.now());
    assert_eq!(repeat.now_or_never().expect("there").expect("there"), Redemption::AlreadyRedeemed);
    assert_eq!(app.db.count("SELECT count(*) FROM access_tokens WHERE token_hash = 'mine'"), 0);
}

#[test]
fn a_refresh_of_a_grant_for_another_resource_makes_the_client_authorize_again() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.db.execute("UPDATE grants SET resource = 'https://old.example/mcp'");
    assert_eq!(app.ping(&pair.access), 401);
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (400, "invalid_grant".into()));
    let named = [("resource", RESOURCE)];
    assert_eq!(token_error(&app.refresh(&pair.refresh, &named)), (400, "invalid_target".into()), "one was named");
}

#[test]
fn a_revoke_that_changed_nothing_leaves_no_audit_row() {
    use statibeat_mcp::model::ids::{GrantId, RequestId, UserId};
    use statibeat_mcp::oauth::client::ClientId;
    use statibeat_mcp::storage::audit::{AuditId, AuditKind, Entry, Outcome, statement_if_grant_changed};
    use statibeat_mcp::storage::grants;
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.revoke(&pair.refresh, &[]);
    let (user_id, client_id) = (UserId::parse("1").expect("an id"), ClientId::parse(CLIENT).expect("there"));
    let request_id = RequestId::parse("r").expect("an id");
    let id = app
        .db
        .dump()
        .lines()
        .find(|row| row.starts_with("grants:"))
        .expect("there")
        .split('"')
        .nth(1)
        .expect("there")
        .to_owned();
    let grant_id = GrantId::parse(id).expect("an id");
    let entry = Entry {
        id: AuditId::once(AuditKind::RefreshReuse, &grant_id),
        created_at: app.now(),
        kind: AuditKind::RefreshReuse,
        outcome: Outcome::Done,
        user_id: Some(&user_id),
        client_id: &client_id,
        client_name: "x",
        grant_id: Some(&grant_id),
        request_id: &request_id,
        target: None,
        detail: None,
    };
    grants::revoke(
        &*app.db,
        &grant_id,
        grants::RevokeReason::RefreshReuse,
        statement_if_grant_changed(&entry),
        app.now(),
    )
    .now_or_never()
    .expect("there")
    .expect("there");
    assert_eq!(
        app.db.count("SELECT count(*) FROM audit WHERE kind = 'refresh_reuse'"),
        0,
        "the grant was revoked by the client"
    );
}

#[test]
fn pages_ask_browsers_to_stay_on_https() {
    let app = TestApp::new();
    let page = app.get("/mcp/oauth/authorize");
    assert!(!header(&page, "strict-transport-security").is_empty());
}

#[test]
fn forged_authorization_requests_create_no_counters() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let app = TestApp::new();
    let random =
        |n: u32| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(n.to_be_bytes()));
    for n in 0..500 {
        let state = random(n);
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&state));
        let short: String = hash.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let cookie = format!("__Host-sbmcp_tx_{short}={}", random(n + 1000));
        let answer = app.send(request(
            "GET",
            &format!("/mcp/oauth/callback?state={state}&code=x"),
            &[("cookie", &cookie), ("cf-connecting-ip", "192.0.2.1")],
            "",
        ));
        assert!([400, 429].contains(&answer.status().as_u16()));
    }
    assert!(app.limiter.names().lines().count() < 50, "{} counters", app.limiter.names().lines().count());
}

/// A3, A33
#[test]
fn removed_redirect_uri_gets_no_response_of_an_open_authorization_request() {
    let client = [
        ("client_id", "https://claude.ai/oauth/mcp-oauth-client-metadata"),
        ("redirect_uri", "https://claude.ai/api/mcp/auth_callback"),
    ];
    let empty = |name: &str| (name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").then(String::new);
    let faulty: Vec<_> = client.into_iter().chain([("response_type", "token")]).collect();
    for query in [&client[..], &faulty] {
        let mut app = TestApp::new();
        let browser = Browser::new(&app);
        let sign_in = browser.open(&authorize_url(query));
        let cookies = browser.into_cookies();
        app.redeploy(empty);
        let shown = Browser::with_cookies(&app, cookies).choose_user(&sign_in, user::MARA_ADMIN);
        assert_eq!((shown.status, header(&shown.response, "location")), (400, ""));
        assert!(!shown.body.contains("claude.ai"), "{}", shown.body);
    }
    let mut app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&client), user::MARA_ADMIN);
    let cookies = browser.into_cookies();
    app.redeploy(empty);
    for answer in ["approve", "deny", "switch"] {
        let left = Browser::with_cookies(&app, cookies.clone()).answer(&consent, answer);
        assert_eq!(left.status, 400, "{answer}");
        assert!(!left.body.contains("claude.ai"), "{}", left.body);
    }
    assert_eq!(app.db.count("SELECT count(*) FROM grants") + app.db.count("SELECT count(*) FROM codes"), 0);
}
