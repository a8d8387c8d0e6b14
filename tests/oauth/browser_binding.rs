//! Which browser an authorization request belongs to, and what of it is stored when.

use crate::support::browser::{Browser, Shown, cookie_name, parameter};
use crate::support::flow::{CLIENT, authorize_url, user};
use crate::support::{PUBLIC_URL, TestApp};
use statibeat_mcp::oauth::secret;

/// The cookies whose names start so.
fn cookies(browser: &Browser<'_>, kind: &str) -> Vec<String> {
    let name = format!("__Host-sbmcp_{kind}_");
    browser.cookies().into_iter().filter(|(cookie, _)| cookie.starts_with(&name)).map(|(_, value)| value).collect()
}

fn answer_with_cookie(app: &TestApp, consent: &Shown, cookie: &str) -> Shown {
    let browser = Browser::new(app);
    browser.set_cookie(&cookie_name(&consent.hidden("request")), cookie);
    browser.answer(consent, "approve")
}

#[test]
fn authorization_request_is_not_stored_before_sign_in() {
    let app = TestApp::new();
    let empty = app.db.dump();
    for changes in [&[][..], &[("resource", "/mcp")], &[("code_challenge", "")], &[("state", &"s".repeat(3000))]] {
        let browser = Browser::new(&app);
        assert_eq!(browser.open(&authorize_url(changes)).status, 200, "the sign-in page");
        let callback = format!(
            "{PUBLIC_URL}/mcp/oauth/callback?state={}&code=made-up",
            browser.open(&authorize_url(changes)).hidden("state")
        );
        assert_eq!(browser.open(&callback).status, 400, "StatiBeat knows no such code");
    }
    assert_eq!(app.db.dump(), empty);
    let refused = Browser::new(&app).sign_in(&authorize_url(&[("resource", "/mcp")]), user::MARA_ADMIN);
    assert_eq!(parameter(&refused.url, "error").as_deref(), Some("invalid_target"));
    let recorded = app.db.count("SELECT count(*) FROM audit WHERE kind = 'approval' AND outcome = 'refused'");
    app.db.execute("DELETE FROM audit");
    assert_eq!((recorded, app.db.dump()), (1, empty), "an error that goes to the client leaves its audit row alone");
    Browser::new(&app).sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE user_id = '1'"), 1);
}

#[test]
fn sign_in_replaces_the_browser_binding_cookie() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let [before] = &cookies(&browser, "in")[..] else { panic!("one cookie") };
    let consent = browser.choose_user(&sign_in, user::MARA_ADMIN);
    assert_eq!(cookies(&browser, "in"), ["used"], "nothing of the request is left in the browser");
    let [after] = &cookies(&browser, "tx")[..] else { panic!("one cookie") };
    assert_ne!(after, before);
    let stored = secret::hash(after);
    assert_eq!(
        app.db
            .count(&format!("SELECT count(*) FROM authorization_requests WHERE browser_hash = '{}'", stored.as_str())),
        1,
        "the row belongs to the new cookie"
    );
    for worthless in [before.as_str(), before.split('.').next().expect("a part"), &sign_in.hidden("state")] {
        assert_eq!(answer_with_cookie(&app, &consent, worthless).status, 403);
    }
    assert!(parameter(&answer_with_cookie(&app, &consent, after).leaves_for(), "code").is_some());
}

#[test]
fn two_sign_ins_of_one_browser_get_different_cookies() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let [first, second] = &cookies(&browser, "tx")[..] else { panic!("two cookies") };
    assert_ne!(first, second);
}

#[test]
fn cookie_of_an_answered_request_is_cleared() {
    for answer in ["approve", "deny", "switch"] {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
        assert_eq!(cookies(&browser, "tx").len(), 1);
        browser.answer(&consent, answer);
        assert_eq!(cookies(&browser, "tx"), [""; 0], "{answer}");
    }
}

#[test]
fn answer_in_one_tab_leaves_the_cookie_of_another() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let first = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let second = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.answer(&first, "deny");
    assert_eq!(cookies(&browser, "tx").len(), 1);
    assert!(parameter(&browser.answer(&second, "approve").leaves_for(), "code").is_some());
}

#[test]
fn browser_keeps_a_bounded_number_of_pending_requests() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let long = "s".repeat(2000);
    for _ in 0..20 {
        browser.open(&authorize_url(&[("state", &long)]));
    }
    let pending = cookies(&browser, "in");
    assert!(pending.len() <= 4, "{}", pending.len());
    assert_eq!(browser.sign_in(&authorize_url(&[("state", &long)]), user::MARA_ADMIN).status, 200, "the newest works");
}

#[test]
fn sign_in_is_used_once_even_with_two_codes_of_statibeats() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let before = browser.cookies();
    assert_eq!(browser.choose_user(&sign_in, user::MARA_ADMIN).status, 200);
    // The same browser with the cookie it had before, and a fresh code for the same state.
    let restored = Browser::new(&app);
    for (name, value) in &before {
        restored.set_cookie(name, value);
    }
    assert_eq!(restored.choose_user(&sign_in, user::THEO_MANAGER).status, 400);
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests"), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE user_id = '1'"), 1);
}

#[test]
fn revoking_a_connection_ends_its_open_requests() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    browser.submit_action(&page, &[("action", "revoke"), ("connection", &format!("1 {CLIENT}"))]);
    assert_eq!(browser.answer(&consent, "approve").status, 400);
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NULL"), 0);
}

#[test]
fn cookie_of_an_answered_form_is_cleared() {
    for answer in ["approve", "deny", "switch"] {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
        let name = cookie_name(&consent.hidden("request"));
        assert!(browser.cookies().contains_key(&name), "{answer}");
        browser.answer(&consent, answer);
        assert!(!browser.cookies().contains_key(&name), "{answer}");
    }
}

#[test]
fn sign_in_cookie_holds_no_request_after_the_return() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let sign_ins: Vec<String> =
        browser.cookies().into_iter().filter(|(name, _)| name.contains("_in_")).map(|(_, value)| value).collect();
    assert_eq!(sign_ins, ["used"]);
}
