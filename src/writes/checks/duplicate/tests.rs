//! Open incidents and recent updates beside a write, and what is said to match.

use super::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn time(minutes_ago: i64) -> String {
    jiff::Timestamp::from_second(NOW.as_seconds() - minutes_ago * 60).expect("a time").to_string()
}

/// The effect of a new incident on these components of a small page, beside the open incidents.
fn effect(named: &[i64], open: &Value) -> WriteEffect {
    let tree: [(i64, &str, &[i64]); 4] =
        [(1, "API", &[]), (2, "API Europe", &[1]), (3, "Frankfurt", &[1, 2]), (4, "Website", &[])];
    let state = json!({ "status": "operational", "under_maintenance": false });
    let component = |(id, name, _): &(i64, &str, &[i64])| json!({ "id": id, "name": name, "path": [], "affected": "added", "before": state, "after": state });
    let components: Vec<Value> = tree.iter().filter(|(id, ..)| named.contains(id)).map(component).collect();
    let ancestors: Vec<Value> = tree.iter().map(|(id, _, above)| json!({ "id": id, "ancestor_ids": above })).collect();
    let effect = json!({
        "already_exists": false, "target_name": null, "before": null, "after": null, "components": components,
        "ancestors": ancestors, "notifies": true, "recipients": null,
        "page": { "visibility": "public", "time_zone": "UTC" }, "related": open,
    });
    WriteEffect::parse(effect).expect("an effect")
}

fn create(body: Value) -> Write {
    Write::new(Operation::CreateIncident, body)
}

/// The matches of an open incident with a new one on these components, each as the rest of a sentence.
fn matches(open: &Value, named: &[i64], body: Value) -> Vec<String> {
    let mut entry = json!({ "id": 9, "title": "Delayed mails", "started_at": time(1500), "affected_items": [] });
    entry.as_object_mut().expect("an object").extend(open.as_object().expect("an object").clone());
    let found = find(&effect(named, &json!([entry])), &create(body), NOW);
    found.into_iter().flat_map(|similar| similar.matches).collect()
}

#[test]
fn same_component_is_found_however_old_the_incident_is() {
    let open = json!({ "affected_items": [{ "id": 1, "name": "API" }] });
    assert_eq!(matches(&open, &[4, 1], json!({})), ["affects the same component (\"API\")"]);
    assert_eq!(matches(&open, &[4], json!({})), [""; 0]);
}

#[test]
fn component_above_or_below_is_found_and_a_neighbor_is_not() {
    let europe = json!({ "affected_items": [{ "id": 2, "name": "API Europe" }] });
    let with = |named: i64| matches(&europe, &[named], json!({}));
    assert_eq!(with(1), ["affects \"API Europe\", a part of \"API\""]);
    assert_eq!(with(3), ["affects \"API Europe\", of which \"Frankfurt\" is a part"]);
    assert_eq!(with(4), [""; 0]);
}

#[test]
fn title_and_words_are_compared_without_case_and_spacing() {
    let open = json!({ "affected_items_freetext": "Public API" });
    assert_eq!(
        matches(&open, &[], json!({ "affected_items_freetext": " public  ＡＰＩ" })),
        ["names the same in affected_items_freetext"]
    );
    assert_eq!(matches(&open, &[], json!({ "title": "Delayed mails" })), ["has the same title"]);
    assert_eq!(matches(&open, &[], json!({ "title": "mails delayed " })), ["has nearly the same title"]);
    let cafe = json!({ "title": "Café down", "affected_items_freetext": "Café" });
    let decomposed = json!({ "title": "Cafe\u{301} down", "affected_items_freetext": "Cafe\u{301}" });
    assert_eq!(
        matches(&cafe, &[], decomposed),
        ["names the same in affected_items_freetext", "has nearly the same title"]
    );
    assert_eq!(matches(&open, &[], json!({ "title": "Delayed reports", "affected_items_freetext": "Web" })), [""; 0]);
}

#[test]
fn possible_duplicate_says_its_age_and_what_matches() {
    let entry =
        json!({ "id": 9, "title": "Slow", "started_at": time(73), "affected_items": [{ "id": 1, "name": "API" }] });
    let effect = effect(&[1], &json!([entry]));
    let found = find(&effect, &create(json!({ "title": "slow", "affected_items": [{ "slug": "api" }] })), NOW);
    let words = "incident 9 (\"Slow\", opened 73 minutes ago) affects the same component (\"API\") and has nearly the same title";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [words]);
    let update = Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, json!({ "title": "Slow" }));
    assert_eq!(find(&effect, &update, NOW), []);
}

#[test]
fn near_equal_or_identical_update_within_minutes_is_found_and_an_older_one_is_not() {
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
    let same = "update 5 (\"About 50 % of requests fail.\", published 3 minutes ago) says the same";
    assert_eq!(found("About 50 % of requests fail."), [same], "with other arguments, or it would be a repetition");
    assert_eq!(found("About 20 % of requests fail."), [""; 0]);
    assert_eq!(found("searches are slow"), [""; 0], "long ago");
}
