//! Headers and bodies as clients and proxies really send them.

use crate::support::flow::user;
use crate::support::{TestApp, header, json, request};
use serde_json::{Value, json};

const LATEST: &str = "2026-07-28";

struct Connected {
    app: TestApp,
    authorization: String,
}

impl Connected {
    fn new() -> Self {
        let app = TestApp::new();
        let authorization = format!("Bearer {}", app.connect(user::MARA_ADMIN, "mcp.pages.read").access);
        Self { app, authorization }
    }

    /// Status and JSON of the answer to these bytes.
    fn post(&self, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> (u16, Value) {
        let headers: Vec<_> =
            [("authorization", self.authorization.as_str())].into_iter().chain(headers.iter().copied()).collect();
        let answer = self.app.send(request("POST", "/mcp", &headers, body.into()));
        (answer.status().as_u16(), json(&answer))
    }
}

fn message(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn enveloped(method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": LATEST,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    message(method, &params)
}

/// A proxy between Claude Code and a claude.ai connector adds the header again; other proxies join the lines.
#[test]
fn header_repeated_with_one_value_is_served_and_with_two_is_refused() {
    let client = Connected::new();
    let list = message("tools/list", &json!({}));
    let read = enveloped("resources/read", json!({ "uri": "statibeat://me" }));
    let version = |value| ("mcp-protocol-version", value);
    for headers in [vec![version("2025-11-25"), version("2025-11-25")], vec![version("2025-11-25, 2025-11-25")]] {
        let (status, answer) = client.post(&headers, list.as_str());
        assert!(status == 200 && answer["result"]["tools"].is_array(), "{headers:?}: {answer}");
    }
    for headers in [vec![version("2025-11-25"), version("2025-06-18")], vec![version("2025-11-25,2025-06-18")]] {
        let (status, answer) = client.post(&headers, list.as_str());
        let words = answer["error"]["message"].as_str().expect("a message");
        assert!(status == 400 && words.contains("2025-11-25") && words.contains("2025-06-18"), "{answer}");
        assert_eq!(answer["id"], 1);
    }
    let [method, name] = [("mcp-method", "resources/read"), ("mcp-name", "statibeat://me")];
    let once = [version(LATEST), method, name];
    assert_eq!(client.post(&once, read.as_str()).0, 200);
    for (extra, expected) in [
        (version(LATEST), 200),
        (method, 200),
        (name, 200),
        (version("2025-11-25"), 400),
        (("mcp-method", "tools/list"), 400),
        (("mcp-name", "statibeat://pages"), 400),
    ] {
        let headers: Vec<_> = once.into_iter().chain([extra]).collect();
        let (status, answer) = client.post(&headers, read.as_str());
        assert_eq!(status, expected, "{extra:?}: {answer}");
        if expected == 400 {
            let words = answer["error"]["message"].as_str().expect("a message");
            assert!(answer["error"]["code"] == -32020 && words.contains(extra.1), "{answer}");
        }
    }
}

/// claude.ai connectors name one version in the header and send messages of another.
#[test]
fn header_of_one_version_with_a_body_of_another_is_served_or_names_both() {
    let client = Connected::new();
    let read = json!({ "uri": "statibeat://me" });
    let latest = [("mcp-protocol-version", LATEST)];
    let (status, answer) = client.post(&latest, message("resources/read", &read));
    assert_eq!((status, answer["result"].get("resultType")), (200, None), "{answer}");

    let headers =
        [("mcp-protocol-version", "2025-11-25"), ("mcp-method", "resources/read"), ("mcp-name", "statibeat://me")];
    let (status, answer) = client.post(&headers, enveloped("resources/read", read));
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)));
    let words = answer["error"]["message"].as_str().expect("a message");
    for part in
        [r#"MCP-Protocol-Version is "2025-11-25""#, r#"params._meta is "2026-07-28""#, "2025-06-18", "initialize"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert_eq!(answer["error"]["data"]["supported"], json!([LATEST]));
}

#[test]
fn initialize_negotiates_by_its_body_under_any_version_header() {
    let client = Connected::new();
    for (header, requested, expected) in [
        ("2024-11-05", "2024-11-05", "2025-11-25"),
        ("2025-11-25", "2025-06-18", "2025-06-18"),
        (LATEST, "2025-11-25", "2025-11-25"),
        ("2027-01-01", "2025-03-26", "2025-03-26"),
        ("banana", "2025-11-25", "2025-11-25"),
    ] {
        let hello =
            json!({ "protocolVersion": requested, "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
        let (status, answer) = client.post(&[("mcp-protocol-version", header)], message("initialize", &hello));
        assert_eq!((status, &answer["result"]["protocolVersion"]), (200, &json!(expected)), "{header}: {answer}");
    }
    let old = [("mcp-protocol-version", "2024-11-05")];
    assert_eq!(client.post(&old, message("tools/list", &json!({}))).0, 200);
}

#[test]
fn unknown_version_header_names_what_came_and_what_is_served() {
    let client = Connected::new();
    let (status, answer) = client.post(&[("mcp-protocol-version", "2025-12-01")], message("tools/list", &json!({})));
    assert_eq!(status, 400);
    assert_eq!(
        answer["error"]["data"],
        json!({ "requested": "2025-12-01", "supported": ["2025-03-26", "2025-06-18", "2025-11-25"] })
    );
    assert!(
        answer["error"]["message"].as_str().expect("a message").starts_with(r#"MCP-Protocol-Version "2025-12-01" is"#)
    );
}

/// Codex on Windows sends a byte order mark; Python writes ids as floats.
#[test]
fn byte_order_mark_and_float_id_are_served() {
    let client = Connected::new();
    assert_eq!(client.post(&[], format!("\u{feff}{}", message("ping", &json!({})))).0, 200);
    let (status, answer) = client.post(&[], r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#);
    assert_eq!((status, &answer["id"]), (200, &json!(1)));
}

#[test]
fn broken_json_is_a_400_with_its_place_and_the_id_where_it_can_be_read() {
    let client = Connected::new();
    for (body, id, place) in [
        ("{\"jsonrpc\":\"2.0\",\"id\":7,\n\"method\":}", json!(7), "line 2 column 10"),
        ("{\"jsonrpc\":\"2.0\",", Value::Null, "line 1 column 17"),
        ("", Value::Null, "line 1 column 0"),
    ] {
        let (status, answer) = client.post(&[], body);
        assert_eq!((status, &answer["error"]["code"], answer.get("id")), (400, &json!(-32700), Some(&id)), "{body}");
        assert!(answer["error"]["message"].as_str().expect("a message").contains(place), "{answer}");
    }
}

#[test]
fn compressed_body_is_a_415_that_says_so() {
    let client = Connected::new();
    let (status, answer) = client.post(&[("content-encoding", "gzip")], b"\x1f\x8b\x08\x00".as_slice());
    assert_eq!((status, answer.get("id")), (415, Some(&Value::Null)));
    let words = answer["error"]["message"].as_str().expect("a message");
    assert!(words.contains("gzip") && words.contains("without Content-Encoding"), "{words}");
    assert_eq!(client.post(&[("content-encoding", "identity")], message("ping", &json!({}))).0, 200);
}

#[test]
fn refusal_before_json_rpc_is_json_that_says_what_to_do() {
    let client = Connected::new();
    let send = |method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>| {
        let headers: Vec<_> =
            [("authorization", client.authorization.as_str())].into_iter().chain(headers.iter().copied()).collect();
        client.app.send(request(method, path, &headers, body))
    };
    let too_large = vec![b' '; 450 * 1024];
    for (method, path, headers, body, status, expected) in [
        ("POST", "/mcp", vec![("origin", "https://evil.example")], vec![], 403, "https://evil.example"),
        ("GET", "/mcp", vec![], vec![], 405, "POST"),
        ("DELETE", "/mcp", vec![], vec![], 405, "no sessions"),
        ("POST", "/mcp", vec![], too_large, 413, "458752 bytes"),
        ("POST", "/mcp", vec![("content-encoding", "br")], vec![], 415, "br"),
    ] {
        let answer = send(method, path, &headers, body);
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        assert_eq!(header(&answer, "content-type"), "application/json");
        let body = json(&answer);
        let words = body["error"]["message"].as_str().unwrap_or_else(|| panic!("a JSON-RPC error, not {body}"));
        assert!(body["jsonrpc"] == "2.0" && words.contains(expected), "{method} {path}: {body}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    for (method, path, body, status, expected) in [
        ("GET", "/sse", vec![], 404, "https://mcp.example/mcp"),
        ("PUT", "/mcp/oauth/token", vec![], 405, "POST"),
        ("POST", "/token", b"\x1f\x8b".to_vec(), 415, "gzip"),
    ] {
        let answer = send(method, path, &form, body);
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let body = json(&answer);
        let words = body["error_description"].as_str().unwrap_or_else(|| panic!("words, not {body}"));
        assert!(body["error"].is_string() && words.contains(expected), "{method} {path}: {body}");
    }
}

#[test]
fn browser_that_opens_the_endpoint_sees_a_page_and_programs_see_the_challenge() {
    let app = TestApp::new();
    let navigation = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8"), ("sec-fetch-mode", "navigate")];
    for path in ["/mcp", "/mcp/"] {
        let answer = app.send(request("GET", path, &navigation, Vec::new()));
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
        let page = String::from_utf8_lossy(answer.body()).into_owned();
        for part in ["https://mcp.example/mcp", "/mcp/admin", "claude mcp add"] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
    for accept in ["text/event-stream", "application/json, text/event-stream", "*/*"] {
        let answer = app.send(request("GET", "/mcp", &[("accept", accept)], Vec::new()));
        assert_eq!(answer.status(), 401, "{accept}");
        assert!(header(&answer, "www-authenticate").contains("resource_metadata"));
    }
}
