//! Arguments that tools accept, the errors for others, and the report of a write.

use super::*;
use crate::catalog::CompletedWrite;
use crate::catalog::uri::Roots;
use serde_json::{Value, json};

fn create_incident() -> &'static Tool {
    find_tool("create_incident").expect("it exists")
}

fn check(arguments: Value, expected: Result<Value, &str>) {
    let body = create_incident().parse_write(arguments, &[]).map(|write| write.body).map_err(|error| error.0);
    assert_eq!(body, expected.map_err(str::to_owned));
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = json!({ "title": "Slow", "description": "Requests are slow." });
    arguments[name] = value.into();
    arguments
}

#[test]
fn given_arguments_become_the_body() {
    let minimal = json!({ "title": "Slow", "description": "Requests are slow." });
    check(minimal.clone(), Ok(minimal.clone()));
    check(with("impact", Value::Null), Ok(minimal));
    let full = json!({
        "title": "Slow", "description": "Requests are slow.", "status": "degraded", "impact": "Some",
        "affected_items": [{ "id": 7 }, { "external_id": "api" }, { "slug": "web" }],
        "affected_items_freetext": "API", "external_id": "INC-1",
    });
    check(full.clone(), Ok(full));
    let one_null = json!([{ "id": 7, "slug": null }]);
    check(with("affected_items", one_null), Ok(with("affected_items", json!([{ "id": 7 }]))));
}

#[test]
fn invalid_argument_is_named_with_what_would_fit() {
    let allowed =
        "title, description, status, impact, affected_items, affected_items_freetext, external_id".replace(", ", "|");
    let mut names: Vec<&str> = allowed.split('|').collect();
    names.sort_unstable();
    let unknown = format!("`notify` is not known; allowed: {}", names.join(", "));
    check(with("notify", true), Err(&unknown));
    check(json!({}), Err("`title` is required; `description` is required"));
    check(with("title", Value::Null), Err("`title` is required"));
    check(with("title", 7), Err("`title` must be text (got number 7)"));
    check(with("title", " \n"), Err("`title` must not be blank"));
    check(with("title", "x".repeat(201)), Err("`title` may have at most 200 characters, not 201"));
    check(with("status", "x".repeat(257)), Err("`status` may have at most 256 characters, not 257"));
    check(with("status", json!(["degraded"])), Err("`status` must be text (got a list)"));
    check(json!([]), Err("the arguments must be an object (got a list)"));
}

#[test]
fn affected_item_is_named_in_exactly_one_way() {
    let refused = |item: Value, why: &str| check(with("affected_items", json!([{ "id": 1 }, item])), Err(why));
    refused(json!({}), "`affected_items[1]` must have exactly one of: external_id, id, slug");
    refused(json!({ "id": 1, "slug": "a" }), "`affected_items[1]` must have exactly one of: external_id, id, slug");
    refused(
        json!({ "id": 1.5 }),
        "`affected_items[1].id` must be a whole number from 1 to 9007199254740991 (got number 1.5)",
    );
    refused(
        json!({ "id": u64::MAX }),
        &format!("`affected_items[1].id` must be a whole number from 1 to 9007199254740991 (got number {})", u64::MAX),
    );
    refused(json!({ "name": "a" }), "`affected_items[1].name` is not known; allowed: external_id, id, slug");
    refused(json!(102), "`affected_items[1]`: write {\"id\": 102} (got number 102)");
    let name = "`affected_items[1]`: write {\"id\": 102} (got text \"API\"); ids are in the hierarchy of the page";
    refused(json!("API"), name);
    let forged = "`affected_items[1].a' is fine. Published. 'b` is not known; allowed: external_id, id, slug";
    refused(json!({ "a` is fine.\nPublished. `b": 1 }), forged);
    refused(Value::Null, "`affected_items[1]`: write {\"id\": 102} (got nothing)");
    let many = json!(vec![json!({ "id": 1 }); 101]);
    check(with("affected_items", many), Err("`affected_items` may have at most 100 entries, not 101"));
}

#[test]
fn schema_is_flat() {
    let schema = create_incident().input_schema();
    assert_eq!(schema["required"], json!(["title", "description"]));
    let expected = json!({
        "type": "object",
        "properties": { "id": { "type": "integer" }, "external_id": { "type": "string" }, "slug": { "type": "string" } },
    });
    assert_eq!(schema["properties"]["affected_items"]["items"], expected);
}

#[test]
fn report_conforms_to_its_schema() {
    let answer = json!({
        "id": 512, "title": "Slow\u{202e}", "status": "degraded", "state": "active", "token": "t",
        "public_url": "https://status.acme.example/incidents/512", "admin_url": "https://app.example/512",
    });
    let page = json!({ "id": 7, "name": "Acme" });
    let written = CompletedWrite {
        answer: &answer,
        page: &page,
        roots: Some(&Roots::HOSTED),
        audit_id: Some("a1"),
        remaining_writes: Some(29),
        replayed: false,
    };
    let done = create_incident().report(&written);
    let expected = json!({
        "page_id": 7, "page_name": "Acme", "incident_id": 512, "status": "degraded", "state": "active",
        "public_url": "https://status.acme.example/incidents/512", "admin_url": "https://app.example/512",
        "resource_uri": "statibeat://pages/7/incidents/512", "audit_id": "a1", "remaining_writes": 29,
        "replayed": false,
    });
    assert_eq!(done.structured, expected);
    assert_eq!(
        done.text,
        "Created incident 512 on \"Acme\". Customers see it at https://status.acme.example/incidents/512"
    );
    assert_eq!(done.links[0].0, "statibeat://pages/7/incidents/512");
    let conforms =
        |structured: &Value| jsonschema::is_valid(&create_incident().output_schema().expect("a schema"), structured);
    assert!(conforms(&done.structured));

    let empty = create_incident().report(&CompletedWrite { answer: &Value::Null, replayed: true, ..written });
    assert!(conforms(&empty.structured) && empty.links.is_empty(), "an unreadable answer does not undo the write");
    assert_eq!(empty.text, "Already published by an earlier call: Created incident on \"Acme\".");
}

#[test]
fn update_goes_to_its_incident() {
    let tool = find_tool("add_incident_update").expect("it exists");
    let arguments = json!({ "incident_id": 9, "message": "Fixed.", "lifecycle_stage_id": 3 });
    let write = tool.parse_write(arguments, &[]).expect("good arguments");
    assert_eq!(write.operation, Operation::AddIncidentUpdate { incident_id: 9 });
    assert_eq!(write.body, json!({ "message": "Fixed.", "lifecycle_stage_id": 3 }));
    let refused = tool.parse_write(json!({ "incident_id": 0, "message": " " }), &[]).expect_err("bad arguments");
    assert_eq!(
        refused.0,
        "`incident_id` must be a whole number from 1 to 9007199254740991 (got number 0); `message` must not be blank"
    );
}

#[test]
fn unambiguous_spelling_of_an_id_is_taken() {
    let tool = find_tool("add_incident_update").expect("it exists");
    for id in [json!(9), json!(9.0), json!("9"), json!(" 9 ")] {
        let arguments = json!({ "incident_id": id, "message": "m", "lifecycle_stage_id": id });
        let write = tool.parse_write(arguments, &[]).expect("good arguments");
        assert_eq!(write.operation, Operation::AddIncidentUpdate { incident_id: 9 });
        assert_eq!(write.body, json!({ "message": "m", "lifecycle_stage_id": 9 }));
    }
    for id in [json!("9.5"), json!(""), json!(9_007_199_254_740_992_i64), json!(true)] {
        assert!(tool.parse_write(json!({ "incident_id": id, "message": "m" }), &[]).is_err(), "{id}");
    }
    let named =
        tool.parse_write(json!({ "incident_id": 9, "message": "m", "lifecycle_stage_id": " Identified " }), &[]);
    assert_eq!(named.expect("a stage by name").body["lifecycle_stage_id"], "Identified");
}

#[test]
fn unknown_arguments_are_named_once_with_all_that_are_allowed() {
    let arguments = json!({ "title": "a\nb", "description": "d", "x": 1, "y": 2 });
    let refused = create_incident().parse_write(arguments, &["page_id", "preview"]).expect_err("two are unknown");
    let words = "`x`, `y` are not known; allowed: affected_items, affected_items_freetext, description, external_id, impact, \
        page_id, preview, status, title; `title` must be one line: character 2 (U+000A) ends it";
    assert_eq!(refused.0, words);
}
