//! Pages and files beside the endpoints of the connector, for browsers, directories, crawlers and people.

use crate::support::browser::Browser;
use crate::support::flow::{CLIENT, user};
use crate::support::{PUBLIC_URL, TestApp, header, json, request};
use serde_json::{Value, json};

const SET: [(&str, &str); 8] = [
    ("HOSTED_MCP_WEBSITE_URL", "https://statibeat.example/"),
    ("HOSTED_MCP_DOCUMENTATION_URL", "https://docs.example/hosted-mcp"),
    ("HOSTED_MCP_PRIVACY_URL", "https://docs.example/privacy"),
    ("HOSTED_MCP_TERMS_URL", "https://docs.example/terms"),
    ("HOSTED_MCP_STATUS_URL", "https://status.example/"),
    ("HOSTED_MCP_SUPPORT_URL", "mailto:help@docs.example"),
    ("HOSTED_MCP_SECURITY_CONTACT", "mailto:security@docs.example"),
    ("HOSTED_MCP_OPENAI_CHALLENGE", "challenge-1"),
];

fn set(name: &str) -> Option<&'static str> {
    SET.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn text(app: &TestApp, path: &str) -> String {
    let answer = app.get(path);
    assert_eq!(answer.status(), 200, "{path}");
    String::from_utf8(answer.body().to_vec()).expect("text")
}

#[test]
fn home_page_says_how_to_connect_and_links_what_is_set() {
    let bare = text(&TestApp::new(), "/");
    assert!(bare.contains(&format!("{PUBLIC_URL}/mcp")) && bare.contains("/mcp/admin"), "{bare}");
    assert!(!bare.contains("Privacy policy"), "{bare}");
    let linked = text(&TestApp::with(set), "/");
    for (_, address) in &SET[..6] {
        assert!(linked.contains(&format!("href=\"{address}\"")), "{address}: {linked}");
    }
}

#[test]
fn support_link_is_shown_wherever_advice_is_to_ask_a_person() {
    let link = format!("href=\"{}\"", SET[5].1);
    let page_of = |set: fn(&str) -> Option<&'static str>, path: &str| {
        String::from_utf8(TestApp::with(set).get(path).body().to_vec()).expect("text")
    };
    let off = |name: &str| if name == "HOSTED_MCP_ENABLED" { Some("false") } else { set(name) };
    for (set, path) in [(set as fn(&str) -> _, "/mcp/oauth/authorize"), (off, "/mcp/admin")] {
        assert!(page_of(set, path).contains(&link), "{path}");
    }
    assert!(!page_of(set, "/mcp/admin").contains(&link), "nobody is to be asked");
    assert!(!page_of(|_| None, "/mcp/oauth/authorize").contains("contact support"));
    let app = TestApp::with(set);
    let access = app.connect(user::INES_VIEWER, "mcp.pages.read mcp.incidents.write").access;
    let arguments = json!({ "page_id": 42, "title": "t", "description": "d", "status": "degraded", "affected_items_freetext": "x" });
    app.call(&access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    app.count_calls();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::INES_VIEWER);
    let page = browser.open_connection(user::INES_VIEWER, CLIENT).body;
    assert!(page.contains("Ask an admin of the page") && page.contains(&link), "{page}");
}

#[test]
fn icons_are_files_that_browsers_show() {
    let app = TestApp::new();
    for (path, kind, magic) in [
        ("/favicon.ico", "image/x-icon", &[0_u8, 0, 1, 0][..]),
        ("/icon-light.png", "image/png", b"\x89PNG"),
        ("/icon-dark.png", "image/png", b"\x89PNG"),
    ] {
        let answer = app.get(path);
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, kind), "{path}");
        assert!(answer.body().starts_with(magic), "{path}");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=86400", "{path}");
        let head = app.send(request("HEAD", path, &[], ""));
        assert_eq!((head.status().as_u16(), head.body().len()), (200, 0), "{path}");
    }
    let policy = app.get("/").headers()["content-security-policy"].clone();
    assert!(policy.to_str().expect("text").contains("img-src 'self'"), "browsers look for /favicon.ico by themselves");
}

#[test]
fn robots_file_keeps_crawlers_from_the_connector() {
    assert!(text(&TestApp::new(), "/robots.txt").contains("Disallow: /mcp\n"));
}

#[test]
fn overview_for_models_names_every_tool_and_where_the_reference_is() {
    let overview = text(&TestApp::with(set), "/llms.txt");
    for words in
        ["create_incident: ", "statibeat://pages: ", "draft_customer_incident: ", "https://docs.example/hosted-mcp"]
    {
        assert!(overview.contains(words), "{words}: {overview}");
    }
    assert!(text(&TestApp::new(), "/llms.txt").contains(&format!("{PUBLIC_URL}/")));
}

#[test]
fn security_contact_expires_in_less_than_a_year() {
    let app = TestApp::with(set);
    let file = text(&app, "/.well-known/security.txt");
    let field = |name: &str| file.lines().find_map(|line| line.strip_prefix(name)).expect("a field").to_owned();
    assert_eq!(field("Contact: "), "mailto:security@docs.example");
    assert_eq!(field("Canonical: "), format!("{PUBLIC_URL}/.well-known/security.txt"));
    let days =
        (field("Expires: ").parse::<jiff::Timestamp>().expect("a time").as_second() - app.now().as_seconds()) / 86_400;
    assert_eq!(days, 180);
}

#[test]
fn file_whose_variable_is_not_set_is_not_found() {
    for path in ["/.well-known/security.txt", "/.well-known/openai-apps-challenge"] {
        assert_eq!(TestApp::new().get(path).status(), 404, "{path}");
        assert_eq!(TestApp::with(set).get(path).status(), 200, "{path}");
    }
    assert_eq!(text(&TestApp::with(set), "/.well-known/openai-apps-challenge"), "challenge-1");
}

#[test]
fn nothing_is_at_the_door_while_the_connector_is_off() {
    let app = TestApp::with(|name| if name == "HOSTED_MCP_ENABLED" { Some("false") } else { set(name) });
    for path in ["/", "/favicon.ico", "/robots.txt", "/llms.txt", "/.well-known/security.txt"] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
}

#[test]
fn metadata_points_to_documentation_policy_and_terms_where_they_are_set() {
    let (server, resource) = ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp");
    let expected = [
        (server, "service_documentation", SET[1].1),
        (server, "op_policy_uri", SET[2].1),
        (server, "op_tos_uri", SET[3].1),
        (resource, "resource_documentation", SET[1].1),
        (resource, "resource_policy_uri", SET[2].1),
        (resource, "resource_tos_uri", SET[3].1),
    ];
    for (path, member, address) in expected {
        assert_eq!(json(&TestApp::with(set).get(path))[member], address, "{member}");
        assert!(json(&TestApp::new().get(path)).get(member).is_none(), "{member}");
    }
}

#[test]
fn server_introduces_itself_with_website_and_icons_only_where_the_website_is_set() {
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let introduced = |app: &TestApp| {
        let token = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
        let initialized = json(&app.call(&token, "initialize", hello.clone()))["result"]["serverInfo"].clone();
        let discovered = json(&app.call_in("2026-07-28", &token, "server/discover", json!({})));
        let listed = json(&app.call_in("2026-07-28", &token, "tools/list", json!({})));
        let of = |answer: &Value| answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"].clone();
        [initialized, of(&discovered), of(&listed)]
    };
    let [initialized, discovered, listed] = introduced(&TestApp::with(set));
    assert_eq!(initialized["websiteUrl"], "https://statibeat.example/");
    assert_eq!(initialized["icons"][1]["src"], format!("{PUBLIC_URL}/icon-dark.png"));
    assert_eq!(initialized["icons"][1]["theme"], "dark");
    assert!(initialized["description"].as_str().is_some_and(|text| text.len() <= 100));
    assert_eq!(discovered, initialized);
    assert!(listed.get("icons").is_none() && listed["name"] == "statibeat-hosted-mcp", "{listed}");
    for server in introduced(&TestApp::new()) {
        assert_eq!(server.as_object().expect("an object").len(), 3, "{server}");
    }
}
