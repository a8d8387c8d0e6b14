//! WHAT is offered: scopes, resources, prompts, tools. Data only.
//!
//! Who may use an entry, how it is fetched and how it is spoken of on the wire are other modules' business. An entry
//! that Hosted MCP offers carries its requirement, so one without a scope cannot be written down.

mod arguments;
pub mod policy;
pub mod prompts;
pub mod resources;
pub mod shown;
pub mod text;
pub mod tools;
pub mod uri;

pub use uri::Variables;

use crate::model::operation::Operation;
use crate::model::scope::{Requirement, ScopeSet};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The signed-in person: no page.
    Session,
    Page,
}

/// Something a client can read.
pub struct Resource {
    /// Unique, `snake_case`; for logs and tests.
    pub name: &'static str,
    /// Relative to the surface's URI root (session) or to the page (page-bound), with `{variables}`; for instance
    /// `incidents/{incident_id}`.
    pub path: &'static str,
    pub title: &'static str,
    /// What is in it and when it helps, for models and people.
    pub description: &'static str,
    pub binding: Binding,
    /// What Hosted MCP asks for; `None`: Hosted MCP does not offer it.
    pub hosted: Option<Requirement>,
    /// The upstream reads the body is made of; made in parallel.
    pub reads: &'static [Read],
    /// How much it matters to a model that must choose, from 0 to 1.
    pub priority: f64,
    /// How long a client may keep a copy.
    pub fresh_for: Duration,
    /// Makes the result from the answers to `reads`, in order. Called by [`Resource::render`].
    pub body: fn(&Subject<'_>, Vec<Value>) -> Result<Value, DocumentError>,
}

impl Resource {
    /// Whether its URI works as it is, once the page is known.
    pub fn is_concrete(&self) -> bool {
        !self.path.split('?').next().unwrap_or_default().contains('{')
    }

    /// Whether there is something in its URI to choose, so that clients learn of it as a template. A cursor is not
    /// chosen: results hand it out.
    pub fn is_template(&self) -> bool {
        self.path.replace("{cursor}", "").contains('{')
    }

    /// The path as templates show it: without the cursor.
    pub fn template_path(&self) -> &'static str {
        self.path.strip_suffix("?cursor={cursor}").unwrap_or(self.path)
    }

    /// The result to show, made from the answers to `reads`, in order; `None` for an optional one that did not come.
    /// Sensitive fields and hidden characters are gone.
    pub fn render(&self, subject: &Subject<'_>, answers: Vec<Option<Value>>) -> Result<Value, DocumentError> {
        let missing: Vec<&str> =
            self.reads.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(read, _)| read.path).collect();
        let mut result = (self.body)(subject, answers.into_iter().map(Option::unwrap_or_default).collect())?;
        if !missing.is_empty() {
            result["partial"] =
                serde_json::json!({ "missing": missing, "reason": "StatiBeat did not answer this part." });
        }
        text::sanitize(&mut result);
        Ok(result)
    }
}

/// The resource of that name.
pub fn find_resource(name: &str) -> Option<&'static Resource> {
    resources::RESOURCES.iter().find(|resource| resource.name == name)
}

/// The prompt of that name.
pub fn find_prompt(name: &str) -> Option<&'static Prompt> {
    prompts::PROMPTS.iter().find(|prompt| prompt.name == name)
}

/// The tool of that name.
pub fn find_tool(name: &str) -> Option<&'static Tool> {
    tools::TOOLS.iter().find(|tool| tool.name == name)
}

pub struct Read {
    /// Relative to the API root (session) or to the page's admin root (page-bound), with the resource's `{variables}`
    /// for [`uri::expand`]; may carry a fixed query.
    pub path: &'static str,
    /// Whether the result is worth showing without it.
    pub is_optional: bool,
}

/// What a body function is told besides the upstream answers.
pub struct Subject<'a> {
    /// Values of the path's variables.
    pub variables: &'a Variables,
    /// The page as the accessible-pages list shows it; `None` for session resources.
    pub page: Option<&'a Value>,
    /// The resource's URI, without what a client may choose in its query.
    pub uri: &'a str,
}

impl Subject<'_> {
    /// The URI of the part of a list behind a cursor.
    fn at_cursor(&self, cursor: &str) -> String {
        format!("{}?cursor={cursor}", self.uri)
    }
}

/// Why upstream answers make no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// An answer has not the promised shape.
    #[error("upstream answer: {0}")]
    Malformed(String),
    /// The entry that the cursor stands behind is no longer in the list.
    #[error("this cursor is no longer valid; read the list from its beginning")]
    Cursor,
    /// What the URI names within the answers is not there.
    #[error("not in the answer")]
    Absent,
}

pub struct Prompt {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// What a client fills in.
    pub arguments: &'static [PromptArgument],
    /// Names of the resources it puts before the model. A surface offers a prompt only where it offers all of them.
    pub resources: &'static [&'static str],
    /// What it asks of the model, with the arguments filled in.
    pub text: fn(&Variables, Reach) -> String,
}

/// Which tools stand beside a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Hosted,
    /// Those of the page server, as far as its operator lets them.
    Page,
}

impl Prompt {
    /// The scopes without which it cannot do its work; `None`: Hosted MCP lacks a resource that it needs.
    pub fn scopes(&self) -> Option<ScopeSet> {
        self.resources.iter().map(|name| Some(find_resource(name)?.hosted?.scope)).collect()
    }
}

/// Something a client fills into a prompt; always text.
#[derive(Serialize)]
pub struct PromptArgument {
    pub description: &'static str,
    pub name: &'static str,
    /// Whether the prompt makes no sense without it.
    pub required: bool,
    pub title: &'static str,
}

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
    pub report: fn(&tools::Written<'_>) -> tools::Done,
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

/// Arguments that do not fit, said so that a model can mend them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArgumentError(pub String);

#[cfg(test)]
mod tests;
