//! Bad input for each argument of each tool, as a client at the pipe sends it: the refusal names the argument, and StatiBeat
//! is asked for nothing but the page. In process in both eras, and once over the built program.

#[path = "../tables/bad_arguments.rs"]
mod table;

use crate::support::{CallResult, StatiBeat};
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::all_tools;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use table::{ArgumentKind, BOTH, Bad, MANNER, Tool, bad_calls, each_with};

/// The tools of this surface alone, written out by hand.
const ALONE: [Tool; 12] = [
    (
        "update_incident",
        &[
            ("incident_id", ArgumentKind::Id, true),
            ("title", ArgumentKind::Text(200), false),
            ("description", ArgumentKind::Text(20_000), false),
            ("status", ArgumentKind::Key, false),
            ("impact", ArgumentKind::Text(2000), false),
            ("affected_items", ArgumentKind::Items, false),
            ("affected_items_freetext", ArgumentKind::Text(2000), false),
        ],
    ),
    ("acknowledge_incident", &[("incident_id", ArgumentKind::Id, true)]),
    (
        "resolve_incident",
        &[("incident_id", ArgumentKind::Id, true), ("resolution_message", ArgumentKind::Text(20_000), false)],
    ),
    ("reopen_incident", &[("incident_id", ArgumentKind::Id, true), ("message", ArgumentKind::Text(20_000), false)]),
    ("delete_incident", &[("incident_id", ArgumentKind::Id, true)]),
    (
        "update_maintenance",
        &[
            ("maintenance_id", ArgumentKind::Id, true),
            ("title", ArgumentKind::Text(200), false),
            ("description", ArgumentKind::Text(20_000), false),
            ("starts_at", ArgumentKind::Time, false),
            ("ends_at", ArgumentKind::Time, false),
            ("impact", ArgumentKind::Text(2000), false),
            ("affected_items", ArgumentKind::Items, false),
            ("affected_items_freetext", ArgumentKind::Text(2000), false),
        ],
    ),
    (
        "complete_maintenance",
        &[("maintenance_id", ArgumentKind::Id, true), ("message", ArgumentKind::Text(20_000), false)],
    ),
    (
        "cancel_maintenance",
        &[("maintenance_id", ArgumentKind::Id, true), ("message", ArgumentKind::Text(20_000), false)],
    ),
    ("delete_maintenance", &[("maintenance_id", ArgumentKind::Id, true)]),
    ("run_beat", &[("beat_id", ArgumentKind::Id, true)]),
    ("approve_beat_action", &[("action_id", ArgumentKind::Id, true)]),
    ("reject_beat_action", &[("action_id", ArgumentKind::Id, true)]),
];

/// The table's calls; the argument that only the other surface has; and edits that change nothing or cannot be.
fn all_bad_calls() -> Vec<Bad> {
    let tools = [&BOTH[..], &ALONE[..]].concat();
    let one = |tool, arguments: Value, says: &str| {
        let arguments: Map<String, Value> = serde_json::from_value(arguments).expect("an object");
        Bad { tool, arguments, says: says.to_owned() }
    };
    let (early, late) = ("2030-01-31T22:00:00Z", "2030-01-31T23:00:00Z");
    let edits = [
        one("update_incident", json!({ "incident_id": 1 }), "at least one field"),
        one("update_maintenance", json!({ "maintenance_id": 1 }), "at least one field"),
        one("update_maintenance", json!({ "maintenance_id": 1, "starts_at": late, "ends_at": early }), "must be after"),
    ];
    bad_calls(&tools).into_iter().chain(each_with(&tools, "page_id", &[json!(42)])).chain(edits).collect()
}

fn check(bad: &Bad, told: &CallResult) {
    let given: String = Value::Object(bad.arguments.clone()).to_string().chars().take(300).collect();
    assert!(told.failed, "{} {given}", bad.tool);
    let says_all = told.text.contains(&bad.says) && told.text.contains("Nothing was published");
    assert!(says_all, "{} {given}: {}", bad.tool, told.text);
}

#[test]
fn every_bad_argument_is_named_and_sends_nothing_in_any_protocol_version() {
    for revision in ["2025-11-25", "2026-07-28"] {
        let statibeat = StatiBeat::new();
        let before = statibeat.state();
        statibeat.serve(&[("STATIBEAT_MCP_CONFIRM", "never")], async |client| {
            for bad in all_bad_calls() {
                check(&bad, &client.call_in(revision, bad.tool, bad.arguments.clone()).await);
            }
        });
        assert_eq!(statibeat.writes(), Vec::<String>::new());
        assert!(statibeat.state() == before);
    }
}

#[test]
fn arguments_that_are_no_object_are_refused() {
    StatiBeat::new().serve(&[], async |client| {
        for arguments in [json!([1]), json!("x"), json!(7)] {
            let answer = client.request("tools/call", json!({ "name": "run_beat", "arguments": arguments })).await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    });
}

#[test]
fn the_table_knows_every_argument_of_every_tool() {
    let tools = [&BOTH[..], &ALONE[..]].concat();
    assert_eq!(tools.len(), all_tools().count());
    StatiBeat::new().serve(&[], async |client| {
        let listed = client.request("tools/list", json!({})).await["result"]["tools"].clone();
        for tool in listed.as_array().expect("a list") {
            let names = tool["inputSchema"]["properties"].as_object().expect("properties").keys().map(String::as_str);
            let (_, known) = tools.iter().find(|(name, _)| tool["name"] == *name).expect("a tool of the table");
            let known = known.iter().map(|(name, ..)| *name).chain(MANNER);
            assert_eq!(names.collect::<BTreeSet<_>>(), known.collect::<BTreeSet<_>>(), "{}", tool["name"]);
        }
    });
}

/// The page, and nothing else: whatever is asked for besides is answered with 500.
fn answer_for_the_page(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let body = json!({ "organization": { "id": 7 }, "page": { "id": 42, "name": "Northwind" } }).to_string();
    let status = if head.starts_with(b"GET /api/v1/context ") { "200 OK" } else { "500 Unasked" };
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).ok()
}

#[test]
fn every_bad_argument_is_named_by_the_built_program() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || while answer_for_the_page(&mut stream).is_some() {});
        }
    });
    let mut program = Command::new(std::env::var_os("CARGO_BIN_EXE_statibeat-page-mcp").expect("cargo names it"))
        .env_clear()
        .envs([("STATIBEAT_API_TOKEN", "x"), ("STATIBEAT_BASE_URL", &origin)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the built program");
    let mut input = program.stdin.take().expect("a pipe");
    let mut output = BufReader::new(program.stdout.take().expect("a pipe")).lines();
    for bad in all_bad_calls() {
        let params = json!({ "name": bad.tool, "arguments": bad.arguments });
        let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        writeln!(input, "{line}").expect("the program reads");
        let answer = output.next().expect("an answer").expect("a line");
        check(&bad, &CallResult::from_json(&serde_json::from_str(&answer).expect("JSON")));
    }
    drop(input);
    assert!(program.wait().expect("an end").success());
}
