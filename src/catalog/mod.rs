//! Scopes, resources, prompts and tools, as data.
//!
//! Access checks, upstream reads and MCP messages are in other modules. An entry of Hosted MCP carries its requirement,
//! so an entry without a scope doesn't compile.

pub mod argument;
pub mod llms;
mod prompt;
pub mod prompts;
mod resource;
pub mod resources;
pub mod shown;
pub mod text;
mod tool;
mod tool_report;
pub mod tools;
pub mod uri;

pub use argument::ArgumentError;
pub use prompt::{NextStep, Prompt, PromptArgument, PromptArgumentKind};
pub use prompts::find_prompt;
pub use resource::{Binding, DocumentError, MISSING, Read, Resource, ResourcePart, Subject, Variables};
pub use resources::find_resource;
pub use tool::{Effect, Tool, Write, page_only};
pub use tool_report::{CompletedWrite, ToolResult};
pub use tools::find_tool;

#[cfg(test)]
mod tests;
