//! Audit rows besides those of writes: revoked access tokens, refused connections, sessions of the Hosted MCP page.

use crate::support::PUBLIC_URL;
use crate::support::TestApp;
use crate::support::browser::{Browser, parameter};
use crate::support::database::Failure;
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read";
const SIGN_OUT: &str = "/mcp/admin/sign-out";

/// Rows of a kind with an outcome and a reason, in one person's name.
fn rows(app: &TestApp, kind: &str, outcome: &str, detail: &str, user_id: &str) -> i64 {
    app.db.count(&format!(
        "SELECT count(*) FROM audit WHERE kind = '{kind}' AND outcome = '{outcome}' AND detail = '{detail}'
           AND user_id = '{user_id}' AND request_id <> ''"
    ))
}

fn rows_of(app: &TestApp, kind: &str) -> i64 {
    app.db.count(&format!("SELECT count(*) FROM audit WHERE kind = '{kind}'"))
}

#[test]
fn access_token_revoked_by_its_client_leaves_one_row() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.revoke(&pair.access, &[("client_id", "other")]);
    assert_eq!(rows_of(&app, "access_token_revoke"), 0, "another client revokes nothing");
    for _ in 0..2 {
        assert_eq!(app.revoke(&pair.access, &[]).status(), 200);
    }
    assert_eq!(rows(&app, "access_token_revoke", "done", "client", user::MARA_ADMIN), 1);
    let of_its_grant = "SELECT count(*) FROM audit a JOIN grants g ON g.id = a.grant_id AND g.client_id = a.client_id
        AND g.client_name = a.client_name WHERE a.kind = 'access_token_revoke'";
    assert_eq!(app.db.count(of_its_grant), 1);
    assert_eq!(app.last_record().database.count, 1, "the row joins the batch of the revocation");
}

#[test]
fn access_token_that_had_ended_before_leaves_no_row() {
    let app = TestApp::new();
    let expired = app.connect(user::MARA_ADMIN, SCOPE);
    app.advance(Duration::from_secs(3_600));
    app.revoke(&expired.access, &[]);
    let ended = tokens(&app.refresh(&expired.refresh, &[]));
    app.revoke(&ended.refresh, &[]);
    app.revoke(&ended.access, &[]);
    assert_eq!(rows_of(&app, "access_token_revoke"), 0);
}

#[test]
fn person_sees_that_an_app_has_revoked_an_access_token() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.revoke(&pair.access, &[]);
    let page = Browser::new(&app).open_admin_page(user::MARA_ADMIN).body;
    assert!(page.contains("Access token revoked") && page.contains("by the app itself"), "{page}");
    assert!(!Browser::new(&app).open_admin_page(user::THEO_MANAGER).body.contains("Access token revoked"));
}

#[test]
fn approved_connection_is_on_record() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    assert_eq!(rows_of(&app, "approval"), 1);
    let row = "SELECT count(*) FROM audit a JOIN grants g ON g.id = a.grant_id
        WHERE a.kind = 'approval' AND a.outcome = 'done' AND a.user_id = '1' AND a.client_id = g.client_id";
    assert_eq!(app.db.count(row), 1);
}

#[test]
fn declined_connection_is_on_record_and_shown_to_its_person() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.answer(&consent, "deny");
    assert_eq!(app.last_record().database.count, 2, "the request, and its end with the row");
    browser.answer(&consent, "deny");
    assert_eq!(rows(&app, "approval", "refused", "user", user::MARA_ADMIN), 1);
    let page = browser.open_admin_page(user::MARA_ADMIN).body;
    assert!(page.contains("Connection not made") && page.contains("by you"), "{page}");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'approval' AND user_name = 'Mara Lindqvist'"), 1);
    assert!(!Browser::new(&app).open_admin_page(user::THEO_MANAGER).body.contains("Connection not made"));
}

#[test]
fn connection_refused_by_us_after_sign_in_is_on_record() {
    let app = TestApp::new();
    Browser::new(&app).sign_in(&authorize_url(&[]), user::SAM_WITHOUT_PAGE);
    assert_eq!(rows(&app, "approval", "refused", "no_page", user::SAM_WITHOUT_PAGE), 1);

    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    browser.answer(&consent, "approve");
    assert_eq!(rows(&app, "approval", "refused", "user_ended", user::MARA_ADMIN), 1);

    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    for _ in 0..6 {
        browser.answer_fields(&consent, &[("answer", "approve"), ("person", "2")]);
    }
    assert_eq!(rows(&app, "approval", "limited", "answers", user::MARA_ADMIN), 1);
}

#[test]
fn request_that_its_client_got_wrong_is_on_record_once_its_person_has_signed_in() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let waiting = browser.open(&authorize_url(&[("resource", "https://other.example")]));
    assert_eq!(rows_of(&app, "approval"), 0, "nobody has signed in");
    let left = browser.choose_user(&waiting, user::MARA_ADMIN);
    assert_eq!(parameter(&left.url, "error").as_deref(), Some("invalid_target"));
    assert_eq!(rows(&app, "approval", "refused", "invalid_target", user::MARA_ADMIN), 1);
}

#[test]
fn client_removed_from_allow_list_after_sign_in_is_audited() {
    let mut app = TestApp::new();
    let client = [
        ("client_id", "https://claude.ai/oauth/mcp-oauth-client-metadata"),
        ("redirect_uri", "https://claude.ai/api/mcp/auth_callback"),
    ];
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&client), user::MARA_ADMIN);
    let cookies = browser.into_cookies();
    app.redeploy(|name| (name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").then(String::new));
    for _ in 0..2 {
        assert_eq!(Browser::with_cookies(&app, cookies.clone()).answer(&consent, "approve").status, 400);
    }
    assert_eq!(rows(&app, "approval", "refused", "client_not_listed", user::MARA_ADMIN), 1);
}

/// Choosing another account is no refusal: the same request goes on.
#[test]
fn switching_the_account_leaves_no_refusal() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.answer(&consent, "switch");
    assert_eq!(rows_of(&app, "approval"), 0);
}

fn sign_out(browser: &Browser<'_>, page: &crate::support::browser::Shown) {
    browser.submit(page, &format!("{PUBLIC_URL}{SIGN_OUT}"), &[("token", &page.hidden("token"))]);
}

#[test]
fn sessions_of_the_hosted_mcp_page_are_on_record_with_their_end() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!(rows_of(&app, "session_open"), 1);
    sign_out(&browser, &page);
    assert_eq!(rows(&app, "session_close", "done", "user", user::MARA_ADMIN), 1);
    let by_page = "SELECT count(*) FROM audit WHERE kind LIKE 'session%' AND client_id = 'hosted-mcp-admin'
        AND client_name = 'Hosted MCP page' AND grant_id IS NULL AND user_id = '1' AND outcome = 'done' AND request_id <> ''";
    assert_eq!(app.db.count(by_page), 2);
    let cookie = "SELECT count(*) FROM audit a JOIN sessions s ON instr(a.id || coalesce(a.detail, ''), s.cookie_hash)";
    assert_eq!(app.db.count(cookie), 0);
}

#[test]
fn sign_out_ends_the_session_of_its_own_browser_only() {
    let app = TestApp::new();
    let (mara, theo) = (Browser::new(&app), Browser::new(&app));
    let page = mara.open_admin_page(user::MARA_ADMIN);
    theo.open_admin_page(user::THEO_MANAGER);
    sign_out(&mara, &page);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions WHERE user_id = '2'"), 1);
}

#[test]
fn second_sign_in_closes_the_first_session_in_the_same_batch() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    browser.open_admin_page(user::THEO_MANAGER);
    assert_eq!(rows(&app, "session_close", "done", "replaced", user::MARA_ADMIN), 1);
    assert_eq!((rows_of(&app, "session_open"), app.db.count("SELECT count(*) FROM sessions")), (2, 1));
    let records = app.records.borrow();
    let returned = records.iter().rev().find(|record| record.route == "/mcp/admin/callback").expect("a return");
    assert_eq!(returned.database.count, 1);
}

#[test]
fn session_of_a_person_whose_access_ended_is_closed_and_audited() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    browser.open(&format!("{PUBLIC_URL}/mcp/admin"));
    assert_eq!(rows(&app, "session_close", "done", "user_ended", user::MARA_ADMIN), 1);
}

#[test]
fn session_that_expired_by_itself_leaves_no_closing_row() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.advance(Duration::from_secs(1_800));
    browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!((rows_of(&app, "session_open"), rows_of(&app, "session_close")), (2, 0));
}

#[test]
fn session_and_its_row_are_stored_together_or_not_at_all() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let waiting = browser.open(&format!("{PUBLIC_URL}/mcp/admin/sign-in"));
    app.db.fail_after(0, Failure::Before);
    assert_eq!(browser.choose_user(&waiting, user::MARA_ADMIN).status, 503);
    app.db.heal();
    assert_eq!((rows_of(&app, "session_open"), app.db.count("SELECT count(*) FROM sessions")), (0, 0));
}

#[test]
fn repeated_refresh_shows_to_the_person_of_the_connection() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let doctor_says = |user_id: &str| {
        let browser = Browser::new(&app);
        browser.open_admin_page(user_id);
        browser.open_connection(user_id, CLIENT).body
    };
    app.refresh(&first.refresh, &[]);
    let words = ["The app sent the same refresh token twice", "Refresh token sent twice"];
    assert!(words.iter().all(|text| !doctor_says(user::MARA_ADMIN).contains(text)));
    app.refresh(&first.refresh, &[]);
    let page = doctor_says(user::MARA_ADMIN);
    for text in words.into_iter().chain(["got the same new refresh token", "end this connection"]) {
        assert!(page.contains(text), "no {text} in {page}");
    }
    assert!(words.iter().all(|text| !doctor_says(user::THEO_MANAGER).contains(text)));
    assert_eq!(
        app.db.count(&format!("SELECT count(*) FROM audit WHERE client_id = '{CLIENT}' AND kind = 'refresh_repeat'")),
        1
    );
}
