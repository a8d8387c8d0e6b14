//! The fixtures as a surface: nothing in here is offered by StatiBeat.

use crate::{prompts, resources, tools};
use async_trait::async_trait;
use serde_json::{Map, Value};
use statibeat_mcp::catalog::{Prompt, Resource, Tool, Variables};
use statibeat_mcp::mcp::results::{print_prompt, print_resource_template, print_tool};
use statibeat_mcp::mcp::{
    Completion, Error, Handled, InputContext, ListEntry, ListedResource, PromptOutcome, ResourceContents,
    ServerHandler, ServerInfo, Skill, Suggestions, ToolOutcome,
};
use statibeat_mcp::model::scope::ScopeSet;
use std::borrow::Cow;

/// Everything that the suite asks for.
pub struct Fixtures;

#[async_trait(?Send)]
impl ServerHandler for Fixtures {
    fn server(&self) -> ServerInfo<'_> {
        ServerInfo {
            name: "statibeat-conformance",
            title: "Conformance fixtures",
            version: env!("CARGO_PKG_VERSION"),
            profile: None,
        }
    }

    fn instructions(&self) -> Cow<'static, str> {
        "Fixtures of the MCP conformance suite.".into()
    }

    async fn resources(&self) -> Result<Vec<ListedResource>, Error> {
        let listed = |(uri, entry): &'static (&'static str, Resource)| ListedResource {
            uri: (*uri).to_owned(),
            entry,
            page: None,
        };
        Ok(resources::CONCRETE.iter().map(listed).collect())
    }

    fn resource_templates(&self) -> Vec<ListEntry> {
        vec![Cow::Owned(print_resource_template(resources::DATA_URI, &resources::DATA))]
    }

    async fn read(&self, uri: &str) -> Handled<ResourceContents> {
        resources::read(uri).into()
    }

    fn prompts(&self) -> Vec<ListEntry> {
        let print = |prompt: &Prompt| Cow::Owned(print_prompt(prompt, &prompt.arguments.iter().collect::<Vec<_>>()));
        prompts::PROMPTS.iter().map(print).collect()
    }

    fn skills(&self) -> Vec<Skill> {
        let description = "A fixture of the conformance suite.".to_owned();
        vec![Skill::new("test-skill".to_owned(), description, "# Test skill")]
    }

    fn tools(&self) -> Vec<ListEntry> {
        let print = |tool: &Tool| Cow::Owned(print_tool(tool, &tools::input_schema(tool), ScopeSet::EMPTY));
        tools::TOOLS.iter().map(print).collect()
    }

    async fn call(&self, name: &str, _: Map<String, Value>, input: &InputContext) -> Handled<ToolOutcome> {
        tools::call(name, input).into()
    }

    async fn prompt(&self, name: &str, arguments: Variables, input: &InputContext) -> Handled<PromptOutcome> {
        prompts::get(name, &arguments, input).into()
    }

    async fn complete(&self, sought: Completion) -> Handled<Suggestions> {
        Ok(Suggestions(tools::suggestions(&sought.typed, &sought.chosen))).into()
    }
}
