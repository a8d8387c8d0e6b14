//! Bad input for each argument of each tool, on the wire, in both eras: an answer that names the argument, nothing posted,
//! and each attempt on record.

#[path = "../tables/bad_arguments.rs"]
pub mod table;

use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use table::{BOTH, Bad, MANNER, bad_calls, each_with};

fn on_page(mut arguments: Map<String, Value>) -> Map<String, Value> {
    arguments.entry("page_id").or_insert_with(|| json!(42));
    arguments
}

/// The table's calls, and the same for the argument that this surface adds.
fn all_bad_calls() -> Vec<Bad> {
    let no_page = [json!("Acme"), json!(0), json!(-1), json!(4.5), json!([42]), Value::Null];
    bad_calls(&BOTH).into_iter().chain(each_with(&BOTH, "page_id", &no_page)).collect()
}

fn call(app: &TestApp, token: &str, revision: &str, bad: &Bad) -> Value {
    let params = json!({ "name": bad.tool, "arguments": on_page(bad.arguments.clone()) });
    json(&app.call_in(revision, token, "tools/call", params))["result"].clone()
}

fn check_all(revision: &str, bad_calls: &[Bad]) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.take_calls();
    for bad in bad_calls {
        let given = Value::Object(bad.arguments.clone()).to_string();
        let shown: String = given.chars().take(300).collect();
        // Each of them is to be on record.
        app.limiter.forget();
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
fn every_bad_argument_is_named_and_publishes_nothing_with_a_handshake() {
    check_all("2025-11-25", &all_bad_calls());
}

#[test]
fn every_bad_argument_is_named_and_publishes_nothing_without_a_handshake() {
    check_all("2026-07-28", &all_bad_calls());
}

#[test]
fn the_table_knows_every_argument_of_every_tool() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let listed = json(&app.call(&token, "tools/list", json!({})))["result"]["tools"].clone();
    for tool in listed.as_array().expect("a list") {
        let names = tool["inputSchema"]["properties"].as_object().expect("properties").keys().map(String::as_str);
        let (_, known) = BOTH.into_iter().find(|(name, _)| tool["name"] == *name).expect("a tool of the table");
        let known = known.iter().map(|(name, ..)| *name).chain(MANNER).chain(["page_id"]);
        assert_eq!(names.collect::<BTreeSet<_>>(), known.collect::<BTreeSet<_>>(), "{}", tool["name"]);
    }
}
