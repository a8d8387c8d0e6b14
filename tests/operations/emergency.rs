//! The operator's emergency commands (`xtask/src/operations/revoke.rs`), under a connector at work.

use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use crate::support::surface::EVERYTHING;
use statements::{Whose, counting, ending};

#[path = "../../xtask/src/operations/revoke/statements.rs"]
mod statements;

fn run(app: &TestApp, whose: &Whose<'_>) {
    for statement in ending(whose).split(";\n").filter(|statement| !statement.starts_with("SELECT")) {
        app.db.execute(statement.trim_end_matches(';'));
    }
}

/// Connections, people, clients, open sign-ins and sessions that would be ended.
fn count(app: &TestApp, whose: &Whose<'_>) -> [i64; 5] {
    let query = counting(whose).replace("unixepoch()", &app.now().as_seconds().to_string());
    let column = |name| app.db.count(&format!("SELECT {name} FROM ({query})"));
    ["connections", "people", "clients", "sign_ins", "sessions"].map(column)
}

#[test]
fn count_before_a_revocation_is_what_the_revocation_ends() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, EVERYTHING);
    app.connect(user::MARA_ADMIN, EVERYTHING);
    app.connect(user::THEO_MANAGER, EVERYTHING);
    let browser = Browser::new(&app);
    browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!(count(&app, &Whose::Everybody), [2, 2, 1, 1, 1], "two approvals of one person are one connection");
    assert_eq!(count(&app, &Whose::Client(CLIENT)), [2, 2, 1, 1, 0]);
    assert_eq!(count(&app, &Whose::User(user::THEO_MANAGER)), [1, 1, 1, 0, 0]);
    for nobody in [Whose::User("404"), Whose::Client("x' OR 1=1 --")] {
        assert_eq!(count(&app, &nobody), [0; 5]);
    }
    run(&app, &Whose::User(user::THEO_MANAGER));
    assert_eq!(count(&app, &Whose::User(user::THEO_MANAGER)), [0; 5]);
    assert_eq!(count(&app, &Whose::Everybody), [1, 1, 1, 1, 1]);
}

#[test]
fn expired_connection_is_not_counted_and_an_unredeemed_code_is() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, EVERYTHING);
    app.db.execute("UPDATE refresh_tokens SET expires_at = 1");
    assert_eq!(count(&app, &Whose::Everybody), [0; 5]);
    app.code(user::THEO_MANAGER, EVERYTHING);
    assert_eq!(count(&app, &Whose::Everybody)[..3], [1, 1, 1]);
}

#[test]
fn ending_everything_ends_every_token_code_authorization_request_and_session() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING);
    let theo = app.connect(user::THEO_MANAGER, EVERYTHING);
    let code = app.code(user::THEO_MANAGER, EVERYTHING);
    let browser = Browser::new(&app);
    let asked = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.open_admin_page(user::MARA_ADMIN);

    run(&app, &Whose::Everybody);

    for connection in [&mara, &theo] {
        assert_eq!(app.ping(&connection.access), 401);
        assert_eq!(app.refresh(&connection.refresh, &[]).status(), 400);
    }
    assert_eq!(app.redeem(&code, &[]).status(), 400);
    let approved = browser.answer(&asked, "approve");
    assert!(approved.status >= 400, "a consent page opened earlier makes no connection: {}", approved.body);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NULL"), 0);
    let recorded = "SELECT count(*) FROM audit WHERE kind = 'revoke' AND detail = 'operator'";
    assert_eq!(app.db.count(recorded), app.db.count("SELECT count(*) FROM grants"));
    let closed = "SELECT count(*) FROM audit WHERE kind = 'session_close' AND detail = 'operator' AND user_id = '1'";
    assert_eq!(app.db.count(closed), 1);
    run(&app, &Whose::Everybody);
    assert_eq!(app.db.count(recorded), app.db.count("SELECT count(*) FROM grants"), "a second run changes nothing");
    assert_eq!(app.db.count(closed), 1);
}

#[test]
fn everybody_may_connect_anew_afterwards() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, EVERYTHING);
    run(&app, &Whose::Everybody);
    let again = app.connect(user::MARA_ADMIN, EVERYTHING);
    assert_eq!(app.ping(&again.access), 200);
    tokens(&app.refresh(&again.refresh, &[]));
}

#[test]
fn ending_one_person_s_or_one_client_s_connections_leaves_the_others() {
    for (whose, mara_stays) in
        [(Whose::User(user::THEO_MANAGER), true), (Whose::Client(CLIENT), false), (Whose::Client("x' OR 1=1 --"), true)]
    {
        let app = TestApp::new();
        let mara = app.connect(user::MARA_ADMIN, EVERYTHING);
        let theo = app.connect(user::THEO_MANAGER, EVERYTHING);
        run(&app, &whose);
        let stays = |token: &str| app.ping(token) == 200;
        assert_eq!(stays(&mara.access), mara_stays);
        assert_eq!(stays(&theo.access), matches!(whose, Whose::Client(client) if client != CLIENT));
    }
}
