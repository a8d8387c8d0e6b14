//! Fuzz targets for HTTP requests: query, form, headers, bodies.

use super::world::{CALLBACK, CHALLENGE, CLIENT, UPSTREAM, VERIFIER, World, request, with};
use bytes::Bytes;
use http::Response;
use statibeat_mcp::mcp::message;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::oauth::client::redirect::{RedirectKind, RedirectUri};
use statibeat_mcp::oauth::client::registration::{self, RegisteredClient};
use statibeat_mcp::oauth::parameters::Parameters;

const FORM: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");

/// Checks that the endpoints for browsers redirect only to StatiBeat's sign-in page.
pub fn query(bytes: &[u8]) {
    drop(Parameters::parse(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for path in ["/mcp/oauth/authorize", "/mcp/oauth/callback", "/mcp/oauth/consent"] {
        let Some(request) = request("GET", &format!("{path}?{text}"), &[], b"") else { return };
        let answer = with(|world| world.send(request));
        if let Some(location) = answer.headers().get("location") {
            let location = location.to_str().expect("text");
            assert!(location.starts_with(&format!("{UPSTREAM}/connector/sign-in?")), "{location}");
        }
    }
}

pub fn query_seeds() -> Vec<Vec<u8>> {
    let good = format!(
        "response_type=code&client_id={CLIENT}&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}&\
         code_challenge_method=S256&scope=mcp.pages.read+offline_access&state=a%2Bb&resource=https%3A%2F%2Fmcp.example%2Fmcp"
    );
    vec![good.into_bytes(), b"state=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc&code=x".to_vec()]
}

/// Checks that the token endpoint answers with OAuth errors, and issues tokens only for a code or refresh token that the
/// connector issued.
pub fn form(bytes: &[u8]) {
    let (code, token) = with(|world| (world.code(), world.refresh_token()));
    let has_secret = Parameters::parse(bytes).is_ok_and(|form| {
        form.all("code").any(|text| text == code) || form.all("refresh_token").any(|text| text == token)
    });
    let answer = post("/mcp/oauth/token", &[FORM], bytes);
    assert!(answer.status() != 200 || has_secret);
    is_oauth(&answer);
    is_oauth(&post("/mcp/oauth/revoke", &[FORM], bytes));
    post("/mcp/oauth/consent", &[FORM, ("origin", b"https://mcp.example")], bytes);
}

pub fn form_seeds() -> Vec<Vec<u8>> {
    let (code, token) = with(|world| (world.code(), world.refresh_token()));
    let redeem = format!(
        "grant_type=authorization_code&client_id={CLIENT}&code={code}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}"
    );
    let refresh = format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={token}&scope=mcp.pages.read");
    let revoke = format!("client_id={CLIENT}&token={token}&token_type_hint=refresh_token");
    [redeem, refresh, revoke].map(String::into_bytes).to_vec()
}

/// Checks that 401 is answered only to a client that tried HTTP Basic authentication.
pub fn basic(bytes: &[u8]) {
    let Some(request) = request("POST", "/mcp/oauth/token", &[FORM, ("authorization", bytes)], b"grant_type=x") else {
        return;
    };
    let answer = with(|world| world.send(request));
    assert_eq!(answer.status() == 401, bytes.to_ascii_lowercase().starts_with(b"basic") && is_scheme(bytes));
    is_oauth(&answer);
}

/// Returns `true` if the header is text whose first word is `Basic`.
fn is_scheme(bytes: &[u8]) -> bool {
    let is_text = bytes.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\t');
    is_text && bytes.get(5).is_none_or(|byte| *byte == b' ')
}

pub fn basic_seeds() -> Vec<Vec<u8>> {
    ["Basic eDp5", "basic", "Bearer x", "Basic\teDp5"].map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Checks that only the valid token is accepted.
pub fn bearer(bytes: &[u8]) {
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let headers =
        [("authorization", bytes), ("mcp-protocol-version", b"2025-11-25"), ("content-type", b"application/json")];
    let Some(request) = request("POST", "/mcp", &headers, ping) else { return };
    let (answer, token) = with(|world| (world.send(request), world.access_token()));
    let text = String::from_utf8_lossy(bytes);
    let is_good = text
        .split_once(' ')
        .is_some_and(|(scheme, sent)| scheme.eq_ignore_ascii_case("bearer") && sent.trim_matches(' ') == token);
    assert_eq!(answer.status() == 200, is_good, "{text:?}: {}", answer.status());
    assert!(is_good || [400, 401].contains(&answer.status().as_u16()), "{}", answer.status());
}

pub fn bearer_seeds() -> Vec<Vec<u8>> {
    let token = with(World::access_token);
    vec![format!("Bearer {token}").into_bytes(), format!("bearer   {token} ").into_bytes(), b"Bearer a,b".to_vec()]
}

/// Checks that a registered client has only loopback redirect URIs, and that its client id can be parsed.
pub fn registration(bytes: &[u8]) {
    let answer = with(|world| registration::register(bytes, &world.config.client_keys, 1));
    is_oauth(&post("/mcp/oauth/register", &[("content-type", b"application/json")], bytes));
    let Ok(client) = answer else { return };
    let id = ClientId::parse(client["client_id"].as_str().expect("text")).expect("an id that fits");
    let registered = with(|world| RegisteredClient::parse(&id, &world.config.client_keys)).expect("an id of ours");
    let uris = client["redirect_uris"].as_array().expect("a list");
    assert!(!uris.is_empty());
    for uri in uris {
        let uri = RedirectUri::parse(uri.as_str().expect("text")).expect("a redirect URI");
        assert_eq!(uri.kind(), RedirectKind::Loopback);
        assert!(registered.allows(&uri));
    }
}

pub fn registration_seeds() -> Vec<Vec<u8>> {
    let full = br#"{"client_name":"Inspector","redirect_uris":["http://localhost:6274/oauth/callback"],"grant_types":["authorization_code","refresh_token"]}"#;
    let mixed =
        br#"{"redirect_uris":["cursor://x/cb","https://acme.example/cb","http://127.0.0.1:1/cb","http://[::1]/"]}"#;
    vec![full.to_vec(), mixed.to_vec()]
}

/// Checks that every body posted with a valid token is answered with JSON or an empty body, and never with 401.
pub fn message(bytes: &[u8]) {
    drop(message::parse(bytes));
    let authorization = format!("Bearer {}", with(World::access_token));
    for version in [&b"2025-11-25"[..], b"2026-07-28"] {
        let headers = [
            ("authorization", authorization.as_bytes()),
            ("content-type", b"application/json"),
            ("mcp-protocol-version", version),
        ];
        let answer = post("/mcp", &headers, bytes);
        assert_ne!(answer.status(), 401);
        assert!(answer.body().is_empty() || serde_json::from_slice::<serde_json::Value>(answer.body()).is_ok());
    }
}

pub fn message_seeds() -> Vec<Vec<u8>> {
    [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"create_incident","arguments":{"page_id":42,"title":"x"}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"statibeat://pages/42/incidents/active"}}"#,
        r#"[{"jsonrpc":"2.0","id":3,"method":"prompts/get","params":{"name":"x"}},{"jsonrpc":"2.0","method":"notifications/initialized"}]"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/list","params":{"cursor":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub fn good_requests_succeed() {
    let query = String::from_utf8(query_seeds().remove(0)).expect("text");
    let authorize = request("GET", &format!("/mcp/oauth/authorize?{query}"), &[], b"").expect("a request");
    assert_eq!(with(|world| world.send(authorize)).status(), 302);
    for form in &form_seeds()[..2] {
        assert_eq!(post("/mcp/oauth/token", &[FORM], form).status(), 200, "{}", String::from_utf8_lossy(form));
    }
    for body in registration_seeds() {
        assert_eq!(post("/mcp/oauth/register", &[("content-type", b"application/json")], &body).status(), 201);
    }
    let bearer = bearer_seeds().remove(0);
    let headers = [("authorization", bearer.as_slice()), ("mcp-protocol-version", b"2025-11-25")];
    assert_eq!(post("/mcp", &headers, &message_seeds()[0]).status(), 200);
}

fn post(path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Response<Bytes> {
    with(|world| world.send(request("POST", path, headers, body).expect("a request")))
}

/// Checks that the response is 200 or 201, or has an error object.
fn is_oauth(answer: &Response<Bytes>) {
    if answer.status().is_success() {
        return;
    }
    let body: serde_json::Value = serde_json::from_slice(answer.body()).expect("JSON");
    assert!(body["error"].is_string(), "{body}");
}
