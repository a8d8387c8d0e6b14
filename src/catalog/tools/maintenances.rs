//! Tools that write maintenances: argument types, the write each one means, and the result.

use super::definition::{AffectedItem, Arguments, tool};
use super::report::{FieldSource, ToolReport};
use crate::catalog::resources::MAINTENANCE_DETAIL;
use crate::catalog::{Effect, Tool};
use crate::model::operation::Operation;
use crate::model::scope::{PagePermission, Requirement, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NEEDS: Option<Requirement> =
    Some(Requirement { scope: Scope::MaintenancesWrite, permissions: &[PagePermission::MaintenancesManage] });

/// Announces a maintenance.
pub const SCHEDULE_MAINTENANCE: Tool = tool::<ScheduleMaintenance>(
    "schedule_maintenance",
    "Schedule maintenance",
    "Publishes a maintenance window at once.",
    Effect::Adds,
    NEEDS,
);

/// Adds to the timeline of a maintenance.
pub const ADD_MAINTENANCE_UPDATE: Tool = tool::<AddMaintenanceUpdate>(
    "add_maintenance_update",
    "Add maintenance update",
    "Publishes a maintenance update at once. Cannot complete or cancel.",
    Effect::Adds,
    NEEDS,
);

/// The doc comments of the fields are what a client reads in the schema.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleMaintenance {
    /// One line.
    #[schemars(length(max = 200))]
    title: String,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    description: String,
    /// RFC 3339 with offset.
    starts_at: String,
    /// After the start.
    ends_at: String,
    /// Effect on customers.
    #[schemars(length(max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
    /// Hierarchy items.
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items: Option<Vec<AffectedItem>>,
    /// Where no item fits.
    #[schemars(length(max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items_freetext: Option<String>,
    /// Your own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

impl Arguments for ScheduleMaintenance {
    const REPORT: ToolReport = ToolReport {
        done: "Scheduled maintenance",
        id: "maintenance_id",
        to: None,
        fields: &[
            ("maintenance_id", FieldSource::Number("id")),
            ("state", FieldSource::Text("state")),
            ("starts_at", FieldSource::Text("starts_at")),
            ("ends_at", FieldSource::Text("ends_at")),
            ("public_url", FieldSource::Text("public_url")),
            ("admin_url", FieldSource::Text("admin_url")),
        ],
        resource: Some((MAINTENANCE_DETAIL, "maintenance_id")),
    };

    fn operation(&self) -> Operation {
        Operation::ScheduleMaintenance
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddMaintenanceUpdate {
    /// Id of the maintenance.
    #[serde(skip_serializing)]
    maintenance_id: i64,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    message: String,
    /// Not the last two stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_stage_id: Option<i64>,
}

impl Arguments for AddMaintenanceUpdate {
    const REPORT: ToolReport = ToolReport {
        done: "Added update",
        id: "update_id",
        to: Some(("maintenance", "maintenance_id")),
        fields: &[
            ("maintenance_id", FieldSource::Number("maintenance_id")),
            ("update_id", FieldSource::Number("id")),
            ("stage", FieldSource::Nested("lifecycle_stage", "name")),
        ],
        resource: Some((MAINTENANCE_DETAIL, "maintenance_id")),
    };

    fn operation(&self) -> Operation {
        Operation::AddMaintenanceUpdate { maintenance_id: self.maintenance_id }
    }
}
