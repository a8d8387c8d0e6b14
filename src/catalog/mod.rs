//! WHAT is offered: scopes, resources, prompts, tools. Data only.
//!
//! Who may use an entry, how it is fetched and how it is spoken of on the wire are other modules' business. An entry
//! that Hosted MCP offers carries its requirement, so one without a scope cannot be written down.

pub mod argument;
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
pub use prompt::{NextStep, Prompt, PromptArgument, PromptArgumentKind, Reach};
pub use prompts::find_prompt;
pub use resource::{Binding, DocumentError, MISSING, Read, Resource, ResourcePart, Subject, Variables};
pub use resources::find_resource;
pub use tool::{Effect, Tool, ToolWrite, Write};
pub use tool_report::{CompletedWrite, ToolResult};
pub use tools::find_tool;

#[cfg(test)]
mod tests;
