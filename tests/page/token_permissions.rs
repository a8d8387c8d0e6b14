//! Every tool and every resource, for a token of every permission and every role: what StatiBeat lets through works, what it
//! does not is told clearly and changes nothing. The tools come from the catalog; what is expected of them is written out.

use crate::calls::arguments;
use crate::support::{CallResult, StatiBeat, TOKEN};
use serde_json::json;
use statibeat_mcp::catalog::Tool;
use statibeat_mcp::catalog::tools::all_tools;

const PERMISSIONS: [&str; 3] = ["read", "write", "admin"];
const ROLES: [&str; 3] = ["page_viewer", "page_manager", "page_admin"];
/// Nothing is confirmed: the call alone decides.
const UNASKED: (&str, &str) = ("STATIBEAT_MCP_CONFIRM", "never");

/// A StatiBeat whose token reaches so far.
fn with(permission: &str, role: &str) -> StatiBeat {
    let statibeat = StatiBeat::new();
    statibeat.simulator.set_token_reach(TOKEN, permission, role).expect("a token and its reach");
    statibeat
}

/// The page permission that a tool takes, from the product's words: incidents, maintenances and Beats are managed.
fn needed(tool: &Tool) -> &'static str {
    match tool.name {
        name if name.contains("incident") => "incidents.manage",
        name if name.contains("maintenance") => "maintenances.manage",
        name if name.contains("beat") => "synthetic_monitors.manage",
        name => panic!("{name}: nobody said what it takes"),
    }
}

/// Managing takes a permission that may write, and a role above the viewer's.
fn may_manage(permission: &str, role: &str) -> bool {
    permission != "read" && role != "page_viewer"
}

fn call(statibeat: &StatiBeat, settings: &[(&str, &str)], tool: &Tool) -> CallResult {
    statibeat.serve(settings, async |client| client.call(tool.name, arguments(tool)).await)
}

fn each_reach() -> impl Iterator<Item = (&'static str, &'static str)> {
    PERMISSIONS.into_iter().flat_map(|permission| ROLES.map(|role| (permission, role)))
}

#[test]
fn every_tool_does_what_the_tokens_permission_and_role_allow_and_nothing_else() {
    for (permission, role) in each_reach() {
        for tool in all_tools() {
            let what = format!("{} with a token that may {permission} as {role}", tool.name);
            let statibeat = with(permission, role);
            let (before, entries) = statibeat.state();
            let told = call(&statibeat, &[UNASKED], tool);
            let (after, audited) = statibeat.state();
            if may_manage(permission, role) {
                assert!(!told.failed, "{what}: {}", told.text);
                assert!(after != before && audited == entries + 1, "{what}");
                continue;
            }
            let says = format!("permission {} is required on this page", needed(tool));
            assert!(told.failed && told.text.contains(&says), "{what}: {}", told.text);
            assert!(told.text.contains("Nothing was published"), "{what}: {}", told.text);
            assert!(after == before && audited == entries, "{what}");
        }
    }
}

#[test]
fn every_tool_refuses_where_the_token_is_of_another_page_or_of_none() {
    let elsewhere = [("STATIBEAT_ORGANIZATION_ID", "7"), ("STATIBEAT_PAGE_ID", "43"), UNASKED];
    let revoked = [("STATIBEAT_API_TOKEN", "sb_revoked"), UNASKED];
    for (settings, says) in [(&elsewhere[..], "no page here"), (&revoked[..], "does not accept the API token")] {
        let statibeat = with("admin", "page_admin");
        let before = statibeat.state();
        for tool in all_tools() {
            let told = call(&statibeat, settings, tool);
            assert!(told.failed && told.text.contains(says), "{}: {}", tool.name, told.text);
        }
        assert_eq!(statibeat.writes(), Vec::<String>::new());
        assert!(statibeat.state() == before);
    }
}

#[test]
fn a_token_that_is_narrowed_while_the_program_runs_is_refused_from_the_next_call_on() {
    let statibeat = with("admin", "page_admin");
    let find = |name: &str| all_tools().find(|tool| tool.name == name).expect("a tool");
    statibeat.serve(&[UNASKED], async |client| {
        let told = client.call("run_beat", arguments(find("run_beat"))).await;
        assert!(!told.failed, "{}", told.text);
        statibeat.simulator.set_token_reach(TOKEN, "read", "page_admin").expect("a token and its reach");
        let before = statibeat.state();
        for tool in all_tools() {
            let told = client.call(tool.name, arguments(tool)).await;
            assert!(told.failed && told.text.contains(needed(tool)), "{}: {}", tool.name, told.text);
        }
        assert!(statibeat.state() == before);
    });
}

/// A viewer reads all but analytics; what waits for a decision is for those who may decide.
#[test]
fn every_resource_shows_what_the_tokens_permission_and_role_allow() {
    let uris = [
        "summary",
        "status-definitions",
        "lifecycle-stages",
        "maintenance-lifecycle-stages",
        "hierarchy",
        "incidents/active",
        "incidents/resolved",
        "incidents/1001",
        "maintenances/active",
        "maintenances/upcoming",
        "maintenances/2001",
        "analytics/summary?window_days=7",
        "beats",
        "beat-groups",
        "beats/actions/pending",
        "beats/failures",
        "beats/501/events",
    ];
    for (permission, role) in each_reach() {
        let statibeat = with(permission, role);
        statibeat.serve(&[], async |client| {
            for uri in uris {
                let (allowed, needed) = match uri {
                    "beats/actions/pending" => (may_manage(permission, role), "synthetic_monitors.manage"),
                    _ if uri.starts_with("analytics") => (role != "page_viewer", "analytics.read"),
                    _ => (true, ""),
                };
                let read = client.request("resources/read", json!({ "uri": format!("statibeat://page/{uri}") })).await;
                let told = CallResult::from_json(&read);
                assert_eq!(!told.failed, allowed, "{uri} with {permission} as {role}: {}", told.text);
                assert!(allowed || told.text.contains(needed), "{uri}: {}", told.text);
            }
            let listed = client.request("resources/list", json!({})).await["result"]["resources"].clone();
            let templates =
                client.request("resources/templates/list", json!({})).await["result"]["resourceTemplates"].clone();
            let count = |list: &serde_json::Value| list.as_array().expect("a list").len();
            assert!(count(&listed) + count(&templates) >= uris.len(), "a resource is not in the table above");
        });
    }
}
