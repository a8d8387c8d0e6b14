//! TOOLS: everything a client can do. A tool is one argument type and what its call means upstream.

// The page server's alone, so the worker does not carry them.
#[cfg(not(target_arch = "wasm32"))]
pub mod beats;
#[cfg(not(target_arch = "wasm32"))]
pub mod incident_actions;
pub mod incidents;
#[cfg(not(target_arch = "wasm32"))]
pub mod maintenance_actions;
pub mod maintenances;
pub mod reading;
mod report;

use super::arguments;
use super::uri::Roots;
use super::{ArgumentError, Effect, Resource, Tool, Write};
use crate::model::operation::Operation;
use crate::model::scope::Requirement;
use crate::model::visible::{Hidden, find_line_break};
use http::Method;
use report::ToolReport;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Every tool, in the order of lists.
pub static TOOLS: &[Tool] = &[
    incidents::CREATE_INCIDENT,
    incidents::ADD_INCIDENT_UPDATE,
    maintenances::SCHEDULE_MAINTENANCE,
    maintenances::ADD_MAINTENANCE_UPDATE,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::UPDATE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::ACKNOWLEDGE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::RESOLVE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::REOPEN_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    incident_actions::DELETE_INCIDENT,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::UPDATE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::COMPLETE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::CANCEL_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    maintenance_actions::DELETE_MAINTENANCE,
    #[cfg(not(target_arch = "wasm32"))]
    beats::RUN_BEAT,
    #[cfg(not(target_arch = "wasm32"))]
    beats::APPROVE_BEAT_ACTION,
    #[cfg(not(target_arch = "wasm32"))]
    beats::REJECT_BEAT_ACTION,
];

/// A write that upstream carried out, and what the program knows about it.
pub struct Written<'a> {
    /// The answer to the write: the document that was made.
    pub answer: &'a Value,
    /// The page, with `id` and `name`, as the accessible-pages list shows it.
    pub page: &'a Value,
    /// How the program spells resource URIs.
    pub roots: &'a Roots,
    /// Names the audit entry, where there is one.
    pub audit_id: Option<&'a str>,
    /// How many writes the limit still allows, if there is a limit.
    pub remaining_writes: Option<u32>,
    /// A repeat of an earlier call: nothing was written now.
    pub replayed: bool,
}

/// What a call tells its client after the write.
pub struct Done {
    /// For people and models.
    pub text: String,
    /// Conforms to the tool's output schema.
    pub structured: Value,
    /// Resources worth reading next: URI and entry.
    pub links: Vec<(String, &'static Resource)>,
}

/// An argument type: the tool's schema, parser and meaning.
trait Arguments: DeserializeOwned + Serialize + JsonSchema + 'static {
    /// What the client is told after the write.
    const REPORT: ToolReport;

    /// The operation that a call means; its body are the arguments as they serialize.
    fn operation(&self) -> Operation;
}

/// Exactly one of the three. Its schema carries no descriptions and bounds: the names speak, StatiBeat knows the
/// items, and a model pays for every word of the list.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("maxProperties" = 1))]
#[schemars(transform = arguments::drop_description)]
struct AffectedItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
}

const fn tool<A: Arguments>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    hosted: Option<Requirement>,
) -> Tool {
    Tool {
        name,
        title,
        description,
        effect,
        hosted,
        input_schema: arguments::input_schema::<A>,
        output_schema: if hosted.is_some() { || A::REPORT.schema(true) } else { || A::REPORT.schema(false) },
        write: write::<A>,
        report: |written| A::REPORT.of(written),
    }
}

fn write<A: Arguments>(given: Value) -> Result<Write, ArgumentError> {
    let arguments = arguments::parse::<A>(given)?;
    let write = Write::new(arguments.operation(), json!(arguments));
    check_title(&write)?;
    let changes_nothing =
        write.operation.method() == Method::PATCH && write.body.as_object().is_some_and(Map::is_empty);
    if changes_nothing { Err(ArgumentError("name at least one field to change".to_owned())) } else { Ok(write) }
}

/// A title is one line: with another one it would pass for more than a title wherever it is shown.
fn check_title(write: &Write) -> Result<(), ArgumentError> {
    let title = write.body.get("title").and_then(Value::as_str).unwrap_or_default();
    let Some(Hidden { at, character }) = find_line_break(title) else { return Ok(()) };
    let (place, code) = (at + 1, u32::from(character));
    Err(ArgumentError(format!("`title` must be one line: character {place} (U+{code:04X}) ends it")))
}
