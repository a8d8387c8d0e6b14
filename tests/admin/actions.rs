//! Actions on the Hosted MCP page take effect at once, and nobody else can carry them out (V9, V10).

use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{Tokens, authorize_url, tokens, user};
use crate::support::{PUBLIC_URL, TestApp, json};
use serde_json::{Value, json};

const PAGE: &str = "https://mcp.example/mcp/admin";
const ACTION: &str = "https://mcp.example/mcp/admin/action";
const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

/// Ends, pauses, resumes: on Mara's connection of the test client.
fn on_client(action: &str) -> [(&str, &str); 2] {
    [("action", action), ("connection", "1 test-client")]
}

/// On Theo's connection, by an admin of the page.
fn on_page<'a>(action: &'a str, page: &'a str) -> [(&'a str, &'a str); 3] {
    [("action", action), ("connection", "2 test-client"), ("page", page)]
}

fn post_incident(app: &TestApp, pair: &Tokens) -> Value {
    let arguments = json!({ "page_id": 42, "title": "t", "description": "d", "status": "degraded", "affected_items_freetext": "API" });
    json(&app.call(&pair.access, "tools/call", json!({ "name": "create_incident", "arguments": arguments })))
}

fn signed_in<'a>(app: &'a TestApp, user_id: &str) -> (Browser<'a>, Shown) {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user_id);
    (browser, page)
}

/// V9
#[test]
fn revoked_connection_loses_tokens_codes_and_open_consent_pages_at_once() {
    let app = TestApp::new();
    let (one, two) = (app.connect(user::MARA_ADMIN, ALL), app.connect(user::MARA_ADMIN, ALL));
    let code = app.code(user::MARA_ADMIN, ALL);
    let elsewhere = Browser::new(&app);
    let consent = elsewhere.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    let asked = browser.open(&format!("{ACTION}?action=revoke&connection=1+test-client"));
    assert!(asked.body.contains("End the connection to test-client?"), "{}", asked.body);
    assert_eq!(app.ping(&one.access), 200, "asking changes nothing");
    let done = browser.submit_action(&page, &on_client("revoke"));
    assert!(done.status == 200 && done.body.contains("Access of test-client is ended"), "{}", done.body);
    for pair in [one, two] {
        assert_eq!(app.ping(&pair.access), 401);
        assert_eq!(json(&app.refresh(&pair.refresh, &[]))["error"], "invalid_grant");
    }
    assert_eq!(json(&app.redeem(&code, &[]))["error"], "invalid_grant");
    assert_eq!(elsewhere.answer(&consent, "approve").status, 400, "an older consent page brings nothing back");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke' AND detail = 'user'"), 3);
    assert!(done.body.contains("Connection ended"), "the page's own activity shows it: {}", done.body);
}

#[test]
fn only_what_takes_access_away_is_asked_about_before_it_is_done() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    let token = page.hidden("token");
    let submit = |action: &str| {
        let fields = [("token", token.as_str()), ("action", action), ("connection", "1 test-client")];
        browser.submit(&page, ACTION, &fields).body
    };
    let paused = submit("pause");
    assert!(paused.contains("Writes of test-client are paused"), "{paused}");
    assert!(submit("revoke").contains("End the connection to test-client?"));
    assert_eq!(app.ping(&pair.access), 200);
}

#[test]
fn after_an_action_the_list_is_shown_at_the_row_unless_the_connection_ended() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    let row = |action: &str| {
        let done = browser.submit_action(&page, &on_client(action));
        let place = done.url.fragment().expect("a place").to_owned();
        (place == "connections", done.body.contains(&format!("id=\"{place}\"")))
    };
    assert_eq!([row("pause"), row("revoke")], [(false, true), (true, true)]);
}

#[test]
fn revoke_all_ends_the_connections_of_one_person_only() {
    let app = TestApp::new();
    let (mara, theo) = (app.connect(user::MARA_ADMIN, ALL), app.connect(user::THEO_MANAGER, ALL));
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    assert!(browser.open(&format!("{ACTION}?action=revoke-all")).body.contains("End all your connections?"));
    browser.submit_action(&page, &[("action", "revoke-all")]);
    assert_eq!((app.ping(&mara.access), app.ping(&theo.access)), (401, 200));
}

#[test]
fn paused_writes_are_refused_and_recorded_until_they_are_resumed() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    let paused = browser.submit_action(&page, &on_client("pause"));
    assert!(paused.body.contains("Writes of test-client are paused"), "{}", paused.body);
    let shown = browser.open_connection(user::MARA_ADMIN, "test-client").body;
    assert!(shown.contains("Writes paused") && shown.contains("Resume writes"), "{shown}");
    let refused = post_incident(&app, &pair);
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    assert!(refused.to_string().contains("has paused"), "{refused}");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE detail = 'writes_paused' AND outcome = 'refused'"), 1);
    assert_eq!(app.read(&pair.access, "statibeat://pages/42/summary")["page"]["id"], 42, "reading goes on");
    let again = app.connect(user::MARA_ADMIN, ALL);
    assert_eq!(post_incident(&app, &again)["result"]["isError"], true, "connecting again does not lift the pause");
    browser.submit_action(&page, &on_client("resume"));
    assert_ne!(post_incident(&app, &pair)["result"]["isError"], true);
}

#[test]
fn confirm_always_requires_confirmation_of_every_write_of_the_connection() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, ALL);
    let (browser, page) = signed_in(&app, user::THEO_MANAGER);
    let strict = browser.submit_action(&page, &[("action", "confirm-always"), ("connection", "2 test-client")]);
    assert!(strict.body.contains("Every write confirmed"), "{}", strict.body);
    assert!(strict.body.contains("Confirmation of writes changed"), "the activity shows it: {}", strict.body);
    let bare = post_incident(&app, &pair)["result"].clone();
    assert!(bare["isError"] == true && bare.to_string().contains("preview: true"), "{bare}");
    let again = app.connect(user::THEO_MANAGER, ALL);
    assert_eq!(post_incident(&app, &again)["result"]["isError"], true, "a new approval does not undo it");
    browser.submit_action(&strict, &[("action", "confirm-as-usual"), ("connection", "2 test-client")]);
    assert_ne!(post_incident(&app, &pair)["result"]["isError"], true);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'confirm'"), 2);
}

#[test]
fn new_connection_after_revocation_is_not_paused() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    browser.submit_action(&page, &on_client("pause"));
    browser.submit_action(&page, &on_client("revoke"));
    let anew = app.connect(user::MARA_ADMIN, ALL);
    assert_ne!(post_incident(&app, &anew)["result"]["isError"], true);
}

#[test]
fn admin_sees_other_peoples_connections_and_can_block_them_on_the_page() {
    let app = TestApp::new();
    app.upstream.simulator.set_role(2, 43, Some("page_manager")).expect("a role");
    let theo = app.connect(user::THEO_MANAGER, ALL);
    app.upstream.simulator.set_role(1, 43, None).expect("no role");
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    assert!(page.body.contains("(test-client of Theo Okafor)"), "{}", page.body);
    assert!(!page.body.contains("Unblock"), "nothing is blocked: {}", page.body);
    let asked = browser.open(&format!("{ACTION}?action=block&connection=2+test-client&page=42"));
    assert!(asked.body.contains("Block test-client of Theo Okafor on"), "{}", asked.body);
    let done = browser.submit_action(&page, &on_page("block", "42"));
    let note = "Blocked on Northwind Cloud Status: test-client of Theo Okafor.";
    assert!(done.body.contains(note) && done.body.contains("Unblock"), "{}", done.body);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'page_block' AND user_name = 'Mara Lindqvist' AND owner_name = 'Theo Okafor'"), 1);
    let read = |pair: &Tokens, page: &str| {
        let uri = format!("statibeat://pages/{page}/summary");
        let answer = app.call(&pair.access, "resources/read", json!({ "uri": uri }));
        String::from_utf8_lossy(answer.body()).replace(page, "N")
    };
    assert_eq!(read(&theo, "42"), read(&theo, "999"), "the page does not exist for it");
    assert_eq!(app.read(&theo.access, "statibeat://pages/43/summary")["page"]["id"], 43, "other pages do");
    let again = app.connect(user::THEO_MANAGER, ALL);
    assert_eq!(read(&again, "42"), read(&again, "999"), "connecting again does not undo it");
    browser.submit_action(&page, &on_page("unblock", "42"));
    assert_eq!(app.read(&theo.access, "statibeat://pages/42/summary")["page"]["id"], 42);
}

#[test]
fn connection_shows_to_page_admins_after_its_first_call_on_the_page() {
    let app = TestApp::new();
    app.upstream.simulator.set_role(2, 42, None).expect("no role");
    app.upstream.simulator.set_role(2, 77, Some("page_viewer")).expect("a role");
    let theo = app.connect(user::THEO_MANAGER, ALL);
    app.upstream.simulator.set_role(2, 42, Some("page_viewer")).expect("a role");
    let sees = || signed_in(&app, user::MARA_ADMIN).1.body.contains("of Theo Okafor");
    assert!(!sees(), "it has not reached page 42 yet");
    app.read(&theo.access, "statibeat://pages/42/summary");
    app.count_calls();
    assert!(sees());
}

#[test]
fn connection_limited_to_other_pages_is_not_shown_to_an_admin() {
    let app = TestApp::new();
    app.upstream.simulator.set_role(2, 77, Some("page_viewer")).expect("a role");
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::THEO_MANAGER);
    let fields =
        [("scope", "mcp.pages.read"), ("pages", "these"), ("page", "77"), ("lifetime", "7d"), ("answer", "approve")];
    let code = crate::support::browser::parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code");
    app.redeem(&code.expect("a code"), &[]);
    assert!(!signed_in(&app, user::MARA_ADMIN).1.body.contains("of Theo Okafor"));
}

/// V10
#[test]
fn action_on_a_foreign_connection_or_page_gets_404() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::THEO_MANAGER);
    let before = app.db.dump();
    let unseen = before.lines().filter(|row| !row.starts_with("sessions")).collect::<Vec<_>>();
    let of_mara = [("action", "block"), ("connection", "1 test-client"), ("page", "42")];
    for fields in [&on_client("revoke")[..], &on_client("pause"), &[("action", "revoke-all")], &of_mara] {
        assert_eq!(browser.submit_action(&page, fields).status, 404, "{fields:?}");
    }
    let after = app.db.dump();
    assert_eq!(after.lines().filter(|row| !row.starts_with("sessions")).collect::<Vec<_>>(), unseen);
    assert_eq!(app.ping(&mara.access), 200);
}

/// V10
#[test]
fn form_without_the_session_token_or_from_another_site_gets_403() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    let (_, other) = signed_in(&app, user::MARA_ADMIN);
    for token in [None, Some("made-up".to_owned()), Some(other.hidden("token"))] {
        let token = token.as_deref().map(|token| ("token", token));
        let fields: Vec<_> = on_client("revoke").into_iter().chain(token).collect();
        assert_eq!(browser.submit(&page, ACTION, &fields).status, 403, "{token:?}");
    }
    let body = format!("token={}&confirmed=1&action=revoke&connection=1+test-client", page.hidden("token"));
    let url = url::Url::parse(ACTION).expect("a URL");
    for origin in ["https://evil.example", "null", "https://mcp.example.evil.example"] {
        assert_eq!(browser.request("POST", &url, body.clone(), origin).status(), 403, "{origin}");
    }
    assert_eq!(app.ping(&pair.access), 200);
    assert_eq!(browser.request("POST", &url, body, PUBLIC_URL).status(), 303, "the same form from our page works");
    assert_eq!(app.ping(&pair.access), 401);
}

/// V10
#[test]
fn form_sent_twice_or_after_sign_out_has_no_effect() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    browser.submit_action(&page, &on_client("revoke"));
    assert_eq!(browser.submit_action(&page, &on_client("revoke")).status, 404);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'revoke'"), 1);
    let pair = app.connect(user::MARA_ADMIN, ALL);
    browser.submit(&page, &format!("{PAGE}/sign-out"), &[("token", &page.hidden("token"))]);
    assert!(browser.submit_action(&page, &on_client("revoke")).body.contains("Sign in and go back"));
    assert_eq!(app.ping(&pair.access), 200);
}

/// V10
#[test]
fn get_of_an_action_changes_nothing() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    for action in ["revoke", "revoke-all", "pause", "resume", "made-up"] {
        let token = page.hidden("token");
        browser.open(&format!("{ACTION}?action={action}&connection=1+test-client&token={token}"));
    }
    assert_eq!(app.ping(&pair.access), 200);
    assert_eq!(app.db.count("SELECT count(*) FROM connections WHERE writes_paused_at IS NOT NULL"), 0);
}

/// Connects this user with a client of that id.
fn connect_as(app: &TestApp, user_id: &str, client_id: &str) -> Tokens {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("client_id", client_id), ("scope", ALL)]), user_id);
    let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[("client_id", client_id)]))
}

#[test]
fn action_on_one_connection_leaves_other_connections_unchanged() {
    for id in ["test-client", "other-client"] {
        let app = TestApp::new();
        let pairs = ["test-client", "other-client"].map(|id| (id, connect_as(&app, user::MARA_ADMIN, id)));
        let (browser, page) = signed_in(&app, user::MARA_ADMIN);
        browser.submit_action(&page, &[("action", "revoke"), ("connection", &format!("1 {id}"))]);
        for (other, pair) in pairs {
            assert_eq!(app.ping(&pair.access), if other == id { 401 } else { 200 }, "{other} after {id}");
        }
    }
}

#[test]
fn block_applies_to_the_named_person_client_and_page() {
    let people = [user::THEO_MANAGER, user::INES_VIEWER];
    for (user_id, client, page_id) in [
        ("2", "test-client", "42"),
        ("3", "test-client", "42"),
        ("2", "other-client", "42"),
        ("2", "test-client", "43"),
    ] {
        let app = TestApp::new();
        for id in [2, 3] {
            app.upstream.simulator.set_role(id, 43, Some("page_viewer")).expect("a role");
        }
        for person in people {
            for id in ["test-client", "other-client"] {
                connect_as(&app, person, id);
            }
        }
        let (browser, page) = signed_in(&app, user::MARA_ADMIN);
        let connection = format!("{user_id} {client}");
        browser.submit_action(&page, &[("action", "block"), ("connection", &connection), ("page", page_id)]);
        let named = format!("user_id = '{user_id}' AND client_id = '{client}' AND page_id = {page_id}");
        let blocks = app.db.count("SELECT count(*) FROM page_blocks");
        let meant = app.db.count(&format!("SELECT count(*) FROM page_blocks WHERE {named}"));
        assert_eq!((blocks, meant), (1, 1), "{named}");
    }
}

/// A form whose connection field got lost is no block of everybody.
#[test]
fn block_of_a_page_without_a_connection_or_person_changes_nothing() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, ALL);
    let (browser, page) = signed_in(&app, user::MARA_ADMIN);
    browser.submit_action(&page, &[("action", "block"), ("page", "42")]);
    assert_eq!(app.db.count("SELECT count(*) FROM page_blocks"), 0);
}
