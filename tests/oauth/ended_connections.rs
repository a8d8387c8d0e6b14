//! Ending a connection: all grants of one person to one client, and whatever could become one.

use crate::support::TestApp;
use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CLIENT, authorize_url, token_error, tokens, user};
use futures_util::FutureExt as _;
use statibeat_mcp::model::ids::{RequestId, UserId};
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::storage::grants;

const SCOPE: &str = "mcp.pages.read";

fn revoke_connection(app: &TestApp, user_id: &str) -> usize {
    let (user, client) = (UserId::parse(user_id).expect("an id"), ClientId::parse(CLIENT).expect("fits"));
    let request_id = RequestId::parse("r").expect("an id");
    let clients = [&client];
    let ended = grants::revoke_connections(&*app.db, &user, &clients, &request_id, app.now());
    ended.now_or_never().expect("no waiting").expect("a working database")
}

/// V9
#[test]
fn ending_a_connection_ends_all_its_grants_tokens_and_codes_at_once() {
    let app = TestApp::new();
    let (first, second) = (app.connect(user::MARA_ADMIN, SCOPE), app.connect(user::MARA_ADMIN, SCOPE));
    let code = app.code(user::MARA_ADMIN, SCOPE);
    assert_eq!(revoke_connection(&app, user::MARA_ADMIN), 3);
    for pair in [&first, &second] {
        assert_eq!(app.ping(&pair.access), 401);
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (400, "invalid_grant".into()));
    }
    assert_eq!(token_error(&app.redeem(&code, &[])), (400, "invalid_grant".into()));
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke' AND detail = 'user'"), 3);
    let before = app.db.dump();
    assert_eq!(revoke_connection(&app, user::MARA_ADMIN), 0, "once is enough");
    assert_eq!(app.db.dump(), before);
}

/// V9
#[test]
fn a_consent_page_opened_before_cannot_bring_a_connection_back() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, SCOPE);
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    revoke_connection(&app, user::MARA_ADMIN);
    let before = app.db.dump();
    assert_eq!(browser.answer(&consent, "approve").status, 400);
    assert_eq!(app.db.dump(), before);
}

/// V9
#[test]
fn connections_of_other_people_and_clients_stay_connected() {
    let app = TestApp::new();
    let theirs = app.connect(user::THEO_MANAGER, SCOPE);
    app.connect(user::MARA_ADMIN, SCOPE);
    let url = authorize_url(&[("client_id", "other-client"), ("scope", SCOPE)]);
    let browser = Browser::new(&app);
    let left = browser.answer(&browser.sign_in(&url, user::MARA_ADMIN), "approve").leaves_for();
    let code = parameter(&left, "code").expect("a code");
    revoke_connection(&app, user::MARA_ADMIN);
    assert_eq!(app.ping(&theirs.access), 200);
    let other = tokens(&app.redeem(&code, &[("client_id", "other-client")]));
    assert_eq!(app.ping(&other.access), 200);
}

/// V9
#[test]
fn a_connection_can_be_made_anew_after_it_was_ended() {
    let app = TestApp::new();
    let old = app.connect(user::MARA_ADMIN, SCOPE);
    revoke_connection(&app, user::MARA_ADMIN);
    let new = app.connect(user::MARA_ADMIN, SCOPE);
    assert_eq!((app.ping(&old.access), app.ping(&new.access)), (401, 200));
}
