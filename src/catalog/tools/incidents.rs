//! Tools that write incidents: argument types, the write each one means, and the result.

use super::{Arguments, Done, Written, tool};
use crate::catalog::resources::INCIDENT_DETAIL;
use crate::catalog::scope::{PagePermission, Requirement, Scope};
use crate::catalog::{Effect, Tool, Variables, Write, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Opens an incident.
pub const CREATE_INCIDENT: Tool = tool::<CreateIncident>(
    "create_incident",
    "Create incident",
    "Publishes a new incident on a status page; its customers see it at once.",
    Effect::Adds,
    Some(Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] }),
);

/// The doc comments of the fields are what a client reads in the schema.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateIncident {
    /// One line that customers read first.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// What customers read about the problem.
    #[schemars(length(min = 1, max = 20_000))]
    description: String,
    /// Key of a status definition of the page, such as degraded.
    #[schemars(length(min = 1, max = 64))]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// How customers are affected.
    #[schemars(length(min = 1, max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
    /// Hierarchy items affected.
    #[schemars(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items: Option<Vec<AffectedItem>>,
    /// What is affected, in words, where no item fits.
    #[schemars(length(min = 1, max = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_items_freetext: Option<String>,
    /// Your own key for this incident; repeating a call with it makes no second incident.
    #[schemars(length(min = 1, max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

/// Exactly one of the three.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct AffectedItem {
    /// Id.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// External id.
    #[schemars(length(min = 1, max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Slug.
    #[schemars(length(min = 1, max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
}

impl Arguments for CreateIncident {
    type Report = IncidentReport;

    fn into_write(self) -> Write {
        Write { path: "incidents".to_owned(), body: json!(self) }
    }

    fn report(written: &Written<'_>) -> Done {
        let report = IncidentReport::new(written);
        let text = report.sentence();
        let links = report.resource_uri.iter().map(|uri| (uri.clone(), INCIDENT_DETAIL)).collect();
        Done { text, structured: json!(report), links }
    }
}

/// The structured result. Every field is always there; `null` where upstream or the surface does not say. Its schema
/// carries no descriptions: the names speak, and a model pays for every word of the list.
#[derive(Serialize, JsonSchema)]
struct IncidentReport {
    page_id: Option<i64>,
    page_name: Option<String>,
    incident_id: Option<i64>,
    title: Option<String>,
    status: Option<String>,
    state: Option<String>,
    public_url: Option<String>,
    admin_url: Option<String>,
    resource_uri: Option<String>,
    audit_id: Option<String>,
    remaining_writes: Option<u32>,
    replayed: bool,
}

impl IncidentReport {
    fn new(written: &Written<'_>) -> Self {
        let (answer, page) = (written.answer, written.page);
        let incident_id = answer["id"].as_i64();
        let variables = [("page_id", page["id"].as_i64()), ("incident_id", incident_id)];
        let variables: Variables =
            variables.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?.to_string()))).collect();
        IncidentReport {
            page_id: page["id"].as_i64(),
            page_name: clean(&page["name"]),
            incident_id,
            title: clean(&answer["title"]),
            status: clean(&answer["status"]),
            state: clean(&answer["state"]),
            public_url: clean(&answer["public_url"]),
            admin_url: clean(&answer["admin_url"]),
            resource_uri: written.roots.expand(INCIDENT_DETAIL, &variables),
            audit_id: written.audit_id.map(str::to_owned),
            remaining_writes: written.remaining_writes,
            replayed: written.replayed,
        }
    }

    fn sentence(&self) -> String {
        let id = self.incident_id.map_or_else(|| "an incident".to_owned(), |id| format!("incident {id}"));
        let page = self.page_name.as_deref().unwrap_or("the page");
        let public = self.public_url.as_ref().map_or_else(String::new, |url| format!(" Customers see it at {url}"));
        if self.replayed {
            format!("Nothing new was published: an earlier call already created {id} on {page}.{public}")
        } else {
            format!("Created {id} on {page}.{public}")
        }
    }
}

fn clean(value: &Value) -> Option<String> {
    value.as_str().map(text::clean)
}

#[cfg(test)]
mod tests;
