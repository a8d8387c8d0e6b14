//! A tool: what it does to the world, the write that a call means, and the report of that write.

use super::resource::Resource;
use super::uri::Roots;
use crate::model::operation::Operation;
use crate::model::scope::Requirement;
use serde_json::Value;

/// What calling a tool does to the world; its hints follow from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Reads,
    /// Adds something that was not there; takes nothing away.
    Adds,
    Changes,
    Destroys,
}

/// Something a client can do. Its schema and its parser come from one argument type.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    /// What it does, for models; informs, never commands.
    pub description: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// What Hosted MCP asks for; `None`: Hosted MCP does not offer it.
    pub hosted: Option<Requirement>,
    /// JSON Schema (2020-12) of the arguments, without what a surface adds.
    pub input_schema: fn() -> Value,
    /// JSON Schema of the structured result.
    pub output_schema: fn() -> Value,
    /// Reads the arguments and says which write they mean.
    pub write: fn(Value) -> Result<Write, ArgumentError>,
    /// What to tell the client after the write; conforms to `output_schema`. Never fails: the write is done.
    pub report: fn(&Written<'_>) -> Done,
}

/// The upstream write that a call means.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub operation: Operation,
    /// The fields to send; without any for an operation that takes none.
    pub body: Value,
}

impl Write {
    pub const fn new(operation: Operation, body: Value) -> Self {
        Self { operation, body }
    }

    /// The client's own name for the write, under which StatiBeat carries it out only once.
    pub fn external_id(&self) -> Option<&str> {
        self.body.get("external_id").and_then(Value::as_str)
    }
}

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

/// Arguments that do not fit, said so that a model can mend them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArgumentError(pub String);
