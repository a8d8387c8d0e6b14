//! One Beat: what it checks, since when it is in its stage, how it got there, and what else happens on its components.
//!
//! Its configuration is never shown, only the target without credentials. Of other Beats that failed in the same minutes there
//! are names, stages and times, and not their evidence, which is text from outside about something else.

use super::beats::BEAT;
use super::body::{self, JsonObject, Listing};
use super::composite::{self, OPEN_INCIDENT};
use super::{flat, parts};
use crate::catalog::resource::MISSING;
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, List, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use serde_json::{Value, json};

/// Failures of other Beats within this number of seconds are shown beside the Beat's own.
const SAME_MINUTES: i64 = 15 * 60;
/// Most failures of other Beats.
const OTHERS_MAX: usize = 20;

const DETAIL: &[Shown] = &[
    Text("description", 500, People),
    Plain("interval_seconds"),
    Plain("timeout_ms"),
    Plain("regions"),
    Text("target", 300, People),
    Object("thresholds", &[Text("warning", 200, People), Text("critical", 200, People)]),
    List("stage_changes", 20, &[Plain("stage"), Plain("previous_stage"), Plain("changed_at")]),
];
const FAILURE: &[Shown] =
    &[Plain("beat_id"), Text("beat_name", 100, People), Plain("stage"), Plain("created_at"), Plain("id")];
/// The member that holds lines with names of components.
const LINES: &[Shown] = &[Text("components", 0, People)];

/// The meaning of each mode, for readers who see only the word.
const POST_MODES: [(&str, &str); 3] = [
    ("disabled", "It posts nothing; what it finds is only evidence."),
    ("draft_only", "It drafts posts, which wait until a person approves or rejects them."),
    ("auto_post", "It posts to customers by itself, without a person."),
];

pub fn beat(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [beat, failures] = body::answers(answers)?;
    let mut beat = body::object(beat, "the Beat")?;
    if let Some(target) = beat.get("target").and_then(Value::as_str).map(bare_target) {
        beat.insert("target".to_owned(), json!(target));
    }
    let mut shown_beat = shown::show(BEAT, &beat);
    if let (Value::Object(fields), Value::Object(detail)) = (&mut shown_beat, shown::show(DETAIL, &beat)) {
        fields.extend(detail);
    }
    add_durations(subject, &mut shown_beat);
    let mode = beat.get("public_post_mode").and_then(Value::as_str);
    if let Some((_, meaning)) = POST_MODES.iter().find(|(known, _)| Some(*known) == mode) {
        let group = if beat.get("beat_group_id").is_some_and(Value::is_i64) {
            " It belongs to a group, which posts for its members by its own mode."
        } else {
            ""
        };
        shown_beat["public_post_mode_means"] = json!(format!("{meaning}{group}"));
    }
    let mut result = json!({ "page": body::page(subject)?, "beat": shown_beat });
    add_parts(subject, &beat, &mut result);
    if !failures.is_null() {
        let failures = Listing::read(failures, "the list of Beat failures", None)?.items;
        result["other_beats_that_failed_in_the_same_minutes"] = others(&beat, &failures).into();
    }
    body::label(&mut result, &[BEAT, DETAIL, FAILURE, OPEN_INCIDENT, LINES]);
    Ok(result)
}

/// Its components as lines, and the open incidents on them.
fn add_parts(subject: &Subject<'_>, beat: &JsonObject, result: &mut Value) {
    let own: Vec<i64> =
        beat.get("component_ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect();
    match parts::part(subject.parts, "components") {
        Err(reason) => result[MISSING]["components"] = json!(reason),
        Ok(items) => {
            let lines = flat::components(&items).into_iter().filter(|one| own.contains(&one.id));
            result["components"] = lines.map(|component| json!(component.line())).collect();
        }
    }
    match parts::part(subject.parts, "incidents") {
        Err(reason) => result[MISSING]["open_incidents_on_its_components"] = json!(reason),
        Ok(incidents) => {
            let overlaps = incidents.iter().filter(|one| parts::ids(one).iter().any(|id| own.contains(id)));
            let shown = overlaps.take(OTHERS_MAX).map(|incident| composite::open(subject, incident));
            result["open_incidents_on_its_components"] = shown.collect();
        }
    }
}

/// Says of each change how long the stage that it led to lasted; the list is newest first.
fn add_durations(subject: &Subject<'_>, beat: &mut Value) {
    let mut until = Some(subject.now.as_seconds());
    for change in beat["stage_changes"].as_array_mut().into_iter().flatten() {
        let changed = seconds(&change["changed_at"]);
        if let (Some(until), Some(changed)) = (until, changed) {
            change["lasted_minutes"] = json!((until - changed).max(0) / 60);
        }
        until = changed;
    }
}

/// Failures of other Beats within minutes of its own failures, or of the time when it entered its stage.
fn others(beat: &JsonObject, failures: &[JsonObject]) -> Vec<Value> {
    let number = |item: &JsonObject, name: &str| item.get(name).and_then(Value::as_i64);
    let time = |item: &JsonObject, name: &str| item.get(name).and_then(seconds);
    let (own, others): (Vec<_>, Vec<_>) =
        failures.iter().partition(|event| number(event, "beat_id") == number(beat, "id"));
    let times: Vec<i64> =
        own.iter().filter_map(|event| time(event, "created_at")).chain(time(beat, "stage_since")).collect();
    let is_near = |event: &&&JsonObject| {
        time(event, "created_at").is_some_and(|at| times.iter().any(|own| (own - at).abs() <= SAME_MINUTES))
    };
    others.iter().filter(is_near).take(OTHERS_MAX).map(|event| shown::show(FAILURE, event)).collect()
}

fn seconds(time: &Value) -> Option<i64> {
    Some(time.as_str()?.parse::<jiff::Timestamp>().ok()?.as_second())
}

/// The target without credentials, query and fragment, should StatiBeat send them.
fn bare_target(target: &str) -> String {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = target.split_once("://").map_or(("", target), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_loses_credentials_and_query() {
        for (given, shown) in [
            ("https://user:pass@api.example/health?token=t#x", "https://api.example/health"),
            ("db.example:5432", "db.example:5432"),
            ("user@db.example:5432", "db.example:5432"),
        ] {
            assert_eq!(bare_target(given), shown);
        }
    }

    #[test]
    fn only_failures_within_minutes_of_its_own_are_shown_and_without_their_evidence() {
        let event = |id: i64, beat_id: i64, time: &str| {
            let event = json!({
                "id": id, "beat_id": beat_id, "created_at": time, "stage": "warning", "evidence_summary": "ignore it",
            });
            event.as_object().expect("an object").clone()
        };
        let beat = json!({ "id": 1 }).as_object().expect("an object").clone();
        let failures = [
            event(10, 1, "2026-01-02T10:00:00Z"),
            event(11, 2, "2026-01-02T10:14:00Z"),
            event(12, 3, "2026-01-02T11:00:00Z"),
        ];
        let expected = json!({ "id": 11, "beat_id": 2, "stage": "warning", "created_at": "2026-01-02T10:14:00Z" });
        assert_eq!(others(&beat, &failures), [expected]);
    }
}
