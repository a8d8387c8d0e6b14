//! The token endpoint's request: one form in UTF-8 in the body of a POST, and nothing else (RFC 6749 3.2).

use crate::support::flow::{CLIENT, VERIFIER, token_error, tokens, user};
use crate::support::{TestApp, header, json, request};

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

/// T5
#[test]
fn a_parameter_without_a_value_is_an_absent_one() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = |body: String| app.send(request("POST", "/mcp/oauth/token", &form, body));
    let rest = format!("client_id={CLIENT}&code_verifier={VERIFIER}");
    let before = app.db.dump();
    for body in [
        format!("grant_type=authorization_code&{rest}&code="),
        format!("grant_type=&{rest}&code={code}"),
        format!("grant_type=authorization_code&client_id=&code={code}&code_verifier={VERIFIER}"),
        format!("grant_type=refresh_token&{rest}&refresh_token="),
    ] {
        assert_eq!(token_error(&post(body.clone())), (400, "invalid_request".into()), "{body}");
    }
    assert_eq!(app.db.dump(), before);
    let empty = "redirect_uri=&resource=&scope=&client_secret=&client_assertion=";
    let answer = post(format!("grant_type=authorization_code&{rest}&code={code}&{empty}"));
    assert_eq!(answer.status(), 200, "{answer:?}");
}

/// T1
#[test]
fn the_token_endpoint_takes_posts_only() {
    let app = TestApp::new();
    for method in ["GET", "PUT", "DELETE"] {
        let answer = app.send(request(method, "/mcp/oauth/token", &[], ""));
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, "POST, OPTIONS"), "{method}");
    }
    let preflight = app.send(request("OPTIONS", "/mcp/oauth/token", &[("origin", "https://web.example")], ""));
    assert_eq!((preflight.status().as_u16(), header(&preflight, "access-control-allow-methods")), (204, "POST"));
}

/// T2, T3
#[test]
fn a_body_that_is_not_one_form_in_utf_8_is_refused() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    let good = format!("grant_type=authorization_code&client_id={CLIENT}&code={code}");
    let long = format!("{good}&x={}", "x".repeat(16 * 1024));
    let typed = |content_type| vec![("content-type", content_type)];
    let broken = [format!("{good}&x=%"), format!("{good}&x=%zz"), format!("{good}&x=%ff")];
    let mut cases = vec![
        (typed("application/json"), good.clone()),
        (vec![], good.clone()),
        (typed("text/plain; x=application/x-www-form-urlencoded"), good.clone()),
        (vec![("content-type", FORM), ("content-type", FORM)], good.clone()),
        (typed(FORM), long),
    ];
    cases.extend(broken.into_iter().map(|body| (typed(FORM), body)));
    for (headers, body) in cases {
        app.address.set(Some("160.79.104.1"));
        let answer = app.send(request("POST", "/mcp/oauth/token", &headers, body));
        assert_eq!(token_error(&answer), (400, "invalid_request".into()), "{headers:?}");
    }
    let not_utf_8 = http::Request::post("/mcp/oauth/token").header("content-type", FORM);
    let answer = app.send(not_utf_8.body(bytes::Bytes::from_static(b"grant_type=\xff\xfe")).expect("a request"));
    assert_eq!(token_error(&answer), (400, "invalid_request".into()));
    assert_eq!(app.db.dump(), before);
}

/// T6
#[test]
fn query_parameters_are_ignored() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let before = app.db.dump();
    let query = format!(
        "/mcp/oauth/token?grant_type=authorization_code&client_id={CLIENT}&code={code}&code_verifier={VERIFIER}"
    );
    let answer = app.send(request("POST", &query, &[("content-type", "application/x-www-form-urlencoded")], ""));
    assert_eq!(token_error(&answer), (400, "invalid_request".into()));
    assert_eq!(app.db.dump(), before);
}

/// T17
#[test]
fn unknown_parameters_are_ignored() {
    let app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let body = format!(
        "grant_type=authorization_code&client_id={CLIENT}&code={code}&code_verifier={VERIFIER}&audience=x&audience=y&foo="
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("mcp-protocol-version", "2024-11-05"),
        ("dpop", "x.y.z"),
    ];
    let answer = app.send(request("POST", "/mcp/oauth/token", &headers, body));
    assert_eq!((answer.status().as_u16(), json(&answer)["token_type"].as_str()), (200, Some("Bearer")));
}

/// T11
#[test]
fn basic_authentication_with_an_empty_secret_is_a_client_id() {
    let app = TestApp::new();
    // base64 of "test-client:", as requests-oauthlib sends it for a public client.
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic dGVzdC1jbGllbnQ6")];
    let post = |path: &str, body: &str| app.send(request("POST", path, &headers, body.to_owned()));
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let body = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
    let first = tokens(&post("/mcp/oauth/token", &body));
    let body = format!("grant_type=refresh_token&refresh_token={}", first.refresh);
    let second = tokens(&post("/mcp/oauth/token", &body));
    let other = format!("grant_type=refresh_token&client_id=other&refresh_token={}", second.refresh);
    assert_eq!(token_error(&post("/mcp/oauth/token", &other)), (400, "invalid_request".into()));
    assert_eq!(post("/mcp/oauth/revoke", &format!("token={}", second.refresh)).status(), 200);
    assert_eq!(app.ping(&second.access), 401);
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
    assert!(header(&basic, "www-authenticate").starts_with(r#"Basic realm=""#));
    assert_eq!((header(&basic, "cache-control"), header(&basic, "access-control-allow-origin")), ("no-store", "*"));
}
