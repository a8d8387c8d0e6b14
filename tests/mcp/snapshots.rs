//! Responses to clients and people, byte for byte: every list in every protocol version, and one connection's whole story.
//!
//! `npm test -- --accept snapshots` accepts what has changed; the diff of `snapshots/` is then part
//! of the change.

use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{authorize_url, tokens, user};
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt, tools};
use crate::support::{TestApp, request};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const VERSIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
const LISTS: [&str; 4] = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"];

/// Values that differ with every draw of randomness, and what stands for them.
const FILTERS: [(&str, &str); 7] = [
    (r"sbmcp_[a-z]{2}_[\w.-]+", "[token]"),
    (r"\bpv_[\w-]{28}", "[confirm token]"),
    (r"\btag\.[\w-]{80,}\.[\w-]+", "[request state]"),
    (r#"(audit_id\\?": ?\\?"|Audit entry |x-request-id: )[\w-]{22}"#, "$1[id]"),
    (r#"(name="(?:token|request)" value=")[^"]+"#, "$1[secret]"),
    (r"([?&](?:state|code_challenge|request)=)[\w.-]{43,}", "$1[secret]"),
    (r#"(client_id": ")[^"]{40,}"#, "$1[client id]"),
];

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, stands_for_it) in FILTERS {
        settings.add_filter(pattern, stands_for_it);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Answers in the order in which they came.
#[derive(Default)]
struct Transcript(String);

impl Transcript {
    fn add(&mut self, title: &str, response: &Response<Bytes>) {
        let _ = writeln!(self.0, "### {title}\n{}", response.status());
        for (name, value) in response.headers() {
            let _ = writeln!(self.0, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        let _ = writeln!(self.0, "\n{}\n", readable(response.body()));
    }

    fn add_page(&mut self, title: &str, page: &Shown) {
        let _ = writeln!(self.0, "### {title}\n{} {}\n\n{}\n", page.status, page.url, page.body.replace("><", ">\n<"));
    }
}

fn readable(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => serde_json::to_string_pretty(&value).expect("JSON"),
        Err(_) => String::from_utf8_lossy(body).replace("><", ">\n<"),
    }
}

#[test]
fn lists_of_every_version_and_scope_set() {
    let app = TestApp::new();
    let every_scope: Vec<&str> = EVERYTHING.split_whitespace().collect();
    let scope_sets: Vec<&str> = every_scope.iter().copied().chain([EVERYTHING]).collect();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut transcript = Transcript::default();
    for scopes in scope_sets {
        let token = app.connect(user::MARA_ADMIN, scopes).access;
        for version in VERSIONS {
            for method in LISTS {
                let title = format!("{method} {version}, granted {scopes}");
                let response = app.call_in(version, &token, method, json!({}));
                let body = readable(response.body());
                if let Some(earlier) = seen.get(&body) {
                    _ = writeln!(transcript.0, "### {title}\nas {earlier}\n");
                } else {
                    _ = writeln!(transcript.0, "### {title}\n{}\n\n{body}\n", response.status());
                    seen.insert(body, title);
                }
            }
        }
    }
    check("lists", &transcript.0);
}

#[test]
fn public_documents_and_errors_before_any_message() {
    let app = TestApp::new();
    let mut transcript = Transcript::default();
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/hosted-mcp-jwks.json",
        "/mcp",
        "/mcp/oauth/token",
        "/mcp/health",
        "/mcp/oauth/authorize",
        "/nothing",
    ] {
        transcript.add(&format!("GET {path}"), &app.get(path));
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (path, body) in [("/mcp/oauth/token", ""), ("/mcp/oauth/revoke", ""), ("/mcp", "{}")] {
        transcript.add(&format!("POST {path} {body}"), &app.send(request("POST", path, &form, body)));
    }
    let registration = json!({ "redirect_uris": ["http://127.0.0.1:1/cb"], "client_name": "Recorder" }).to_string();
    let json = [("content-type", "application/json")];
    transcript.add("register", &app.send(request("POST", "/mcp/oauth/register", &json, registration)));
    check("documents", &transcript.0);
}

#[test]
fn story_of_one_connection() {
    let app = TestApp::new();
    let mut transcript = Transcript::default();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", EVERYTHING)]), user::MARA_ADMIN);
    transcript.add_page("consent page", &consent);
    let all: Vec<String> = EVERYTHING.split(' ').map(str::to_owned).collect();
    let target = browser.answer_with(&consent, "approve", &all).leaves_for();
    let code = parameter(&target, "code").expect("a code");
    let exchanged = app.redeem(&code, &[]);
    transcript.add("code exchange", &exchanged);
    let refreshed = app.refresh(&tokens(&exchanged).refresh, &[]);
    transcript.add("refresh", &refreshed);
    let token = tokens(&refreshed).access;
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    transcript.add("initialize", &app.call(&token, "initialize", hello));
    transcript.add("server/discover", &app.call_in("2026-07-28", &token, "server/discover", json!({})));
    for uri in URIS {
        transcript.add(uri, &app.call(&token, "resources/read", json!({ "uri": uri })));
    }
    for (name, _) in PROMPTS {
        transcript.add(name, &app.call(&token, "prompts/get", prompt(name)));
    }
    for (name, arguments) in tools() {
        let mut preview = arguments.clone();
        preview["preview"] = true.into();
        for (title, arguments) in [("preview", &preview), ("write", &arguments), ("repeat", &arguments)] {
            let response = app.call(&token, "tools/call", json!({ "name": name, "arguments": arguments }));
            transcript.add(&format!("{name}, {title}"), &response);
        }
        let asked = app.call_in("2026-07-28", &token, "tools/call", json!({ "name": name, "arguments": preview }));
        transcript.add(&format!("{name}, preview in 2026-07-28"), &asked);
        let wrong = json!({ "name": name, "arguments": { "page_id": "x", "unknown": 1 } });
        transcript.add(&format!("{name}, wrong arguments"), &app.call(&token, "tools/call", wrong));
    }
    for uri in ["statibeat://pages/77/summary", "statibeat://pages/42/incidents/1", "statibeat://unknown"] {
        transcript.add(uri, &app.call(&token, "resources/read", json!({ "uri": uri })));
    }
    transcript.add("unknown method", &app.call(&token, "nothing/here", json!({})));
    app.count_calls();
    transcript.add_page("Hosted MCP page", &browser.open_admin_page(user::MARA_ADMIN));
    transcript.add("revoke", &app.revoke(&token, &[]));
    transcript.add("call after revoke", &app.call(&token, "ping", json!({})));
    check("story", &transcript.0);
}
