//! The first line of a preview: which incident, maintenance, Beat or Beat action a write is about, and what becomes of it.

use super::effect::{WriteEffect, stage_name};
use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::{bare_or_quoted, line, quote};
use serde_json::Value;

/// Longest title that is quoted, in characters.
pub const TITLE_MAX: usize = 200;

/// Names the write and its target, as in `Update to incident 1001 "API errors" (Identified → Monitoring)`.
pub fn headline(operation: Operation, effect: &WriteEffect) -> String {
    let id = operation.target_id().map_or_else(String::new, |id| format!(" {id}"));
    let name = effect.target_name.as_deref().or_else(|| effect.notice()?["title"].as_str());
    let name = name.map_or_else(String::new, |name| format!(" {}", quote(name, TITLE_MAX)));
    let kind = operation.target_kind().into_str();
    format!("{} {kind}{id}{name}{}", deed(operation), stage_words(effect))
}

const fn deed(operation: Operation) -> &'static str {
    match operation {
        Operation::CreateIncident | Operation::ScheduleMaintenance => "New",
        Operation::AddIncidentUpdate { .. } | Operation::AddMaintenanceUpdate { .. } => "Update to",
        Operation::UpdateIncident { .. } | Operation::UpdateMaintenance { .. } => "Change of",
        Operation::AcknowledgeIncident { .. } => "Acknowledgment of",
        Operation::ResolveIncident { .. } => "Resolution of",
        Operation::ReopenIncident { .. } => "Reopening of",
        Operation::DeleteIncident { .. } | Operation::DeleteMaintenance { .. } => "Deletion, for good, of",
        Operation::CompleteMaintenance { .. } => "Completion of",
        Operation::CancelMaintenance { .. } => "Cancellation of",
        Operation::RunBeat { .. } => "Run of",
        Operation::ApproveBeatAction { .. } => "Approval of",
        Operation::RejectBeatAction { .. } => "Rejection, for good, of",
    }
}

/// The stage before and after, in parentheses.
fn stage_words(effect: &WriteEffect) -> String {
    let shown = |name: &str| bare_or_quoted(name, TITLE_MAX);
    match effect.change(stage_name) {
        [Some(before), Some(after)] if before != after => format!(" ({} → {})", shown(before), shown(after)),
        [_, Some(stage)] | [Some(stage), None] => format!(" ({})", shown(stage)),
        [None, None] => String::new(),
    }
}

/// A sentence on whether the incident or maintenance is open, and whether the write changes that.
pub fn state_sentence(operation: Operation, effect: &WriteEffect) -> Option<String> {
    let noun = match effect.notice()?.get("starts_at") {
        Some(_) => TargetKind::Maintenance.into_str(),
        None => TargetKind::Incident.into_str(),
    };
    let words = |state: &str| if state == "active" && noun == "incident" { "open".to_owned() } else { line(state, 60) };
    let subject = match (operation.target_kind(), effect.notice()?["id"].as_i64()) {
        // A Beat action is about an incident with another number.
        (TargetKind::Beat | TargetKind::BeatAction, Some(id)) if effect.before().is_some() => format!("Incident {id}"),
        _ => format!("The {noun}"),
    };
    match effect.change(state) {
        [Some(before), Some(after)] if before == after => Some(format!("{subject} stays {}.", words(after))),
        [Some(before), Some(after)] => Some(format!("{subject} is {} and becomes {}.", words(before), words(after))),
        [Some(before), None] => Some(format!("{subject} is {}.", words(before))),
        [None, _] => None,
    }
}

fn state(notice: &Value) -> Option<&str> {
    notice["state"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn effect(name: &str, before: Value, after: Value) -> WriteEffect {
        let mut effect = json!({
            "already_exists": false, "target_name": name, "components": [], "ancestors": [],
            "notifies": true, "recipients": null, "page": { "visibility": "public", "time_zone": "UTC" }, "related": [],
        });
        effect["before"] = before;
        effect["after"] = after;
        WriteEffect::parse(effect).expect("an effect")
    }

    fn incident(state: &str, stage_name: &str) -> Value {
        json!({ "id": 9, "title": "Slow", "state": state, "lifecycle_stage": { "id": 1, "name": stage_name } })
    }

    #[test]
    fn headline_names_the_target_and_its_stage_before_and_after() {
        let (one, other) = (incident("active", "Identified"), incident("active", "Monitoring"));
        let update = Operation::AddIncidentUpdate { incident_id: 9 };
        let moved = effect("Slow", one.clone(), other);
        assert_eq!(headline(update, &moved), "Update to incident 9 \"Slow\" (Identified → Monitoring)");
        assert_eq!(state_sentence(update, &moved).as_deref(), Some("The incident stays open."));
        let created = effect("Slow", Value::Null, one.clone());
        assert_eq!(headline(Operation::CreateIncident, &created), "New incident \"Slow\" (Identified)");
        assert_eq!(state_sentence(Operation::CreateIncident, &created), None);
        let deleted = effect("Slow", one.clone(), Value::Null);
        let delete = Operation::DeleteIncident { incident_id: 9 };
        assert_eq!(headline(delete, &deleted), "Deletion, for good, of incident 9 \"Slow\" (Identified)");
        let resolved = effect("Slow", one, incident("resolved", "Resolved"));
        let sentence = state_sentence(Operation::ResolveIncident { incident_id: 9 }, &resolved);
        assert_eq!(sentence.as_deref(), Some("The incident is open and becomes resolved."));
    }

    #[test]
    fn headline_of_what_is_no_notice_names_it() {
        let none = effect("Gateway \"health\"", Value::Null, Value::Null);
        assert_eq!(headline(Operation::RunBeat { beat_id: 5 }, &none), r#"Run of Beat 5 "Gateway \"health\"""#);
        assert_eq!(state_sentence(Operation::RunBeat { beat_id: 5 }, &none), None);
        let open = incident("active", "Identified");
        let approval = Operation::ApproveBeatAction { action_id: 7 };
        let approved = effect("Slow", open.clone(), open);
        assert_eq!(headline(approval, &approved), "Approval of Beat action 7 \"Slow\" (Identified)");
        assert_eq!(state_sentence(approval, &approved).as_deref(), Some("Incident 9 stays open."));
    }
}
