//! Maintenance on the page's clocks, and beside what else happens there.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use serde_json::{Value, json};
use statibeat_mcp::model::timestamp::Timestamp;
use std::time::Duration;

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new(scopes: &str) -> Self {
        let app = TestApp::new();
        let token = app.connect(user::THEO_MANAGER, scopes).access;
        app.upstream.take_calls();
        Self { app, token }
    }

    fn schedule(&self, start: &str, end: &str, more: Value) -> Value {
        let mut arguments =
            json!({ "page_id": 42, "title": "Move", "description": "We move.", "starts_at": start, "ends_at": end });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.app.call_tool(&self.token, "schedule_maintenance", &arguments)
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("text")
}

#[test]
fn result_shows_the_window_in_page_time_zone_and_utc() {
    let story = Story::new(EVERYTHING);
    let done = story.schedule("2030-01-31T22:00:00Z", "2030-01-31T23:30:00Z", json!({}));
    let told = "The window is from Thu 2030-01-31 23:00 +01:00 to Fri 2030-02-01 00:30 +01:00 in the page's time zone Europe/Stockholm, \
        from 2030-01-31T22:00:00Z to 2030-01-31T23:30:00Z in UTC, 90 minutes.";
    assert!(text(&done).contains(told), "{done}");
}

#[test]
fn a_time_that_the_pages_clocks_skip_is_refused_with_both_readings() {
    let story = Story::new(EVERYTHING);
    let refused = story.schedule("2030-03-31T02:30:00+01:00", "2030-03-31T05:00:00+02:00", json!({}));
    assert_eq!(refused["isError"], true, "{refused}");
    for words in ["`starts_at`", "does not exist in Europe/Stockholm", "T01:30:00+01:00", "T03:30:00+02:00"] {
        assert!(text(&refused).contains(words), "{words}: {refused}");
    }
    assert_eq!(story.app.take_posts(), 0);
}

#[test]
fn ambiguous_local_time_is_taken_as_written_and_warns() {
    let story = Story::new(EVERYTHING);
    let done = story.schedule("2030-10-27T02:30:00+02:00", "2030-10-27T05:00:00+01:00", json!({}));
    assert_eq!(done["structuredContent"]["starts_at"], "2030-10-27T00:30:00Z", "{done}");
    assert!(text(&done).contains("comes twice") && text(&done).contains("clocks change in between"), "{done}");
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn overlapping_windows_and_incidents_warn_in_preview_and_result() {
    let story = Story::new(EVERYTHING);
    let items = || json!({ "affected_items": [{ "id": 113 }] });
    let first = story.schedule("2026-09-22T01:00:00Z", "2026-09-22T02:00:00Z", items());
    assert!(!text(&first).contains("on the same components"), "not even itself: {first}");
    let incident = json!({ "page_id": 42, "title": "Slow search", "description": "It is slow.", "affected_items": [{ "slug": "search" }] });
    story.app.call(&story.token, "tools/call", json!({ "name": "create_incident", "arguments": incident }));
    let overlapping = |more: Value| {
        let mut more = more;
        more["affected_items"] = json!([{ "slug": "search" }]);
        story.schedule("2026-09-22T01:30:00Z", "2026-09-22T05:00:00Z", more)
    };
    let id = &first["structuredContent"]["maintenance_id"];
    for result in [overlapping(json!({ "preview": true })), overlapping(json!({}))] {
        assert!(text(&result).contains(&format!("maintenance {id} (\"Move\"")), "{result}");
        assert!(text(&result).contains("(\"Slow search\") is open on the same components"), "{result}");
    }
    let later = story.schedule("2026-09-24T01:00:00Z", "2026-09-24T02:00:00Z", items());
    assert!(!text(&later).contains("on the same components"), "another day: {later}");
}

#[test]
fn window_planned_again_in_other_words_is_published_once() {
    for (more, title) in [(json!({ "affected_items": [{ "id": 113 }] }), "Patches"), (json!({}), "The move")] {
        let story = Story::new(EVERYTHING);
        let plan = |more: &Value| story.schedule("2026-09-22T01:00:00Z", "2026-09-22T02:00:00Z", more.clone());
        let id = plan(&more)["structuredContent"]["maintenance_id"].to_string();
        let mut reworded = more.clone();
        reworded["title"] = json!(title);
        reworded["idempotency_key"] = json!("another try");
        let again = plan(&reworded);
        assert_eq!(again["isError"], true, "{again}");
        for words in [
            "Nothing was published",
            &format!("maintenance {id} (\"Move\") has the same times"),
            "the same work",
            "preview: true",
        ] {
            assert!(text(&again).contains(words), "{words}: {again}");
        }
        assert_eq!(story.app.take_posts(), 1);
        reworded["preview"] = json!(true);
        let shown = plan(&reworded);
        assert!(text(&shown).contains("has the same times"), "{shown}");
        let confirm = &shown["structuredContent"]["preview"]["confirm"];
        assert_ne!(plan(&json!({ "title": title, "confirm": confirm }))["isError"], true, "the person wants it");
        assert_eq!(story.app.take_posts(), 1);
    }
}

#[test]
fn repeated_call_for_a_window_that_is_over_gets_the_result_of_the_first() {
    let story = Story::new(EVERYTHING);
    let [start, end] = [5, 15].map(|minutes| (story.app.now() + Duration::from_mins(minutes)).to_string());
    let plan = || story.schedule(&start, &end, json!({}));
    let id = plan()["structuredContent"]["maintenance_id"].clone();
    story.app.advance(Duration::from_mins(20));
    let again = plan();
    assert_eq!(
        (&again["structuredContent"]["maintenance_id"], &again["structuredContent"]["replayed"]),
        (&id, &json!(true))
    );
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn other_work_at_the_same_times_is_published() {
    let story = Story::new(EVERYTHING);
    let plan = |title: &str, id: i64| {
        let more = json!({ "title": title, "affected_items": [{ "id": id }] });
        story.schedule("2026-09-22T01:00:00Z", "2026-09-22T02:00:00Z", more)
    };
    plan("Search moves", 113);
    assert_ne!(plan("Certificates of the gateway", 102)["isError"], true);
    assert_eq!(story.app.take_posts(), 2);
}

#[test]
fn a_connection_that_may_not_read_incidents_does_not_hear_of_them() {
    let story = Story::new("mcp.maintenances.write");
    let items = json!({ "affected_items": [{ "id": 101 }, { "id": 102 }, { "id": 106 }] });
    let done = story.schedule("2030-01-31T22:00:00Z", "2030-01-31T23:00:00Z", items);
    assert!(done["isError"] != true && !text(&done).contains("incident"), "{done}");
    assert!(!story.app.upstream.take_calls().iter().any(|call| call.contains("/incidents")));
}

#[test]
fn impossible_window_is_refused_and_unusual_one_warns() {
    let story = Story::new(EVERYTHING);
    let schedule = |start: i64, end: i64| {
        let text = |hours: i64| Timestamp::from_seconds(story.app.now().as_seconds() + hours * 3600).to_string();
        story.schedule(&text(start), &text(end), json!({}))
    };
    for (start, end) in [(5, 5), (5, 4), (-5, -4), (5, 9000)] {
        let refused = schedule(start, end);
        assert!(
            refused["isError"] == true && text(&refused).contains("Nothing was published"),
            "{start} {end}: {refused}"
        );
    }
    assert_eq!(story.app.take_posts(), 0);
    let odd = schedule(-1, 100);
    assert!(text(&odd).contains("UTC") && text(&odd).contains("Warning: `starts_at` is in the past"), "{odd}");
    assert_eq!(story.app.take_posts(), 1);
}
