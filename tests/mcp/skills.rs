//! Skills: who is offered them, and whether a host can trust what it reads.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS};
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use statibeat_mcp::catalog::{Variables, find_prompt, find_resource, uri::Roots};

const NEWEST_VERSION: &str = "2026-07-28";
const GUIDE: &str = "use-status-pages";

fn ask(app: &TestApp, token: &str, method: &str, params: Value) -> Value {
    json(&app.call_in(NEWEST_VERSION, token, method, params))
}

fn listed(app: &TestApp, token: &str) -> Vec<Value> {
    let result = ask(app, token, "skills/list", json!({}))["result"].clone();
    result["skills"].as_array().unwrap_or_else(|| panic!("no list: {result}")).clone()
}

fn name(skill: &Value) -> String {
    skill["frontmatter"]["name"].as_str().expect("a name").to_owned()
}

fn file(app: &TestApp, token: &str, uri: &Value) -> String {
    let contents = ask(app, token, "resources/read", json!({ "uri": uri }))["result"]["contents"][0].clone();
    assert_eq!((&contents["uri"], &contents["mimeType"]), (uri, &json!("text/markdown")));
    contents["text"].as_str().expect("text").to_owned()
}

/// The name of a prompt as that of a skill.
fn skill_name(prompt: &str) -> String {
    prompt.replace('_', "-")
}

#[test]
fn skills_are_offered_where_the_scopes_cover_their_resources() {
    let app = TestApp::new();
    let offered = |scopes: &str| -> Vec<String> {
        listed(&app, &app.connect(user::MARA_ADMIN, scopes).access).iter().map(name).collect()
    };
    let prompts: Vec<String> = PROMPTS.iter().map(|(name, _)| skill_name(name)).collect();
    assert_eq!(offered(EVERYTHING), [&[GUIDE.to_owned()], prompts.as_slice()].concat());
    assert_eq!(offered("mcp.beats.read"), prompts[4..7]);
    assert_eq!(offered("mcp.pages.read"), [GUIDE]);
    assert!(offered("mcp.analytics.read").is_empty());
}

#[test]
fn skill_without_its_scopes_asks_for_them() {
    let app = TestApp::new();
    let all = listed(&app, &app.connect(user::MARA_ADMIN, EVERYTHING).access);
    let token = app.connect(user::MARA_ADMIN, "mcp.beats.read").access;
    let uri = &all.iter().find(|skill| name(skill) == "draft-customer-incident").expect("a skill")["uri"];
    for method in ["skills/get", "resources/read"] {
        let answer = app.call_in(NEWEST_VERSION, &token, method, json!({ "uri": uri }));
        let challenge = answer.headers()["www-authenticate"].to_str().expect("text");
        assert_eq!(answer.status(), 403, "{method}");
        assert!(challenge.contains("mcp.pages.read") && challenge.contains("mcp.incidents.read"), "{challenge}");
    }
}

#[test]
fn file_of_every_skill_matches_digest_size_and_frontmatter_of_its_entry() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for skill in listed(&app, &token) {
        let uri = &skill["uri"];
        assert_eq!(ask(&app, &token, "skills/get", json!({ "uri": uri }))["result"]["skill"], skill);
        let text = file(&app, &token, uri);
        let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let own = json!([{ "uri": uri, "digest": format!("sha256:{digest}"), "size": text.len() }]);
        assert_eq!(skill["resources"], own);
        let (name, description) = (name(&skill), skill["frontmatter"]["description"].to_string());
        assert!(text.starts_with(&format!("---\nname: {name}\ndescription: {description}\n---\n\n# ")), "{text}");
        assert!(uri.as_str().expect("text").ends_with(&format!("/{name}/SKILL.md")), "{uri}");
        // The limits of Agent Skills.
        assert!(name.len() <= 64 && description.len() <= 1024 && description.contains("Use when "), "{description}");
        assert!(!text.contains("\n\n\n") && text.len() < 8_000, "{text}");
    }
}

#[test]
fn skill_says_what_its_prompt_says() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (prompt, _) in PROMPTS {
        let entry = find_prompt(prompt).expect("a prompt");
        let text = file(&app, &token, &json!(format!("skill://statibeat/{}/SKILL.md", skill_name(prompt))));
        let own = Roots::HOSTED.localize(&(entry.task)(&Variables::new()));
        assert!(text.contains(&own) && text.contains(entry.next_step.by_person), "{text}");
        for argument in entry.arguments {
            assert!(text.contains(&format!("\n- {} (", argument.name)), "{prompt}: {}", argument.name);
        }
        for resource in entry.resources.iter().chain(entry.extras) {
            let entry = find_resource(resource).expect("a resource");
            let template = Roots::HOSTED.template(entry);
            let line = format!("\n- {} ({})", template.split('?').next().expect("a URI"), entry.title);
            assert!(text.contains(&line), "{line}: {text}");
        }
        for tool in entry.next_step.tools {
            assert!(text.contains(tool), "{prompt}: {tool}");
        }
    }
    let guide = file(&app, &token, &json!(format!("skill://statibeat/{GUIDE}/SKILL.md")));
    let instructions = ask(&app, &token, "server/discover", json!({}))["result"]["instructions"].clone();
    assert!(guide.contains(instructions.as_str().expect("text")), "{guide}");
    assert!(guide.contains("\n\n## Reading\n\nAn app that cannot read resources"), "{guide}");
}

#[test]
fn versions_with_a_handshake_have_no_skills() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    assert!(json(&app.call(&token, "initialize", hello))["result"]["capabilities"].get("extensions").is_none());
    assert_eq!(json(&app.call(&token, "skills/list", json!({})))["error"]["code"], -32601);
    let uri = json!({ "uri": format!("skill://statibeat/{GUIDE}/SKILL.md") });
    assert_eq!(json(&app.call(&token, "resources/read", uri))["error"]["code"], -32002);
}

#[test]
fn unknown_skill_is_answered_with_those_of_this_reader() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
    for method in ["skills/get", "resources/read"] {
        let error = ask(&app, &token, method, json!({ "uri": "skill://statibeat/none/SKILL.md" }))["error"].clone();
        assert_eq!(error["code"], -32602, "{method}");
        let message = error["message"].as_str().expect("text");
        assert!(message.ends_with("The skills here are: skill://statibeat/use-status-pages/SKILL.md."), "{message}");
    }
}
