//! Every resource, prompt and tool, for every set of scopes and every role. What is expected comes from the product's
//! table of scopes and permissions, written out here by hand, and not from the catalog.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt, tools};
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use statibeat_mcp::catalog::tools::TOOLS;
use statibeat_mcp::catalog::uri::Roots;
use statibeat_mcp::catalog::{prompts, resources};

/// The result that a row of the matrix expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Allowed,
    /// 403 with a challenge: more consent would help.
    Scope,
    /// The role does not allow it.
    Role,
    /// There is no such page for this person.
    Absent,
}

const PAGES: u8 = 1;
const BEATS: u8 = 2;
const INCIDENTS: u8 = 4;
const INCIDENTS_WRITE: u8 = 8;
const MAINTENANCES: u8 = 16;
const MAINTENANCES_WRITE: u8 = 32;
const ANALYTICS: u8 = 64;
/// In the order of [`EVERYTHING`].
const SCOPES: [u8; 7] = [PAGES, BEATS, INCIDENTS, INCIDENTS_WRITE, MAINTENANCES, MAINTENANCES_WRITE, ANALYTICS];
const ALL: u8 = u8::MAX >> 1;

/// The role that a call needs on the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// None at all is needed: the entry touches no page.
    Anybody,
    Viewer,
    Manager,
}
use Role::{Anybody, Manager, Viewer};

/// The product's table: for each resource the scopes and the role that it takes. A viewer reads everything but
/// analytics; pending Beat actions take synthetic monitor manage, which a manager has.
const RESOURCES: [(u8, Role); URIS.len()] = [
    (PAGES, Anybody),
    (PAGES, Anybody),
    (PAGES, Anybody),
    (PAGES, Viewer),
    (PAGES, Viewer),
    (PAGES, Viewer),
    (PAGES, Viewer),
    (PAGES, Viewer),
    (PAGES, Viewer),
    (INCIDENTS, Viewer),
    (INCIDENTS, Viewer),
    (INCIDENTS, Viewer),
    (MAINTENANCES, Viewer),
    (MAINTENANCES, Viewer),
    (MAINTENANCES, Viewer),
    (ANALYTICS, Manager),
    (BEATS, Viewer),
    (BEATS, Viewer),
    (BEATS, Manager),
    (BEATS, Manager),
    (BEATS, Viewer),
    (BEATS, Viewer),
    (BEATS, Viewer),
];

const PROMPT_NEEDS: [(u8, Role); PROMPTS.len()] = [
    (PAGES | INCIDENTS, Viewer),
    (PAGES | INCIDENTS, Viewer),
    (PAGES | MAINTENANCES, Viewer),
    (PAGES | INCIDENTS, Viewer),
    (BEATS, Viewer),
    (BEATS, Viewer),
    (BEATS, Manager),
    (PAGES | MAINTENANCES, Viewer),
    (PAGES | INCIDENTS, Viewer),
];

const TOOL_NEEDS: [(u8, Role); 4] = [
    (INCIDENTS_WRITE, Manager),
    (INCIDENTS_WRITE, Manager),
    (MAINTENANCES_WRITE, Manager),
    (MAINTENANCES_WRITE, Manager),
];

/// The people of page 42, and somebody who lost their role since they connected.
const PEOPLE: [(&str, Option<Role>); 4] = [
    (user::MARA_ADMIN, Some(Manager)),
    (user::THEO_MANAGER, Some(Manager)),
    (user::INES_VIEWER, Some(Viewer)),
    (user::THEO_MANAGER, None),
];

/// Every single scope, all but each one, pairs that belong together, and all.
fn scope_sets() -> Vec<u8> {
    let singles = SCOPES.into_iter();
    let without = SCOPES.into_iter().map(|scope| ALL & !scope);
    singles.chain(without).chain([PAGES | INCIDENTS, PAGES | MAINTENANCES, BEATS | ANALYTICS, ALL]).collect()
}

fn names(scopes: u8) -> String {
    let all: Vec<&str> = EVERYTHING.split_whitespace().collect();
    let order = (all.len(), all[3]);
    assert_eq!(
        order,
        (SCOPES.len(), "mcp.incidents.write"),
        "SCOPES of this file has one bit for each scope of EVERYTHING"
    );
    all.iter().zip(SCOPES).filter(|(_, bit)| scopes & bit != 0).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn expected((needed, role): (u8, Role), scopes: u8, person: Option<Role>) -> Access {
    match person {
        _ if scopes & needed != needed => Access::Scope,
        _ if role == Anybody => Access::Allowed,
        None => Access::Absent,
        Some(has) if has >= role => Access::Allowed,
        Some(_) => Access::Role,
    }
}

fn given(app: &TestApp, token: &str, method: &str, params: Value) -> Access {
    let answer = app.call(token, method, params);
    if answer.status() == 403 {
        return Access::Scope;
    }
    let body = json(&answer);
    let told = body["error"]["message"].as_str().or(body["result"]["content"][0]["text"].as_str()).unwrap_or_default();
    let failed = body["error"].is_object() || body["result"]["isError"] == true;
    match told {
        _ if !failed => Access::Allowed,
        text if text.contains("does not allow you to") => Access::Role,
        text if text.contains("No such resource") || text.contains("no page") => Access::Absent,
        _ => panic!("{method}: {body}"),
    }
}

/// For every person and set of scopes, a fresh connection and what is expected of it.
fn for_each_connection(check: impl Fn(&TestApp, &str, u8, Option<Role>)) {
    for (person, role) in PEOPLE {
        let app = TestApp::new();
        let connect = |scopes| (scopes, app.connect(person, &names(scopes)).access);
        let connections: Vec<_> = scope_sets().into_iter().map(connect).collect();
        if role.is_none() {
            app.upstream.simulator.set_role(2, 42, None).expect("Theo has a role");
        }
        for (scopes, token) in connections {
            check(&app, &token, scopes, role);
        }
    }
}

/// A resource, prompt or tool that the lists of the tests do not have would be asked for by no test.
#[test]
fn everything_that_is_offered_has_its_row() {
    let find = |uri: &str| Roots::HOSTED.find(uri, resources::RESOURCES).map(|found| found.resource.name);
    let asked: Vec<&str> = URIS.into_iter().filter_map(find).chain(PROMPTS.map(|(name, _)| name)).collect();
    let resources = resources::RESOURCES.iter().filter(|resource| resource.hosted.is_some());
    let offered = resources.map(|resource| resource.name).chain(prompts::PROMPTS.iter().map(|prompt| prompt.name));
    let missed: Vec<&str> = offered.filter(|name| !asked.contains(name)).collect();
    assert!(
        missed.is_empty(),
        "no test asks who may use {missed:?}: add it to `URIS` or `PROMPTS` in tests/support/surface.rs, and what it needs at \
         the same place of the table here"
    );
    let asked = tools().map(|(name, _)| name);
    let missed: Vec<&str> = TOOLS.iter().map(|tool| tool.name).filter(|name| !asked.contains(name)).collect();
    assert!(
        missed.is_empty(),
        "no test asks who may call {missed:?}: add it to `tools()` in tests/support/surface.rs, and what it needs to \
         `TOOL_NEEDS` here"
    );
}

#[test]
fn every_resource_answers_as_the_products_table_says() {
    for_each_connection(|app, token, scopes, role| {
        for (uri, needs) in URIS.into_iter().zip(RESOURCES) {
            let access = given(app, token, "resources/read", json!({ "uri": uri }));
            assert_eq!(access, expected(needs, scopes, role), "{uri} with {}", names(scopes));
        }
    });
}

#[test]
fn every_prompt_answers_as_the_products_table_says() {
    for_each_connection(|app, token, scopes, role| {
        for ((name, _), needs) in PROMPTS.into_iter().zip(PROMPT_NEEDS) {
            let access = given(app, token, "prompts/get", prompt(name));
            assert_eq!(access, expected(needs, scopes, role), "{name} with {}", names(scopes));
        }
    });
}

#[test]
fn every_tool_answers_as_the_products_table_says() {
    for_each_connection(|app, token, scopes, role| {
        for ((name, arguments), needs) in tools().into_iter().zip(TOOL_NEEDS) {
            let mut arguments = arguments;
            // Nearly the same text through two connections would be taken for one write.
            for text in ["title", "description", "message"] {
                if let Some(text) = arguments.get_mut(text) {
                    *text = json!(format!("With set {scopes}"));
                }
            }
            let access = given(app, token, "tools/call", json!({ "name": name, "arguments": arguments }));
            assert_eq!(access, expected(needs, scopes, role), "{name} with {}", names(scopes));
        }
    });
}

#[test]
fn lists_show_what_can_be_used_and_nothing_else() {
    for_each_connection(|app, token, scopes, role| {
        let list = |method: &str, member: &str, name: &str| -> Vec<String> {
            let result = json(&app.call(token, method, json!({})))["result"][member].clone();
            result.as_array().expect("a list").iter().filter_map(|one| Some(one[name].as_str()?.to_owned())).collect()
        };
        let allowed = |needs| expected(needs, scopes, role) == Access::Allowed;
        let listed = list("resources/list", "resources", "uri");
        for (uri, needs) in URIS.into_iter().zip(RESOURCES) {
            let is_listed = !uri.starts_with("statibeat://pages/") || uri.ends_with("/writing");
            assert_eq!(
                listed.iter().any(|one| one == uri),
                is_listed && allowed(needs),
                "{uri} with {}",
                names(scopes)
            );
        }
        let listed = list("prompts/list", "prompts", "name");
        for ((name, _), (needed, _)) in PROMPTS.into_iter().zip(PROMPT_NEEDS) {
            assert_eq!(listed.iter().any(|one| one == name), scopes & needed == needed, "{name}");
        }
        let all = tools().map(|(name, _)| name);
        assert_eq!(list("tools/list", "tools", "name"), all, "tools are listed for all, so that all can ask");
    });
}
