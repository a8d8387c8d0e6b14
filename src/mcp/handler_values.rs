//! Values that a front end takes and returns, before anything is on the wire.

use crate::catalog::{Resource, Variables};
use crate::model::ids::PageId;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// Name and version of a front end (`Implementation`).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerInfo<'a> {
    pub name: &'static str,
    pub title: &'static str,
    pub version: &'static str,
    /// Present only in answers that introduce the server.
    #[serde(flatten)]
    pub profile: Option<&'a ServerProfile>,
}

/// Description, icons and website, for clients to show beside the name.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerProfile {
    pub description: &'static str,
    pub icons: Vec<Icon>,
    pub website_url: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    pub mime_type: &'static str,
    pub sizes: [&'static str; 1],
    pub src: String,
    /// The ground that it is drawn for.
    pub theme: &'static str,
}

impl ServerInfo<'_> {
    /// Without what only introduces the server.
    pub fn in_short(self) -> Self {
        Self { profile: None, ..self }
    }
}

/// A resource as `resources/list` shows it.
pub struct ListedResource {
    pub uri: String,
    pub entry: &'static Resource,
    /// Id and name of the page, for page-bound entries of a server with many pages.
    pub page: Option<(PageId, String)>,
}

impl ListedResource {
    /// Unique in the list: clients name a resource by it, and keep one of each name.
    pub fn name(&self) -> String {
        match &self.page {
            Some((page_id, _)) => format!("{}_{page_id}", self.entry.name),
            None => self.entry.name.to_owned(),
        }
    }

    /// Description that names the kind and the page.
    pub fn title(&self) -> String {
        match &self.page {
            Some((_, page_name)) => format!("{}: {page_name}", self.entry.title),
            None => self.entry.title.to_owned(),
        }
    }
}

pub struct ResourceContents {
    /// The URI as asked for.
    pub uri: String,
    pub body: Value,
    /// Time for which a client may cache it.
    pub fresh_for: Duration,
}

#[derive(Default)]
pub struct ToolOutcome {
    /// The call failed in a way that the model or its user can mend; `text` says how.
    pub is_error: bool,
    pub text: String,
    /// Conforms to the tool's output schema.
    pub structured: Option<Value>,
    /// True if `text` says all that `structured` holds, so that clients which only know texts need no more.
    pub is_text_complete: bool,
    /// Resources worth reading next: URI and entry.
    pub links: Vec<(String, &'static Resource)>,
}

pub struct PromptOutcome {
    /// Purpose of the prompt, for people.
    pub description: &'static str,
    /// Texts, in order; all of them are the user's.
    pub messages: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The prompt or resource template that has the argument.
    pub target: CompletionTarget,
    pub argument: String,
    /// The part of the value that was typed so far.
    pub typed: String,
    /// Arguments that are already chosen.
    pub chosen: Variables,
}

/// A prompt or resource template with arguments to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompletionTarget {
    Prompt(String),
    /// A resource template, by its `uriTemplate`.
    Resource(String),
}

/// Values for an argument, best first. At most 100 of them are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions(pub Vec<String>);
