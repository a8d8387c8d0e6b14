//! State that is kept between starts, and that the same story gives the same bytes.

use serde_json::json;

use crate::story::{NOW, PAGE, Story, request};
use statibeat_simulator::{Settings, Simulator};

const ADMIN: &str = "sb_demo_admin_42";

#[test]
fn a_snapshot_brings_created_things_back() {
    let story = Story::new();
    let before = story.simulator.revision();
    let body = json!({ "title": "Kept", "description": "D", "external_id": "kept-1" });
    let created = story.token(ADMIN, "POST", &format!("{PAGE}/incidents"), Some(body.clone()));
    assert!(story.simulator.revision() > before);
    let later = Story::with(Settings::local(NOW + 86_400));
    later.simulator.restore(&story.simulator.snapshot()).expect("our own snapshot");
    let path = format!("{PAGE}/incidents/external/kept-1");
    assert_eq!(later.token(ADMIN, "GET", &path, None).json, created.json);
    assert_eq!(later.token(ADMIN, "POST", &format!("{PAGE}/incidents"), Some(body)).status, 200);
    let next = json!({ "title": "Next", "description": "D" });
    assert_ne!(later.token(ADMIN, "POST", &format!("{PAGE}/incidents"), Some(next)).json["id"], created.json["id"]);
}

#[test]
fn a_foreign_snapshot_is_refused() {
    let simulator = Simulator::new(Settings::local(NOW));
    assert!(simulator.restore("{}").is_err() && simulator.restore("").is_err());
    let newer = simulator.snapshot().replace("\"version\": 1", "\"version\": 2");
    assert_eq!(simulator.restore(&newer), Err("snapshot version 2 is not 1".to_owned()));
}

#[test]
fn reads_change_nothing_worth_keeping() {
    let story = Story::new();
    story.token(ADMIN, "GET", &format!("{PAGE}/incidents"), None);
    assert_eq!(story.simulator.revision(), 0);
}

#[test]
fn the_same_story_gives_the_same_bytes() {
    let tell = || {
        let simulator = Simulator::new(Settings::local(NOW));
        let body = json!({ "title": "T", "description": "D" });
        let created = simulator.handle(&request("POST", &format!("{PAGE}/incidents"), Some(ADMIN), Some(body)), NOW);
        let request_id = created.headers()["x-request-id"].clone();
        (created.into_body(), request_id)
    };
    assert_eq!(tell(), tell());
}
