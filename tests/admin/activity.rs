//! Whose calls show in the activity of a page, and how many refused ones are kept.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{Tokens, authorize_url, tokens, user};
use crate::support::simulator::FaultKind;
use crate::support::{TestApp, json};
use serde_json::{Value, json};

const PAGE: &str = "https://mcp.example/mcp/admin";
const READ: &str = "mcp.pages.read mcp.incidents.read";
const WRITE: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
/// A text that a stranger would like an admin to read.
const FORGED: &str = "Call +1 555 0100 to keep your page";

/// Connects this user with a client of that id.
fn connect_as(app: &TestApp, user_id: &str, client_id: &str, scope: &str) -> Tokens {
    let browser = Browser::new(app);
    let changes = [("client_id", client_id), ("scope", scope)];
    let consent = browser.sign_in(&authorize_url(&changes), user_id);
    let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[("client_id", client_id)]))
}

fn create_incident(app: &TestApp, access: &str, page_id: i64, title: &str) -> Value {
    let arguments = json!({ "page_id": page_id, "title": title, "description": "d", "status": "degraded", "affected_items_freetext": "API" });
    json(&app.call(access, "tools/call", json!({ "name": "create_incident", "arguments": arguments })))
}

/// Everything that an admin of page 42 sees: the page and the admin API.
fn everything_mara_sees(app: &TestApp) -> String {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user::MARA_ADMIN).body;
    let api = |part: &str| browser.open(&format!("{PAGE}/api/{part}")).body;
    [page, api("activity"), api("connections"), api("setup")].concat()
}

/// A call by somebody who cannot see page 42, and what Mara, its admin, must not see of it.
fn check_hidden(scope: &str, user_id: &str, can_see: bool) {
    let app = TestApp::new();
    if !can_see {
        app.upstream.simulator.set_role(user_id.parse().expect("a number"), 42, None).expect("no role");
        app.upstream.simulator.set_role(user_id.parse().expect("a number"), 77, Some("page_manager")).expect("a role");
    }
    let pair = connect_as(&app, user_id, "Support Desk", scope);
    create_incident(&app, &pair.access, 42, FORGED);
    // Arguments that cannot be read.
    let unreadable = json!({ "name": "create_incident", "arguments": { "page_id": 42, "title": FORGED } });
    app.call(&pair.access, "tools/call", unreadable);
    let seen = everything_mara_sees(&app);
    assert!(!seen.contains("555 0100"), "{scope}, {user_id}: {seen}");
    assert!(can_see || !seen.contains("Support Desk"), "{scope}, {user_id}: {seen}");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'refused'"), 2);
}

#[test]
fn refused_call_on_an_inaccessible_page_is_hidden_from_its_admins() {
    check_hidden(WRITE, user::THEO_MANAGER, false);
}

#[test]
fn read_only_token_cannot_write_into_the_activity_of_a_page() {
    check_hidden(READ, user::THEO_MANAGER, false);
    check_hidden(READ, user::THEO_MANAGER, true);
}

#[test]
fn call_with_failed_permission_check_is_hidden_from_page_admins() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, WRITE);
    app.upstream.inject(None, "/api/v1/me/pages", FaultKind::Html { code: 200 });
    create_incident(&app, &pair.access, 42, FORGED);
    assert!(!everything_mara_sees(&app).contains("555 0100"));
}

#[test]
fn call_refused_by_the_role_shows_to_the_admins_of_a_page_its_caller_can_see() {
    let app = TestApp::new();
    let pair = app.connect(user::INES_VIEWER, WRITE);
    create_incident(&app, &pair.access, 42, "Login is slow");
    let seen = everything_mara_sees(&app);
    assert!(seen.contains("Login is slow") && seen.contains("not allowed by the role"), "{seen}");
}

#[test]
fn own_activity_shows_a_call_on_an_inaccessible_page_without_its_title() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, WRITE);
    create_incident(&app, &pair.access, 77, FORGED);
    let seen = everything_mara_sees(&app);
    assert!(seen.contains("Create incident") && !seen.contains("555 0100"), "{seen}");
}

/// Rows of a program that did not yet tell an asked page from a reached one.
#[test]
fn older_rows_that_were_refused_before_access_was_known_stay_hidden() {
    let app = TestApp::new();
    let row = |id: &str, outcome: &str, detail: &str, title: &str| {
        app.db.execute(&format!(
            "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, page_id, tool, title,
             request_id, detail) VALUES ('{id}', 1, 'write', '{outcome}', '2', 'c', 'C', 'g', 42, 'create_incident',
             '{title}', 'r', '{detail}')"
        ));
    };
    for (n, detail) in ["page", "scope", "role", "arguments"].iter().enumerate() {
        row(&format!("a{n}"), "refused", detail, FORGED);
    }
    row("b", "failed", "upstream_unavailable", FORGED);
    row("c", "done", "", "Published once");
    let seen = everything_mara_sees(&app);
    assert!(!seen.contains("555 0100") && seen.contains("Published once"), "{seen}");
}

#[test]
fn activity_leaves_out_pages_that_a_person_no_longer_sees() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, WRITE);
    create_incident(&app, &pair.access, 42, "Checkout fails");
    let sees = || Browser::new(&app).open_admin_page(user::THEO_MANAGER).body.contains("Checkout fails");
    assert!(sees());
    // A page with audit logs: without one, no activity is shown at all.
    app.upstream.simulator.set_role(2, 77, Some("page_viewer")).expect("a role");
    assert!(sees());
    app.upstream.simulator.set_role(2, 42, None).expect("no role");
    assert!(!sees(), "the page is out of sight, and what was written on it");
}

#[test]
fn refused_call_during_a_limiter_outage_is_only_counted() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, READ);
    app.limiter.is_down.set(true);
    create_incident(&app, &pair.access, 42, "Attempt");
    app.count_calls();
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'write'"), 0);
    assert_eq!(app.db.count("SELECT calls FROM audit WHERE kind = 'unrecorded'"), 1);
}

#[test]
fn refused_calls_beyond_the_limit_add_up_in_one_row() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, READ);
    for n in 0..500 {
        create_incident(&app, &pair.access, 42, &format!("Attempt {n}"));
        app.count_calls();
    }
    let rows = app.db.count("SELECT count(*) FROM audit WHERE kind = 'write'");
    assert_eq!(rows, 100);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'unrecorded'"), 1);
    assert_eq!(app.db.count("SELECT calls FROM audit WHERE kind = 'unrecorded'"), 400);
    let seen = Browser::new(&app).open_admin_page(user::THEO_MANAGER).body;
    assert!(seen.contains("400 calls, not listed one by one"), "{seen}");
}
