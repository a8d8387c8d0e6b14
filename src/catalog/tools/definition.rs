//! The definition of a tool: one argument type gives its schema, its parser and what a call means upstream.

use super::report::ToolReport;
use crate::catalog::arguments;
use crate::catalog::tool::{ArgumentError, Effect, Tool, Write};
use crate::model::operation::Operation;
use crate::model::scope::Requirement;
use crate::model::visible::{Hidden, find_line_break};
use http::Method;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An argument type: the tool's schema, parser and meaning.
pub(super) trait Arguments: DeserializeOwned + Serialize + JsonSchema + 'static {
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
pub(super) struct AffectedItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
}

pub(super) const fn tool<A: Arguments>(
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
