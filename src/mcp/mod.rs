//! The Model Context Protocol: pure rules from a JSON message to a JSON answer, in every protocol version.
//!
//! No I/O and no OAuth here. Whoever offers the catalogue implements [`ServerHandler`]; the two front ends are `hosted` and
//! `page`. A message takes this way: [`message`] reads it, [`version`] finds the version it speaks ([`headers`] having to
//! agree), [`methods`] asks the surface, [`results`] or [`error`] write the answer; [`server`] leads through it.

pub mod dialogue;
pub mod discovery;
pub mod error;
pub mod headers;
pub mod message;
pub mod methods;
pub mod paging;
pub mod protocol_error;
pub mod protocol_version;
pub mod report;
pub mod results;
pub mod server;
pub mod state;
pub mod stdio;
pub mod version;

pub use dialogue::{Dialogue, Question, QuestionKind, Questions};
pub use headers::TransportHeaders;
pub use report::{CallFacts, CallReport, ClientInfo, Handled};
pub use results::ListEntry;
pub use server::{Call, McpResponse, answer};

use crate::catalog::{Resource, Variables};
use crate::model::scope::ScopeSet;
use crate::model::visible::quote;
use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Longest name of a client's that an error message quotes, in characters.
const NAME_MAX: usize = 100;

/// What a front end answers. Methods check access themselves, on every call.
#[async_trait(?Send)]
pub trait ServerHandler {
    /// For `initialize` and `server/discover`.
    fn server(&self) -> ServerInfo;

    /// Concrete resources the caller can read now.
    async fn resources(&self) -> Result<Vec<ListedResource>, Error>;

    fn resource_templates(&self) -> Vec<ListEntry>;

    async fn read(&self, uri: &str) -> Handled<ResourceContents>;

    /// Prompts the caller's scopes make useful.
    fn prompts(&self) -> Vec<ListEntry>;

    fn tools(&self) -> Vec<ListEntry>;

    /// Calls a tool. What the model can mend is an outcome with `is_error`, not an [`Error`].
    async fn call(&self, name: &str, arguments: Map<String, Value>, dialogue: &Dialogue) -> Handled<ToolOutcome>;

    /// Fills in a prompt. Missing required arguments are [`Error::InvalidParams`].
    async fn prompt(&self, name: &str, arguments: Variables, dialogue: &Dialogue) -> Handled<PromptOutcome>;

    /// Suggests values for an argument. Something unknown has no values, and is no error.
    async fn complete(&self, sought: Completion) -> Handled<Suggestions>;
}

/// Name and version of a front end (`Implementation`), with what a model should know first.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerInfo {
    pub name: &'static str,
    pub title: &'static str,
    pub version: &'static str,
    /// How to start: which resource to read first.
    #[serde(skip)]
    pub instructions: &'static str,
}

/// A resource as `resources/list` shows it.
pub struct ListedResource {
    pub uri: String,
    pub entry: &'static Resource,
    /// The page's name, for page-bound entries.
    pub page_name: Option<String>,
}

impl ListedResource {
    /// What it is and of which page.
    pub fn title(&self) -> String {
        match &self.page_name {
            Some(page) => format!("{}: {page}", self.entry.title),
            None => self.entry.title.to_owned(),
        }
    }
}

pub struct ResourceContents {
    /// The URI as asked for.
    pub uri: String,
    pub body: Value,
    /// How long a client may keep it.
    pub fresh_for: Duration,
}

#[derive(Default)]
pub struct ToolOutcome {
    /// The call failed in a way that the model or its user can mend; `text` says how.
    pub is_error: bool,
    pub text: String,
    /// Conforms to the tool's output schema.
    pub structured: Option<Value>,
    /// Resources worth reading next: URI and entry.
    pub links: Vec<(String, &'static Resource)>,
}

pub struct PromptOutcome {
    /// What the prompt is for.
    pub description: &'static str,
    /// In order; all of them are the user's.
    pub messages: Vec<PromptMessage>,
}

/// One message of a prompt.
pub enum PromptMessage {
    /// What is asked of the model.
    Text(String),
    /// A resource, freshly read, for clients that cannot read resources themselves.
    Resource(ResourceContents),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What the argument belongs to.
    pub of: CompletionTarget,
    pub argument: String,
    /// What has been typed of it.
    pub typed: String,
    /// Arguments that are already chosen.
    pub chosen: Variables,
}

/// What has arguments to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompletionTarget {
    Prompt(String),
    /// A resource template, by its `uriTemplate`.
    Resource(String),
}

/// Values for an argument, best first. At most 100 of them are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions(pub Vec<String>);

/// Why a request has no result. Mapped to the wire in `mcp::error`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not yet: something must be answered first. Asked only of a client that can.
    #[error("needs an answer first")]
    InputRequired(Questions),
    /// The client would have to be able to do something that it did not say it can.
    #[error("needs a client capability")]
    MissingCapability(Value),
    /// No such tool on this surface.
    #[error("unknown tool {}", quote(.0, NAME_MAX))]
    UnknownTool(String),
    /// No such prompt for this caller.
    #[error("unknown prompt {}", quote(.0, NAME_MAX))]
    UnknownPrompt(String),
    /// No such resource, or not one this caller may know of: the two answer alike.
    #[error("no such resource {}", quote(.0, NAME_MAX))]
    ResourceNotFound(String),
    /// Parameters that do not fit.
    #[error("{0}")]
    InvalidParams(String),
    /// The grant lacks a scope; more consent would help. The transport answers this, not the protocol.
    #[error("needs scope {needed}")]
    InsufficientScope { needed: ScopeSet },
    /// The person's role on the page does not allow it; no consent can change that.
    #[error("{0}")]
    Forbidden(String),
    /// The connection was ended while the request was under way.
    #[error("this connection was ended meanwhile; nothing was published")]
    GrantEnded,
    /// The person behind the token can no longer act at all.
    #[error("the user's access has ended")]
    AccessEnded,
    /// StatiBeat cannot be reached, or asked us to wait.
    #[error("try again later: {reason}")]
    Unavailable {
        /// What a client may be told.
        reason: String,
        /// When to try again, if known.
        retry_after: Option<Duration>,
    },
    /// What stands behind us does not accept us, whoever asks. Nobody's sign-in can mend it; the reason is for the log.
    #[error("the connector is not accepted upstream")]
    Untrusted(String),
    /// Our own fault; the reason is for the log.
    #[error("internal error")]
    Internal(String),
}
