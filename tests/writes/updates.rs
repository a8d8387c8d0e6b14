//! The three younger tools: they post what they say, and move nothing out of its life.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, tools};
use crate::support::{TestApp, json};
use serde_json::{Value, json};

fn posts(app: &TestApp) -> Vec<String> {
    app.upstream
        .take_calls()
        .into_iter()
        .filter(|call| call.starts_with("POST /api/v1/orgs") && !call.ends_with("?dry_run=true"))
        .collect()
}

fn schema_of(app: &TestApp, token: &str, name: &str) -> Value {
    let tools = json(&app.call(token, "tools/list", json!({})))["result"]["tools"].clone();
    let tool = tools.as_array().expect("a list").iter().find(|tool| tool["name"] == name).cloned();
    tool.expect("it is listed")["outputSchema"].clone()
}

#[test]
fn every_tool_posts_once_and_reports_what_its_schema_promises() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let paths = ["incidents", "incidents/1001/updates", "maintenances", "maintenances/2001/updates"];
    for ((name, arguments), path) in tools().into_iter().zip(paths) {
        let schema = schema_of(&app, &token, name);
        app.upstream.take_calls();
        let result = app.call_tool(&token, name, &arguments);
        assert_ne!(result["isError"], true, "{name}: {result}");
        assert_eq!(posts(&app), [format!("POST /api/v1/orgs/7/pages/42/admin/{path}")], "{name}");
        let structured = &result["structuredContent"];
        assert!(jsonschema::is_valid(&schema, structured), "{name}: {structured}");
        let fields = schema["properties"].as_object().expect("properties").keys();
        for field in fields.filter(|field| !["preview", "warnings"].contains(&field.as_str())) {
            assert!(structured.get(field).is_some(), "{name} reports {field}: {structured}");
        }
        assert_eq!(structured["page_name"], "Northwind Cloud Status", "{name}");
        let uri = structured["resource_uri"].as_str().expect("a URI");
        assert_eq!(result["content"][2]["uri"], uri, "{name} links to what it wrote");
        assert!(app.read(&token, uri)["page"]["id"] == 42, "{name}");
    }
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'done'"), 4);
}

#[test]
fn an_update_is_on_the_timeline_in_its_stage() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let arguments = json!({ "page_id": 42, "incident_id": 1001, "message": "We watch it.", "lifecycle_stage_id": 3 });
    let result = app.call_tool(&token, "add_incident_update", &arguments);
    assert_eq!(result["structuredContent"]["stage"], "Monitoring", "{result}");
    let incident = app.read(&token, "statibeat://pages/42/incidents/1001");
    assert_eq!(incident["updates"]["items"][0]["message"], "We watch it.");
    assert_eq!(incident["incident"]["lifecycle_stage"]["name"], "Monitoring");
}

/// Tool, what it writes to, stage, and the words of the refusal.
fn refused(tool: &str, target: (&str, i64), stage: i64, words: &str) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let mut arguments = json!({ "page_id": 42, "message": "Over.", "lifecycle_stage_id": stage });
    arguments[target.0] = json!(target.1);
    app.upstream.take_calls();
    let result = app.call_tool(&token, tool, &arguments);
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(result["isError"] == true && text.contains(words), "{tool} {stage}: {result}");
    assert!(text.contains("Nothing was published"), "{text}");
    assert_eq!(posts(&app), Vec::<String>::new(), "{tool} {stage}");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'refused'"), 1);
}

#[test]
fn a_stage_that_resolves_completes_or_cancels_is_refused_before_anything_is_posted() {
    let open = "must be one of: 1 (\"Investigating\"), 2 (\"Identified\"), 3 (\"Monitoring\") (got ";
    refused("add_incident_update", ("incident_id", 1001), 4, open);
    refused("add_incident_update", ("incident_id", 1001), 99, open);
    let open = "must be one of: 11 (\"Scheduled\"), 12 (\"In Progress\") (got ";
    refused("add_maintenance_update", ("maintenance_id", 2001), 13, open);
    refused("add_maintenance_update", ("maintenance_id", 2001), 14, open);
}

#[test]
fn a_stage_that_reopens_is_refused_and_a_message_is_not() {
    refused("add_incident_update", ("incident_id", 1004), 2, "only a message can be added");
    refused("add_maintenance_update", ("maintenance_id", 2004), 12, "only a message can be added");
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let arguments = json!({ "page_id": 42, "incident_id": 1004, "message": "Our review is published." });
    assert_ne!(app.call_tool(&token, "add_incident_update", &arguments)["isError"], true);
}

#[test]
fn stage_takes_no_scope_beside_that_of_the_write() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.incidents.write").access;
    let arguments = json!({ "page_id": 42, "incident_id": 1001, "message": "On it.", "lifecycle_stage_id": 2 });
    assert_ne!(app.call_tool(&token, "add_incident_update", &arguments)["isError"], true);
}

#[test]
fn update_of_a_missing_incident_is_not_posted() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (name, target) in [("add_incident_update", "incident_id"), ("add_maintenance_update", "maintenance_id")] {
        for stage in [None, Some(1)] {
            let mut arguments = json!({ "page_id": 42, "message": "Hello.", "lifecycle_stage_id": stage });
            arguments[target] = json!(999_999);
            let result = app.call_tool(&token, name, &arguments);
            assert!(result["isError"] == true && result.to_string().contains("that you can see"), "{name}: {result}");
        }
    }
}

#[test]
fn repeated_update_with_a_stage_is_replayed_after_the_incident_was_resolved() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let arguments = json!({ "page_id": 42, "incident_id": 1001, "message": "We watch it.", "lifecycle_stage_id": 3 });
    let first = app.call_tool(&token, "add_incident_update", &arguments)["structuredContent"].clone();
    app.upstream.rewrite(|document| {
        if document["state"].is_string() {
            document["state"] = "resolved".into();
        }
    });
    posts(&app);
    let repeated = app.call_tool(&token, "add_incident_update", &arguments);
    let structured = &repeated["structuredContent"];
    assert_eq!((&structured["replayed"], &structured["update_id"]), (&json!(true), &first["update_id"]), "{repeated}");
    assert_eq!(posts(&app), Vec::<String>::new());
}
