//! The protocol over HTTP, in both eras.

use crate::support::flow::user;
use crate::support::{TestApp, json, request};
use serde_json::{Value, json};

const NEWEST_VERSION: &str = "2026-07-28";

/// A message without handshake, with its envelope and headers.
fn without_handshake(app: &TestApp, token: &str, method: &str, params: Value) -> (u16, Value) {
    let mut params = params;
    let name = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).unwrap_or_default().to_owned();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST_VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let authorization = format!("Bearer {token}");
    let mut headers = vec![
        ("authorization", authorization.as_str()),
        ("mcp-protocol-version", NEWEST_VERSION),
        ("mcp-method", method),
    ];
    if !name.is_empty() {
        headers.push(("mcp-name", &name));
    }
    let body = json!({"jsonrpc": "2.0", "id": "m1", "method": method, "params": params});
    let answer = app.send(request("POST", "/mcp", &headers, body.to_string()));
    (answer.status().as_u16(), json(&answer))
}

#[test]
fn client_with_a_handshake_initializes_lists_and_reads() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read").access;
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let result = json(&app.call(&token, "initialize", hello))["result"].clone();
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["serverInfo"]["name"], "statibeat-hosted-mcp");
    assert!(result["instructions"].as_str().expect("text").contains("statibeat://pages"));
    for (method, member) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let result = json(&app.call(&token, method, json!({})))["result"].clone();
        assert!(result[member].is_array(), "{method}: {result}");
        assert!(result.get("resultType").is_none(), "no members of 2026-07-28 in an older result");
    }
}

#[test]
fn client_without_handshake_discovers_lists_and_reads() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read").access;
    let (status, body) = without_handshake(&app, &token, "server/discover", json!({}));
    assert_eq!((status, &body["result"]["supportedVersions"]), (200, &json!([NEWEST_VERSION])));
    let (status, body) = without_handshake(&app, &token, "resources/read", json!({"uri": "statibeat://pages"}));
    assert_eq!(
        (status, &body["result"]["resultType"], &body["result"]["cacheScope"]),
        (200, &json!("complete"), &json!("private"))
    );
    let (status, body) = without_handshake(&app, &token, "tools/list", json!({}));
    assert_eq!((status, &body["result"]["tools"][0]["name"]), (200, &json!("create_incident")));
}

#[test]
fn missing_resource_gets_the_status_and_code_of_the_protocol_version() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
    let (status, body) = without_handshake(&app, &token, "ping", json!({}));
    assert_eq!((status, &body["error"]["code"]), (404, &json!(-32601)));
    let legacy = app.call(&token, "no/such", json!({}));
    assert_eq!((legacy.status().as_u16(), &json(&legacy)["error"]["code"]), (200, &json!(-32601)));
    let (status, body) =
        without_handshake(&app, &token, "resources/read", json!({"uri": "statibeat://pages/77/summary"}));
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["data"]["uri"]),
        (200, &json!(-32602), &json!("statibeat://pages/77/summary"))
    );
    let legacy = json(&app.call(&token, "resources/read", json!({"uri": "statibeat://pages/77/summary"})));
    assert_eq!(legacy["error"]["code"], -32002);
}

#[test]
fn probe_with_a_header_of_another_version_gets_a_json_error() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
    let authorization = format!("Bearer {token}");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2027-01-01", "io.modelcontextprotocol/clientCapabilities": {}}}});
    let headers = [
        ("authorization", authorization.as_str()),
        ("mcp-protocol-version", "2027-01-01"),
        ("mcp-method", "tools/list"),
    ];
    let answer = app.send(request("POST", "/mcp", &headers, body.to_string()));
    assert_eq!((answer.status().as_u16(), &json(&answer)["error"]["code"]), (400, &json!(-32022)));
    assert_eq!(json(&answer)["error"]["data"]["supported"], json!([NEWEST_VERSION]));
}

#[test]
fn get_and_delete_with_a_token_are_405() {
    let app = TestApp::new();
    let authorization = format!("Bearer {}", app.connect(user::MARA_ADMIN, "mcp.pages.read").access);
    for method in ["GET", "DELETE"] {
        let answer = app.send(request(method, "/mcp", &[("authorization", &authorization)], ""));
        assert_eq!(answer.status(), 405, "{method}");
    }
}

#[test]
fn a_notification_is_accepted_without_a_body() {
    let app = TestApp::new();
    let authorization = format!("Bearer {}", app.connect(user::MARA_ADMIN, "mcp.pages.read").access);
    let body = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    let answer = app.send(request("POST", "/mcp", &[("authorization", &authorization)], body));
    assert_eq!((answer.status().as_u16(), answer.body().len()), (202, 0));
}

#[test]
fn messages_that_are_not_json_rpc_are_400() {
    let app = TestApp::new();
    let authorization = format!("Bearer {}", app.connect(user::MARA_ADMIN, "mcp.pages.read").access);
    for (body, code) in
        [("not json", -32700), ("{}", -32600), (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600)]
    {
        let answer = app.send(request("POST", "/mcp", &[("authorization", &authorization)], body));
        assert_eq!((answer.status().as_u16(), &json(&answer)["error"]["code"]), (400, &json!(code)), "{body}");
    }
}

/// Only 2025-03-26 has batches. A batch would let one HTTP request outlive the checks that were made for it.
#[test]
fn batch_gets_one_400_and_publishes_nothing() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read mcp.incidents.write").access;
    let authorization = format!("Bearer {token}");
    let create = |id: i64| {
        let arguments =
            json!({"page_id": 42, "title": format!("Outage {id}"), "description": "We are looking into it."});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": "create_incident", "arguments": arguments}})
    };
    app.ping(&token);
    for version in [None, Some("2025-03-26"), Some("2025-11-25"), Some(NEWEST_VERSION)] {
        let headers = [Some(("authorization", authorization.as_str())), version.map(|it| ("mcp-protocol-version", it))];
        let headers: Vec<_> = headers.into_iter().flatten().collect();
        app.upstream.take_calls();
        let batches = app.db.batches.get();
        let answer = app.send(request("POST", "/mcp", &headers, json!([create(1), create(2)]).to_string()));
        let body = json(&answer);
        assert_eq!(
            (answer.status().as_u16(), &body["error"]["code"], &body["id"]),
            (400, &json!(-32600), &Value::Null)
        );
        let message = body["error"]["message"].as_str().expect("text");
        assert!(message.contains("a batch of 2 messages") && message.contains("one message per request"), "{message}");
        assert_eq!(app.upstream.take_calls(), Vec::<String>::new(), "nothing goes to StatiBeat");
        assert_eq!(app.db.batches.get(), batches + 1, "only the token is looked up");
    }
    assert_eq!(app.db.count("SELECT count(*) FROM idempotency"), 0);
}
