//! WHAT is offered: scopes, resources, prompts, tools. Data only.
//!
//! Who may use an entry, how it is fetched and how it is spoken of on the wire are other modules' business. An entry
//! that Hosted MCP offers carries its requirement, so one without a scope cannot be written down.

pub mod scope;

use scope::Requirement;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The signed-in person: no page.
    Session,
    /// One page.
    Page,
}

/// Something a client can read.
pub struct Resource {
    /// Unique, `snake_case`; for logs and tests.
    pub name: &'static str,
    /// Relative to the surface's URI root (session) or to the page (page-bound), with `{variables}`; for instance
    /// `incidents/{incident_id}`.
    pub path: &'static str,
    /// Short, for people.
    pub title: &'static str,
    /// What is in it and when it helps, for models and people.
    pub description: &'static str,
    /// Session or page.
    pub binding: Binding,
    /// What Hosted MCP asks for; `None`: Hosted MCP does not offer it.
    pub hosted: Option<Requirement>,
    /// The upstream reads the body is made of; made in parallel.
    pub reads: &'static [Read],
    /// How long a client may keep a copy.
    pub fresh_for: Duration,
    /// Makes the result from the answers to `reads`, in order.
    pub body: fn(&Subject<'_>, Vec<Value>) -> Result<Value, BodyError>,
}

/// One upstream GET.
pub struct Read {
    /// Relative to the API root (session) or to the page's admin root (page-bound), with the resource's `{variables}`;
    /// may carry a fixed query.
    pub path: &'static str,
}

/// What a body function is told besides the upstream answers.
pub struct Subject<'a> {
    /// Values of the path's variables.
    pub variables: &'a BTreeMap<String, String>,
    /// The page as the accessible-pages list shows it; `None` for session resources.
    pub page: Option<&'a Value>,
}

/// An upstream answer that has not the promised shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("upstream answer: {0}")]
pub struct BodyError(pub String);

/// A ready-made conversation start.
pub struct Prompt {
    /// The wire name.
    pub name: &'static str,
    /// Short, for people.
    pub title: &'static str,
    /// What it helps with.
    pub description: &'static str,
}

/// What calling a tool does to the world; its hints follow from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Adds something that was not there; takes nothing away.
    Adds,
    /// Changes what is there.
    Changes,
    /// Takes something away.
    Destroys,
}

/// Something a client can do. Its schema and its parser come from one argument type.
pub struct Tool {
    /// The wire name, `snake_case`.
    pub name: &'static str,
    /// Short, for people.
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
}

/// The upstream write that a call means.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Relative to the page's admin root, as in `incidents`.
    pub path: String,
    /// The JSON body of the POST.
    pub body: Value,
}

/// Arguments that do not fit, said so that a model can mend them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArgumentError(pub String);
