//! Tools that change incidents: edit, acknowledge, resolve, reopen, delete. For the page server alone.

use super::definition::{AffectedItem, Arguments, tool};
use super::report::{FieldSource, ToolReport};
use crate::catalog::resources::INCIDENT_DETAIL;
use crate::catalog::{Effect, Tool};
use crate::model::operation::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Changes what an incident says.
pub const UPDATE_INCIDENT: Tool = tool::<UpdateIncident>(
    "update_incident",
    "Update incident",
    "Changes the named fields of an incident; customers see it at once. The others stay.",
    Effect::Changes,
    None,
);

/// Says that somebody is at it.
pub const ACKNOWLEDGE_INCIDENT: Tool = tool::<AcknowledgeIncident>(
    "acknowledge_incident",
    "Acknowledge incident",
    "Records that somebody is working on an incident. Publishes nothing; repeating it changes nothing.",
    Effect::Adds,
    None,
);

/// Ends an incident.
pub const RESOLVE_INCIDENT: Tool = tool::<ResolveIncident>(
    "resolve_incident",
    "Resolve incident",
    "Moves an incident to its last stage and publishes a last update at once.",
    Effect::Changes,
    None,
);

/// Takes a resolution back.
pub const REOPEN_INCIDENT: Tool = tool::<ReopenIncident>(
    "reopen_incident",
    "Reopen incident",
    "Moves a resolved incident back to its first stage and publishes an update at once.",
    Effect::Changes,
    None,
);

/// Takes an incident away.
pub const DELETE_INCIDENT: Tool = tool::<DeleteIncident>(
    "delete_incident",
    "Delete incident",
    "Deletes an incident with its whole timeline. Cannot be undone.",
    Effect::Destroys,
    None,
);

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateIncident {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
    /// One line.
    #[schemars(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Key of a status definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
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
struct AcknowledgeIncident {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResolveIncident {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
    /// What customers read last.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution_message: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReopenIncident {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
    /// What customers read.
    #[schemars(length(max = 20_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteIncident {
    /// Id of the incident.
    #[serde(skip_serializing)]
    incident_id: i64,
}

/// The answer to each of these is the incident as it is now.
const fn changed(done: &'static str) -> ToolReport {
    ToolReport {
        done,
        id: "incident_id",
        to: None,
        fields: &[
            ("incident_id", FieldSource::Number("id")),
            ("status", FieldSource::Text("status")),
            ("state", FieldSource::Text("state")),
            ("stage", FieldSource::Nested("lifecycle_stage", "name")),
            ("acknowledged_at", FieldSource::Text("acknowledged_at")),
            ("public_url", FieldSource::Text("public_url")),
            ("admin_url", FieldSource::Text("admin_url")),
        ],
        resource: Some((INCIDENT_DETAIL, "incident_id")),
    }
}

impl Arguments for UpdateIncident {
    const REPORT: ToolReport = changed("Updated incident");

    fn operation(&self) -> Operation {
        Operation::UpdateIncident { incident_id: self.incident_id }
    }
}

impl Arguments for AcknowledgeIncident {
    const REPORT: ToolReport = changed("Acknowledged incident");

    fn operation(&self) -> Operation {
        Operation::AcknowledgeIncident { incident_id: self.incident_id }
    }
}

impl Arguments for ResolveIncident {
    const REPORT: ToolReport = changed("Resolved incident");

    fn operation(&self) -> Operation {
        Operation::ResolveIncident { incident_id: self.incident_id }
    }
}

impl Arguments for ReopenIncident {
    const REPORT: ToolReport = changed("Reopened incident");

    fn operation(&self) -> Operation {
        Operation::ReopenIncident { incident_id: self.incident_id }
    }
}

impl Arguments for DeleteIncident {
    const REPORT: ToolReport = ToolReport {
        done: "Deleted incident",
        id: "incident_id",
        to: None,
        fields: &[("incident_id", FieldSource::Number("id"))],
        resource: None,
    };

    fn operation(&self) -> Operation {
        Operation::DeleteIncident { incident_id: self.incident_id }
    }
}
