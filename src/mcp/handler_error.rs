//! Errors of a front end: why a request that it was asked has no result.

use super::input_request::InputRequiredResult;
use super::protocol_error::NAME_MAX;
use crate::model::scope::ScopeSet;
use crate::model::visible::quote;
use serde_json::Value;
use std::time::Duration;

/// Why a request has no result. Mapped to the wire in `mcp::error`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not yet: something must be answered first. Asked only of a client that can.
    #[error("needs an answer first")]
    InputRequired(InputRequiredResult),
    /// The client would have to be able to do something that it did not say it can.
    #[error("needs a client capability")]
    MissingCapability(Value),
    /// No such tool on this surface.
    #[error("unknown tool {}{hint}", quote(.name, NAME_MAX))]
    UnknownTool {
        name: String,
        /// The tools there are, and who does what none of them does. Follows the name directly.
        hint: String,
    },
    /// No such prompt for this caller.
    #[error("unknown prompt {}{hint}", quote(.name, NAME_MAX))]
    UnknownPrompt {
        name: String,
        /// The prompts of this caller. Follows the name directly.
        hint: String,
    },
    /// No such resource, or not one this caller may know of: the two answer alike.
    #[error("{message}")]
    ResourceNotFound {
        uri: String,
        /// Says what would have worked.
        message: String,
    },
    /// Parameters that do not fit.
    #[error("{0}")]
    InvalidParams(String),
    /// The grant lacks a scope; more consent would help. The transport answers this, not the protocol.
    #[error("{}", .needed.describe_missing())]
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
        /// The error as clients may see it.
        reason: String,
        /// When to try again, if known.
        retry_after: Option<Duration>,
    },
    /// StatiBeat rejects the connector's own credential. No sign-in can fix that; the reason is for the log.
    #[error("the connector is not accepted upstream")]
    Untrusted(String),
    /// Our own fault; the reason is for the log.
    #[error("internal error")]
    Internal(String),
}
