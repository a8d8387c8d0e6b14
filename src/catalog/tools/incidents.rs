//! Tools that write incidents: argument types, the write each one means, and the result.

use super::definition::{AffectedItem, Arguments, tool};
use super::report::{FieldSource, ToolReport};
use crate::catalog::resources::INCIDENT_DETAIL;
use crate::catalog::{Effect, Tool};
use crate::model::operation::Operation;
use crate::model::scope::{PagePermission, Requirement, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NEEDS: Option<Requirement> =
    Some(Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] });

/// Opens an incident.
pub const CREATE_INCIDENT: Tool =
    tool::<CreateIncident>("create_incident", "Create incident", "Publishes an incident at once.", Effect::Adds, NEEDS);

/// Adds to the timeline of an incident.
pub const ADD_INCIDENT_UPDATE: Tool = tool::<AddIncidentUpdate>(
    "add_incident_update",
    "Add incident update",
    "Publishes an incident update at once. Cannot resolve or reopen.",
    Effect::Adds,
    NEEDS,
);

/// The doc comments of the fields are what a client reads in the schema.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateIncident {
    /// One line.
    #[schemars(length(max = 200))]
    title: String,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    description: String,
    /// Key of a status definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
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

impl Arguments for CreateIncident {
    const REPORT: ToolReport = ToolReport {
        done: "Created incident",
        id: "incident_id",
        to: None,
        fields: &[
            ("incident_id", FieldSource::Number("id")),
            ("status", FieldSource::Text("status")),
            ("state", FieldSource::Text("state")),
            ("public_url", FieldSource::Text("public_url")),
            ("admin_url", FieldSource::Text("admin_url")),
        ],
        resource: Some((INCIDENT_DETAIL, "incident_id")),
    };

    fn operation(&self) -> Operation {
        Operation::CreateIncident
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddIncidentUpdate {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    message: String,
    /// Not the last stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_stage_id: Option<i64>,
    /// Key of a status definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Replaces the affected items.
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items: Option<Vec<AffectedItem>>,
}

impl Arguments for AddIncidentUpdate {
    const REPORT: ToolReport = ToolReport {
        done: "Added update",
        id: "update_id",
        to: Some(("incident", "incident_id")),
        fields: &[
            ("incident_id", FieldSource::Number("incident_id")),
            ("update_id", FieldSource::Number("id")),
            ("stage", FieldSource::Nested("lifecycle_stage", "name")),
            ("status", FieldSource::Text("status")),
        ],
        resource: Some((INCIDENT_DETAIL, "incident_id")),
    };

    fn operation(&self) -> Operation {
        Operation::AddIncidentUpdate { incident_id: self.incident_id }
    }
}

#[cfg(test)]
mod tests;
