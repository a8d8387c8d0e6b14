//! Contents that a job needs: a Beat over time, an incident beside the status of its components, what is not operational, figures
//! with their meaning, and an overview made of the parts that a connection and a role may read.

use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Value, json};

fn connect() -> (TestApp, String) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    (app, token)
}

fn list<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    body[name].as_array().unwrap_or_else(|| panic!("{name}: {body}"))
}

#[test]
fn beat_says_what_it_checks_since_when_and_how_it_got_there() {
    let (app, token) = connect();
    let body = app.read(&token, "statibeat://pages/42/beats/501");
    let beat = &body["beat"];
    for name in ["interval_seconds", "target", "thresholds", "stage_since", "description"] {
        assert!(!beat[name].is_null(), "{name}: {beat}");
    }
    assert!(beat["public_post_mode_means"].as_str().is_some_and(|text| text.contains("approves")), "{beat}");
    let changes = list(beat, "stage_changes");
    assert_eq!((&changes[0]["stage"], &changes[0]["changed_at"]), (&json!("critical"), &beat["stage_since"]));
    let recovery = changes.iter().find(|change| change["stage"] == "healthy").expect("a recovery");
    assert!(recovery["lasted_minutes"].as_i64().is_some_and(|minutes| minutes > 700), "{recovery}");
    assert!(list(&body, "components")[0].as_str().is_some_and(|line| line.starts_with("102 API")), "{body}");
    assert_eq!(list(&body, "open_incidents_on_its_components")[0]["id"], 1001);
    let others = list(&body, "other_beats_that_failed_in_the_same_minutes");
    assert!(!others.is_empty() && others.iter().all(|one| one["beat_id"] != 501), "{others:?}");
    let text = body.to_string();
    assert!(!text.contains("never-show-this") && !text.contains("configuration"), "{text}");
    assert!(!text.contains("evidence_summary") && !text.contains("IGNORE ALL"), "evidence of other Beats: {text}");
}

#[test]
fn events_between_two_times_are_those_and_no_others() {
    let (app, token) = connect();
    let uri = "statibeat://pages/42/beats/501/events";
    let all = app.read(&token, uri);
    let times: Vec<&str> = list(&all, "events").iter().filter_map(|event| event["created_at"].as_str()).collect();
    let (newest, oldest) = (times[0], times[times.len() - 1]);
    let within = app.read(&token, &format!("{uri}?from={oldest}&to={newest}"));
    assert_eq!(list(&within, "events").len(), times.len() - 1, "up to the newest, without it");
    let encoded = oldest.replace(':', "%3A");
    let shifted = oldest.replace('Z', "+00:00");
    for from in [encoded.as_str(), &shifted, &shifted.replace('+', "%2B")] {
        assert_eq!(list(&app.read(&token, &format!("{uri}?from={from}")), "events").len(), times.len(), "{from}");
    }
    for wrong in ["from=yesterday", "from=2026-11-28", "from=2026-11-28T10:00:00Z&to=2026-11-28T10:00:00Z"] {
        let answer = json(&app.call(&token, "resources/read", json!({ "uri": format!("{uri}?{wrong}") })));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[test]
fn incident_shows_the_status_of_its_components_now_and_the_beats_on_them() {
    let (app, token) = connect();
    let body = app.read(&token, "statibeat://pages/42/incidents/1001");
    assert!(list(&body["incident"], "affected_items").iter().all(|item| item["current_status"] == "partial_outage"));
    assert!(body["incident"]["admin_url"].is_string() && body["incident"]["minutes_since_update"].is_i64());
    let beats = list(&body, "beats_on_components");
    assert!(beats.iter().any(|beat| beat["id"] == 501 && beat["stage_since"].is_string()), "{beats:?}");
    let narrow = app.connect(user::MARA_ADMIN, "mcp.incidents.read").access;
    let body = app.read(&narrow, "statibeat://pages/42/incidents/1001");
    assert!(
        body["missing"]["beats_on_components"].as_str().is_some_and(|text| text.contains("mcp.beats.read")),
        "{body}"
    );
}

#[test]
fn resolved_incidents_have_a_duration_and_can_be_asked_for_by_component() {
    let (app, token) = connect();
    let uri = "statibeat://pages/42/incidents/resolved";
    let all = app.read(&token, uri);
    assert!(list(&all, "incidents").iter().all(|one| one["duration_minutes"].is_i64()), "{all}");
    let item = &list(&all, "incidents").iter().find(|one| one["affected_items"][0]["id"].is_i64()).expect("one")["affected_items"]
        [0];
    let some = app.read(&token, &format!("{uri}?item_id={}", item["id"]));
    let count = list(&some, "incidents").len();
    assert!(count > 0 && count < list(&all, "incidents").len(), "{some}");
    assert!(list(&app.read(&token, &format!("{uri}?item_id=999999")), "incidents").is_empty());
}

#[test]
fn hierarchy_of_what_is_not_operational_has_nothing_else_but_what_is_above_it() {
    fn lowest(item: &Value, found: &mut Vec<Value>) {
        match item["children"].as_array() {
            Some(children) => children.iter().for_each(|child| lowest(child, found)),
            None => found.push(item["status"].clone()),
        }
    }
    let (app, token) = connect();
    let body = app.read(&token, "statibeat://pages/42/hierarchy?not_operational=true");
    let mut found = Vec::new();
    for item in list(&body, "tree") {
        lowest(item, &mut found);
    }
    assert!(!found.is_empty() && found.iter().all(|status| status != "operational"), "{body}");
    let whole = app.read(&token, "statibeat://pages/42/hierarchy");
    assert!(body.to_string().len() < whole.to_string().len() / 2);
}

#[test]
fn analytics_say_what_each_figure_means_and_promise_no_visitors_of_the_window() {
    let (app, token) = connect();
    let body = app.read(&token, "statibeat://pages/42/analytics/summary?window_days=7");
    let analytics = &body["analytics"];
    assert!(analytics["delivery"]["subscribers_notified"].is_u64(), "{analytics}");
    assert_eq!(analytics["day_time_zone"], "UTC");
    assert!(analytics["traffic"].get("estimated_unique_visitors").is_none(), "{analytics}");
    assert!(analytics["traffic"]["sum_of_daily_visitors"].is_u64());
    for figure in ["subscribers_notified", "sum_of_daily_visitors", "daily"] {
        assert!(body["meanings"][figure].is_string(), "{figure}: {body}");
    }
}

/// The parts of the overview with the scope that each needs.
const OVERVIEW: [(&str, &str, &str); 6] = [
    ("incidents", "open_incidents", "mcp.incidents.read"),
    ("components", "not_operational", "mcp.pages.read"),
    ("maintenances_running", "maintenances_running", "mcp.maintenances.read"),
    ("maintenances_upcoming", "maintenances_upcoming", "mcp.maintenances.read"),
    ("beats", "unhealthy_beats", "mcp.beats.read"),
    ("pending_actions", "waiting_for_a_person", "mcp.beats.read"),
];

#[test]
fn overview_part_without_its_scope_is_absent_with_a_reason() {
    let app = TestApp::new();
    for scopes in [EVERYTHING, "mcp.pages.read", "mcp.pages.read mcp.beats.read", "mcp.pages.read mcp.incidents.read"] {
        let token = app.connect(user::MARA_ADMIN, scopes).access;
        let body = app.read(&token, "statibeat://overview");
        for page in list(&body, "pages") {
            for (_, part, scope) in OVERVIEW {
                let is_granted = scopes.split(' ').any(|one| one == scope);
                assert_eq!(page[part].is_array(), is_granted, "{part} with {scopes}: {page}");
                let reason = page["missing"][part].as_str();
                assert_eq!(
                    reason.is_some_and(|reason| reason.contains(scope)),
                    !is_granted,
                    "{part} with {scopes}: {page}"
                );
            }
        }
    }
}

#[test]
fn overview_part_without_its_role_is_absent_with_a_reason() {
    let app = TestApp::new();
    let token = app.connect(user::INES_VIEWER, EVERYTHING).access;
    app.upstream.take_calls();
    let body = app.read(&token, "statibeat://overview");
    let calls = app.upstream.take_calls();
    for page in list(&body, "pages") {
        for (_, part, _) in OVERVIEW {
            let is_allowed = part != "waiting_for_a_person";
            assert_eq!(page[part].is_array(), is_allowed, "{part}: {page}");
            assert_eq!(page["missing"][part].as_str().is_some_and(|why| why.contains("role")), !is_allowed, "{page}");
        }
    }
    assert!(calls.iter().all(|call| !call.contains("beats/actions")), "{calls:?}");
}
