//! Moving an incident or a maintenance along its stages, and not out of them.
//!
//! The tools that add an update do not resolve, reopen, complete or cancel. A stage that would is refused before anything is
//! posted, by StatiBeat's description of its effect, with the stages that remain. Which stage means what follows from its place: the last stage of an incident is
//! "resolved", the last two of a maintenance are "completed" and "cancelled".

use crate::alternatives::targets::NumberedThing;
use crate::alternatives::{PageLists, entries};
use crate::catalog::{Write, find_resource};
use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::quote;
use crate::writes::effect::WriteEffect;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifecycle {
    Incident,
    Maintenance,
}

/// A stage that an update moves its incident or maintenance to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageChange {
    lifecycle: Lifecycle,
    target_id: i64,
    stage_id: i64,
}

impl StageChange {
    pub fn find(write: &Write) -> Option<Self> {
        let (lifecycle, target_id) = match write.operation {
            Operation::AddIncidentUpdate { incident_id } => (Lifecycle::Incident, incident_id),
            Operation::AddMaintenanceUpdate { maintenance_id } => (Lifecycle::Maintenance, maintenance_id),
            _ => return None,
        };
        // A name is replaced before the move is judged.
        let stage_id = write.body.get("lifecycle_stage_id")?.as_i64().unwrap_or_default();
        Some(Self { lifecycle, target_id, stage_id })
    }

    /// Returns whether the move keeps the target open; both are upstream's answers to the reads of the stages and of the target.
    fn judge(&self, stages: &Value, target: &Value) -> Result<(), String> {
        if let Some(words) = self.lifecycle.describe_over(target) {
            return Err(words);
        }
        let mut stages: Vec<&Value> = entries(stages).iter().collect();
        stages.sort_by_key(|stage| stage["position"].as_i64());
        let (open, closing) = stages.split_at(stages.len().saturating_sub(self.lifecycle.end_states().len()));
        if open.iter().any(|stage| stage["id"] == self.stage_id) {
            return Ok(());
        }
        let names = open.iter().map(|stage| name(stage)).collect::<Vec<_>>().join(", ");
        let allowed = format!("`lifecycle_stage_id` must be one of: {names}");
        Err(match closing.iter().find(|stage| stage["id"] == self.stage_id) {
            Some(stage) => format!("{allowed}; {} is set by a person {}", name(stage), place_of(target)),
            None => allowed,
        })
    }
}

impl Lifecycle {
    const fn target_kind(self) -> TargetKind {
        match self {
            Self::Incident => TargetKind::Incident,
            Self::Maintenance => TargetKind::Maintenance,
        }
    }

    /// The states that the last stages stand for.
    const fn end_states(self) -> &'static [&'static str] {
        match self {
            Self::Incident => &["resolved"],
            Self::Maintenance => &["completed", "cancelled"],
        }
    }

    /// Says what an incident or a maintenance that is over still takes; `None` for one that is not.
    fn describe_over(self, target: &Value) -> Option<String> {
        let state = target["state"].as_str().filter(|state| self.end_states().contains(state))?;
        let instead = match self {
            Self::Incident => "if it is back, use create_incident",
            Self::Maintenance => "further work takes schedule_maintenance",
        };
        let (noun, id) = (self.target_kind().into_str(), &target["id"]);
        Some(format!(
            "{noun} {id} is {state}: only a message can be added, because anything else would reopen it, which a person does {}; \
             {instead}",
            place_of(target)
        ))
    }
}

/// Explains, where it can be read, why StatiBeat refused an update that does more than add a message.
pub async fn explain_refusal(lists: &dyn PageLists, write: &Write) -> Option<String> {
    let (lifecycle, id) = match write.operation {
        Operation::AddIncidentUpdate { incident_id } => (Lifecycle::Incident, incident_id),
        Operation::AddMaintenanceUpdate { maintenance_id } => (Lifecycle::Maintenance, maintenance_id),
        _ => return None,
    };
    let (stages, one, collection) = match lifecycle {
        Lifecycle::Incident => ("lifecycle_stages", "incident", "incidents"),
        Lifecycle::Maintenance => ("maintenance_lifecycle_stages", "maintenance", "maintenances"),
    };
    let target = lists.read(one, &format!("{collection}/{id}")).await?;
    let is_message = write.body.as_object().is_some_and(|body| body.keys().all(|name| name == "message"));
    let over = lifecycle.describe_over(&target).filter(|_| !is_message);
    if let Some(words) = over {
        let known = NumberedThing::of_target(lifecycle.target_kind())?.describe_known(lists).await;
        return Some(format!("{words}.{known}"));
    }
    let change = StageChange::find(write)?;
    let path = find_resource(stages)?.reads.first()?.path;
    change.judge(&lists.read(stages, path).await?, &target).err()
}

/// Where a person changes it, as in "at https://…".
fn place_of(target: &Value) -> String {
    target["admin_url"].as_str().map_or_else(|| "in StatiBeat".to_owned(), |url| format!("at {url}"))
}

/// The refusal of an update whose stage would end its incident or maintenance, read from the effect that it would have.
pub fn closing_stage(write: &Write, effect: &WriteEffect) -> Option<String> {
    let change = StageChange::find(write).filter(|_| effect.closes())?;
    let after = effect.after()?;
    let noun = write.operation.target_kind().into_str();
    let stage_name = quote(after["lifecycle_stage"]["name"].as_str().unwrap_or_default(), 60);
    let state = quote(after["state"].as_str().unwrap_or_default(), 60);
    let (stage_id, target_id, place) = (change.stage_id, change.target_id, place_of(after));
    Some(format!(
        "`lifecycle_stage_id` {stage_id} ({stage_name}) would make {noun} {target_id} {state}; that is set by a person {place}"
    ))
}

fn name(stage: &Value) -> String {
    format!("{} ({})", stage["id"], quote(stage["name"].as_str().unwrap_or_default(), 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stage_change_is_found_in_an_update_that_names_a_stage() {
        let update = |body: Value| Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, body);
        let change = StageChange { lifecycle: Lifecycle::Incident, target_id: 9, stage_id: 3 };
        assert_eq!(StageChange::find(&update(json!({ "lifecycle_stage_id": 3 }))), Some(change));
        assert_eq!(StageChange::find(&update(json!({ "message": "m" }))), None);
    }

    fn stages(names: &[&str]) -> Value {
        let stage = |(id, name): (usize, &&str)| json!({ "id": id + 1, "name": name, "position": id + 1 });
        let mut items: Vec<Value> = names.iter().enumerate().map(stage).collect();
        items.reverse();
        json!({ "items": items, "total": names.len() })
    }

    fn check(lifecycle: Lifecycle, stage_id: i64, state: &str, names: &[&str]) -> Result<(), String> {
        let change = StageChange { lifecycle, target_id: 9, stage_id };
        let target = json!({ "id": 9, "state": state, "admin_url": "https://x/9" });
        change.judge(&stages(names), &target)
    }

    #[test]
    fn an_incident_moves_to_any_stage_but_the_last() {
        let names = ["Investigating", "Monitoring", "Resolved"];
        let to = |id| check(Lifecycle::Incident, id, "active", &names);
        assert_eq!((to(1), to(2)), (Ok(()), Ok(())));
        let refused = "`lifecycle_stage_id` must be one of: 1 (\"Investigating\"), 2 (\"Monitoring\")";
        assert_eq!((to(4), to(0)), (Err(refused.to_owned()), Err(refused.to_owned())));
        assert_eq!(to(3), Err(format!("{refused}; 3 (\"Resolved\") is set by a person at https://x/9")));
        assert!(check(Lifecycle::Incident, 1, "active", &["Resolved"]).is_err());
        assert!(check(Lifecycle::Incident, 1, "active", &[]).is_err());
    }

    #[test]
    fn a_maintenance_moves_to_any_stage_but_the_last_two() {
        let to =
            |id| check(Lifecycle::Maintenance, id, "upcoming", &["Scheduled", "In Progress", "Completed", "Cancelled"]);
        assert!(to(1).is_ok() && to(2).is_ok() && to(3).is_err() && to(4).is_err());
    }

    #[test]
    fn closed_incident_or_window_cannot_be_reopened() {
        let names = ["A", "B", "C", "D"];
        assert!(check(Lifecycle::Incident, 1, "resolved", &names).is_err_and(|why| why.contains("reopen")));
        for state in ["completed", "cancelled"] {
            assert!(
                check(Lifecycle::Maintenance, 1, state, &names).is_err_and(|why| why.contains("reopen")),
                "{state}"
            );
        }
    }
}
