//! Whole answers of the engine over a fake surface: each method with and without a handshake, refusals, rejected batches.

pub mod fake;
mod lists;

use super::*;
use crate::catalog::find_tool;
use fake::Fake;
use serde_json::{Value, json};

const LATEST: &str = "2026-07-28";

/// An answer with its body as a value.
#[derive(Debug, PartialEq)]
enum Parsed {
    Json { status: u16, body: Value, fault: Option<String> },
    Unavailable { retry_after: Option<Duration>, body: Value },
    Bodiless(McpResponse),
}

async fn parsed_answer(surface: &Fake, headers: &TransportHeaders<'_>, body: &[u8]) -> Parsed {
    let value = |body: Vec<u8>| serde_json::from_slice(&body).expect("JSON");
    match answer(surface, headers, body).await {
        McpResponse::Json { status, body, fault } => Parsed::Json { status, body: value(body), fault },
        McpResponse::Unavailable { retry_after, body } => Parsed::Unavailable { retry_after, body: value(body) },
        bodiless => Parsed::Bodiless(bodiless),
    }
}

async fn after_handshake(surface: &Fake, version: Option<&str>, body: &Value) -> Parsed {
    let headers = TransportHeaders { protocol_version: version, ..TransportHeaders::default() };
    parsed_answer(surface, &headers, body.to_string().as_bytes()).await
}

async fn without_handshake(surface: &Fake, method: &str, mut params: Value) -> Parsed {
    params["_meta"] = json!({ version::VERSION_KEY: LATEST, version::CAPABILITIES_KEY: {} });
    let body = json!({ "jsonrpc": "2.0", "id": "r1", "method": method, "params": params });
    let name = params["name"].as_str().or(params["uri"].as_str());
    let headers = TransportHeaders { protocol_version: Some(LATEST), method: Some(method), name };
    parsed_answer(surface, &headers, body.to_string().as_bytes()).await
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn ok(body: Value) -> Parsed {
    Parsed::Json { status: 200, body, fault: None }
}

/// A request after a handshake gets exactly this result.
async fn check_after_handshake(method: &str, params: Value, result: Value) {
    let given = after_handshake(&Fake::default(), Some("2025-11-25"), &request(method, &params)).await;
    assert_eq!(given, ok(json!({ "jsonrpc": "2.0", "id": 1, "result": result })), "{method}");
}

/// A request without a handshake gets this result and what each of its results carries.
async fn check_without_handshake(surface: &Fake, method: &str, params: Value, mut result: Value) {
    let given = without_handshake(surface, method, params).await;
    result["resultType"] = json!("complete");
    let server = json!({ "name": "fake", "title": "Fake", "version": "1.2.3" });
    result["_meta"] = json!({ "io.modelcontextprotocol/serverInfo": server });
    assert_eq!(given, ok(json!({ "jsonrpc": "2.0", "id": "r1", "result": result })), "{method}");
}

fn check_error(given: Parsed, expected: (u16, i64)) {
    match given {
        Parsed::Json { status, body, .. } => {
            assert_eq!((status, body["error"]["code"].as_i64()), (expected.0, Some(expected.1)), "{body}");
        }
        other => panic!("an error, not {other:?}"),
    }
}

#[tokio::test]
async fn initialize_echoes_a_served_version_or_offers_the_latest() {
    for (asked, offered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("banana", "2025-11-25"),
    ] {
        let expected = json!({
            "protocolVersion": offered,
            "capabilities": { "tools": {}, "resources": {}, "prompts": {}, "completions": {} },
            "serverInfo": { "name": "fake", "title": "Fake", "version": "1.2.3" },
            "instructions": "Read x first.",
        });
        check_after_handshake("initialize", json!({ "protocolVersion": asked, "capabilities": {} }), expected).await;
    }
}

#[tokio::test]
async fn discovery_names_the_version_without_a_handshake_only() {
    let expected = json!({
        "supportedVersions": ["2026-07-28"],
        "capabilities": {
            "tools": {}, "resources": {}, "prompts": {}, "completions": {},
            "extensions": { "io.modelcontextprotocol/skills": {} },
        },
        "instructions": "Read x first.",
        "ttlMs": 3_600_000,
        "cacheScope": "private",
    });
    check_without_handshake(&Fake::default(), "server/discover", json!({}), expected).await;
}

#[tokio::test]
async fn read_has_the_handlers_cache_hint() {
    let contents = json!({ "contents": [{ "uri": "x://1", "mimeType": "application/json", "text": "{\"a\":1}" }] });
    check_after_handshake("resources/read", json!({ "uri": "x://1" }), contents.clone()).await;
    let mut hinted = contents;
    hinted["ttlMs"] = json!(1500);
    hinted["cacheScope"] = json!("private");
    check_without_handshake(&Fake::default(), "resources/read", json!({ "uri": "x://1" }), hinted).await;
}

#[tokio::test]
async fn tool_result_has_resource_links_where_the_version_has_them() {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let link = json!({
        "type": "resource_link", "uri": "x://5", "name": "incident", "title": "Incident detail",
        "mimeType": "application/json",
    });
    let result = |content: Value| json!({ "content": content, "isError": false, "structuredContent": { "id": 5 } });
    let params = json!({ "name": "create_incident", "arguments": { "title": "x" } });
    let linked = result(json!([text("Done."), text("{\"id\":5}"), link]));
    check_after_handshake("tools/call", params.clone(), linked.clone()).await;
    check_without_handshake(&Fake::default(), "tools/call", params.clone(), linked).await;
    let surface = Fake::default();
    let given = after_handshake(&surface, None, &request("tools/call", &params)).await;
    let bare = result(json!([text("Done."), text("{\"id\":5}")]));
    assert_eq!(given, ok(json!({ "jsonrpc": "2.0", "id": 1, "result": bare })));
    assert_eq!(*surface.calls.borrow(), [r#"create_incident {"title":"x"}"#]);
}

#[tokio::test]
async fn prompt_is_one_text_of_the_user() {
    let expected = json!({
        "description": "Says hello.",
        "messages": [
            { "role": "user", "content": { "type": "text", "text": "Say hello to Mara." } },
        ],
    });
    let params = json!({ "name": "greet", "arguments": { "who": "Mara" } });
    check_after_handshake("prompts/get", params.clone(), expected.clone()).await;
    check_without_handshake(&Fake::default(), "prompts/get", params, expected).await;
}

#[tokio::test]
async fn at_most_a_hundred_suggestions_are_shown() {
    let sought = |typed: &str| {
        let reference = json!({ "type": "ref/prompt", "name": "unknown" });
        json!({ "ref": reference, "argument": { "name": "a", "value": typed }, "context": { "arguments": { "b": "c" } } })
    };
    let none = json!({ "completion": { "values": [], "total": 0, "hasMore": false } });
    check_after_handshake("completion/complete", sought(""), none.clone()).await;
    check_without_handshake(&Fake::default(), "completion/complete", sought(""), none).await;
    for (count, has_more) in [(100, false), (101, true), (120, true)] {
        let sought = request("completion/complete", &sought(&count.to_string()));
        let Parsed::Json { body, .. } = after_handshake(&Fake::default(), None, &sought).await else {
            panic!("suggestions");
        };
        let completion = &body["result"]["completion"];
        assert_eq!(completion["values"].as_array().map(Vec::len), Some(100));
        assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(count), &json!(has_more)));
    }
}

#[tokio::test]
async fn methods_differ_with_and_without_a_handshake() {
    let surface = Fake::default();
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "subscriptions/listen", "nonsense"]
    {
        check_error(without_handshake(&surface, method, json!({})).await, (404, -32601));
    }
    for method in
        ["server/discover", "logging/setLevel", "resources/subscribe", "nonsense", "notifications/initialized"]
    {
        check_error(after_handshake(&surface, None, &request(method, &json!({}))).await, (200, -32601));
    }
    check_after_handshake("ping", json!({}), json!({})).await;
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused() {
    for (method, params) in [
        ("initialize", json!({})),
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 1 })),
        ("tools/call", json!({ "name": "a", "arguments": [1] })),
        ("resources/read", json!({})),
        ("prompts/get", json!({ "name": "greet", "arguments": { "who": [] } })),
        ("prompts/get", json!({ "name": "unknown" })),
        ("completion/complete", json!({})),
        ("completion/complete", json!({ "ref": { "type": "ref/tool" } })),
        ("completion/complete", json!({ "ref": { "type": "ref/prompt", "name": "a" }, "argument": { "name": "a" } })),
    ] {
        let body = request(method, &params);
        check_error(after_handshake(&Fake::default(), Some("2025-11-25"), &body).await, (200, -32602));
    }
}

#[tokio::test]
async fn notification_gets_no_response() {
    for body in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "unknown", "params": { "_meta": { version::VERSION_KEY: LATEST } } }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ] {
        let given = after_handshake(&Fake::default(), None, &body).await;
        assert_eq!(given, Parsed::Bodiless(McpResponse::Accepted), "{body}");
    }
}

#[tokio::test]
async fn non_request_json_gets_400() {
    let headers = TransportHeaders::default();
    check_error(parsed_answer(&Fake::default(), &headers, b"{").await, (400, -32700));
    for body in [json!({}), json!(1), json!({ "jsonrpc": "2.0", "id": null, "method": "ping" })] {
        check_error(after_handshake(&Fake::default(), None, &body).await, (400, -32600));
    }
    let ping = request("ping", &json!({}));
    check_error(after_handshake(&Fake::default(), Some("banana"), &ping).await, (400, -32600));
    check_error(after_handshake(&Fake::default(), Some("2027-01-01"), &ping).await, (400, -32602));
}

#[tokio::test]
async fn some_refusals_are_the_transports() {
    let needed = ScopeSet::all();
    let read = request("resources/read", &json!({ "uri": "x://1" }));
    let failing = |failure: Error| Fake { failure: Some(failure), ..Fake::default() };
    let surface = failing(Error::InsufficientScope { needed });
    let Parsed::Bodiless(McpResponse::InsufficientScope { needed: challenged, body }) =
        after_handshake(&surface, None, &read).await
    else {
        panic!("a challenge")
    };
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((challenged, &body["id"], &body["error"]["code"]), (needed, &json!(1), &json!(403)));
    assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains("left \"Publish")), "{body}");
    assert_eq!(
        after_handshake(&failing(Error::AccessEnded), None, &read).await,
        Parsed::Bodiless(McpResponse::AccessEnded)
    );
    let retry_after = Some(Duration::from_secs(7));
    let surface = failing(Error::Unavailable { reason: "busy".to_owned(), retry_after });
    let error = json!({ "code": -32603, "message": "try again later: busy" });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
    assert_eq!(after_handshake(&surface, None, &read).await, Parsed::Unavailable { retry_after, body });
    let surface = failing(Error::Internal("disk".to_owned()));
    let error = json!({ "code": -32603, "message": "internal error" });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
    let expected = Parsed::Json { status: 200, body, fault: Some("disk".to_owned()) };
    assert_eq!(after_handshake(&surface, None, &read).await, expected);
}

#[tokio::test]
async fn call_forbidden_by_page_or_role_is_a_tool_error() {
    for failure in [
        Error::Forbidden("Your role may not.".to_owned()),
        Error::ResourceNotFound { uri: "page 9".to_owned(), message: "No page 9".to_owned() },
    ] {
        let text = failure.to_string();
        let surface = Fake { failure: Some(failure), ..Fake::default() };
        let expected = json!({ "content": [{ "type": "text", "text": text }], "isError": true });
        check_without_handshake(&surface, "tools/call", json!({ "name": "create_incident" }), expected).await;
    }
    let surface =
        Fake { failure: Some(Error::UnknownTool { name: "x".to_owned(), hint: String::new() }), ..Fake::default() };
    check_error(without_handshake(&surface, "tools/call", json!({ "name": "x" })).await, (200, -32602));
}

#[tokio::test]
async fn batch_gets_one_error_in_every_version_and_none_of_it_is_processed() {
    let call = |id: i64| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "a" } });
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let surface = Fake::default();
    let batches = [json!([]), json!([call(1)]), json!([notification]), json!([call(1), 7, call(2)])];
    for version in [None, Some("2025-03-26"), Some("2025-06-18"), Some("2025-11-25"), Some(LATEST), Some("banana")] {
        for batch in &batches {
            let Parsed::Json { status: 400, body, fault: None } = after_handshake(&surface, version, batch).await
            else {
                panic!("one error");
            };
            assert_eq!((&body["error"]["code"], body.get("id")), (&json!(-32600), Some(&Value::Null)), "{body}");
            let message = body["error"]["message"].as_str().unwrap_or_default();
            let length = format!("a batch of {} messages", batch.as_array().map_or(0, Vec::len));
            assert!(message.contains(&length) && message.contains("Send one message per request."), "{message}");
        }
    }
    assert!(surface.calls.borrow().is_empty());
}

#[tokio::test]
async fn an_id_comes_back_as_it_was() {
    for id in [json!(0), json!(-1), json!(i64::MIN), json!(u64::MAX), json!(""), json!("0"), json!("\u{0}ü\u{1f600}")]
    {
        for (method, key) in [("ping", "result"), ("nonsense", "error")] {
            let body = json!({ "jsonrpc": "2.0", "id": id, "method": method });
            let Parsed::Json { body, .. } = after_handshake(&Fake::default(), None, &body).await else {
                panic!("an answer")
            };
            assert!(body["id"] == id && body.get(key).is_some(), "{body}");
        }
    }
}

/// JSON leaves open what a name that stands twice means. Headers and body are compared after reading, so that nobody can
/// play one reading against the other.
#[tokio::test]
async fn last_of_repeated_json_keys_is_used_everywhere() {
    let body = |first: &str, last: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{first}","method":"{last}","params":{{"uri":"x://0","uri":"x://1","_meta":
            {{"{}":"{LATEST}","{}":{{}}}}}}}}"#,
            version::VERSION_KEY,
            version::CAPABILITIES_KEY
        )
    };
    let (method, name) = (Some("resources/read"), Some("x://1"));
    let headers = TransportHeaders { protocol_version: Some(LATEST), method, name };
    let read = parsed_answer(&Fake::default(), &headers, body("tools/call", "resources/read").as_bytes()).await;
    assert!(matches!(&read, Parsed::Json { status: 200, body, .. } if body["result"]["contents"][0]["uri"] == "x://1"));
    check_error(
        parsed_answer(&Fake::default(), &headers, body("resources/read", "tools/call").as_bytes()).await,
        (400, -32020),
    );
}

#[tokio::test]
async fn nesting_is_read_to_a_depth_that_no_client_needs() {
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":{value}}}}}"#)
    };
    let headers = TransportHeaders::default();
    let given = parsed_answer(&Fake::default(), &headers, nested(100).as_bytes()).await;
    assert!(matches!(given, Parsed::Json { status: 200, .. }), "{given:?}");
    for depth in [200, 100_000] {
        check_error(parsed_answer(&Fake::default(), &headers, nested(depth).as_bytes()).await, (400, -32700));
    }
}

#[tokio::test]
async fn an_answer_of_a_client_is_accepted_only_where_clients_were_asked() {
    let answered = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    for version in [None, Some("2025-03-26"), Some("2025-11-25")] {
        assert_eq!(
            after_handshake(&Fake::default(), version, &answered).await,
            Parsed::Bodiless(McpResponse::Accepted),
            "{version:?}"
        );
    }
    check_error(after_handshake(&Fake::default(), Some(LATEST), &answered).await, (400, -32600));
}

#[tokio::test]
async fn a_question_is_a_result_for_those_who_can_be_asked_and_an_error_for_others() {
    let ask = async |capabilities: Value, answers: Value| {
        let meta = json!({ version::VERSION_KEY: LATEST, version::CAPABILITIES_KEY: capabilities });
        let params = json!({ "name": "asks", "arguments": {}, "inputResponses": answers, "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers =
            TransportHeaders { protocol_version: Some(LATEST), method: Some("tools/call"), name: Some("asks") };
        match parsed_answer(&Fake::default(), &headers, body.to_string().as_bytes()).await {
            Parsed::Json { status, body, .. } => (status, body),
            other => panic!("{other:?}"),
        }
    };
    let can = json!({ "elicitation": {} });
    let (status, asked) = ask(can.clone(), json!({})).await;
    assert_eq!((status, &asked["result"]["resultType"]), (200, &json!("input_required")));
    assert_eq!(asked["result"]["inputRequests"]["sure"]["method"], "elicitation/create");
    assert_eq!((&asked["result"]["requestState"], asked["result"].get("ttlMs")), (&json!("s"), None));
    let (status, refused) = ask(json!({}), json!({})).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!(-32021)));
    assert_eq!(refused["error"]["data"]["requiredCapabilities"], can);
    let (_, done) = ask(can, json!({ "sure": { "action": "accept", "content": {} } })).await;
    assert_eq!(done["result"]["resultType"], "complete");
    let answer =
        after_handshake(&Fake::default(), Some("2025-11-25"), &request("tools/call", &json!({ "name": "asks" }))).await;
    assert!(matches!(answer, Parsed::Json { status: 200, body, .. } if body["error"]["code"] == -32602));
}
