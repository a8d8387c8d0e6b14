//! Every kind of answer, in every revision, against that revision's official JSON schema (`schemas/`, copied from the
//! specification's repository as they are).

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt, tools};
use crate::support::{TestApp, json, request};
use jsonschema::Validator;
use serde_json::{Value, json};

const REVISIONS: [(&str, &str); 4] = [
    ("2025-03-26", include_str!("schemas/2025-03-26.json")),
    ("2025-06-18", include_str!("schemas/2025-06-18.json")),
    ("2025-11-25", include_str!("schemas/2025-11-25.json")),
    (NEWEST_VERSION, include_str!("schemas/2026-07-28.json")),
];
const NEWEST_VERSION: &str = "2026-07-28";

/// Speaks one revision, and holds every answer against its schema.
struct Client<'a> {
    app: &'a TestApp,
    token: String,
    revision: &'static str,
    schema: Value,
}

impl Client<'_> {
    fn send(&self, method: &str, mut params: Value) -> Value {
        let authorization = format!("Bearer {}", self.token);
        let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
        let mut headers = vec![("authorization", authorization.as_str()), ("mcp-protocol-version", self.revision)];
        if self.revision == NEWEST_VERSION {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": NEWEST_VERSION,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            headers.extend([("mcp-method", method), ("mcp-name", name.as_str())]);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = json(&self.app.send(request("POST", "/mcp", &headers, body.to_string())));
        self.check(method, "JSONRPCMessage", &answer);
        answer
    }

    fn check(&self, what: &str, definition: &str, value: &Value) {
        let (kind, other) = if self.revision == NEWEST_VERSION || self.revision == "2025-11-25" {
            ("$defs", "definitions")
        } else {
            ("definitions", "$defs")
        };
        assert!(self.schema.get(other).is_none(), "{} keeps its definitions under {kind}", self.revision);
        let mut schema = self.schema.clone();
        schema["$ref"] = json!(format!("#/{kind}/{definition}"));
        let validator: Validator = jsonschema::validator_for(&schema).expect("a schema");
        let problems: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{} {what} is no {definition}: {problems:?}\n{value}", self.revision);
    }

    /// The result is of that definition; the error, if it is one, an error.
    fn result(&self, method: &str, params: Value, definition: &str) -> Value {
        let answer = self.send(method, params);
        assert!(answer["result"].is_object(), "{} {method}: {answer}", self.revision);
        self.check(method, definition, &answer["result"]);
        answer["result"].clone()
    }
}

fn for_each_revision(check: impl Fn(&Client<'_>)) {
    for (revision, schema) in REVISIONS {
        let app = TestApp::new();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        check(&Client { app: &app, token, revision, schema: serde_json::from_str(schema).expect("JSON") });
    }
}

#[test]
fn greetings_and_lists_conform() {
    for_each_revision(|client| {
        if client.revision == NEWEST_VERSION {
            client.result("server/discover", json!({}), "DiscoverResult");
        } else {
            let hello = json!({
                "protocolVersion": client.revision, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
            });
            client.result("initialize", hello, "InitializeResult");
            client.result("ping", json!({}), "EmptyResult");
        }
        client.result("tools/list", json!({}), "ListToolsResult");
        client.result("prompts/list", json!({}), "ListPromptsResult");
        client.result("resources/list", json!({}), "ListResourcesResult");
        client.result("resources/templates/list", json!({}), "ListResourceTemplatesResult");
    });
}

#[test]
fn reads_prompts_calls_and_completions_conform() {
    for_each_revision(|client| {
        for uri in URIS {
            client.result("resources/read", json!({ "uri": uri }), "ReadResourceResult");
        }
        for (name, _) in PROMPTS {
            client.result("prompts/get", prompt(name), "GetPromptResult");
        }
        for (name, arguments) in tools() {
            let done = client.result("tools/call", json!({ "name": name, "arguments": arguments }), "CallToolResult");
            assert_eq!(done["isError"], false, "{done}");
            client.result("tools/call", json!({ "name": name, "arguments": {} }), "CallToolResult");
        }
        let reference = json!({ "type": "ref/prompt", "name": "draft_incident_update" });
        let sought = json!({ "ref": reference, "argument": { "name": "page_id", "value": "" } });
        client.result("completion/complete", sought, "CompleteResult");
    });
}

#[test]
fn refusals_conform() {
    for_each_revision(|client| {
        for (method, params) in [
            ("no/such", json!({})),
            ("resources/read", json!({ "uri": "statibeat://pages/77/summary" })),
            ("prompts/get", json!({ "name": "no_such" })),
            ("tools/call", json!({ "name": "no_such" })),
            ("tools/list", json!({ "cursor": "no such" })),
        ] {
            let answer = client.send(method, params);
            assert!(answer["error"]["code"].is_i64(), "{} {method}: {answer}", client.revision);
        }
    });
}
