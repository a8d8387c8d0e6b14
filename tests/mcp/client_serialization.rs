//! Values as clients serialize them, beside the form that the schema names. Each row is taken from a public report about that client.

use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json, request};
use serde_json::{Value, json};

/// Sends `{"jsonrpc":"2.0","id":1,"method":…,"params":…}` with these bytes as params; returns the answer.
fn send(app: &TestApp, token: &str, method: &str, params: &str) -> Value {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let authorization = format!("Bearer {token}");
    json(&app.send(request("POST", "/mcp", &[("authorization", &authorization)], body)))
}

fn text_of(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// Claude Code and Claude Desktop (anthropics/claude-code 22394, 59227, 93179), opencode (28472) and `NetClaw` (1093) send lists as
/// JSON text; small models leave the brackets out.
#[test]
fn components_as_json_text_or_as_one_object_are_taken() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for items in [r#""[{\"id\": 102}]""#, r#""[\n  {\n    \"id\": 102\n  }\n]""#, r#"{"id": 102}"#, r#""{\"id\":102}""#]
    {
        let arguments = format!(
            r#"{{"page_id":42,"title":"Slow","description":"Requests are slow.","affected_items":{items},"preview":true}}"#
        );
        let answer =
            send(&app, &token, "tools/call", &format!(r#"{{"name":"create_incident","arguments":{arguments}}}"#));
        let components = &answer["result"]["structuredContent"]["preview"]["components"];
        assert!(components.to_string().contains(r#""id":102"#), "{items}: {answer}");
    }
    for (items, came) in [(r#""API""#, r#"text "API""#), (r#""[102""#, r#"text "[102""#), ("7", "number 7")] {
        let arguments = format!(r#"{{"page_id":42,"title":"Slow","description":"It is.","affected_items":{items}}}"#);
        let answer =
            send(&app, &token, "tools/call", &format!(r#"{{"name":"create_incident","arguments":{arguments}}}"#));
        let text = text_of(&answer);
        assert!(text.contains("must be a list such as [{\"id\": 102}]") && text.contains(came), "{text}");
    }
}

/// Claude Code agents (`GaloyMoney/drua` 48), `MiMo` (1658) and Cherry Studio (5411) send all arguments as one text.
#[test]
fn arguments_as_json_text_are_taken() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let call = r#"{"name":"create_incident","arguments":"{\"page_id\":42,\"title\":\"Slow\",\"description\":\"It is.\",\"preview\":true}"}"#;
    assert!(text_of(&send(&app, &token, "tools/call", call)).starts_with("New incident \"Slow\""));
    let prompt = r#"{"name":"draft_incident_update","arguments":"{\"page_id\":42,\"incident_id\":1001}"}"#;
    assert!(send(&app, &token, "prompts/get", prompt)["result"]["messages"].is_array());
    for (given, came) in [
        (r#""{\"page_id\": ""#, r#"text "{\"page_id\": ""#),
        ("[1]", "a list"),
        (r#""[]""#, "text"),
        (r#""null""#, "text"),
    ] {
        let call = format!(r#"{{"name":"create_incident","arguments":{given}}}"#);
        let error = send(&app, &token, "tools/call", &call)["error"].clone();
        let words = error["message"].as_str().unwrap_or_else(|| panic!("{given}"));
        assert!(words.contains("`arguments` must be an object") && words.contains(came), "{words}");
    }
}

/// PHP writes an object without members as `[]` (`php-mcp/client` and others).
#[test]
fn empty_list_in_the_place_of_an_object_is_an_empty_object() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert!(send(&app, &token, "tools/list", "[]")["result"]["tools"].is_array());
    let handshake = r#"{"protocolVersion":"2025-06-18","capabilities":[],"clientInfo":{"name":"p","version":"1"}}"#;
    assert_eq!(send(&app, &token, "initialize", handshake)["result"]["protocolVersion"], "2025-06-18");
    let answer = send(&app, &token, "tools/call", r#"{"name":"create_incident","arguments":[]}"#);
    assert!(text_of(&answer).contains("`page_id` is required"), "{answer}");
    let answer = send(&app, &token, "prompts/get", r#"{"name":"draft_incident_update","arguments":[]}"#);
    assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains("`incident_id` is required")));
}

/// Gemini CLI, the Java SDK, `OpenWebUI` and curl accept less than both types (`honojs/middleware` 1799).
#[test]
fn any_accept_header_is_answered_with_json() {
    let app = TestApp::new();
    let authorization = format!("Bearer {}", app.connect(user::MARA_ADMIN, EVERYTHING).access);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for accept in ["", "*/*", "application/json", "text/event-stream", "application/json, text/event-stream"] {
        for content_type in ["application/json", "application/json; charset=UTF-8", ""] {
            let headers =
                [("authorization", authorization.as_str()), ("accept", accept), ("content-type", content_type)];
            let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let answer = app.send(request("POST", "/mcp", &headers, body));
            assert_eq!((answer.status().as_u16(), &json(&answer)["id"]), (200, &json!(1)), "{accept} {content_type}");
        }
    }
}

/// Clients with optional fields send `null` for those they leave out.
#[test]
fn null_is_an_absent_field() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    assert!(send(&app, &token, "tools/list", r#"{"cursor":null,"_meta":null}"#)["result"].is_object());
    assert!(send(&app, &token, "prompts/list", "null")["result"].is_object());
    let complete = r#"{"ref":{"type":"ref/prompt","name":"draft_incident_update","title":null},"argument":{"name":"page_id","value":""},"context":null}"#;
    assert!(send(&app, &token, "completion/complete", complete)["result"].is_object());
    let read = r#"{"uri":"statibeat://me","_meta":null}"#;
    assert!(send(&app, &token, "resources/read", read)["result"].is_object());
}

#[test]
fn missing_name_or_uri_is_named_with_what_came() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (method, params, words) in [
        ("tools/call", r#"{"tool":"create_incident"}"#, "`name` must be text (got nothing)"),
        ("resources/read", r#"{"uri":["statibeat://me"]}"#, "`uri` must be text (got a list)"),
        ("prompts/get", r#"{"name":7}"#, "`name` must be text (got number 7)"),
        ("tools/list", r#"{"cursor":3}"#, "`cursor` must be text (got number 3)"),
        ("completion/complete", r#"{"ref":{"type":"prompt"}}"#, "(got text \"prompt\")"),
    ] {
        let error = send(&app, &token, method, params)["error"].clone();
        assert!(error["message"].as_str().is_some_and(|text| text.contains(words)), "{method}: {error}");
    }
}
