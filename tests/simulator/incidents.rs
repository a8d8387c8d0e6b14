//! Incidents: opened once, moved along, resolved only by those who may.

use serde_json::{Value, json};

use crate::story::{PAGE, Reply, Story};

const ADMIN: &str = "sb_demo_admin_42";

fn create(story: &Story, body: Value) -> Reply {
    story.user(2, "mcp.incidents.write", "POST", &format!("{PAGE}/incidents"), Some(body))
}

/// Adds an update as the manager.
pub fn update(story: &Story, id: &Value, body: Value) -> Reply {
    story.user(2, "mcp.incidents.write", "POST", &format!("{PAGE}/incidents/{id}/updates"), Some(body))
}

/// Reads an incident as the viewer.
pub fn read(story: &Story, id: &Value) -> Value {
    story.user(3, "mcp.incidents.read", "GET", &format!("{PAGE}/incidents/{id}"), None).json
}

#[test]
fn a_created_incident_is_in_the_first_stage_and_names_its_author() {
    let story = Story::new();
    let items = json!([{ "id": 102 }, { "external_id": "cmp-webhooks" }, { "slug": "search" }]);
    let created = create(
        &story,
        json!({
            "title": "Checkout fails", "description": "Since noon.", "status": "major_outage", "affected_items": items,
        }),
    );
    assert_eq!(created.status, 201);
    assert_eq!(created.json["lifecycle_stage"], json!({ "id": 1, "name": "Investigating", "position": 1 }));
    assert_eq!(created.json["author"], json!({ "name": "Theo Okafor", "source": "hosted_mcp" }));
    assert_eq!(created.json["affected_items"].as_array().map(Vec::len), Some(3));
    assert_eq!(read(&story, &created.json["id"]), created.json);
}

#[test]
fn a_write_is_audited_with_user_client_and_connection() {
    let story = Story::new();
    let body = json!({ "title": "T", "description": "D" });
    let mut request = story.on_behalf(2, "mcp.incidents.write", "POST", &format!("{PAGE}/incidents"), Some(body));
    for (name, value) in
        [("x-statibeat-source", "hosted_mcp"), ("x-statibeat-connection-id", "conn-1"), ("x-request-id", "req-1")]
    {
        request.headers_mut().insert(name, value.parse().expect("a header"));
    }
    assert_eq!(story.send(&request).header("x-request-id"), "req-1");
    let audit = story.simulator.audit();
    let entry = &audit[0];
    assert_eq!((entry.source, entry.user_id, entry.page_id, entry.status), ("hosted_mcp", Some(2), 42, 201));
    assert_eq!(entry.client_id.as_deref(), Some("https://client.example/metadata.json"));
    assert_eq!((entry.connection_id.as_deref(), entry.request_id.as_str()), (Some("conn-1"), "req-1"));
}

#[test]
fn an_open_incident_shows_in_the_status_of_its_item_and_everything_above() {
    let story = Story::new();
    let status_of = |id: u64| {
        let items = story.token(ADMIN, "GET", &format!("{PAGE}/hierarchy/items"), None);
        items.items().iter().find(|item| item["id"] == id).map(|item| item["status"].clone())
    };
    assert_eq!(status_of(122), Some(json!("operational")));
    let body = json!({
        "title": "T", "description": "D", "status": "major_outage", "affected_items": [{ "id": 122 }],
    });
    let created = create(&story, body);
    for id in [122, 121, 120] {
        assert_eq!(status_of(id), Some(json!("major_outage")), "{id}");
    }
    let path = format!("{PAGE}/incidents/{}/resolve", created.json["id"]);
    assert_eq!(story.token(ADMIN, "POST", &path, None).json["state"], "resolved");
    assert_eq!(status_of(120), Some(json!("operational")));
}

#[test]
fn a_repeated_external_id_gives_the_same_incident_or_a_conflict() {
    let story = Story::new();
    let body = |title: &str| json!({ "title": title, "description": "D", "external_id": "retry-1" });
    let first = create(&story, body("A"));
    let again = create(&story, body("A"));
    assert_eq!((first.status, again.status, &first.json["id"]), (201, 200, &again.json["id"]));
    assert_eq!(create(&story, body("B")).status, 409);
    let taken = json!({ "title": "A", "description": "D", "external_id": "pagerduty-Q2TXAPI" });
    assert_eq!(create(&story, taken).status, 409);
}

#[test]
fn invalid_new_incident_gets_an_error_that_names_the_field() {
    let story = Story::new();
    let with = |field: &str, value: Value| {
        let mut body = json!({ "title": "T", "description": "D" });
        body[field] = value;
        body
    };
    for (body, reason) in [
        (json!({ "description": "D" }), "missing field \"title\""),
        (with("x", json!(1)), "unknown field \"x\""),
        (with("title", json!("  ")), "title must not be empty"),
        (with("title", json!("x".repeat(201))), "title is longer than 200 characters"),
        (with("title", json!(1)), "invalid type: integer \"1\", expected a string"),
        (with("impact", json!(null)), "invalid type: null, expected a string"),
        (
            with("status", json!("operational")),
            "an incident cannot be opened with the operational status \"operational\"",
        ),
        (
            with("status", json!("intermittent")),
            "status must be one of: operational, degraded, partial_outage, major_outage",
        ),
        (with("affected_items", json!([{ "id": 999 }])), "affected_items names an unknown item: id 999"),
        (with("affected_items", json!([{ "id": 202 }])), "affected_items names an unknown item: id 202"),
        (
            with("affected_items", json!([{ "id": 102, "slug": "api-gateway" }])),
            "each entry of affected_items takes exactly one of id, external_id and slug",
        ),
        (with("affected_items", json!([{ "name": "x" }])), "unknown field \"name\""),
    ] {
        let refused = create(&story, body);
        assert_eq!((refused.status, refused.error()), (400, reason));
    }
    assert!(create(&story, with("external_id", json!("a b"))).error().starts_with("external_id must have"));
}

#[test]
fn the_connector_moves_an_incident_along_and_does_not_resolve_it() {
    let story = Story::new();
    let id = create(&story, json!({ "title": "T", "description": "D" })).json["id"].clone();
    let moved =
        update(&story, &id, json!({ "message": "Found.", "lifecycle_stage_id": 2, "status": "partial_outage" }));
    assert_eq!((moved.status, &moved.json["lifecycle_stage"]["name"]), (201, &json!("Identified")));
    assert_eq!(moved.json["author"]["source"], "hosted_mcp");
    let refused = update(&story, &id, json!({ "message": "Done.", "lifecycle_stage_id": 4 }));
    assert_eq!(
        (refused.status, refused.error()),
        (400, "lifecycle_stage_id must be one of: Investigating (1), Identified (2), Monitoring (3)")
    );
    let document = read(&story, &id);
    assert_eq!((&document["status"], &document["updates_total"]), (&json!("partial_outage"), &json!(1)));
}

#[test]
fn a_token_resolves_through_the_last_stage() {
    let story = Story::new();
    let path = format!("{PAGE}/incidents/1001");
    let body = json!({ "message": "Done.", "lifecycle_stage_id": 4 });
    assert_eq!(story.token(ADMIN, "POST", &format!("{path}/updates"), Some(body)).status, 201);
    assert_eq!(story.token(ADMIN, "GET", &path, None).json["state"], "resolved");
}

#[test]
fn a_resolved_incident_takes_messages_only() {
    let story = Story::new();
    assert_eq!(update(&story, &json!(1004), json!({ "message": "Report follows." })).status, 201);
    for change in [json!({ "lifecycle_stage_id": 1 }), json!({ "status": "degraded" }), json!({ "affected_items": [] })]
    {
        let mut body = change;
        body["message"] = json!("Again.");
        assert_eq!(update(&story, &json!(1004), body).status, 409);
    }
    assert_eq!(read(&story, &json!(1004))["state"], "resolved");
}

#[test]
fn actions_refuse_the_wrong_state() {
    let story = Story::new();
    let act = |path: &str| story.token(ADMIN, "POST", &format!("{PAGE}/incidents/{path}"), None).status;
    assert_eq!(
        (act("1004/resolve"), act("1001/reopen"), act("1001/acknowledge"), act("1001/acknowledge")),
        (409, 409, 200, 200)
    );
    assert_eq!((act("1004/reopen"), act("1004/reopen")), (200, 409));
    assert_eq!((act("4711/resolve"), act("1101/resolve")), (404, 404), "unknown, and of another page");
}
