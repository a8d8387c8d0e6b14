//! The Model Context Protocol: pure rules from a JSON message to a JSON answer, in every protocol version.
//!
//! No I/O and no OAuth here. Whoever offers the catalog implements [`ServerHandler`]; the two front ends are `hosted` and
//! `page`. A message takes this way: [`message`] reads it, [`version`] finds the version it speaks ([`headers`] having to
//! agree), [`methods`] calls the handler, [`results`] or [`error`] write the answer; [`server`] leads through it.

pub mod discovery;
pub mod error;
mod handler;
mod handler_error;
mod handler_values;
pub mod headers;
pub mod input_request;
pub mod message;
pub mod methods;
pub mod paging;
pub mod prepared;
pub mod protocol_error;
pub mod protocol_version;
pub mod report;
pub mod request_state;
pub mod results;
pub mod server;
pub mod skill;
pub mod stdio;
mod surrogates;
pub mod version;

pub use handler::ServerHandler;
pub use handler_error::Error;
pub use handler_values::{
    Completion, CompletionTarget, Icon, ListedResource, PromptOutcome, ResourceContents, ServerInfo, ServerProfile,
    Suggestions, ToolOutcome,
};
pub use input_request::{ElicitationRefusal, InputContext, InputRequest, InputRequestKind, InputRequiredResult};
pub use report::{CallDetails, CallReport, ClientInfo, Handled};
pub use results::ListEntry;
pub use server::PendingCall;
pub use skill::Skill;
