//! The hand-over: page, choice, code, exchange.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{Signature, VerifyingKey};
use http::Request;
use serde_json::{Value, json};

use crate::story::{CONNECTOR, NOW, ORIGIN, Reply, Story, hash, header, request, sign};
use statibeat_simulator::{Settings, Simulator};

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
const STATE: &str = "a-handle-of-the-connector";
const EXCHANGE: &str = "/api/v1/connector/sign-in/exchange";

fn sign_in_query(connector: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("connector_id", connector)
        .append_pair("state", STATE)
        .append_pair("code_challenge", &hash(VERIFIER.as_bytes()))
        .append_pair("code_challenge_method", "S256")
        .finish()
}

fn show(story: &Story, query: &str, cookie: Option<&str>) -> Reply {
    let mut request = request("GET", &format!("/connector/sign-in?{query}"), None, None);
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().expect("a cookie"));
    }
    story.send(&request)
}

fn choose(story: &Story, form: String, cookie: Option<&str>) -> Reply {
    let mut builder = Request::builder()
        .method("POST")
        .uri("/connector/sign-in")
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(cookie) = cookie {
        builder = builder.header("cookie", cookie);
    }
    story.send(&builder.body(Bytes::from(form)).expect("a request"))
}

fn parameter(location: &str, name: &str) -> String {
    let query = location.split('?').nth(1).unwrap_or("");
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    found.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn exchange_with(story: &Story, connector: &str, body: &Value) -> Reply {
    let mut claims = story.claims(1, "", "POST", EXCHANGE, Some(&body.to_string()));
    claims["sub"] = json!(connector);
    let token = sign(&header("statibeat-connector+jwt"), &claims);
    story.send(&request("POST", EXCHANGE, Some(&token), Some(body.clone())))
}

fn exchange(story: &Story, connector: &str, code: &str) -> Reply {
    exchange_with(story, connector, &json!({ "code": code, "code_verifier": VERIFIER }))
}

/// Signs a user in and gives the code, and the browser's cookie.
fn code_for(story: &Story, user: u64, connector: &str) -> (String, String) {
    assert_eq!(show(story, &sign_in_query(connector), None).status, 200);
    let chosen = choose(story, format!("{}&user_id={user}", sign_in_query(connector)), None);
    assert_eq!(chosen.status, 303);
    let cookie = chosen.header("set-cookie").split(';').next().unwrap_or("").to_owned();
    (parameter(chosen.header("location"), "code"), cookie)
}

/// A whole sign-in; gives the claims of the identity assertion.
pub fn signed_in(story: &Story, user: u64, connector: &str) -> Value {
    let (code, _) = code_for(story, user, connector);
    let reply = exchange(story, connector, &code);
    assert_eq!(reply.status, 200);
    let identity = reply.json["identity"].as_str().expect("a JWT");
    let parts: Vec<&str> = identity.split('.').collect();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let key =
        VerifyingKey::from_bytes(&Simulator::identity_public_key(&Settings::local(0).identity_seed)).expect("a key");
    let signature = Signature::from_slice(&bytes(parts[2])).expect("a signature");
    key.verify_strict(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).expect("the signature holds");
    let header: Value = serde_json::from_slice(&bytes(parts[0])).expect("a header");
    assert_eq!(header, json!({ "alg": "EdDSA", "typ": "statibeat-identity+jwt", "kid": "simulator-1" }));
    serde_json::from_slice(&bytes(parts[1])).expect("claims")
}

#[test]
fn a_sign_in_ends_in_a_signed_identity() {
    let claims = signed_in(&Story::new(), 2, "hosted-mcp");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ORIGIN), &json!(CONNECTOR)));
    assert_eq!((&claims["sub"], &claims["name"]), (&json!("2"), &json!("Theo Okafor")));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 60)));
    assert_eq!((&claims["env"], &claims["state_hash"]), (&json!("local"), &json!(hash(STATE.as_bytes()))));
}

#[test]
fn each_connector_has_its_own_return_address() {
    let story = Story::new();
    for (connector, path) in [("hosted-mcp", "/mcp/oauth/callback"), ("hosted-mcp-admin", "/mcp/admin/callback")] {
        let chosen = choose(&story, format!("{}&user_id=1", sign_in_query(connector)), None);
        assert!(chosen.header("location").starts_with(&format!("{CONNECTOR}{path}?code=")), "{connector}");
        assert_eq!(parameter(chosen.header("location"), "state"), STATE);
    }
}

#[test]
fn a_person_may_cancel() {
    let story = Story::new();
    let chosen = choose(&story, format!("{}&action=cancel", sign_in_query("hosted-mcp")), None);
    assert_eq!(chosen.header("location"), format!("{CONNECTOR}/mcp/oauth/callback?error=access_denied&state={STATE}"));
}

#[test]
fn second_sign_in_offers_to_continue_and_never_does_so_by_itself() {
    let story = Story::new();
    let (_, cookie) = code_for(&story, 3, "hosted-mcp");
    story.now.set(NOW + 100);
    let page = show(&story, &sign_in_query("hosted-mcp"), Some(&cookie));
    let text = String::from_utf8_lossy(page.response.body()).into_owned();
    assert!(page.status == 200 && text.contains("Continue as Ines Castro") && text.contains("Use another account"));
    let other = show(&story, &format!("{}&prompt=select_account", sign_in_query("hosted-mcp")), Some(&cookie));
    assert!(!String::from_utf8_lossy(other.response.body()).contains("Continue as"));
    let chosen = choose(&story, format!("{}&action=continue", sign_in_query("hosted-mcp")), Some(&cookie));
    assert_eq!(chosen.status, 303);
    assert_eq!(choose(&story, format!("{}&action=continue", sign_in_query("hosted-mcp")), None).status, 400);
}

#[test]
fn the_page_loads_nothing_and_is_never_framed() {
    let page = show(&Story::new(), &sign_in_query("hosted-mcp"), None);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(policy.contains(&format!("form-action 'self' {CONNECTOR}")));
    assert!(!String::from_utf8_lossy(page.response.body()).contains("<script"));
}

#[test]
fn malformed_sign_in_request_gets_a_page_and_no_redirect() {
    let story = Story::new();
    let good = sign_in_query("hosted-mcp");
    let bad = [
        good.replace("hosted-mcp", "other"),
        good.replace("S256", "plain"),
        good.replace(STATE, "short"),
        good.replace("&code_challenge=", "&code_challenge=x"),
        format!("{good}&return_to=https%3A%2F%2Fevil.example"),
        format!("{good}&state=again-and-again-and-again"),
    ];
    for query in bad {
        let page = show(&story, &query, None);
        assert_eq!((page.status, page.header("location")), (400, ""), "{query}");
    }
    assert_eq!(choose(&story, format!("{good}&user_id=9"), None).status, 400, "not a demo user");
}

#[test]
fn a_code_works_once_and_within_its_minute() {
    let story = Story::new();
    let (code, _) = code_for(&story, 1, "hosted-mcp");
    assert_eq!(exchange(&story, "hosted-mcp", &code).status, 200);
    assert_eq!(exchange(&story, "hosted-mcp", &code).status, 400);
    let (late, _) = code_for(&story, 1, "hosted-mcp");
    story.now.set(NOW + 60);
    assert_eq!(exchange(&story, "hosted-mcp", &late).error(), "code has expired");
}

#[test]
fn a_code_is_bound_to_its_verifier_and_connector_and_has_one_attempt() {
    let story = Story::new();
    let (code, _) = code_for(&story, 1, "hosted-mcp");
    let wrong = json!({ "code": code, "code_verifier": VERIFIER.replace('0', "1") });
    assert_eq!(exchange_with(&story, "hosted-mcp", &wrong).error(), "code verifier does not match");
    assert_eq!(exchange(&story, "hosted-mcp", &code).status, 400);
    let (code, _) = code_for(&story, 1, "hosted-mcp");
    assert_eq!(exchange(&story, "hosted-mcp-admin", &code).status, 400);
}

#[test]
fn only_the_connector_may_exchange() {
    let story = Story::new();
    let (code, _) = code_for(&story, 1, "hosted-mcp");
    let body = json!({ "code": code, "code_verifier": VERIFIER });
    assert_eq!(story.send(&request("POST", EXCHANGE, Some("sb_demo_admin_42"), Some(body.clone()))).status, 401);
    assert_eq!(exchange(&story, "somebody", &code).status, 401);
    let claims = story.claims(1, "mcp.pages.read", "POST", EXCHANGE, Some(&body.to_string()));
    let wrong_kind = sign(&header("statibeat-obo+jwt"), &claims);
    assert_eq!(story.send(&request("POST", EXCHANGE, Some(&wrong_kind), Some(body.clone()))).status, 401);
    let extra = json!({ "code": code, "code_verifier": VERIFIER, "extra": 1 });
    assert_eq!(exchange_with(&story, "hosted-mcp", &extra).error(), "unknown field \"extra\"");
    assert_eq!(exchange(&story, "hosted-mcp", &code).status, 200, "none of these used the code up");
}

#[test]
fn a_disabled_user_gets_no_identity_and_no_answers() {
    let story = Story::new();
    let (code, _) = code_for(&story, 2, "hosted-mcp");
    story.simulator.set_user_disabled(2, true).expect("user 2 is seeded");
    let refused = exchange(&story, "hosted-mcp", &code);
    assert_eq!((refused.status, refused.error()), (403, "user is disabled"));
    let refused = story.user(2, "mcp.pages.read", "GET", "/api/v1/me", None);
    assert_eq!((refused.status, refused.error()), (401, "user is disabled"));
}
