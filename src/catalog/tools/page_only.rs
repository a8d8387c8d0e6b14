//! Tools that only the Page MCP server offers. The worker contains none of them.

use super::super::argument::ArgumentKind::{AffectedItems, Target, Text, Time};
use super::super::argument::{optional, required};
use super::super::tool::{Effect, Tool, ToolWrite};
use super::super::tool_report::ReportField as Field;
use super::super::tool_report::ToolReport;
use super::arguments::{
    ACTION_ID, AFFECTED_FREETEXT, ENDS_AT, FINAL_MESSAGE, INCIDENT_DESCRIPTION, INCIDENT_ID, INCIDENT_IMPACT,
    INCIDENT_TITLE, MAINTENANCE_DESCRIPTION, MAINTENANCE_ID, MAINTENANCE_IMPACT, MAINTENANCE_TITLE, NEW_STATUS,
    REPLACED_COMPONENTS, STARTS_AT,
};
use crate::model::operation::{Operation, TargetKind};

/// Tools beside [`super::TOOLS`], in the order of lists.
pub static PAGE_ONLY_TOOLS: &[Tool] = &[
    Tool {
        name: "update_incident",
        title: "Update incident",
        description: "Changes the named fields of an incident; customers see it at once. The others stay. The resource \
            statibeat://pages/{page_id}/writing has statuses and components by id.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[
            INCIDENT_ID,
            optional("title", Text(200), INCIDENT_TITLE),
            optional("description", Text(20_000), INCIDENT_DESCRIPTION),
            NEW_STATUS,
            INCIDENT_IMPACT,
            optional("affected_items", AffectedItems { has_limit_in_schema: true }, REPLACED_COMPONENTS),
            AFFECTED_FREETEXT,
        ],
        write: Some(changes_incident(|incident_id| Operation::UpdateIncident { incident_id }, "Updated incident")),
    },
    Tool {
        name: "acknowledge_incident",
        title: "Acknowledge incident",
        description: "Records that somebody is working on an incident. Publishes nothing; repeating it changes nothing.",
        effect: Effect::Adds,
        hosted: None,
        arguments: &[INCIDENT_ID],
        write: Some(changes_incident(
            |incident_id| Operation::AcknowledgeIncident { incident_id },
            "Acknowledged incident",
        )),
    },
    Tool {
        name: "resolve_incident",
        title: "Resolve incident",
        description: "Moves an incident to its last stage and publishes a last update at once.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[INCIDENT_ID, optional("resolution_message", Text(20_000), FINAL_MESSAGE)],
        write: Some(changes_incident(|incident_id| Operation::ResolveIncident { incident_id }, "Resolved incident")),
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
        write: Some(changes_incident(|incident_id| Operation::ReopenIncident { incident_id }, "Reopened incident")),
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
        description: "Changes the named fields of a maintenance; customers see it at once. The others stay. The resource \
            statibeat://pages/{page_id}/writing has components by id.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[
            MAINTENANCE_ID,
            optional("title", Text(200), MAINTENANCE_TITLE),
            optional("description", Text(20_000), MAINTENANCE_DESCRIPTION),
            optional("starts_at", Time, STARTS_AT),
            optional("ends_at", Time, ENDS_AT),
            MAINTENANCE_IMPACT,
            optional("affected_items", AffectedItems { has_limit_in_schema: true }, REPLACED_COMPONENTS),
            AFFECTED_FREETEXT,
        ],
        write: Some(changes_maintenance(
            |maintenance_id| Operation::UpdateMaintenance { maintenance_id },
            "Updated maintenance",
        )),
    },
    Tool {
        name: "complete_maintenance",
        title: "Complete maintenance",
        description: "Ends a maintenance in progress and publishes a last update at once.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[MAINTENANCE_ID, optional("message", Text(20_000), FINAL_MESSAGE)],
        write: Some(changes_maintenance(
            |maintenance_id| Operation::CompleteMaintenance { maintenance_id },
            "Completed maintenance",
        )),
    },
    Tool {
        name: "cancel_maintenance",
        title: "Cancel maintenance",
        description: "Calls a maintenance off and publishes a last update at once. Cannot be taken back.",
        effect: Effect::Changes,
        hosted: None,
        arguments: &[MAINTENANCE_ID, optional("message", Text(20_000), FINAL_MESSAGE)],
        write: Some(changes_maintenance(
            |maintenance_id| Operation::CancelMaintenance { maintenance_id },
            "Cancelled maintenance",
        )),
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
        write: Some(decides(|action_id| Operation::ApproveBeatAction { action_id }, "Approved Beat action")),
    },
    Tool {
        name: "reject_beat_action",
        title: "Reject Beat action",
        description: "Drops what a Beat proposed; it is not published. Cannot be taken back.",
        effect: Effect::Destroys,
        hosted: None,
        arguments: &[ACTION_ID],
        write: Some(decides(|action_id| Operation::RejectBeatAction { action_id }, "Rejected Beat action")),
    },
];

/// StatiBeat answers with the incident as it is now.
const fn changes_incident(operation: fn(i64) -> Operation, done: &'static str) -> ToolWrite {
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
    ToolWrite { operation, report }
}

/// StatiBeat answers with the maintenance as it is now.
const fn changes_maintenance(operation: fn(i64) -> Operation, done: &'static str) -> ToolWrite {
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
    ToolWrite { operation, report }
}

const fn decides(operation: fn(i64) -> Operation, done: &'static str) -> ToolWrite {
    let fields = &[
        Field::Id("action_id"),
        Field::Text("state"),
        Field::Number("beat_id"),
        Field::Number("incident_id"),
        Field::Text("review_url"),
    ];
    ToolWrite { operation, report: ToolReport { done, to: None, fields, resource: None } }
}
