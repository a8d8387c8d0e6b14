//! Whose calls show in the activity of a page, and how many refused ones are kept.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{Tokens, authorize_url, tokens, user};
use crate::support::simulator::FaultKind;
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use std::time::Duration;

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
    let named: Vec<String> = scope.split(' ').map(str::to_owned).collect();
    let code = parameter(&browser.answer_with(&consent, "approve", &named).leaves_for(), "code").expect("a code");
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

const ACTIVITY: &str = "https://mcp.example/mcp/admin/activity";

/// The activity of one signed-in person, as the page for this query shows it.
fn activity(browser: &Browser<'_>, query: &str) -> String {
    browser.open(&format!("{ACTIVITY}?{query}")).body
}

/// Theo's app, of another name than Mara's, created an incident; Mara's did a day later, and then she blocked Theo's app.
fn busy_page() -> TestApp {
    let app = TestApp::new();
    let theo = connect_as(&app, user::THEO_MANAGER, "desk", WRITE);
    app.db.execute("UPDATE grants SET client_name = 'Support Desk' WHERE client_id = 'desk'");
    create_incident(&app, &theo.access, 42, "Checkout fails");
    app.db.execute("UPDATE audit SET client_name = 'Support Desk' WHERE client_id = 'desk'");
    app.advance(Duration::from_hours(24));
    let mara = app.connect(user::MARA_ADMIN, WRITE);
    create_incident(&app, &mara.access, 42, "Login is slow");
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let connection = format!("{} desk", user::THEO_MANAGER);
    let blocked =
        browser.submit_action(&page, &[("action", "block"), ("connection", connection.as_str()), ("page", "42")]);
    assert_eq!(blocked.status, 200, "{}", blocked.body);
    app
}

#[test]
fn row_of_a_write_names_person_and_app_and_links_to_the_incident() {
    let app = busy_page();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let shown = activity(&browser, "app=Support+Desk&outcome=done&person=2");
    let row = shown.split("<tr>").find(|row| row.contains("Checkout fails")).expect("a row");
    for part in ["Theo Okafor", "Support Desk", "Create incident", "Northwind Cloud Status", "Audit ID"] {
        assert!(row.contains(part), "{part} in {row}");
    }
    assert!(shown.contains("2 entries"), "the write, and the block of its app: {shown}");
    let id = app.db.count("SELECT CAST(target_id AS INTEGER) FROM audit WHERE title = 'Checkout fails'");
    assert!(row.contains(&format!("href=\"https://status.northwind.example/incidents/{id}\"")), "{row}");
    assert!(row.contains(&format!("/admin/pages/42/incidents/{id}\"")), "{row}");
    assert!(shown.contains("/admin/pages/42/audit\""), "the auditing view of the page: {shown}");
}

#[test]
fn row_of_an_update_links_to_what_it_was_added_to() {
    let app = TestApp::new();
    let scopes = "mcp.pages.read mcp.incidents.write mcp.maintenances.write";
    let mara = connect_as(&app, user::MARA_ADMIN, "desk", scopes);
    for (tool, target, id) in
        [("add_incident_update", "incident", 1001), ("add_maintenance_update", "maintenance", 2001)]
    {
        let mut arguments = json!({ "page_id": 42, "message": "We watch it." });
        arguments[format!("{target}_id")] = json!(id);
        let told = app.call_tool(&mara.access, tool, &arguments);
        let public_url = format!("https://status.northwind.example/{target}s/{id}");
        let text = told["content"][0]["text"].as_str().expect("a text");
        assert!(text.contains(&format!("Customers see it at {public_url}")), "{text}");
        let browser = Browser::new(&app);
        browser.open_admin_page(user::MARA_ADMIN);
        let shown = activity(&browser, "outcome=done");
        assert!(shown.contains(&format!("href=\"{public_url}\"")), "{shown}");
        assert!(shown.contains(&format!("/admin/pages/42/{target}s/{id}\"")), "{shown}");
    }
}

#[test]
fn row_of_a_block_names_who_blocked_whose_app() {
    let app = busy_page();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let shown = activity(&browser, "person=2");
    let row = shown.split("<tr>").find(|row| row.contains("App blocked on the page")).expect("a row");
    assert!(row.contains(">You<") && row.contains("of Theo Okafor") && row.contains("Support Desk"), "{row}");
    let api = json(&browser.open(&format!("{PAGE}/api/activity?person=2")).response);
    let block = &api["items"][0];
    assert_eq!((&block["kind"], &block["user_name"]), (&json!("page_block"), &json!("Mara Lindqvist")));
    assert_eq!((&block["owner_id"], &block["owner_name"]), (&json!("2"), &json!("Theo Okafor")));
    assert_eq!((&api["total"], &api["has_more_than_total"]), (&json!(2), &json!(false)));
}

#[test]
fn activity_is_filtered_by_person_app_and_day() {
    let app = busy_page();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let today = app.now().to_string()[..10].to_owned();
    let titles = |query: &str| {
        let shown = activity(&browser, query);
        ["Checkout fails", "Login is slow"].map(|title| shown.contains(title))
    };
    assert_eq!(titles(""), [true, true]);
    assert_eq!(titles("person=2"), [true, false]);
    assert_eq!(titles("person=1"), [false, true]);
    assert_eq!(titles("app=Support+Desk"), [true, false]);
    assert_eq!(titles("app=Support"), [false, false], "the whole name counts");
    assert_eq!(titles(&format!("from={today}")), [false, true]);
    assert_eq!(titles(&format!("from={today}&to={today}")), [false, true]);
    assert_eq!(titles("from=2000-01-01&to=2000-01-31"), [false, false]);
    let form = activity(&browser, "");
    assert!(form.contains("<option value=\"2\">Theo Okafor</option>"), "{form}");
    assert!(form.contains("<option value=\"Support Desk\">Support Desk</option>"), "{form}");
}

#[test]
fn day_that_cannot_be_read_is_reported_and_keeps_the_other_filters() {
    let app = busy_page();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let shown = activity(&browser, "person=2&app=Support+Desk&from=2026-02-30");
    assert!(shown.contains("role=\"alert\"") && shown.contains("“2026-02-30”, which isn't a day"), "{shown}");
    assert!(!shown.contains("Checkout fails"), "rows of another period would mislead: {shown}");
    assert!(
        shown.contains("<option value=\"2\" selected>") && shown.contains("<option value=\"Support Desk\" selected>")
    );
    let api = browser.open(&format!("{PAGE}/api/activity?from=2026-11-29&to=2026-11-28"));
    assert_eq!(api.status, 400);
    let error = json(&api.response)["error"].as_str().expect("an error").to_owned();
    assert!(error.contains("2026-11-29") && error.contains("2026-11-28"), "{error}");
}

#[test]
fn people_and_apps_of_pages_that_a_viewer_does_not_administer_are_not_offered() {
    let app = busy_page();
    let own = connect_as(&app, user::INES_VIEWER, "own", WRITE);
    create_incident(&app, &own.access, 42, "Not allowed");
    for (viewer, others) in [
        (user::INES_VIEWER, ["Theo Okafor", "Mara Lindqvist", "Login is slow", "Checkout fails"]),
        (user::THEO_MANAGER, ["Ines Castro", "Mara Lindqvist", "Login is slow", "Not allowed"]),
    ] {
        let browser = Browser::new(&app);
        browser.open_admin_page(viewer);
        for query in ["", "person=1", "person=2", "person=3", "app=Support+Desk", "page=42", "from=2000-01-01"] {
            let shown = activity(&browser, query);
            for other in others {
                assert!(!shown.contains(other), "{viewer} {query} {other}: {shown}");
            }
        }
    }
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    assert!(activity(&browser, "person=3").contains("Not allowed"), "an admin of the page sees the attempt");
}

#[test]
fn page_without_a_clear_audit_setting_is_named_as_not_known() {
    let app = busy_page();
    app.upstream.tamper(|asked, answer| {
        let mut document: Value = serde_json::from_slice(answer.body()).expect("JSON");
        if asked.uri().path().ends_with("/me/pages") {
            for page in document["items"].as_array_mut().expect("pages") {
                page.as_object_mut().expect("a page").remove("audit_logs_enabled");
            }
        }
        Ok(answer.map(|_| document.to_string().into()))
    });
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let shown = activity(&browser, "");
    assert!(shown.contains("didn't say whether audit logs are on for Northwind Cloud Status, Northwind EU Status"));
    assert!(!shown.contains("Checkout fails"), "{shown}");
}
