//! The Hosted MCP page: who may see it, and what it shows.

use crate::support::browser::Browser;
use crate::support::flow::user;
use crate::support::{PUBLIC_URL, TestApp, header, request};
use serde_json::json;
use std::time::Duration;

const PAGE: &str = "https://mcp.example/mcp/admin";
const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

fn create_incident(app: &TestApp, access: &str, title: &str) {
    let arguments = json!({ "page_id": 42, "title": title, "description": "d", "status": "degraded", "affected_items_freetext": title });
    app.call(access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
}

#[test]
fn signed_out_browser_sees_only_the_sign_in_button() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let shown = Browser::new(&app).open(PAGE);
    assert!(shown.status == 200 && shown.body.contains("Sign in with StatiBeat"), "{}", shown.body);
    assert!(!shown.body.contains("test-client") && !shown.body.contains("/mcp/oauth/token"), "{}", shown.body);
}

#[test]
fn page_shows_connection_instructions_and_connections() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    app.advance(Duration::from_secs(600));
    app.ping(&access);
    app.advance(Duration::from_secs(600));
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!(page.url.as_str(), PAGE);
    let details = browser.open_connection(user::MARA_ADMIN, "test-client").body;
    for text in [
        "Unverified app",
        "May post incidents on",
        "Reads pages and incidents",
        "All pages you can see",
        "10 minutes ago",
    ] {
        assert!(details.contains(text), "no {text} in {details}");
    }
    for text in [
        r#"value="https://mcp.example/mcp""#,
        "https://mcp.example/mcp/oauth/authorize",
        "https://mcp.example/mcp/oauth/token",
        "https://mcp.example/mcp/oauth/revoke",
        "https://mcp.example/mcp/oauth/register",
        "mcp.maintenances.write",
        "claude mcp add",
        "mcp.json",
        "code --add-mcp",
        "ChatGPT",
        "inspector",
        "claude.ai",
        "Mara Lindqvist",
        "test-client",
        "Unverified app",
        "All pages",
        "10 minutes ago",
    ] {
        assert!(page.body.contains(text), "no {text} in {}", page.body);
    }
}

#[test]
fn page_headers_forbid_other_scripts_frames_and_caching() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    for shown in [browser.open(PAGE), browser.open_admin_page(user::MARA_ADMIN)] {
        let policy = header(&shown.response, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(policy.matches("script-src 'sha256-").count(), 1, "{policy}");
        assert_eq!(header(&shown.response, "cache-control"), "no-store");
        assert_eq!(header(&shown.response, "x-frame-options"), "DENY");
        assert_eq!(header(&shown.response, "access-control-allow-origin"), "");
        assert_eq!(shown.body.matches("<script").count(), 1, "our own only: {}", shown.body);
        assert!(!shown.body.contains(" style="), "{}", shown.body);
    }
}

#[test]
fn session_cookie_is_host_only_secure_and_http_only() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let sign_in = browser.open(&format!("{PAGE}/sign-in"));
    let (state, challenge) = (sign_in.hidden("state"), sign_in.hidden("code_challenge"));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("connector_id", "hosted-mcp-admin"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("user_id", "1"),
        ])
        .finish();
    let there = browser.request("POST", &sign_in.url, body, "https://api.statibeat.example");
    let back = url::Url::parse(header(&there, "location")).expect("a URL");
    let cookies: Vec<String> = browser
        .request("GET", &back, String::new(), "")
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().expect("text").to_owned())
        .collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-sbmcp_admin=")).expect("a session cookie");
    for attribute in ["; Path=/;", "HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(session.contains(attribute), "{session}");
    }
    assert_eq!(browser.request("GET", &back, String::new(), "").status(), 403, "the way back works once");
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 1, "signing in again ends the session before");
}

#[test]
fn another_browser_cannot_finish_a_sign_in() {
    let app = TestApp::new();
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    let started = attacker.open(&format!("{PAGE}/sign-in"));
    assert_eq!(victim.choose_user(&started, user::MARA_ADMIN).status, 403);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 0);
}

#[test]
fn session_expires_after_its_idle_timeout() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.advance(Duration::from_secs(1799));
    assert!(browser.open(PAGE).body.contains("Sign out"));
    app.advance(Duration::from_secs(1800));
    assert!(browser.open(PAGE).body.contains("Sign in with StatiBeat"));
}

#[test]
fn active_session_expires_after_eight_hours() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    for _ in 0..28 {
        app.advance(Duration::from_secs(1000));
        assert!(browser.open(PAGE).body.contains("Sign out"));
    }
    app.advance(Duration::from_secs(799));
    assert!(browser.open(PAGE).body.contains("Sign out"));
    app.advance(Duration::from_secs(1));
    assert!(browser.open(PAGE).body.contains("Sign in with StatiBeat"));
}

#[test]
fn sign_out_ends_the_session_and_no_connection() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let token = page.hidden("token");
    let out = format!("{PAGE}/sign-out");
    assert_eq!(browser.submit(&page, &out, &[("token", "made-up")]).status, 403);
    assert!(browser.open(PAGE).body.contains("Sign out"));
    assert!(browser.submit(&page, &out, &[("token", &token)]).body.contains("signed out"));
    assert!(browser.open(PAGE).body.contains("Sign in with StatiBeat"));
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 0);
    assert_eq!(app.ping(&access), 200);
}

#[test]
fn disabled_person_is_signed_out() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let shown = browser.open(PAGE);
    assert!(shown.status == 403 && shown.body.contains("disabled"), "{}", shown.body);
    assert_eq!(app.db.count("SELECT count(*) FROM sessions"), 0);
}

#[test]
fn page_of_a_disabled_connector_says_so_without_links() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_ENABLED").then_some("false"));
    let page = app.get("/mcp/admin");
    let body = String::from_utf8_lossy(page.body()).into_owned();
    assert_eq!(page.status(), 404);
    assert!(
        body.contains("Hosted MCP isn't available here") && !body.contains("/mcp/oauth") && !body.contains("<form"),
        "{body}"
    );
    assert!(!body.contains("href"), "{body}");
    for path in ["/mcp/admin/sign-in", "/mcp/admin/callback", "/mcp/oauth/authorize?client_id=x", "/mcp", "/other"] {
        let program = app.get(path);
        assert_eq!(header(&program, "content-type"), "application/json", "{path}");
        assert!(String::from_utf8_lossy(program.body()).contains("connector_disabled"), "{path}");
        let person = app.send(request("GET", path, &[("accept", "text/html,*/*;q=0.8")], ""));
        assert_eq!((person.status().as_u16(), person.body()), (404, page.body()), "{path}");
    }
}

#[test]
fn person_at_an_unknown_address_gets_a_page_and_a_program_json() {
    let app = TestApp::new();
    let person = app.send(request("GET", "/mcp/admin/", &[("accept", "text/html")], ""));
    let body = String::from_utf8_lossy(person.body()).into_owned();
    assert!(person.status() == 404 && body.contains("Open the Hosted MCP page"), "{body}");
    assert_eq!(header(&app.get("/mcp/admin/"), "content-type"), "application/json");
}

#[test]
fn sign_in_leads_back_to_the_page_that_was_opened_and_nowhere_else() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let page_of = format!("{PAGE}/connection?user=1&client=test-client");
    for (opened, expected) in [
        (page_of.clone(), page_of.clone()),
        (format!("{PAGE}?search=test"), format!("{PAGE}?search=test")),
        (format!("{PAGE}/sign-in?back=https://evil.example/"), PAGE.to_owned()),
        (format!("{PAGE}/sign-in?back=//evil.example/mcp/admin"), PAGE.to_owned()),
        (format!("{PAGE}/sign-in?back=/mcp/oauth/authorize"), PAGE.to_owned()),
    ] {
        let browser = Browser::new(&app);
        let shown = browser.open(&opened);
        let sign_in = if shown.body.contains("Sign in with StatiBeat") {
            let link =
                shown.body.split(r#"<a class="button main" href=""#).nth(1).and_then(|rest| rest.split('"').next());
            browser.open(&link.expect("a link").replace("&amp;", "&"))
        } else {
            shown
        };
        assert_eq!(browser.choose_user(&sign_in, user::MARA_ADMIN).url.as_str(), expected, "{opened}");
    }
}

#[test]
fn form_that_lost_its_session_says_so_and_leads_back_to_its_confirmation() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    app.advance(Duration::from_secs(1800));
    let lost = browser.submit_action(&page, &[("action", "revoke"), ("connection", "1 test-client")]);
    assert!(lost.status == 403 && lost.body.contains("You were signed out"), "{}", lost.body);
    assert!(lost.body.contains("Nothing was changed") && app.ping(&access) == 200, "{}", lost.body);
    let link = lost.body.split(r#"href="/mcp/admin/sign-in?"#).nth(1).and_then(|rest| rest.split('"').next());
    let sign_in = browser.open(&format!("{PAGE}/sign-in?{}", link.expect("a link").replace("&amp;", "&")));
    let back = browser.choose_user(&sign_in, user::MARA_ADMIN);
    assert!(back.body.contains("End the connection to test-client?"), "{}", back.body);
}

#[test]
fn activity_shows_writes_where_audit_logs_are_on_and_says_where_they_are_off() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    create_incident(&app, &access, "Checkout <b>fails</b>");
    let page = Browser::new(&app).open_admin_page(user::MARA_ADMIN).body;
    assert!(page.contains("Create incident") && page.contains("Checkout &lt;b&gt;fails"), "{page}");
    assert!(page.contains("Audit logs are off for"), "{page}");
}

#[test]
fn activity_is_filtered_and_paginated() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    for n in 0..25 {
        app.advance(Duration::from_secs(61));
        create_incident(&app, &access, &format!("Incident-{n}."));
    }
    let browser = Browser::new(&app);
    let newest = browser.open_admin_page(user::MARA_ADMIN).body;
    assert!(newest.contains("Incident-24.") && !newest.contains("Incident-5.") && newest.contains("All activity"));
    let first = browser.open(&format!("{PAGE}/activity")).body;
    assert!(first.contains("Incident-24.") && first.contains("Incident-5.") && !first.contains("Incident-4."));
    let older = first.split("before=").nth(1).and_then(|rest| rest.split(['#', '"', '&']).next()).expect("a link");
    let second = browser.open(&format!("{PAGE}/activity?before={older}")).body;
    assert!(second.contains("Incident-4.") && second.contains("Incident-0.") && !second.contains("Incident-5."));
    let rows = |query: &str| browser.open(&format!("{PAGE}/activity?{query}")).body.matches("Create incident<").count();
    assert_eq!(rows("page=42&client=test-client&outcome=done"), 20);
    for nothing in ["page=43", "client=other", "outcome=refused"] {
        assert_eq!(rows(nothing), 0, "{nothing}");
    }
    assert_eq!(rows("page=&client=&outcome=&before="), 20);
}

#[test]
fn person_sees_only_their_own_connections_and_activity() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    create_incident(&app, &access, "Of Mara");
    let theirs = Browser::new(&app).open_admin_page(user::INES_VIEWER).body;
    assert!(!theirs.contains("test-client") && !theirs.contains("Of Mara"), "{theirs}");
    assert!(theirs.contains("No apps are connected yet"), "{theirs}");
}

#[test]
fn chart_shows_calls_by_day_and_outcome_with_a_table() {
    let app = TestApp::new();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let details = || browser.open_connection(user::MARA_ADMIN, "test-client").body;
    assert!(details().contains("No calls in the last"));
    for uri in ["statibeat://pages", "statibeat://pages", "statibeat://pages/999/summary"] {
        app.call(&access, "resources/read", json!({ "uri": uri }));
    }
    app.count_calls();
    let page = details();
    assert!(page.contains("Bar chart of 3 calls"), "{page}");
    let numbers = r#"<td class="number">2</td><td class="number">1</td><td class="number">0</td>"#;
    assert!(page.contains(numbers), "{page}");
    let theo = Browser::new(&app);
    theo.open_admin_page(user::THEO_MANAGER);
    assert_eq!(theo.open_connection(user::MARA_ADMIN, "test-client").status, 404, "Mara's is not Theo's to see");
}

#[test]
fn markup_in_stored_names_is_escaped() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    app.db.execute("UPDATE grants SET client_name = '\"><script>alert(1)</script>', redirect_host = '<img src=x>'");
    let page = Browser::new(&app).open_admin_page(user::MARA_ADMIN).body;
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    assert!(PAGE.starts_with(PUBLIC_URL));
}

#[test]
fn times_are_in_the_zone_of_the_page_until_the_viewer_chooses_one() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let browser = Browser::new(&app);
    let first = browser.open_admin_page(user::MARA_ADMIN).body;
    assert!(first.contains("Times in <span data-zone>Europe/"), "{first}");
    let chosen = browser.open(&format!("{PAGE}?zone=Asia/Tokyo"));
    assert!(header(&chosen.response, "set-cookie").contains("sbmcp_zone=Asia/Tokyo; Path=/"));
    assert!(browser.open(PAGE).body.contains("Times in <span>Asia/Tokyo</span>"), "the browser keeps it");
    for made_up in ["Mars/Olympus", "x%0d%0aset-cookie: a=b", "%22%3E%3Cscript%3E"] {
        let shown = browser.open(&format!("{PAGE}?zone={made_up}"));
        assert_eq!(header(&shown.response, "set-cookie"), "", "{made_up}");
        assert!(shown.body.contains("Times in <span>Asia/Tokyo</span>"), "{made_up}");
    }
}

#[test]
fn blocked_or_viewers_connection_does_not_say_that_it_posts() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, ALL);
    app.connect(user::INES_VIEWER, ALL);
    let row_of = |person: &str| {
        let browser = Browser::new(&app);
        let page = browser.open_admin_page(person).body;
        let details = browser.open_connection(person, "test-client").body;
        let row = page.split("<tbody>").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row").to_owned();
        (row, details)
    };
    let (row, details) = row_of(user::THEO_MANAGER);
    assert!(row.contains("May post") && details.contains("Posts publicly"), "{row}");
    let (row, details) = row_of(user::INES_VIEWER);
    assert!(row.contains("May not post: viewer") && details.contains("your role there is viewer"), "{row}");
    assert!(!details.contains("Posts publicly"), "{details}");
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    browser.submit_action(&page, &[("action", "block"), ("connection", "2 test-client"), ("page", "42")]);
    let (row, details) = row_of(user::THEO_MANAGER);
    assert!(details.contains("May neither read nor post on"), "{details}");
    assert!(!row.contains("May post") && !details.contains("Posts publicly"), "{row}");
}
