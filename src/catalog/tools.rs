//! Tools: everything a client can do. Hosted MCP offers [`TOOLS`], the Page MCP server also those of `page_only`.
//!
//! A description says what a tool does, who is notified, what it cannot do and who can, and what to read first. The four tools
//! of Hosted MCP take at most 3,000 tokens in a `tools/list` result.

#[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "some are arguments of page-only tools"))]
mod arguments;
#[cfg(not(target_arch = "wasm32"))]
mod page_only;

use super::argument::ArgumentKind::{IdOrName, Key, Text};
use super::argument::{optional, required};
use super::tool::{Effect, Tool, ToolWrite};
use super::tool_report::ReportField as Field;
use super::tool_report::ToolReport;
use crate::model::operation::{Operation, TargetKind};
use crate::model::scope::{PagePermission, Requirement, Scope};
use arguments::{
    ADDED_COMPONENTS, AFFECTED_FREETEXT, EXTERNAL_ID, INCIDENT_COMPONENTS, INCIDENT_DESCRIPTION, INCIDENT_ID,
    INCIDENT_IMPACT, INCIDENT_MESSAGE, INCIDENT_STAGE, INCIDENT_TITLE, MAINTENANCE_COMPONENTS, MAINTENANCE_DESCRIPTION,
    MAINTENANCE_ID, MAINTENANCE_IMPACT, MAINTENANCE_MESSAGE, MAINTENANCE_STAGE, MAINTENANCE_TITLE, NEW_STATUS,
    REMOVED_COMPONENTS, STARTING_STATUS, WINDOW_END, WINDOW_START,
};

/// Tools that write and that both programs offer, in the order of lists.
pub static TOOLS: &[Tool] = &[
    Tool {
        name: "create_incident",
        title: "Create incident",
        description: "Publishes a new incident and notifies the page's subscribers at once (e-mail, SMS, Slack, webhook). The \
            resource statibeat://pages/{page_id}/writing has components, statuses and open incidents. If one covers the \
            problem, use add_incident_update; for planned work, schedule_maintenance. Cannot edit, resolve or delete: a person does that \
            at the admin_url.",
        effect: Effect::Publishes,
        hosted: INCIDENTS_WRITE,
        arguments: &[
            required("title", Text(200), INCIDENT_TITLE),
            required("description", Text(20_000), INCIDENT_DESCRIPTION),
            STARTING_STATUS,
            INCIDENT_IMPACT,
            INCIDENT_COMPONENTS,
            AFFECTED_FREETEXT,
            EXTERNAL_ID,
        ],
        write: Some(ToolWrite {
            operation: |_| Operation::CreateIncident,
            report: ToolReport {
                done: "Created incident",
                to: None,
                fields: &[
                    Field::Id("incident_id"),
                    Field::Text("status"),
                    Field::Text("state"),
                    Field::Text("public_url"),
                    Field::Text("admin_url"),
                ],
                resource: Some(TargetKind::Incident),
            },
        }),
    },
    Tool {
        name: "add_incident_update",
        title: "Add incident update",
        description: "Publishes an update to an incident and notifies the page's subscribers at once. Can move its stage, change \
            its status, add or remove components, with ids from the resource statibeat://pages/{page_id}/writing. Cannot resolve, \
            reopen or edit it: a person does that at its admin_url. A resolved incident takes only a message; trouble that is \
            back is a new incident.",
        effect: Effect::Publishes,
        hosted: INCIDENTS_WRITE,
        arguments: &[INCIDENT_ID, INCIDENT_MESSAGE, INCIDENT_STAGE, NEW_STATUS, ADDED_COMPONENTS, REMOVED_COMPONENTS],
        write: Some(ToolWrite {
            operation: |incident_id| Operation::AddIncidentUpdate { incident_id },
            report: ToolReport {
                done: "Added update",
                to: Some(TargetKind::Incident),
                fields: &[
                    Field::Number("incident_id"),
                    Field::Id("update_id"),
                    Field::Stage,
                    Field::Text("status"),
                    Field::Text("public_url"),
                    Field::Text("admin_url"),
                ],
                resource: Some(TargetKind::Incident),
            },
        }),
    },
    Tool {
        name: "schedule_maintenance",
        title: "Schedule maintenance",
        description: "Publishes a maintenance window and notifies the page's subscribers at once. Components are in the resource \
            statibeat://pages/{page_id}/writing, other windows in statibeat://pages/{page_id}/maintenances/upcoming. Cannot move, \
            complete or cancel it: a person does that at the admin_url.",
        effect: Effect::Publishes,
        hosted: MAINTENANCES_WRITE,
        arguments: &[
            required("title", Text(200), MAINTENANCE_TITLE),
            required("description", Text(20_000), MAINTENANCE_DESCRIPTION),
            WINDOW_START,
            WINDOW_END,
            MAINTENANCE_IMPACT,
            MAINTENANCE_COMPONENTS,
            AFFECTED_FREETEXT,
            EXTERNAL_ID,
        ],
        write: Some(ToolWrite {
            operation: |_| Operation::ScheduleMaintenance,
            report: ToolReport {
                done: "Scheduled maintenance",
                to: None,
                fields: &[
                    Field::Id("maintenance_id"),
                    Field::Text("state"),
                    Field::Text("starts_at"),
                    Field::Text("ends_at"),
                    Field::Text("public_url"),
                    Field::Text("admin_url"),
                ],
                resource: Some(TargetKind::Maintenance),
            },
        }),
    },
    Tool {
        name: "add_maintenance_update",
        title: "Add maintenance update",
        description: "Publishes an update to a maintenance window and notifies the page's subscribers at once, e.g. that work \
            has started or is delayed. Stages are in the resource statibeat://pages/{page_id}/writing. Cannot move, complete or \
            cancel the window: a person does that at its admin_url.",
        effect: Effect::Publishes,
        hosted: MAINTENANCES_WRITE,
        arguments: &[MAINTENANCE_ID, MAINTENANCE_MESSAGE, MAINTENANCE_STAGE],
        write: Some(ToolWrite {
            operation: |maintenance_id| Operation::AddMaintenanceUpdate { maintenance_id },
            report: ToolReport {
                done: "Added update",
                to: Some(TargetKind::Maintenance),
                fields: &[
                    Field::Number("maintenance_id"),
                    Field::Id("update_id"),
                    Field::Stage,
                    Field::Text("public_url"),
                    Field::Text("admin_url"),
                ],
                resource: Some(TargetKind::Maintenance),
            },
        }),
    },
];

/// For clients that only know tools: what resources show, as tools. No part of [`TOOLS`]: a program adds them where its
/// operator and the person want it.
pub static RESOURCE_TOOLS: &[Tool] = &[
    Tool {
        name: LIST_RESOURCES,
        title: "List resources",
        description: "Lists what `read_resource` can read here: URIs and URI templates of incidents, maintenance windows, \
            components with their status, Beats and analytics. statibeat://overview shows all pages at once, statibeat://pages \
            lists them with their ids.",
        effect: Effect::Reads,
        hosted: None,
        arguments: &[optional("cursor", Key, "nextCursor of the previous result.")],
        write: None,
    },
    Tool {
        name: READ_RESOURCE,
        title: "Read resource",
        description: "Reads one resource, e.g. {\"uri\": \"statibeat://overview\"} or {\"page_id\": 42, \"resource\": \
            \"incidents/active\"}. statibeat://pages/{page_id}/writing has what a write needs: statuses, stages and components by id, \
            open incidents, time zone. The text that it returns is data from the status page.",
        effect: Effect::Reads,
        hosted: None,
        arguments: &[
            optional("uri", Text(2048), "URI from `list_resources`, or a template with its variables filled in."),
            optional("page_id", IdOrName, "Number of a page, from statibeat://pages. Goes with resource."),
            optional(
                "resource",
                Text(2048),
                "Path on that page, as far as this connection may read it: writing, summary, hierarchy, incidents/active, incidents/1001, maintenances/upcoming, \
                 beats, beats/failures, analytics/summary?window_days=7 and others.",
            ),
        ],
        write: None,
    },
];

pub const LIST_RESOURCES: &str = "list_resources";
pub const READ_RESOURCE: &str = "read_resource";

const INCIDENTS_WRITE: Option<Requirement> =
    Some(Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] });
const MAINTENANCES_WRITE: Option<Requirement> =
    Some(Requirement { scope: Scope::MaintenancesWrite, permissions: &[PagePermission::MaintenancesManage] });

/// Every tool that writes and that this program knows, in the order of lists.
pub fn all_tools() -> impl Iterator<Item = &'static Tool> {
    #[cfg(target_arch = "wasm32")]
    let page_only: &[Tool] = &[];
    #[cfg(not(target_arch = "wasm32"))]
    let page_only = page_only::PAGE_ONLY_TOOLS;
    TOOLS.iter().chain(page_only)
}

pub fn find_tool(name: &str) -> Option<&'static Tool> {
    all_tools().find(|tool| tool.name == name)
}

#[cfg(test)]
mod tests;
