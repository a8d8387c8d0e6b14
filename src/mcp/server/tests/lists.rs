//! Lists: what each version is shown, and long ones in pages.

use super::*;

#[tokio::test]
async fn lists_have_cache_hints_without_a_handshake_only() {
    let tool = find_tool("create_incident").expect("it exists");
    let output = tool.output_schema().expect("a schema");
    let tools = json!({ "tools": [{
        "name": "create_incident",
        "description": tool.description,
        "inputSchema": { "type": "object" },
        "outputSchema": output,
        "annotations": {
            "readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true,
            "title": "Create incident",
        },
        "securitySchemes": [{ "type": "oauth2", "scopes": ["mcp.incidents.write"] }],
    }] });
    let templates = json!({ "resourceTemplates": [{
        "uriTemplate": "x://{incident_id}", "name": "incident",
    }] });
    let prompts = json!({ "prompts": [{
        "name": "greet", "title": "Greet", "description": "Says hello.",
        "arguments": [{ "name": "who", "description": "A name.", "required": true }],
    }] });
    let resources = json!({ "resources": [] });
    for (method, result, ttl) in [
        ("tools/list", tools, 300_000),
        ("resources/templates/list", templates, 300_000),
        ("prompts/list", prompts, 300_000),
        ("resources/list", resources, 60_000),
    ] {
        check_after_handshake(method, json!({}), result.clone()).await;
        let mut hinted = result;
        hinted["ttlMs"] = json!(ttl);
        hinted["cacheScope"] = json!("private");
        check_without_handshake(&Fake::default(), method, json!({}), hinted).await;
    }
}

#[tokio::test]
async fn skills_are_listed_and_read_without_a_handshake_only() {
    let uri = "skill://statibeat/greet/SKILL.md";
    let skill = Fake::default().skill(uri).expect("a skill");
    let entry = serde_json::to_value(skill.entry()).expect("JSON");
    let contents = json!([{ "uri": uri, "mimeType": "text/markdown", "text": skill.file }]);
    for (method, params, mut result) in [
        ("skills/list", json!({}), json!({ "skills": [entry] })),
        ("skills/get", json!({ "uri": uri }), json!({ "skill": entry })),
        ("resources/read", json!({ "uri": uri }), json!({ "contents": contents })),
    ] {
        result["ttlMs"] = json!(300_000);
        result["cacheScope"] = json!("private");
        check_without_handshake(&Fake::default(), method, params.clone(), result).await;
        if method != "resources/read" {
            let given = after_handshake(&Fake::default(), Some("2025-11-25"), &request(method, &params)).await;
            check_error(given, (200, -32601));
        }
    }
    for params in [json!({ "uri": "skill://statibeat/none/SKILL.md" }), json!({ "uri": 7 }), json!({})] {
        check_error(without_handshake(&Fake::default(), "skills/get", params).await, (200, -32602));
    }
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let surface = Fake { resources: 250, ..Fake::default() };
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let body = request("resources/list", &json!({ "cursor": cursor }));
        let Parsed::Json { body, .. } = after_handshake(&surface, Some("2025-11-25"), &body).await else {
            panic!("a page");
        };
        let page = body["result"]["resources"].as_array().cloned().expect("a list");
        assert!(page.len() <= 100);
        seen.extend(page.into_iter().map(|entry| (entry["uri"].clone(), entry["title"].clone())));
        cursor = body["result"]["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 250);
    assert_eq!(seen[0], (json!("x://0"), json!("Page summary")));
    assert_eq!(seen[249], (json!("x://249"), json!("Page summary: Acme")));
    for cursor in [json!(""), json!("after-0"), json!("after-50"), json!("after-300"), json!("300"), json!(100)] {
        let body = request("resources/list", &json!({ "cursor": cursor }));
        check_error(after_handshake(&surface, Some("2025-11-25"), &body).await, (200, -32602));
    }
}
