//! What the two surfaces do alike with the catalogue: read an entry, render a prompt, look a write over, preview it, tell
//! how it ended.
//!
//! Plain functions over values and the page's API. Who may do what, and what is kept of it, is each surface's own: nothing
//! here knows of granted scopes, of tokens or of a database.

pub mod asked;
pub mod call_arguments;
pub mod clock;
pub mod complete;
pub mod confirmation;
pub mod names;
pub mod outcome;
pub mod overlap;
pub mod preview;
pub mod prompt;
pub mod read;
pub mod similar;
pub mod stage;
mod target;
pub mod wish;
pub mod write;

use crate::mcp::Error;
use crate::model::visible::quote;
use crate::upstream::ApiError;

/// What trouble with a read means to a client. What it must not see goes to the log.
pub fn trouble(uri: &str, error: ApiError, log: &dyn Fn(&str)) -> Error {
    match error {
        ApiError::NotFound(_) => Error::ResourceNotFound(uri.to_owned()),
        ApiError::Forbidden(text) => Error::Forbidden(refused(&text)),
        ApiError::Invalid(text) => Error::InvalidParams(refused(&text)),
        ApiError::UserEnded => Error::AccessEnded,
        ApiError::RateLimited { retry_after } => {
            Error::Unavailable { reason: "StatiBeat asks to wait.".to_owned(), retry_after }
        }
        ApiError::CircuitOpen { retry_after } => {
            let reason = "StatiBeat keeps failing and is left alone for a moment.".to_owned();
            Error::Unavailable { reason, retry_after: Some(retry_after) }
        }
        ApiError::Unavailable { retry_after, .. } => {
            log(&error.to_string());
            Error::Unavailable { reason: "StatiBeat cannot be reached.".to_owned(), retry_after }
        }
        ApiError::Malformed(_) => {
            log(&error.to_string());
            let reason = "StatiBeat's answer could not be read.".to_owned();
            Error::Unavailable { reason, retry_after: None }
        }
        ApiError::CredentialRefused(_) => Error::Untrusted(error.to_string()),
        ApiError::Unfit(_) | ApiError::OutcomeUnknown(_) => Error::Internal(error.to_string()),
    }
}

/// StatiBeat's reason may repeat what somebody wrote on the page, so it stands in quotation marks.
fn refused(reason: &str) -> String {
    format!("StatiBeat refused: {}", quote(reason, outcome::ANSWER_MAX))
}
