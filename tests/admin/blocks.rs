//! Blocks by a page's admin: their duration, the clients they cover, and who sees them.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CALLBACK, Tokens, authorize_url, tokens, user};
use crate::support::{TestApp, json};
use serde_json::{Value, json};

const PAGE: &str = "https://mcp.example/mcp/admin";
const READ: &str = "mcp.pages.read mcp.incidents.read";
const WRITE: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";
const CLAUDE_CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";

/// Connects this user with a client of that id.
fn connect_as(app: &TestApp, user_id: &str, client_id: &str, redirect_uri: &str, scope: &str) -> Tokens {
    let browser = Browser::new(app);
    let changes = [("client_id", client_id), ("redirect_uri", redirect_uri), ("scope", scope)];
    let consent = browser.sign_in(&authorize_url(&changes), user_id);
    let named: Vec<String> = scope.split(' ').map(str::to_owned).collect();
    let code = parameter(&browser.answer_with(&consent, "approve", &named).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[("client_id", client_id), ("redirect_uri", redirect_uri)]))
}

fn create_incident(app: &TestApp, access: &str, page_id: i64, title: &str) -> Value {
    let arguments = json!({ "page_id": page_id, "title": title, "description": "d", "status": "degraded", "affected_items_freetext": "API" });
    json(&app.call(access, "tools/call", json!({ "name": "create_incident", "arguments": arguments })))
}

fn reaches(app: &TestApp, pair: &Tokens) -> bool {
    let answer = app.call(&pair.access, "resources/read", json!({ "uri": "statibeat://pages/42/summary" }));
    json(&answer)["result"]["contents"].is_array()
}

fn submit_action(app: &TestApp, action: &str, client: &str) -> u16 {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let connection = format!("{} {client}", user::THEO_MANAGER);
    let fields = [("action", action), ("connection", connection.as_str()), ("page", "42")];
    browser.submit_action(&page, &fields).status
}

#[test]
fn block_of_a_loopback_client_covers_every_loopback_client_id_of_the_person() {
    let app = TestApp::new();
    let first = app.connect(user::THEO_MANAGER, WRITE);
    let listed = connect_as(&app, user::THEO_MANAGER, CLAUDE, CLAUDE_CALLBACK, WRITE);
    let before = connect_as(&app, user::THEO_MANAGER, "made-up-before", CALLBACK, WRITE);
    assert!(reaches(&app, &first) && reaches(&app, &listed) && reaches(&app, &before));
    assert_eq!(submit_action(&app, "block", "test-client"), 200);
    let claude_code = "https://claude.ai/oauth/claude-code-client-metadata";
    let known = connect_as(&app, user::THEO_MANAGER, claude_code, "http://localhost:1/callback", WRITE);
    let after = connect_as(&app, user::THEO_MANAGER, "made-up-after", CALLBACK, WRITE);
    for (name, pair) in [("first", &first), ("before", &before), ("after", &after), ("known", &known)] {
        assert!(!reaches(&app, pair), "{name}");
        assert_eq!(create_incident(&app, &pair.access, 42, "t")["result"]["isError"], true, "{name}");
    }
    assert!(reaches(&app, &listed), "nobody else can be the client of a listed https address");
    assert!(reaches(&app, &app.connect(user::INES_VIEWER, READ)), "another person's connections go on");
    assert_eq!(submit_action(&app, "unblock", "test-client"), 200);
    assert!(reaches(&app, &first) && reaches(&app, &after) && reaches(&app, &known));
}

#[test]
fn unblocking_a_covered_loopback_client_lifts_its_cover_and_no_block_of_a_web_client() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, WRITE);
    let listed = connect_as(&app, user::THEO_MANAGER, CLAUDE, CLAUDE_CALLBACK, WRITE);
    let covered = connect_as(&app, user::THEO_MANAGER, "made-up", CALLBACK, WRITE);
    assert_eq!((submit_action(&app, "block", "test-client"), submit_action(&app, "block", CLAUDE)), (200, 200));
    assert!(!reaches(&app, &covered) && !reaches(&app, &listed));
    assert_eq!(submit_action(&app, "unblock", "made-up"), 200);
    assert!(reaches(&app, &covered) && !reaches(&app, &listed));
}

#[test]
fn block_of_several_connections_of_which_one_is_unknown_blocks_none() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, WRITE);
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let both = [("action", "block"), ("connection", "2 test-client"), ("connection", "2 made-up"), ("page", "42")];
    assert_eq!(browser.submit_action(&page, &both).status, 404);
    assert!(reaches(&app, &pair));
}

#[test]
fn block_of_a_listed_web_client_covers_that_client_only() {
    let app = TestApp::new();
    let listed = connect_as(&app, user::THEO_MANAGER, CLAUDE, CLAUDE_CALLBACK, WRITE);
    let local = app.connect(user::THEO_MANAGER, WRITE);
    assert_eq!(submit_action(&app, "block", CLAUDE), 200);
    let again = connect_as(&app, user::THEO_MANAGER, CLAUDE, CLAUDE_CALLBACK, WRITE);
    assert!(!reaches(&app, &listed) && !reaches(&app, &again) && reaches(&app, &local));
}

#[test]
fn block_can_be_lifted_after_its_connection_has_ended() {
    let app = TestApp::new();
    let pair = app.connect(user::THEO_MANAGER, WRITE);
    assert_eq!(submit_action(&app, "block", "test-client"), 200);
    app.revoke(&pair.refresh, &[]);
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN).body;
    assert!(page.contains("Blocked apps on pages you administer (1)"), "{page}");
    let page = browser.open(&format!("{PAGE}/blocks")).body;
    assert!(page.contains("Unblock") && page.contains("by Mara Lindqvist"), "{page}");
    assert_eq!(submit_action(&app, "unblock", "test-client"), 200);
    assert!(reaches(&app, &app.connect(user::THEO_MANAGER, WRITE)));
    let grantless = app.db.count("SELECT count(*) FROM audit WHERE kind = 'page_unblock' AND target_id = '2'");
    assert_eq!(grantless, 1);
}

#[test]
fn coverage_of_a_block_is_shown_before_and_after_blocking() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, WRITE);
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let question = browser.open(&format!("{PAGE}/action?action=block&connection=2+test-client&page=42")).body;
    assert!(question.contains("under any client ID"), "{question}");
    submit_action(&app, "block", "test-client");
    let page = browser.open(&format!("{PAGE}/blocks")).body;
    assert!(page.contains("Every app on their computer"), "{page}");
    let page = browser.open_connection(user::THEO_MANAGER, "test-client").body;
    assert!(page.contains("under any client ID"), "{page}");
    let api = json(&browser.open(&format!("{PAGE}/api/blocks")).response);
    assert_eq!(
        (&api["blocks"][0]["client_id"], &api["blocks"][0]["covers"]),
        (&json!("test-client"), &json!("local_clients"))
    );
}
