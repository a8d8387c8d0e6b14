//! TOOLS: everything a client can do. Hosted MCP offers those with a requirement, the page server all of them.
//!
//! A description says what a tool does, who is notified, what it cannot do and who can, and what to read first. All four that
//! Hosted MCP offers take at most 3,000 tokens of a list.

mod arguments;

use super::argument::ArgumentKind::{AffectedItems, Key, Target, Text, Time};
use super::argument::{optional, required};
use super::tool::{Effect, Tool, ToolWrite};
use super::tool_report::ReportField as Field;
use super::tool_report::ToolReport;
use crate::model::operation::{Operation, TargetKind};
use crate::model::scope::{PagePermission, Requirement, Scope};
use arguments::{
    ACTION_ID, ADDED_ITEMS, ENDS_AT, EXTERNAL_ID, FREETEXT, INCIDENT_DESCRIPTION, INCIDENT_ID, INCIDENT_IMPACT,
    INCIDENT_ITEMS, INCIDENT_MESSAGE, INCIDENT_STAGE, INCIDENT_TITLE, LAST_MESSAGE, MAINTENANCE_DESCRIPTION,
    MAINTENANCE_ID, MAINTENANCE_IMPACT, MAINTENANCE_ITEMS, MAINTENANCE_MESSAGE, MAINTENANCE_STAGE, MAINTENANCE_TITLE,
    NEW_STATUS, REMOVED_ITEMS, REPLACED_ITEMS, STARTING_STATUS, STARTS_AT, WINDOW_END, WINDOW_START,
};

/// Every tool that writes, in the order of lists.
pub static TOOLS: &[Tool] = &[
    Tool {
        name: "create_incident",
        title: "Create incident",
        description: "Publishes a new incident on a status page and notifies its subscribers at once (e-mail, SMS, Slack, \
            webhook), for unplanned trouble. This tool cannot edit, resolve or delete it afterwards: a person does that at \
            the admin_url it returns. statibeat://pages/{page_id}/incidents/active shows whether an open incident already \
            covers the problem; that one takes add_incident_update. Planned work takes schedule_maintenance.",
        effect: Effect::Publishes,
        hosted: INCIDENTS_WRITE,
        arguments: &[
            required("title", Text(200), INCIDENT_TITLE),
            required("description", Text(20_000), INCIDENT_DESCRIPTION),
            STARTING_STATUS,
            INCIDENT_IMPACT,
            INCIDENT_ITEMS,
            FREETEXT,
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
        description: "Publishes an update to an existing incident and notifies the page's subscribers at once. Can move its \
            stage, change its status, and add or remove components. Cannot resolve, reopen or edit the incident: a person \
            does that at the incident's admin_url. A resolved incident takes only a message; if the problem is back, that is \
            a new incident.",
        effect: Effect::Publishes,
        hosted: INCIDENTS_WRITE,
        arguments: &[INCIDENT_ID, INCIDENT_MESSAGE, INCIDENT_STAGE, NEW_STATUS, ADDED_ITEMS, REMOVED_ITEMS],
        write: Some(ToolWrite {
            operation: |incident_id| Operation::AddIncidentUpdate { incident_id },
            report: ToolReport {
                done: "Added update",
                to: Some(TargetKind::Incident),
                fields: &[Field::Number("incident_id"), Field::Id("update_id"), Field::Stage, Field::Text("status")],
                resource: Some(TargetKind::Incident),
            },
        }),
    },
    Tool {
        name: "schedule_maintenance",
        title: "Schedule maintenance",
        description: "Publishes a planned maintenance window and notifies the page's subscribers at once. This tool cannot move, \
            complete or cancel it afterwards: a person does that at the admin_url it returns. Windows it could overlap with \
            are in statibeat://pages/{page_id}/maintenances/upcoming.",
        effect: Effect::Publishes,
        hosted: MAINTENANCES_WRITE,
        arguments: &[
            required("title", Text(200), MAINTENANCE_TITLE),
            required("description", Text(20_000), MAINTENANCE_DESCRIPTION),
            WINDOW_START,
            WINDOW_END,
            MAINTENANCE_IMPACT,
            MAINTENANCE_ITEMS,
            FREETEXT,
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
            has started or is delayed. Does not change the window's times, and cannot complete or cancel it: a person does \
            that at the maintenance's admin_url.",
        effect: Effect::Publishes,
        hosted: MAINTENANCES_WRITE,
        arguments: &[MAINTENANCE_ID, MAINTENANCE_MESSAGE, MAINTENANCE_STAGE],
        write: Some(ToolWrite {
            operation: |maintenance_id| Operation::AddMaintenanceUpdate { maintenance_id },
            report: ToolReport {
                done: "Added update",
                to: Some(TargetKind::Maintenance),
                fields: &[Field::Number("maintenance_id"), Field::Id("update_id"), Field::Stage],
                resource: Some(TargetKind::Maintenance),
            },
        }),
    },
    Tool {
        name: "update_incident",
        title: "Update incident",
        description: "Changes the named fields of an incident; customers see it at once. The others stay.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[
            INCIDENT_ID,
            optional("title", Text(200), INCIDENT_TITLE),
            optional("description", Text(20_000), INCIDENT_DESCRIPTION),
            NEW_STATUS,
            INCIDENT_IMPACT,
            optional("affected_items", AffectedItems { states_limit: true }, REPLACED_ITEMS),
            FREETEXT,
        ],
        write: changes_incident(|incident_id| Operation::UpdateIncident { incident_id }, "Updated incident"),
    },
    Tool {
        name: "acknowledge_incident",
        title: "Acknowledge incident",
        description: "Records that somebody is working on an incident. Publishes nothing; repeating it changes nothing.",
        effect: Effect::Adds,
        hosted: None,
        arguments: &[INCIDENT_ID],
        write: changes_incident(|incident_id| Operation::AcknowledgeIncident { incident_id }, "Acknowledged incident"),
    },
    Tool {
        name: "resolve_incident",
        title: "Resolve incident",
        description: "Moves an incident to its last stage and publishes a last update at once.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[INCIDENT_ID, optional("resolution_message", Text(20_000), LAST_MESSAGE)],
        write: changes_incident(|incident_id| Operation::ResolveIncident { incident_id }, "Resolved incident"),
    },
    Tool {
        name: "reopen_incident",
        title: "Reopen incident",
        description: "Moves a resolved incident back to its first stage and publishes an update at once.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[
            INCIDENT_ID,
            optional("message", Text(20_000), "Plain text for customers. Left out: a standard sentence of StatiBeat."),
        ],
        write: changes_incident(|incident_id| Operation::ReopenIncident { incident_id }, "Reopened incident"),
    },
    Tool {
        name: "delete_incident",
        title: "Delete incident",
        description: "Deletes an incident with its whole timeline. Cannot be undone.",
        effect: Effect::Destroys,
        hosted: None,
        arguments: &[INCIDENT_ID],
        write: Some(ToolWrite {
            operation: |incident_id| Operation::DeleteIncident { incident_id },
            report: ToolReport {
                done: "Deleted incident",
                to: None,
                fields: &[Field::Id("incident_id")],
                resource: None,
            },
        }),
    },
    Tool {
        name: "update_maintenance",
        title: "Update maintenance",
        description: "Changes the named fields of a maintenance; customers see it at once. The others stay.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[
            MAINTENANCE_ID,
            optional("title", Text(200), MAINTENANCE_TITLE),
            optional("description", Text(20_000), MAINTENANCE_DESCRIPTION),
            optional("starts_at", Time, STARTS_AT),
            optional("ends_at", Time, ENDS_AT),
            MAINTENANCE_IMPACT,
            optional("affected_items", AffectedItems { states_limit: true }, REPLACED_ITEMS),
            FREETEXT,
        ],
        write: changes_maintenance(
            |maintenance_id| Operation::UpdateMaintenance { maintenance_id },
            "Updated maintenance",
        ),
    },
    Tool {
        name: "complete_maintenance",
        title: "Complete maintenance",
        description: "Ends a maintenance that is going on and publishes a last update at once.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[MAINTENANCE_ID, optional("message", Text(20_000), LAST_MESSAGE)],
        write: changes_maintenance(
            |maintenance_id| Operation::CompleteMaintenance { maintenance_id },
            "Completed maintenance",
        ),
    },
    Tool {
        name: "cancel_maintenance",
        title: "Cancel maintenance",
        description: "Calls a maintenance off and publishes a last update at once. Cannot be taken back.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[MAINTENANCE_ID, optional("message", Text(20_000), LAST_MESSAGE)],
        write: changes_maintenance(
            |maintenance_id| Operation::CancelMaintenance { maintenance_id },
            "Cancelled maintenance",
        ),
    },
    Tool {
        name: "delete_maintenance",
        title: "Delete maintenance",
        description: "Deletes a maintenance with its whole timeline. Cannot be undone.",
        effect: Effect::Destroys,
        hosted: None,
        arguments: &[MAINTENANCE_ID],
        write: Some(ToolWrite {
            operation: |maintenance_id| Operation::DeleteMaintenance { maintenance_id },
            report: ToolReport {
                done: "Deleted maintenance",
                to: None,
                fields: &[Field::Id("maintenance_id")],
                resource: None,
            },
        }),
    },
    Tool {
        name: "run_beat",
        title: "Run Beat",
        description: "Starts one run of a Beat now. What it finds may lead to what its automation posts.",
        effect: Effect::Adds,
        hosted: None,
        arguments: &[required("beat_id", Target, "Number from statibeat://pages/{page_id}/beats.")],
        write: Some(ToolWrite {
            operation: |beat_id| Operation::RunBeat { beat_id },
            report: ToolReport {
                done: "Started run",
                to: Some(TargetKind::Beat),
                fields: &[
                    Field::Id("run_id"),
                    Field::Number("beat_id"),
                    Field::Text("stage"),
                    Field::Text("started_at"),
                ],
                resource: None,
            },
        }),
    },
    Tool {
        name: "approve_beat_action",
        title: "Approve Beat action",
        description: "Publishes what a Beat proposed and a person had to review.",
        effect: Effect::Publishes,
        hosted: None,
        arguments: &[ACTION_ID],
        write: decides(|action_id| Operation::ApproveBeatAction { action_id }, "Approved Beat action"),
    },
    Tool {
        name: "reject_beat_action",
        title: "Reject Beat action",
        description: "Drops what a Beat proposed; it is not published. Cannot be taken back.",
        effect: Effect::Destroys,
        hosted: None,
        arguments: &[ACTION_ID],
        write: decides(|action_id| Operation::RejectBeatAction { action_id }, "Rejected Beat action"),
    },
];

/// For clients that only know tools: what resources show, as tools. No part of [`TOOLS`]: a program adds them where its
/// operator and the person want it.
pub static RESOURCE_TOOLS: &[Tool] = &[
    Tool {
        name: LIST_RESOURCES,
        title: "List resources",
        description: "Lists the statibeat:// resources and templates that can be read here.",
        effect: Effect::Reads,
        hosted: None,
        arguments: &[optional("cursor", Key, "nextCursor of the part before.")],
        write: None,
    },
    Tool {
        name: READ_RESOURCE,
        title: "Read resource",
        description: "Reads one statibeat:// resource. Its text is data from the status page.",
        effect: Effect::Reads,
        hosted: None,
        arguments: &[required("uri", Text(2048), "From `list_resources`, or a template with its variables filled in.")],
        write: None,
    },
];

pub const LIST_RESOURCES: &str = "list_resources";
pub const READ_RESOURCE: &str = "read_resource";

const INCIDENTS_WRITE: Option<Requirement> =
    Some(Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] });
const MAINTENANCES_WRITE: Option<Requirement> =
    Some(Requirement { scope: Scope::MaintenancesWrite, permissions: &[PagePermission::MaintenancesManage] });

/// StatiBeat answers with the incident as it is now.
const fn changes_incident(operation: fn(i64) -> Operation, done: &'static str) -> Option<ToolWrite> {
    let fields = &[
        Field::Id("incident_id"),
        Field::Text("status"),
        Field::Text("state"),
        Field::Stage,
        Field::Text("acknowledged_at"),
        Field::Text("public_url"),
        Field::Text("admin_url"),
    ];
    let report = ToolReport { done, to: None, fields, resource: Some(TargetKind::Incident) };
    Some(ToolWrite { operation, report })
}

/// StatiBeat answers with the maintenance as it is now.
const fn changes_maintenance(operation: fn(i64) -> Operation, done: &'static str) -> Option<ToolWrite> {
    let fields = &[
        Field::Id("maintenance_id"),
        Field::Text("state"),
        Field::Stage,
        Field::Text("starts_at"),
        Field::Text("ends_at"),
        Field::Text("public_url"),
        Field::Text("admin_url"),
    ];
    let report = ToolReport { done, to: None, fields, resource: Some(TargetKind::Maintenance) };
    Some(ToolWrite { operation, report })
}

const fn decides(operation: fn(i64) -> Operation, done: &'static str) -> Option<ToolWrite> {
    let fields = &[
        Field::Id("action_id"),
        Field::Text("state"),
        Field::Number("beat_id"),
        Field::Number("incident_id"),
        Field::Text("review_url"),
    ];
    Some(ToolWrite { operation, report: ToolReport { done, to: None, fields, resource: None } })
}

pub fn find_tool(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

#[cfg(test)]
mod tests;
