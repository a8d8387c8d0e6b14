//! Refused clients are the operator's to see, in bounds, and nobody else's.

use crate::support::browser::Browser;
use crate::support::flow::user;
use crate::support::{HEALTH_TOKEN, TestApp, json, request};
use serde_json::Value;
use std::time::Duration;

const PAGE: &str = "https://mcp.example/mcp/admin";

/// Everything that an admin of page 42 sees: the page and the admin API.
fn everything_mara_sees(app: &TestApp) -> String {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user::MARA_ADMIN).body;
    let api = |part: &str| browser.open(&format!("{PAGE}/api/{part}")).body;
    [page, api("activity"), api("connections"), api("setup")].concat()
}

fn refused_clients(app: &TestApp) -> Value {
    json(&app.send(request("GET", "/mcp/health/clients", &[("x-health-token", HEALTH_TOKEN)], "")))
}

fn refuse(app: &TestApp, client_id: &str, redirect_uri: &str, address: &str) {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("response_type", "code"), ("client_id", client_id), ("redirect_uri", redirect_uri)])
        .finish();
    let path = format!("/mcp/oauth/authorize?{query}");
    assert_eq!(app.send(request("GET", &path, &[("cf-connecting-ip", address)], "")).status(), 400, "{redirect_uri}");
}

#[test]
fn page_admin_sees_neither_refused_clients_nor_the_operators_list() {
    let app =
        TestApp::with(|name| (name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").then_some("bad=http://a.example/cb"));
    refuse(&app, "https://chatgpt.com/oauth/client.json", "https://chatgpt.evil.example/cb", "192.0.2.1");
    let seen = everything_mara_sees(&app);
    assert!(!seen.contains("evil.example") && !seen.contains("bad=http"), "{seen}");
}

/// F4
#[test]
fn operator_sees_refused_clients_without_queries_and_the_entries_that_cannot_work() {
    let app =
        TestApp::with(|name| (name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").then_some("bad=http://a.example/cb"));
    refuse(&app, "https://n8n.example/id", "https://n8n.example/callback?token=hunter2", "192.0.2.1");
    let text = refused_clients(&app).to_string();
    assert!(text.contains("https://n8n.example/callback") && !text.contains("hunter2"), "{text}");
    assert!(text.contains("bad=http://a.example/cb"), "{text}");
    let public = String::from_utf8_lossy(app.get("/mcp/health/clients").body()).into_owned();
    assert!(!public.contains("n8n") && !public.contains("bad="), "{public}");
}

#[test]
fn one_address_cannot_push_out_the_refusals_of_others() {
    let app = TestApp::new();
    refuse(&app, "https://n8n.example/id", "https://n8n.example/callback", "192.0.2.1");
    for n in 0..200 {
        app.advance(Duration::from_secs(30));
        refuse(&app, &format!("client-{n}"), &format!("https://h{n}.example/cb"), "203.0.113.9");
    }
    assert!(refused_clients(&app).to_string().contains("https://n8n.example/callback"));
}

#[test]
fn refusals_of_one_address_are_remembered_ten_times_an_hour() {
    let app = TestApp::new();
    let refuse_from = |address: &str| refuse(&app, "https://n8n.example/id", "https://n8n.example/callback", address);
    let times = || refused_clients(&app)["refused_clients"][0]["times"].clone();
    (0..30).for_each(|_| refuse_from("203.0.113.9"));
    assert_eq!(times(), 10);
    refuse_from("192.0.2.1");
    assert_eq!(times(), 11, "another address has a limit of its own");
    app.advance(Duration::from_hours(1));
    refuse_from("203.0.113.9");
    assert_eq!(times(), 12);
}

#[test]
fn many_addresses_cannot_grow_the_refusals_without_limit() {
    let app = TestApp::new();
    for n in 0..2000 {
        app.advance(Duration::from_secs(5));
        refuse(
            &app,
            &format!("client-{n}"),
            &format!("https://h{n}.example/cb"),
            &format!("{}.{}.7.9", 1 + n % 200, n / 200),
        );
    }
    assert!(app.db.count("SELECT count(*) FROM refused_clients") <= 200);
}

#[test]
fn look_alike_of_a_known_client_gets_no_line_to_copy() {
    let app = TestApp::new();
    let chatgpt = "https://chatgpt.com/oauth/client.json";
    refuse(&app, chatgpt, "https://chatgpt.evil.example/cb", "192.0.2.1");
    assert_eq!(refused_clients(&app)["refused_clients"][0]["line"], Value::Null);
    refuse(&app, chatgpt, "https://chatgpt.com/connector/oauth/abc", "192.0.2.2");
    let text = refused_clients(&app).to_string();
    assert!(text.contains(&format!("{chatgpt}=https://chatgpt.com/connector/oauth/abc")), "{text}");
}

#[test]
fn refused_registration_shows_to_operators() {
    let app = TestApp::new();
    let body =
        r#"{"client_name": "Flow Platform", "redirect_uris": ["https://flow.example/callbacks/17?secret=hunter2"]}"#;
    let sent = app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body));
    assert_eq!(sent.status(), 400);
    let text = refused_clients(&app).to_string();
    assert!(text.contains("Flow Platform") && text.contains("https://flow.example/callbacks/17"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn operator_sees_the_address_of_a_copilot_studio_connector_and_what_it_needs() {
    let app = TestApp::new();
    let uri = "https://global.consent.azure-apim.net/redirect/mvp-5fstatibeat-5fdfde809e1caf448f";
    let body = format!(r#"{{"client_name": "StatiBeat", "redirect_uris": ["{uri}"]}}"#);
    app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body));
    let refused = &refused_clients(&app)["refused_clients"][0];
    assert_eq!((&refused["redirect_uri"], &refused["line"]), (&Value::from(uri), &Value::Null));
    assert!(refused["advice"].as_str().is_some_and(|text| text.contains("client_id that you choose")), "{refused}");
}

#[test]
fn refused_clients_are_shown_only_with_the_right_health_token() {
    let app = TestApp::new();
    for token in ["", "wrong"] {
        let answer = app.send(request("GET", "/mcp/health/clients", &[("x-health-token", token)], ""));
        assert_eq!(answer.status(), 403, "{token}");
    }
    assert_eq!(app.get("/mcp/health/clients").status(), 403);
}
