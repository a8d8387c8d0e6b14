//! Moving an incident or a maintenance along its stages, and not out of them.
//!
//! The tools that add an update do not resolve, reopen, complete or cancel. A stage that would is refused before anything is
//! posted, by StatiBeat's description of its effect, with the stages that remain. Which stage means what follows from its place: the last stage of an incident is
//! "resolved", the last two of a maintenance are "completed" and "cancelled".

use crate::alternatives::targets::NumberedThing;
use crate::alternatives::{PageLists, entries};
use crate::catalog::{Write, find_resource, page_only};
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
    fn judge(&self, lists: &dyn PageLists, stages: &Value, target: &Value) -> Result<(), String> {
        if let Some(words) = self.lifecycle.describe_over(lists, target) {
            return Err(words);
        }
        let mut stages: Vec<&Value> = entries(stages).iter().collect();
        stages.sort_by_key(|stage| stage["position"].as_i64());
        let (open, closing) = stages.split_at(stages.len().saturating_sub(self.lifecycle.end_states().len()));
        if open.iter().any(|stage| stage["id"] == self.stage_id) {
            return Ok(());
        }
        let names = |stages: &[&Value]| stages.iter().map(|stage| name(stage)).collect::<Vec<_>>().join(", ");
        let (verb, are_set) = if closing.len() == 1 { ("ends", "is set") } else { ("end", "are set") };
        let by = setters(lists, self.lifecycle.ending_tools(), target);
        Err(format!(
            "`lifecycle_stage_id` must be one of: {} (got {}); {} {verb} it and {are_set} by {by}",
            names(open),
            self.stage_id,
            names(closing)
        ))
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

    /// The tools that set the last stages, where a program has them.
    const fn ending_tools(self) -> &'static [&'static str] {
        match self {
            Self::Incident => page_only(&["resolve_incident"]),
            Self::Maintenance => page_only(&["complete_maintenance", "cancel_maintenance"]),
        }
    }

    /// Says what an incident or a maintenance that is over still takes; `None` for one that is not.
    fn describe_over(self, lists: &dyn PageLists, target: &Value) -> Option<String> {
        let state = target["state"].as_str().filter(|state| self.end_states().contains(state))?;
        let (reopening, instead): (&[&str], _) = match self {
            Self::Incident if lists.has_tool("create_incident") => {
                (page_only(&["reopen_incident"]), "if the problem is back, use create_incident")
            }
            Self::Incident => (page_only(&["reopen_incident"]), "if the problem is back, it needs a new incident"),
            Self::Maintenance if lists.has_tool("schedule_maintenance") => {
                (&[], "for further work, use schedule_maintenance")
            }
            Self::Maintenance => (&[], "further work needs a new maintenance"),
        };
        let (noun, id) = (self.target_kind().into_str(), &target["id"]);
        Some(format!(
            "{noun} {id} is {state}: only a message can be added, because anything else would reopen it, which is done by {}; {instead}",
            setters(lists, reopening, target)
        ))
    }
}

/// Names those that can do what an update can't: the tools of these that the program has, and a person in StatiBeat.
fn setters(lists: &dyn PageLists, tools: &[&str], target: &Value) -> String {
    let tools: Vec<&str> = tools.iter().copied().filter(|name| lists.has_tool(name)).collect();
    let person = format!("a person {}", place_of(target));
    if tools.is_empty() { person } else { format!("{} or {person}", tools.join(", ")) }
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
    let over = lifecycle.describe_over(lists, &target).filter(|_| !is_message);
    if let Some(words) = over {
        let known = NumberedThing::of_target(lifecycle.target_kind())?.describe_known(lists).await;
        return Some(format!("{words}.{known}"));
    }
    let change = StageChange::find(write)?;
    let path = find_resource(stages)?.reads.first()?.path;
    change.judge(lists, &lists.read(stages, path).await?, &target).err()
}

/// Where a person changes it, as in "at https://…".
fn place_of(target: &Value) -> String {
    target["admin_url"].as_str().map_or_else(|| "in StatiBeat".to_owned(), |url| format!("at {url}"))
}

/// The refusal of an update whose stage would end its incident or maintenance by the effect that it would have: with the stages
/// that remain, where they can be read.
pub async fn closing_stage(lists: &dyn PageLists, write: &Write, effect: &WriteEffect) -> Option<String> {
    let change = StageChange::find(write).filter(|_| effect.closes())?;
    let after = effect.after()?;
    if let Some(words) = explain_refusal(lists, write).await {
        return Some(words);
    }
    let noun = write.operation.target_kind().into_str();
    let stage_name = quote(after["lifecycle_stage"]["name"].as_str().unwrap_or_default(), 60);
    let state = quote(after["state"].as_str().unwrap_or_default(), 60);
    let (stage_id, target_id) = (change.stage_id, change.target_id);
    let by = setters(lists, change.lifecycle.ending_tools(), after);
    Some(format!(
        "`lifecycle_stage_id` {stage_id} ({stage_name}) would make {noun} {target_id} {state}; that is set by {by}"
    ))
}

fn name(stage: &Value) -> String {
    format!("{} ({})", stage["id"], quote(stage["name"].as_str().unwrap_or_default(), 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
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

    /// The lists of a program that has this tool, for judgments that read nothing.
    struct ListsWithTool(&'static str);

    #[async_trait(?Send)]
    impl PageLists for ListsWithTool {
        async fn read(&self, _: &str, _: &str) -> Option<Value> {
            None
        }

        fn uri(&self, _: &str) -> Option<String> {
            None
        }

        fn page_words(&self) -> String {
            String::new()
        }

        async fn locate(&self, _: &str, _: &str) -> Option<String> {
            None
        }

        fn can_read(&self, _: &str) -> bool {
            true
        }

        fn has_tool(&self, name: &str) -> bool {
            name == self.0
        }
    }

    #[test]
    fn ending_stage_is_set_by_the_tools_that_the_program_has_and_by_a_person() {
        let target = json!({ "id": 9, "state": "active", "admin_url": "https://x/9" });
        let change = StageChange { lifecycle: Lifecycle::Incident, target_id: 9, stage_id: 2 };
        let said = change.judge(&ListsWithTool("resolve_incident"), &stages(&["Open", "Resolved"]), &target);
        let words = "`lifecycle_stage_id` must be one of: 1 (\"Open\") (got 2); 2 (\"Resolved\") ends it and is set by resolve_incident \
                     or a person at https://x/9";
        assert_eq!(said, Err(words.to_owned()));
    }

    fn check(lifecycle: Lifecycle, stage_id: i64, state: &str, names: &[&str]) -> Result<(), String> {
        let change = StageChange { lifecycle, target_id: 9, stage_id };
        let target = json!({ "id": 9, "state": state, "admin_url": "https://x/9" });
        change.judge(&ListsWithTool(""), &stages(names), &target)
    }

    #[test]
    fn an_incident_moves_to_any_stage_but_the_last() {
        let names = ["Investigating", "Monitoring", "Resolved"];
        let to = |id| check(Lifecycle::Incident, id, "active", &names);
        assert_eq!((to(1), to(2)), (Ok(()), Ok(())));
        let refused = |id| {
            let open = "1 (\"Investigating\"), 2 (\"Monitoring\")";
            let closing = "3 (\"Resolved\") ends it and is set by a person at https://x/9";
            Err(format!("`lifecycle_stage_id` must be one of: {open} (got {id}); {closing}"))
        };
        assert_eq!((to(4), to(0), to(3)), (refused(4), refused(0), refused(3)));
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
