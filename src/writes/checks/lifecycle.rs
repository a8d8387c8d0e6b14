//! Moving an incident or a maintenance along its stages, and not out of them.
//!
//! The tools that add an update do not resolve, reopen, complete or cancel. A stage that would is refused before anything is
//! posted, with the stages that remain. Which stage means what follows from its place: the last stage of an incident is
//! "resolved", the last two of a maintenance are "completed" and "cancelled".

use crate::catalog::{Resource, Variables, Write, find_resource, uri};
use crate::mcp::{Error, ToolOutcome};
use crate::model::operation::Operation;
use crate::model::visible::quote;
use crate::upstream::{ApiError, ApiErrorKind, PageClient};
use crate::writes::effect::WriteEffect;
use crate::writes::report;
use futures_util::future::try_join;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
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

/// Why a stage is not moved.
#[derive(Clone, Debug)]
pub enum LifecycleError {
    /// It may not be; the words say which may.
    NotAllowed(String),
    Unread(ApiError),
}

impl LifecycleError {
    /// The response to the model, or the error to the client where a model cannot fix it.
    pub fn respond(&self) -> Result<ToolOutcome, Error> {
        match self {
            Self::NotAllowed(problem) => Ok(report::invalid_arguments(std::slice::from_ref(problem))),
            Self::Unread(error) => report::not_looked(error),
        }
    }
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

    /// The resources that the check reads: the stages of the page, and the target.
    pub fn resources(&self) -> Option<[&'static Resource; 2]> {
        let (stages, target) = match self.lifecycle {
            Lifecycle::Incident => ("lifecycle_stages", "incident"),
            Lifecycle::Maintenance => ("maintenance_lifecycle_stages", "maintenance"),
        };
        Some([find_resource(stages)?, find_resource(target)?])
    }

    /// Returns whether the move is allowed. Each of its resources is read through the API that stands in its place.
    pub async fn check(&self, apis: [&PageClient<'_>; 2]) -> Result<(), LifecycleError> {
        let unfit =
            || LifecycleError::Unread(ApiError::new(ApiErrorKind::ContractViolation, "the stages have no resource"));
        let [stages, target] = self.resources().ok_or_else(unfit)?;
        let answers = try_join(self.read(apis[0], stages), self.read(apis[1], target)).await;
        let (stages, target) = answers.map_err(LifecycleError::Unread)?;
        self.judge(&stages, &target).map_err(LifecycleError::NotAllowed)
    }

    async fn read(&self, api: &PageClient<'_>, entry: &'static Resource) -> Result<Value, ApiError> {
        let variable = match self.lifecycle {
            Lifecycle::Incident => "incident_id",
            Lifecycle::Maintenance => "maintenance_id",
        };
        let variables: Variables = [(variable.to_owned(), self.target_id.to_string())].into();
        let path = entry.reads.first().and_then(|read| uri::expand(read.path, &variables));
        let unfit =
            || ApiError::new(ApiErrorKind::ContractViolation, format!("{} cannot be read for a stage", entry.name));
        api.get(&path.ok_or_else(unfit)?).await
    }

    /// Returns whether the move keeps the target open; both are upstream's answers to the reads of [`StageChange::resources`].
    fn judge(&self, stages: &Value, target: &Value) -> Result<(), String> {
        let (noun, over) = match self.lifecycle {
            Lifecycle::Incident => ("incident", ["resolved"].as_slice()),
            Lifecycle::Maintenance => ("maintenance", ["completed", "cancelled"].as_slice()),
        };
        if let Some(state) = target["state"].as_str().filter(|state| over.contains(state)) {
            let words =
                format!("{noun} {} is {state}: a stage would reopen it; only a message can be added", self.target_id);
            return Err(words);
        }
        let mut stages: Vec<&Value> = stages.get("items").unwrap_or(stages).as_array().into_iter().flatten().collect();
        stages.sort_by_key(|stage| stage["position"].as_i64());
        let open = &stages[..stages.len().saturating_sub(over.len())];
        if open.iter().any(|stage| stage["id"] == self.stage_id) {
            return Ok(());
        }
        let names: Vec<String> = open.iter().map(|stage| name(stage)).collect();
        Err(format!("`lifecycle_stage_id` must be one of: {}", names.join(", ")))
    }
}

/// The refusal of an update whose stage would end its incident or maintenance, read from the effect that it would have.
pub fn closing_stage(write: &Write, effect: &WriteEffect) -> Option<String> {
    let change = StageChange::find(write).filter(|_| effect.closes())?;
    let after = effect.after()?;
    let noun = write.operation.target_kind().into_str();
    let stage_name = quote(after["lifecycle_stage"]["name"].as_str().unwrap_or_default(), 60);
    let state = quote(after["state"].as_str().unwrap_or_default(), 60);
    let place = after["admin_url"].as_str().map(|url| format!(" at {url}")).unwrap_or_default();
    let (stage_id, target_id) = (change.stage_id, change.target_id);
    Some(format!(
        "`lifecycle_stage_id` {stage_id} ({stage_name}) would make {noun} {target_id} {state}, which this tool cannot: a person does it{place}"
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
        change.judge(&stages(names), &json!({ "state": state }))
    }

    #[test]
    fn an_incident_moves_to_any_stage_but_the_last() {
        let names = ["Investigating", "Monitoring", "Resolved"];
        let to = |id| check(Lifecycle::Incident, id, "active", &names);
        assert_eq!((to(1), to(2)), (Ok(()), Ok(())));
        let refused = Err("`lifecycle_stage_id` must be one of: 1 (\"Investigating\"), 2 (\"Monitoring\")".to_owned());
        assert_eq!((to(3), to(4), to(0)), (refused.clone(), refused.clone(), refused));
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
    fn what_is_over_is_not_reopened() {
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
