//! A prompt: its arguments, its resources and its text.

use super::resource::Variables;
use super::resources::find_resource;
use crate::model::scope::ScopeSet;
use serde::Serialize;

pub struct Prompt {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub arguments: &'static [PromptArgument],
    /// Names of the resources it puts before the model. A surface offers a prompt only where it offers all of them.
    pub resources: &'static [&'static str],
    /// Renders the task for the model from the arguments.
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
    /// True if the prompt cannot be rendered without it.
    pub required: bool,
    pub title: &'static str,
}
