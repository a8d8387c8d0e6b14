//! Errors of the protocol itself: why a message is turned away before anybody is asked for its result.

use super::protocol_version::ProtocolVersion;
use super::surrogates::LoneSurrogate;
use crate::model::visible::quote;
use std::fmt;

/// Longest name of a client's that an error message quotes, in characters.
pub(super) const NAME_MAX: usize = 100;

/// Why a message was rejected before it reached the handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The body is not JSON: the parser's reason, with line and column.
    #[error("Parse error: {0}. Send one JSON-RPC message in UTF-8.")]
    NotJson(String),
    /// JSON, but for half of a surrogate pair in a text.
    #[error("{0}")]
    LoneSurrogate(LoneSurrogate),
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
    #[error(
        "MCP-Protocol-Version {} is not served. {}", quote(.0, NAME_MAX), served()
    )]
    UnknownVersion(String),
    /// Keys of the envelope that are missing or of the wrong type.
    #[error("Missing or invalid in params._meta: {}. {}", .0.join(", "), served())]
    IncompleteEnvelope(Vec<&'static str>),
    /// A header is missing, or says something else than the body.
    #[error("{0}")]
    HeaderMismatch(HeaderMismatch),
    /// A version in an envelope that is not served that way.
    #[error("Protocol version {} in params._meta is not served. {}", quote(.0, NAME_MAX), served())]
    UnsupportedVersion(String),
    /// No such method in this version.
    #[error("Unknown method {}", quote(.0, NAME_MAX))]
    UnknownMethod(String),
}

/// A header that is missing, unreadable, or says something else than the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMismatch {
    pub header: &'static str,
    pub received: Option<String>,
    /// The member of the body that the header repeats, and its value.
    pub body: Option<(&'static str, String)>,
}

impl fmt::Display for HeaderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header;
        match &self.received {
            None => write!(f, "The header {header} is missing")?,
            Some(received) => write!(f, "The header {header} is {}", quote(received, NAME_MAX))?,
        }
        match &self.body {
            Some((member, value)) => {
                write!(f, ", and the body's {member} is {}: send the same in both.", quote(value, NAME_MAX))?;
            }
            None => write!(f, ", which is not one readable value.")?,
        }
        if header == VERSION_HEADER { write!(f, " {}", served()) } else { Ok(()) }
    }
}

pub const VERSION_HEADER: &str = "MCP-Protocol-Version";

/// The served versions, and how a client names each.
fn served() -> String {
    let with_handshake = ProtocolVersion::with_handshake().join(", ");
    let latest = ProtocolVersion::LATEST.as_str();
    format!(
        "Served: {with_handshake} (negotiated by initialize, then named in the header MCP-Protocol-Version) and {latest} (named by each \
         request in that header and in params._meta)."
    )
}
