//! Tools about Beats: run one now, decide on what one would post. For the page server alone.

use super::definition::{Arguments, tool};
use super::report::{FieldSource, ToolReport};
use crate::catalog::{Effect, Tool};
use crate::model::operation::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Measures now instead of later.
pub const RUN_BEAT: Tool = tool::<RunBeat>(
    "run_beat",
    "Run Beat",
    "Starts one run of a Beat now. What it finds may lead to what its automation posts.",
    Effect::Adds,
    None,
);

/// Lets a Beat's draft out.
pub const APPROVE_BEAT_ACTION: Tool = tool::<ApproveBeatAction>(
    "approve_beat_action",
    "Approve Beat action",
    "Publishes what a Beat proposed and a person had to review.",
    Effect::Adds,
    None,
);

/// Drops a Beat's draft.
pub const REJECT_BEAT_ACTION: Tool = tool::<RejectBeatAction>(
    "reject_beat_action",
    "Reject Beat action",
    "Drops what a Beat proposed; it is not published. Cannot be taken back.",
    Effect::Destroys,
    None,
);

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunBeat {
    /// Id of the Beat.
    #[serde(skip_serializing)]
    beat_id: i64,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApproveBeatAction {
    /// Id of the pending action.
    #[serde(skip_serializing)]
    action_id: i64,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RejectBeatAction {
    /// Id of the pending action.
    #[serde(skip_serializing)]
    action_id: i64,
}

const fn decided(done: &'static str) -> ToolReport {
    ToolReport {
        done,
        id: "action_id",
        to: None,
        fields: &[
            ("action_id", FieldSource::Number("id")),
            ("state", FieldSource::Text("state")),
            ("beat_id", FieldSource::Number("beat_id")),
            ("incident_id", FieldSource::Number("incident_id")),
            ("review_url", FieldSource::Text("review_url")),
        ],
        resource: None,
    }
}

impl Arguments for RunBeat {
    const REPORT: ToolReport = ToolReport {
        done: "Started run",
        id: "run_id",
        to: Some(("Beat", "beat_id")),
        fields: &[
            ("run_id", FieldSource::Number("id")),
            ("beat_id", FieldSource::Number("beat_id")),
            ("stage", FieldSource::Text("stage")),
            ("started_at", FieldSource::Text("started_at")),
        ],
        resource: None,
    };

    fn operation(&self) -> Operation {
        Operation::RunBeat { beat_id: self.beat_id }
    }
}

impl Arguments for ApproveBeatAction {
    const REPORT: ToolReport = decided("Approved Beat action");

    fn operation(&self) -> Operation {
        Operation::ApproveBeatAction { action_id: self.action_id }
    }
}

impl Arguments for RejectBeatAction {
    const REPORT: ToolReport = decided("Rejected Beat action");

    fn operation(&self) -> Operation {
        Operation::RejectBeatAction { action_id: self.action_id }
    }
}
