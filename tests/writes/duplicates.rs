//! The same write through two connections: two sessions at once, a client that was connected anew after a lost answer.

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use std::time::Duration;

struct Story {
    app: TestApp,
    one: String,
    other: String,
}

impl Story {
    fn new() -> Self {
        let app = TestApp::new();
        let (one, other) =
            (app.connect(user::THEO_MANAGER, EVERYTHING).access, app.connect(user::THEO_MANAGER, EVERYTHING).access);
        app.upstream.take_calls();
        Self { app, one, other }
    }

    fn update(&self, token: &str, more: Value) -> Value {
        let mut arguments = json!({ "page_id": 42, "incident_id": 1001, "message": "A fix is being rolled out." });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.app.call_tool(token, "add_incident_update", &arguments)
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("text")
}

#[test]
fn the_same_update_through_another_connection_is_published_once() {
    let story = Story::new();
    let first = story.update(&story.one, json!({}));
    story.app.advance(Duration::from_mins(3));
    let second = story.update(&story.other, json!({ "idempotency_key": "a session of its own" }));
    assert_eq!(second["isError"], true, "{second}");
    let id = first["structuredContent"]["update_id"].to_string();
    for words in ["Nothing was published", "published 3 minutes ago through another connection", &id, "preview: true"] {
        assert!(text(&second).contains(words), "{words}: {second}");
    }
    assert_eq!(story.app.take_posts(), 1);
    assert_eq!(story.app.db.count("SELECT count(*) FROM audit WHERE outcome = 'refused' AND detail = 'duplicate'"), 1);
    story.app.advance(Duration::from_mins(30));
    assert_ne!(story.update(&story.other, json!({}))["isError"], true, "half an hour later it is news again");
}

#[test]
fn write_is_published_again_after_its_duplicate_was_shown() {
    let story = Story::new();
    story.update(&story.one, json!({}));
    let shown = story.update(&story.other, json!({ "preview": true }));
    assert!(text(&shown).contains("Warning: the very same was published"), "{shown}");
    let handle = &shown["structuredContent"]["preview"]["confirm"];
    assert_ne!(story.update(&story.other, json!({ "confirm": handle }))["isError"], true);
    assert_eq!(story.app.take_posts(), 2);
}

#[test]
fn same_text_with_another_stage_status_or_component_is_published_once() {
    for more in [
        json!({ "lifecycle_stage_id": 2 }),
        json!({ "lifecycle_stage_id": 3 }),
        json!({ "status": "degraded" }),
        json!({ "add_affected_items": [{ "id": 104 }] }),
    ] {
        let story = Story::new();
        let first = story.update(&story.one, json!({}));
        let id = first["structuredContent"]["update_id"].to_string();
        for token in [&story.one, &story.other] {
            let again = story.update(token, more.clone());
            assert_eq!(again["isError"], true, "{again}");
            for words in
                ["Nothing was published", &format!("update {id}"), "says the same", "If it is news", "preview: true"]
            {
                assert!(text(&again).contains(words), "{words}: {again}");
            }
        }
        let mut with_key = more.clone();
        with_key["idempotency_key"] = json!("meant as a second one");
        assert_ne!(story.update(&story.one, with_key)["isError"], true, "a key of its own says so");
        assert_eq!(story.app.take_posts(), 2);
    }
}

#[test]
fn a_handle_from_before_the_other_one_does_not_cover_it() {
    let story = Story::new();
    let early =
        story.update(&story.other, json!({ "preview": true }))["structuredContent"]["preview"]["confirm"].clone();
    story.update(&story.one, json!({}));
    let late = story.update(&story.other, json!({ "confirm": early }));
    assert!(late["isError"] == true && text(&late).contains("through another connection"), "{late}");
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn a_client_that_was_connected_anew_does_not_publish_again() {
    let story = Story::new();
    story.update(&story.one, json!({}));
    story.app.revoke(&story.one, &[]);
    let anew = story.app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let again = story.update(&anew, json!({}));
    assert!(again["isError"] == true && text(&again).contains("through another connection"), "{again}");
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn a_name_of_the_clients_own_makes_both_one() {
    let story = Story::new();
    let incident = json!({ "page_id": 42, "title": "Slow", "description": "It is slow.", "external_id": "alert-7" });
    let create = |token: &str| {
        let call = json!({ "name": "create_incident", "arguments": incident });
        json(&story.app.call(token, "tools/call", call))["result"]["structuredContent"].clone()
    };
    let (first, second) = (create(&story.one), create(&story.other));
    assert_eq!((&first["replayed"], &second["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first["incident_id"], second["incident_id"]);
}

/// The first attempt got lost. Before it is repeated, the person publishes the same through another connection, knowing of it.
#[test]
fn write_taken_over_after_the_same_was_published_elsewhere_is_not_published_again() {
    let story = Story::new();
    let updates = "/api/v1/orgs/*/pages/*/admin/incidents/*/updates";
    story.app.upstream.inject(Some("POST"), updates, FaultKind::DropBefore);
    story.update(&story.one, json!({}));
    assert_eq!(story.app.db.count("SELECT count(*) FROM idempotency WHERE outcome = 'unknown'"), 1);
    let shown = story.update(&story.other, json!({ "preview": true }));
    let confirm = &shown["structuredContent"]["preview"]["confirm"];
    assert_ne!(story.update(&story.other, json!({ "confirm": confirm }))["isError"], true);
    story.app.take_posts();
    let repeated = story.update(&story.one, json!({}));
    assert!(repeated["isError"] == true && text(&repeated).contains("through another connection"), "{repeated}");
    assert_eq!(story.app.take_posts(), 0);
}
