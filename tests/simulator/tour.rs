//! One visit to every operation of the contract.

use serde_json::json;

use crate::sign_in::signed_in;
use crate::story::{CONTRACT, NOW, PAGE, Story, request};

const ADMIN: &str = "sb_demo_admin_42";

#[test]
fn every_operation_of_the_contract_is_exercised() {
    let story = Story::new();
    signed_in(&story, 1, "hosted-mcp");
    public_and_session(&story);
    reads(&story, "/api/v1/admin");
    incident_writes(&story);
    maintenance_writes(&story);
    beat_writes(&story);
    let exercised = story.exercised.borrow();
    let missed: Vec<_> = CONTRACT.operations().iter().filter(|known| !exercised.contains(&known.id)).collect();
    assert!(missed.is_empty(), "not exercised: {missed:?}");
}

#[test]
fn both_address_families_give_the_same_answers() {
    let story = Story::new();
    reads(&story, PAGE);
    for path in ["/incidents?view=full", "/hierarchy/items", "/beats", "/analytics/summary", "/summary"] {
        let by_number = story.token(ADMIN, "GET", &format!("{PAGE}{path}"), None);
        let by_host = story.token(ADMIN, "GET", &format!("/api/v1/admin{path}"), None);
        assert_eq!(by_number.json, by_host.json, "{path}");
    }
}

fn public_and_session(story: &Story) {
    for path in ["/api/v1/settings", "/api/v1/incidents?view=full", "/api/v1/maintenances?status=completed&limit=1"] {
        assert_eq!(story.send(&request("GET", path, None, None)).status, 200, "{path}");
    }
    assert_eq!(story.token(ADMIN, "GET", "/api/v1/context", None).json["page"]["id"], 42);
    assert_eq!(story.user(1, "mcp.beats.read", "GET", "/api/v1/me", None).json["name"], "Mara Lindqvist");
    assert_eq!(story.user(1, "mcp.beats.read", "GET", "/api/v1/me/pages", None).json["total"], 2);
}

fn reads(story: &Story, base: &str) {
    let paths = [
        "/summary",
        "/status-definitions",
        "/lifecycle-stages",
        "/maintenance-lifecycle-stages",
        "/hierarchy/levels",
        "/hierarchy/items",
        "/subscribers/summary",
        "/analytics/summary?window_days=90",
        "/incidents?status=active&limit=2",
        "/incidents?view=full",
        "/incidents/1001",
        "/incidents/1001/updates?limit=1",
        "/incidents/external/pagerduty-Q2TXAPI",
        "/incidents/external/pagerduty-Q2TXAPI/updates",
        "/maintenances?view=full",
        "/maintenances/2001",
        "/maintenances/2001/updates",
        "/beats",
        "/beats?view=full",
        "/beats/501",
        "/beats/501/events?limit=2",
        "/beats/501/runs",
        "/beats/failures",
        "/beats/actions?status=pending",
        "/beat-groups",
    ];
    for path in paths {
        assert_eq!(story.token(ADMIN, "GET", &format!("{base}{path}"), None).status, 200, "{path}");
    }
}

fn incident_writes(story: &Story) {
    let post = |path: &str, body| story.token(ADMIN, "POST", &format!("/api/v1/admin/incidents{path}"), body);
    let body = json!({ "title": "Checkout slow", "description": "Slow.", "external_id": "tour-1" });
    let created = post("", Some(body));
    assert_eq!(created.status, 201);
    for base in [format!("/{}", created.json["id"]), "/external/tour-1".to_owned()] {
        let path = format!("/api/v1/admin/incidents{base}");
        let update = json!({ "message": "News.", "external_id": format!("tour-news{}", base.len()) });
        assert_eq!(post(&format!("{base}/updates"), Some(update.clone())).status, 201);
        assert_eq!(post(&format!("{base}/updates"), Some(update.clone())).status, 200);
        let found = format!("{path}/updates/external/{}", update["external_id"].as_str().expect("text"));
        assert_eq!(story.token(ADMIN, "GET", &found, None).json["message"], "News.");
        assert_eq!(post(&format!("{base}/acknowledge"), None).status, 200);
        assert_eq!(post(&format!("{base}/resolve"), Some(json!({ "resolution_message": "Over." }))).status, 200);
        assert_eq!(post(&format!("{base}/reopen"), None).status, 200);
        assert_eq!(story.token(ADMIN, "PATCH", &path, Some(json!({ "title": "Checkout slower" }))).status, 200);
    }
    assert_eq!(story.token(ADMIN, "DELETE", "/api/v1/admin/incidents/external/tour-1", None).status, 204);
    assert_eq!(story.token(ADMIN, "DELETE", "/api/v1/admin/incidents/1003", None).status, 204);
}

fn maintenance_writes(story: &Story) {
    let post = |path: &str, body| story.token(ADMIN, "POST", &format!("/api/v1/admin/maintenances{path}"), body);
    let time = |at: i64| jiff::Timestamp::from_second(at).expect("in range").to_string();
    let body = json!({
        "title": "Move", "description": "We move.", "starts_at": time(NOW - 60), "ends_at": time(NOW + 3600),
        "external_id": "tour-move",
    });
    let created = post("", Some(body));
    assert_eq!(created.status, 201);
    let base = format!("/{}", created.json["id"]);
    let update = json!({ "message": "News.", "external_id": "tour-news" });
    assert_eq!(post(&format!("{base}/updates"), Some(update.clone())).status, 201);
    assert_eq!(post(&format!("{base}/updates"), Some(update)).status, 200);
    let other = json!({ "message": "Other news.", "external_id": "tour-news" });
    assert_eq!(post(&format!("{base}/updates"), Some(other)).status, 409);
    for found in ["/external/tour-move".to_owned(), format!("{base}/updates/external/tour-news")] {
        assert_eq!(story.token(ADMIN, "GET", &format!("/api/v1/admin/maintenances{found}"), None).status, 200);
    }
    let path = format!("/api/v1/admin/maintenances{base}");
    assert_eq!(story.token(ADMIN, "PATCH", &path, Some(json!({ "impact": "None." }))).status, 200);
    assert_eq!(post(&format!("{base}/complete"), None).status, 200);
    assert_eq!(post("/2002/cancel", Some(json!({ "message": "Not now." }))).status, 200);
    assert_eq!(story.token(ADMIN, "DELETE", &path, None).status, 204);
}

fn beat_writes(story: &Story) {
    let post = |path: &str| story.token(ADMIN, "POST", &format!("/api/v1/admin/beats/{path}"), None).status;
    assert_eq!((post("501/run"), post("actions/702/approve"), post("actions/703/reject")), (202, 200, 200));
}
