//! Previews that cannot lie: what one shows is what publishing then does, and what cannot be published gets none.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new() -> Self {
        let app = TestApp::new();
        let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
        app.upstream.take_calls();
        Self { app, token }
    }

    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let mut arguments = arguments.clone();
        arguments["page_id"] = json!(42);
        self.app.call_tool(&self.token, tool, &arguments)
    }

    fn preview(&self, tool: &str, arguments: &Value) -> Value {
        let mut arguments = arguments.clone();
        arguments["preview"] = json!(true);
        self.call(tool, &arguments)
    }

    /// The page's components, each with the state that the page shows.
    fn states(&self) -> BTreeMap<i64, String> {
        let connection = statibeat(&self.app);
        let items = connection("hierarchy/items");
        let state = |item: &Value| {
            let is_in_maintenance = item["under_maintenance"] == true;
            let state =
                if is_in_maintenance { "under_maintenance" } else { item["status"].as_str().expect("a status") };
            (item["id"].as_i64().expect("an id"), state.to_owned())
        };
        items["items"].as_array().expect("items").iter().map(state).collect()
    }
}

/// Reads below page 42's admin root, past our own code.
fn statibeat(app: &TestApp) -> impl Fn(&str) -> Value + '_ {
    |path| {
        let url = format!("{}/api/v1/admin/{path}", crate::support::UPSTREAM_URL);
        let request = http::Request::get(url)
            .header("host", "status.northwind.example")
            .header("authorization", "Bearer sb_demo_admin_42")
            .body(bytes::Bytes::new())
            .expect("a request");
        match app.upstream.simulator.exchange(&request, app.upstream.now.get()) {
            crate::support::simulator::Outcome::Answered { response, .. } => {
                serde_json::from_slice(response.body()).expect("JSON")
            }
            crate::support::simulator::Outcome::Dropped { .. } => panic!("no fault is planned"),
        }
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("text")
}

fn update(more: Value) -> Value {
    let mut arguments = json!({ "incident_id": 1001, "message": "Webhooks are affected too." });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

fn incident(more: Value) -> Value {
    let mut arguments = json!({ "title": "Slow", "description": "It is slow." });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

#[track_caller]
fn has_lines(result: &Value, lines: &[&str]) {
    let shown: Vec<&str> = text(result).lines().collect();
    for line in lines {
        assert!(shown.contains(line), "no {line:?} in {}", text(result));
    }
}

#[test]
fn preview_of_an_update_begins_with_its_incident_and_says_what_changes() {
    let story = Story::new();
    let arguments = update(json!({ "lifecycle_stage_id": 3, "add_affected_items": [{ "id": 104 }] }));
    let shown = story.preview("add_incident_update", &arguments);
    let first = "Update to incident 1001 \"API gateway errors in Europe\" (Identified → Monitoring) on \"Northwind Cloud Status\". \
        The incident stays open.";
    assert!(text(&shown).starts_with(first), "{}", text(&shown));
    let lines = [
        "Status: partial outage (unchanged)",
        "- API Gateway, Authentication: stay partial outage",
        "- Webhooks: operational → partial outage (added)",
        "message: \"Webhooks are affected too.\"",
    ];
    has_lines(&shown, &lines);
    assert!(!text(&shown).contains("Warning"), "{}", text(&shown));
    let preview = &shown["structuredContent"]["preview"];
    let target = json!({
        "kind": "incident", "id": 1001, "title": "API gateway errors in Europe",
        "state": { "before": "active", "after": "active" },
        "stage": { "before": "Identified", "after": "Monitoring" },
        "status": { "before": "partial_outage", "after": "partial_outage" },
    });
    assert_eq!(preview["target"], target);
    assert_eq!((&preview["visibility"], &preview["notifies"]), (&json!("public"), &json!(true)));
    let recipients = &preview["recipients"];
    assert!(text(&shown).contains(&format!("{} subscribers would be notified: email", recipients["subscribers"])));
}

#[test]
fn component_that_leaves_an_incident_is_shown_and_warned_about() {
    let story = Story::new();
    let arguments = update(json!({ "remove_affected_items": [{ "id": 102 }, { "id": 103 }] }));
    let shown = story.preview("add_incident_update", &arguments);
    has_lines(
        &shown,
        &[
            "- API Gateway, Authentication: partial outage → operational (leave the incident)",
            "Warning: this call removes 2 of 2 components from the incident: API Gateway, Authentication.",
        ],
    );
}

#[test]
fn default_status_of_a_new_incident_is_shown() {
    let story = Story::new();
    let shown = story.preview("create_incident", &incident(json!({ "affected_items": [{ "id": 113 }] })));
    has_lines(&shown, &["Status: degraded (default)", "- Search: operational → degraded (added)"]);
    let chosen = story.preview("create_incident", &incident(json!({ "status": "major_outage" })));
    has_lines(&chosen, &["Status: major outage"]);
    let changed = story.preview("add_incident_update", &update(json!({ "status": "major_outage" })));
    has_lines(&changed, &["Status: partial outage → major outage"]);
    let without = story.preview("create_incident", &incident(json!({})));
    has_lines(&without, &["Components: none; every component stays as it is."]);
}

#[test]
fn window_is_shown_with_weekdays_on_the_pages_clocks() {
    let story = Story::new();
    let window = json!({
        "title": "Move", "description": "We move.", "affected_items": [{ "id": 113 }],
        "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:30:00Z",
    });
    let shown = story.preview("schedule_maintenance", &window);
    assert!(
        text(&shown).contains("from Thu 2030-01-31 23:00 +01:00 to Fri 2030-02-01 00:30 +01:00"),
        "{}",
        text(&shown)
    );
    has_lines(&shown, &["Components now; under maintenance during the window:", "- Search: stays operational (added)"]);
}

#[test]
fn update_that_statibeat_adds_by_itself_is_shown_as_such() {
    let story = Story::new();
    let back = json!({ "maintenance_id": 2001, "message": "We go on.", "lifecycle_stage_id": 11 });
    let begun = story.preview("add_maintenance_update", &back);
    has_lines(&begun, &["StatiBeat then publishes by itself: \"Maintenance has started.\""]);
}

#[test]
fn preview_costs_one_request_beside_what_decides_access() {
    let story = Story::new();
    let window = json!({
        "title": "Move", "description": "We move.", "affected_items": [{ "id": 113 }],
        "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:30:00Z",
    });
    for (tool, arguments, path) in [
        ("create_incident", incident(json!({ "affected_items": [{ "id": 113 }], "status": "degraded" })), "incidents"),
        ("add_incident_update", update(json!({ "lifecycle_stage_id": 3 })), "incidents/1001/updates"),
        ("schedule_maintenance", window, "maintenances"),
    ] {
        story.app.upstream.take_calls();
        assert_ne!(story.preview(tool, &arguments)["isError"], true, "{tool}");
        let dry_run = format!("POST /api/v1/orgs/7/pages/42/admin/{path}?dry_run=true");
        assert_eq!(story.app.upstream.take_calls(), ["GET /api/v1/me/pages".to_owned(), dry_run], "{tool}");
    }
}

#[test]
fn long_text_is_shortened_for_the_model_that_wrote_it() {
    let story = Story::new();
    let long = "It is slow. ".repeat(1000);
    let shown = story.preview("create_incident", &incident(json!({ "description": long })));
    assert!(shown.to_string().len() < 8000, "{} bytes", shown.to_string().len());
    assert!(text(&shown).contains("more characters]"), "{}", text(&shown));
}

/// No confirm token, an error, and words that say how to go on.
#[track_caller]
fn refused(story: &Story, tool: &str, arguments: &Value, words: &str) {
    let shown = story.preview(tool, arguments);
    assert!(shown["isError"] == true && text(&shown).contains(words), "{words}: {shown}");
    assert!(text(&shown).contains("othing was published"), "{shown}");
    assert!(!shown.to_string().contains("confirm\""), "{shown}");
    let published = story.call(tool, arguments);
    assert_eq!(published["isError"], true, "it could not be published either: {published}");
}

#[test]
fn unpublishable_preview_gets_an_error_and_no_confirm_token() {
    let story = Story::new();
    story.call("create_incident", &incident(json!({ "external_id": "INC-7" })));
    story.call("create_incident", &incident(json!({ "title": "Slower", "idempotency_key": "k" })));
    let message = |id: i64| json!({ "incident_id": id, "message": "Hello." });
    refused(&story, "add_incident_update", &message(999_999), "has no incident 999999 that you can see");
    refused(
        &story,
        "add_maintenance_update",
        &json!({ "maintenance_id": 999_999, "message": "Hello." }),
        "has no maintenance 999999",
    );
    refused(&story, "create_incident", &incident(json!({ "status": "Very Bad" })), "`status` must be one of");
    let unknown = json!({ "affected_items": [{ "slug": "serach" }] });
    refused(&story, "create_incident", &incident(unknown), "(\"Search\")?");
    let added = update(json!({ "add_affected_items": [{ "slug": "serach" }] }));
    refused(&story, "add_incident_update", &added, "(\"Search\")?");
    let other = json!({ "title": "Other", "external_id": "INC-7" });
    refused(&story, "create_incident", &incident(other), "external_id is taken");
    refused(&story, "create_incident", &incident(json!({ "idempotency_key": "k" })), "`title`");
    refused(&story, "add_incident_update", &update(json!({ "lifecycle_stage_id": 4 })), "lifecycle_stage_id");
    let moved = json!({ "incident_id": 1004, "message": "Again.", "lifecycle_stage_id": 2 });
    refused(&story, "add_incident_update", &moved, "resolved");
    assert_eq!(story.app.db.count("SELECT count(*) FROM audit WHERE outcome = 'previewed'"), 0);
}

#[test]
fn preview_of_what_is_published_already_says_so_and_gives_no_confirm_token() {
    let story = Story::new();
    for arguments in [incident(json!({})), incident(json!({ "title": "Slower", "external_id": "INC-7" }))] {
        let made = story.call("create_incident", &arguments);
        let shown = story.preview("create_incident", &arguments);
        let id = &made["structuredContent"]["incident_id"];
        let words = format!("Already published by an earlier call: Created incident {id}");
        assert!(text(&shown).contains(&words) && text(&shown).contains("Nobody is notified again"), "{shown}");
        assert_eq!((&shown["structuredContent"]["replayed"], &shown["isError"]), (&json!(true), &json!(false)));
        assert!(shown["structuredContent"].get("preview").is_none(), "{shown}");
    }
    let elsewhere = Story { token: story.app.connect(user::MARA_ADMIN, EVERYTHING).access, ..story };
    let shown = elsewhere.preview("create_incident", &incident(json!({ "title": "Slower", "external_id": "INC-7" })));
    assert!(text(&shown).contains("Already published by an earlier call: Created incident"), "{shown}");
}

#[test]
fn lost_dry_run_is_asked_again_and_a_lasting_outage_is_an_error() {
    let story = Story::new();
    let path = "/api/v1/orgs/*/pages/*/admin/incidents?dry_run=true";
    story.app.upstream.inject(Some("POST"), path, FaultKind::DropBefore);
    assert!(story.preview("create_incident", &incident(json!({})))["structuredContent"]["preview"].is_object());
    story.app.upstream.inject_times(2, Some("POST"), path, FaultKind::DropBefore);
    let failed = story.preview("create_incident", &incident(json!({})));
    assert!(!failed.to_string().contains("structuredContent"), "{failed}");
}

/// A write, as a model may ask for it.
fn any_write() -> impl Strategy<Value = (&'static str, Value)> {
    let items = || {
        prop::sample::subsequence(vec![101, 102, 103, 104, 106, 112, 113, 114, 122, 133], 0..4)
            .prop_map(|ids| ids.into_iter().map(|id| json!({ "id": id })).collect::<Value>())
    };
    let status = || {
        prop::option::of(prop::sample::select(vec![
            "operational",
            "degraded",
            "partial_outage",
            "major_outage",
            "none",
        ]))
    };
    let create = (items(), status(), any::<u32>()).prop_map(|(items, status, number)| {
        let arguments = json!({
            "title": format!("Trouble {number}"), "description": "It is slow.", "affected_items": items, "status": status,
            "affected_items_freetext": number.is_multiple_of(3).then_some("Reports"),
        });
        ("create_incident", arguments)
    });
    let incident_id = prop::sample::select(vec![1001, 1002, 1003, 1004, 999_999]);
    let stage = || prop::option::of(1..5_i64);
    let update = (incident_id, status(), stage(), items(), items(), any::<u32>()).prop_map(
        |(incident_id, status, stage, added, removed, number)| {
            let arguments = json!({
                "incident_id": incident_id, "message": format!("News {number}."), "status": status,
                "lifecycle_stage_id": stage, "add_affected_items": added, "remove_affected_items": removed,
            });
            ("add_incident_update", arguments)
        },
    );
    let schedule = (items(), 0..100_u64, any::<u32>()).prop_map(|(items, hours, number)| {
        let start = jiff::Timestamp::from_second(crate::support::START).expect("a time");
        let at = |hours: u64| (start + std::time::Duration::from_hours(hours)).to_string();
        let arguments = json!({
            "title": format!("Work {number}"), "description": "We work.", "affected_items": items,
            "starts_at": at(hours), "ends_at": at(hours + 2),
        });
        ("schedule_maintenance", arguments)
    });
    let maintenance_id = prop::sample::select(vec![2001, 2002, 2004]);
    let moved = (maintenance_id, prop::option::of(11..15_i64), any::<u32>()).prop_map(|(maintenance_id, stage, number)| {
        let arguments =
            json!({ "maintenance_id": maintenance_id, "message": format!("News {number}."), "lifecycle_stage_id": stage });
        ("add_maintenance_update", arguments)
    });
    prop_oneof![create, update, schedule, moved]
}

/// Previews a write, publishes it with the confirm token, and holds both against what StatiBeat then shows.
fn check(story: &Story, tool: &str, arguments: &Value) {
    let before = story.states();
    let shown = story.preview(tool, arguments);
    let Some(preview) = shown["structuredContent"].get("preview") else {
        assert_ne!(story.call(tool, arguments)["structuredContent"]["replayed"], false, "it was refused: {shown}");
        return;
    };
    let mut confirmed = arguments.clone();
    confirmed["confirm"] = preview["confirm"].clone();
    let done = story.call(tool, &confirmed);
    assert_eq!(done["structuredContent"]["replayed"], false, "{tool} {arguments}: {done}");
    let after = story.states();
    for (id, state) in &before {
        let components = preview["components"].as_array().expect("components");
        let component = components.iter().find(|component| component["id"] == *id);
        let foretold = component.map_or((state.as_str(), state.as_str()), |component| {
            (component["before"].as_str().expect("text"), component["after"].as_str().expect("text"))
        });
        assert_eq!(foretold, (state.as_str(), after[id].as_str()), "{tool} {arguments}: component {id}: {preview}");
    }
    let made = &done["structuredContent"];
    let target = ["incident", "maintenance"].iter().find_map(|kind| {
        let id = made[format!("{kind}_id")].as_i64()?;
        Some(statibeat(&story.app)(&format!("{kind}s/{id}")))
    });
    let target = target.expect("what was written to");
    let foretold = |name: &str| &preview["target"][name]["after"];
    assert_eq!(
        (foretold("state"), foretold("stage")),
        (&target["state"], &target["lifecycle_stage"]["name"]),
        "{tool}"
    );
    assert_eq!((foretold("status"), &preview["target"]["title"]), (&target["status"], &target["title"]), "{tool}");
    let texts = preview["public_text"].as_object().expect("texts");
    for (name, text) in texts {
        let updates = target["updates"].as_array().expect("updates");
        let is_published = match name.as_str() {
            "message" | "next_message" => updates.iter().any(|update| update["message"] == *text),
            _ => target[name] == *text,
        };
        assert!(is_published, "{tool} {name}: {text}: {target}");
    }
}

/// The number of differences must be 0; `PROPTEST_CASES` plays more.
#[test]
fn random_writes_do_what_their_previews_show() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let stories = prop::collection::vec(any_write(), 1..6);
    let result = TestRunner::new(config).run(&stories, |writes| {
        let story = Story::new();
        for (tool, arguments) in &writes {
            check(&story, tool, arguments);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
