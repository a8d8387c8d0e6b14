//! No text names what its reader cannot follow: for each scope set, with the resource tools and without.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{authorize_url, tokens, user};
use crate::support::references::{KnownNames, find_uris, texts};
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt, tools};
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCOPES: [&str; 9] = [
    EVERYTHING,
    "mcp.pages.read",
    "mcp.incidents.read",
    "mcp.incidents.write",
    "mcp.incidents.read mcp.incidents.write",
    "mcp.pages.read mcp.incidents.write",
    "mcp.maintenances.read mcp.maintenances.write",
    "mcp.beats.read mcp.analytics.read",
    "mcp.pages.read mcp.incidents.read mcp.maintenances.read",
];

/// URIs of resources, pages and incidents that do not exist.
const WRONG_URIS: [&str; 9] = [
    "statibeat://pages/99/summary",
    "statibeat://pages/northwind/summary",
    "statibeat://pages/42/incidents/9999",
    "statibeat://pages/42/incidents",
    "statibeat://pages/42/beats/999",
    "statibeat://pages/42",
    "statibeat://nothing",
    "statibeat://pages/42/hierarchy?under_id=9999",
    "statibeat://pages/42/analytics/summary?days=7",
];

struct Reader<'a> {
    app: &'a TestApp,
    token: String,
    known: KnownNames,
    dead: BTreeSet<String>,
    seen: usize,
}

impl<'a> Reader<'a> {
    fn connect(app: &'a TestApp, scopes: &str, has_resource_tools: bool) -> Self {
        let browser = Browser::new(app);
        let consent = browser.sign_in(&authorize_url(&[("scope", scopes)]), user::MARA_ADMIN);
        let scopes = scopes.split_whitespace().map(|scope| ("scope", scope));
        let rest = [("answer", "approve"), ("pages", "all"), ("lifetime", "until-revoked")];
        let mut fields: Vec<_> = scopes.chain(rest).collect();
        fields.extend(has_resource_tools.then_some(("resource_tools", "on")));
        let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
        let token = tokens(&app.redeem(&code, &[])).access;
        let list = |method: &str| json(&app.call(&token, method, json!({})))["result"].clone();
        let methods = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"];
        let lists = methods.map(list);
        let mut reader = Self { app, known: KnownNames::new(&lists), token, dead: BTreeSet::new(), seen: 0 };
        for (list, method) in lists.iter().zip(methods) {
            reader.check(method, list, &[]);
        }
        reader
    }

    fn check(&mut self, place: &str, answer: &Value, given: &[&str]) {
        let whole = |text: &&str| !text.is_empty();
        // The descriptions of a tool are read together.
        let tools = answer["tools"].as_array().into_iter().flatten().map(|tool| texts(tool).join("\n"));
        let others = texts(answer).into_iter().filter(whole).map(str::to_owned);
        let read: Vec<String> = if answer["tools"].is_array() { tools.collect() } else { others.collect() };
        for text in read {
            self.seen += 1;
            let dead = self.known.find_dead(&text, given);
            self.dead.extend(dead.into_iter().map(|dead| format!("{place}: {dead} in {text:?}")));
        }
    }

    fn request(&mut self, method: &str, params: Value, given: &[&str]) -> Value {
        let place = format!("{method} {params}");
        let response = self.app.call(&self.token, method, params);
        if response.status() != 200 {
            return Value::Null;
        }
        let answer = json(&response);
        self.check(&place, &answer, given);
        answer
    }

    fn call(&mut self, tool: &str, arguments: &Value, given: &[&str]) {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments }), given);
    }
}

/// Arguments of a tool that are wrong, and the words in them that an error repeats.
fn mistakes(good: &Value) -> Vec<(Value, Vec<&'static str>)> {
    let with = |changes: Value| {
        let mut changed = good.clone();
        changed.as_object_mut().expect("arguments").extend(changes.as_object().expect("changes").clone());
        changed["preview"] = json!(true);
        changed
    };
    vec![
        (json!({}), vec![]),
        (with(json!({ "page_id": 99 })), vec![]),
        (with(json!({ "page_id": "northwind" })), vec![]),
        (with(json!({ "incident_id": 9999, "maintenance_id": 9999 })), vec![]),
        (with(json!({ "incident_id": 9999 })), vec![]),
        (with(json!({ "maintenance_id": 9999 })), vec![]),
        (with(json!({ "lifecycle_stage_id": "Fixed" })), vec![]),
        (with(json!({ "lifecycle_stage_id": 4 })), vec![]),
        (with(json!({ "status": "major" })), vec![]),
        (with(json!({ "affected_items": ["Checkout"], "add_affected_items": ["Checkout"] })), vec![]),
        (with(json!({ "affected_items": [{ "id": 9999 }] })), vec![]),
        (with(json!({ "add_affected_items": [{ "id": 9999 }] })), vec![]),
        (with(json!({ "remove_affected_items": [{ "id": 104 }] })), vec![]),
        (json!({ "page_id": 42, "confirm": "c_made-up" }), vec![]),
        (with(json!({ "description": "Token sk_live_1234567890abcdef", "message": "Ask ops@example.com" })), vec![]),
        (with(json!({})), vec![]),
        (good.clone(), vec![]),
        (good.clone(), vec![]),
    ]
}

fn dead_references(scopes: &str, has_resource_tools: bool) -> BTreeSet<String> {
    let app = TestApp::new();
    let mut reader = Reader::connect(&app, scopes, has_resource_tools);
    let handshake =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    reader.request("initialize", handshake, &[]);
    for uri in URIS {
        reader.request("resources/read", json!({ "uri": uri }), &[]);
    }
    for uri in WRONG_URIS {
        reader.request("resources/read", json!({ "uri": uri }), &[uri]);
        if has_resource_tools {
            reader.call("read_resource", &json!({ "uri": uri }), &[uri]);
        }
    }
    for (name, _) in PROMPTS {
        reader.request("prompts/get", prompt(name), &[]);
        let wrong =
            json!({ "page_id": "99", "incident_id": "9999", "symptoms": "x", "status": "y", "change_summary": "z" });
        reader.request("prompts/get", json!({ "name": name, "arguments": wrong }), &[name]);
        reader.request("prompts/get", json!({ "name": name, "arguments": { "incident_id": "x" } }), &[name]);
    }
    reader.request("prompts/get", json!({ "name": "write_incident" }), &["write_incident"]);
    for name in ["resolve_incident", "approve_beat_action", "read_page"] {
        reader.call(name, &json!({}), &[name]);
    }
    if has_resource_tools {
        reader.call("list_resources", &json!({}), &[]);
        reader.call("list_resources", &json!({ "cursor": "x" }), &[]);
        let wrong = [
            (json!({}), ""),
            (json!({ "resource": "writing" }), "statibeat://pages/{page_id}/writing"),
            (json!({ "page_id": 42, "resource": "nothing" }), "statibeat://pages/42/nothing"),
        ];
        for (arguments, given) in wrong {
            reader.call("read_resource", &arguments, &[given]);
        }
    }
    for (name, good) in tools() {
        for (arguments, given) in mistakes(&good) {
            reader.call(name, &arguments, &given);
        }
    }
    assert!(reader.seen > 60, "{} texts", reader.seen);
    reader.dead
}

#[test]
fn text_names_only_what_its_reader_can_follow() {
    let mut dead = BTreeSet::new();
    for scopes in SCOPES {
        for has_resource_tools in [false, true] {
            let found = dead_references(scopes, has_resource_tools);
            dead.extend(found.into_iter().map(|dead| format!("{scopes} {has_resource_tools}: {dead}")));
        }
    }
    assert!(dead.is_empty(), "{} dead references\n{}", dead.len(), dead.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn uri_of_a_text_ends_before_its_punctuation() {
    let text = "See statibeat://pages/{page_id}/writing, statibeat://pages. (statibeat://overview)";
    assert_eq!(find_uris(text), ["statibeat://pages/{page_id}/writing", "statibeat://pages", "statibeat://overview"]);
}
