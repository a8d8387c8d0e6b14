//! A prompt: its arguments, its resources and its task.

use super::resource::Variables;
use super::resources::find_resource;
use crate::model::scope::ScopeSet;
use serde::Serialize;

pub struct Prompt {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// When a model should think of it by itself, as a clause behind "Use when": the trigger of its skill.
    pub used_when: &'static str,
    /// At most one is free text, and it is the last: apps that pass arguments by position give the rest of a line to it.
    pub arguments: &'static [PromptArgument],
    /// Names of the resources it puts before the model; the first is what it is about. A surface offers a prompt only where
    /// it offers all of them.
    pub resources: &'static [&'static str],
    /// Names of resources that it brings along where the connection and the person may read them.
    pub extras: &'static [&'static str],
    /// Renders the task for the model from the arguments.
    pub task: fn(&Variables) -> String,
    pub next_step: NextStep,
}

/// Use of the result of a prompt. A text names only those of the tools that its server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// The tools that publish a draft once the person agrees; none for a report.
    pub tools: &'static [&'static str],
    /// A sentence about what a person does, and where.
    pub by_person: &'static str,
    /// Tools of the page server that do that too.
    pub page_tools: &'static [&'static str],
}

impl Prompt {
    /// The name as a skill, which Agent Skills write with hyphens.
    pub fn skill_name(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The scopes without which it cannot do its work; `None`: Hosted MCP lacks a resource that it needs.
    pub fn scopes(&self) -> Option<ScopeSet> {
        self.resources.iter().map(|name| Some(find_resource(name)?.hosted?.scope)).collect()
    }
}

/// Something a client fills into a prompt; always text.
#[derive(Serialize)]
pub struct PromptArgument {
    /// Empty where the name says it all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'static str,
    pub name: &'static str,
    /// True if the prompt cannot be rendered without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(skip)]
    pub kind: PromptArgumentKind,
}

/// Meaning of an argument, which decides the way it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptArgumentKind {
    /// A page, which may be left out where there is one.
    Page,
    /// A number, up to the first blank: completion offers `1001 API errors`.
    Id,
    /// A status that can be set, by key or name.
    Status,
    /// A stage that can be set, by number or name.
    Stage,
    /// Components by number, separated by commas, or in words.
    Components,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Free text in the person's words.
    Text,
}
