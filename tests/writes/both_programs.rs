//! Hosted MCP and the Page MCP server beside each other, each with a StatiBeat of the same state: the same arguments get the same
//! errors and the same previews. Differences are those of the programs: the page argument, the form of URIs, the audit entry.

use crate::mcp::bad_arguments::table::{BOTH, bad_calls};
use crate::page_program::{Client, StatiBeat};
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{START, TestApp, UPSTREAM_URL, json};
use serde_json::{Map, Value, json};

const PAGE_TOKEN: (&str, &str) = ("STATIBEAT_API_TOKEN", "sb_demo_admin_42");

/// A response as both programs must give it.
#[derive(Debug, PartialEq, Eq)]
struct ComparedResult {
    is_error: bool,
    text: String,
}

/// Words that only one of the programs says, and the other's: the page server has tools that end and reopen.
const WORDS: [(&str, &str); 10] = [
    (UPSTREAM_URL, "http://127.0.0.1:8687"),
    ("ends it and is set by a person", "ends it and is set by resolve_incident or a person"),
    ("end it and are set by a person", "end it and are set by complete_maintenance, cancel_maintenance or a person"),
    (
        "incident 1004 is resolved: only a message can be added, because anything else would reopen it, which is done by a person",
        "incident 1004 is resolved: only a message can be added, because anything else would reopen it, which is done by reopen_incident or a person",
    ),
    ("statibeat://pages/42/", "statibeat://page/"),
    ("only page_id and confirm", "only confirm"),
    ("Page 42 has no ", "This page has no "),
    ("No page that you can see has it. ", ""),
    ("page_id, ", ""),
    (", page_id", ""),
];

/// The response without what only one of the programs says.
fn compared(result: &Value) -> ComparedResult {
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"));
    let text = text.split(" (Audit entry ").next().unwrap_or_default().to_owned();
    let text = match result["structuredContent"]["preview"]["confirm"].as_str() {
        Some(token) => text.replace(token, "<token>"),
        None => text,
    };
    let text = WORDS.into_iter().fold(text, |text, (hosted, page)| text.replace(hosted, page));
    ComparedResult { is_error: result["isError"] == true, text }
}

struct Hosted {
    app: TestApp,
    token: String,
}

impl Hosted {
    fn new() -> Self {
        let app = TestApp::new();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        Self { app, token }
    }

    fn call(&self, tool: &str, arguments: &Map<String, Value>) -> ComparedResult {
        self.app.limiter.forget();
        let mut arguments = arguments.clone();
        arguments.insert("page_id".to_owned(), json!(42));
        let params = json!({ "name": tool, "arguments": arguments });
        compared(&json(&self.app.call(&self.token, "tools/call", params))["result"])
    }
}

async fn call_page(client: &Client<'_>, tool: &str, arguments: &Map<String, Value>) -> ComparedResult {
    let params = json!({ "name": tool, "arguments": arguments });
    compared(&client.request("tools/call", params).await["result"])
}

/// Makes each call on both programs, which keep their state from call to call.
fn compare(calls: Vec<(&'static str, Map<String, Value>)>) {
    let hosted = Hosted::new();
    let mut differing = Vec::new();
    StatiBeat::beginning_at(START).serve(&[PAGE_TOKEN], async |client| {
        for (tool, arguments) in &calls {
            let (hosted, page) = (hosted.call(tool, arguments), call_page(client, tool, arguments).await);
            if hosted != page {
                let given: String = Value::Object(arguments.clone()).to_string().chars().take(300).collect();
                differing.push(format!("{tool} {given}\n  hosted: {hosted:?}\n  page:   {page:?}"));
            }
        }
    });
    assert!(differing.is_empty(), "{} of {}:\n{}", differing.len(), calls.len(), differing.join("\n"));
}

fn call(tool: &'static str, arguments: Value) -> (&'static str, Map<String, Value>) {
    (tool, serde_json::from_value(arguments).expect("an object"))
}

#[test]
fn bad_argument_gets_the_same_error_from_both_programs() {
    compare(bad_calls(&BOTH).into_iter().map(|bad| (bad.tool, bad.arguments)).collect());
}

/// Values that fit their argument, and nothing on the page.
fn refused_calls() -> Vec<(&'static str, Map<String, Value>)> {
    let incident = |more: Value| {
        let mut arguments = json!({ "title": "API down", "description": "Requests fail." });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        call("create_incident", arguments)
    };
    let update = |more: Value| {
        let mut arguments = json!({ "incident_id": 1001, "message": "We are on it." });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        call("add_incident_update", arguments)
    };
    let window = |starts_at: &str, ends_at: &str, more: Value| {
        let mut arguments =
            json!({ "title": "Upgrade", "description": "We upgrade.", "starts_at": starts_at, "ends_at": ends_at });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        call("schedule_maintenance", arguments)
    };
    let note = |more: Value| {
        let mut arguments = json!({ "maintenance_id": 2001, "message": "On time." });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        call("add_maintenance_update", arguments)
    };
    let (early, late) = ("2030-01-31T22:00:00Z", "2030-01-31T23:00:00Z");
    vec![
        incident(json!({ "status": "on_fire" })),
        incident(json!({ "status": "Degradd" })),
        incident(json!({ "affected_items": [{ "id": 999 }] })),
        incident(json!({ "affected_items": [{ "slug": "serch" }] })),
        incident(json!({ "affected_items": ["Search"] })),
        incident(json!({ "description": "Ask root@internal.example with sk_live_51H8xJ2eZvKYlo2C0abcdefghijk." })),
        incident(json!({ "description": "Write to anna@example.com." })),
        incident(json!({ "description": "db-1.prod.internal fails" })),
        incident(json!({ "confirm": "yes" })),
        incident(json!({ "confirm": "pv_AAAAAAAAAAAAAAAAAAAAAAAAAAAA" })),
        update(json!({ "incident_id": 999_999 })),
        update(json!({ "lifecycle_stage_id": "Identified!" })),
        update(json!({ "lifecycle_stage_id": 999 })),
        update(json!({ "lifecycle_stage_id": 0 })),
        update(json!({ "lifecycle_stage_id": 4 })),
        update(json!({ "lifecycle_stage_id": "Resolved" })),
        update(json!({ "incident_id": 1004, "lifecycle_stage_id": 2 })),
        update(json!({ "incident_id": 1004, "status": "degraded" })),
        update(json!({ "lifecycle_stage_id": 999, "add_affected_items": [{ "id": 999 }] })),
        update(json!({ "status": "on_fire" })),
        update(json!({ "add_affected_items": [{ "id": 999 }] })),
        update(json!({ "remove_affected_items": [{ "id": 999 }] })),
        window(late, early, json!({})),
        window("2020-01-31T22:00:00Z", "2020-01-31T23:00:00Z", json!({})),
        window(early, late, json!({ "affected_items": [{ "id": 999 }] })),
        note(json!({ "maintenance_id": 999_999 })),
        note(json!({ "lifecycle_stage_id": "Completing" })),
        note(json!({ "lifecycle_stage_id": 999 })),
        note(json!({ "lifecycle_stage_id": 13 })),
        note(json!({ "lifecycle_stage_id": "Cancelled" })),
    ]
}

#[test]
fn value_that_the_page_does_not_have_gets_the_same_error_from_both_programs() {
    compare(refused_calls());
}

#[test]
fn preview_says_the_same_in_both_programs() {
    let good = [
        call("create_incident", json!({ "title": "API down", "description": "Requests fail." })),
        call(
            "create_incident",
            json!({
                "title": "Slow search", "description": "Search is slow.", "impact": "Results take a minute.",
                "status": "degraded", "affected_items": [{ "slug": "search" }],
            }),
        ),
        call("add_incident_update", json!({ "incident_id": 1001, "message": "We are on it." })),
        call(
            "add_incident_update",
            json!({ "incident_id": 1001, "message": "Found it.", "lifecycle_stage_id": "Identified" }),
        ),
        call(
            "schedule_maintenance",
            json!({
                "title": "Upgrade", "description": "We upgrade.",
                "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:00:00Z",
            }),
        ),
        call("add_maintenance_update", json!({ "maintenance_id": 2001, "message": "On time." })),
    ];
    let calls = good.into_iter().chain(refused_calls()).map(|(tool, mut arguments)| {
        arguments.insert("preview".to_owned(), json!(true));
        (tool, arguments)
    });
    compare(calls.collect());
}
