//! Warnings about updates that contradict their incident or maintenance, the same in a preview and in the result of the write.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use serde_json::{Value, json};

/// The warnings of the preview, which are those of the result as well.
#[track_caller]
fn warnings(tool: &str, mut arguments: Value) -> String {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    arguments["page_id"] = json!(42);
    let mut preview = arguments.clone();
    preview["preview"] = json!(true);
    let shown = app.call_tool(&token, tool, &preview)["structuredContent"]["warnings"].clone();
    let published = app.call_tool(&token, tool, &arguments);
    assert_ne!(published["isError"], true, "{published}");
    let listed = |warnings: &Value| {
        let mut listed: Vec<String> = warnings
            .as_array()
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect();
        listed.sort();
        listed.join("\n")
    };
    let (shown, told) = (listed(&shown), listed(&published["structuredContent"]["warnings"]));
    assert_eq!(shown, told, "{published}");
    told
}

const ADMIN_URL: &str = "/admin/pages/42/";

#[test]
fn stage_that_goes_back_is_warned_about() {
    let back = json!({ "incident_id": 1001, "message": "We look again.", "lifecycle_stage_id": 1 });
    assert!(
        warnings("add_incident_update", back).contains("the stage goes back from \"Identified\" to \"Investigating\"")
    );
    let onward = json!({ "incident_id": 1001, "message": "We watch it.", "lifecycle_stage_id": 3 });
    assert_eq!(warnings("add_incident_update", onward), "");
}

#[test]
fn window_that_is_made_active_early_is_warned_about_with_the_admin_url() {
    let early = json!({ "maintenance_id": 2002, "message": "We begin.", "lifecycle_stage_id": 12 });
    let told = warnings("add_maintenance_update", early);
    assert!(told.contains("becomes active now") && told.contains(&format!("{ADMIN_URL}maintenances/2002")), "{told}");
}

#[test]
fn clock_times_outside_the_window_are_warned_about_with_the_admin_url() {
    let moved = json!({ "maintenance_id": 2001, "message": "Moved to 13:07 to 13:09." });
    let told = warnings("add_maintenance_update", moved);
    assert!(told.contains("the text says \"13:07 to 13:09\", but the window is from"), "{told}");
    assert!(told.contains("only a person can move the window at http"), "{told}");
    let planned = json!({
        "title": "Database work", "description": "We work from 03:00 to 05:00 UTC.",
        "starts_at": "2026-10-02T13:00:00Z", "ends_at": "2026-10-02T14:00:00Z",
    });
    let told = warnings("schedule_maintenance", planned);
    assert_eq!(told.matches("the text says \"03:00 to 05:00 UTC\"").count(), 1, "{told}");
}

#[test]
fn claim_of_a_resolution_names_who_resolves_and_where() {
    let over = json!({ "incident_id": 1001, "message": "This incident has been resolved." });
    let told = warnings("add_incident_update", over);
    assert!(told.contains("this call leaves it open"), "{told}");
    assert!(told.contains("only a person can resolve it at http"), "{told}");
    assert!(told.contains(&format!("{ADMIN_URL}incidents/1001")), "{told}");
}

#[test]
fn claim_that_a_maintenance_is_over_names_who_ends_it_and_where() {
    for (maintenance_id, state) in [(2001, "active"), (2002, "upcoming")] {
        let over = json!({ "maintenance_id": maintenance_id, "message": "The maintenance is complete." });
        let told = warnings("add_maintenance_update", over);
        assert!(told.contains("this call leaves it open"), "{told}");
        assert!(
            told.contains(&format!("the maintenance stays {state}; only a person can complete or cancel it at http"))
        );
        assert!(told.contains(&format!("{ADMIN_URL}maintenances/{maintenance_id}")), "{told}");
    }
}

#[test]
fn components_that_leave_the_incident_are_warned_about() {
    let fewer = json!({ "incident_id": 1001, "message": "Fewer.", "remove_affected_items": [{ "id": 102 }] });
    assert!(warnings("add_incident_update", fewer).contains("removes 1 of"));
}
