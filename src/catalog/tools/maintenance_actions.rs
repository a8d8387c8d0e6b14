//! Tools that change maintenances: edit, complete, cancel, delete. For the page server alone.

use super::definition::{AffectedItem, Arguments, tool};
use super::report::{FieldSource, ToolReport};
use crate::catalog::resources::MAINTENANCE_DETAIL;
use crate::catalog::{Effect, Tool};
use crate::model::operation::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Changes what a maintenance says, or when it is.
pub const UPDATE_MAINTENANCE: Tool = tool::<UpdateMaintenance>(
    "update_maintenance",
    "Update maintenance",
    "Changes the named fields of a maintenance; customers see it at once. The others stay.",
    Effect::Changes,
    None,
);

/// Ends a maintenance as planned.
pub const COMPLETE_MAINTENANCE: Tool = tool::<CompleteMaintenance>(
    "complete_maintenance",
    "Complete maintenance",
    "Ends a maintenance that is going on and publishes a last update at once.",
    Effect::Changes,
    None,
);

/// Calls a maintenance off.
pub const CANCEL_MAINTENANCE: Tool = tool::<CancelMaintenance>(
    "cancel_maintenance",
    "Cancel maintenance",
    "Calls a maintenance off and publishes a last update at once. Cannot be taken back.",
    Effect::Changes,
    None,
);

/// Takes a maintenance away.
pub const DELETE_MAINTENANCE: Tool = tool::<DeleteMaintenance>(
    "delete_maintenance",
    "Delete maintenance",
    "Deletes a maintenance with its whole timeline. Cannot be undone.",
    Effect::Destroys,
    None,
);

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMaintenance {
    /// Id of the maintenance.
    #[serde(skip_serializing)]
    maintenance_id: i64,
    /// One line.
    #[schemars(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// RFC 3339 with offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<String>,
    /// After the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// How customers are affected.
    #[schemars(length(max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
    /// Replaces the affected items.
    #[schemars(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items: Option<Vec<AffectedItem>>,
    /// Where no item fits.
    #[schemars(length(max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items_freetext: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompleteMaintenance {
    /// Id of the maintenance.
    #[serde(skip_serializing)]
    maintenance_id: i64,
    /// What customers read last.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelMaintenance {
    /// Id of the maintenance.
    #[serde(skip_serializing)]
    maintenance_id: i64,
    /// What customers read last.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteMaintenance {
    /// Id of the maintenance.
    #[serde(skip_serializing)]
    maintenance_id: i64,
}

/// The answer to each of these is the maintenance as it is now.
const fn changed(done: &'static str) -> ToolReport {
    ToolReport {
        done,
        id: "maintenance_id",
        to: None,
        fields: &[
            ("maintenance_id", FieldSource::Number("id")),
            ("state", FieldSource::Text("state")),
            ("stage", FieldSource::Nested("lifecycle_stage", "name")),
            ("starts_at", FieldSource::Text("starts_at")),
            ("ends_at", FieldSource::Text("ends_at")),
            ("public_url", FieldSource::Text("public_url")),
            ("admin_url", FieldSource::Text("admin_url")),
        ],
        resource: Some((MAINTENANCE_DETAIL, "maintenance_id")),
    }
}

impl Arguments for UpdateMaintenance {
    const REPORT: ToolReport = changed("Updated maintenance");

    fn operation(&self) -> Operation {
        Operation::UpdateMaintenance { maintenance_id: self.maintenance_id }
    }
}

impl Arguments for CompleteMaintenance {
    const REPORT: ToolReport = changed("Completed maintenance");

    fn operation(&self) -> Operation {
        Operation::CompleteMaintenance { maintenance_id: self.maintenance_id }
    }
}

impl Arguments for CancelMaintenance {
    const REPORT: ToolReport = changed("Cancelled maintenance");

    fn operation(&self) -> Operation {
        Operation::CancelMaintenance { maintenance_id: self.maintenance_id }
    }
}

impl Arguments for DeleteMaintenance {
    const REPORT: ToolReport = ToolReport {
        done: "Deleted maintenance",
        id: "maintenance_id",
        to: None,
        fields: &[("maintenance_id", FieldSource::Number("id"))],
        resource: None,
    };

    fn operation(&self) -> Operation {
        Operation::DeleteMaintenance { maintenance_id: self.maintenance_id }
    }
}
