//! Reading resources, rendering prompts and completing arguments: what both programs do alike with the catalog.
//!
//! Who may read what is each program's own.

pub mod completion;
pub mod prompts;
pub mod resources;

use crate::mcp::Error;
use crate::model::visible::quote;
use crate::upstream::ApiError;

/// Longest reason of StatiBeat that is quoted, in characters.
const REASON_MAX: usize = 400;

/// The error that a client gets for a failed read. What it must not see goes to the log.
pub fn read_error(uri: &str, error: ApiError, log: &dyn Fn(&str)) -> Error {
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
    format!("StatiBeat refused: {}", quote(reason, REASON_MAX))
}
