//! The interface between the protocol and a front end.

use super::handler_error::Error;
use super::handler_values::{
    Completion, ListedResource, PromptOutcome, ResourceContents, ServerInfo, Suggestions, ToolOutcome,
};
use super::input_request::InputContext;
use super::prepared::{CallerKind, PreparedResults};
use super::report::Handled;
use super::results::ListEntry;
use super::skill::Skill;
use crate::catalog::Variables;
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The methods that a front end implements. They check access themselves, on every call.
#[async_trait(?Send)]
pub trait ServerHandler {
    fn server(&self) -> ServerInfo<'_>;

    /// The results that this instance has serialized before, and the kind of this caller; `None` if nothing is kept.
    fn prepared(&self) -> Option<(&PreparedResults, CallerKind)> {
        None
    }

    /// Instructions for models, which name the resource to read first.
    fn instructions(&self) -> Cow<'static, str>;

    /// Concrete resources the caller can read now.
    async fn resources(&self) -> Result<Vec<ListedResource>, Error>;

    fn resource_templates(&self) -> Vec<ListEntry>;

    async fn read(&self, uri: &str) -> Handled<ResourceContents>;

    /// Prompts the caller's scopes make useful.
    fn prompts(&self) -> Vec<ListEntry>;

    /// Skills the caller's scopes make useful.
    fn skills(&self) -> Vec<Skill>;

    /// The skill of that URI, listed or not.
    fn skill(&self, uri: &str) -> Result<Skill, Error> {
        Skill::find(self.skills(), uri)
    }

    fn tools(&self) -> Vec<ListEntry>;

    /// Calls a tool. What the model can mend is an outcome with `is_error`, not an [`Error`].
    async fn call(&self, name: &str, arguments: Map<String, Value>, input: &InputContext) -> Handled<ToolOutcome>;

    /// Fills in a prompt. Missing required arguments are [`Error::InvalidParams`].
    async fn prompt(&self, name: &str, arguments: Variables, input: &InputContext) -> Handled<PromptOutcome>;

    /// Suggests values for an argument. Something unknown has no values, and is no error.
    async fn complete(&self, sought: Completion) -> Handled<Suggestions>;
}
