//! The duplicate guard: an open incident on the same components or with nearly the same title is probably the same one, and so are
//! an update that said nearly the same minutes ago and a window at the same times on the same components.
//!
//! It asks before it lets a second one be published. It is advice to a model, not a lock: two sessions that open incidents
//! at the very same moment both pass. An identical write is found by its fingerprint, not here.

use super::near_text::{is_near, words};
use super::schedule;
use crate::alternatives::components::is_same;
use crate::alternatives::entries;
use crate::catalog::Write;
use crate::model::operation::Operation;
use crate::model::timestamp::Timestamp;
use crate::model::visible::{self, quote};
use crate::upstream::ApiError;
use crate::writes::WriteRequest;
use crate::writes::effect::{ComponentEffect, WriteEffect};
use crate::writes::outcome::{DuplicateKind, PossibleDuplicate, WriteError};
use serde_json::Value;
use std::time::Duration;

/// Age up to which an update with nearly the same text counts as a possible duplicate.
const RECENT: Duration = Duration::from_mins(15);
/// Longest title or name that is quoted, in characters.
const NAME_MAX: usize = 200;
const SAME_TITLE: &str = "has the same title";
const SAME_TEXT: &str = "says the same";
const SAME_TIMES: &str = "has the same times";
/// The list of active incidents, relative to the admin root.
pub const READ: &str = "incidents?status=active&limit=50";

/// Returns whether a write opens an incident, which could have been opened already.
pub fn applies_to(write: &Write) -> bool {
    write.operation == Operation::CreateIncident
}

/// Returns whether a write names what is affected.
pub fn names_something(write: &Write) -> bool {
    !items(&write.body).is_empty() || freetext(&write.body).is_some()
}

/// Looks for open incidents of the page and recent updates that the write looks like. Needs no lease, so it runs beside acquiring
/// one. Whoever may write but not read cannot be told what is there already; StatiBeat lets them write all the same.
pub async fn look_up(request: &WriteRequest<'_>) -> Result<Vec<PossibleDuplicate>, WriteError> {
    let WriteRequest { api, write, now, .. } = *request;
    let effect = match update_target(write.operation) {
        Some(path) => {
            return Ok(api
                .get(&path)
                .await
                .map_or_else(|_| Vec::new(), |document| find_updates(&document, write, now)));
        }
        None if applies_to(write) => api.dry_run(write).await.and_then(WriteEffect::parse),
        None => return Ok(Vec::new()),
    };
    match effect {
        Ok(effect) => Ok(find(&effect, write, now)),
        Err(error) if is_optional(&error, write) => Ok(Vec::new()),
        Err(error) => Err(WriteError::Unchecked(error)),
    }
}

/// Refuses a write that has possible duplicates, except those that were `shown` and the write itself.
pub fn check(
    request: &WriteRequest<'_>,
    mut found: Vec<PossibleDuplicate>,
    external_id: &str,
    shown: &[i64],
) -> Result<(), WriteError> {
    // A client that gives another key for the same text says that it means a second one.
    let is_meant = |similar: &PossibleDuplicate| {
        let is_text_alone = |matches: &[String]| matches == [SAME_TITLE] || matches == [SAME_TEXT];
        let matches = similar.matches.strip_prefix(&[SAME_TIMES.to_owned()]).unwrap_or(&similar.matches);
        request.fingerprint.has_own_key && is_text_alone(matches)
    };
    found.retain(|similar| {
        !shown.contains(&similar.id) && similar.external_id.as_deref() != Some(external_id) && !is_meant(similar)
    });
    if found.is_empty() { Ok(()) } else { Err(WriteError::PossibleDuplicates(found)) }
}

/// Only a write that names what is affected waits until StatiBeat describes its effect; and not where StatiBeat will refuse the
/// write itself.
fn is_optional(error: &ApiError, write: &Write) -> bool {
    error.is_refusal() || !names_something(write)
}

/// The incident or maintenance that an update is added to.
fn update_target(operation: Operation) -> Option<String> {
    match operation {
        Operation::AddIncidentUpdate { incident_id } => Some(format!("incidents/{incident_id}")),
        Operation::AddMaintenanceUpdate { maintenance_id } => Some(format!("maintenances/{maintenance_id}")),
        _ => None,
    }
}

/// Those among the open incidents that look like the one that a write opens, newest first.
pub fn find(effect: &WriteEffect, write: &Write, now: Timestamp) -> Vec<PossibleDuplicate> {
    if !applies_to(write) {
        return Vec::new();
    }
    let describe_match = |entry: &Value| {
        let matches = find_matches(entry, effect, &write.body);
        (!matches.is_empty()).then(|| describe(entry, DuplicateKind::Incident, matches, now)).flatten()
    };
    let mut found: Vec<PossibleDuplicate> = effect.related.iter().filter_map(describe_match).collect();
    found.sort_by_key(|similar| (similar.age, similar.id));
    found
}

/// The recent updates of an incident or a maintenance that say what a write says, or nearly. A repetition with the same arguments
/// is found by its fingerprint before; the same text with another stage, status or component would notify people twice.
pub fn find_updates(document: &Value, write: &Write, now: Timestamp) -> Vec<PossibleDuplicate> {
    let Some(message) = write.body.get("message").and_then(Value::as_str) else { return Vec::new() };
    if update_target(write.operation).is_none() {
        return Vec::new();
    }
    let describe_match = |update: &Value| {
        let matched = match update["message"].as_str()? {
            old if old == message => SAME_TEXT,
            old if is_near(old, message) => "says nearly the same",
            _ => return None,
        };
        describe(update, DuplicateKind::Update, vec![matched.to_owned()], now)
    };
    let updates = entries(document.get("updates").unwrap_or(&Value::Null));
    let mut found: Vec<PossibleDuplicate> = updates.iter().filter_map(describe_match).collect();
    found.retain(|similar| similar.age <= RECENT);
    found
}

/// The windows of the page at the very same times as a new one that are on the same components or have nearly the same title: planned
/// once more in other words.
pub fn find_windows(windows: &[Value], write: &Write) -> Vec<PossibleDuplicate> {
    let Some(times) = schedule::window(write).filter(|_| write.operation == Operation::ScheduleMaintenance) else {
        return Vec::new();
    };
    let find = |entry: &Value| {
        let planned = schedule::window_of(entry).filter(|planned| *planned == times);
        let shared = items(entry).iter().filter(|known| items(&write.body).iter().any(|named| is_same(named, known)));
        let mut matches: Vec<String> = shared.map(same_component).collect();
        matches.extend(find_text_matches(entry, &write.body));
        if planned.is_none() || matches.is_empty() {
            return None;
        }
        matches.insert(0, SAME_TIMES.to_owned());
        let title = entry["title"].as_str().map(|title| visible::line(title, NAME_MAX)).unwrap_or_default();
        let external_id = entry["external_id"].as_str().map(str::to_owned);
        let (kind, age) = (DuplicateKind::Window, Duration::ZERO);
        Some(PossibleDuplicate { kind, id: entry["id"].as_i64()?, title, age, external_id, matches })
    };
    windows.iter().filter_map(find).collect()
}

fn same_component(known: &Value) -> String {
    format!("affects the same component ({})", quote(known["name"].as_str().unwrap_or_default(), NAME_MAX))
}

fn describe(entry: &Value, kind: DuplicateKind, matches: Vec<String>, now: Timestamp) -> Option<PossibleDuplicate> {
    let (text, time) = match kind {
        DuplicateKind::Incident | DuplicateKind::Window => ("title", "started_at"),
        DuplicateKind::Update => ("message", "created_at"),
    };
    let since: jiff::Timestamp = entry.get(time)?.as_str()?.parse().ok()?;
    let age = now.since(Timestamp::from_seconds(since.as_second()));
    let title = entry.get(text).and_then(Value::as_str).map(|title| visible::line(title, NAME_MAX)).unwrap_or_default();
    let external_id = entry.get("external_id").and_then(Value::as_str).map(str::to_owned);
    Some(PossibleDuplicate { kind, id: entry.get("id")?.as_i64()?, title, age, external_id, matches })
}

/// The things that an open incident and a new one have in common.
fn find_matches(entry: &Value, effect: &WriteEffect, body: &Value) -> Vec<String> {
    let mut matches = Vec::new();
    for known in items(entry) {
        let Some(id) = known["id"].as_i64() else { continue };
        let name = quote(known["name"].as_str().unwrap_or_default(), NAME_MAX);
        if effect.affected().any(|named| named.id == id) {
            matches.push(same_component(known));
        } else if let Some(relation) = effect.affected().find_map(|named| find_relation(named, id, effect)) {
            matches.push(format!("affects {name}, {relation}"));
        }
    }
    matches.extend(find_text_matches(entry, body));
    matches
}

/// The words that something on the page and a new one have in common.
fn find_text_matches(entry: &Value, body: &Value) -> Vec<String> {
    let mut matches = Vec::new();
    if freetext(body).is_some_and(|text| freetext(entry).as_ref() == Some(&text)) {
        matches.push("names the same in affected_items_freetext".to_owned());
    }
    let [new, old] = [body, entry].map(|of| of.get("title").and_then(Value::as_str).unwrap_or_default());
    if is_near(new, old) {
        matches.push(if new == old { SAME_TITLE } else { "has nearly the same title" }.to_owned());
    }
    matches
}

/// The relation of a component to another one on its branch of the hierarchy, as in `a part of "API"`.
fn find_relation(named: &ComponentEffect, known_id: i64, effect: &WriteEffect) -> Option<String> {
    let name = quote(&named.name, NAME_MAX);
    if effect.is_below(known_id, named.id) {
        Some(format!("a part of {name}"))
    } else {
        effect.is_below(named.id, known_id).then(|| format!("of which {name} is a part"))
    }
}

/// Returns whether something on the page touches what a body touches.
pub fn overlaps(entry: &Value, body: &Value) -> bool {
    let shares_item = items(body).iter().any(|named| items(entry).iter().any(|known| is_same(named, known)));
    shares_item || freetext(body).is_some_and(|text| freetext(entry).as_ref() == Some(&text))
}

fn items(of: &Value) -> &[Value] {
    of.get("affected_items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn freetext(of: &Value) -> Option<String> {
    let text = of.get("affected_items_freetext")?.as_str()?;
    Some(words(text).join(" ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
