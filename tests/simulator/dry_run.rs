//! `dry_run=true`: the effect of a write, computed by the write itself, and nothing kept.

use serde_json::{Value, json};

use crate::incidents::read;
use crate::story::{PAGE, Reply, Story, request};

/// The seed's incident on API Gateway and Authentication.
const OPEN_INCIDENT: u64 = 1001;
const ADMIN: &str = "sb_demo_admin_42";

fn dry(story: &Story, path: &str, body: Value) -> Reply {
    story.user(2, scope_of(path), "POST", &format!("{PAGE}/{path}?dry_run=true"), Some(body))
}

fn publish(story: &Story, path: &str, body: Value) -> Reply {
    story.user(2, scope_of(path), "POST", &format!("{PAGE}/{path}"), Some(body))
}

fn scope_of(path: &str) -> &'static str {
    if path.starts_with("incidents") { "mcp.incidents.write" } else { "mcp.maintenances.write" }
}

fn component<'a>(effect: &'a Value, name: &str) -> &'a Value {
    let components = effect["components"].as_array().expect("components");
    components.iter().find(|component| component["name"] == name).unwrap_or(&Value::Null)
}

fn statuses(story: &Story) -> Vec<(Value, Value)> {
    let items = story.user(3, "mcp.pages.read", "GET", &format!("{PAGE}/hierarchy/items"), None);
    items.items().iter().map(|item| (item["id"].clone(), item["status"].clone())).collect()
}

#[test]
fn dry_run_of_a_new_incident_shows_defaults_components_and_recipients_and_keeps_nothing() {
    let story = Story::new();
    let before = (statuses(&story), story.simulator.audit().len());
    let body =
        json!({ "title": "Slow search", "description": "Since noon.", "affected_items": [{ "slug": "search" }] });
    let effect = dry(&story, "incidents", body);
    assert_eq!(effect.status, 200);
    assert_eq!(effect.json["before"], Value::Null);
    assert_eq!(effect.json["after"]["status"], "degraded");
    assert_eq!(effect.json["after"]["lifecycle_stage"]["name"], "Investigating");
    let search = component(&effect.json, "Search");
    assert_eq!((&search["affected"], &search["after"]["status"]), (&json!("added"), &json!("degraded")));
    assert_eq!(effect.json["notifies"], true);
    let channels = effect.json["recipients"]["channels"].as_object().expect("channels");
    let messages: u64 = channels.values().filter_map(Value::as_u64).sum();
    assert!(effect.json["recipients"]["subscribers"].as_u64().is_some_and(|count| count > 0 && count < messages));
    assert_eq!((statuses(&story), story.simulator.audit().len()), before);
}

#[test]
fn dry_run_of_an_update_that_replaces_components_shows_those_that_leave() {
    let story = Story::new();
    let path = format!("incidents/{OPEN_INCIDENT}/updates");
    let body = json!({ "message": "Webhooks too.", "affected_items": [{ "id": 104 }] });
    let effect = dry(&story, &path, body).json;
    assert_eq!(effect["before"]["title"], effect["after"]["title"]);
    assert_eq!(component(&effect, "Webhooks")["affected"], "added");
    let left = component(&effect, "API Gateway");
    assert_eq!(
        (&left["affected"], &left["before"]["status"], &left["after"]["status"]),
        (&json!("removed"), &json!("partial_outage"), &json!("operational"))
    );
}

#[test]
fn added_component_joins_an_incident_and_removed_one_leaves_it() {
    let story = Story::new();
    let path = format!("incidents/{OPEN_INCIDENT}/updates");
    let ids = |document: &Value| {
        let items = document["affected_items"].as_array().expect("items").iter();
        items.filter_map(|item| item["id"].as_u64()).collect::<Vec<_>>()
    };
    let present = ids(&read(&story, &json!(OPEN_INCIDENT)));
    let added = publish(&story, &path, json!({ "message": "Webhooks too.", "add_affected_items": [{ "id": 104 }] }));
    assert_eq!(added.status, 201);
    assert_eq!(ids(&read(&story, &json!(OPEN_INCIDENT))), [present.clone(), vec![104]].concat());
    let removed = json!({ "message": "Webhooks are fine.", "remove_affected_items": [{ "id": 104 }] });
    assert_eq!(publish(&story, &path, removed.clone()).status, 201);
    assert_eq!(ids(&read(&story, &json!(OPEN_INCIDENT))), present);
    let refused = |body: Value, says: &str| {
        let reply = publish(&story, &path, body);
        assert_eq!((reply.status, reply.error()), (400, says));
    };
    refused(removed, "remove_affected_items names item 104, which is not affected");
    refused(
        json!({ "message": "m", "affected_items": [], "add_affected_items": [{ "id": 104 }] }),
        "affected_items excludes add_affected_items and remove_affected_items",
    );
    refused(
        json!({ "message": "m", "add_affected_items": [{ "id": 104 }], "remove_affected_items": [{ "id": 104 }] }),
        "item 104 is both in add_affected_items and in remove_affected_items",
    );
}

#[test]
fn dry_run_gets_the_errors_that_the_write_would_get() {
    let story = Story::new();
    let create = |fields: Value| {
        let mut body = json!({ "title": "T", "description": "D" });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        body
    };
    let known = create(json!({ "external_id": "INC-1" }));
    assert_eq!(publish(&story, "incidents", known.clone()).status, 201);
    for (path, body) in [
        ("incidents", create(json!({ "status": "Major Outage" }))),
        ("incidents", create(json!({ "affected_items": [{ "slug": "checkout" }] }))),
        ("incidents", create(json!({ "external_id": "INC-1", "title": "Another" }))),
        ("incidents/999999/updates", json!({ "message": "m" })),
        ("incidents/1001/updates", json!({ "message": "m", "lifecycle_stage_id": 4 })),
        (
            "maintenances",
            json!({ "title": "T", "description": "D", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-01T01:00:00Z" }),
        ),
    ] {
        let (dry, real) = (dry(&story, path, body.clone()), publish(&story, path, body));
        assert!(dry.status >= 400, "{path}");
        assert_eq!((dry.status, dry.error()), (real.status, real.error()), "{path}");
    }
    let repeated = dry(&story, "incidents", known);
    assert_eq!((&repeated.json["already_exists"], &repeated.json["notifies"]), (&json!(true), &json!(false)));
    assert_eq!(repeated.json["after"]["external_id"], "INC-1");
}

#[test]
fn dry_run_is_what_the_write_then_does() {
    let story = Story::new();
    let window = json!({ "title": "T", "description": "D", "starts_at": "2026-06-02T00:00:00Z", "ends_at": "2026-06-02T01:00:00Z", "affected_items": [{ "id": 104 }] });
    for (path, body) in [
        (
            "incidents",
            json!({ "title": "T", "description": "D", "status": "major_outage", "affected_items": [{ "id": 104 }, { "slug": "search" }] }),
        ),
        ("incidents/1001/updates", json!({ "message": "m", "status": "degraded", "lifecycle_stage_id": 3 })),
        ("incidents/1001/updates", json!({ "message": "m", "affected_items": [] })),
        ("maintenances", window),
    ] {
        let before = statuses(&story);
        let effect = dry(&story, path, body.clone()).json;
        assert!(publish(&story, path, body).status < 300, "{path}");
        let after = statuses(&story);
        for ((id, old), (_, new)) in before.iter().zip(&after) {
            let shown = effect["components"].as_array().expect("components").iter().find(|shown| shown["id"] == *id);
            match shown {
                Some(shown) => {
                    assert_eq!((&shown["before"]["status"], &shown["after"]["status"]), (old, new), "{path}");
                }
                None => assert_eq!(old, new, "{path}: component {id} changed unannounced"),
            }
        }
    }
}

#[test]
fn dry_run_of_every_write_of_a_page_token_keeps_nothing() {
    let story = Story::new();
    let snapshot = story.simulator.snapshot();
    for (method, path, body) in [
        ("PATCH", "incidents/1001", Some(json!({ "title": "Other" }))),
        ("DELETE", "incidents/1001", None),
        ("POST", "incidents/1001/acknowledge", None),
        ("POST", "incidents/1001/resolve", None),
        ("POST", "beats/501/run", None),
        ("POST", "beats/actions/701/approve", None),
        ("POST", "beats/actions/701/reject", None),
    ] {
        let reply = story.token(ADMIN, method, &format!("/api/v1/admin/{path}?dry_run=true"), body);
        assert_eq!((reply.status, &reply.json["dry_run"]), (200, &json!(true)), "{method} {path}: {}", reply.json);
    }
    assert_eq!(story.simulator.snapshot(), snapshot);
    let unclear = request("POST", "/api/v1/admin/incidents/1001/acknowledge?dry_run=yes", Some(ADMIN), None);
    assert_eq!(story.send_unchecked(&unclear).status, 400);
}

#[test]
fn dry_run_lists_the_50_newest_incidents_that_are_not_over() {
    let story = Story::new();
    let before = dry(&story, "incidents", json!({ "title": "T", "description": "D" })).json["related"].clone();
    let before = before.as_array().expect("a list").len();
    assert!(before < 50);
    for number in 1..=60 {
        story.now.set(story.now.get() + 60);
        let body = json!({ "title": format!("T {number}"), "description": "D" });
        assert_eq!(publish(&story, "incidents", body).status, 201);
    }
    let effect = dry(&story, "incidents", json!({ "title": "T", "description": "D" })).json;
    let titles: Vec<&Value> = effect["related"].as_array().expect("a list").iter().map(|one| &one["title"]).collect();
    assert_eq!((titles.len(), titles[0], titles[49]), (50, &json!("T 60"), &json!("T 11")));
}

/// A deletion takes texts away; subscribers are sent none.
#[test]
fn dry_run_of_a_deletion_notifies_no_subscriber() {
    let story = Story::new();
    for path in ["incidents/1001", "maintenances/2002"] {
        let effect = story.token(ADMIN, "DELETE", &format!("/api/v1/admin/{path}?dry_run=true"), None).json;
        assert_eq!((&effect["notifies"], &effect["recipients"]), (&json!(false), &Value::Null), "{path}: {effect}");
    }
}

#[test]
fn dry_run_lists_ancestors_of_its_own_and_related_components() {
    let story = Story::new();
    let body = json!({ "title": "T", "description": "D", "affected_items": [{ "slug": "search" }] });
    let effect = dry(&story, "incidents", body.clone()).json;
    let items = story.user(3, "mcp.pages.read", "GET", &format!("{PAGE}/hierarchy/items"), None);
    let parent =
        |id: &Value| items.items().iter().find(|item| item["id"] == *id).expect("an item")["parent_id"].clone();
    let listed: Vec<&Value> =
        effect["ancestors"].as_array().expect("a list").iter().map(|entry| &entry["id"]).collect();
    assert!(listed.contains(&&component(&effect, "Search")["id"]));
    for notice in effect["related"].as_array().expect("a list") {
        assert!(notice["affected_items"].as_array().expect("items").iter().all(|item| listed.contains(&&item["id"])));
    }
    for entry in effect["ancestors"].as_array().expect("a list") {
        let mut above: Vec<Value> =
            std::iter::successors(Some(parent(&entry["id"])), |id| (!id.is_null()).then(|| parent(id)))
                .filter(|id| !id.is_null())
                .collect();
        above.reverse();
        assert_eq!(entry["ancestor_ids"], json!(above), "{entry}");
    }
    assert!(effect["ancestors"].as_array().expect("a list").iter().any(|entry| entry["ancestor_ids"] != json!([])));
}
