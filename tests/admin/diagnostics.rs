//! The diagnosis of a connection on the Hosted MCP page, as its owner sees it.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CLIENT, Tokens, authorize_url, tokens, user};
use crate::support::{TestApp, request};
use futures_util::FutureExt as _;
use serde_json::json;
use statibeat_mcp::storage::purge;
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

/// The diagnosis of the only connection.
fn diagnosis(app: &TestApp, user_id: &str) -> String {
    let browser = Browser::new(app);
    browser.open_admin_page(user_id);
    let page = browser.open_connection(user_id, CLIENT).body;
    let start = page.find("Connection health").unwrap_or_else(|| panic!("no diagnosis in {page}"));
    page[start..].split("</section>").next().expect("an end").to_owned()
}

fn check(said: &str, wanted: &[&str]) {
    for text in wanted {
        assert!(said.contains(text), "no {text} in {said}");
    }
}

fn introduce(app: &TestApp, pair: &Tokens, name: &str) {
    let info = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": name, "version": "1.9.2" } });
    app.call(&pair.access, "initialize", info);
    app.count_calls();
}

#[test]
fn diagnosis_shows_reported_client_name_and_protocol_version() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    check(&diagnosis(&app, user::MARA_ADMIN), &["Not used yet", "Not reported yet", "hasn't made a call yet"]);
    introduce(&app, &pair, "Cursor");
    check(&diagnosis(&app, user::MARA_ADMIN), &["Working", "Cursor 1.9.2", "MCP 2025-11-25", "with a handshake"]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "Claude", "version": "3" },
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta } }).to_string();
    let authorization = format!("Bearer {}", pair.access);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/list"),
    ];
    assert_eq!(app.send(request("POST", "/mcp", &headers, body)).status(), 200);
    app.count_calls();
    check(&diagnosis(&app, user::MARA_ADMIN), &["Claude 3", "MCP 2026-07-28", "no handshake"]);
}

#[test]
fn last_use_is_the_last_call_that_the_diagnosis_shows() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    introduce(&app, &pair, "Cursor");
    app.advance(Duration::from_mins(3));
    introduce(&app, &pair, "Cursor");
    app.advance(Duration::from_mins(9));
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let page = browser.open_connection(user::MARA_ADMIN, CLIENT).body;
    for term in ["Last used", "Last call"] {
        let start = page.find(&format!("<dt>{term}</dt>")).unwrap_or_else(|| panic!("no {term} in {page}"));
        let told = page[start..].split("</dd>").next().expect("a description");
        assert!(told.contains("9 minutes ago"), "{told}");
    }
}

#[test]
fn markup_in_a_reported_client_name_is_escaped_and_cut() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    introduce(&app, &pair, &format!("</bdi><script>\u{202e}alert(1)</script>\n{}", "x".repeat(5_000)));
    let said = diagnosis(&app, user::MARA_ADMIN);
    check(&said, &["&lt;script&gt;alert(1)&lt;/script&gt; xxx", "nobody has checked it"]);
    assert!(!said.contains("<script>alert") && !said.contains('\u{202e}') && !said.contains(&"x".repeat(80)), "{said}");
}

#[test]
fn diagnosis_names_the_missing_scope_until_a_later_call_succeeds() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    app.call(&pair.access, "resources/read", json!({ "uri": "statibeat://pages/42/analytics/summary" }));
    app.count_calls();
    let wanted = [
        "Needs attention",
        "you didn't allow",
        "(mcp.analytics.read)",
        "tick that permission",
        "How to connect it again",
    ];
    check(&diagnosis(&app, user::MARA_ADMIN), &wanted);
    app.advance(Duration::from_secs(5));
    app.ping(&pair.access);
    app.count_calls();
    let said = diagnosis(&app, user::MARA_ADMIN);
    check(&said, &["Working", "you didn't allow", "It has worked again since"]);
    assert!(!said.contains("tick that permission") && !said.contains("How to connect it again"), "{said}");
}

#[test]
fn diagnosis_names_the_missing_role_page_or_argument_of_a_write() {
    let app = TestApp::new();
    let write = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
    let (ines, mara) = (app.connect(user::INES_VIEWER, write), app.connect(user::MARA_ADMIN, write));
    let create = |access: &str, arguments: serde_json::Value| {
        app.call(access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
        app.count_calls();
        app.advance(Duration::from_secs(61));
    };
    let good = |page: i64| json!({ "page_id": page, "title": "Slow", "description": "It is slow.", "status": "degraded", "affected_items_freetext": "x" });
    create(&ines.access, good(42));
    check(
        &diagnosis(&app, user::INES_VIEWER),
        &["Your own role", "manage incidents (incidents.manage); yours is viewer"],
    );
    create(&mara.access, good(999));
    check(&diagnosis(&app, user::MARA_ADMIN), &["Missing: page 999", "your account can't see it"]);
    create(&mara.access, json!({ "page_id": 42, "description": "It is slow." }));
    check(&diagnosis(&app, user::MARA_ADMIN), &["Missing or wrong: the argument title"]);
}

#[test]
fn paused_write_is_diagnosed_with_the_button_that_resumes() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read mcp.incidents.write");
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    browser.submit_action(&page, &[("action", "pause"), ("connection", "1 test-client")]);
    let arguments = json!({ "page_id": 42, "title": "Slow", "description": "d", "status": "degraded", "affected_items_freetext": "x" });
    app.call(&pair.access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    app.count_calls();
    check(&diagnosis(&app, user::MARA_ADMIN), &["Needs attention", "You have paused", "value=\"resume\""]);
    browser.submit_action(&page, &[("action", "resume"), ("connection", "1 test-client")]);
    check(&diagnosis(&app, user::MARA_ADMIN), &["Working", "It has worked again since"]);
}

#[test]
fn diagnosis_explains_an_unsupported_protocol_version() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    let authorization = format!("Bearer {}", pair.access);
    let headers = [("authorization", authorization.as_str()), ("mcp-protocol-version", "2019-01-01")];
    app.send(request("POST", "/mcp", &headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    app.count_calls();
    check(&diagnosis(&app, user::MARA_ADMIN), &["a version of MCP that StatiBeat doesn't support", "Update the app"]);
}

#[test]
fn diagnosis_counts_refreshes_and_explains_a_rejected_one() {
    let app = TestApp::new();
    let mut pair = app.connect(user::MARA_ADMIN, SCOPE);
    for _ in 0..2 {
        app.advance(Duration::from_secs(3_000));
        pair = tokens(&app.refresh(&pair.refresh, &[]));
    }
    check(&diagnosis(&app, user::MARA_ADMIN), &["2 times, last: just now"]);
    assert_eq!(app.refresh(&pair.refresh, &[("client_id", "other")]).status(), 400);
    app.count_calls();
    check(&diagnosis(&app, user::MARA_ADMIN), &["Refused: 1", "Another app tried to use", "Needs attention"]);
}

#[test]
fn diagnosis_compares_requested_granted_and_usable_scopes() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let asked = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
    let consent = browser.sign_in(&authorize_url(&[("scope", asked)]), user::INES_VIEWER);
    let granted = ["mcp.pages.read".to_owned(), "mcp.incidents.write".to_owned()];
    let target = browser.answer_with(&consent, "approve", &granted).leaves_for();
    app.redeem(&parameter(&target, "code").expect("a code"), &[]);
    let said = diagnosis(&app, user::INES_VIEWER);
    let row = |scope: &str| {
        let start = said.find(&format!("<code>{scope}<")).unwrap_or_else(|| panic!("no {scope} in {said}"));
        said[start..].split("</tr>").next().expect("a row").replace("</td><td>", " | ")
    };
    check(&row("mcp.pages.read"), &["Yes | Yes | On every page it can access"]);
    check(&row("mcp.incidents.read"), &["Yes | No | "]);
    check(&row("mcp.incidents.write"), &["Yes | Yes | On no page it can access"]);
}

#[test]
fn ended_connection_is_explained_for_thirty_days() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.ping(&second.access);
    app.refresh(&first.refresh, &[]);
    let ended = |app: &TestApp| Browser::new(app).open_admin_page(user::MARA_ADMIN).body;
    check(&ended(&app), &["Ended in the last 30 days (1)", "used again", "on one computer at a time"]);
    assert!(!Browser::new(&app).open_admin_page(user::THEO_MANAGER).body.contains("Ended in the last"));
    app.advance(Duration::from_secs(30 * 24 * 3_600));
    assert!(!ended(&app).contains("Ended in the last"));
    app.connect(user::MARA_ADMIN, SCOPE);
    app.advance(Duration::from_secs(60));
    assert!(!ended(&app).contains("Ended in the last"), "a connection that lives has not ended");
}

#[test]
fn diagnosis_names_pages_that_an_admin_blocked() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, SCOPE);
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    browser.submit_action(&page, &[("action", "block"), ("connection", "2 test-client"), ("page", "42")]);
    check(&diagnosis(&app, user::THEO_MANAGER), &["Blocked on", "An admin of the page blocked it"]);
}

#[test]
fn diagnostics_are_purged_with_their_connection() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, SCOPE);
    introduce(&app, &pair, "Cursor");
    assert_eq!(app.db.count("SELECT count(*) FROM connections"), 1);
    app.revoke(&pair.refresh, &[]);
    app.advance(Duration::from_secs(200 * 24 * 3_600));
    purge::run(&*app.db, app.now(), &|| true).now_or_never().expect("no waiting");
    assert_eq!(app.db.count("SELECT count(*) FROM connections"), 0);
}
