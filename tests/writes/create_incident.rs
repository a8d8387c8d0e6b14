//! `create_incident` through the whole path: checked, posted once, attributed, audited.

use crate::support::flow::user;
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

fn create(app: &TestApp, token: &str, arguments: Value) -> Value {
    app.call_tool(token, "create_incident", &arguments)
}

fn outage() -> Value {
    json!({
        "page_id": 42,
        "title": "Elevated API errors",
        "description": "Some requests fail. We are looking into it.",
        "status": "degraded",
        "affected_items_freetext": "Public API",
    })
}

/// One of many incidents that have nothing to do with each other.
fn another(count: u32) -> Value {
    let mut arguments = outage();
    arguments["title"] = json!(format!("System {count} is down"));
    arguments["affected_items_freetext"] = json!(format!("System {count}"));
    arguments
}

#[test]
fn a_created_incident_is_on_the_page_and_in_the_audit() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    let result = create(&app, &token, outage());
    let receipt = &result["structuredContent"];
    assert_ne!(result["isError"], true, "{result}");
    assert_eq!((&receipt["page_id"], &receipt["status"]), (&json!(42), &json!("degraded")));
    let active = app.read(&token, "statibeat://pages/42/incidents/active");
    let is_there =
        active["incidents"].as_array().expect("a list").iter().any(|incident| incident["id"] == receipt["incident_id"]);
    assert!(is_there, "{active}");
    let row = "SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'done' AND tool = 'create_incident' AND page_id = 42 AND user_id = '2' AND client_id = 'test-client'";
    assert_eq!(app.db.count(row), 1);
}

#[test]
fn request_to_statibeat_names_user_client_and_connection() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    create(&app, &token, outage());
    let requests = app.upstream.simulator.requests();
    let post = requests
        .iter()
        .rfind(|request| request.method == "POST" && request.path.ends_with("/admin/incidents"))
        .expect("the post");
    let header =
        |name: &str| post.headers.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value.as_str());
    assert_eq!(header("x-statibeat-source"), Some("hosted_mcp"));
    assert_eq!(header("x-statibeat-client-id"), Some("test-client"));
    assert!(header("x-statibeat-connection-id").is_some_and(|id| !id.is_empty()));
    assert!(header("x-request-id").is_some_and(|id| !id.is_empty()));
}

#[test]
fn a_write_takes_three_upstream_calls_and_four_database_round_trips() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    app.ping(&token);
    let batches = app.db.batches.get();
    app.upstream.take_calls();
    create(&app, &token, outage());
    let page = "/api/v1/orgs/7/pages/42/admin";
    let look = format!("POST {page}/incidents?dry_run=true");
    assert_eq!(app.upstream.take_calls(), ["GET /api/v1/me/pages", &look, &format!("POST {page}/incidents")]);
    assert_eq!(
        app.db.batches.get() - batches,
        4,
        "the token check, the lease, the last check before the post, the end"
    );
}

/// P7
#[test]
fn write_of_a_viewer_gets_a_missing_role_error_and_posts_nothing() {
    let app = TestApp::new();
    let token = app.connect(user::INES_VIEWER, ALL).access;
    let result = create(&app, &token, outage());
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["content"][0]["text"].as_str().expect("text").contains("incidents.manage"), "{result}");
    assert_eq!(app.take_posts(), 0);
}

#[test]
fn a_page_of_another_organization_does_not_exist() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    let mut texts = Vec::new();
    for page_id in [77, 999_999] {
        let mut arguments = outage();
        arguments["page_id"] = json!(page_id);
        let result = create(&app, &token, arguments);
        assert_eq!(result["isError"], true, "{result}");
        texts.push(result["content"][0]["text"].as_str().expect("text").replace(&page_id.to_string(), "X"));
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(app.take_posts(), 0);
}

#[test]
fn arguments_that_do_not_fit_say_how_to_mend_them_and_post_nothing() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    let changed = |name: &str, value: Value| {
        let mut arguments = outage();
        arguments[name] = value;
        arguments
    };
    for (arguments, hint) in [
        (json!({}), "page_id"),
        (changed("page_id", json!("Acme")), "page_id"),
        (changed("page_id", json!(-1)), "page_id"),
        (changed("title", json!("")), "title"),
        (changed("title", json!(7)), "title"),
        (changed("resolved", json!(true)), "resolved"),
        (changed("affected_items", json!([{"id": 1, "slug": "a"}])), "affected_items"),
        (changed("affected_items", json!([{}])), "affected_items"),
        (changed("affected_items", json!("api")), "affected_items"),
    ] {
        let result = create(&app, &token, arguments);
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(result["isError"] == true && text.contains(hint), "{hint}: {result}");
    }
    assert_eq!(app.take_posts(), 0);
}

#[test]
fn statibeats_own_refusal_reaches_the_model() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    let mut arguments = outage();
    arguments["status"] = json!("on_fire");
    let result = create(&app, &token, arguments);
    assert!(
        result["isError"] == true && result["content"][0]["text"].as_str().expect("text").contains("partial_outage"),
        "{result}"
    );
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE outcome = 'done'  AND kind = 'write'"), 0);
}

#[test]
fn write_31_of_a_connection_in_a_minute_is_rate_limited() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    app.advance(Duration::from_secs(60 - u64::try_from(app.now().as_seconds() % 60).expect("positive")));
    for count in 0..30 {
        assert_ne!(create(&app, &token, another(count))["isError"], true);
    }
    app.upstream.take_calls();
    let result = create(&app, &token, another(30));
    assert!(
        result["isError"] == true && result["content"][0]["text"].as_str().expect("text").contains("60 seconds"),
        "{result}"
    );
    assert_eq!(app.take_posts(), 0);
    app.advance(Duration::from_mins(1));
    assert_ne!(create(&app, &token, another(30))["isError"], true);
}

/// P6b
#[test]
fn writing_tools_are_listed_without_their_scope() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let listed = json(&app.call(&pair.access, "tools/list", json!({})));
    let tools = listed["result"]["tools"].as_array().expect("a list").clone();
    let create = tools.iter().find(|tool| tool["name"] == "create_incident").expect("listed");
    assert!(create.to_string().contains("mcp.incidents.write"), "its entry names the scope: {create}");
}

#[test]
fn a_limiter_outage_means_no_write() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    app.limiter.is_down.set(true);
    assert_eq!(create(&app, &token, outage())["isError"], true);
    assert_eq!(app.take_posts(), 0);
}
