//! Moving an incident or a maintenance along its stages, and not out of them.
//!
//! The tools do not resolve, reopen, complete or cancel. A stage that would is refused before anything is posted, with
//! the stages that remain. Which stage means what follows from its place: the last stage of an incident is "resolved",
//! the last two of a maintenance are "completed" and "cancelled".

use crate::catalog::resources::{INCIDENT_DETAIL, MAINTENANCE_DETAIL};
use crate::catalog::{ArgumentError, Resource, find_resource};
use crate::model::visible::quote;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    Incident,
    Maintenance,
}

/// A stage that something is to be moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageChange {
    pub of: Lifecycle,
    pub target_id: i64,
    pub stage_id: i64,
}

impl StageChange {
    /// What must be read before it can be judged: the stages of the page, the thing itself.
    pub fn resources(&self) -> Option<[&'static Resource; 2]> {
        let (stages, target) = match self.of {
            Lifecycle::Incident => ("lifecycle_stages", INCIDENT_DETAIL),
            Lifecycle::Maintenance => ("maintenance_lifecycle_stages", MAINTENANCE_DETAIL),
        };
        Some([find_resource(stages)?, target])
    }

    /// The variable that names the thing in its resource's path.
    pub const fn variable(&self) -> &'static str {
        match self.of {
            Lifecycle::Incident => "incident_id",
            Lifecycle::Maintenance => "maintenance_id",
        }
    }

    /// Whether the move keeps it open; both are upstream's answers to the reads of [`StageChange::resources`].
    pub fn check(&self, stages: &Value, target: &Value) -> Result<(), ArgumentError> {
        let (noun, over) = match self.of {
            Lifecycle::Incident => ("incident", ["resolved"].as_slice()),
            Lifecycle::Maintenance => ("maintenance", ["completed", "cancelled"].as_slice()),
        };
        if let Some(state) = target["state"].as_str().filter(|state| over.contains(state)) {
            let words =
                format!("{noun} {} is {state}: a stage would reopen it; only a message can be added", self.target_id);
            return Err(ArgumentError(words));
        }
        let mut stages: Vec<&Value> = stages.get("items").unwrap_or(stages).as_array().into_iter().flatten().collect();
        stages.sort_by_key(|stage| stage["position"].as_i64());
        let open = &stages[..stages.len().saturating_sub(over.len())];
        if open.iter().any(|stage| stage["id"] == self.stage_id) {
            return Ok(());
        }
        let names: Vec<String> = open.iter().map(|stage| name(stage)).collect();
        Err(ArgumentError(format!("`lifecycle_stage_id` must be one of: {}", names.join(", "))))
    }
}

fn name(stage: &Value) -> String {
    format!("{} ({})", stage["id"], quote(stage["name"].as_str().unwrap_or_default(), 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stages(names: &[&str]) -> Value {
        let stage = |(id, name): (usize, &&str)| json!({ "id": id + 1, "name": name, "position": id + 1 });
        let mut items: Vec<Value> = names.iter().enumerate().map(stage).collect();
        items.reverse();
        json!({ "items": items, "total": names.len() })
    }

    fn check(of: Lifecycle, stage_id: i64, state: &str, names: &[&str]) -> Result<(), String> {
        let change = StageChange { of, target_id: 9, stage_id };
        change.check(&stages(names), &json!({ "state": state })).map_err(|error| error.0)
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
