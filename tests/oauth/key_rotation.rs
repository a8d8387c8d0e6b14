//! Keys grow old without logging anyone out: a new key in front, the old ones behind it, and nothing stops working.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CALLBACK, CLIENT, authorize_url, token_error, tokens, user};
use crate::support::{TestApp, json, request, ring};
use serde_json::json;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";
const RINGS: [(&str, &str); 4] = [
    ("HOSTED_MCP_CHECKSUM_KEYS", "tag"),
    ("HOSTED_MCP_ROTATION_KEYS", "rotation"),
    ("HOSTED_MCP_CLIENT_KEYS", "client"),
    ("HOSTED_MCP_ASSERTION_KEYS", "assertion"),
];

/// Every ring with a new key in front of the old one.
fn both(name: &str) -> Option<String> {
    let (_, old) = RINGS.iter().find(|(variable, _)| *variable == name)?;
    Some(format!("{} {}", ring(&format!("new-{old}")), ring(old)))
}

/// Every ring with its old key in front: the new one is recognized and signs nothing yet.
fn prepared(name: &str) -> Option<String> {
    let (_, old) = RINGS.iter().find(|(variable, _)| *variable == name)?;
    Some(format!("{} {}", ring(old), ring(&format!("new-{old}"))))
}

/// Every ring with its new key only.
fn new_only(name: &str) -> Option<String> {
    let (_, old) = RINGS.iter().find(|(variable, _)| *variable == name)?;
    Some(ring(&format!("new-{old}")))
}

/// R15
#[test]
fn old_tokens_work_beside_a_new_key_and_new_tokens_are_made_with_it() {
    let mut app = TestApp::new();
    let old = app.connect(user::MARA_ADMIN, SCOPE);
    app.redeploy(both);
    assert_eq!(app.ping(&old.access), 200);
    let next = tokens(&app.refresh(&old.refresh, &[]));
    app.redeploy(new_only);
    assert_eq!(app.ping(&next.access), 200, "made with the new key");
    assert_eq!(app.refresh(&next.refresh, &[]).status(), 200);
    assert_eq!(app.ping(&old.access), 401, "its key has left the ring");
}

/// R15
#[test]
fn signature_of_a_promoted_key_is_valid_where_it_is_only_prepared() {
    let mut app = TestApp::new();
    let old = app.connect(user::MARA_ADMIN, SCOPE);
    app.redeploy(prepared);
    assert_eq!(app.ping(&old.access), 200);
    app.redeploy(both);
    let next = tokens(&app.refresh(&old.refresh, &[]));
    // An instance that has not heard of the promotion yet.
    app.redeploy(prepared);
    assert_eq!(tokens(&app.refresh(&old.refresh, &[])).refresh, next.refresh, "a repeat gets the same successor");
    assert_eq!(app.ping(&next.access), 200);
    tokens(&app.refresh(&next.refresh, &[]));
}

/// R15
#[test]
fn a_repeat_across_a_rotation_of_keys_gets_the_identical_successor() {
    let mut app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let before = tokens(&app.refresh(&pair.refresh, &[]));
    app.redeploy(both);
    assert_eq!(tokens(&app.refresh(&pair.refresh, &[])).refresh, before.refresh);
    let after = tokens(&app.refresh(&before.refresh, &[]));
    assert_eq!(tokens(&app.refresh(&before.refresh, &[])).refresh, after.refresh, "made with the new keys");
}

/// R15
#[test]
fn a_successor_whose_key_was_removed_too_early_is_an_outage_and_not_the_end_of_the_grant() {
    let mut app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let next = tokens(&app.refresh(&pair.refresh, &[]));
    app.redeploy(|name| if name == "HOSTED_MCP_ROTATION_KEYS" { new_only(name) } else { None });
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (503, "temporarily_unavailable".into()));
    assert_eq!(app.ping(&next.access), 200);
}

#[test]
fn a_sign_in_a_consent_form_and_a_code_survive_a_rotation_of_keys() {
    let mut app = TestApp::new();
    let code = app.code(user::MARA_ADMIN, SCOPE);
    app.redeploy(both);
    assert_eq!(app.redeem(&code, &[]).status(), 200);
    for (during, after) in
        [(both as fn(&str) -> Option<String>, both as fn(&str) -> Option<String>), (prepared, both), (both, prepared)]
    {
        let mut app = TestApp::new();
        let (started, cookies) = {
            let browser = Browser::new(&app);
            (browser.open(&authorize_url(&[])), browser.into_cookies())
        };
        app.redeploy(during);
        let (consent, cookies) = {
            let browser = Browser::with_cookies(&app, cookies);
            (browser.choose_user(&started, user::MARA_ADMIN), browser.into_cookies())
        };
        app.redeploy(after);
        let left = Browser::with_cookies(&app, cookies).answer(&consent, "approve").leaves_for();
        assert!(parameter(&left, "code").is_some(), "{left}");
    }
}

#[test]
fn sign_in_sealed_with_a_removed_key_restarts_without_a_query() {
    let mut app = TestApp::new();
    let (started, cookies) = {
        let browser = Browser::new(&app);
        (browser.open(&authorize_url(&[])), browser.into_cookies())
    };
    app.redeploy(new_only);
    let batches = app.db.batches.get();
    let shown = Browser::with_cookies(&app, cookies).choose_user(&started, user::MARA_ADMIN);
    assert!(shown.status == 400 && shown.body.contains("start connecting again"), "{}", shown.body);
    assert_eq!(app.db.batches.get(), batches);
}

#[test]
fn a_registered_client_stays_registered_as_long_as_its_key_is_kept() {
    let mut app = TestApp::new();
    let body = json!({"redirect_uris": [CALLBACK]}).to_string();
    let id = json(&app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body)))["client_id"].clone();
    let url = authorize_url(&[("client_id", id.as_str().expect("an id"))]);
    app.redeploy(both);
    assert_eq!(app.get(&url).status(), 302);
    app.redeploy(new_only);
    assert_eq!(app.get(&url).status(), 400);
}

#[test]
fn statibeat_accepts_assertions_of_the_new_key_once_it_is_published() {
    let mut app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.redeploy(both);
    let keys = json(&app.get("/.well-known/hosted-mcp-jwks.json"));
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(2));
    assert!(app.read(&pair.access, "statibeat://pages").is_object());
    assert!(app.upstream.sent.borrow().contains(CLIENT));
}

/// R2, P4, G9
#[test]
fn secrets_of_one_environment_are_rejected_in_another() {
    let mut app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let code = app.code(user::MARA_ADMIN, SCOPE);
    let body = json!({"redirect_uris": [CALLBACK]}).to_string();
    let id = json(&app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body)))["client_id"].clone();
    app.redeploy(|name| (name == "HOSTED_MCP_ENVIRONMENT").then(|| "staging".into()));
    let (before, batches) = (app.db.dump(), app.db.batches.get());
    assert_eq!(app.ping(&pair.access), 401);
    assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (400, "invalid_grant".into()));
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.get(&authorize_url(&[("client_id", id.as_str().expect("an id"))])).status(), 400);
    assert_eq!((app.db.dump(), app.db.batches.get()), (before, batches), "the database is not even asked");
}
