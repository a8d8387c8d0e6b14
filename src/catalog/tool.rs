//! A tool: its arguments, the write that a call means, and the report of that write.

use super::argument::{self, Argument, ArgumentError, ArgumentKind};
use super::tool_report::{CompletedWrite, ToolReport, ToolResult};
use crate::model::operation::Operation;
use crate::model::scope::Requirement;
use crate::model::visible::{Hidden, clean, find_hidden, find_line_break};
use crate::model::write::TEXT_FIELDS;
use http::Method;
use serde_json::{Map, Value};

/// The effect of a call on the page; the hints of a tool follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Reads,
    /// Adds something that customers do not see; takes nothing away.
    Adds,
    /// Adds something that subscribers are notified of, which cannot be taken back.
    Publishes,
    Changes,
    Destroys,
}

/// A tool as data. What a program adds to every tool (`page_id`, `preview` …) is not part of it.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    /// For models; informs, never commands.
    pub description: &'static str,
    pub effect: Effect,
    /// Scope and permissions that Hosted MCP requires; `None` if it does not offer the tool.
    pub hosted: Option<Requirement>,
    pub arguments: &'static [Argument],
    /// `None` for a tool that reads.
    pub write: Option<ToolWrite>,
}

pub struct ToolWrite {
    /// Takes the id of the [`ArgumentKind::Target`], or 0 where there is none.
    pub operation: fn(i64) -> Operation,
    pub report: ToolReport,
}

/// The upstream write that a call means.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub operation: Operation,
    /// The fields to send; without any for an operation that takes none. No text that customers read has a hidden character.
    pub body: Value,
    /// The fields as they were given.
    pub given: Value,
}

impl Write {
    /// Leaves hidden characters out of the texts that customers read, as reads do: what is previewed, published and read back is the same.
    pub fn new(operation: Operation, given: Value) -> Self {
        let mut body = given.clone();
        for name in TEXT_FIELDS {
            if let Some(Value::String(text)) = body.get_mut(name)
                && find_hidden(text).is_some()
            {
                *text = clean(text);
            }
        }
        Self { operation, body, given }
    }

    /// The client's own name for the write, under which StatiBeat carries it out only once.
    pub fn external_id(&self) -> Option<&str> {
        self.body.get("external_id").and_then(Value::as_str)
    }
}

impl Tool {
    /// JSON Schema (2020-12) of the arguments.
    pub fn input_schema(&self) -> Value {
        argument::schema(self.arguments)
    }

    /// JSON Schema of the structured result; `None` for a tool whose result is only text.
    pub fn output_schema(&self) -> Option<Value> {
        self.write.as_ref().map(|write| write.report.schema(self.hosted.is_some()))
    }

    pub fn check_arguments(&self, given: Value) -> Result<Map<String, Value>, ArgumentError> {
        let (arguments, problems) = argument::check(self.arguments, &[], given);
        if problems.is_empty() { Ok(arguments) } else { Err(ArgumentError(problems.join("; "))) }
    }

    /// The write that a call means, or everything that is wrong with its arguments. `added` names the arguments that the program
    /// adds to every tool and took out already.
    pub fn parse_write(&self, given: Value, added: &[&str]) -> Result<Write, ArgumentError> {
        let Some(ToolWrite { operation, .. }) = &self.write else {
            return Err(ArgumentError(format!("{} writes nothing", self.name)));
        };
        let (mut body, mut problems) = argument::check(self.arguments, added, given);
        let target = self.arguments.iter().find(|argument| argument.kind == ArgumentKind::Target);
        let id = target.and_then(|target| body.remove(target.name)).and_then(|id| id.as_i64());
        let operation = operation(id.unwrap_or_default());
        problems.extend(find_title_problem(&body));
        if operation.method() == Method::PATCH && body.is_empty() && problems.is_empty() {
            problems.push("name at least one field to change".to_owned());
        }
        if problems.is_empty() {
            Ok(Write::new(operation, Value::Object(body)))
        } else {
            Err(ArgumentError(problems.join("; ")))
        }
    }

    /// The result for the client; conforms to [`Self::output_schema`]. Never fails: the write is done.
    pub fn report(&self, completed: &CompletedWrite<'_>) -> ToolResult {
        self.write.as_ref().map(|write| write.report.render(completed)).unwrap_or_default()
    }
}

/// A title is one line: with another one it would pass for more than a title wherever it is shown.
fn find_title_problem(body: &Map<String, Value>) -> Option<String> {
    let title = body.get("title")?.as_str().filter(|title| !title.trim().is_empty())?;
    let Hidden { position, character } = find_line_break(title)?;
    let (place, code) = (position + 1, u32::from(character));
    Some(format!("`title` must be one line: character {place} (U+{code:04X}) ends it"))
}

/// Keeps names of tools of the Page MCP server out of the worker.
pub const fn page_only(tools: &'static [&'static str]) -> &'static [&'static str] {
    if cfg!(target_arch = "wasm32") { &[] } else { tools }
}
