//! Errors of the protocol itself: why a message is turned away before anybody is asked for its result.

use crate::model::visible::quote;

/// Longest name of a client's that an error message quotes, in characters.
pub(super) const NAME_MAX: usize = 100;

/// Why a message was rejected before it reached the handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The body is not JSON.
    #[error("Parse error")]
    NotJson,
    /// Several messages in one body.
    #[error(
        "Invalid request: this is a batch of {0} messages, and batches are not supported. None of the messages was \
         processed. Send one message per request."
    )]
    Batch(usize),
    /// JSON, but not a request.
    #[error("Invalid request: {0}")]
    NotARequest(&'static str),
    /// A version header that names no served version, on a request without an envelope.
    #[error("Unknown MCP-Protocol-Version {}", quote(.0, NAME_MAX))]
    UnknownVersion(String),
    /// Keys of the envelope that are missing or of the wrong type.
    #[error("Missing or invalid in params._meta: {}", .0.join(", "))]
    IncompleteEnvelope(Vec<&'static str>),
    /// A header is missing, or says something else than the body.
    #[error("{0}")]
    HeaderMismatch(&'static str),
    /// A version without a handshake that is not served.
    #[error("Unsupported protocol version {}", quote(.0, NAME_MAX))]
    UnsupportedVersion(String),
    /// No such method in this version.
    #[error("Unknown method {}", quote(.0, NAME_MAX))]
    UnknownMethod(String),
}
