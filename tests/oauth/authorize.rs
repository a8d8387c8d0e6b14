//! The authorization endpoint: who is told about which fault (RFC 6749 4.1, RFC 9700 4.11).

use crate::support::browser::{Browser, parameter};
use crate::support::database::Failure;
use crate::support::flow::{authorize_url, tokens, user};
use crate::support::surface::READS;
use crate::support::{PUBLIC_URL, TestApp, header, json, request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

/// A fault that stays here: a page, no redirect, nothing stored, no trace of what was sent as a link.
#[track_caller]
fn stays_local(changes: &[(&str, &str)]) {
    stays_local_at(&authorize_url(changes));
}

#[track_caller]
fn stays_local_at(url: &str) {
    let app = TestApp::new();
    let before = app.db.dump();
    let answer = app.get(url);
    assert_eq!(answer.status(), 400, "{url}");
    assert_eq!(header(&answer, "location"), "", "{url}");
    let body = String::from_utf8_lossy(answer.body());
    let links: Vec<&str> = body.split("href=").skip(1).collect();
    assert!(links.iter().all(|link| link.starts_with("\"/mcp/admin\"")) && !body.contains("http-equiv"), "{body}");
    assert_eq!(app.db.dump(), before, "{url}");
}

/// A fault that goes to the client, once its person is signed in: with its state, if one was sent, and only once.
#[track_caller]
fn goes_to_client(changes: &[(&str, &str)], code: &str) {
    let app = TestApp::new();
    let shown = Browser::new(&app).sign_in(&authorize_url(changes), user::MARA_ADMIN);
    assert!(shown.url.as_str().starts_with("http://127.0.0.1:33418/callback?"), "{changes:?}: {}", shown.url);
    assert_eq!((shown.status, parameter(&shown.url, "error").as_deref()), (302, Some(code)), "{changes:?}");
    let is_without_state = changes.iter().any(|(name, _)| *name == "state");
    let mut names = vec!["error", "error_description", "state", "iss"];
    names.retain(|name| *name != "state" || !is_without_state);
    assert_eq!(shown.url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>(), names, "{changes:?}");
    assert_eq!(parameter(&shown.url, "state").as_deref(), (!is_without_state).then_some("xyz"), "{changes:?}");
    assert_eq!(parameter(&shown.url, "iss").as_deref(), Some(PUBLIC_URL));
    let description = parameter(&shown.url, "error_description").expect("a description");
    assert!(
        description.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'),
        "{description}"
    );
    assert_eq!(app.db.count("SELECT count(*) FROM grants") + app.db.count("SELECT count(*) FROM codes"), 0);
}

/// A1
#[test]
fn only_get_and_head_are_answered() {
    let app = TestApp::new();
    for method in ["POST", "PUT", "DELETE"] {
        let answer = app.send(request(method, "/mcp/oauth/authorize", &[], ""));
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, "GET, HEAD"), "{method}");
    }
    let url = authorize_url(&[]).replace(PUBLIC_URL, "");
    for method in ["GET", "HEAD"] {
        assert_eq!(app.send(request(method, &url, &[], "")).status(), 302, "{method}");
    }
}

/// A2, A4
#[test]
fn a_missing_or_malformed_client_or_redirect_uri_stays_here() {
    stays_local(&[("client_id", "")]);
    stays_local(&[("client_id", &"x".repeat(513))]);
    stays_local(&[("client_id", "ü")]);
    stays_local(&[("client_id", "a"), ("client_id", "b")]);
    stays_local(&[("client_id", "a\u{7f}b")]);
    for blank in [" tool", "tool ", "\ttool", "tool\u{a0}", "\u{200b}tool", " "] {
        stays_local(&[("client_id", blank)]);
    }
    stays_local(&[("redirect_uri", "")]);
    stays_local(&[("client_id", "https://claude.ai/oauth/mcp-oauth-client-metadata"), ("redirect_uri", "")]);
    stays_local(&[("redirect_uri", "http://localhost:1/"), ("redirect_uri", "http://localhost:2/")]);
    for name in ["client_id", "redirect_uri"] {
        stays_local_at(&format!("{}&{name}=", authorize_url(&[(name, "")])));
    }
}

/// A3, A5, A6
#[test]
fn an_https_redirect_uri_that_is_not_listed_for_the_client_stays_here() {
    const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";
    stays_local(&[("redirect_uri", "https://claude.ai/api/mcp/auth_callback")]);
    for near_miss in [
        "https://claude.ai/api/mcp/auth_callback/",
        "https://claude.ai/api/mcp/Auth_callback",
        "https://CLAUDE.ai/api/mcp/auth_callback",
        "https://claude.ai:443/api/mcp/auth_callback",
        "https://claude.ai/api%2Fmcp/auth_callback",
        "https://claude.ai/api/mcp/auth_callback?x=1",
        "https://claude.ai/api/x/../mcp/auth_callback",
        "https://u@claude.ai/api/mcp/auth_callback",
        "https://claude.ai/api/mcp/auth_callback#",
        "http://claude.ai/api/mcp/auth_callback",
        " https://claude.ai/api/mcp/auth_callback",
        "https://claude.ai/api/mcp/auth_callback\t",
        "https://evil.claude.ai/api/mcp/auth_callback",
        "https://claude.ai.evil.example/api/mcp/auth_callback",
        "https://clаude.ai/api/mcp/auth_callback",
    ] {
        stays_local(&[("client_id", CLAUDE), ("redirect_uri", near_miss)]);
    }
}

/// A7, A9
#[test]
fn other_schemes_and_look_alikes_of_loopback_stay_here() {
    for uri in [
        "cursor://x/cb",
        "vscode://x",
        "com.example.app:/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///x",
        "HTTPS\t://x",
        "https://localhost/",
        "http://localhost.evil.com/",
        "http://127.0.0.1.nip.io/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://127.1/",
        "http://localhost@evil.example/",
        "http://localhost%00.evil.example/",
        "http://LOCALHOST./",
        "blob:https://claude.ai/x",
    ] {
        stays_local(&[("redirect_uri", uri)]);
    }
}

/// A8
#[test]
fn loopback_redirect_may_use_any_port() {
    for uri in ["http://localhost:1/cb", "http://127.0.0.1:65535/cb", "http://127.9.9.9:8080/", "http://[::1]:9/cb"] {
        let app = TestApp::new();
        let consent = Browser::new(&app).sign_in(&authorize_url(&[("redirect_uri", uri)]), user::MARA_ADMIN);
        assert_eq!(consent.url.path(), "/mcp/oauth/consent", "{uri}");
    }
}

/// A11, A12, A13, A14, A15, A16
#[test]
fn faults_of_the_request_go_to_the_client_after_sign_in() {
    const GOOD: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    goes_to_client(&[("response_type", "")], "invalid_request");
    goes_to_client(&[("response_type", "code"), ("response_type", "code")], "invalid_request");
    goes_to_client(&[("response_type", ""), ("state", "")], "invalid_request");
    for other in ["token", "id_token", "code token", "CODE"] {
        goes_to_client(&[("response_type", other)], "unsupported_response_type");
    }
    for other in ["form_post", "fragment", "jwt"] {
        goes_to_client(&[("response_mode", other)], "invalid_request");
    }
    goes_to_client(&[("code_challenge", "")], "invalid_request");
    goes_to_client(&[("code_challenge_method", "")], "invalid_request");
    for other in ["plain", "s256", "S512"] {
        goes_to_client(&[("code_challenge_method", other)], "invalid_request");
    }
    for bad in [
        "short",
        &GOOD[1..],
        &format!("{GOOD}A"),
        &format!("{GOOD}="),
        &format!("{}N", &GOOD[..42]),
        &GOOD.replace('-', "+"),
    ] {
        goes_to_client(&[("code_challenge", bad)], "invalid_request");
    }
    goes_to_client(&[("code_challenge", GOOD), ("code_challenge", GOOD)], "invalid_request");
}

/// A17, A20b, A22, A24, A25
#[test]
fn too_many_scopes_other_resources_and_request_objects_go_to_the_client_after_sign_in() {
    goes_to_client(&[("scope", &["mcp.pages.read"; 21].join(" "))], "invalid_scope");
    goes_to_client(&[("scope", "mcp.pages.read"), ("scope", "mcp.beats.read")], "invalid_request");
    for resource in ["https://other.example/mcp", "https://mcp.example/mcp#x", "/mcp", "https://mcp.example/"] {
        goes_to_client(&[("resource", resource)], "invalid_target");
    }
    goes_to_client(&[("resource", crate::support::RESOURCE), ("resource", "https://other.example")], "invalid_target");
    for name in ["state", "prompt", "code_challenge_method", "response_mode", "request", "request_uri"] {
        goes_to_client(&[(name, "query"), (name, "query")], "invalid_request");
    }
    goes_to_client(&[("request", "x")], "request_not_supported");
    goes_to_client(&[("request_uri", "x")], "request_uri_not_supported");
    for silent in ["none", "none login"] {
        goes_to_client(&[("prompt", silent)], "interaction_required");
    }
}

/// A33
#[test]
fn authorization_request_never_redirects_to_the_client_before_sign_in() {
    let app = TestApp::new();
    for broken in [&[("response_type", "token")][..], &[("resource", "/mcp")], &[("prompt", "none")], &[]] {
        let answer = app.get(&authorize_url(broken));
        let location = Url::parse(header(&answer, "location")).expect("a URL");
        assert_eq!(location.host_str(), Some("api.statibeat.example"), "{broken:?}");
        let state = parameter(&location, "state").expect("a state");
        let back = app.get(&format!("/mcp/oauth/callback?code=x&state={state}"));
        assert_eq!((back.status().as_u16(), header(&back, "location")), (403, ""), "without cookies: {broken:?}");
    }
}

/// A18, A19, A20, A23
#[test]
fn a_request_that_asks_for_nothing_in_particular_asks_for_every_read() {
    for changes in [
        &[("resource", "")][..],
        &[("scope", "offline_access"), ("nonce", "1"), ("access_type", "offline")],
        &[("scope", "openid email profile")],
    ] {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(changes), user::MARA_ADMIN);
        assert_eq!(consent.ticked(), READS, "{changes:?}");
        let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
        assert_eq!(tokens(&app.redeem(&code, &[("resource", "")])).scope, READS.join(" "), "{changes:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE resource = 'https://mcp.example/mcp'"), 1);
    }
}

/// A26, A27, A30
#[test]
fn a_success_has_one_code_the_exact_state_and_the_issuer_behind_the_uris_own_query() {
    let app = TestApp::new();
    let state = "+ %&=#ü/?\u{1f600}";
    let callback = "http://127.0.0.1:33418/callback?keep=1";
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("state", state), ("redirect_uri", callback)]), user::MARA_ADMIN);
    let target = browser.answer(&consent, "approve").leaves_for();
    let names: Vec<String> = target.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["keep", "code", "state", "iss"]);
    assert_eq!(parameter(&target, "state").as_deref(), Some(state));
    assert_eq!(parameter(&target, "iss").as_deref(), Some(PUBLIC_URL));
}

/// A21
#[test]
fn the_resource_may_be_written_in_each_spelling_of_the_same_url_and_is_stored_in_one() {
    for values in [
        &["HTTPS://MCP.Example/mcp"][..],
        &["https://mcp.example/mcp/"],
        &["https://mcp.example:443/mcp"],
        &["https://mcp.example/mcp", "https://mcp.example/mcp"],
    ] {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let resources: Vec<_> = values.iter().map(|value| ("resource", *value)).collect();
        let consent = browser.sign_in(&authorize_url(&resources), user::MARA_ADMIN);
        let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
        assert_eq!(app.redeem(&code, &resources).status(), 200, "{values:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE resource = 'https://mcp.example/mcp'"), 1);
    }
}

/// A20b, T16
#[test]
fn another_resource_is_refused_with_the_one_that_is_served() {
    let app = TestApp::new();
    let foreign = ("resource", "https://other.example/mcp");
    let says = "resource is not served here: send https://mcp.example/mcp or no resource";
    let shown = Browser::new(&app).sign_in(&authorize_url(&[foreign]), user::MARA_ADMIN);
    assert_eq!(parameter(&shown.url, "error_description").as_deref(), Some(says));
    let code = app.code(user::MARA_ADMIN, "mcp.pages.read");
    assert_eq!(json(&app.redeem(&code, &[foreign]))["error_description"], says);
}

/// A8
#[test]
fn a_loopback_redirect_may_name_the_default_port_and_gets_its_answer_there() {
    for (uri, location) in
        [("http://localhost:80/cb", "http://localhost/cb?code="), ("http://127.0.0.1:80", "http://127.0.0.1/?code=")]
    {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[("redirect_uri", uri)]), user::MARA_ADMIN);
        let target = browser.answer(&consent, "approve").leaves_for();
        assert!(target.as_str().starts_with(location), "{target}");
        let code = parameter(&target, "code").expect("a code");
        assert_eq!(app.redeem(&code, &[("redirect_uri", uri)]).status(), 200, "{uri}");
    }
}

/// A17
#[test]
fn unknown_scopes_are_ignored_beside_a_known_one() {
    let app = TestApp::new();
    for scope in ["openid mcp.beats.read email profile", "mcp.beats.read \"", "claudeai  mcp.beats.read"] {
        let consent = Browser::new(&app).sign_in(&authorize_url(&[("scope", scope)]), user::MARA_ADMIN);
        assert_eq!(consent.ticked(), ["mcp.beats.read"], "{scope}");
    }
}

/// A26
#[test]
fn a_state_of_2048_bytes_comes_back_whole_and_a_longer_one_not_at_all() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let longest = "ü+&".repeat(512);
    let consent = browser.sign_in(&authorize_url(&[("state", &longest)]), user::MARA_ADMIN);
    assert_eq!(parameter(&browser.answer(&consent, "deny").leaves_for(), "state"), Some(longest.clone()));
    let shown = browser.sign_in(&authorize_url(&[("state", &format!("{longest}x"))]), user::MARA_ADMIN);
    assert_eq!(parameter(&shown.url, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&shown.url, "state"), None);
}

/// A25
#[test]
fn other_prompts_are_ignored() {
    let app = TestApp::new();
    let shown = Browser::new(&app).sign_in(&authorize_url(&[("prompt", "consent login")]), user::MARA_ADMIN);
    assert_eq!(shown.url.path(), "/mcp/oauth/consent");
}

/// A27
#[test]
fn a_loopback_redirect_uri_whose_query_has_an_answers_parameter_stays_here() {
    for name in ["code", "state", "iss", "error"] {
        stays_local(&[("redirect_uri", &format!("http://localhost:1/cb?{name}=x"))]);
    }
}

/// A28
#[test]
fn storage_outage_does_not_keep_anybody_from_signing_in() {
    let app = TestApp::new();
    app.db.fail_after(0, Failure::Before);
    assert_eq!(app.get(&authorize_url(&[])).status(), 302, "nothing is stored before the sign-in");
}

/// A26
#[test]
fn request_too_long_for_the_cookie_gets_an_error_page() {
    let app = TestApp::new();
    let redirect_uri = format!("http://localhost:1/{}", "p".repeat(1500));
    let with_state =
        |length: usize| app.get(&authorize_url(&[("redirect_uri", &redirect_uri), ("state", &"s".repeat(length))]));
    assert_eq!(with_state(1000).status(), 302);
    let refused = with_state(2000);
    assert_eq!(
        (refused.status().as_u16(), header(&refused, "location"), header(&refused, "set-cookie")),
        (400, "", "")
    );
    let body = String::from_utf8_lossy(refused.body()).into_owned();
    assert!(body.contains("client_id, redirect_uri and state together are too long"), "{body}");
}

/// A29
#[test]
fn every_page_forbids_frames_other_scripts_referrers_and_caches() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let left = browser.answer(&consent, "approve");
    let used = browser.open(consent.url.as_str());
    has_the_headers_of_a_page(&app.get("/mcp/oauth/authorize"), "no-referrer");
    has_the_headers_of_a_page(&app.get("/mcp/oauth/callback"), "no-referrer");
    // Under no-referrer Chromium would send the form with `Origin: null`; other sites learn nothing from this either.
    has_the_headers_of_a_page(&consent.response, "same-origin");
    has_the_headers_of_a_page(&left.response, "no-referrer");
    has_the_headers_of_a_page(&used.response, "no-referrer");
}

#[track_caller]
fn has_the_headers_of_a_page(page: &http::Response<bytes::Bytes>, referrer_policy: &str) {
    let policy = header(page, "content-security-policy");
    let body = String::from_utf8_lossy(page.body());
    for rule in ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    // Each inline element is the one that the policy names, and there is no other.
    for (directive, element) in [("style-src", "style"), ("script-src", "script")] {
        let (start, end) = (format!("<{element}>"), format!("</{element}>"));
        let text = body.split(&start).nth(1).and_then(|rest| rest.split(&end).next()).expect(element);
        let hash = STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}");
        assert_eq!(body.matches(&format!("<{element}")).count(), 1, "{element}");
    }
    assert_eq!(header(page, "x-frame-options"), "DENY");
    assert_eq!(header(page, "referrer-policy"), referrer_policy);
    assert_eq!(header(page, "x-content-type-options"), "nosniff");
    assert_eq!(header(page, "cache-control"), "no-store");
    assert_eq!(header(page, "cross-origin-opener-policy"), "", "a popup must find its opener");
    assert!(page.headers().keys().all(|name| !name.as_str().starts_with("access-control-")));
}
