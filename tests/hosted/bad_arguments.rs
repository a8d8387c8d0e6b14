//! Bad input for each argument of each tool, on the wire, in both eras: an answer that names the argument, nothing posted,
//! and each attempt on record.

#[path = "../tables/bad_arguments.rs"]
mod table;

use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json, request};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use table::{Bad, TOOLS, bad_calls};

/// What Hosted MCP adds to every tool.
const OWN: [&str; 4] = ["page_id", "idempotency_key", "preview", "confirm"];

fn on_page(mut arguments: Map<String, Value>) -> Map<String, Value> {
    arguments.entry("page_id").or_insert_with(|| json!(42));
    arguments
}

/// The same for the arguments that this surface adds.
fn own_bad_calls() -> Vec<Bad> {
    let long = "x".repeat(129);
    let wrong = [
        ("page_id", vec![json!("42"), json!(0), json!(-1), json!(4.5), json!([42]), Value::Null]),
        ("idempotency_key", vec![json!(""), json!(7), json!([]), json!(long)]),
        ("preview", vec![json!("true"), json!(1), json!({})]),
        ("confirm", vec![json!(""), json!(7), json!({}), json!("x".repeat(2049))]),
    ];
    let good =
        |tool| bad_calls().into_iter().find(|bad| bad.tool == tool && bad.says.contains("Title")).expect("a row");
    let row = |tool: &'static str, name: &str, value: Value| {
        let mut arguments = good(tool).arguments;
        arguments.remove("Title");
        arguments.insert(name.to_owned(), value);
        Bad { tool, arguments, says: format!("`{name}`") }
    };
    let rows = |tool| {
        wrong.iter().flat_map(move |(name, values)| values.iter().map(move |value| row(tool, name, value.clone())))
    };
    TOOLS.into_iter().flat_map(|(tool, _)| rows(tool).collect::<Vec<_>>()).collect()
}

fn call(app: &TestApp, token: &str, revision: &str, bad: &Bad) -> Value {
    let mut params = json!({ "name": bad.tool, "arguments": on_page(bad.arguments.clone()) });
    let is_modern = revision == "2026-07-28";
    if is_modern {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        });
    }
    let authorization = format!("Bearer {token}");
    let modern = [("mcp-method", "tools/call"), ("mcp-name", bad.tool)];
    let headers: Vec<(&str, &str)> = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("mcp-protocol-version", revision),
    ]
    .into_iter()
    .chain(modern.into_iter().filter(|_| is_modern))
    .collect();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    json(&app.send(request("POST", "/mcp", &headers, body)))["result"].clone()
}

fn check_all(revision: &str, bad_calls: &[Bad]) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.take_calls();
    for bad in bad_calls {
        let given = Value::Object(bad.arguments.clone()).to_string();
        let shown: String = given.chars().take(300).collect();
        let result = call(&app, &token, revision, bad);
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(result["isError"], true, "{} {shown}: {result}", bad.tool);
        assert!(text.contains(&bad.says) && text.contains("Nothing was published"), "{} {shown}: {text}", bad.tool);
    }
    let calls = app.upstream.take_calls();
    assert!(!calls.iter().any(|call| call.starts_with("POST")), "{calls:?}");
    let refused =
        "SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'refused' AND detail IN ('arguments', 'times')";
    assert_eq!(app.db.count(refused), i64::try_from(bad_calls.len()).expect("a count"));
}

#[test]
fn every_bad_argument_is_named_and_publishes_nothing_in_the_legacy_era() {
    check_all("2025-11-25", &bad_calls());
    check_all("2025-11-25", &own_bad_calls());
}

#[test]
fn every_bad_argument_is_named_and_publishes_nothing_in_the_modern_era() {
    check_all("2026-07-28", &bad_calls());
    check_all("2026-07-28", &own_bad_calls());
}

#[test]
fn the_table_knows_every_argument_of_every_tool() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let listed = json(&app.call(&token, "tools/list", json!({})))["result"]["tools"].clone();
    for tool in listed.as_array().expect("a list") {
        let names = tool["inputSchema"]["properties"].as_object().expect("properties").keys().map(String::as_str);
        let (_, known) = TOOLS.into_iter().find(|(name, _)| tool["name"] == *name).expect("a tool of the table");
        let known = known.iter().map(|(name, ..)| *name).chain(OWN);
        assert_eq!(names.collect::<BTreeSet<_>>(), known.collect::<BTreeSet<_>>(), "{}", tool["name"]);
    }
}
