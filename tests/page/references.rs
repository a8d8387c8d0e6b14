//! No list of the page server, no prompt and no answer to a wrong call names what its reader cannot follow, with whatever
//! tools its operator switched off.

use crate::known_names::{KnownNames, texts};
use crate::support::{Client, StatiBeat};
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::prompts::PROMPTS;
use statibeat_mcp::catalog::tools::all_tools;

const ALLOWED: &str = "STATIBEAT_MCP_ALLOWED_TOOLS";
/// Settings that switch tools off, and one that does not.
const SELECTIONS: [(&str, &str); 6] = [
    ("STATIBEAT_MCP_READ_ONLY", "false"),
    ("STATIBEAT_MCP_READ_ONLY", "true"),
    (ALLOWED, "create_incident"),
    (ALLOWED, "add_incident_update, complete_maintenance"),
    (ALLOWED, "schedule_maintenance, run_beat"),
    (ALLOWED, "add_maintenance_update"),
];

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// Calls that are refused, and two that are not.
fn calls() -> Vec<(&'static str, Map<String, Value>)> {
    let ids = json!({ "incident_id": 9999, "maintenance_id": 9999, "beat_id": 9999, "action_id": 9999 });
    let wrong = all_tools().flat_map(|tool| [(tool.name, Map::new()), (tool.name, object(&ids))]);
    let incident = json!({ "title": "API gateway errors in Europe", "description": "Requests fail." });
    let others = [
        ("create_incident", incident.clone()),
        ("create_incident", incident),
        ("add_incident_update", json!({ "incident_id": 1010, "message": "Again.", "lifecycle_stage_id": 2 })),
        ("add_incident_update", json!({ "incident_id": 1001, "message": "Fixed.", "lifecycle_stage_id": 4 })),
        ("add_maintenance_update", json!({ "maintenance_id": 2001, "message": "Done.", "lifecycle_stage_id": 3 })),
    ];
    wrong.chain(others.iter().map(|(name, arguments)| (*name, object(arguments)))).collect()
}

/// Every text that a reader is shown, each with the words of the reader's own that it may repeat.
async fn collect_texts(client: &Client<'_>, lists: &[Value]) -> Vec<(String, &'static str)> {
    // The descriptions of a tool are read together.
    let tools = lists[0]["tools"].as_array().into_iter().flatten().map(|tool| (texts(tool).join("\n"), ""));
    let mut shown: Vec<_> = tools.collect();
    shown.extend(lists[1..].iter().flat_map(texts).map(|text| (text.to_owned(), "")));
    let handshake =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let handshake = client.request("initialize", handshake).await;
    shown.extend(texts(&handshake).into_iter().map(|text| (text.to_owned(), "")));
    for (name, arguments) in calls() {
        shown.push((client.call(name, arguments).await.text, name));
    }
    for prompt in PROMPTS {
        let given = [("incident_id", "1001"), ("maintenance_id", "2001"), ("beat_id", "501"), ("action_id", "701")];
        let given = given.into_iter().chain([("symptoms", "Errors."), ("change_summary", "Work.")]);
        let given = given.filter(|(name, _)| prompt.arguments.iter().any(|argument| argument.name == *name));
        let arguments: Map<String, Value> = given.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let answer = client.request("prompts/get", json!({ "name": prompt.name, "arguments": arguments })).await;
        assert!(answer["result"].is_object(), "{answer}");
        // What stands in the blocks is StatiBeat's: `create_incident` is also what a Beat can do.
        let task = texts(&answer).into_iter().filter_map(|text| text.split("\n\n=== ").next());
        shown.extend(task.map(|text| (text.to_owned(), "")));
    }
    let unknown = client.request("prompts/get", json!({ "name": "write_incident" })).await;
    shown.extend(texts(&unknown).into_iter().map(|text| (text.to_owned(), "")));
    for uri in ["statibeat://page/incidents/9999", "statibeat://nothing"] {
        let answer: Value = client.request("resources/read", json!({ "uri": uri })).await;
        shown.extend(texts(&answer).into_iter().map(|text| (text.to_owned(), uri)));
    }
    shown
}

fn dead_references(name: &str, value: &str) -> Vec<String> {
    let statibeat = StatiBeat::new();
    statibeat.serve(&[("STATIBEAT_MCP_CONFIRM", "never"), (name, value)], async |client| {
        let mut lists = vec![];
        for method in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            lists.push(client.request(method, json!({})).await["result"].clone());
        }
        let known = KnownNames::new(&lists);
        assert!(known.names.contains("prepare_resolution") && !known.uris.is_empty(), "{lists:?}");
        let shown = collect_texts(client, &lists).await;
        let dead = shown.iter().flat_map(|(text, given)| {
            known.find_dead(text, &[given]).into_iter().map(move |dead| format!("{name}={value}: {dead} in {text:?}"))
        });
        dead.collect()
    })
}

#[test]
fn text_of_the_page_server_names_only_what_its_reader_can_follow() {
    let dead: Vec<String> = SELECTIONS.into_iter().flat_map(|(name, value)| dead_references(name, value)).collect();
    assert!(dead.is_empty(), "{} dead references\n{}", dead.len(), dead.join("\n"));
}
