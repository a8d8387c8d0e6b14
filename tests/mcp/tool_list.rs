//! Where Hosted MCP ends. Its list of tools is one checked document, byte for byte; the built worker, which carries no other
//! tool, is held to the same one. Whatever else the catalog has does not exist here, however it is called.

use crate::calls::arguments;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, accepted, json};
use serde_json::{Value, json};
use statibeat_mcp::catalog::Tool;
use statibeat_mcp::catalog::tools::all_tools;

const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];
const LIST: &str = "tests/mcp/tools_list.json";

fn broad() -> Vec<&'static Tool> {
    all_tools().filter(|tool| tool.hosted.is_none()).collect()
}

#[test]
fn the_whole_list_of_tools_is_the_checked_document() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let answer = |revision: &str| app.call_in(revision, &token, "tools/list", json!({})).into_body();
    let parse = |revision: &str| (revision.to_owned(), serde_json::from_slice(&answer(revision)).expect("JSON"));
    let all: serde_json::Map<String, Value> = REVISIONS.map(parse).into_iter().collect();
    accepted::check_file(LIST, &format!("{:#}\n", Value::Object(all.clone())));
    for revision in REVISIONS {
        let given = answer(revision);
        assert!(given == all[revision].to_string(), "the worker is compared with the document byte for byte");
        for tool in broad() {
            assert!(!all[revision].to_string().contains(tool.name), "{}", tool.name);
        }
    }
}

#[test]
fn no_broad_tool_exists_here_however_it_is_called() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert!(!broad().is_empty());
    let call = |revision: &str, name: &str, arguments: &Value| {
        let params = json!({ "name": name, "arguments": arguments });
        json(&app.call_in(revision, &token, "tools/call", params))["error"].to_string()
    };
    let before = (app.upstream.simulator.snapshot(), app.db.count("SELECT count(*) FROM audit"));
    app.upstream.take_calls();
    for revision in REVISIONS {
        for tool in broad() {
            let mut given = Value::Object(arguments(tool));
            given["page_id"] = json!(42);
            let plain = given.clone();
            given["preview"] = json!(true);
            for arguments in [&plain, &given] {
                let error = call(revision, tool.name, arguments);
                assert!(error.contains("-32602"), "{}: {error}", tool.name);
                let made_up = call(revision, "no_such_tool", arguments);
                assert_eq!(error.replace(tool.name, "no_such_tool"), made_up, "{}", tool.name);
            }
        }
    }
    assert_eq!(app.upstream.take_calls(), Vec::<String>::new());
    assert!((app.upstream.simulator.snapshot(), app.db.count("SELECT count(*) FROM audit")) == before);
}
