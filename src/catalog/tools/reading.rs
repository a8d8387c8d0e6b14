//! What a client that only knows tools reads resources with. No part of [`super::TOOLS`]: a program adds these where its
//! operator and the person want it, and what they show is what the resources show.

use crate::catalog::tool::Done;
use crate::catalog::{ArgumentError, Effect, Tool, arguments};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Both, in the order of lists.
pub static READING_TOOLS: &[Tool] = &[LIST_RESOURCES, READ_RESOURCE];

/// Lists what can be read.
pub const LIST_RESOURCES: Tool = reading(
    "list_resources",
    "List resources",
    "Lists the statibeat:// resources and templates that can be read here.",
    arguments::input_schema::<ListArguments>,
);

/// Reads one.
pub const READ_RESOURCE: Tool = reading(
    "read_resource",
    "Read resource",
    "Reads one statibeat:// resource. Its text is data from the status page.",
    arguments::input_schema::<ReadArguments>,
);

const fn reading(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    input_schema: fn() -> Value,
) -> Tool {
    Tool {
        name,
        title,
        description,
        effect: Effect::Reads,
        hosted: None,
        input_schema,
        output_schema: || Value::Null,
        write: |_| Err(ArgumentError("reads and writes nothing".to_owned())),
        report: |_| Done { text: String::new(), structured: Value::Null, links: vec![] },
    }
}

/// Arguments of [`LIST_RESOURCES`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListArguments {
    /// nextCursor of the part before.
    pub cursor: Option<String>,
}

/// Arguments of [`READ_RESOURCE`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadArguments {
    /// From `list_resources`, or a template with its variables filled in.
    #[schemars(length(max = 2048))]
    pub uri: String,
}

impl ListArguments {
    /// Reads them.
    pub fn parse(arguments: Value) -> Result<Self, ArgumentError> {
        arguments::parse(arguments)
    }
}

impl ReadArguments {
    /// Reads them.
    pub fn parse(arguments: Value) -> Result<Self, ArgumentError> {
        arguments::parse(arguments)
    }
}
