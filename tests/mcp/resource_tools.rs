//! The read bridge: off, nothing of it is there; on, its two tools show what the resources show, to each person and under
//! each scope, no more and no less.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use crate::support::surface::{EVERYTHING, URIS};
use crate::support::{TestApp, header, json};
use serde_json::{Value, json};

/// A server that offers the bridge.
fn offering() -> TestApp {
    TestApp::new()
}

/// A server whose operator does not want the bridge.
fn without_bridge() -> TestApp {
    TestApp::with(|name| (name == "HOSTED_MCP_READ_BRIDGE").then_some("off"))
}

/// The access token of a connection with these scopes, and with the box ticked or not.
fn connect(app: &TestApp, user_id: &str, scopes: &str, ticked: bool) -> String {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("scope", scopes)]), user_id);
    let scopes = scopes.split_whitespace().map(|scope| ("scope", scope));
    let rest = [("answer", "approve"), ("pages", "all"), ("lifetime", "until-revoked")];
    let mut fields: Vec<_> = scopes.chain(rest).collect();
    fields.extend(ticked.then_some(("resource_tools", "on")));
    let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[])).access
}

fn listed(app: &TestApp, token: &str) -> Vec<u8> {
    app.call(token, "tools/list", json!({})).body().to_vec()
}

/// Returns the text that was read, or the error that the client gets.
fn read(app: &TestApp, token: &str, uri: &str) -> Result<String, String> {
    let answer = app.call(token, "resources/read", json!({ "uri": uri }));
    if answer.status() != 200 {
        return Err(format!("{} {}", answer.status(), header(&answer, "www-authenticate")));
    }
    let body = json(&answer);
    match body["error"]["message"].as_str() {
        Some(message) => Err(message.to_lowercase()),
        None => Ok(body["result"]["contents"][0]["text"].as_str().expect("a text").to_owned()),
    }
}

/// The same by the tool.
fn read_by_tool(app: &TestApp, token: &str, uri: &str) -> Result<String, String> {
    let params = json!({ "name": "read_resource", "arguments": { "uri": uri } });
    let answer = app.call(token, "tools/call", params);
    if answer.status() != 200 {
        return Err(format!("{} {}", answer.status(), header(&answer, "www-authenticate")));
    }
    let result = json(&answer)["result"].clone();
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{result}");
    let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
    if result["isError"] == true { Err(text.to_lowercase()) } else { Ok(text) }
}

#[test]
fn tool_list_is_unchanged_without_the_variable_or_the_consent() {
    let plain = without_bridge();
    let four = listed(&plain, &connect(&plain, user::MARA_ADMIN, EVERYTHING, false));
    assert_eq!(listed(&plain, &connect(&plain, user::MARA_ADMIN, EVERYTHING, true)), four, "the switch is off");
    let app = offering();
    assert_eq!(listed(&app, &connect(&app, user::MARA_ADMIN, EVERYTHING, false)), four, "the box is not ticked");
    for (app, ticked) in [(&plain, true), (&app, false)] {
        let token = connect(app, user::MARA_ADMIN, EVERYTHING, ticked);
        for name in ["list_resources", "read_resource"] {
            let answer = app.call(&token, "tools/call", json!({ "name": name, "arguments": { "uri": URIS[0] } }));
            assert_eq!(json(&answer)["error"]["code"], -32602, "{name} is an unknown tool");
        }
    }
}

#[test]
fn tool_list_with_variable_and_consent_adds_two_resource_tools() {
    let app = offering();
    let list = |ticked: bool| {
        let body: Value =
            serde_json::from_slice(&listed(&app, &connect(&app, user::MARA_ADMIN, EVERYTHING, ticked))).expect("JSON");
        body["result"]["tools"].as_array().expect("a list").clone()
    };
    let (writes, all) = (list(false), list(true));
    let (first, added) = all.split_at(writes.len());
    assert_eq!(first, writes);
    let names: Vec<&Value> = added.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["list_resources", "read_resource"]);
    for tool in added {
        let hints = json!({
            "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
            "title": tool["annotations"]["title"],
        });
        assert!(hints["title"].is_string());
        assert_eq!(tool["annotations"], hints);
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
    }
}

#[test]
fn the_switch_takes_the_bridge_from_connections_that_had_it() {
    let mut app = offering();
    let token = connect(&app, user::MARA_ADMIN, EVERYTHING, true);
    assert!(read_by_tool(&app, &token, URIS[0]).is_ok());
    app.redeploy(|name| (name == "HOSTED_MCP_READ_BRIDGE").then(|| "off".to_owned()));
    let answer = app.call(&token, "tools/call", json!({ "name": "read_resource", "arguments": { "uri": URIS[0] } }));
    assert_eq!(json(&answer)["error"]["code"], -32602);
}

#[test]
fn reading_by_tool_equals_reading_the_resource_for_every_uri_role_and_scope() {
    let app = offering();
    let more = [
        "statibeat://pages/77/summary",
        "statibeat://pages/43/incidents/active",
        "statibeat://pages/42/incidents/999999",
        "statibeat://pages/42/analytics/summary?window_days=7",
        "statibeat://pages/42/analytics/summary?window_days=91",
        "statibeat://pages/42/nothing",
        "https://example.com/",
    ];
    let scopes =
        [EVERYTHING, "mcp.pages.read", "mcp.incidents.read mcp.analytics.read", "mcp.beats.read mcp.maintenances.read"];
    let (mut same, mut refused) = (0, 0);
    for user_id in [user::MARA_ADMIN, user::THEO_MANAGER, user::INES_VIEWER] {
        for scopes in scopes {
            let token = connect(&app, user_id, scopes, true);
            for uri in URIS.into_iter().chain(more) {
                let (resource, tool) = (read(&app, &token, uri), read_by_tool(&app, &token, uri));
                assert_eq!(tool, resource, "{uri} for {user_id} under {scopes}");
                *(if tool.is_ok() { &mut same } else { &mut refused }) += 1;
            }
        }
    }
    assert!(same > 100 && refused > 100, "{same} were read, {refused} refused");
}

#[test]
fn the_tool_lists_what_the_resources_list() {
    let app = offering();
    for user_id in [user::MARA_ADMIN, user::INES_VIEWER] {
        for scopes in [EVERYTHING, "mcp.pages.read", "mcp.beats.read"] {
            let token = connect(&app, user_id, scopes, true);
            let answer = json(&app.call(&token, "tools/call", json!({ "name": "list_resources", "arguments": {} })));
            let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
            let tool: Value = serde_json::from_str(text).expect("JSON");
            for (method, member, uri) in [
                ("resources/list", "resources", "uri"),
                ("resources/templates/list", "resourceTemplates", "uriTemplate"),
            ] {
                let result = json(&app.call(&token, method, json!({})))["result"].clone();
                let uris = |list: &Value| -> Vec<Value> {
                    let entries = list[member].as_array().expect("a list").iter();
                    entries.map(|entry| entry[uri].clone()).collect()
                };
                assert_eq!(uris(&tool), uris(&result), "{user_id} {scopes}");
            }
        }
    }
}

#[test]
fn arguments_of_the_reading_tools_are_checked_like_any_others() {
    let app = offering();
    let token = connect(&app, user::MARA_ADMIN, EVERYTHING, true);
    for (name, arguments, hint) in [
        ("read_resource", json!({}), "`uri` is required, or `page_id` and `resource`"),
        ("read_resource", json!({ "uri": 7 }), "`uri` must be text (got number 7)"),
        ("read_resource", json!({ "uri": URIS[4], "page_id": 43 }), "`page_id` is 43, and `uri` is of page 42"),
        (
            "read_resource",
            json!({ "uri": URIS[0], "page": 42 }),
            "`page` is not known; allowed: page_id, resource, uri",
        ),
        (
            "read_resource",
            json!({ "resource": "incidents/active" }),
            "`page_id` is required: the number of a page. Your pages: 42 ",
        ),
        (
            "read_resource",
            json!({ "page_id": "northwind", "resource": "summary" }),
            "`page_id` must be the number of a page: 42",
        ),
        ("read_resource", json!({ "page_id": 42, "resource": "incidents" }), "statibeat://pages/42/incidents/active"),
        (
            "read_resource",
            json!({ "page_id": 42, "resource": "incidents/9999" }),
            "Open incidents (statibeat://pages/42/",
        ),
        ("list_resources", json!({ "cursor": "after-7" }), "unknown cursor"),
        ("list_resources", json!({ "cursor": 7 }), "`cursor` must be text (got number 7)"),
    ] {
        let result = app.call_tool(&token, name, &arguments);
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(result["isError"] == true && text.contains(hint), "{name}: {result}");
    }
}

#[test]
fn resource_is_read_by_its_parts_like_by_its_uri() {
    let app = offering();
    let token = connect(&app, user::MARA_ADMIN, EVERYTHING, true);
    for (arguments, uri) in [
        (json!({ "resource": "overview" }), "statibeat://overview"),
        (json!({ "page_id": 42, "resource": "incidents/active" }), "statibeat://pages/42/incidents/active"),
        (json!({ "page_id": "42", "resource": "incidents/1001" }), "statibeat://pages/42/incidents/1001"),
        (
            json!({ "uri": "statibeat://pages/{page_id}/incidents/{incident_id}", "page_id": 42, "incident_id": 1001 }),
            "statibeat://pages/42/incidents/1001",
        ),
        (
            json!({ "page_id": 42, "resource": "analytics/summary?window_days=7" }),
            "statibeat://pages/42/analytics/summary?window_days=7",
        ),
    ] {
        let answer = app.call(&token, "tools/call", json!({ "name": "read_resource", "arguments": arguments }));
        let text = json(&answer)["result"]["content"][0]["text"].clone();
        assert_eq!(text.as_str(), read(&app, &token, uri).ok().as_deref(), "{arguments}");
    }
}

#[test]
fn two_tools_that_read_cost_at_most_450_tokens() {
    let app = offering();
    let body: Value =
        serde_json::from_slice(&listed(&app, &connect(&app, user::MARA_ADMIN, EVERYTHING, true))).expect("JSON");
    let cost = crate::support::tokens::count_json(&json!(body["result"]["tools"].as_array().expect("a list")[4..]));
    eprintln!("list_resources and read_resource: {cost} tokens");
    assert!(cost <= 450, "{cost} tokens");
}

#[test]
fn box_is_offered_where_the_operator_wants_it_and_ticked_beforehand_only_for_clients_that_only_know_tools() {
    let page = |app: &TestApp, client_id: &str| {
        let browser = Browser::new(app);
        browser
            .sign_in(
                &authorize_url(&[
                    ("scope", "mcp.pages.read"),
                    ("client_id", client_id),
                    ("redirect_uri", "http://127.0.0.1:3118/callback"),
                ]),
                user::MARA_ADMIN,
            )
            .body
    };
    let is_ticked = |html: &str| {
        let start = html.find("name=\"resource_tools\"").expect("the box");
        html[start..start + html[start..].find('>').expect("the end of the tag")].contains("checked")
    };
    let copilot = "https://github.com/copilot/cli/client-metadata.json";
    let (known, other) = (page(&offering(), copilot), page(&offering(), "made-up"));
    assert!(is_ticked(&known) && known.contains("without this it can post, but not read"), "{known}");
    assert!(!is_ticked(&other) && !other.contains("without this it can post"), "{other}");
    let (known, other) = (page(&without_bridge(), copilot), page(&without_bridge(), "made-up"));
    assert!(!known.contains("resource_tools") && known.contains("it can post, but not read"), "{known}");
    assert!(!other.contains("resource_tools") && !other.contains("can post, but not read"), "{other}");
}

#[test]
fn read_by_resource_tool_is_not_audited_and_charges_no_write() {
    let app = offering();
    let token = connect(&app, user::MARA_ADMIN, EVERYTHING, true);
    let before = app.db.count("SELECT count(*) FROM audit");
    assert!(read_by_tool(&app, &token, URIS[7]).is_ok());
    assert!(read_by_tool(&app, &token, "statibeat://pages/77/summary").is_err());
    assert_eq!(app.db.count("SELECT count(*) FROM audit"), before);
}

#[test]
fn the_hosted_mcp_page_says_which_connections_read_through_tools_as_long_as_there_are_such_tools() {
    const SAID: &str = "Reads through tools as well";
    let mut app = offering();
    let page = |app: &TestApp| {
        let browser = Browser::new(app);
        browser.open_admin_page(user::MARA_ADMIN);
        browser.open_connection(user::MARA_ADMIN, CLIENT).body
    };
    connect(&app, user::MARA_ADMIN, EVERYTHING, false);
    assert!(!page(&app).contains(SAID), "{}", page(&app));
    connect(&app, user::MARA_ADMIN, EVERYTHING, true);
    assert_eq!(page(&app).matches(SAID).count(), 1, "{}", page(&app));
    std::rc::Rc::get_mut(&mut app.config).expect("nobody else has it").has_resource_tools = false;
    assert!(!page(&app).contains(SAID), "nobody reads so where it is switched off");
}
