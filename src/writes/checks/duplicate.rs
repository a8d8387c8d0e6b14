//! The duplicate guard: an incident that was opened a moment ago on the same components is probably the same one.
//!
//! It asks before it lets a second one be opened. It is advice to a model, not a lock: two sessions that open incidents
//! at the very same moment both pass.

use crate::catalog::Write;
use crate::model::operation::Operation;
use crate::model::timestamp::Timestamp;
use crate::model::visible;
use crate::upstream::{ApiErrorKind, PageClient};
use crate::writes::outcome::{PossibleDuplicate, WriteError};
use serde_json::Value;
use std::time::Duration;

/// Age up to which an incident counts as a possible duplicate.
const RECENT: Duration = Duration::from_mins(30);
/// The list of active incidents, relative to the admin root.
pub const READ: &str = "incidents?status=active&limit=50";

/// Returns whether a write opens an incident that could have been opened already.
pub fn applies_to(write: &Write) -> bool {
    write.operation == Operation::CreateIncident && names_something(write)
}

/// Returns whether a write names what is affected.
pub fn names_something(write: &Write) -> bool {
    !items(&write.body).is_empty() || freetext(&write.body).is_some()
}

/// Refuses a write that looks like an incident of the page, unless it is one of the `shown` or the write itself. Whoever may
/// write but not read cannot be told what is there already; StatiBeat lets them write all the same.
pub async fn check(
    api: &PageClient<'_>,
    write: &Write,
    external_id: &str,
    shown: &[i64],
    now: Timestamp,
) -> Result<(), WriteError> {
    if !applies_to(write) {
        return Ok(());
    }
    let active = match api.get(READ).await {
        Err(error) if error.kind == ApiErrorKind::Forbidden => return Ok(()),
        answer => answer.map_err(WriteError::Unchecked)?,
    };
    let mut found = find(&active, write, now);
    found.retain(|incident| !shown.contains(&incident.id) && incident.external_id.as_deref() != Some(external_id));
    if found.is_empty() { Ok(()) } else { Err(WriteError::PossibleDuplicates(found)) }
}

/// The recent ones among the active incidents that touch what this write touches, newest first.
pub fn find(active: &Value, write: &Write, now: Timestamp) -> Vec<PossibleDuplicate> {
    let entries = active.get("items").unwrap_or(active).as_array().map(Vec::as_slice).unwrap_or_default();
    let overlapping = entries.iter().filter(|entry| overlaps(entry, &write.body));
    let mut found: Vec<PossibleDuplicate> = overlapping.filter_map(|entry| read(entry, now)).collect();
    found.sort_by_key(|similar| (similar.age, similar.id));
    found
}

fn read(entry: &Value, now: Timestamp) -> Option<PossibleDuplicate> {
    let started_at: jiff::Timestamp = entry.get("started_at")?.as_str()?.parse().ok()?;
    let age = now.since(Timestamp::from_seconds(started_at.as_second()));
    let title = entry.get("title").and_then(Value::as_str).map(|title| visible::line(title, 200)).unwrap_or_default();
    let external_id = entry.get("external_id").and_then(Value::as_str).map(str::to_owned);
    (age <= RECENT).then_some(PossibleDuplicate { id: entry.get("id")?.as_i64()?, title, age, external_id })
}

/// Returns whether something on the page touches what a body touches.
pub fn overlaps(entry: &Value, body: &Value) -> bool {
    let shares_item = items(body).iter().any(|named| items(entry).iter().any(|known| is_same_item(named, known)));
    shares_item || freetext(body).is_some_and(|text| freetext(entry).as_ref() == Some(&text))
}

/// A write names a component by one of three names; an incident lists all of them.
pub fn is_same_item(named: &Value, known: &Value) -> bool {
    ["id", "external_id", "slug"].iter().any(|name| named.get(name).is_some_and(|value| known.get(name) == Some(value)))
}

fn items(of: &Value) -> &[Value] {
    of.get("affected_items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn freetext(of: &Value) -> Option<String> {
    let text = of.get("affected_items_freetext")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()).filter(|text| !text.is_empty())
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "a table reads best with `json!(…)` in the call")]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ids(affected: Value, freetext: Value, body: Value, minutes_ago: i64) -> Vec<i64> {
        let started_at = jiff::Timestamp::from_second(NOW.as_seconds() - minutes_ago * 60).expect("a time").to_string();
        let entry = json!({
            "id": 9, "title": "T", "started_at": started_at,
            "affected_items": affected, "affected_items_freetext": freetext,
        });
        let write = Write::new(Operation::CreateIncident, body);
        find(&json!({ "items": [entry] }), &write, NOW).iter().map(|similar| similar.id).collect()
    }

    #[test]
    fn the_same_component_by_any_of_its_names_is_found() {
        let known = || json!([{ "id": 1, "external_id": "api", "slug": "public-api", "name": "API" }]);
        for name in [json!({ "id": 1 }), json!({ "external_id": "api" }), json!({ "slug": "public-api" })] {
            assert_eq!(ids(known(), Value::Null, json!({ "affected_items": [name] }), 6), [9]);
        }
        for name in [json!({ "id": 2 }), json!({ "external_id": "public-api" }), json!({})] {
            assert_eq!(ids(known(), Value::Null, json!({ "affected_items": [name] }), 6), Vec::<i64>::new());
        }
    }

    #[test]
    fn words_are_compared_without_case_and_spacing() {
        let body = json!({ "affected_items_freetext": " public  API" });
        assert_eq!(ids(json!([]), json!("Public API"), body.clone(), 6), [9]);
        assert_eq!(ids(json!([]), Value::Null, body, 6), Vec::<i64>::new());
    }

    #[test]
    fn only_the_last_thirty_minutes_count() {
        let body = || json!({ "affected_items_freetext": "API" });
        assert_eq!(ids(json!([]), json!("API"), body(), 30), [9]);
        assert_eq!(ids(json!([]), json!("API"), body(), 31), Vec::<i64>::new());
        assert_eq!(ids(json!([]), json!("API"), body(), -1), [9], "a clock that is a little ahead");
    }

    #[test]
    fn only_an_incident_that_names_something_is_looked_for() {
        let applies = |operation, body: Value| applies_to(&Write::new(operation, body));
        assert!(applies(Operation::CreateIncident, json!({ "affected_items": [{ "id": 1 }] })));
        assert!(!applies(Operation::CreateIncident, json!({ "affected_items": [] })));
        assert!(!applies(Operation::AddIncidentUpdate { incident_id: 9 }, json!({ "affected_items": [{ "id": 1 }] })));
        assert!(!applies(Operation::ScheduleMaintenance, json!({ "affected_items": [{ "id": 1 }] })));
    }
}
