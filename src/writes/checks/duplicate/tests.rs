//! Open incidents and recent updates beside a write, and what is said to match.

use super::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn time(minutes_ago: i64) -> String {
    jiff::Timestamp::from_second(NOW.as_seconds() - minutes_ago * 60).expect("a time").to_string()
}

/// The matches of an open incident with a new one, each as the rest of a sentence.
fn matches(open: &Value, body: Value) -> Vec<String> {
    let mut entry = json!({ "id": 9, "title": "Delayed mails", "started_at": time(1500), "affected_items": [] });
    entry.as_object_mut().expect("an object").extend(open.as_object().expect("an object").clone());
    let hierarchy = json!({ "items": [
        { "id": 1, "slug": "api", "name": "API", "parent_id": null },
        { "id": 2, "slug": "eu", "name": "API Europe", "parent_id": 1 },
        { "id": 3, "slug": "fra", "name": "Frankfurt", "parent_id": 2 },
        { "id": 4, "slug": "web", "name": "Website", "parent_id": null },
    ] });
    let found = find(&json!({ "items": [entry] }), Some(&hierarchy), &Write::new(Operation::CreateIncident, body), NOW);
    found.into_iter().flat_map(|similar| similar.matches).collect()
}

#[test]
fn component_is_found_by_any_of_its_names_however_old_the_incident_is() {
    let open = json!({ "affected_items": [{ "id": 1, "external_id": "gateway", "slug": "api", "name": "API" }] });
    for named in [json!({ "id": 1 }), json!({ "external_id": "gateway" }), json!({ "slug": "api" })] {
        assert_eq!(matches(&open, json!({ "affected_items": [named] })), ["affects the same component (\"API\")"]);
    }
    for named in [json!({ "id": 4 }), json!({ "external_id": "api" }), json!({})] {
        assert_eq!(matches(&open, json!({ "affected_items": [named] })), [""; 0]);
    }
}

#[test]
fn component_above_or_below_is_found_and_a_neighbor_is_not() {
    let europe = json!({ "affected_items": [{ "id": 2, "slug": "eu", "name": "API Europe" }] });
    let with = |named: Value| matches(&europe, json!({ "affected_items": [named] }));
    assert_eq!(with(json!({ "id": 1 })), ["affects \"API Europe\", a part of \"API\""]);
    assert_eq!(with(json!({ "slug": "fra" })), ["affects \"API Europe\", of which \"Frankfurt\" is a part"]);
    assert_eq!(with(json!({ "slug": "web" })), [""; 0]);
}

#[test]
fn title_and_words_are_compared_without_case_and_spacing() {
    let open = json!({ "affected_items_freetext": "Public API" });
    assert_eq!(
        matches(&open, json!({ "affected_items_freetext": " public  API" })),
        ["affects the same in its own words"]
    );
    assert_eq!(matches(&open, json!({ "title": "Delayed mails" })), ["has the same title"]);
    assert_eq!(matches(&open, json!({ "title": "mails delayed " })), ["has nearly the same title"]);
    assert_eq!(matches(&open, json!({ "title": "Delayed reports", "affected_items_freetext": "Web" })), [""; 0]);
}

#[test]
fn possible_duplicate_says_its_age_and_what_matches() {
    let entry =
        json!({ "id": 9, "title": "Slow", "started_at": time(73), "affected_items": [{ "id": 1, "name": "API" }] });
    let write = Write::new(Operation::CreateIncident, json!({ "title": "slow", "affected_items": [{ "id": 1 }] }));
    let found = find(&json!([entry]), None, &write, NOW);
    let words = "incident 9 (\"Slow\", opened 73 minutes ago) affects the same component (\"API\") and has nearly the same title";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [words]);
    let update = Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, json!({ "title": "Slow" }));
    assert_eq!(find(&json!([entry]), None, &update, NOW), []);
}

#[test]
fn near_equal_update_within_minutes_is_found_and_an_identical_or_older_one_is_not() {
    let document = json!({ "updates": [
        { "id": 5, "message": "About 50 % of requests fail.", "created_at": time(3) },
        { "id": 4, "message": "Searches are slow.", "created_at": time(40) },
    ] });
    let found = |message: &str| -> Vec<String> {
        let write = Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, json!({ "message": message }));
        find_updates(&document, &write, NOW).iter().map(ToString::to_string).collect()
    };
    let words = "update 5 (\"About 50 % of requests fail.\", published 3 minutes ago) says nearly the same";
    assert_eq!(found("About 50 percent of requests fail."), [words]);
    assert_eq!(found("About 50 % of requests fail. "), [words]);
    assert_eq!(found("About 50 % of requests fail."), [""; 0], "a repetition");
    assert_eq!(found("About 20 % of requests fail."), [""; 0]);
    assert_eq!(found("searches are slow"), [""; 0], "long ago");
}
