//! The target of an operation in words: what would become of it, said to a person.

use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::quote;
use serde_json::Value;

/// Longest title that is quoted, in characters.
pub const TITLE_MAX: usize = 200;

/// The target, out of the answer to reading [`Operation::target_path`].
pub fn pick(operation: Operation, mut answer: Value) -> Option<Value> {
    if operation.target_kind() != TargetKind::BeatAction {
        return Some(answer);
    }
    let items = answer.get_mut("items")?.as_array_mut()?;
    let at = items.iter().position(|item| item["id"].as_i64() == operation.target_id())?;
    Some(items.swap_remove(at))
}

/// Returns whether an operation takes its target out of customers' sight, or ends it.
pub fn ends(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ResolveIncident { .. }
            | Operation::DeleteIncident { .. }
            | Operation::CompleteMaintenance { .. }
            | Operation::CancelMaintenance { .. }
            | Operation::DeleteMaintenance { .. }
    )
}

/// Returns whether subscribers are notified of it.
pub fn is_announced(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::UpdateIncident { .. }
            | Operation::AcknowledgeIncident { .. }
            | Operation::DeleteIncident { .. }
            | Operation::UpdateMaintenance { .. }
            | Operation::DeleteMaintenance { .. }
            | Operation::RunBeat { .. }
            | Operation::RejectBeatAction { .. }
    )
}

/// The rest of the sentence "On Acme, …".
pub fn sentence(operation: Operation, target: Option<&Value>) -> String {
    let becomes = match operation {
        Operation::CreateIncident
        | Operation::AddIncidentUpdate { .. }
        | Operation::ScheduleMaintenance
        | Operation::AddMaintenanceUpdate { .. } => return "customers would read:".to_owned(),
        Operation::UpdateIncident { .. } | Operation::UpdateMaintenance { .. } => "would change; customers would read:",
        Operation::DeleteIncident { .. } | Operation::DeleteMaintenance { .. } => "would be deleted for good.",
        Operation::AcknowledgeIncident { .. } => "would be acknowledged; customers would read nothing new.",
        Operation::ResolveIncident { .. } => "would be resolved.",
        Operation::ReopenIncident { .. } => "would be reopened.",
        Operation::CompleteMaintenance { .. } => "would be completed.",
        Operation::CancelMaintenance { .. } => "would be cancelled.",
        Operation::RunBeat { .. } => "would be run now.",
        Operation::ApproveBeatAction { .. } => "would be approved; customers would read:",
        Operation::RejectBeatAction { .. } => "would be rejected for good; customers would read nothing.",
    };
    format!("{} {becomes}", name(operation, target))
}

fn name(operation: Operation, target: Option<&Value>) -> String {
    let kind = operation.target_kind().into_str();
    let name = operation.target_id().map_or_else(|| kind.to_owned(), |id| format!("{kind} {id}"));
    let title = target.and_then(|target| ["title", "name"].iter().find_map(|field| target[*field].as_str()));
    title.map_or_else(|| name.clone(), |title| format!("{name} ({})", quote(title, TITLE_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_write_is_said_in_words() {
        let check = |operation, says: &str| {
            let target = json!({ "title": "Slow", "name": "Slow" });
            assert_eq!(sentence(operation, Some(&target)), says);
        };
        check(Operation::CreateIncident, "customers would read:");
        check(Operation::AddIncidentUpdate { incident_id: 9 }, "customers would read:");
        check(
            Operation::UpdateIncident { incident_id: 9 },
            "incident 9 (\"Slow\") would change; customers would read:",
        );
        check(
            Operation::DeleteMaintenance { maintenance_id: 9 },
            "maintenance 9 (\"Slow\") would be deleted for good.",
        );
        check(Operation::ResolveIncident { incident_id: 9 }, "incident 9 (\"Slow\") would be resolved.");
        check(Operation::RunBeat { beat_id: 5 }, "Beat 5 (\"Slow\") would be run now.");
        let approved = "Beat action 7 (\"Slow\") would be approved; customers would read:";
        check(Operation::ApproveBeatAction { action_id: 7 }, approved);
    }

    #[test]
    fn pending_action_is_picked_from_the_list() {
        let list = json!({ "items": [{ "id": 6 }, { "id": 7 }], "total": 2 });
        let approve = |action_id| Operation::ApproveBeatAction { action_id };
        assert_eq!(pick(approve(7), list.clone()), Some(json!({ "id": 7 })));
        assert_eq!(pick(approve(8), list), None);
    }
}
