//! Maintenances: stages by position, moved by time and by people.

use serde_json::{Value, json};

use crate::story::{NOW, PAGE, Reply, Story};

const ADMIN: &str = "sb_demo_admin_42";
const HOUR: i64 = 3600;

fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at).expect("in range").to_string()
}

fn schedule(story: &Story, starts_at: &str, ends_at: &str) -> Reply {
    let body = json!({ "title": "Move", "description": "We move.", "starts_at": starts_at, "ends_at": ends_at });
    story.user(2, "mcp.maintenances.write", "POST", &format!("{PAGE}/maintenances"), Some(body))
}

fn update(story: &Story, id: &Value, body: Value) -> Reply {
    story.user(2, "mcp.maintenances.write", "POST", &format!("{PAGE}/maintenances/{id}/updates"), Some(body))
}

fn state(story: &Story, id: &Value) -> String {
    let path = format!("{PAGE}/maintenances/{id}");
    let document = story.user(3, "mcp.maintenances.read", "GET", &path, None).json;
    document["state"].as_str().unwrap_or("").to_owned()
}

#[test]
fn time_starts_and_completes_a_maintenance() {
    let story = Story::new();
    let created = schedule(&story, &time(NOW + HOUR), &time(NOW + 2 * HOUR));
    let id = created.json["id"].clone();
    assert_eq!((created.status, &created.json["state"]), (201, &json!("upcoming")));
    assert_eq!(created.json["author"]["source"], "hosted_mcp");
    story.now.set(NOW + HOUR);
    assert_eq!(state(&story, &id), "active");
    story.now.set(NOW + 2 * HOUR);
    assert_eq!(state(&story, &id), "completed");
}

#[test]
fn times_are_given_in_any_zone_and_answered_in_utc() {
    let created = schedule(&Story::new(), "2026-06-01T10:00:00+02:00", "2026-06-01T12:00:00+02:00");
    assert_eq!(created.json["starts_at"], "2026-06-01T08:00:00Z");
}

#[test]
fn a_window_must_make_sense() {
    let story = Story::new();
    let refusal = |starts_at: &str, ends_at: &str| schedule(&story, starts_at, ends_at).error().to_owned();
    assert_eq!(refusal(&time(NOW + HOUR), &time(NOW + HOUR)), "ends_at must be after starts_at");
    assert_eq!(refusal(&time(NOW - HOUR), &time(NOW)), "ends_at must be in the future");
    assert_eq!(refusal("tomorrow", &time(NOW)), "starts_at must be an RFC 3339 time");
    assert_eq!(refusal("2026-06-01", &time(NOW)), "starts_at must be an RFC 3339 time");
}

#[test]
fn the_connector_neither_completes_nor_cancels() {
    let story = Story::new();
    for stage in [13, 14, 99] {
        let refused = update(&story, &json!(2002), json!({ "message": "M", "lifecycle_stage_id": stage }));
        assert_eq!(
            (refused.status, refused.error()),
            (400, "lifecycle_stage_id must be one of: Scheduled (11), In Progress (12)")
        );
    }
    let moved = update(&story, &json!(2002), json!({ "message": "We begin early.", "lifecycle_stage_id": 12 }));
    assert_eq!((moved.status, state(&story, &json!(2002)).as_str()), (201, "active"));
}

#[test]
fn a_stage_of_the_page_s_own_is_open_to_the_connector() {
    let path = "/api/v1/orgs/7/pages/43/admin/maintenances/2101/updates";
    let body = json!({ "message": "M", "lifecycle_stage_id": 34 });
    let refused = Story::new().user(1, "mcp.maintenances.write", "POST", path, Some(body));
    assert_eq!(refused.error(), "lifecycle_stage_id must be one of: Scheduled (31), In Progress (32), Verifying (33)");
}

#[test]
fn a_maintenance_that_is_over_takes_messages_only() {
    let story = Story::new();
    assert_eq!(update(&story, &json!(2004), json!({ "message": "Thanks." })).status, 201);
    assert_eq!(update(&story, &json!(2004), json!({ "message": "M", "lifecycle_stage_id": 12 })).status, 409);
    let act = |path: &str| story.token(ADMIN, "POST", &format!("{PAGE}/maintenances/{path}"), None).status;
    assert_eq!(
        (act("2004/complete"), act("2006/cancel"), act("2002/complete"), act("2001/complete")),
        (409, 409, 409, 200)
    );
}

#[test]
fn the_seed_has_maintenances_in_all_stages() {
    let story = Story::new();
    let count = |status: &str| {
        let path = format!("{PAGE}/maintenances?status={status}");
        story.user(3, "mcp.maintenances.read", "GET", &path, None).json["total"].as_u64()
    };
    let counts = [count("upcoming"), count("active"), count("completed"), count("cancelled")];
    assert_eq!(counts, [Some(2), Some(1), Some(2), Some(1)]);
}

#[test]
fn invalid_new_maintenance_gets_an_error_that_names_the_field() {
    let story = Story::new();
    let send = |body: Value| {
        let path = format!("{PAGE}/maintenances");
        story.user(2, "mcp.maintenances.write", "POST", &path, Some(body)).error().to_owned()
    };
    assert_eq!(send(json!({ "title": "T", "description": "D" })), "missing field \"starts_at\"");
    assert_eq!(send(json!({ "status": "degraded" })), "unknown field \"status\"");
}

#[test]
fn a_repeated_external_id_gives_the_same_maintenance_or_a_conflict() {
    let story = Story::new();
    let send = |title: &str| {
        let body = json!({
            "title": title, "description": "D", "starts_at": time(NOW + HOUR), "ends_at": time(NOW + 2 * HOUR),
            "external_id": "retry-1",
        });
        story.user(2, "mcp.maintenances.write", "POST", &format!("{PAGE}/maintenances"), Some(body)).status
    };
    assert_eq!((send("A"), send("A"), send("B")), (201, 200, 409));
}
